//! The tools for RDB files, on files in memory: what loading takes the check takes, and what is exported comes back.

use crate::harness::{START_MS, Server};
use crate::load::{Met, file, load_into, record};
use crate::mutations::mutate;
use crate::rdb_samples::{Sample, fill, samples};
use oxidis::base::random::Random;
use oxidis::rdb::read::Reader;
use oxidis::rdb::{Edition, Encoder, VERSION_VALKEY, kind, opcode};
use oxidis::tool::check_rdb::Check;
use oxidis::tool::export::{Filter, export};
use oxidis::tool::import::import;
use oxidis::types::ValueRef;
use oxidis::types::rdb::MemberDeadlines;
use oxidis::types::stream::{Group, NodeLimits, Pending, Stream, StreamId};

const LATER: i64 = 1_900_000_000_000;

/// The report on a file, and whether it is in order.
fn check(file: &[u8]) -> (Vec<String>, bool) {
    let mut report = Vec::new();
    let checked = Check {
        name: "f.rdb".to_owned(),
        now_ms: START_MS,
        folder: &std::env::temp_dir(),
        report: &mut |line| {
            report.push(line);
            Ok(())
        },
    }
    .run(&mut Reader::of_source(file, file.len() as u64));
    (report, checked.is_ok())
}

fn exported(file: &[u8], filter: &Filter) -> Result<String, (String, String)> {
    let mut lines = Vec::new();
    let done = export(
        &mut Reader::of_source(file, file.len() as u64),
        &mut lines,
        filter,
    );
    let lines = String::from_utf8(lines).expect("JSON is text");
    match done {
        Ok(()) => Ok(lines),
        Err(error) => Err((lines, error.to_string())),
    }
}

fn lines_of(file: &[u8]) -> String {
    exported(file, &Filter::default()).expect("it is good")
}

fn imported(lines: impl AsRef<[u8]>) -> Result<Vec<u8>, String> {
    imported_for(Edition::Current, lines)
}

fn imported_for(edition: Edition, lines: impl AsRef<[u8]>) -> Result<Vec<u8>, String> {
    let folder = std::env::temp_dir();
    let made = import(lines.as_ref(), Vec::new(), &folder, edition);
    let (mut file, head) = made.map_err(|error| error.to_string())?;
    file[..head.len()].copy_from_slice(&head);
    Ok(file)
}

/// All that a file holds, in one word.
fn digest(file: &[u8]) -> String {
    let mut server = Server::with_config("enable-debug-command yes");
    load_into(&mut server.engine, file).expect("it is good");
    server.run("DEBUG DIGEST")
}

fn saved(server: &mut Server) -> Vec<u8> {
    server.check("SAVE -> OK");
    let saved = server.host.files.get("dump.rdb").cloned();
    saved.expect("it was saved")
}

/// A file goes out and comes back: the same lines, the same data, in order for loading and for the check.
fn goes_round(file: &[u8]) {
    let lines = lines_of(file);
    let back = imported(&lines).expect("our own lines");
    assert_eq!(lines_of(&back), lines);
    assert_eq!(digest(&back), digest(file), "{lines}");
    for file in [file, &back] {
        let (report, is_good) = check(file);
        assert!(is_good, "{report:?}");
    }
}

/// A server with values of every encoding, deadlines of all sorts and a function.
fn full_server() -> Server {
    let mut server = Server::with_config("enable-debug-command yes");
    fill(&mut server);
    server.check(
        r#"SADD set:due a b -> (2)
         SPEXPIREAT set:due 1900000000000 MEMBERS 1 a -> [(1)]
         ZADD zset:due inf a -inf b 0.1 c -> (3)
         ZPEXPIREAT zset:due 1900000000000 MEMBERS 2 a c -> [(1) (1)]
         SELECT 3 -> OK
         SET other 1 PXAT 1900000000000 -> OK"#,
    );
    let client = server.connect();
    let library = b"#!lua name=lib\nredis.register_function('f', function() return 1 end)";
    server.raw(client, &[b"FUNCTION", b"LOAD", library]);
    server.raw(client, &[b"SET", b"\xff\xfe", b"\0\x01\xff"]);
    server.raw(
        client,
        &[
            b"HSET",
            b"hash:bytes",
            b"base64:",
            b"base64:",
            b"\xff",
            b"\xff",
        ],
    );
    server
}

