//! What is in the file is the data of the moment of BGSAVE: whatever is changed, deleted, replaced, renamed, moved,
//! flushed, swapped or expires before the walk has come to it.

use super::file::{Data, data_of, read};
use crate::harness::Server;
use oxidis::base::random::Random;

/// Members of a large collection: many steps of the walk.
const LARGE: usize = 700;

/// A server whose walk takes a few buckets with each millisecond, and which saves only when it is told to.
fn server() -> Server {
    Server::with_config("save \"\"\nrdb-key-save-delay 1")
}

fn data(server: &Server) -> Data {
    data_of(&server.engine.keyspace)
}

/// Fills a database with values of all types and sizes.
fn fill(server: &mut Server, db: usize, random: &mut Random) {
    server.run(&format!("SELECT {db}"));
    for number in 0..150 {
        server.run(&format!("SET string:{number} value:{number}"));
    }
    server.run(&format!("SET number {}", random.below(1 << 40)));
    server.run(&format!("SET shared {}", "s".repeat(20_000)));
    for number in 0..50 {
        server.run(&format!(
            "PEXPIRE string:{number} {}",
            1 + random.below(200)
        ));
    }
    for number in 0..8 {
        server.run(&format!("RPUSH small-list:{number} a b {number}"));
        server.run(&format!("SADD small-set:{number} a b {number}"));
        server.run(&format!("HSET small-hash:{number} a b {number} c"));
        server.run(&format!("ZADD small-zset:{number} 1 b 2.5 {number}"));
    }
    server.run("HPEXPIRE small-hash:1 60 FIELDS 1 a");
    for name in ["one", "two"] {
        fill_large(server, name);
    }
    server.run("SELECT 0");
}

fn fill_large(server: &mut Server, name: &str) {
    let words = |each: &dyn Fn(usize) -> String| (0..LARGE).map(each).collect::<Vec<_>>().join(" ");
    server.run(&format!(
        "SADD set:{name} {}",
        words(&|n| format!("member:{n}"))
    ));
    server.run(&format!(
        "HSET hash:{name} {}",
        words(&|n| format!("field:{n} value:{n}"))
    ));
    server.run(&format!(
        "ZADD zset:{name} {}",
        words(&|n| format!("{n}.5 member:{n}"))
    ));
    server.run(&format!(
        "RPUSH list:{name} {}",
        words(&|n| format!("element:{n}"))
    ));
    for entry in 0..150 {
        server.run(&format!("XADD stream:{name} {}-1 field {entry}", entry + 1));
    }
    server.run(&format!(
        "HPEXPIRE hash:{name} 50 FIELDS 3 field:1 field:2 field:3"
    ));
}

/// Steps the walk to its end, with `meanwhile` between the steps; how many steps it took.
fn walk(server: &mut Server, mut meanwhile: impl FnMut(&mut Server)) -> usize {
    let mut steps = 0;
    while server.engine.server.saver.is_running() {
        server.pass_ms(1);
        meanwhile(server);
        steps += 1;
        assert!(steps < 100_000, "a walk ends");
    }
    steps
}

#[track_caller]
fn assert_saved(server: &Server, expected: &Data) {
    let file = server.host.files.get("dump.rdb").expect("it was saved");
    let saved = read(file).data;
    for (key, entry) in expected {
        let name = String::from_utf8_lossy(&key.1);
        match saved.get(key) {
            None => panic!("{name} of {} is missing", key.0),
            Some(there) => assert!(there == entry, "{name} of {} is as it was", key.0),
        }
    }
    assert_eq!(saved.len(), expected.len(), "nothing else is there");
}

