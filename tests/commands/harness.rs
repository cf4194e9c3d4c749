//! An engine for tests: clients by number, commands as lines, replies as [`Value`]s or as a short text.

use crate::disk::TestDisk;
use oxidis::base::clock::Clock;
use oxidis::base::random::Seeds;
use oxidis::command::Row;
use oxidis::command::ctx::Identity;
use oxidis::command::host::{AskError, Engaged, Host, Question, Usage};
use oxidis::config::Config;
use oxidis::config::settings::Settings;
use oxidis::engine::Engine;
use oxidis::engine::stream::ReaderId;
use oxidis::keyspace::Garbage;
use oxidis::persist::{Job, Report};
use oxidis::resp::value::{Value, parse_value};
use oxidis::session::{Closing, Peer};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::Duration;

/// The time at which every test starts: 2024-01-01 00:00:00 UTC, in Unix milliseconds.
pub const START_MS: i64 = 1_704_067_200_000;

/// A process around the engine that remembers what it was asked for.
#[derive(Default)]
pub struct TestHost {
    pub files: HashMap<String, Vec<u8>>,
    pub slept: Duration,
    pub stopped: bool,
    pub freed: usize,
    pub listened: usize,
    /// What `listen` answers.
    pub listen_error: Option<String>,
    /// The working directories that were asked for; `/missing` is not there.
    pub directories: Vec<String>,
    /// How many clients there is room for; `None`: as many as are asked for.
    pub clients_max: Option<u32>,
    /// What `usage` answers.
    pub usage: Usage,
    /// What other clients send while a script is busy, one at each turn; then the server is stopped. While data is being
    /// loaded they come too, but it goes on.
    pub others: VecDeque<(usize, Vec<u8>)>,

    /// What they are answered, in short.
    pub answers: Vec<String>,
    /// What another server was asked last.
    pub asked: Vec<u8>,
    /// What it answers; `None`: it is not there.
    pub answer: Option<Vec<u8>>,
    /// Where snapshots go: into `files`.
    pub disk: TestDisk,
}

impl Host for TestHost {
    fn listen(&mut self, _: &Settings) -> Result<(), String> {
        self.listened += 1;
        self.listen_error.clone().map_or(Ok(()), Err)
    }
    fn reserve_clients(&mut self, clients: u32) -> u32 {
        self.clients_max.map_or(clients, |max| clients.min(max))
    }
    fn sleep(&mut self, duration: Duration) {
        self.slept += duration;
    }
    fn read_file(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn replace_file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), content.to_vec());
        Ok(())
    }
    fn change_directory(&mut self, path: &str) -> io::Result<()> {
        if path == "/missing" {
            const ENOENT: i32 = 2;
            return Err(io::Error::from_raw_os_error(ENOENT));
        }
        self.directories.push(path.to_owned());
        Ok(())
    }
    fn configure_log(&mut self, _: &Settings) -> Result<(), String> {
        Ok(())
    }
    fn usage(&mut self) -> Usage {
        self.usage
    }
    fn pending_frees(&self) -> usize {
        self.usage.pending_frees
    }
    fn prepare_memory(&mut self) {}
    fn free(&mut self, garbage: Garbage) {
        self.freed += garbage.objects();
    }
    fn ask(&mut self, question: &Question<'_>) -> Result<Vec<u8>, AskError> {
        self.asked = question.request.to_vec();
        self.answer.take().ok_or(AskError::Connect)
    }
    fn disk(&mut self, job: Job) {
        self.disk.send(job, &mut self.files);
    }
    fn allocated_bytes(&self) -> u64 {
        self.usage.allocated_bytes
    }
    fn disk_queue_bytes(&self) -> usize {
        self.disk.queue_bytes()
    }
    fn wait_disk(&mut self, bytes_max: usize) -> Vec<Report> {
        self.disk.work(&mut self.files);
        if bytes_max == 0 {
            self.disk.flush();
        }
        self.disk.take_reports()
    }
    fn open_file(&mut self, path: &str) -> io::Result<(Box<dyn io::Read>, u64)> {
        self.disk.open(path, &self.files)
    }
    fn list_folder(&mut self, path: &str) -> io::Result<Vec<String>> {
        self.disk.list(path)
    }
    fn stop(&mut self) {
        self.stopped = true;
    }
    fn is_stopping(&self) -> bool {
        self.stopped
    }
    fn serve_others(&mut self, engine: &mut dyn Engaged) {
        let Some((client, bytes)) = self.others.pop_front() else {
            return match engine.server().loading {
                Some(_) => (),
                None => self.stop(),
            };
        };
        let taken = engine.feed(client, &bytes, self);
        assert_eq!(taken, bytes.len(), "a busy server keeps nobody waiting");
        if let Some(session) = engine.server().clients.get_mut(client) {
            self.answers.push(replies(&session.output.bytes()));
            session.output.clear();
        }
    }
}

