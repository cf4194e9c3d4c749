//! The load: talkers that send when all they sent is answered, readers whose bytes are counted, all in one loop.
//!
//! Messages that are under way are bounded: a lone publisher waits until everybody has its message, many wait when
//! [`UNDERWAY_MAX`] messages have yet to arrive. So no reader is ever slow, and every server does the same work.

use super::server::Running;
use super::wire::{Client, Frame};
use super::workload::{CONNECTIONS_MAX, Readers, Unit, Workload};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Messages that may be under way to each reader when there are many publishers.
const UNDERWAY_MAX: u64 = 200;
/// How long nothing may happen.
const SILENCE_MAX: Duration = Duration::from_secs(10);
const READ_BYTES: usize = 256 << 10;

struct Talker {
    stream: TcpStream,
    channel: String,
    received: Vec<u8>,
    /// Answers that have yet to come, and the commands that wait for them.
    awaited: usize,
    later: Vec<Vec<u8>>,
}

struct Load<'w> {
    workload: &'w Workload,
    sha: &'w str,
    talkers: Vec<Talker>,
    readers: Vec<TcpStream>,
    /// Talkers who wait until messages have arrived.
    waiting: Vec<usize>,
    /// Bytes of all messages that were published, and of those that have arrived, at all readers.
    published: u64,
    arrived: u64,
    message_bytes: u64,
    units: u64,
    random: u64,
}

/// CPU microseconds of the server for one unit.
///
/// # Errors
/// Those of connections, and the first error that is answered.
pub fn measure(server: &Running, workload: &Workload, time: Duration) -> io::Result<f64> {
    let mut poll = Poll::new()?;
    let mut load = Load::connect(server, workload, &poll)?;
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; READ_BYTES];
    for talker in 0..load.talkers.len() {
        load.start(talker)?;
    }
    load.run(&mut poll, &mut events, &mut buffer, time / 3)?;
    let (units, cpu_us) = (load.units, server.cpu_us());
    load.run(&mut poll, &mut events, &mut buffer, time)?;
    Ok((server.cpu_us() - cpu_us) / (load.units - units) as f64)
}

impl<'w> Load<'w> {
    fn connect(server: &'w Running, workload: &'w Workload, poll: &Poll) -> io::Result<Self> {
        let mut load = Load {
            workload,
            sha: &server.script_sha,
            talkers: Vec::new(),
            readers: Vec::new(),
            waiting: Vec::new(),
            published: 0,
            arrived: 0,
            message_bytes: 0,
            units: 0,
            random: 88_172_645_463_325_252,
        };
        for at in 0..workload.readers.map_or(0, |readers| readers.count) {
            assert!(at < CONNECTIONS_MAX, "a workload keeps to its bound");
            let readers = workload.readers.expect("there are some");
            let stream = listen(server.port, &readers, at % readers.channels)?;
            let stream = watched(stream, workload.talkers + at, poll)?;
            load.readers.push(stream);
        }
        for at in 0..workload.talkers {
            let channels = workload.readers.map_or(1, |readers| readers.channels);
            let mut client = Client::connect(server.port)?;
            for words in workload.hello {
                client.ask(words)?;
            }
            load.talkers.push(Talker {
                stream: watched(client.into_stream(), at, poll)?,
                channel: channel(at % channels),
                received: Vec::new(),
                awaited: 0,
                later: Vec::new(),
            });
        }
        Ok(load)
    }

    /// Lets everything go its way for a while.
    fn run(
        &mut self,
        poll: &mut Poll,
        events: &mut Events,
        buffer: &mut [u8],
        time: Duration,
    ) -> io::Result<()> {
        let since = Instant::now();
        while since.elapsed() < time {
            poll.poll(events, Some(SILENCE_MAX))?;
            if events.is_empty() {
                return Err(io::Error::other("the server is silent"));
            }
            for event in events.iter() {
                let Token(at) = event.token();
                if at < self.talkers.len() {
                    self.hear(at, buffer)?;
                } else {
                    self.take_messages(at - self.talkers.len(), buffer)?;
                }
            }
            while !self.waiting.is_empty() && self.may_publish() {
                let talker = self.waiting.swap_remove(0);
                self.start(talker)?;
            }
        }
        Ok(())
    }

    fn may_publish(&self) -> bool {
        let Some(readers) = self.workload.readers else {
            return true;
        };
        let underway = self.published - self.arrived;
        let each = readers.count as u64 * self.message_bytes;
        underway == 0 || (self.talkers.len() > 1 && underway < UNDERWAY_MAX * each)
    }

