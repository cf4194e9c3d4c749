//! One question to another server, over a connection of its own; whoever asks waits.

use crate::command::host::{AskError, Question};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Bytes of an answer that are read at once.
const READ_BYTES: usize = 16 << 10;
/// Bytes of a question that are written at once: the timeout is that of each step.
const WRITE_BYTES: usize = 64 << 10;

/// Connects, sends the question and waits for the answer.
pub(super) fn ask(question: &Question<'_>) -> Result<Vec<u8>, AskError> {
    let mut stream = connect(question).ok_or(AskError::Connect)?;
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

/// A connection to the first address of the host that takes one before the time is up.
fn connect(question: &Question<'_>) -> Option<TcpStream> {
    /// A socket's timeout must not be zero.
    const STEP_MIN: Duration = Duration::from_millis(1);
    let end = Instant::now() + question.timeout;
    let addresses = (question.host, question.port).to_socket_addrs().ok()?;
    for address in addresses {
        let left = end.saturating_duration_since(Instant::now()).max(STEP_MIN);
        let Ok(stream) = TcpStream::connect_timeout(&address, left) else {
            continue;
        };
        let timeout = Some(question.timeout);
        let is_ready = stream.set_read_timeout(timeout).is_ok()
            && stream.set_write_timeout(timeout).is_ok()
            && stream.set_nodelay(true).is_ok();
        if is_ready {
            return Some(stream);
        }
    }
    None
}
