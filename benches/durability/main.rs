//! What durability costs, beside other servers in the same run: `cargo bench --bench durability -- [options]`.
//!
//! ```text
//! --server NAME=LINE   a server to be measured, several times; {port}, {dir}, {extra} in its command line are filled in
//! --rows A,B           always, beside, everysec, stall, keys, memory (all)
//! --rounds N           times that each is measured, in turns (3)
//! --seconds S          of one measurement (1.5)
//! --keys N             strings of 100 bytes (1000000)
//! --members N          members of each large collection (2000000)
//! ```
//! Without `--server` it is the server built here alone. Of the rounds the best one counts, for each server in its own way:
//! the machine only ever adds to a latency.
//!
//! - `always`, `everysec`: throughput of 50 writers with that `appendfsync`, and CPU a request.
//! - `beside`: the latency of GETs on 50 connections beside 50 writers, without an append-only file and with `always`.
//! - `stall`: the longest time a writer waits, without a save and during one; strings, and members of three large
//!   collections, are written all the while.
//! - `keys`: the longest time a writer waits while a large key is deleted, renamed, copied..., the same way.
//! - `memory`: what a save takes on top while 20,000 keys a second change.

mod load;
mod server;

use load::{Group, Maker, Random, Sample, percentile_ms, put_set};
use server::{Client, Program, Server, put_request};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ALWAYS: &str = "--appendonly yes --auto-aof-rewrite-percentage 0 --appendfsync always";
const EVERYSEC: &str = "--appendonly yes --auto-aof-rewrite-percentage 0 --appendfsync everysec";
const NO_SAVES: &str = "--save '' ";
/// Writers, and readers beside them.
const CONNECTIONS: usize = 50;
/// Keys of the rows about the append-only file.
const LOGGED_KEYS: u64 = 100_000;
/// Before what is measured.
const WARM_UP: Duration = Duration::from_millis(300);
/// Changed keys a second while memory is looked at.
const CHANGES_A_SECOND: u64 = 20_000;
/// Large keys: (name, command that adds a member).
const LARGE: [(&str, &str); 3] = [
    ("large:hash", "HSET"),
    ("large:set", "SADD"),
    ("large:zset", "ZADD"),
];
/// What is done to a copy of a large key, `K`: to which ones, and the command.
const DEEDS: [(&[usize], &str); 7] = [
    (&[0, 1, 2], "DEL K"),
    (&[0, 1, 2], "UNLINK K"),
    (&[0, 1, 2], "RENAME K other"),
    (&[0, 1, 2], "MOVE K 1"),
    (&[0, 1, 2], "SET K v"),
    (&[1], "SPOP K 1000"),
    (&[0, 1, 2], "COPY K other"),
];

/// See the head of the file.
struct Options {
    programs: Vec<Program>,
    rows: Vec<String>,
    rounds: usize,
    seconds: f64,
    keys: u64,
    members: u64,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            programs: Vec::new(),
            rows: Vec::new(),
            rounds: 3,
            seconds: 1.5,
            keys: 1_000_000,
            members: 2_000_000,
        };
        let mut is_wanted = false;
        while let Some(word) = words.next() {
            if word == "--bench" {
                is_wanted = true;
                continue;
            }
            let value = words
                .next()
                .ok_or_else(|| format!("{word} needs a value"))?;
            let bad = |_| format!("{word} {value}: not a number");
            match word.as_str() {
                "--server" => {
                    let (name, line) = value.split_once('=').ok_or("--server NAME=LINE")?;
                    options.programs.push(Program {
                        name: name.to_owned(),
                        line: line.to_owned(),
                    });
                }
                "--rows" => options.rows = value.split(',').map(str::to_owned).collect(),
                "--rounds" => options.rounds = value.parse().map_err(|_| bad(()))?,
                "--seconds" => options.seconds = value.parse().map_err(|_| bad(()))?,
                "--keys" => options.keys = value.parse().map_err(|_| bad(()))?,
                "--members" => options.members = value.parse().map_err(|_| bad(()))?,
                _ => return Err(format!("what is {word}?")),
            }
        }
        if options.programs.is_empty() {
            let built = env!("CARGO_BIN_EXE_oxidis");
            let line = format!("{built} --port {{port}} --bind 127.0.0.1 --dir {{dir}}");
            options.programs.push(Program {
                name: "oxidis".to_owned(),
                line,
            });
        }
        Ok(is_wanted.then_some(options))
    }

    fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }
}

/// Figures of one server: (what, value); of the rounds the best one stays.
#[derive(Default)]
struct Figures {
    rows: Vec<(String, f64)>,
}