/// Saves while `change` happens once, after some steps.
fn save_and_change(change: &str) {
    for after in [0, 1, 9, 40] {
        let mut server = server();
        fill(&mut server, 0, &mut Random::from_seed(1));
        fill(&mut server, 1, &mut Random::from_seed(2));
        let before = data(&server);
        server.check("BGSAVE -> Background saving started");
        let mut steps = 0;
        walk(&mut server, |server| {
            if steps == after {
                for command in change.split(';') {
                    let reply = server.run(command.trim());
                    assert!(!reply.starts_with('!'), "{command}: {reply}");
                }
            }
            steps += 1;
        });
        assert!(steps > after, "the walk takes longer than {after} steps");
        assert_saved(&server, &before);
    }
}

#[test]
fn a_walk_without_changes_saves_everything() {
    save_and_change("PING");
}

#[test]
fn large_collections_may_be_deleted_and_replaced_meanwhile() {
    save_and_change("DEL hash:one set:one zset:one list:one stream:one");
    save_and_change(
        "SET hash:one x; SET set:two y; SET zset:two z; SET list:one a; SET stream:two b",
    );
    save_and_change(
        "SADD fresh a; SUNIONSTORE set:one set:two fresh; ZUNIONSTORE zset:one 1 set:two",
    );
    save_and_change("UNLINK hash:two; HSET hash:two a b; UNLINK set:two; SADD set:two a");
}

#[test]
fn large_collections_may_be_renamed_moved_and_copied_meanwhile() {
    save_and_change(
        "RENAME hash:one other; RENAME set:one hash:two; HSET other a b; SADD hash:two c",
    );
    save_and_change("RENAME zset:one zset:two; ZADD zset:two 1 x; RENAME zset:two zset:one");
    save_and_change(
        "DEL other; RENAME hash:one other; MOVE other 1; SELECT 1; HSET other a b; SELECT 0",
    );
    save_and_change(
        "COPY hash:one hash:four; HSET hash:four a b; COPY list:one list:four; LPUSH list:four x",
    );
    save_and_change(
        "MOVE nothing 1; RENAME list:one list:two; LPOP list:two; RENAME stream:one stream:two",
    );
}

#[test]
fn databases_may_be_flushed_and_swapped_meanwhile() {
    save_and_change("FLUSHDB; SET string:1 new");
    save_and_change(
        "FLUSHDB ASYNC; SADD set:one a; SELECT 1; FLUSHDB ASYNC; SET hash:one b; SELECT 0",
    );
    save_and_change(
        "HSET hash:one x y; SADD set:one x; FLUSHDB SYNC; HSET hash:one z 1; DEL hash:one",
    );
    save_and_change(
        "SWAPDB 0 1; DEL string:1; HSET hash:one a b; SWAPDB 0 3; SADD set:one a; FLUSHDB",
    );
    save_and_change("SADD set:two x; SWAPDB 0 1; SADD set:two y; FLUSHDB; SWAPDB 0 1; DEL set:two");
}

#[test]
fn every_member_of_a_large_collection_may_change_meanwhile() {
    let all = |each: &dyn Fn(usize) -> String| (0..LARGE).map(each).collect::<Vec<_>>().join(" ");
    save_and_change(&format!("SREM set:one {}", all(&|n| format!("member:{n}"))));
    save_and_change(&format!(
        "HSET hash:one {}",
        all(&|n| format!("field:{n} other:{n}"))
    ));
    save_and_change(&format!(
        "HSET hash:one {}",
        all(&|n| format!("new:{n} other:{n}"))
    ));
    save_and_change(&format!(
        "ZADD zset:one {}",
        all(&|n| format!("-{n} member:{n}"))
    ));
    save_and_change("ZREMRANGEBYRANK zset:one 100 -100; SPOP set:one 500; LTRIM list:one 5 10");
    save_and_change(
        "LREM list:one 0 element:5; LSET list:one 7 x; LINSERT list:one BEFORE element:9 y; LPUSH list:one z",
    );
    save_and_change(
        "XADD stream:one 9999-1 a b; XDEL stream:one 5-1; XTRIM stream:two MAXLEN 3; XGROUP CREATE stream:one g 0",
    );
}

