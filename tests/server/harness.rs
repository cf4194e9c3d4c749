//! Starts the program in a folder of its own and waits for its log instead of sleeping.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Longer than anything takes on a busy machine; a test that gets here has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Attempts to find a port that nobody takes between finding and using it.
const PORT_ATTEMPTS: usize = 10;

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("oxidis-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the folder for temporary files is writable");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

/// The names of the files in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is readable");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("it is readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Lines as they come.
pub struct Lines(Receiver<String>);

impl Lines {
    pub fn of(source: impl Read + Send + 'static) -> Lines {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Lines(receiver)
    }

    /// The first line that contains this; `Err` has the lines until the end, or until patience has run out.
    pub fn find(&self, text: &str) -> Result<String, String> {
        let mut seen = String::new();
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return Ok(line),
                Ok(line) => seen.push_str(&format!("{line}\n")),
                Err(RecvTimeoutError::Disconnected) => return Err(seen),
                Err(RecvTimeoutError::Timeout) => return Err(format!("{seen}(and no end)")),
            }
        }
    }

    pub fn expect(&self, text: &str) -> String {
        self.find(text)
            .unwrap_or_else(|seen| panic!("no {text:?} until the end of:\n{seen}"))
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    probe.local_addr().expect("it is bound").port()
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxidis"));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs the program to its end; its status, standard output and standard error.
pub fn run(command: &mut Command) -> (ExitStatus, String, String) {
    let output = command
        .stderr(Stdio::piped())
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}

/// A running server.
pub struct Server {
    pub port: u16,
    pub folder: Folder,
    pub log: Lines,
    child: Child,
}

impl Server {
    /// A server on a free port of 127.0.0.1 with these options, ready for clients.
    pub fn start(options: &[&str]) -> Server {
        Server::start_with(|_, _| options.iter().map(ToString::to_string).collect())
    }

    /// The same with options that depend on its folder and port.
    pub fn start_with(options: impl Fn(&Folder, u16) -> Vec<String>) -> Server {
        for _ in 0..PORT_ATTEMPTS {
            let (folder, port) = (Folder::new(), free_port());
            let mut command = program();
            command
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .arg("--dir")
                .arg(folder.path())
                .args(options(&folder, port));
            let mut child = command.spawn().expect("the program runs");
            let log = Lines::of(child.stdout.take().expect("standard output is piped"));
            match log.find("Ready to accept connections") {
                Ok(_) => {
                    return Server {
                        port,
                        folder,
                        log,
                        child,
                    };
                }
                Err(seen) => {
                    // A server that is not ready must not outlive the test; it may have ended already.
                    let _ = child.kill();
                    child.wait().expect("it has ended");
                    let taken = seen.contains("Failed listening on port");
                    assert!(taken, "the server is not ready:\n{seen}");
                }
            }
        }
        panic!("every port was taken");
    }

    /// Starts the program again in the same folder, after the one before has ended; waits until it is ready.
    pub fn restart(&mut self, options: &[&str]) {
        let log = self.respawn(options);
        log.expect("Ready to accept connections");
        self.log = log;
    }

    /// The same for one that may refuse to start; its log.
    pub fn respawn(&mut self, options: &[&str]) -> Lines {
        self.wait();
        self.port = free_port();
        let mut command = program();
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(options);
        self.child = command.spawn().expect("the program runs");
        Lines::of(self.child.stdout.take().expect("standard output is piped"))
    }

    pub fn client(&self) -> Client<TcpStream> {
        Client::of(TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens"))
    }

    pub fn redis(&self) -> redis::Connection {
        let client = redis::Client::open(("127.0.0.1", self.port)).expect("a good address");
        let connection = client.get_connection().expect("the server listens");
        let patience = connection.set_read_timeout(Some(PATIENCE));
        patience.expect("a time that is not zero");
        connection
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the server runs");
    }

    /// Files of the server may have so many bytes; `None`: any number.
    pub fn limit_files(&self, bytes: Option<u64>) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let pid = rustix::process::Pid::from_child(&self.child);
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(pid), Resource::Fsize, limit).expect("the limit is soft");
    }

    /// Ends the server as an operator does; its status.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(rustix::process::Signal::TERM);
        self.wait()
    }

    /// Waits for the end; the status.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it has ended")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes to and from a server.
pub struct Client<S>(S);

impl Client<TcpStream> {
    pub fn of(stream: TcpStream) -> Self {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time that is not zero");
        Client(stream)
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.0
            .shutdown(std::net::Shutdown::Write)
            .expect("the connection is open");
    }
}

impl<S: Read + Write> Client<S> {
    pub fn over(stream: S) -> Self {
        Client(stream)
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0
            .write_all(bytes.as_ref())
            .expect("the connection is open");
    }

    /// Reads as many bytes as `expected` has, which must be the same.
    pub fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let mut got = vec![0; expected.len()];
        self.0.read_exact(&mut got).expect("a whole reply");
        if got != expected {
            let show =
                |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
            panic!("expected {:?}, got {:?}", show(expected), show(&got));
        }
    }

    /// Reads as many bytes as there is room for.
    pub fn read(&mut self, into: &mut [u8]) {
        self.0.read_exact(into).expect("a whole reply");
    }

    /// Reads up to these bytes and with them.
    pub fn skip_behind(&mut self, end: &str) {
        let mut got = Vec::new();
        while !got.ends_with(end.as_bytes()) {
            let mut byte = [0];
            self.read(&mut byte);
            got.extend(byte);
        }
    }

    /// All that comes until the server closes.
    pub fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("the server closes");
        String::from_utf8_lossy(&rest).into_owned()
    }

    pub fn ask(&mut self, bytes: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
        self.send(bytes);
        self.expect(expected);
    }
}
