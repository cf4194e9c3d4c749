//! Random commands of all families, sent to this server and to a real one: replies and final states must be equal.
//!
//! ```text
//! cargo test --release --test differential -- [--seed N] [--commands N] [--seconds N] [--peer PROGRAM]
//! ```
//! The peer is a Redis 8 or Valkey 9 on the PATH, or `--peer`. Without one, the second server is this one too, with limits
//! so low that every collection has its large encoding: what clients see must not depend on encodings. A run is the same
//! for the same seed; the first differences are printed with what led to them.

mod compare;
mod grammar;
mod servers;

use compare::equal;
use grammar::{Comparison, Form, Request};
use oxidis::base::random::Random;
use oxidis::resp::value::Value;
use servers::Server;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Commands that are sent without waiting for replies.
const PIPELINE: u64 = 50;
/// Pipelines between two looks at all keys; after each look at `PIPELINES_PER_FLUSH` the data starts anew.
const PIPELINES_PER_LOOK: u64 = 10;
const PIPELINES_PER_FLUSH: u64 = 200;
/// Commands on the same keys that are shown before a difference.
const HISTORY_SHOWN: usize = 12;
/// Differences after which a run ends.
const DIFFERENCES_MAX: usize = 20;
/// Limits so low that nothing is small.
const LARGE_ENCODINGS: [&str; 12] = [
    "--hash-max-listpack-entries",
    "0",
    "--set-max-intset-entries",
    "0",
    "--set-max-listpack-entries",
    "0",
    "--zset-max-listpack-entries",
    "0",
    "--list-max-listpack-size",
    "1",
    "--stream-node-max-entries",
    "1",
];

struct Options {
    seed: u64,
    commands: u64,
    seconds: u64,
    peer: Option<String>,
}

impl Options {
    fn read() -> Options {
        let mut options = Options {
            seed: 1,
            commands: 20_000,
            seconds: u64::MAX,
            peer: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = |to: &mut u64| {
                let value = words.next().and_then(|value| value.parse().ok());
                *to = value.unwrap_or_else(|| panic!("{word} wants a number"));
            };
            match word.as_str() {
                "--seed" => number(&mut options.seed),
                "--commands" => number(&mut options.commands),
                "--seconds" => number(&mut options.seconds),
                "--peer" => options.peer = words.next(),
                // Options of the standard test harness.
                _ => {}
            }
        }
        options
    }
}

struct Run {
    ours: Server,
    theirs: Server,
    texts: bool,
    same_encodings: bool,
    forms: Vec<Form>,
    random: Random,
    /// The commands since the data was last emptied.
    log: Vec<Vec<Vec<u8>>>,
    differences: usize,
}

fn main() -> ExitCode {
    let options = Options::read();
    let program = Path::new(env!("CARGO_BIN_EXE_oxidis"));
    let mut ours = Server::start(program, &[]);
    let (mut theirs, texts, same_encodings) = match servers::peer(options.peer.as_deref()) {
        Some((peer, texts)) => (peer, texts, texts),
        None => (Server::start(program, &LARGE_ENCODINGS), true, false),
    };
    let forms = grammar::forms(texts, |name| ours.knows(name) && theirs.knows(name));
    println!(
        "{} against {}: {} forms, seed {}",
        ours.name,
        theirs.name,
        forms.len(),
        options.seed
    );
    let mut run = Run {
        ours,
        theirs,
        texts,
        same_encodings,
        forms,
        random: Random::from_seed(options.seed),
        log: Vec::new(),
        differences: 0,
    };
    run.go(&options)
}