#[test]
fn members_may_get_lose_and_meet_deadlines_meanwhile() {
    save_and_change(
        "HPEXPIRE hash:one 5 FIELDS 2 field:100 field:200; HPERSIST hash:one FIELDS 1 field:1",
    );
    save_and_change("HPEXPIRE hash:two 1 FIELDS 3 field:100 field:200 field:300");
}

/// A random command that changes something, most often something large.
fn random_change(random: &mut Random) -> String {
    let mut pick = |words: &[&str]| words[random.below(words.len() as u64) as usize].to_owned();
    let name = pick(&["one", "two", "three", "four"]);
    let other = pick(&["one", "two", "three", "four"]);
    let kind = pick(&["hash", "set", "zset", "list", "stream"]);
    let mut number = || random.below(LARGE as u64 + 300);
    let (a, b, c) = (number(), number(), number());
    match random.below(30) {
        0..5 => format!("HSET hash:{name} field:{a} new:{b} field:{c} {a}"),
        5..8 => format!("HDEL hash:{name} field:{a} field:{b}"),
        8..10 => format!("SADD set:{name} member:{a} new:{b}"),
        10..12 => format!("SREM set:{name} member:{a} member:{b}"),
        12..14 => format!("ZADD zset:{name} {a} member:{b} {c} new:{a}"),
        14 => format!("ZREM zset:{name} member:{a}"),
        15 => format!("LPUSH list:{name} new:{a}"),
        16 => format!("RPOP list:{name} {}", a % 50),
        17 => format!("LSET list:{name} {a} new"),
        18 => format!("XADD stream:{name} * a {a}"),
        19 => format!("DEL {kind}:{name} string:{a}"),
        20 => format!("RENAME {kind}:{name} {kind}:{other}"),
        21 => format!("COPY {kind}:{name} {kind}:{other} REPLACE"),
        22 => format!("SET string:{a} new:{b} PX {}", 1 + c % 50),
        23 => format!("PEXPIRE {kind}:{name} {}", 1 + a % 100),
        24 => format!(
            "HPEXPIRE hash:{name} {} FIELDS 2 field:{b} field:{c}",
            1 + a % 30
        ),
        25 => format!("MOVE {kind}:{name} 1"),
        26 => format!("APPEND string:{a} more"),
        27 => format!("SELECT {}", a % 3),
        28 if a % 10 == 0 => format!("SWAPDB {} {}", b % 3, c % 3),
        28 if a % 10 == 1 => "FLUSHDB".to_owned(),
        28 => format!("SETRANGE shared {a} changed"),
        _ => format!("SET {kind}:{name} short"),
    }
}

#[test]
fn random_changes_between_the_steps_of_a_walk_leave_the_file_as_the_data_was() {
    for seed in 0..6 {
        let mut random = Random::from_seed(seed);
        let mut server = server();
        for db in 0..2 {
            fill(&mut server, db, &mut random);
        }
        for _ in 0..3 {
            let before = data(&server);
            server.check("BGSAVE -> Background saving started");
            walk(&mut server, |server| {
                for _ in 0..random.below(12) {
                    server.run(&random_change(&mut random));
                }
            });
            assert_saved(&server, &before);
            server.run("SELECT 0");
            fill_large(&mut server, "four");
        }
    }
}

#[test]
fn the_walk_rests_while_the_writer_is_behind_and_changes_go_on() {
    let mut server = Server::with_config("save \"\"");
    fill(&mut server, 0, &mut Random::from_seed(3));
    for number in 0..6 {
        server.run(&format!("SETRANGE big:{number} 1000000 x"));
    }
    server.host.disk.is_held = true;
    let before = data(&server);
    server.run("BGSAVE");
    let mut random = Random::from_seed(4);
    for _ in 0..200 {
        server.pass_ms(1);
        server.run(&random_change(&mut random));
    }
    assert!(server.engine.server.saver.is_running());
    server.host.disk.is_held = false;
    server.host.disk.work(&mut server.host.files);
    walk(&mut server, |_| {});
    assert_saved(&server, &before);
}
