//! As much of the protocol as a load needs: commands are written, frames are told apart, errors are seen.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer is waited for.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// A whole reply or push, as it came.
pub struct Frame<'b> {
    bytes: &'b [u8],
}

impl<'b> Frame<'b> {
    /// The first whole frame; `None`: it is not all there yet.
    pub fn first(bytes: &'b [u8]) -> Option<Self> {
        let bytes = bytes.get(..frame_bytes(bytes)?)?;
        Some(Frame { bytes })
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it came out of turn.
    pub fn is_push(&self) -> bool {
        self.bytes.first() == Some(&b'>')
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.bytes.first() == Some(&b'-')
    }

    /// The last line: a byte string's content, a status, an error.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(self.bytes);
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// Puts a command behind a request.
    pub fn write_command(request: &mut Vec<u8>, words: &[&str]) {
        request.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
    }
}

/// The length of the first frame, nested ones included.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let line_end = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let number = bytes
        .get(1..line_end - 2)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let count = || {
        number
            .and_then(|digits| digits.parse::<i64>().ok())
            .unwrap_or(0)
            .max(0) as usize
    };
    let nested = match bytes.first()? {
        b'$' if bytes.get(1) == Some(&b'-') => return Some(line_end),
        b'$' | b'=' => {
            return (bytes.len() >= line_end + count() + 2).then_some(line_end + count() + 2);
        }
        b'*' | b'>' | b'~' => count(),
        b'%' => count() * 2,
        _ => return Some(line_end),
    };
    let mut end = line_end;
    for _ in 0..nested {
        end += frame_bytes(bytes.get(end..)?)?;
    }
    Some(end)
}

/// A connection that asks and waits, for what is done before and after the measuring.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer that was waited for.
pub struct Answer(Vec<u8>);

impl Answer {
    pub fn text(&self) -> String {
        Frame { bytes: &self.0 }.text()
    }
}

impl Client {
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        Ok(Client {
            stream,
            received: Vec::new(),
        })
    }

    /// Asks one command; pushes that come before its answer are passed over.
    ///
    /// # Errors
    /// Those of the connection, and an error that is the answer.
    pub fn ask(&mut self, words: &[&str]) -> io::Result<Answer> {
        let mut request = Vec::new();
        Frame::write_command(&mut request, words);
        self.stream.write_all(&request)?;
        self.answer()
    }

    /// Sends a request of so many commands and waits until all are answered.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn ask_many(&mut self, request: &[u8], replies: usize) -> io::Result<()> {
        self.stream.write_all(request)?;
        (0..replies).try_for_each(|_| self.answer().map(drop))
    }

    /// Sends a request whose answer may be a push, and waits for it.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn ask_push(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)?;
        let mut buffer = [0; 1 << 10];
        while Frame::first(&self.received).is_none() {
            let taken = self.stream.read(&mut buffer)?;
            if taken == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received
                .extend_from_slice(buffer.get(..taken).unwrap_or_default());
        }
        Ok(())
    }

    /// The socket, when all is asked.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut buffer = [0; 16 << 10];
        loop {
            if let Some(frame) = Frame::first(&self.received) {
                let (is_push, is_error) = (frame.is_push(), frame.is_error());
                let answer = Answer(self.received.drain(..frame.bytes.len()).collect());
                if is_error {
                    return Err(io::Error::other(answer.text()));
                }
                if !is_push {
                    return Ok(answer);
                }
                continue;
            }
            let taken = self.stream.read(&mut buffer)?;
            if taken == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received
                .extend_from_slice(buffer.get(..taken).unwrap_or_default());
        }
    }
}
