//! One question to another server, over a connection of its own; whoever asks waits.

use crate::command::host::{AskError, Question};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Bytes of an answer that are read at once.
const READ_BYTES: usize = 16 << 10;
/// Bytes of a question that are written at once: the timeout is that of each step.
const WRITE_BYTES: usize = 64 << 10;

/// Connects, sends the question and waits for the answer.
pub(super) fn ask(question: &Question<'_>) -> Result<Vec<u8>, AskError> {
    let mut stream = connect(question)?;
    for part in question.request.chunks(WRITE_BYTES) {
        if let Err(error) = stream.write_all(part) {
            tracing::debug!("MIGRATE: {error}");
            return Err(AskError::Write);
        }
    }
    let mut answer = Vec::new();
    let mut room = vec![0; READ_BYTES];
    while answer.iter().filter(|byte| **byte == b'\n').count() < question.lines {
        match stream.read(&mut room) {
            Ok(came @ 1..) => answer.extend_from_slice(room.get(..came).unwrap_or_default()),
            Ok(0) | Err(_) => return Err(AskError::Read(answer)),
        }
    }
    Ok(answer)
}

/// A connection to the first address of the host that takes one before the time is up. Where somebody is there and
/// refuses, Redis finds out when it writes, and says so.
fn connect(question: &Question<'_>) -> Result<TcpStream, AskError> {
    /// A socket's timeout must not be zero.
    const STEP_MIN: Duration = Duration::from_millis(1);
    let end = Instant::now() + question.timeout;
    let addresses = (question.host, question.port).to_socket_addrs();
    let mut failure = AskError::Connect;
    for address in addresses.map_err(|_| AskError::Connect)? {
        let left = end.saturating_duration_since(Instant::now()).max(STEP_MIN);
        match TcpStream::connect_timeout(&address, left).and_then(|it| prepare(it, question)) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => failure = AskError::Connect,
            Err(_) => failure = AskError::Write,
        }
    }
    Err(failure)
}

fn prepare(stream: TcpStream, question: &Question<'_>) -> io::Result<TcpStream> {
    let timeout = Some(question.timeout);
    stream.set_read_timeout(timeout)?;
    stream.set_write_timeout(timeout)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
