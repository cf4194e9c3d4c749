//! Files go to other servers and come from them: what one has saved, the other has after its start, key by key, with
//! deadlines, pending entries and functions; as a snapshot and as an append-only file.
//!
//! ```text
//! cargo test --test exchange -- --peer PROGRAM [--peer PROGRAM]...        or OXIDIS_PEERS=PROGRAM:PROGRAM...
//!
//! fill A ---> look at A ---> file ---> B starts over it ---> look at B: the same        A and B in both roles
//! ```
//! Without a peer nothing can be exchanged, and a line says so.

mod content;
#[path = "../differential/servers.rs"]
#[expect(dead_code, reason = "the differential test needs the rest")]
mod servers;

use content::{Scope, fill, go_on, look};
use servers::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How data goes from one server to the other.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// SAVE.
    Snapshot,
    /// An append-only file whose base is a snapshot.
    Log,
    /// An append-only file whose base consists of commands.
    LogOfCommands,
}

impl Way {
    fn options(self) -> &'static [&'static str] {
        match self {
            Way::Snapshot => &[],
            Way::Log => &["--appendonly", "yes"],
            Way::LogOfCommands => &["--appendonly", "yes", "--aof-use-rdb-preamble", "no"],
        }
    }
}

/// A program, and which server it is.
struct Party {
    program: PathBuf,
    name: String,
    /// The first number of its version.
    version: u32,
    is_valkey: bool,
}

impl Party {
    fn of(program: &Path) -> Party {
        let mut server = Server::start(program, &[]);
        let (valkey, redis) = (server.info("valkey_version"), server.info("redis_version"));
        Party {
            program: program.to_owned(),
            name: program
                .file_name()
                .unwrap_or_default()
                .display()
                .to_string(),
            version: valkey.or(redis).unwrap_or(0),
            is_valkey: valkey.is_some(),
        }
    }

    /// Starts it over a folder whose files are for `reader`.
    fn start(&self, folder: &Path, way: Way, reader: &Party) -> Server {
        let folder = folder.display().to_string();
        let mut options = [&["--dir", &folder], way.options()].concat();
        if self.name == "oxidis" && reader.version < 8 {
            options.extend(["--rdb-version", "10"]);
        }
        let mut server = Server::start(&self.program, &options);
        // A server may take clients while it loads.
        while content::is_error(&server.ask(&[b"DBSIZE"])) {
            std::thread::yield_now();
        }
        server
    }
}

fn programs() -> Vec<PathBuf> {
    let mut words = std::env::args().skip(1);
    let mut programs = Vec::new();
    while let Some(word) = words.next() {
        if word == "--peer" {
            programs.extend(words.next().map(PathBuf::from));
        }
    }
    if let Some(named) = std::env::var_os("OXIDIS_PEERS") {
        programs.extend(std::env::split_paths(&named));
    }
    programs
}

fn main() -> ExitCode {
    let programs = programs();
    if programs.is_empty() {
        println!("left out: no --peer and no OXIDIS_PEERS names another server");
        return ExitCode::SUCCESS;
    }
    let ours = Party::of(Path::new(env!("CARGO_BIN_EXE_oxidis")));
    let mut differences = 0;
    for program in programs {
        let theirs = Party::of(&program);
        for way in [Way::Snapshot, Way::Log, Way::LogOfCommands] {
            differences += exchange(&theirs, &ours, way);
            differences += exchange(&ours, &theirs, way);
        }
    }
    match differences {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Carries data over; how much of it is different there.
fn exchange(from: &Party, to: &Party, way: Way) -> usize {
    let what = format!("{} -> {}, {way:?}", from.name, to.name);
    let folder = std::env::temp_dir().join(format!("oxidis-exchange-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    let mut writer = from.start(&folder, way, to);
    let reader = Server::start(&to.program, &[]);
    // Field deadlines of a snapshot are a matter of dialect.
    let with_fields = !to.is_valkey || matches!(way, Way::LogOfCommands);
    let keys = fill(&mut writer, reader, with_fields);
    match way {
        Way::Snapshot => assert!(content::is_ok(&writer.ask(&[b"SAVE"]))),
        Way::Log | Way::LogOfCommands => {
            writer.ask(&[b"BGREWRITEAOF"]);
            while !writer
                .text(&["INFO", "persistence"])
                .contains("aof_rewrite_in_progress:0")
            {
                std::thread::yield_now();
            }
            go_on(&mut writer);
        }
    }
    let is_snapshot = matches!(way, Way::Snapshot);
    let is_old = from.version.min(to.version) < 8;
    let scope = Scope {
        field_deadlines: !is_old,
        seen: is_snapshot,
        read_counts: is_snapshot || !is_old,
    };
    let before = look(&mut writer, scope);
    drop(writer);
    let mut reader = to.start(&folder, way, to);
    let after = look(&mut reader, scope);
    drop(reader);
    // Whatever is left of it harms nobody.
    let _ = fs::remove_dir_all(&folder);
    let differences = content::compare(&before, &after);
    println!(
        "{what}: {keys} commands, {} facts, {differences} differences",
        before.len()
    );
    differences
}