impl Run {
    fn go(&mut self, options: &Options) -> ExitCode {
        let began = Instant::now();
        let mut sent = 0;
        let mut pipelines = 0;
        while sent < options.commands && began.elapsed() < Duration::from_secs(options.seconds) {
            if pipelines % PIPELINES_PER_FLUSH == 0 {
                self.start_anew();
            }
            self.pipeline();
            (sent, pipelines) = (sent + PIPELINE, pipelines + 1);
            if pipelines % PIPELINES_PER_LOOK == 0 {
                self.look_at_keys();
            }
            if self.differences >= DIFFERENCES_MAX {
                break;
            }
        }
        println!("{sent} commands, {} differences", self.differences);
        if self.differences == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Empties both, and speaks the other protocol from now on.
    fn start_anew(&mut self) {
        let protocol: &[u8] = if self.random.below(2) == 0 {
            b"2"
        } else {
            b"3"
        };
        for server in [&mut self.ours, &mut self.theirs] {
            server.ask(&[b"FLUSHALL"]);
            server.ask(&[b"HELLO", protocol]);
        }
        self.log.clear();
    }

    fn pipeline(&mut self) {
        let requests: Vec<Request> = (0..PIPELINE)
            .map(|_| {
                let form = self.random.below(self.forms.len() as u64) as usize;
                self.forms[form].request(&mut self.random)
            })
            .collect();
        let words: Vec<_> = requests
            .iter()
            .map(|request| request.words.clone())
            .collect();
        let replies = (self.ours.ask_all(&words), self.theirs.ask_all(&words));
        for ((request, ours), theirs) in requests.into_iter().zip(replies.0).zip(replies.1) {
            self.log.push(request.words);
            if !equal(&ours, &theirs, request.comparison, self.texts) {
                self.report(&ours, &theirs);
                return self.start_anew();
            }
        }
    }

    fn report(&mut self, ours: &Value, theirs: &Value) {
        self.differences += 1;
        let last = self.log.last().cloned().unwrap_or_default();
        println!(
            "\n{}\n  ours:   {ours:?}\n  theirs: {theirs:?}\n  before it, on its keys:",
            shown(&last)
        );
        let touches = |words: &&Vec<Vec<u8>>| {
            words
                .iter()
                .any(|word| word.contains(&b':') && last.contains(word))
        };
        let before: Vec<_> = self
            .log
            .iter()
            .rev()
            .skip(1)
            .filter(touches)
            .take(HISTORY_SHOWN)
            .collect();
        for words in before.iter().rev() {
            println!("    {}", shown(words));
        }
    }

    /// Compares what all keys hold.
    fn look_at_keys(&mut self) {
        for key in grammar::keys() {
            let kind = self.theirs.ask(&[b"TYPE", &key]);
            let (look, comparison): (&[&[u8]], _) = match &kind {
                Value::Simple(name) => match name.as_slice() {
                    b"string" => (&[b"GET"], Comparison::Equal),
                    b"list" => (&[b"LRANGE", b"0", b"-1"], Comparison::Equal),
                    b"set" => (&[b"SMEMBERS"], Comparison::AnyOrder),
                    b"hash" => (&[b"HGETALL"], Comparison::AnyOrderOfPairs),
                    b"zset" => (&[b"ZRANGE", b"0", b"-1", b"WITHSCORES"], Comparison::Equal),
                    b"stream" => (&[b"XRANGE", b"-", b"+"], Comparison::Equal),
                    _ => continue,
                },
                _ => continue,
            };
            let mut words = vec![look[0], &key];
            words.extend(&look[1..]);
            self.compare(&words, comparison);
            self.compare(&[b"PTTL", &key], Comparison::NearbyNumbers);
            // Results that a list or sorted set is stored from have other encodings there until they are changed.
            let is_stored = matches!(look[0], b"LRANGE" | b"ZRANGE");
            if self.same_encodings && !is_stored {
                self.compare(&[b"OBJECT", b"ENCODING", &key], Comparison::Equal);
            }
        }
    }

    fn compare(&mut self, words: &[&[u8]], comparison: Comparison) {
        let (ours, theirs) = (self.ours.ask(words), self.theirs.ask(words));
        self.log
            .push(words.iter().map(|word| word.to_vec()).collect());
        if !equal(&ours, &theirs, comparison, self.texts) {
            self.report(&ours, &theirs);
        }
    }
}

fn shown(words: &[Vec<u8>]) -> String {
    let shown: Vec<String> = words
        .iter()
        .map(|word| word.escape_ascii().to_string())
        .collect();
    shown.join(" ")
}