impl Figures {
    fn least(&mut self, what: impl Into<String>, value: f64) {
        self.keep(what.into(), value, f64::min);
    }

    fn most(&mut self, what: impl Into<String>, value: f64) {
        self.keep(what.into(), value, f64::max);
    }

    fn keep(&mut self, what: String, value: f64, better: fn(f64, f64) -> f64) {
        match self.rows.iter_mut().find(|(other, _)| *other == what) {
            Some((_, kept)) => *kept = better(*kept, value),
            None => self.rows.push((what, value)),
        }
    }

    fn get(&self, what: &str) -> f64 {
        let found = self.rows.iter().find(|(other, _)| other == what);
        found.map_or(f64::NAN, |(_, value)| *value)
    }
}

type Row = fn(&Options, &Program, &mut Figures) -> io::Result<()>;

const ROWS: [(&str, Row); 6] = [
    ("everysec", everysec),
    ("always", always),
    ("beside", beside),
    ("memory", memory),
    ("stall", stall),
    ("keys", large_keys),
];

fn main() -> io::Result<()> {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        // As a test there is nothing to be measured.
        Ok(None) => return Ok(()),
        Err(reason) => return Err(io::Error::other(reason)),
    };
    let mut figures: Vec<Figures> = options
        .programs
        .iter()
        .map(|_| Figures::default())
        .collect();
    for (name, row) in ROWS.iter().filter(|(name, _)| options.wants(name)) {
        for round in 1..=options.rounds {
            for (program, figures) in options.programs.iter().zip(&mut figures) {
                eprintln!("{name}, round {round}: {}", program.name);
                row(&options, program, figures)?;
            }
        }
    }
    print(&options, &figures);
    Ok(())
}

fn print(options: &Options, figures: &[Figures]) {
    let names = options.programs.iter().map(|program| program.name.as_str());
    let head: String = names.map(|name| format!("{name:>12}")).collect();
    println!("{:56}{head}", "");
    let Some(first) = figures.first() else {
        return;
    };
    for (what, _) in &first.rows {
        let values = figures.iter().map(|figures| figures.get(what));
        let line: String = values.map(|value| format!("{value:>12.2}")).collect();
        println!("{what:56}{line}");
    }
}

/// Runs a load as long as `meanwhile`, which is told when the load began; its samples.
fn beside_load<T: Send + 'static>(
    server: &Server,
    groups: &[Group],
    meanwhile: impl FnOnce(Instant) -> io::Result<T> + Send + 'static,
) -> io::Result<(Vec<Vec<Sample>>, T)> {
    let ends = Arc::new(AtomicBool::new(false));
    let ending = Arc::clone(&ends);
    let began = Instant::now();
    let other = thread::spawn(move || {
        thread::sleep(WARM_UP);
        let result = meanwhile(began);
        ending.store(true, Ordering::Release);
        result
    });
    let run = load::run(server.port, groups, &ends);
    ends.store(true, Ordering::Release);
    let result = other.join().map_err(|_| io::Error::other("a panic"))??;
    let (load_began, mut samples) = run?;
    let late_ns = load_began.duration_since(began).as_nanos() as u64;
    let all = samples.iter_mut().flatten();
    all.for_each(|sample| sample.at_ns += late_ns);
    Ok((samples, result))
}

/// The samples between two moments.
fn between(samples: &[Sample], from_ns: u64, to_ns: u64) -> impl Iterator<Item = &Sample> {
    let is_in = move |sample: &&Sample| (from_ns..=to_ns).contains(&sample.at_ns);
    samples.iter().filter(is_in)
}

fn since(began: Instant) -> u64 {
    began.elapsed().as_nanos() as u64
}

/// Runs the groups for the time of a measurement; samples, seconds and CPU nanoseconds of the server.
fn measure(
    options: &Options,
    server: &Arc<Server>,
    groups: &[Group],
) -> io::Result<(Vec<Vec<Sample>>, f64, u64)> {
    let (length, of) = (Duration::from_secs_f64(options.seconds), Arc::clone(server));
    let wait = move |began| {
        let (from_ns, cpu_ns) = (since(began), of.cpu_ns());
        thread::sleep(length);
        Ok((from_ns, since(began), of.cpu_ns() - cpu_ns))
    };
    let (samples, (from_ns, to_ns, cpu_ns)) = beside_load(server, groups, wait)?;
    let samples = samples
        .iter()
        .map(|samples| between(samples, from_ns, to_ns).copied().collect());
    Ok((samples.collect(), (to_ns - from_ns) as f64 / 1e9, cpu_ns))
}

