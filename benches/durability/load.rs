//! The load: groups of connections that send as soon as they are answered, all in one thread. Every answer's moment and
//! latency are kept, so that a stretch of time can be looked at afterwards.

use super::server::put_request;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// The load looks so often whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Numbers without a pattern, the same in every run.
pub struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }
}

impl Random {
    /// The next number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }
}

/// Appends one request.
pub type Maker = Box<dyn Fn(&mut Random, &mut Vec<u8>)>;

/// Connections that do the same.
pub struct Group {
    pub connections: usize,
    /// Requests sent at once; the next follow when all are answered.
    pub pipeline: usize,
    pub make: Maker,
}

impl Group {
    /// Each of these connections sets random keys of so many.
    pub fn setting(connections: usize, pipeline: usize, keys: u64) -> Self {
        Self {
            connections,
            pipeline,
            make: Box::new(move |random, to| put_set(to, random.below(keys))),
        }
    }

    /// Each of these connections gets random keys of so many.
    pub fn getting(connections: usize, keys: u64) -> Self {
        let make = move |random: &mut Random, to: &mut Vec<u8>| {
            let key = format!("key:{:012}", random.below(keys));
            put_request(to, &[b"GET", key.as_bytes()]);
        };
        Self {
            connections,
            pipeline: 1,
            make: Box::new(make),
        }
    }
}

/// `SET` of a key by its number, with a value of 100 digits that differs from key to key.
pub fn put_set(to: &mut Vec<u8>, number: u64) {
    let key = format!("key:{number:012}");
    let digits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | (1 << 63);
    let value = format!("{digits:0>20}{:0>20}", digits.rotate_left(17)).repeat(3);
    put_request(to, &[b"SET", key.as_bytes(), &value.as_bytes()[..100]]);
}

/// Answers of a batch of requests.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When they were complete, nanoseconds from the beginning of the load.
    pub at_ns: u64,
    /// Nanoseconds since the requests were sent.
    pub took_ns: u64,
    /// How many.
    pub answers: u64,
}

struct Connection {
    stream: TcpStream,
    group: usize,
    output: Vec<u8>,
    written: usize,
    sent: Instant,
    awaited: usize,
    scan: Scan,
}

/// Counts replies that are lines or bulk strings.
#[derive(Default)]
struct Scan {
    line: Vec<u8>,
    skip: usize,
    error: Option<String>,
}

impl Scan {
    fn count(&mut self, mut bytes: &[u8]) -> usize {
        let mut replies = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                bytes = &bytes[skipped..];
                self.skip -= skipped;
                replies += usize::from(self.skip == 0);
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let Some(end) = end else {
                self.line.extend_from_slice(bytes);
                break;
            };
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = String::from_utf8_lossy(&self.line);
            match line.trim_end().split_at_checked(1) {
                Some(("$", length)) if length != "-1" => {
                    self.skip = length.parse::<usize>().unwrap_or(0) + 2;
                }
                Some(("-", error)) => {
                    self.error = Some(error.to_owned());
                    replies += 1;
                }
                _ => replies += 1,
            }
            self.line.clear();
        }
        replies
    }
}

impl Connection {
    /// Sends the next requests.
    fn send(&mut self, group: &Group, random: &mut Random) -> io::Result<()> {
        self.output.clear();
        self.written = 0;
        (0..group.pipeline).for_each(|_| (group.make)(random, &mut self.output));
        self.awaited = group.pipeline;
        self.sent = Instant::now();
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what has come; whether all is answered.
    fn receive(&mut self, room: &mut [u8]) -> io::Result<bool> {
        loop {
            match self.stream.read(room) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(came) => {
                    self.awaited -= self.scan.count(&room[..came]);
                    if let Some(error) = self.scan.error.take() {
                        return Err(io::Error::other(error));
                    }
                    if self.awaited == 0 {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Runs the load until `ends` says so; the samples of every group, and what the moments in them are counted from.
///
/// # Errors
/// What the system says; an error that the server answers.
pub fn run(
    port: u16,
    groups: &[Group],
    ends: &AtomicBool,
) -> io::Result<(Instant, Vec<Vec<Sample>>)> {
    let mut poll = Poll::new()?;
    let mut random = Random::default();
    let mut connections = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        for _ in 0..group.connections {
            let stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Token(connections.len());
            poll.registry().register(&mut stream, token, interest)?;
            connections.push(Connection {
                stream,
                group: number,
                output: Vec::new(),
                written: 0,
                sent: Instant::now(),
                awaited: 0,
                scan: Scan::default(),
            });
        }
    }
    let began = Instant::now();
    let mut samples = vec![Vec::new(); groups.len()];
    for connection in &mut connections {
        connection.send(&groups[connection.group], &mut random)?;
    }
    let (mut events, mut room) = (Events::with_capacity(256), vec![0; READ_BYTES]);
    while !ends.load(Ordering::Acquire) {
        poll.poll(&mut events, Some(LOOK))?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            if event.is_writable() {
                connection.write()?;
            }
            if !event.is_readable() || !connection.receive(&mut room)? {
                continue;
            }
            let group = &groups[connection.group];
            samples[connection.group].push(Sample {
                at_ns: began.elapsed().as_nanos() as u64,
                took_ns: connection.sent.elapsed().as_nanos() as u64,
                answers: group.pipeline as u64,
            });
            connection.send(group, &mut random)?;
        }
    }
    Ok((began, samples))
}

/// The latency in milliseconds that this share of the samples does not exceed.
pub fn percentile_ms<'s>(samples: impl Iterator<Item = &'s Sample>, share: f64) -> f64 {
    let mut took: Vec<u64> = samples.map(|sample| sample.took_ns).collect();
    took.sort_unstable();
    let at = (took.len() as f64 * share).ceil() as usize;
    let found = took.get(at.saturating_sub(1)).or(took.last());
    found.map_or(f64::NAN, |ns| *ns as f64 / 1e6)
}
