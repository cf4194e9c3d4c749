//! What is put into a server, and what is seen of it.

use super::servers::Server;
use oxidis::resp::value::Value;
use std::collections::BTreeMap;

const FAR: &str = "4000000000123";
const DBS: [&str; 3] = ["0", "5", "11"];
/// Elements of large collections.
const LARGE: u64 = 20_000;
const LIBRARY: &str = "#!lua name=lib\nredis.register_function('answer', function() return 42 end)";
const SHOWN_MAX: usize = 10;

/// Commands, a line each; `@` stands for the deadline.
const LINES: &str = "
SET int 12345
SET long-int -9223372036854775808
SET text value
SET empty \"\"
SET binary \"\\x00\\xff\\r\\n\\x80\"
SET text:ttl value PXAT @
APPEND raw abc
SETBIT bits 70000 1
PFADD hll a b c d e
RPUSH list a 1 -7 \"\" \"\\x00\\xff\" 99999999999
PEXPIREAT list @
SADD ints 1 2 3 -5
SADD ints:16 70000 1 2
SADD ints:64 9000000000 1
SADD words a b \"\" \"\\x00\\xff\" 17
ZADD zset 1.5 a -inf b inf c 0 d 3e300 e 0.1 f
ZADD zset:one 7 x
GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
HSET hash field value n 1 \"\" empty \"\\x00\\xff\" \"\\xff\\x00\"
PEXPIREAT hash @
XADD stream 1-1 f v g w
XADD stream 1-2 f v g w
XADD stream 1-3 other \"\\x00\\xff\"
XADD stream 2-1 f v g w
XADD stream 3-0 f v
XDEL stream 1-2
XGROUP CREATE stream g 0
XGROUP CREATE stream done $
XGROUP CREATECONSUMER stream g idle
XREADGROUP GROUP g one COUNT 2 STREAMS stream >
XREADGROUP GROUP g two COUNT 1 STREAMS stream >
XCLAIM stream g three 0 1-1 RETRYCOUNT 7
XACK stream g 1-3
XADD emptied 5-5 f v
XDEL emptied 5-5
XGROUP CREATE emptied g 0
XGROUP CREATE made g $ MKSTREAM
SELECT 5
SET text other
RPUSH list 5
SELECT 11
HSET hash f v
SELECT 0
";
/// With deadlines of fields.
const FIELD_LINES: &str = "
HSET hash:ttl f v g w h x
HPEXPIREAT hash:ttl @ FIELDS 1 g
HPEXPIREAT hash:large @ FIELDS 3 5 6 7
HSET hash:both f v
HPEXPIREAT hash:both @ FIELDS 1 f
PEXPIREAT hash:both @
";

fn words(line: &str) -> Vec<Vec<u8>> {
    let line = line.replace('@', FAR);
    oxidis::base::quoting::split_args(line.as_bytes()).expect("it is quoted well")
}

fn requests(lines: &str) -> Vec<Vec<Vec<u8>>> {
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(words).collect()
}

/// Commands that fill large collections.
fn large() -> Vec<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for number in 0..LARGE {
        let value = "x".repeat(number as usize % 97);
        all.push(words(&format!("RPUSH list:large {number}{value}")));
        all.push(words(&format!("SADD set:large m{number}{value}")));
        all.push(words(&format!("SADD ints:large {number}")));
        all.push(words(&format!(
            "ZADD zset:large {}.25 m{number}",
            number % 1000
        )));
        all.push(words(&format!("HSET hash:large {number} v{value}")));
        if number % 50 == 0 {
            all.push(words(&format!(
                "XADD stream:large {number}-1 number {number} text t{value}"
            )));
            all.push(words(&format!("SET plain:{number} v{value}")));
        }
    }
    let long = "lorem ipsum dolor sit amet ".repeat(3000);
    all.push(vec![
        b"SET".to_vec(),
        b"long".to_vec(),
        long.clone().into_bytes(),
    ]);
    all.push(vec![
        b"RPUSH".to_vec(),
        b"list".to_vec(),
        long.clone().into_bytes(),
    ]);
    all.push(vec![
        b"HSET".to_vec(),
        b"hash:long".to_vec(),
        b"f".to_vec(),
        long.into_bytes(),
    ]);
    all.push(words("XGROUP CREATE stream:large g 0"));
    all.push(words(
        "XREADGROUP GROUP g one COUNT 300 STREAMS stream:large >",
    ));
    all
}

