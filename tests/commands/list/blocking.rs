//! Clients that wait for elements.

use super::in_every_encoding;
use crate::harness::Server;

/// So many clients more.
fn clients<const N: usize>(server: &mut Server) -> [usize; N] {
    std::array::from_fn(|_| server.connect())
}

fn blocked(server: &Server) -> usize {
    server.engine.server.clients.blocked()
}

#[test]
fn what_is_there_is_taken_at_once_from_the_first_key_that_has_any() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH b 1 2 3 4 5 6 -> (6)
             BLPOP a b 0 -> [b 1]
             BRPOP a b 0.5 -> [b 6]
             BLMPOP 0 2 a b LEFT COUNT 2 -> [b [2 3]]
             BLMOVE b c LEFT LEFT 0 -> 4
             BRPOPLPUSH b c 0 -> 5
             LRANGE c 0 -1 -> [5 4]
             BLMOVEM c d LEFT RIGHT 0 EXACTLY 2 BULK -> [5 4]
             EXISTS b c -> (0)",
        );
        assert_eq!(blocked(server), 0);
    });
}

#[test]
fn who_came_first_is_served_first_and_everybody_gets_one() {
    let mut server = Server::new();
    let [first, second, third] = clients(&mut server);
    server.run_as(first, "BLPOP l m 0");
    server.run_as(second, "BRPOP l 0");
    server.run_as(third, "BLMPOP 0 1 l LEFT COUNT 2");
    server.check("RPUSH l 1 2 3 4 5 -> (5)");
    assert_eq!(server.received(first), "[l 1]");
    assert_eq!(server.received(second), "[l 5]");
    assert_eq!(server.received(third), "[l [2 3]]");
    server.check("LRANGE l 0 -1 -> [4]");
    assert_eq!(blocked(&server), 0);
}

#[test]
fn who_finds_nothing_left_keeps_its_place() {
    let mut server = Server::new();
    let [first, second, third] = clients(&mut server);
    server.run_as(first, "BLPOP l 0");
    server.run_as(second, "BLPOP l 0");
    server.check("LPUSH l a -> (1)");
    server.run_as(third, "BLPOP l 0");
    server.check("LPUSH l b -> (1)");
    assert_eq!(server.received(second), "[l b]");
    server.check("LPUSH l c -> (1)");
    assert_eq!(server.received(third), "[l c]");
    assert_eq!(server.received(first), "[l a]");
}

#[test]
fn who_waits_for_several_is_passed_over_until_there_are_enough() {
    let mut server = Server::new();
    let [three, one] = clients(&mut server);
    server.run_as(three, "BLMOVEM l m LEFT RIGHT 0 EXACTLY 3 BULK");
    server.check("RPUSH l 1 2 -> (2)");
    assert_eq!(server.received(three), "");
    server.run_as(one, "BLMOVEM l m LEFT RIGHT 0 COUNT 3 BULK");
    assert_eq!(server.received(one), "", "it was answered by its own turn");
    server.check("LRANGE m 0 -1 -> [1 2]\n RPUSH l a b c d -> (4)");
    assert_eq!(server.received(three), "[a b c]");
    server.check("LRANGE m 0 -1 -> [1 2 a b c]\n LRANGE l 0 -1 -> [d]");
}

#[test]
fn a_key_of_another_type_wakes_nobody() {
    let mut server = Server::new();
    let [waiter] = clients(&mut server);
    server.run_as(waiter, "BLPOP l 0");
    server.check("SET l x -> OK\n INCRBY n 1 -> (1)\n RENAME n l -> OK");
    assert_eq!((server.received(waiter), blocked(&server)), ("".into(), 1));
    server.check("DEL l -> (1)\n RPUSH l a -> (1)");
    assert_eq!(server.received(waiter), "[l a]");
}

#[test]
fn a_wrong_type_is_an_error_at_once_and_when_woken() {
    const WRONG: &str = "!WRONGTYPE Operation against a key holding the wrong kind of value";
    let mut server = Server::new();
    let [popper, mover] = clients(&mut server);
    server.run("SET s x");
    for line in [
        "BLPOP s l 0",
        "BLMOVE s l LEFT LEFT 0",
        "BLMPOP 0 1 s LEFT",
        "BRPOPLPUSH s l 0",
    ] {
        assert_eq!(server.run(line), WRONG, "{line}");
    }
    server.run_as(popper, "BLPOP first l 0");
    server.check("SET first x -> OK\n RPUSH l a -> (1)");
    assert_eq!(server.received(popper), WRONG);
    server.run_as(mover, "BLMOVE source s LEFT LEFT 0");
    server.check("RPUSH source a -> (1)\n LRANGE source 0 -1 -> [a]");
    assert_eq!(server.received(mover), WRONG);
    assert_eq!(blocked(&server), 0);
}

