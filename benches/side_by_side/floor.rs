//! The floor of PUBLISH: a server that knows PING, SUBSCRIBE and PUBLISH, trusts its clients, and makes one read a request
//! and one write a reader and turn.

use super::wire::Frame;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};

/// The word that makes this program the floor.
pub const COMMAND: &str = "serve-floor";
const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 64 << 10;

#[derive(Default)]
struct Floor {
    clients: Vec<Option<TcpStream>>,
    /// Places of clients that are gone.
    free: Vec<usize>,
    /// What each is sent at the end of the turn.
    outputs: Vec<Vec<u8>>,
    /// Who has some.
    pending: Vec<usize>,
    subscribers: HashMap<Vec<u8>, Vec<usize>>,
}

/// Serves at this port until the process is ended.
pub fn serve(port: u16) {
    let mut poll = Poll::new().expect("a poll");
    let mut events = Events::with_capacity(1024);
    let address = ([127, 0, 0, 1], port).into();
    let mut listener = TcpListener::bind(address).expect("the port is free");
    let registry = poll.registry();
    registry
        .register(&mut listener, LISTENER, Interest::READABLE)
        .expect("it can be watched");
    let mut floor = Floor::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        poll.poll(&mut events, None).expect("events come");
        for event in &events {
            if event.token() == LISTENER {
                floor.accept(&listener, &poll);
            } else {
                floor.read(event.token().0, &mut buffer);
            }
        }
        floor.flush();
    }
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll) {
        while let Ok((mut stream, _)) = listener.accept() {
            let place = self.free.pop().unwrap_or(self.clients.len());
            let token = Token(place);
            let watched = poll
                .registry()
                .register(&mut stream, token, Interest::READABLE);
            watched.expect("it can be watched");
            if place == self.clients.len() {
                self.clients.push(None);
                self.outputs.push(Vec::new());
            }
            self.clients[place] = Some(stream);
        }
    }

    fn read(&mut self, client: usize, buffer: &mut [u8]) {
        let Some(stream) = self.clients.get_mut(client).and_then(Option::as_mut) else {
            return;
        };
        let taken = match stream.read(buffer) {
            Ok(taken) if taken > 0 => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            _ => return self.forget(client),
        };
        let mut rest = buffer.get(..taken).unwrap_or_default();
        while let Some(frame) = Frame::first(rest) {
            let (request, after) = rest.split_at(frame.len());
            self.run(client, request);
            rest = after;
        }
    }

    fn forget(&mut self, client: usize) {
        self.clients[client] = None;
        self.outputs[client].clear();
        self.free.push(client);
        for readers in self.subscribers.values_mut() {
            readers.retain(|reader| *reader != client);
        }
    }

    fn run(&mut self, client: usize, request: &[u8]) {
        const PUBLISH: &[u8] = b"*3\r\n$7\r\nPUBLISH\r\n";
        const SUBSCRIBE: &[u8] = b"*2\r\n$9\r\nSUBSCRIBE\r\n";
        if let Some(words) = request.strip_prefix(PUBLISH) {
            let channel = Frame::first(words).map_or(0, |frame| frame.len());
            let channel = words.get(..channel).unwrap_or_default();
            let readers = self
                .subscribers
                .get(channel)
                .map_or(&[][..], |readers| readers);
            for reader in readers {
                let output = &mut self.outputs[*reader];
                if output.is_empty() {
                    self.pending.push(*reader);
                }
                output.extend_from_slice(b"*3\r\n$7\r\nmessage\r\n");
                output.extend_from_slice(words);
            }
            let reply = format!(":{}\r\n", readers.len());
            self.answer(client, reply.as_bytes());
        } else if let Some(channel) = request.strip_prefix(SUBSCRIBE) {
            self.subscribers
                .entry(channel.to_vec())
                .or_default()
                .push(client);
            self.answer(client, b"+subscribed\r\n");
        } else {
            self.answer(client, b"+PONG\r\n");
        }
    }

    fn answer(&mut self, client: usize, reply: &[u8]) {
        let output = &mut self.outputs[client];
        if output.is_empty() {
            self.pending.push(client);
        }
        output.extend_from_slice(reply);
    }

    fn flush(&mut self) {
        for client in self.pending.drain(..) {
            let output = &mut self.outputs[client];
            // Whoever does not read gets nothing more: the load keeps few messages under way.
            if let Some(stream) = &mut self.clients[client] {
                let _ = stream.write(output);
            }
            output.clear();
        }
    }
}