/// Fills a server with what both know; how many commands it took.
pub fn fill(writer: &mut Server, mut reader: Server, with_fields: bool) -> usize {
    let mut all = [large(), requests(LINES)].concat();
    if with_fields && writer.knows("HPEXPIREAT") && reader.knows("HPEXPIREAT") {
        all.extend(requests(FIELD_LINES));
    }
    all.push(vec![b"FUNCTION".to_vec(), b"LOAD".to_vec(), LIBRARY.into()]);
    for request in all.chunks(1000) {
        for (reply, words) in writer.ask_all(request).iter().zip(request) {
            assert!(!is_error(reply), "{words:?}: {reply:?}");
        }
    }
    all.len()
}

/// Changes behind the base of an append-only file.
pub fn go_on(writer: &mut Server) {
    let lines = "
SET text changed PXAT @
DEL empty
LPUSH list:large first
LSET list:large 5 other
ZINCRBY zset:large 5 m7
HDEL hash:large 9 10 11
SREM set:large m0
XADD stream:large 99999-1 f v
XREADGROUP GROUP g two COUNT 7 STREAMS stream:large >
MULTI
SELECT 5
INCR counter
SELECT 0
INCR counter
EXEC
EVAL \"redis.call('SET','by-script','1') redis.call('SADD','words','more')\" 0
";
    for words in requests(lines) {
        let reply = writer.ask_all(std::slice::from_ref(&words)).swap_remove(0);
        assert!(!is_error(&reply), "{words:?}: {reply:?}");
    }
}

pub fn is_error(reply: &Value) -> bool {
    matches!(reply, Value::Error(_))
}

pub fn is_ok(reply: &Value) -> bool {
    matches!(reply, Value::Simple(text) if text == b"OK")
}

impl Server {
    /// The reply to words of text, as text.
    pub fn text(&mut self, words: &[&str]) -> String {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        match self.ask(&words) {
            Value::Bulk(bytes) | Value::Simple(bytes) => {
                String::from_utf8_lossy(&bytes).into_owned()
            }
            other => format!("{other:?}"),
        }
    }
}

fn elements(reply: Value) -> Vec<Value> {
    match reply {
        Value::Array(elements) => elements,
        other => vec![other],
    }
}

/// Redis 7.0 shows scores with more digits than they have.
fn score_or_member(value: &Value) -> String {
    let text = show(value);
    let number: Option<f64> = text.trim_matches('"').parse().ok();
    number.map_or(text, |number| number.to_string())
}

fn show(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Value::Integer(number) => number.to_string(),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(show).collect();
            format!("[{}]", elements.join(" "))
        }
        other => format!("{other:?}"),
    }
}

/// The value behind this name among alternating names and values.
fn field(of: &Value, name: &str) -> String {
    let Value::Array(elements) = of else {
        return format!("no {name} in {of:?}");
    };
    let (pairs, _) = elements.as_chunks::<2>();
    let found = pairs
        .iter()
        .find(|[key, _]| matches!(key, Value::Bulk(key) if key == name.as_bytes()));
    found.map_or("-".to_owned(), |[_, value]| show(value))
}

/// What both servers and the way between them can have.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Deadlines of fields.
    pub field_deadlines: bool,
    /// When consumers were last seen: it is in no command.
    pub seen: bool,
    /// How many entries a group has read: Redis 7.0 does not note it in its log.
    pub read_counts: bool,
}

