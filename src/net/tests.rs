//! The loop with clients that are held back: commands of the tests' own make them wait.

use super::host::ProcessHost;
use super::listener::Place;
use super::{Reactor, start};
use crate::base::clock::Clock;
use crate::base::random::Seeds;
use crate::command::ctx::Identity;
use crate::command::row::{Group, KeySpec, key_flag};
use crate::command::{Args, Block, Ctx, Error, Flow, Row};
use crate::commands;
use crate::config::Config;
use crate::engine::Engine;
use crate::keyspace::db::Str;
use crate::observe::log::Log;
use crate::types::Type;
use mio::Poll;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

static ROWS: &[Row] = &[
    Row::new("await", Group::String, 2, await_key).keys(&[KeySpec::one(1, key_flag::RO)]),
    Row::new("end", Group::Server, 1, end),
    Row::new("clients", Group::Server, 1, clients),
];

/// Answers a key's presence when it is there.
fn await_key(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    if ctx.db.read::<Str>(&key)?.is_none() {
        return Ok(Flow::Block(Block {
            keys: vec![key.bytes.into()],
            awaits: Type::String,
            on_loss: false,
            deadline_ms: None,
            on_timeout: |reply| reply.null(),
        }));
    }
    ctx.reply.simple("here");
    Ok(Flow::Done)
}

fn end(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.host.stop();
    Ok(Flow::Done)
}

/// Clients besides the one that asks.
fn clients(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.integer(ctx.server.clients.len() as i64 - 1);
    Ok(Flow::Done)
}

/// A loop on a thread of its own; it ends with the test.
struct Running {
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start() -> Running {
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            let mut reactor = reactor();
            let port = listen_somewhere(&mut reactor);
            sender.send(port).expect("the test waits");
            reactor.run().expect("the poll works");
        });
        Running {
            port: receiver.recv().expect("the loop starts"),
            thread: Some(thread),
        }
    }

    fn client(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the loop listens");
        let patience = Some(Duration::from_secs(30));
        stream
            .set_read_timeout(patience)
            .expect("a time above zero");
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.client().write_all(b"END\r\n").expect("it listens");
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || std::thread::panicking());
    }
}

fn reactor() -> Reactor {
    static LOG: OnceLock<Log> = OnceLock::new();
    let log = LOG.get_or_init(|| Log::install().expect("no other test has a log"));
    let poll = Poll::new().expect("descriptors are left");
    let registry = poll.registry().try_clone().expect("descriptors are left");
    let waker =
        mio::Waker::new(poll.registry(), super::sockets::REPORTS).expect("descriptors are left");
    let host = ProcessHost::new(registry, super::disk::Disk::new(waker), log.clone());
    let rows = commands::rows().chain(ROWS);
    let (config, identity) = (Config::default(), Identity::default());
    let engine = Engine::new(config, rows, Clock::system(), Seeds::fixed(1), identity);
    let signals = start::watch_signals(&poll).expect("signals can be watched");
    Reactor::new(engine, host, poll, signals)
}

fn listen_somewhere(reactor: &mut Reactor) -> u16 {
    for port in 20_000..u16::MAX {
        let mut settings = reactor.engine.server.config.settings.clone();
        settings.bind = vec!["127.0.0.1".into()];
        settings.port = port;
        assert_eq!(Place::all(&settings).len(), 1);
        if reactor.host.listen_at(&settings).is_ok() {
            return port;
        }
    }
    panic!("every port is taken");
}

fn expect(client: &mut TcpStream, expected: &str) {
    let mut got = vec![0; expected.len()];
    client.read_exact(&mut got).expect("a whole reply");
    assert_eq!(String::from_utf8_lossy(&got), expected);
}

fn ask(client: &mut TcpStream, line: &str, expected: &str) {
    client.write_all(line.as_bytes()).expect("it is open");
    expect(client, expected);
}

/// Asks until as many others are connected; each question is a turn of the loop.
fn wait_for_clients(client: &mut TcpStream, others: usize) {
    let expected = format!(":{others}\r\n");
    let mut reply = [0; 4];
    for _ in 0..1_000_000 {
        client.write_all(b"CLIENTS\r\n").expect("it is open");
        client.read_exact(&mut reply).expect("a whole reply");
        if reply == expected.as_bytes() {
            return;
        }
    }
    panic!("never {others} other clients");
}

#[test]
fn what_a_waiting_client_sent_runs_when_its_waiting_ends() {
    let running = Running::start();
    let (mut waiting, mut other) = (running.client(), running.client());
    waiting
        .write_all(b"GET x\r\nAWAIT k\r\nGET k\r\nAWAIT l\r\nGET l\r\n")
        .expect("it is open");
    expect(&mut waiting, "$-1\r\n");
    ask(&mut other, "SET k 1\r\n", "+OK\r\n");
    expect(&mut waiting, "+here\r\n$1\r\n1\r\n");
    ask(&mut other, "SET l 2\r\n", "+OK\r\n");
    expect(&mut waiting, "+here\r\n$1\r\n2\r\n");
    ask(&mut waiting, "GET k\r\n", "$1\r\n1\r\n");
}

#[test]
fn more_than_the_loop_keeps_is_read_when_the_waiting_ends() {
    const BEHIND: usize = 200_000;
    let running = Running::start();
    let (mut waiting, mut other) = (running.client(), running.client());
    waiting.write_all(b"AWAIT k\r\n").expect("it is open");
    let mut writing = waiting.try_clone().expect("descriptors are left");
    let writer = std::thread::spawn(move || {
        writing
            .write_all(&b"GET k\r\n".repeat(BEHIND))
            .expect("it is open");
    });
    wait_for_clients(&mut other, 1);
    ask(&mut other, "SET k 1\r\n", "+OK\r\n");
    expect(&mut waiting, "+here\r\n");
    expect(&mut waiting, &"$1\r\n1\r\n".repeat(BEHIND));
    writer.join().expect("all is written");
}

#[test]
fn a_waiting_client_that_goes_away_is_forgotten() {
    let running = Running::start();
    let mut other = running.client();
    for sent in ["AWAIT k\r\n", "AWAIT k\r\nGET k\r\n"] {
        let mut waiting = running.client();
        waiting.write_all(sent.as_bytes()).expect("it is open");
        wait_for_clients(&mut other, 1);
        drop(waiting);
        wait_for_clients(&mut other, 0);
    }
    ask(&mut other, "SET k 1\r\n", "+OK\r\n");
}