/// An engine, its clock and its host.
pub struct Server {
    pub engine: Engine,
    pub clock: Clock,
    pub host: TestHost,
    /// The client that [`Server::run`] speaks for.
    pub client: usize,
    /// What clients have sent that the engine does not take yet: they wait for something.
    kept: HashMap<usize, Vec<u8>>,
}

impl Server {
    /// A server with the default configuration and one client.
    pub fn new() -> Self {
        Self::with_config("")
    }

    /// A server with these lines of configuration.
    pub fn with_config(lines: &str) -> Self {
        Self::build(lines, [])
    }

    /// A server that knows these commands besides all others.
    pub fn build<const N: usize>(lines: &str, rows: [&'static Row; N]) -> Self {
        let mut config = Config::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words = oxidis::base::quoting::split_args(line.as_bytes());
            let words = words.expect("quotes are balanced");
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let (name, values) = words.split_first().expect("the line is not empty");
            let name = String::from_utf8_lossy(name);
            config
                .put(&name, values)
                .unwrap_or_else(|reason| panic!("{line}: {reason}"));
        }
        let clock = Clock::manual(START_MS);
        let all = oxidis::commands::rows().chain(rows);
        let mut engine = Engine::new(
            config,
            all,
            clock.clone(),
            Seeds::fixed(42),
            Identity::default(),
        );
        let client = engine.connect(local_peer()).expect("the first client fits");
        Self {
            engine,
            clock,
            host: TestHost::default(),
            client,
            kept: HashMap::new(),
        }
    }

    /// The same with its files in a folder, from which it has built its data.
    pub fn in_folder(folder: &std::path::Path, lines: &str) -> Self {
        let mut server = Self::with_config(lines);
        server.host.disk.folder = Some(folder.to_owned());
        let loaded = server.engine.load_log(&mut server.host);
        loaded.unwrap_or_else(|error| panic!("{error}"));
        server
    }

    /// One more client.
    pub fn connect(&mut self) -> usize {
        self.engine.connect(local_peer()).expect("the client fits")
    }

    /// Feeds raw bytes for a client; what it is answered. What the engine does not take is kept, and fed when the client
    /// may go on.
    pub fn feed(&mut self, client: usize, bytes: &[u8]) -> Vec<u8> {
        let waits = self.kept.get(&client).is_some_and(|kept| !kept.is_empty());
        self.kept.entry(client).or_default().extend(bytes);
        if !waits {
            self.feed_kept(client);
        }
        self.feed_resumed();
        self.end_turn();
        self.engine.take_output(client)
    }

    /// What a server does at the end of each turn, before it writes outputs.
    fn end_turn(&mut self) {
        self.engine.log_changes(&mut self.host);
        self.take_reports();
    }

    fn feed_kept(&mut self, client: usize) {
        let mut bytes = self.kept.remove(&client).unwrap_or_default();
        let taken = self.engine.feed(client, &bytes, &mut self.host);
        bytes.drain(..taken);
        self.kept.insert(client, bytes);
    }

    fn feed_resumed(&mut self) {
        loop {
            let resumed = self.engine.take_resume();
            if resumed.is_empty() {
                return;
            }
            for client in resumed {
                self.feed_kept(client);
            }
        }
    }

    /// The client's connection is gone.
    pub fn disconnect(&mut self, client: usize) {
        self.kept.remove(&client);
        self.engine.disconnect(client);
    }

    /// Closes the connections that the engine wants to be closed, as a server does after each turn; which ones.
    pub fn close_ended(&mut self) -> Vec<usize> {
        let mut wanted = Vec::new();
        self.engine.take_flush(&mut wanted);
        wanted.retain(|client| {
            let session = self.engine.server.clients.get(*client);
            session.is_some_and(|session| session.closing != Closing::No)
        });
        for client in &wanted {
            self.disconnect(*client);
        }
        wanted
    }

