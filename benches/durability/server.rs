//! A server under measurement: started from a command line in a scratch folder of its own, asked over one blocking
//! connection, ended and removed when it is dropped.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that takes longer to be ready, or a save to end, has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(5);

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// What its column is called.
    pub name: String,
    /// Its command line: `{port}`, `{dir}` and `{extra}` are filled in, the last is appended where it does not stand.
    pub line: String,
}

/// See the head of the file.
pub struct Server {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    folder: PathBuf,
}

impl Server {
    /// Starts the program with these options more, and waits until it answers.
    ///
    /// # Errors
    /// What the system says; that it did not answer.
    pub fn start(program: &Program, extra: &str) -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("durability-{port}"));
        fs::create_dir_all(&folder)?;
        let line = match program.line.contains("{extra}") {
            true => program.line.replace("{extra}", extra),
            false => format!("{} {extra}", program.line),
        };
        let line = line.replace("{port}", &port.to_string());
        let line = line.replace("{dir}", &folder.display().to_string());
        let log = fs::File::create(folder.join("server.log"))?;
        let child = Command::new("/bin/sh")
            .args(["-c", &format!("exec {line}")])
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()?;
        let server = Self {
            child,
            port,
            folder,
        };
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let answer = Client::connect(port).and_then(|mut client| client.ask(&["PING"]));
            if answer.is_ok_and(|answer| answer == "+PONG") {
                return Ok(server);
            }
            std::thread::sleep(LOOK);
        }
        let log = fs::read_to_string(server.folder.join("server.log")).unwrap_or_default();
        Err(io::Error::other(format!("{line} does not answer: {log}")))
    }

    /// A blocking connection.
    ///
    /// # Errors
    /// What the system says.
    pub fn client(&self) -> io::Result<Client> {
        Client::connect(self.port)
    }

    /// Nanoseconds of CPU that all its threads have used.
    pub fn cpu_ns(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let tasks = tasks.into_iter().flatten().flatten();
        tasks.map(|task| ran_ns(&task.path())).sum()
    }

    /// Bytes of memory that it and the processes it has forked take, pages that several share counted once.
    pub fn memory_bytes(&self) -> u64 {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        children.chain([pid]).map(proportional_bytes).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is the measurement's: nothing of it is wanted any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn ran_ns(task: &Path) -> u64 {
    let stat = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let ran = stat.split(' ').next();
    ran.and_then(|ran| ran.parse().ok()).unwrap_or(0)
}

fn proportional_bytes(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Appends a request.
pub fn put_request(to: &mut Vec<u8>, words: &[&[u8]]) {
    to.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        to.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        to.extend_from_slice(word);
        to.extend_from_slice(b"\r\n");
    }
}

/// One request after the other.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Asks; the reply's first line, or what is in it if it is a bulk string.
    ///
    /// # Errors
    /// What the system says; the server's errors too.
    pub fn ask(&mut self, words: &[&str]) -> io::Result<String> {
        let mut request = Vec::new();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        put_request(&mut request, &words);
        self.stream.get_mut().write_all(&request)?;
        self.reply()
    }

    /// Sends many requests of `each` numbers and passes over their replies.
    ///
    /// # Errors
    /// What the system says; the server's errors too.
    pub fn fill(&mut self, count: u64, each: impl Fn(u64, &mut Vec<u8>)) -> io::Result<()> {
        const AT_ONCE: u64 = 500;
        let mut requests = Vec::new();
        for first in (0..count).step_by(AT_ONCE as usize) {
            requests.clear();
            let numbers = first..count.min(first + AT_ONCE);
            numbers
                .clone()
                .for_each(|number| each(number, &mut requests));
            self.stream.get_mut().write_all(&requests)?;
            for _ in numbers {
                self.reply()?;
            }
        }
        Ok(())
    }

    /// The value of a field of INFO.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn info(&mut self, section: &str, field: &str) -> io::Result<Option<String>> {
        let info = self.ask(&["INFO", section])?;
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(name, _)| *name == field);
        Ok(found.map(|(_, value)| value.to_owned()))
    }

    /// Waits until a field of INFO persistence says 0.
    ///
    /// # Errors
    /// As [`Self::ask`]; that it takes too long.
    pub fn wait_for_end_of(&mut self, field: &str) -> io::Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self
                .info("persistence", field)?
                .is_none_or(|value| value == "0")
            {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        Err(io::Error::other(format!("{field} does not end")))
    }

    fn reply(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if let Some(error) = line.strip_prefix('-') {
            return Err(io::Error::other(error.to_owned()));
        }
        let Some(bytes) = line
            .strip_prefix('$')
            .and_then(|bytes| bytes.parse::<usize>().ok())
        else {
            return Ok(line.to_owned());
        };
        let mut bulk = vec![0; bytes + 2];
        self.stream.read_exact(&mut bulk)?;
        bulk.truncate(bytes);
        Ok(String::from_utf8_lossy(&bulk).into_owned())
    }
}