/// All that can be seen of the data: what, and how it is.
pub fn look(server: &mut Server, scope: Scope) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for db in DBS {
        server.ask(&[b"SELECT", db.as_bytes()]);
        for key in elements(server.ask(&[b"KEYS", b"*"])) {
            let Value::Bulk(key) = key else {
                panic!("{key:?} is no key");
            };
            let name = format!("{db} {}", key.escape_ascii());
            let deadline = server.ask(&[b"PEXPIRETIME", &key]);
            seen.insert(format!("{name} deadline"), show(&deadline));
            let kind = server.ask(&[b"TYPE", &key]);
            let Value::Simple(kind) = kind else {
                panic!("{kind:?} is no type");
            };
            seen.insert(name.clone(), value(server, &kind, &key));
            if kind == b"stream" {
                seen.insert(format!("{name} stream"), stream(server, &key, scope));
            }
            if kind == b"hash" && scope.field_deadlines {
                seen.insert(format!("{name} fields"), fields(server, &key));
            }
        }
    }
    let functions = server.ask(&[b"FUNCTION", b"LIST", b"WITHCODE"]);
    for library in elements(functions) {
        let name = field(&library, "library_name");
        seen.insert(format!("library {name}"), field(&library, "library_code"));
    }
    seen
}

fn value(server: &mut Server, kind: &[u8], key: &[u8]) -> String {
    let (reply, group) = match kind {
        b"string" => (server.ask(&[b"GET", key]), 0),
        b"list" => (server.ask(&[b"LRANGE", key, b"0", b"-1"]), 0),
        b"set" => (server.ask(&[b"SMEMBERS", key]), 1),
        b"zset" => (server.ask(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]), 0),
        b"hash" => (server.ask(&[b"HGETALL", key]), 2),
        b"stream" => (server.ask(&[b"XRANGE", key, b"-", b"+"]), 0),
        other => panic!("{} is no type", other.escape_ascii()),
    };
    let mut elements: Vec<String> = match group {
        2 => elements(reply)
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[name, value]| format!("{} {}", show(name), show(value)))
            .collect(),
        _ if kind == b"zset" => elements(reply).iter().map(score_or_member).collect(),
        _ => elements(reply).iter().map(show).collect(),
    };
    if group > 0 {
        elements.sort_unstable();
    }
    elements.join(" ")
}

/// The deadlines of a hash's fields.
fn fields(server: &mut Server, key: &[u8]) -> String {
    let mut names: Vec<Vec<u8>> = elements(server.ask(&[b"HKEYS", key]))
        .into_iter()
        .filter_map(|name| match name {
            Value::Bulk(name) => Some(name.to_vec()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    let count = names.len().to_string();
    let mut request = vec![
        b"HPEXPIRETIME".to_vec(),
        key.to_vec(),
        b"FIELDS".to_vec(),
        count.into(),
    ];
    request.extend(names);
    show(&server.ask_all(&[request]).swap_remove(0))
}

/// What a stream knows besides its entries.
fn stream(server: &mut Server, key: &[u8], scope: Scope) -> String {
    let whole = server.ask(&[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"]);
    let mut facts: Vec<String> = [
        "length",
        "last-generated-id",
        "max-deleted-entry-id",
        "entries-added",
        "recorded-first-entry-id",
    ]
    .iter()
    .map(|name| field(&whole, name))
    .collect();
    let Value::Array(pairs) = whole else {
        panic!("{whole:?} says nothing of a stream");
    };
    let Some(Value::Array(groups)) = pairs.last() else {
        panic!("{pairs:?} names no groups");
    };
    for group in groups {
        let names = ["name", "last-delivered-id", "pel-count", "pending"];
        facts.extend(names.iter().map(|name| field(group, name)));
        if scope.read_counts {
            facts.extend(["entries-read", "lag"].map(|name| field(group, name)));
        }
        let Value::Array(parts) = group else {
            panic!("{group:?} is no group");
        };
        let Some(Value::Array(consumers)) = parts.last() else {
            panic!("{group:?} names no consumers");
        };
        for consumer in consumers {
            let names = [
                "name",
                "pel-count",
                if scope.seen { "seen-time" } else { "name" },
            ];
            facts.extend(names.iter().map(|name| field(consumer, name)));
        }
    }
    facts.join(" ")
}

/// Prints what is different; how much that is.
pub fn compare(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> usize {
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    let different: Vec<&String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .collect();
    for name in different.iter().take(SHOWN_MAX) {
        let [one, other] = [before, after].map(|seen| {
            let text = seen.get(*name).map_or("-", String::as_str);
            text.chars().take(700).collect::<String>()
        });
        println!("  {name}\n    before: {one}\n    after:  {other}");
    }
    different.len()
}