    /// Runs a command given as words for a client; its raw reply.
    pub fn raw(&mut self, client: usize, words: &[&[u8]]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        self.feed(client, &bytes)
    }

    /// Runs a line (quoting as in redis-cli) for the first client; its reply in short: see [`short`].
    pub fn run(&mut self, line: &str) -> String {
        self.run_as(self.client, line)
    }

    /// A field of INFO persistence.
    pub fn persistence(&mut self, name: &str) -> String {
        let text = self.run("INFO persistence");
        let mut lines = text.split("\r\n");
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .to_owned()
    }

    /// The same for another client.
    pub fn run_as(&mut self, client: usize, line: &str) -> String {
        let words =
            oxidis::base::quoting::split_args(line.as_bytes()).expect("quotes are balanced");
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        replies(&self.raw(client, &words))
    }

    /// What was sent to a client since; in short.
    pub fn received(&mut self, client: usize) -> String {
        self.end_turn();
        replies(&self.engine.take_output(client))
    }

    /// What has come to the propagation stream since, command by command.
    pub fn stream(&mut self, reader: ReaderId) -> Vec<String> {
        let bytes = self.engine.stream.read(reader);
        let mut rest = bytes.as_slice();
        let mut commands = Vec::new();
        while !rest.is_empty() {
            let (value, used) = parse_value(rest)
                .expect("the stream is well formed")
                .expect("the stream ends with a whole command");
            let Value::Array(words) = value else {
                panic!("a command is an array, not {value:?}");
            };
            commands.push(words.iter().map(short).collect::<Vec<_>>().join(" "));
            rest = rest.get(used..).expect("a command lies within its bytes");
        }
        commands
    }

    /// Lets time pass and does the timed duties.
    pub fn pass_ms(&mut self, ms: u64) {
        self.clock.advance_ms(ms);
        self.take_reports();
        self.engine.tick(&mut self.host);
        self.end_turn();
        self.feed_resumed();
    }

    /// Tells the engine what the disk reports.
    fn take_reports(&mut self) {
        for report in self.host.disk.take_reports() {
            self.engine.on_disk_report(&report, &mut self.host);
        }
    }

    /// Checks lines of `command -> reply`; every reply must be exactly that (but for blanks at its end).
    #[track_caller]
    pub fn check(&mut self, script: &str) {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (command, expected) = line
                .split_once(" -> ")
                .or_else(|| Some((line.strip_suffix(" ->")?, "")))
                .unwrap_or_else(|| panic!("no arrow in {line}"));
            assert_eq!(
                self.run(command.trim()).trim_end(),
                expected.trim(),
                "{command}"
            );
        }
    }
}

fn local_peer() -> Peer {
    Peer {
        address: "127.0.0.1:50000".into(),
        local_address: "127.0.0.1:6379".into(),
        fd: 8,
        unix: false,
        loopback: true,
    }
}

/// All replies in `bytes`, in short, separated by ` ; `.
pub fn replies(bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (value, used) = parse_value(rest)
            .expect("replies are well formed")
            .expect("replies are whole");
        shown.push(short(&value));
        rest = rest.get(used..).expect("a reply lies within its bytes");
    }
    shown.join(" ; ")
}

/// A reply as a short text: strings bare, integers as `(1)`, nulls as `nil` and `nil[]`, errors as `!ERR ...`, arrays as `[a b]`,
/// maps as `{k v}`, sets as `~[a b]`, pushes as `>[a b]`, doubles as `,1.5`, booleans as `#t`.
pub fn short(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(short).collect::<Vec<_>>().join(" ");
    match value {
        Value::Simple(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Error(text) | Value::BulkError(text) => {
            format!("!{}", String::from_utf8_lossy(text))
        }
        Value::Integer(number) => format!("({number})"),
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Null => "nil".to_owned(),
        Value::NullArray => "nil[]".to_owned(),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Set(values) => format!("~[{}]", list(values)),
        Value::Push(values) => format!(">[{}]", list(values)),
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{} {}", short(key), short(value)))
                .collect();
            format!("{{{}}}", pairs.join(" "))
        }
        Value::Double(number) => format!(",{number}"),
        Value::Boolean(truth) => if *truth { "#t" } else { "#f" }.to_owned(),
        other => format!("{other:?}"),
    }
}
