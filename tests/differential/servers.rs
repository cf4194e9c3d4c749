//! Two servers that are asked the same.

use oxidis::resp::value::{Value, parse_value};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What every server says when clients may come.
const READY: &str = "Ready to accept connections";
/// Names under which a peer may stand on the PATH.
const PEERS: [&str; 3] = ["redis8-server", "redis-server", "valkey-server"];

/// A server with one connection to it.
pub struct Server {
    pub name: String,
    child: Child,
    stream: TcpStream,
    received: Vec<u8>,
    folder: PathBuf,
}

impl Server {
    /// Starts `program` in a folder of its own; it saves nothing.
    pub fn start(program: &Path, options: &[&str]) -> Server {
        let probe = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let port = probe.local_addr().expect("it is bound").port();
        drop(probe);
        let folder = std::env::temp_dir().join(format!("oxidis-differential-{port}"));
        std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
        let mut child = Command::new(program)
            .args(["--port", &port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(&folder)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let log = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let is_ready = lines.any(|line| line.contains(READY));
        assert!(is_ready, "{} ends before it is ready", program.display());
        // Somebody must go on reading, or the server would wait for its own log.
        std::thread::spawn(move || lines.for_each(drop));
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream.set_nodelay(true).expect("a TCP socket");
        let name = program.file_name().unwrap_or_default();
        Server {
            name: format!("{} {}", name.display(), options.join(" ")),
            child,
            stream,
            received: Vec::new(),
            folder,
        }
    }

    /// Sends several commands and gives their replies.
    pub fn ask_all(&mut self, requests: &[Vec<Vec<u8>>]) -> Vec<Value> {
        let mut bytes = Vec::new();
        for words in requests {
            bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
            for word in words {
                bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                bytes.extend_from_slice(word);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        if let Err(error) = self.stream.write_all(&bytes) {
            panic!(
                "{} has gone: {error}; {:?}",
                self.name,
                self.child.try_wait()
            );
        }
        requests.iter().map(|_| self.reply()).collect()
    }

    /// Sends one command and gives its reply.
    pub fn ask(&mut self, words: &[&[u8]]) -> Value {
        let words = words.iter().map(|word| word.to_vec()).collect();
        self.ask_all(&[words]).swap_remove(0)
    }

    fn reply(&mut self) -> Value {
        loop {
            match parse_value(&self.received) {
                Ok(Some((value, used))) => {
                    self.received.drain(..used);
                    return value;
                }
                Ok(None) => {}
                Err(error) => panic!("{} answers no RESP: {error}", self.name),
            }
            let mut chunk = [0; 1 << 16];
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => panic!("{} has gone: {:?}", self.name, self.child.try_wait()),
                Ok(count) => self.received.extend_from_slice(&chunk[..count]),
            }
        }
    }

    /// Whether it has the command.
    pub fn knows(&mut self, command: &str) -> bool {
        match self.ask(&[b"COMMAND", b"INFO", command.as_bytes()]) {
            Value::Array(infos) => matches!(infos.first(), Some(Value::Array(_))),
            _ => false,
        }
    }

    pub fn info(&mut self, field: &str) -> Option<u32> {
        let Value::Bulk(info) = self.ask(&[b"INFO", b"server"]) else {
            return None;
        };
        let info = String::from_utf8_lossy(&info).into_owned();
        let version = info
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        version.split('.').next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have gone already; then there is nothing to end and perhaps nothing to remove.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A Redis of at least 8 or a Valkey of at least 9, and whether its error texts are ours; from the command line or the PATH.
pub fn peer(named: Option<&str>) -> Option<(Server, bool)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .flat_map(|folder| PEERS.iter().map(move |name| folder.join(name)))
        .filter(|program| program.is_file());
    let named = named.map(PathBuf::from).into_iter();
    named.chain(on_path).find_map(|program| {
        let mut server = Server::start(&program, &[]);
        match (server.info("valkey_version"), server.info("redis_version")) {
            (Some(9..), _) => Some((server, false)),
            (None, Some(8..)) => Some((server, true)),
            _ => None,
        }
    })
}
