//! Writers, kill -9 at some moment, restart: every write that was acknowledged is there, in order, and units are whole.
//!
//! Ten rounds; `OXIDIS_CRASH_ROUNDS=200` makes it two hundred. Each goes on with what the one before left.

use crate::harness::{PATIENCE, Server};
use redis::Commands;
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const ROUNDS: u64 = 10;
const WRITERS: u64 = 4;
/// The latest moment of a kill.
const KILL_WITHIN_MS: u64 = 150;
/// Writes that a writer sends at once, at the most.
const PIPELINE_MAX: u64 = 5;

/// A sequence of numbers that looks like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Appends numbers to a list from `next` on, and counts two keys up together, until the server is gone; the first number
/// that was not acknowledged.
fn write_until_gone(port: u16, writer: u64, mut next: u64) -> u64 {
    let mut chance = Chance(next * 31 + writer + 1);
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return next;
    };
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time that is not zero");
    loop {
        let count = 1 + chance.below(PIPELINE_MAX);
        let (mut request, mut reply) = (String::new(), String::new());
        for number in next..next + count {
            request.push_str(&format!("RPUSH list:{writer} {number}\r\n"));
            reply.push_str(&format!(":{}\r\n", number + 1));
        }
        request.push_str(&format!(
            "MULTI\r\nINCR one:{writer}\r\nINCR other:{writer}\r\nEXEC\r\n"
        ));
        let mut got = vec![0; reply.len()];
        if stream.write_all(request.as_bytes()).is_err() || stream.read_exact(&mut got).is_err() {
            return next;
        }
        assert_eq!(String::from_utf8_lossy(&got), reply);
        next += count;
        if !skip_unit(&mut stream) {
            return next;
        }
    }
}

/// Reads the replies of MULTI to EXEC; whether they came.
fn skip_unit(stream: &mut TcpStream) -> bool {
    let mut lines = 0;
    while lines < 6 {
        let mut byte = [0];
        if stream.read_exact(&mut byte).is_err() {
            return false;
        }
        lines += u32::from(byte == *b"\n");
    }
    true
}

fn check(server: &Server, acknowledged: &mut [u64]) {
    let mut redis = server.redis();
    for (writer, acknowledged) in acknowledged.iter_mut().enumerate() {
        let list: Vec<u64> = redis
            .lrange(format!("list:{writer}"), 0, -1)
            .expect("a list");
        let expected: Vec<u64> = (0..list.len() as u64).collect();
        assert_eq!(list, expected, "the writes of writer {writer}, in order");
        assert!(
            list.len() as u64 >= *acknowledged,
            "writer {writer}: {acknowledged} acknowledged, {} there",
            list.len()
        );
        // What was written and not acknowledged counts from here on.
        *acknowledged = list.len() as u64;
        let pair: (Option<u64>, Option<u64>) = redis
            .mget((format!("one:{writer}"), format!("other:{writer}")))
            .expect("two numbers");
        assert_eq!(pair.0, pair.1, "a unit is whole");
    }
}

fn survive(policy: &str, rounds: u64) {
    let options = ["--save", "", "--appendonly", "yes", "--appendfsync", policy];
    let mut server = Server::start(&options);
    let mut acknowledged = vec![0; WRITERS as usize];
    let mut chance = Chance(rounds * 7919 + policy.len() as u64);
    for round in 0..rounds {
        let (ended, kill) = channel::<()>();
        let port = server.port;
        let writers: Vec<_> = (0..WRITERS)
            .zip(&acknowledged)
            .map(|(writer, next)| {
                let (next, ended) = (*next, ended.clone());
                std::thread::spawn(move || {
                    let next = write_until_gone(port, writer, next);
                    drop(ended);
                    next
                })
            })
            .collect();
        drop(ended);
        if round % 3 == 1 {
            let started = redis::cmd("BGREWRITEAOF").query::<String>(&mut server.redis());
            started.expect("nothing else is under way");
        }
        let moment = Duration::from_millis(1 + chance.below(KILL_WITHIN_MS));
        assert_eq!(kill.recv_timeout(moment), Err(RecvTimeoutError::Timeout));
        server.signal(Signal::KILL);
        for (writer, acknowledged) in writers.into_iter().zip(&mut acknowledged) {
            *acknowledged = writer.join().expect("every reply was right");
        }
        server.restart(&options);
        check(&server, &mut acknowledged);
    }
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
