//! What is measured: one row a workload, each the declaration of its keys, its readers and what is sent.

/// Connections that a workload may have.
pub const CONNECTIONS_MAX: usize = 10_100;

/// Clients that listen, spread over the channels.
#[derive(Clone, Copy)]
pub struct Readers {
    pub count: usize,
    pub channels: usize,
    pub resp3: bool,
    /// They subscribe to a pattern that matches their channel.
    pub by_pattern: bool,
}

/// Units that are sent, each a list of commands. In a word `key:@` is a random key, `@channel` the sender's channel and
/// `@sha` the script.
pub struct Unit {
    /// How often it is chosen, among those of a workload.
    pub weight: u32,
    pub commands: &'static [&'static [&'static str]],
}

/// See the head of the file.
pub struct Workload {
    pub name: &'static str,
    /// Keys that are there, `key:000000000000` and so on.
    pub keys: u64,
    pub value_bytes: usize,
    pub script: Option<&'static str>,
    pub readers: Option<Readers>,
    /// Clients that send.
    pub talkers: usize,
    /// What each says first.
    pub hello: &'static [&'static [&'static str]],
    pub units: &'static [Unit],
    /// Units in one go; 0: every command of a unit waits for the answer to the one before.
    pub pipeline: usize,
    pub has_floor: bool,
}

/// What most rows have in common.
const PLAIN: Workload = Workload {
    name: "",
    keys: 0,
    value_bytes: 100,
    script: None,
    readers: None,
    talkers: 50,
    hello: &[],
    units: &[],
    pipeline: 1,
    has_floor: false,
};

const fn once(commands: &'static [&'static [&'static str]]) -> Unit {
    Unit {
        weight: 1,
        commands,
    }
}

/// 32 bytes.
const MESSAGE: &str = "a message of thirty-two bytes...";
const PUBLISH: &[Unit] = &[once(&[&["PUBLISH", "@channel", MESSAGE]])];
const KEYS: u64 = 100_000;

const fn publish(
    name: &'static str,
    talkers: usize,
    pipeline: usize,
    readers: Readers,
) -> Workload {
    Workload {
        name,
        readers: Some(readers),
        talkers,
        units: PUBLISH,
        pipeline,
        has_floor: !readers.resp3 && !readers.by_pattern,
        ..PLAIN
    }
}

/// Readers of RESP2 that subscribe to the names of so many channels.
const fn to(count: usize, channels: usize) -> Readers {
    Readers {
        count,
        channels,
        resp3: false,
        by_pattern: false,
    }
}

const fn resp3(readers: Readers) -> Readers {
    Readers {
        resp3: true,
        ..readers
    }
}

const fn by_pattern(readers: Readers) -> Readers {
    Readers {
        by_pattern: true,
        ..readers
    }
}

const SET: &[&str] = &["SET", "key:@", "0123456789abcdef"];
const TEN_SETS: &[Unit] = &[once(&[
    &["MULTI"],
    SET,
    SET,
    SET,
    SET,
    SET,
    SET,
    SET,
    SET,
    SET,
    SET,
    &["EXEC"],
])];

const fn ten_sets(name: &'static str, pipeline: usize) -> Workload {
    Workload {
        name,
        keys: KEYS,
        units: TEN_SETS,
        pipeline,
        ..PLAIN
    }
}

const RESP3: &[&str] = &["HELLO", "3"];
const BY_READS: &[&[&str]] = &[RESP3, &["CLIENT", "TRACKING", "ON"]];
const BY_PREFIX: &[&[&str]] = &[
    RESP3,
    &["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "key:"],
];
const OPT_IN: &[&[&str]] = &[RESP3, &["CLIENT", "TRACKING", "ON", "OPTIN"]];
const GET: &[Unit] = &[once(&[&["GET", "key:@"]])];
const CHOSEN_GET: &[Unit] = &[once(&[&["CLIENT", "CACHING", "YES"], &["GET", "key:@"]])];
const GETS_AND_SETS: &[Unit] = &[
    Unit {
        weight: 9,
        commands: &[&["GET", "key:@"]],
    },
    Unit {
        weight: 1,
        commands: &[SET],
    },
];
/// Broadcasts go to every client, so there are fewer of both.
const GETS_AND_FEW_SETS: &[Unit] = &[
    Unit {
        weight: 99,
        commands: &[&["GET", "key:@"]],
    },
    Unit {
        weight: 1,
        commands: &[SET],
    },
];

const fn tracked(
    name: &'static str,
    hello: &'static [&'static [&'static str]],
    units: &'static [Unit],
    pipeline: usize,
) -> Workload {
    Workload {
        name,
        keys: KEYS,
        hello,
        units,
        pipeline,
        ..PLAIN
    }
}

const EVALSHA: &[Unit] = &[once(&[&["EVALSHA", "@sha", "1", "key:@"]])];

const fn script(name: &'static str, pipeline: usize) -> Workload {
    Workload {
        name,
        keys: KEYS,
        script: Some("return redis.call('GET', KEYS[1])"),
        units: EVALSHA,
        pipeline,
        ..PLAIN
    }
}

/// All rows.
pub fn all() -> Vec<Workload> {
    vec![
        publish("PUBLISH to 1, 1 publisher", 1, 1, to(1, 1)),
        publish(
            "PUBLISH to 1, 50 publishers and channels",
            50,
            1,
            to(50, 50),
        ),
        publish(
            "PUBLISH to 1, 50 publishers and channels, pipelines of 16",
            50,
            16,
            to(50, 50),
        ),
        publish("PUBLISH to 100, 1 publisher", 1, 1, to(100, 1)),
        publish("PUBLISH to 100, RESP3", 1, 1, resp3(to(100, 1))),
        publish("PUBLISH to 100 by a pattern", 1, 1, by_pattern(to(100, 1))),
        publish("PUBLISH to 100, 50 publishers", 50, 1, to(100, 1)),
        publish("PUBLISH to 10000, 1 publisher", 1, 1, to(10_000, 1)),
        publish("PUBLISH to 10000, RESP3", 1, 1, resp3(to(10_000, 1))),
        publish("PUBLISH to 10000, 50 publishers", 50, 1, to(10_000, 1)),
        ten_sets("MULTI of ten SETs, in one go", 1),
        ten_sets("MULTI of ten SETs, pipelines of 10", 10),
        ten_sets("MULTI of ten SETs, command by command", 0),
        tracked("GET tracked", BY_READS, GET, 1),
        tracked("GET tracked, pipelines of 16", BY_READS, GET, 16),
        tracked("GET BCAST", BY_PREFIX, GET, 1),
        tracked("GET BCAST, pipelines of 16", BY_PREFIX, GET, 16),
        tracked("GET OPTIN after CACHING", OPT_IN, CHOSEN_GET, 1),
        tracked(
            "GET OPTIN after CACHING, pipelines of 16",
            OPT_IN,
            CHOSEN_GET,
            16,
        ),
        tracked("GET 90 % SET 10 % tracked", BY_READS, GETS_AND_SETS, 1),
        tracked(
            "GET 90 % SET 10 % tracked, pipelines of 16",
            BY_READS,
            GETS_AND_SETS,
            16,
        ),
        tracked("GET 99 % SET 1 % BCAST", BY_PREFIX, GETS_AND_FEW_SETS, 1),
        tracked(
            "GET 99 % SET 1 % BCAST, pipelines of 16",
            BY_PREFIX,
            GETS_AND_FEW_SETS,
            16,
        ),
        script("EVALSHA of a GET", 1),
        script("EVALSHA of a GET, pipelines of 16", 16),
    ]
}