#[test]
fn what_a_server_has_saved_goes_out_and_comes_back() {
    let saved = saved(&mut full_server());
    goes_round(&saved);
    let lines = lines_of(&saved);
    for line in [
        r#"{"db":0,"key":"string:int","type":"string","value":"12345"}"#,
        r#"{"db":0,"key":"list:small","type":"list","value":["a","1","-70000","9223372036854775807"]}"#,
        r#"{"db":0,"key":"set:packed","type":"set","value":["a","1","b"]}"#,
        r#"{"db":0,"key":"zset:packed","type":"zset","value":{"c":"-inf","a":1.5,"b":2}}"#,
        r#"{"db":0,"key":"hash:packed","type":"hash","value":{"f":"v","1":"2"}}"#,
        r#"{"db":0,"key":"hash:expiring","type":"hash","value":{"f":{"text":"v","deadline_ms":1900000000000},"g":"w"}}"#,
        r#"{"db":0,"key":"hash:bytes","type":"hash","value":{"base64:YmFzZTY0Og==":"base64:","base64:/w==":{"base64":"/w=="}}}"#,
        r#"{"db":0,"key":{"base64":"//4="},"type":"string","value":{"base64":"AAH/"}}"#,
        r#"{"db":3,"key":"other","type":"string","deadline_ms":1900000000000,"value":"1"}"#,
        r##"{"function":"#!lua name=lib\nredis.register_function('f', function() return 1 end)"}"##,
        r#"{"aux":"redis-bits","value":"64"}"#,
    ] {
        assert!(lines.lines().any(|other| other == line), "{line}\n{lines}");
    }
    let with = |start: &str| {
        lines
            .lines()
            .find(|line| line.contains(start))
            .map(str::to_owned)
    };
    let line = with(r#""key":"set:due""#).expect("it is there");
    assert!(
        line.ends_with(r#","deadlines_ms":{"a":1900000000000}}"#),
        "{line}"
    );
    let line = with(r#""key":"stream:empty""#).expect("it is there");
    assert!(
        line.contains(r#""groups":[{"name":"group","last_id":"0-0","#),
        "{line}"
    );
}

#[test]
fn lines_say_what_a_stream_knows() {
    let mut server = Server::new();
    server.check(
        "XADD s 1-1 f v f w -> 1-1
         XADD s 1-2 g x -> 1-2
         XGROUP CREATE s g 0 -> OK
         XREADGROUP GROUP g c COUNT 1 STREAMS s > -> [[s [[1-1 [f v f w]]]]]
         XGROUP CREATECONSUMER s g idle -> (1)
         XDEL s 1-2 -> (1)
         XGROUP CREATE s h $ -> OK",
    );
    let lines = lines_of(&saved(&mut server));
    let line = lines.lines().find(|line| line.contains("stream"));
    let expected = format!(
        concat!(
            r#"{{"db":0,"key":"s","type":"stream","value":{{"entries":[{{"id":"1-1","fields":[["f","v"],["f","w"]]}}],"#,
            r#""last_id":"1-2","max_deleted_id":"1-2","entries_added":2,"groups":["#,
            r#"{{"name":"g","last_id":"1-1","entries_read":1,"#,
            r#""pending":[{{"id":"1-1","delivered_ms":{now},"deliveries":1}}],"consumers":["#,
            r#"{{"name":"c","seen_ms":{now},"active_ms":{now},"pending":["1-1"]}},"#,
            r#"{{"name":"idle","seen_ms":{now},"active_ms":-1,"pending":[]}}]}},"#,
            r#"{{"name":"h","last_id":"1-2","pending":[],"consumers":[]}}]}}}}"#,
        ),
        now = START_MS
    );
    assert_eq!(line, Some(expected.as_str()));
}

#[test]
fn redis_7_0_gets_a_file_of_its_version_that_keeps_all_deadlines_for_those_who_know_them() {
    let mut server = full_server();
    let lines = lines_of(&saved(&mut server));
    let file = imported_for(Edition::Redis70, &lines).expect("our own lines");
    assert!(file.starts_with(b"REDIS0010"));
    let (report, is_good) = check(&file);
    assert!(is_good, "{report:?}");
    let mut other = Server::with_config("enable-debug-command yes");
    load_into(&mut other.engine, &file).expect("it is good");
    assert_eq!(other.run("DEBUG DIGEST"), server.run("DEBUG DIGEST"));
    other.check(
        "HPEXPIRETIME hash:expiring FIELDS 2 f g -> [(1900000000000) (-1)]
         HPEXPIRETIME hash:table FIELDS 3 3 5 x -> [(1900000000000) (-1) (-2)]",
    );
    // Out of such a file they come as they stand in it, and go back in the same way.
    let again = lines_of(&file);
    let line = r#"{"db":0,"key":"hash:expiring","type":"hash","value":{"f":"v","g":"w"},"deadlines_ms":{"f":1900000000000}}"#;
    assert!(again.lines().any(|other| other == line), "{again}");
    let back = imported_for(Edition::Redis70, &again).expect("our own lines");
    assert!(lines_of(&back) == again);
}

/// A file of samples under names of their own.
fn sample_file(dialect_of_valkey: bool) -> Vec<u8> {
    let is_here = |sample: &Sample| (sample.version == VERSION_VALKEY) == dialect_of_valkey;
    let records: Vec<u8> = samples()
        .iter()
        .filter(|sample| is_here(sample))
        .enumerate()
        .flat_map(|(number, sample)| record(sample, format!("k{number}").as_bytes()))
        .collect();
    match dialect_of_valkey {
        true => file("VALKEY080", &records),
        false => file("REDIS0012", &records),
    }
}

#[test]
fn values_of_every_kind_go_out_and_come_back() {
    goes_round(&sample_file(false));
    goes_round(&sample_file(true));
}

/// A word of any bytes; `number` tells it from others.
fn word(number: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = match random.below(8) {
        0 => number.to_string().into_bytes(),
        1 => format!("base64:{number}").into_bytes(),
        2 => format!("-{number}0000000000").into_bytes(),
        3 => format!("w\u{f6}rter \"{number}\"\\\n\u{1f600}").into_bytes(),
        4 if random.below(40) == 0 => vec![b'x'; random.below(70_000) as usize],
        5 => (0..random.below(200))
            .map(|_| random.next_u64() as u8)
            .collect(),
        _ => format!("member:{number}").into_bytes(),
    };
    if random.below(4) > 0 {
        bytes.extend_from_slice(format!(":{number}").as_bytes());
    }
    bytes
}

/// Different words.
fn words(count: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = (0..count).map(|number| word(number, random)).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn score(random: &mut Random) -> f64 {
    const NOTABLE: [f64; 10] = [
        0.0,
        -0.0,
        1.0,
        0.1,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        9_007_199_254_740_993.0,
    ];
    let any = f64::from_bits(random.next_u64());
    match random.below(2) {
        0 if !any.is_nan() => any,
        _ => NOTABLE[random.below(10) as usize],
    }
}

fn stream(random: &mut Random) -> Stream {
    let mut stream = Stream::default();
    let limits = NodeLimits::new(4096, 100);
    let mut ids = Vec::new();
    for number in 0..random.below(300) {
        let id = StreamId::new(number / 3 + (random.below(2) << 40), number);
        let fields = words(1 + random.below(3) as usize, random);
        if id > stream.log.last_id {
            let pairs = fields.iter().flat_map(|word| [word.as_slice(), b"value"]);
            stream.log.append(id, pairs, &limits);
            ids.push(id);
        }
    }
    for id in ids.iter().filter(|id| id.seq % 5 == 0) {
        stream.log.delete(*id);
    }
    for name in words(random.below(3) as usize, random) {
        let read = (random.below(2) == 0).then(|| random.below(1 << 40));
        let mut group = Group::new(StreamId::new(random.next_u64(), 3), read);
        let consumers: Vec<u32> = words(3, random)
            .iter()
            .map(|name| group.add_consumer(name, random.next_u64() as i64))
            .collect();
        for id in ids.iter().filter(|id| id.seq % 2 == 0) {
            let owner = consumers[random.below(consumers.len() as u64) as usize];
            let pending = Pending {
                owner: Some(owner),
                delivered_ms: random.next_u64() as i64,
                deliveries: random.below(1 << 62) as i64,
            };
            group.deliver(*id, pending);
        }
        stream.groups.insert(name.into(), group);
    }
    stream
}

/// The record of a key with a value of this kind.
fn random_record(of_kind: u8, key: &[u8], random: &mut Random) -> Vec<u8> {
    let mut to = Encoder::default();
    if random.below(3) == 0 {
        to.byte(opcode::EXPIRE_MS);
        to.i64(LATER + random.below(1 << 30) as i64);
    }
    to.byte(of_kind);
    to.string(key);
    let words = words(1 + random.below(150) as usize, random);
    if of_kind == kind::HASH_METADATA {
        to.i64(LATER);
    }
    if !matches!(of_kind, kind::STRING | kind::STREAM_3) {
        to.length(words.len());
    }
    let mut deadlines = MemberDeadlines::default();
    for word in &words {
        match of_kind {
            kind::STRING | kind::STREAM_3 => {}
            kind::HASH_METADATA => {
                to.number(random.below(2) * random.below(1 << 30));
                to.string(word);
                to.string(&self::word(7, random));
            }
            kind::HASH => {
                to.string(word);
                to.string(&self::word(7, random));
            }
            kind::ZSET_2 => {
                to.string(word);
                to.f64(score(random));
            }
            _ => to.string(word),
        }
        if matches!(of_kind, kind::SET | kind::ZSET_2) && random.below(4) == 0 {
            deadlines.add(word, LATER + random.below(1 << 30) as i64);
        }
    }
    match of_kind {
        kind::STRING => to.string(&word(3, random)),
        kind::STREAM_3 => ValueRef::Stream(&stream(random)).save(&mut to, Edition::Current),
        _ => deadlines.encode(key, &mut to),
    }
    to.bytes
}

#[test]
fn values_of_any_content_go_out_and_come_back() {
    const KINDS: [u8; 7] = [
        kind::STRING,
        kind::LIST,
        kind::SET,
        kind::ZSET_2,
        kind::HASH,
        kind::HASH_METADATA,
        kind::STREAM_3,
    ];
    let mut random = Random::from_seed(11);
    for round in 0..6 {
        let mut records = Vec::new();
        for (number, of_kind) in KINDS.iter().cycle().take(14).enumerate() {
            let key = [
                format!("{round}:{number}:").as_bytes(),
                &word(number, &mut random),
            ]
            .concat();
            records.extend(random_record(*of_kind, &key, &mut random));
        }
        goes_round(&file("REDIS0012", &records));
    }
}

#[test]
fn the_check_and_loading_are_of_one_mind_about_damaged_files() {
    let mut random = Random::from_seed(17);
    let mut seen = [0; 2];
    for sample in samples() {
        let head = match sample.version {
            VERSION_VALKEY => "VALKEY080",
            _ => "REDIS0012",
        };
        let good = file(head, &record(&sample, b"k"));
        for _ in 0..60 {
            let mut bytes = good.clone();
            mutate(&mut bytes, &mut random);
            let (report, is_good) = check(&bytes);
            let mut server = Server::new();
            let mut from = Reader::of_source(bytes.as_slice(), bytes.len() as u64);
            let loaded = oxidis::persist::load::load(
                &mut server.engine.keyspace,
                &mut from,
                true,
                &mut Met::default(),
            );
            let refused = loaded.err().map(|error| error.to_string());
            // How many databases there are is a matter of the server's settings.
            if refused
                .as_ref()
                .is_some_and(|it| it.contains("a database that"))
            {
                continue;
            }
            assert_eq!(
                is_good,
                refused.is_none(),
                "{refused:?} {report:#?} {bytes:?}"
            );
            seen[usize::from(is_good)] += 1;
            let lines = exported(&bytes, &Filter::default());
            if is_good {
                let back = imported(lines.expect("it is in order")).expect("our own lines");
                assert!(check(&back).1);
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn the_report_has_the_lines_of_redis() {
    let saved = saved(&mut full_server());
    let (report, is_good) = check(&saved);
    assert!(is_good);
    let end = saved.len();
    for line in [
        "[offset 0] Checking RDB file f.rdb".to_owned(),
        format!("[offset {end}] Checksum OK"),
        format!("[offset {end}] \\o/ RDB looks OK! \\o/"),
        "[info] RDB version 12".to_owned(),
        "[info] 1 functions".to_owned(),
        "[info] 2 expires".to_owned(),
        "[info] 0 already expired".to_owned(),
        "[info] 2 subexpires".to_owned(),
    ] {
        assert!(report.contains(&line), "{line}\n{report:#?}");
    }
    let is_aux = |line: &String| line.ends_with("AUX FIELD redis-bits = '64'");
    assert!(report.iter().any(is_aux));
    let (report, is_good) = check(&saved[..end - 20]);
    assert!(!is_good);
    assert!(report.contains(&"--- RDB ERROR DETECTED ---".to_owned()));
}

#[test]
fn the_report_says_where_a_file_is_wrong_and_what_was_being_read() {
    let list = |to: &mut Encoder| {
        to.byte(kind::SET);
        to.string(b"k");
        to.length(2);
        to.string(b"a");
    };
    let mut cut = Encoder::default();
    list(&mut cut);
    let cut = [b"REDIS0011".as_slice(), &cut.bytes].concat();
    let (report, is_good) = check(&cut);
    assert!(!is_good);
    assert_eq!(
        report[1..6],
        [
            "--- RDB ERROR DETECTED ---",
            "[offset 15] expected more bytes, found 0 bytes until the end, 1 are announced",
            "[additional info] While doing: read-object-value",
            "[additional info] Reading key 'k'",
            "[additional info] Reading type 2 (Set)",
        ]
    );
    let mut twice = Encoder::default();
    list(&mut twice);
    twice.string(b"a");
    let (report, is_good) = check(&file("REDIS0011", &twice.bytes));
    assert!(
        !is_good && report[2].contains("each element once"),
        "{report:?}"
    );
    let string = [kind::STRING, 1, b'k', 1, b'v'];
    let (report, is_good) = check(&file("REDIS0011", &[string, string].concat()));
    assert!(
        !is_good && report[2].starts_with("[offset 15] expected each key once"),
        "{report:?}"
    );
    let (report, _) = check(&file("REDIS0099", &[]));
    assert_eq!(
        report[2],
        "[offset 0] expected a version that this server reads, found REDIS0099"
    );
}

#[test]
fn only_the_keys_that_were_asked_for_are_exported() {
    let saved = saved(&mut full_server());
    let keys = |filter: Filter| {
        let lines = exported(&saved, &filter).expect("it is good");
        lines.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let of_db = keys(Filter {
        db: Some(3),
        ..Filter::default()
    });
    assert_eq!(of_db.len(), 1, "{of_db:?}");
    let matching = keys(Filter {
        pattern: Some(b"set:due".to_vec()),
        ..Filter::default()
    });
    assert!(
        matching.len() == 1 && matching[0].ends_with("\"deadlines_ms\":{\"a\":1900000000000}}")
    );
    let of_type = keys(Filter {
        type_of: Some(oxidis::types::Type::Zset),
        ..Filter::default()
    });
    assert_eq!(of_type.len(), 3, "{of_type:?}");
}

#[test]
fn the_keys_before_the_damage_are_exported() {
    let string = [kind::STRING, 1, b'k', 1, b'v'];
    let bytes = [
        b"REDIS0011".as_slice(),
        &string,
        &[kind::LIST, 1, b'l', 9, 1],
    ]
    .concat();
    let (lines, error) = exported(&bytes, &Filter::default()).expect_err("it is cut off");
    assert_eq!(
        lines,
        "{\"db\":0,\"key\":\"k\",\"type\":\"string\",\"value\":\"v\"}\n"
    );
    assert!(error.starts_with("at byte "), "{error}");
}

#[test]
fn lines_that_people_write_need_no_more_than_a_key_and_a_value() {
    let lines = r#"
        {"key": "a", "value": 5}
        {"value": {"base64": "/w=="}, "key": "b", "idle_s": 7}

        {"key": "l", "type": "list", "value": [1, "two", {"text": "3"}], "deadline_ms": 1900000000000}
        {"key": "z", "type": "zset", "deadlines_ms": {"x": 1900000000000}, "value": {
            "x": 1e3, "y": "-inf" }}
        {"key": "s", "type": "stream", "value": {"groups": [{"consumers": [{"pending": ["1-1"], "name": "c"}],
            "pending": [{"id": "1-1"}], "name": "g"}], "entries": [{"fields": [["f", "v"]], "id": "1-1"}]}}
        {"db": 2, "key": "a", "type": "hash", "value": {"f": 1}}
    "#;
    let file = imported(lines).expect("they are good");
    assert!(file.starts_with(b"REDIS0011"));
    let mut server = Server::new();
    load_into(&mut server.engine, &file).expect("it is good");
    server.check(
        "GET a -> 5
         STRLEN b -> (1)
         LRANGE l 0 -1 -> [1 two 3]
         PEXPIRETIME l -> (1900000000000)
         ZRANGE z 0 -1 WITHSCORES -> [y -inf x 1000]
         ZPEXPIRETIME z MEMBERS 2 x y -> [(1900000000000) (-1)]
         XRANGE s - + -> [[1-1 [f v]]]
         XPENDING s g -> [(1) 1-1 1-1 [[c 1]]]
         SELECT 2 -> OK
         HGETALL a -> [f 1]",
    );
}

const SHAPE: &str = "a line has a key and its value, an aux field and its value, or a function";

/// What no line may be, and why.
const REFUSED: [(&str, &str); 26] = [
    (r#"{"key":"a","valu":1}"#, r#"unknown field "valu""#),
    (r#"{"key":"a"}"#, SHAPE),
    (r#"{"value":"a"}"#, SHAPE),
    (r#"{"aux":"a","key":"b","value":"c"}"#, SHAPE),
    (
        r#"{"function":"\q"}"#,
        "a string that is none: invalid escape at line 1 column 3",
    ),
    (r##"{"function":"#!lua","db":1}"##, SHAPE),
    (
        r#"{"function":"return 1"}"#,
        "a function library begins with #!",
    ),
    (
        r#"{"key":"a","key":"b","value":1}"#,
        r#"the field "key" stands there twice"#,
    ),
    (
        r#"{"key":"a","type":"list","value":[]}"#,
        "a list has elements",
    ),
    (
        r#"{"key":"a","type":"sett","value":[]}"#,
        "unknown type sett",
    ),
    (
        r#"{"key":"a","value":[1],"type":"list"}"#,
        "a list has to be told its type before its value",
    ),
    (
        r#"{"key":"a","value":1,"type":"string"}"#,
        "the type has to stand before the value",
    ),
    (
        r#"{"key":"a","type":"set","value":["1",1]}"#,
        "each element stands once; a second one is here",
    ),
    (
        r#"{"key":"a","type":"hash","value":{"f":null}}"#,
        "expected a string",
    ),
    (
        r#"{"key":"a","type":"hash","value":{"base64:?":1}}"#,
        "a name that begins with base64: has to be base64 behind it",
    ),
    (
        r#"{"key":"a","type":"hash","value":{"f":{"text":"","deadline_ms":-1}}}"#,
        "-1 is out of range for a deadline",
    ),
    (
        r#"{"key":"a","type":"set","value":[{"text":"","deadline_ms":1}]}"#,
        "only fields of hashes have a deadline here",
    ),
    (
        r#"{"key":"a","type":"list","value":["a"],"deadlines_ms":{"a":1}}"#,
        "only members of sets, sorted sets and hashes have deadlines_ms",
    ),
    (
        r#"{"key":"a","type":"zset","value":{"a":"nan"}}"#,
        "expected a score, found nan",
    ),
    (
        r#"{"key":"a","db":-1,"value":1}"#,
        "expected a whole number in range, found -1",
    ),
    (
        r#"{"key":"a","type":"stream","value":{"entries":[{"id":"0-0","fields":[["a","b"]]}]}}"#,
        "ids of entries ascend from 0-1 on",
    ),
    (
        r#"{"key":"a","type":"stream","value":{"entries":[{"id":"1-0","fields":[]}]}}"#,
        "an entry has an id and fields",
    ),
    (
        r#"{"key":"a","type":"stream","value":{"entries":[{"id":"1-0","fields":[["a"]]}]}}"#,
        "expected pairs of a field and its value",
    ),
    (
        r#"{"key":"a","type":"stream","value":{"groups":[{"name":"g"},{"name":"g"}]}}"#,
        "each group and each consumer of a group stands once; a second one is here",
    ),
    (
        r#"{"key":"a","type":"stream","value":{"groups":[{"name":"g","pending":[{"id":"1-1"}]}]}}"#,
        "each pending entry of a group is pending with one consumer",
    ),
    ("[]", "expected '{', found '['"),
];

#[test]
fn lines_that_make_no_sense_are_refused_with_their_number() {
    for (line, reason) in REFUSED {
        let lines = format!("{{\"key\":\"first\",\"value\":1}}\n{line}\n");
        assert_eq!(
            imported(&lines).err(),
            Some(format!("line 2: {reason}")),
            "{line}"
        );
    }
    let twice =
        "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":1}\n{\"key\":\"a\",\"value\":2}\n";
    let reason = "line 3: each key of a database stands once; a second one is here";
    assert_eq!(imported(twice).err().as_deref(), Some(reason));
}

#[test]
fn lines_with_changed_bytes_are_refused_or_make_a_file_that_can_be_loaded() {
    let lines = lines_of(&saved(&mut full_server()));
    let short: Vec<&str> = lines.lines().filter(|line| line.len() < 2000).collect();
    let mut random = Random::from_seed(23);
    let mut seen = [0; 2];
    for _ in 0..6000 {
        let mut line = short[random.below(short.len() as u64) as usize]
            .as_bytes()
            .to_vec();
        mutate(&mut line, &mut random);
        let made = imported(&line);
        seen[usize::from(made.is_ok())] += 1;
        let Ok(file) = made else { continue };
        let (report, is_good) = check(&file);
        let line = String::from_utf8_lossy(&line);
        assert!(is_good, "{report:#?} {line}");
        match load_into(&mut Server::new().engine, &file) {
            Ok(_) => {}
            Err(error) => assert!(error.contains("a database that"), "{error} {line}"),
        }
    }
    assert!(seen.iter().all(|count| *count > 300), "{seen:?}");
}

#[test]
fn collections_of_any_size_go_through_files_of_their_own() {
    const MEMBERS: usize = 40_000;
    let members =
        |form: &dyn Fn(usize) -> String| (0..MEMBERS).map(form).collect::<Vec<_>>().join(",");
    let lines = [
        format!(
            r#"{{"db":0,"key":"h","type":"hash","value":{{{}}}}}"#,
            members(&|it| format!(
                r#""field:{it}":{{"text":"a value of some bytes {it}","deadline_ms":{}}}"#,
                LATER + it as i64
            ))
        ),
        format!(
            r#"{{"db":0,"key":"z","type":"zset","value":{{{}}},"deadlines_ms":{{{}}}}}"#,
            members(&|it| format!(r#""member of some bytes {it}":{it}"#)),
            members(&|it| format!(r#""member of some bytes {it}":{}"#, LATER + it as i64))
        ),
    ];
    let lines = format!("{}\n{}\n", lines[0], lines[1]);
    let file = imported(&lines).expect("they are good");
    assert!(file.starts_with(b"REDIS0012"));
    assert!(lines_of(&file) == lines);
    let mut server = Server::new();
    load_into(&mut server.engine, &file).expect("it is good");
    server.check(
        "HLEN h -> (40000)
         HPEXPIRETIME h FIELDS 1 field:39999 -> [(1900000039999)]
         ZCARD z -> (40000)
         ZPEXPIRETIME z MEMBERS 1 'member of some bytes 39999' -> [(1900000039999)]",
    );
}
