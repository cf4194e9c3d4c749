//! SCRIPT, EVALSHA, the cache of compiled scripts.

use super::eval;
use crate::harness::Server;

const ONE: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

#[test]
fn a_script_is_known_by_its_sha1_once_it_was_seen() {
    Server::new().check(&format!(
        "EVALSHA {ONE} 0 -> !NOSCRIPT No matching script. Please use EVAL.
         EVAL \"return 1\" 0 -> (1)
         EVALSHA {ONE} 0 -> (1)
         EVALSHA {} 0 -> (1)
         EVALSHA_RO {ONE} 0 -> (1)
         SCRIPT EXISTS {ONE} x -> [(1) (0)]
         SCRIPT SHOW {ONE} -> return 1
         SCRIPT FLUSH -> OK
         SCRIPT EXISTS {ONE} -> [(0)]
         SCRIPT SHOW {ONE} -> !NOSCRIPT No matching script. Please use EVAL.
         SCRIPT LOAD \"return 1\" -> {ONE}
         EVALSHA {ONE} 0 -> (1)
         EVALSHA x 0 -> !NOSCRIPT No matching script. Please use EVAL.
         SCRIPT FLUSH NOW -> !ERR SCRIPT FLUSH only support SYNC|ASYNC option",
        ONE.to_uppercase()
    ));
}

#[test]
fn scripts_of_eval_are_bounded_and_loaded_ones_stay() {
    let mut server = Server::new();
    server.check(&format!("SCRIPT LOAD \"return 1\" -> {ONE}"));
    let first = "return 'first'";
    eval(&mut server, first);
    for number in 0..499 {
        eval(&mut server, &format!("return {number} + 1000"));
    }
    let info = server.run("INFO memory");
    assert!(info.contains("number_of_cached_scripts:501\r\n"), "{info}");
    // The first is used again, so another one is the oldest.
    eval(&mut server, first);
    eval(&mut server, "return 'one more'");
    let info = server.run("INFO all");
    assert!(
        info.contains("number_of_cached_scripts:501\r\n") && info.contains("evicted_scripts:1\r\n")
    );
    let oldest = server.run("SCRIPT LOAD \"return 0 + 1000\"");
    server.check(&format!(
        "EVALSHA {ONE} 0 -> (1)\n EVALSHA {oldest} 0 -> (1000)"
    ));
}

#[test]
fn a_shebang_is_checked_before_the_script() {
    Server::new().check(
        "EVAL \"#!lua\\nreturn 1\" 0 -> (1)
         EVAL \"#!lua\" 0 -> !ERR Invalid script shebang
         EVAL \"#!ruby\\nreturn 1\" 0 -> !ERR Unexpected engine in script shebang: #!ruby
         EVAL \"#!lua name=x\\nreturn 1\" 0 -> !ERR Unknown lua shebang option: name=x
         EVAL \"#!lua flags=quick\\nreturn 1\" 0 -> !ERR Unexpected flag in script shebang: quick",
    );
}

#[test]
fn info_tells_of_scripts_and_functions() {
    let mut server = Server::new();
    let field = |server: &mut Server, name: &str| -> u64 {
        let info = server.run("INFO memory");
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.and_then(|text| text.trim().parse().ok())
            .expect("a number")
    };
    assert_eq!(field(&mut server, "used_memory_vm_eval"), 0);
    eval(&mut server, "return 1");
    assert!(field(&mut server, "used_memory_vm_eval") > 10_000);
    assert!(field(&mut server, "used_memory_scripts_eval") > 8);
    assert_eq!(field(&mut server, "used_memory_vm_functions"), 0);
    server.check(
        "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f', function() end)\" -> l",
    );
    assert!(field(&mut server, "used_memory_vm_functions") > 10_000);
    assert_eq!(field(&mut server, "number_of_functions"), 1);
    assert_eq!(field(&mut server, "number_of_libraries"), 1);
    server.check("FUNCTION FLUSH -> OK\n SCRIPT FLUSH -> OK");
    assert_eq!(field(&mut server, "used_memory_vm_functions"), 0);
    assert_eq!(field(&mut server, "used_memory_vm_eval"), 0);
}