    /// Has a talker send its next units, or wait.
    fn start(&mut self, at: usize) -> io::Result<()> {
        if !self.may_publish() {
            self.waiting.push(at);
            return Ok(());
        }
        let one_by_one = self.workload.pipeline == 0;
        let mut commands = Vec::new();
        for _ in 0..self.workload.pipeline.max(1) {
            let unit = self.choose_unit();
            for words in unit.commands {
                let request = self.encode(words, at);
                commands.push(request);
            }
        }
        if let Some(readers) = self.workload.readers {
            self.message_bytes = message_bytes(&readers, &self.talkers[at].channel, self.workload);
            let receivers = (readers.count / readers.channels) as u64;
            self.published += commands.len() as u64 * receivers * self.message_bytes;
        }
        let talker = &mut self.talkers[at];
        if one_by_one {
            commands.reverse();
            talker.later = commands;
            return talker.send_next();
        }
        talker.awaited = commands.len();
        talker.stream.write_all(&commands.concat())
    }

    /// Takes a talker's answers in.
    fn hear(&mut self, at: usize, buffer: &mut [u8]) -> io::Result<()> {
        let talker = &mut self.talkers[at];
        if !read_all(&mut talker.stream, buffer, |bytes| {
            talker.received.extend_from_slice(bytes)
        })? {
            return Err(io::Error::other("a talker was closed"));
        }
        let mut from = 0;
        while let Some(frame) = Frame::first(talker.received.get(from..).unwrap_or_default()) {
            from += frame.len();
            if frame.is_error() {
                return Err(io::Error::other(frame.text()));
            }
            talker.awaited -= usize::from(!frame.is_push());
        }
        talker.received.drain(..from);
        if from == 0 || talker.awaited > 0 {
            return Ok(());
        }
        if !talker.later.is_empty() {
            return talker.send_next();
        }
        self.units += self.workload.pipeline.max(1) as u64;
        self.start(at)
    }

    fn take_messages(&mut self, at: usize, buffer: &mut [u8]) -> io::Result<()> {
        let arrived = &mut self.arrived;
        if read_all(&mut self.readers[at], buffer, |bytes| {
            *arrived += bytes.len() as u64
        })? {
            return Ok(());
        }
        Err(io::Error::other("a reader was closed"))
    }

    fn choose_unit(&mut self) -> &'w Unit {
        let units = self.workload.units;
        let sum: u32 = units.iter().map(|unit| unit.weight).sum();
        let mut left = self.next_random() % u64::from(sum);
        for unit in units {
            match left.checked_sub(u64::from(unit.weight)) {
                Some(rest) => left = rest,
                None => return unit,
            }
        }
        units.first().expect("a workload has units")
    }

    fn encode(&mut self, words: &[&str], talker: usize) -> Vec<u8> {
        let mut request = Vec::new();
        let key = format!("key:{:012}", self.next_random() % self.workload.keys.max(1));
        let channel = &self.talkers[talker].channel;
        let filled = words.iter().map(|word| match *word {
            "key:@" => key.as_str(),
            "@channel" => channel,
            "@sha" => self.sha,
            word => word,
        });
        let filled: Vec<&str> = filled.collect();
        Frame::write_command(&mut request, &filled);
        request
    }

    /// Xorshift: fast and the same in every run.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

impl Talker {
    fn send_next(&mut self) -> io::Result<()> {
        let request = self.later.pop().unwrap_or_default();
        self.awaited = 1;
        self.stream.write_all(&request)
    }
}

fn channel(number: usize) -> String {
    format!("channel:{number:04}")
}

fn pattern(number: usize) -> String {
    format!("ch*:{number:04}")
}

/// A reader of a channel.
fn listen(port: u16, readers: &Readers, number: usize) -> io::Result<std::net::TcpStream> {
    let mut client = Client::connect(port)?;
    if readers.resp3 {
        client.ask(&["HELLO", "3"])?;
    }
    let mut request = Vec::new();
    if readers.by_pattern {
        Frame::write_command(&mut request, &["PSUBSCRIBE", &pattern(number)]);
    } else {
        Frame::write_command(&mut request, &["SUBSCRIBE", &channel(number)]);
    }
    client.ask_push(&request)?;
    Ok(client.into_stream())
}

/// Bytes of a message as a reader gets it.
fn message_bytes(readers: &Readers, channel: &str, workload: &Workload) -> u64 {
    let message = workload
        .units
        .first()
        .and_then(|unit| unit.commands.first()?.last().copied());
    let mut frame = Vec::new();
    if readers.by_pattern {
        // The pattern is as long for every channel.
        let words = [
            "pmessage",
            &pattern(0),
            channel,
            message.unwrap_or_default(),
        ];
        Frame::write_command(&mut frame, &words);
    } else {
        Frame::write_command(
            &mut frame,
            &["message", channel, message.unwrap_or_default()],
        );
    }
    frame.len() as u64
}

fn watched(stream: std::net::TcpStream, token: usize, poll: &Poll) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    // Closed with a reset: thousands of ports would stay taken for a minute otherwise.
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry()
        .register(&mut stream, Token(token), Interest::READABLE)?;
    Ok(stream)
}

/// Hands out what a socket has; whether it is still open.
fn read_all(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> io::Result<bool> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(taken) => {
                take(buffer.get(..taken).unwrap_or_default());
                if taken < buffer.len() {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
    }
}