fn appending(
    options: &Options,
    program: &Program,
    figures: &mut Figures,
    how: (&str, &str),
) -> io::Result<()> {
    let server = Arc::new(Server::start(program, &format!("{NO_SAVES}{}", how.1))?);
    for pipeline in [1, 16] {
        let groups = [Group::setting(CONNECTIONS, pipeline, LOGGED_KEYS)];
        let (samples, seconds, cpu_ns) = measure(options, &server, &groups)?;
        let samples = &samples[0];
        let answers: u64 = samples.iter().map(|sample| sample.answers).sum();
        let what = format!("{}, pipelines of {pipeline}:", how.0);
        figures.most(
            format!("{what} thousand requests/s"),
            answers as f64 / seconds / 1e3,
        );
        figures.least(
            format!("{what} CPU us/request"),
            cpu_ns as f64 / 1e3 / answers as f64,
        );
        figures.least(
            format!("{what} p99, ms"),
            percentile_ms(samples.iter(), 0.99),
        );
    }
    Ok(())
}

fn always(options: &Options, program: &Program, figures: &mut Figures) -> io::Result<()> {
    appending(options, program, figures, ("always", ALWAYS))
}

fn everysec(options: &Options, program: &Program, figures: &mut Figures) -> io::Result<()> {
    appending(options, program, figures, ("everysec", EVERYSEC))
}

fn beside(options: &Options, program: &Program, figures: &mut Figures) -> io::Result<()> {
    let kinds = [("no append-only file", ""), ("always", ALWAYS)];
    for (how, extra) in kinds {
        let server = Arc::new(Server::start(program, &format!("{NO_SAVES}{extra}"))?);
        server
            .client()?
            .fill(LOGGED_KEYS, |number, to| put_set(to, number))?;
        let groups = [
            Group::getting(CONNECTIONS, LOGGED_KEYS),
            Group::setting(CONNECTIONS, 1, LOGGED_KEYS),
        ];
        let (samples, seconds, _) = measure(options, &server, &groups)?;
        for (who, samples) in ["GET beside SET", "SET beside GET"].iter().zip(&samples) {
            figures.most(
                format!("{who}, {how}: thousand requests/s"),
                samples.len() as f64 / seconds / 1e3,
            );
            for (share, name) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")] {
                let found = percentile_ms(samples.iter(), share);
                figures.least(format!("{who}, {how}: {name}, ms"), found);
            }
        }
    }
    Ok(())
}

/// A server with the strings and the large collections.
fn filled(options: &Options, program: &Program) -> io::Result<Arc<Server>> {
    let server = Server::start(program, NO_SAVES)?;
    let mut client = server.client()?;
    client.fill(options.keys, |number, to| put_set(to, number))?;
    for (key, command) in LARGE {
        client.fill(options.members, |number, to| {
            put_member(to, command, key, number);
        })?;
    }
    Ok(Arc::new(server))
}

fn put_member(to: &mut Vec<u8>, command: &str, key: &str, number: u64) {
    let (name, score) = (format!("member:{number:012}"), number.to_string());
    let (command, key, name) = (command.as_bytes(), key.as_bytes(), name.as_bytes());
    match command {
        b"HSET" => put_request(to, &[command, key, name, score.as_bytes()]),
        b"ZADD" => put_request(to, &[command, key, score.as_bytes(), name]),
        _ => put_request(to, &[command, key, name]),
    }
}

/// One connection that writes strings and members of the large collections by turns; members with numbers below this.
fn writer(options: &Options, members: u64) -> Group {
    let keys = options.keys;
    let make: Maker = Box::new(move |random: &mut Random, to: &mut Vec<u8>| {
        match LARGE.get(random.below(6) as usize) {
            Some((key, command)) => put_member(to, command, key, random.below(members)),
            None => put_set(to, random.below(keys)),
        }
    });
    Group {
        connections: 1,
        pipeline: 1,
        make,
    }
}

/// Calm, then a save, both from where to where.
type Stretches = [(u64, u64); 2];

fn calm_and_save(client: &mut Client, length: Duration, began: Instant) -> io::Result<Stretches> {
    let calm_from = since(began);
    thread::sleep(length);
    let save_from = since(began);
    client.ask(&["BGSAVE"])?;
    client.wait_for_end_of("rdb_bgsave_in_progress")?;
    Ok([(calm_from, save_from), (save_from, since(began))])
}