#[test]
fn keys_that_come_by_other_ways_wake_too() {
    for (way, reply) in [
        ("RENAME other l", "OK"),
        ("COPY other l", "(1)"),
        ("RENAMENX other l", "(1)"),
        ("LMOVE other l LEFT LEFT", "1"),
        ("LMOVEM other l LEFT RIGHT COUNT 1 BULK", "[1]"),
    ] {
        let mut server = Server::new();
        let [waiter] = clients(&mut server);
        server.run_as(waiter, "BLPOP l 0");
        server.check("RPUSH other 1 -> (1)");
        assert_eq!(server.run(way), reply);
        assert_eq!(server.received(waiter), "[l 1]", "{way}");
    }
    for way in ["MOVE l 1", "SWAPDB 0 1"] {
        let mut server = Server::new();
        let [waiter] = clients(&mut server);
        server.run_as(waiter, "SELECT 1");
        server.run_as(waiter, "BLPOP l 0");
        server.check("RPUSH l 1 -> (1)");
        assert_eq!(server.received(waiter), "", "it waits in another database");
        server.run(way);
        assert_eq!(server.received(waiter), "[l 1]", "{way}");
    }
}

#[test]
fn what_a_transaction_or_a_script_leaves_is_what_counts() {
    let mut server = Server::new();
    let [waiter] = clients(&mut server);
    server.run_as(waiter, "BLPOP l 0");
    server.check(
        "MULTI -> OK
         LPUSH l a -> QUEUED
         DEL l -> QUEUED
         EXEC -> [(1) (1)]",
    );
    assert_eq!(server.received(waiter), "");
    server.check(
        "EVAL \"return {redis.call('RPUSH', 'l', 'a'), redis.call('RPOP', 'l')}\" 0 -> [(1) a]",
    );
    assert_eq!(server.received(waiter), "");
    server.check(
        "MULTI -> OK
         LPUSH l a -> QUEUED
         LPUSH l b -> QUEUED
         EXEC -> [(1) (2)]",
    );
    assert_eq!(server.received(waiter), "[l b]");
    server.run_as(waiter, "BLPOP m 0");
    server.check("EVAL \"return {redis.call('RPUSH', 'm', 'a'), redis.call('RPUSH', 'm', 'b')}\" 0 -> [(1) (2)]");
    assert_eq!(server.received(waiter), "[m a]");
}

#[test]
fn where_nobody_can_wait_the_answer_comes_at_once() {
    let mut server = Server::new();
    let lines = [
        ("BLPOP l 0", "nil[]"),
        ("BRPOP l 0", "nil[]"),
        ("BLMPOP 0 1 l LEFT", "nil[]"),
        ("BLMOVE l m LEFT LEFT 0", "nil"),
        ("BRPOPLPUSH l m 0", "nil"),
        ("BLMOVEM l m LEFT LEFT 0", "nil[]"),
    ];
    for (line, reply) in lines {
        let words = line.replace(' ', "', '");
        assert_eq!(
            server.run(&format!("EVAL \"return {{redis.call('{words}')}}\" 0")),
            "[nil]"
        );
        server.check(&format!(
            "MULTI -> OK\n {line} -> QUEUED\n EXEC -> [{reply}]"
        ));
    }
    assert_eq!(blocked(&server), 0);
}

#[test]
fn who_waits_in_vain_gets_a_null_of_its_protocol() {
    for (hello, null) in [("HELLO 2", "nil[]"), ("HELLO 3", "nil")] {
        for line in [
            "BLPOP l 0.1",
            "BRPOP l m 0.1",
            "BLMPOP 0.1 1 l LEFT",
            "BLMOVE l m LEFT LEFT 0.1",
            "BRPOPLPUSH l m 0.1",
            "BLMOVEM l m LEFT LEFT 0.1 EXACTLY 2 OBO",
        ] {
            let mut server = Server::new();
            let [waiter] = clients(&mut server);
            server.run_as(waiter, hello);
            server.run_as(waiter, line);
            server.pass_ms(99);
            assert_eq!(server.received(waiter), "", "{line}");
            server.pass_ms(1);
            assert_eq!(server.received(waiter), null, "{line}");
        }
    }
}

