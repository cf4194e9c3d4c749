//! One client's socket: what `net` keeps beside the engine's session of the same slot.
//!
//! Small on purpose: ten thousand idle clients are ten thousand of these. It knows how to read and write without
//! blocking and how to keep input that the engine does not take yet; when that happens is the loop's business. Sockets are
//! read and written with `recv` and `send`, which take a shorter way through the system than `read` and `write`.

use super::sockets::CONNECTIONS_FROM;
use crate::resp::output::{OUTPUT_SLICES_MAX, Output};
use crate::resp::request::Filling;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// See the head of the file.
pub(super) struct Connection {
    fd: OwnedFd,
    /// Input that the engine has not taken: the client waits for something. No more is read meanwhile.
    pub(super) kept: Vec<u8>,
    /// It stands in the list of connections to be read.
    pub(super) queued: bool,
    /// The socket may hold more: the event that said so is used up.
    pub(super) unread: bool,
    /// The peer sends no more: reading must go on until the end shows.
    pub(super) peer_closed: bool,
    /// It is over: it is closed when this turn's output is written.
    pub(super) ended: bool,
    /// The socket took less than it was given: a writable event is awaited.
    waits_to_write: bool,
}

/// What came of an attempt to read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// So many bytes.
    Bytes(usize),
    /// None: the socket would block.
    Blocked,
    /// The connection is over.
    Ended,
}

impl Connection {
    /// Watches a socket for input, under its slot.
    ///
    /// # Errors
    /// What the system says to watching one more.
    pub(super) fn register(fd: OwnedFd, slot: usize, registry: &Registry) -> io::Result<Self> {
        let token = Token(slot + CONNECTIONS_FROM);
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self {
            fd,
            kept: Vec::new(),
            queued: false,
            unread: false,
            peer_closed: false,
            ended: false,
            waits_to_write: false,
        })
    }

    /// Reads into the front of `buffer`.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Transfer {
        transfer(|| recv(&self.fd, &mut *buffer, RecvFlags::empty()).map(|(taken, _)| taken))
    }

    /// Reads a large argument's bytes to where they stay; the number says how many were asked for. `None` if that is not
    /// possible just now.
    pub(super) fn read_into(&self, filling: &mut Filling) -> Option<(Transfer, usize)> {
        let room = filling.room();
        let buffer = filling.buffer();
        let spare = buffer.capacity() - buffer.len();
        // A buffer with more room than is missing would take bytes of the next command.
        (room > 0 && room == spare).then(|| {
            let transfer = transfer(|| rustix::io::read(&self.fd, spare_capacity(buffer)));
            (transfer, room)
        })
    }

    /// Writes the front of `output`, in one call and no more than `bytes_max`; the second number says how many bytes were
    /// offered.
    pub(super) fn write(&self, output: &Output, bytes_max: usize) -> (Transfer, usize) {
        if let Some(bytes) = output.as_slice() {
            let bytes = bytes.get(..bytes_max).unwrap_or(bytes);
            return (
                transfer(|| send(&self.fd, bytes, SendFlags::NOSIGNAL)),
                bytes.len(),
            );
        }
        let mut slices = [IoSlice::new(&[]); OUTPUT_SLICES_MAX];
        let mut count = output.io_slices(&mut slices);
        let mut offered = 0;
        for (at, slice) in slices.iter_mut().enumerate().take(count) {
            let room = bytes_max - offered;
            if slice.len() >= room {
                // The pieces live as long as the output: this one is only shorter.
                let piece = output.pieces().nth(at).unwrap_or_default();
                *slice = IoSlice::new(piece.get(..room).unwrap_or(piece));
                (offered, count) = (bytes_max, at + 1);
                break;
            }
            offered += slice.len();
        }
        let slices = slices.get(..count).unwrap_or_default();
        (transfer(|| rustix::io::writev(&self.fd, slices)), offered)
    }

    /// Asks for a writable event, or for none any more.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn wait_to_write(
        &mut self,
        wait: bool,
        slot: usize,
        registry: &Registry,
    ) -> io::Result<()> {
        if self.waits_to_write == wait {
            return Ok(());
        }
        self.waits_to_write = wait;
        let mut interest = Interest::READABLE;
        if wait {
            interest |= Interest::WRITABLE;
        }
        let token = Token(slot + CONNECTIONS_FROM);
        registry.reregister(&mut SourceFd(&self.fd.as_raw_fd()), token, interest)
    }

    /// Whether a writable event is awaited.
    pub(super) fn waits_to_write(&self) -> bool {
        self.waits_to_write
    }

    /// Keeps input for later.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.kept.extend_from_slice(rest);
    }
}

/// Sends a line to a client that is not served, as far as its socket takes it at once.
pub(super) fn refuse(fd: impl AsFd, line: &str) {
    // The client is closed next, whether it gets to know why or not.
    let _ = rustix::io::write(fd, line.as_bytes());
}

fn transfer(mut call: impl FnMut() -> rustix::io::Result<usize>) -> Transfer {
    loop {
        return match call() {
            Ok(0) => Transfer::Ended,
            Ok(count) => Transfer::Bytes(count),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => Transfer::Blocked,
            Err(_) => Transfer::Ended,
        };
    }
}
