//! Writers, kill -9 at some moment, restart: every write that was acknowledged is there, in order, and units are whole;
//! whatever else went on meanwhile: rewrites, snapshots, a disk that takes no more.
//!
//! Ten rounds; `OXIDIS_CRASH_ROUNDS=200` makes it two hundred. Each goes on with what the one before left.

use crate::harness::{PATIENCE, Server};
use oxidis::base::random::{Random, Seeds};
use oxidis::keyspace::Keyspace;
use oxidis::persist::load::{Visitor, load};
use oxidis::rdb::read::Reader;
use redis::Commands;
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 10;
const WRITERS: u64 = 4;
/// The latest moment of a kill.
const KILL_WITHIN_MS: u64 = 150;
/// Writes that a writer sends at once, at the most.
const PIPELINE_MAX: u64 = 5;
/// Keys that nobody writes, so that a walk over all of them takes a while, and how long it takes for each.
const IDLE_KEYS: &str = "5000";
const KEY_DELAY_US: &str = "10";
/// Numbers in a list after which it begins anew, so that looking at it does not take long.
const LIST_MAX: u64 = 2000;
/// Room that a full disk has left.
const ROOM_MAX_BYTES: u64 = 30_000;

/// What goes on besides writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Besides {
    Nothing,
    Rewrite,
    Snapshot,
    /// Both; the disk fills meanwhile.
    FullRewrite,
    /// The disk fills and is full when the end comes.
    Full,
    /// The disk fills and has room again before the end comes.
    FullForAWhile,
}

const ALL: [Besides; 6] = [
    Besides::Nothing,
    Besides::Rewrite,
    Besides::Full,
    Besides::Snapshot,
    Besides::FullForAWhile,
    Besides::FullRewrite,
];

/// The value that a unit sets when it counts `number`.
fn body(number: u64) -> String {
    format!("{number}:").repeat((number * 7919 % 3001) as usize)
}

/// What a writer has been told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Numbers in its list.
    pushed: u64,
    /// Units.
    units: u64,
}

struct Writer {
    number: u64,
    told: Told,
    random: Random,
    stream: BufReader<TcpStream>,
}

impl Writer {
    /// Writes until the server is gone; what it was told.
    fn write(mut self) -> Told {
        while self.push().is_some() && self.count().is_some() {}
        self.told
    }

    fn send(&mut self, request: &str) -> Option<()> {
        self.stream.get_mut().write_all(request.as_bytes()).ok()
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok()?;
        // The last line may have been cut off by the end: it says nothing.
        line.ends_with("\r\n").then_some(line)
    }

    /// Appends the next numbers to a list. A number that is refused is tried again before the next one, so that there are
    /// no gaps; none is sent together with others while that may be.
    fn push(&mut self) -> Option<()> {
        let (number, next) = (self.number, self.told.pushed);
        let count = 1 + self.random.below(PIPELINE_MAX);
        let values = next..next + count;
        let words: String = values.map(|value| format!(" {value}")).collect();
        self.send(&format!("RPUSH list:{number}{words}\r\n"))?;
        let line = self.line()?;
        if line.starts_with("-MISCONF") {
            return Some(());
        }
        assert_eq!(line, format!(":{}\r\n", next + count));
        self.told.pushed += count;
        Some(())
    }

    /// Counts two keys up together and sets a third.
    fn count(&mut self) -> Option<()> {
        let (number, next) = (self.number, self.told.units + 1);
        let value = body(next);
        self.send(&format!(
            "MULTI\r\nINCR one:{number}\r\n*3\r\n$3\r\nSET\r\n${}\r\nbody:{number}\r\n${}\r\n{value}\r\nINCR other:{number}\r\nEXEC\r\n",
            format!("body:{number}").len(),
            value.len()
        ))?;
        let mut is_refused = false;
        for _ in 0..4 {
            is_refused |= self.line()?.starts_with("-MISCONF");
        }
        let reply = self.line()?;
        if is_refused {
            assert!(reply.starts_with("-EXECABORT"), "{reply}");
            return Some(());
        }
        let replies = [self.line()?, self.line()?, self.line()?].concat();
        assert_eq!(
            reply + &replies,
            format!("*3\r\n:{next}\r\n+OK\r\n:{next}\r\n")
        );
        self.told.units += 1;
        Some(())
    }
}

fn check(server: &Server, told: &mut [Told]) {
    let mut redis = server.redis();
    for (writer, told) in told.iter_mut().enumerate() {
        let list: Vec<u64> = redis
            .lrange(format!("list:{writer}"), 0, -1)
            .expect("a list");
        let expected: Vec<u64> = (0..list.len() as u64).collect();
        assert_eq!(list, expected, "the writes of writer {writer}, in order");
        let [one, other] = ["one", "other"].map(|name| -> u64 {
            let number: Option<u64> = redis.get(format!("{name}:{writer}")).expect("a number");
            number.unwrap_or(0)
        });
        let there: Option<String> = redis.get(format!("body:{writer}")).expect("a string");
        let is_whole = one == other && (one == 0 || there.as_deref() == Some(&*body(one)));
        assert!(is_whole, "a unit is whole: {one} and {other}");
        let pushed = list.len() as u64;
        assert!(
            pushed >= told.pushed && one >= told.units,
            "writer {writer}: {told:?}, {pushed} pushed, {one} units there"
        );
        // What was written and not acknowledged counts from here on.
        *told = Told { pushed, units: one };
        if pushed > LIST_MAX {
            let deleted: u64 = redis.del(format!("list:{writer}")).expect("it is there");
            assert_eq!(deleted, 1);
            told.pushed = 0;
        }
    }
}

struct Nobody;