fn stall(options: &Options, program: &Program, figures: &mut Figures) -> io::Result<()> {
    // Half of the members that are written are new ones.
    let server = filled(options, program)?;
    let mut client = server.client()?;
    let length = Duration::from_secs_f64(options.seconds);
    let both = move |began| calm_and_save(&mut client, length, began);
    let (samples, stretches) = beside_load(&server, &[writer(options, 2 * options.members)], both)?;
    let names = ["without a save", "during a save"];
    for (name, (from_ns, to_ns)) in names.iter().zip(stretches) {
        for (share, what) in [
            (0.5, "p50"),
            (0.99, "p99"),
            (0.999, "p99.9"),
            (1.0, "longest"),
        ] {
            let found = percentile_ms(between(&samples[0], from_ns, to_ns), share);
            figures.least(format!("a write {name}: {what}, ms"), found);
        }
    }
    let save_s = (stretches[1].1 - stretches[1].0) as f64 / 1e9;
    figures.least("the save under this load, s", save_s);
    Ok(())
}

fn large_keys(options: &Options, program: &Program, figures: &mut Figures) -> io::Result<()> {
    let server = filled(options, program)?;
    for (which, deed) in DEEDS {
        for (key, _) in which.iter().filter_map(|index| LARGE.get(*index)) {
            for during_save in [false, true] {
                let longest = do_deed(options, &server, key, deed, during_save)?;
                let name = deed.split(' ').next().unwrap_or_default();
                let how = if during_save { "during" } else { "without" };
                figures.least(format!("{name} {key} {how} a save: a write, ms"), longest);
            }
        }
    }
    for during_save in [false, true] {
        let server = filled(options, program)?;
        let longest = do_deed(options, &server, LARGE[0].0, "FLUSHALL", during_save)?;
        let how = if during_save { "during" } else { "without" };
        figures.least(format!("FLUSHALL {how} a save: a write, ms"), longest);
    }
    Ok(())
}

/// The longest that a writer of strings waits while something is done to a copy of a large key.
fn do_deed(
    options: &Options,
    server: &Arc<Server>,
    key: &str,
    deed: &str,
    during_save: bool,
) -> io::Result<f64> {
    let mut client = server.client()?;
    client.ask(&["DEL", "K", "other"])?;
    client.ask(&["COPY", key, "K"])?;
    let words: Vec<String> = deed.split(' ').map(str::to_owned).collect();
    let meanwhile = move |began| {
        if during_save {
            client.ask(&["BGSAVE"])?;
        }
        let from_ns = since(began);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        client.ask(&words)?;
        thread::sleep(WARM_UP);
        let to_ns = since(began);
        client.wait_for_end_of("rdb_bgsave_in_progress")?;
        if words[0] == "MOVE" {
            client.ask(&["SELECT", "1"])?;
            client.ask(&["UNLINK", "K"])?;
        }
        Ok((from_ns, to_ns))
    };
    let groups = [Group::setting(1, 1, options.keys)];
    let (samples, (from_ns, to_ns)) = beside_load(server, &groups, meanwhile)?;
    Ok(percentile_ms(between(&samples[0], from_ns, to_ns), 1.0))
}

fn memory(options: &Options, program: &Program, figures: &mut Figures) -> io::Result<()> {
    let server = filled(options, program)?;
    let mut client = server.client()?;
    let before = server.memory_bytes();
    client.ask(&["BGSAVE"])?;
    let ends = Arc::new(AtomicBool::new(false));
    let (ending, of) = (Arc::clone(&ends), Arc::clone(&server));
    let watch = thread::spawn(move || {
        let mut most = 0;
        while !ending.load(Ordering::Acquire) {
            most = most.max(of.memory_bytes());
            thread::sleep(Duration::from_millis(10));
        }
        most
    });
    let changed = change_while_saving(options, &mut client);
    ends.store(true, Ordering::Release);
    let most = watch.join().map_err(|_| io::Error::other("a panic"))?;
    changed?;
    let extra = most.saturating_sub(before) as f64;
    figures.least("memory before the save, MB", before as f64 / 1e6);
    figures.least("a save's extra memory, MB", extra / 1e6);
    figures.least("a save's extra memory, %", extra * 100.0 / before as f64);
    Ok(())
}

fn change_while_saving(options: &Options, client: &mut Client) -> io::Result<()> {
    const A_ROUND: u64 = 100;
    let began = Instant::now();
    let group = writer(options, options.members);
    let random = std::cell::RefCell::new(Random::default());
    let mut changed = 0;
    loop {
        client.fill(A_ROUND, |_, to| (group.make)(&mut random.borrow_mut(), to))?;
        changed += A_ROUND;
        let field = client.info("persistence", "rdb_bgsave_in_progress")?;
        if field.is_none_or(|value| value == "0") {
            return Ok(());
        }
        let due = Duration::from_secs_f64(changed as f64 / CHANGES_A_SECOND as f64);
        thread::sleep(due.saturating_sub(began.elapsed()));
    }
}