#[test]
fn a_timeout_must_be_a_time() {
    let mut server = Server::new();
    server.check(
        "BLPOP l x -> !ERR timeout is not a float or out of range
         BLPOP l -1 -> !ERR timeout is negative
         BRPOP l 1e400 -> !ERR timeout is out of range
         BLMOVE l m LEFT LEFT nan -> !ERR timeout is not a float or out of range
         BLMOVE l m UP LEFT nan -> !ERR syntax error
         BRPOPLPUSH l m -0.5 -> !ERR timeout is negative
         BLMPOP x 0 l LEFT -> !ERR numkeys should be greater than 0
         BLMPOP x 1 l LEFT -> !ERR timeout is not a float or out of range
         BLMOVEM l m LEFT LEFT -1 -> !ERR timeout is negative",
    );
    assert_eq!(blocked(&server), 0);
}

#[test]
fn moves_feed_one_another_even_in_a_circle() {
    let mut server = Server::new();
    let [one, two, three] = clients(&mut server);
    server.run_as(one, "BLMOVE a b LEFT RIGHT 0");
    server.run_as(two, "BLMOVE b c LEFT RIGHT 0");
    server.run_as(three, "BLMOVE c a LEFT RIGHT 0");
    server.check("RPUSH a x -> (1)");
    for client in [one, two, three] {
        assert_eq!(server.received(client), "x");
    }
    server.check("LRANGE a 0 -1 -> [x]\n EXISTS b c -> (0)");
    server.run_as(one, "BRPOPLPUSH self self 0");
    server.check("RPUSH self y -> (1)\n LRANGE self 0 -1 -> [y]");
    assert_eq!(server.received(one), "y");
}

#[test]
fn the_same_key_twice_is_one_wait() {
    let mut server = Server::new();
    let [waiter] = clients(&mut server);
    server.run_as(waiter, "BLPOP l l l 0");
    server.check("RPUSH l a b -> (2)");
    assert_eq!(server.received(waiter), "[l a]");
    server.check("LRANGE l 0 -1 -> [b]");
}

#[test]
fn a_wait_shows_in_info_and_client_list_and_counts_when_it_ends() {
    let mut server = Server::new();
    let [waiter] = clients(&mut server);
    server.run_as(waiter, "BLPOP l m 0");
    let info = server.run("INFO clients");
    for line in [
        "blocked_clients:1",
        "total_blocking_keys:2",
        "total_blocking_keys_on_nokey:0",
        "clients_in_timeout_table:0",
    ] {
        assert!(info.contains(line), "{line} in {info}");
    }
    assert!(server.run("CLIENT LIST").contains(" flags=b "));
    assert!(!server.run("INFO commandstats").contains("cmdstat_blpop"));
    server.check("LPUSH m a -> (1)");
    assert_eq!(server.received(waiter), "[m a]");
    let stats = server.run("INFO commandstats");
    assert!(stats.contains("cmdstat_blpop:calls=1,"), "{stats}");
    assert!(server.run("INFO clients").contains("total_blocking_keys:0"));
}

#[test]
fn unblock_and_disconnect_end_a_wait() {
    let mut server = Server::new();
    let [waiter, gone] = clients(&mut server);
    server.run_as(waiter, "BLMOVE l m LEFT LEFT 0");
    server.check("CLIENT UNBLOCK 2 -> (1)");
    assert_eq!(server.received(waiter), "nil[]");
    server.run_as(waiter, "BLPOP l 0");
    server.check("CLIENT UNBLOCK 2 ERROR -> (1)");
    assert_eq!(
        server.received(waiter),
        "!UNBLOCKED client unblocked via CLIENT UNBLOCK"
    );
    server.run_as(gone, "BLPOP l 0");
    server.run_as(waiter, "BLPOP l 0");
    server.disconnect(gone);
    server.check("LPUSH l a -> (1)");
    assert_eq!(server.received(waiter), "[l a]");
}