impl Visitor for Nobody {
    fn library(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// No drafts are left, and the snapshot is a whole one if there is one.
fn check_files(server: &Server) {
    let root = server.folder.path();
    for folder in [root.to_owned(), root.join("appendonlydir")] {
        for entry in fs::read_dir(&folder).expect("it is readable") {
            let name = entry.expect("it is readable").file_name();
            let name = name.to_string_lossy();
            assert!(!name.starts_with("temp-"), "{name} was left");
        }
    }
    if let Ok(file) = File::open(root.join("dump.rdb")) {
        let bytes = file.metadata().expect("it is there").len();
        let mut keyspace = Keyspace::new(16, Seeds::fixed(1));
        let mut reader = Reader::of_source(file, bytes);
        let loaded = load(&mut keyspace, &mut reader, false, &mut Nobody);
        let loaded = loaded.unwrap_or_else(|error| panic!("dump.rdb: {error}"));
        assert!(loaded.keys > 0 && reader.left() == 0);
    }
}

/// Files may grow by so much more than the largest has.
fn fill_disk(server: &Server, room: u64) {
    let folder = server.folder.path().join("appendonlydir");
    let entries = fs::read_dir(folder).expect("it is readable");
    // Between the two looks a file may go.
    let lengths = entries.map(|entry| {
        let data = entry.and_then(|entry| entry.metadata());
        data.map_or(0, |data| data.len())
    });
    server.limit_files(Some(lengths.max().unwrap_or(0) + room));
}

/// Waits until a write is taken.
fn await_recovery(server: &Server) {
    let began = Instant::now();
    let mut redis = server.redis();
    while let Err(error) = redis.set::<_, _, ()>("recovered", 1) {
        assert!(began.elapsed() < PATIENCE, "{error}");
        std::thread::yield_now();
    }
}

/// Lets time pass; nobody ends meanwhile.
fn work_for(ended: &Receiver<()>, ms: u64) {
    let moment = Duration::from_millis(ms);
    assert_eq!(ended.recv_timeout(moment), Err(RecvTimeoutError::Timeout));
}

fn start_writers(
    server: &Server,
    told: &[Told],
    round: u64,
) -> (Vec<JoinHandle<Told>>, Receiver<()>) {
    let (alive, ended) = channel::<()>();
    let writers = (0..WRITERS).zip(told).map(|(number, told)| {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("the server listens");
        let patience = Some(PATIENCE);
        stream.set_read_timeout(patience).expect("it is not zero");
        let writer = Writer {
            number,
            told: *told,
            random: Random::from_seed(round * WRITERS + number),
            stream: BufReader::new(stream),
        };
        let alive = alive.clone();
        std::thread::spawn(move || {
            let told = writer.write();
            drop(alive);
            told
        })
    });
    (writers.collect(), ended)
}

/// Does what goes on besides.
fn disturb(server: &Server, besides: Besides, ended: &Receiver<()>, random: &mut Random) {
    let begin = |command: &str| {
        let begun = redis::cmd(command).query::<String>(&mut server.redis());
        begun.expect("nothing else is under way");
    };
    let room = random.below(ROOM_MAX_BYTES);
    match besides {
        Besides::Nothing => {}
        Besides::Rewrite => begin("BGREWRITEAOF"),
        Besides::Snapshot => begin("BGSAVE"),
        Besides::FullRewrite => {
            begin("BGREWRITEAOF");
            fill_disk(server, room);
        }
        Besides::Full => fill_disk(server, room),
        Besides::FullForAWhile => {
            fill_disk(server, room);
            work_for(ended, 1 + random.below(KILL_WITHIN_MS));
            server.limit_files(None);
            await_recovery(server);
        }
    }
}

fn survive(policy: &str, rounds: u64) {
    let options = [
        ["--save", ""],
        ["--appendonly", "yes"],
        ["--appendfsync", policy],
        ["--enable-debug-command", "yes"],
        ["--rdb-key-save-delay", KEY_DELAY_US],
        ["--stop-writes-on-bgsave-error", "no"],
    ];
    let options = options.concat();
    let mut server = Server::start(&options);
    let mut populate = redis::cmd("DEBUG");
    populate.arg("POPULATE").arg(IDLE_KEYS);
    let populated = populate.query::<String>(&mut server.redis());
    populated.expect("it is allowed");
    let rewritten = redis::cmd("BGREWRITEAOF").query::<String>(&mut server.redis());
    rewritten.expect("nothing else is under way");
    server
        .log
        .expect("Background AOF rewrite finished successfully");
    let mut told = [Told::default(); WRITERS as usize];
    let mut random = Random::from_seed(rounds * 7919 + policy.len() as u64);
    for round in 0..rounds {
        let (writers, ended) = start_writers(&server, &told, round);
        let besides = ALL[round as usize % ALL.len()];
        disturb(&server, besides, &ended, &mut random);
        work_for(&ended, 1 + random.below(KILL_WITHIN_MS));
        server.signal(Signal::KILL);
        for (writer, told) in writers.into_iter().zip(&mut told) {
            *told = writer.join().expect("every reply was right");
        }
        server.restart(&options);
        check(&server, &mut told);
        check_files(&server);
    }
    assert!(told.iter().all(|told| told.units > 0));
}

fn rounds() -> u64 {
    let asked = std::env::var("OXIDIS_CRASH_ROUNDS").ok();
    asked.map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"))
}

#[test]
fn what_was_acknowledged_survives_kill_9_when_each_write_goes_to_the_disk() {
    survive("always", rounds());
}

#[test]
fn what_was_acknowledged_survives_kill_9_when_the_disk_comes_once_a_second() {
    survive("everysec", rounds());
}
