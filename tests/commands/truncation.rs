//! The append-only file cut off at every byte, as a crash may leave it: what was whole is there, what was not is gone from
//! memory and from the disk, and what is written then survives the next start.

use crate::append_only::{Folder, ON};
use crate::harness::Server;
use std::fs;
use std::path::Path;

const DEBUG: &str = "enable-debug-command yes";
const INCREMENT: &str = "appendonly.aof.1.incr.aof";
const BASE: &str = "appendonly.aof.1.base.rdb";

/// Commands of all kinds: alone, in another database, as a unit of several, as a unit that a script leaves.
const COMMANDS: [&str; 9] = [
    "SET a 1",
    "HSET h f v g w",
    "SELECT 3",
    "RPUSH l a b",
    "MULTI ; INCR n ; SADD s 1 x ; SET t x PXAT 1900000000000 ; EXEC",
    "EVAL \"redis.call('SET','x',1) redis.call('ZADD','z',1,'m')\" 0",
    "SELECT 0",
    "XADD st 1-1 f v",
    "MULTI ; DEL a ; SET last 1 ; EXEC",
];

/// A log, and what the data was whenever it was whole.
struct Log {
    bytes: Vec<u8>,
    /// Bytes and digest, one more for each command.
    whole: Vec<(usize, String)>,
}

impl Log {
    /// The digest of what the first `length` bytes hold, and how many of them are whole units.
    fn at(&self, length: usize) -> (usize, &str) {
        let fits = self.whole.iter().rev().find(|(end, _)| *end <= length);
        let (end, digest) = fits.expect("nothing fits always");
        (*end, digest)
    }
}

fn digest(server: &mut Server) -> String {
    server.run("DEBUG DIGEST")
}

fn open(folder: &Folder, lines: &str) -> Result<Server, String> {
    let mut server = Server::with_config(&format!("{ON}\n{DEBUG}\n{lines}"));
    server.host.disk.folder = Some(folder.root().to_owned());
    let loaded = server.engine.load_log(&mut server.host);
    loaded.map_err(|error| error.to_string())?;
    Ok(server)
}

/// Runs the commands with such settings, over a data set of one key.
fn written(folder: &Folder, lines: &str) -> Log {
    let mut server = open(folder, lines).expect("there is nothing to be read");
    server.check("SET base 1 -> OK\nBGREWRITEAOF -> Background append only file rewriting started");
    server.pass_ms(0);
    let path = folder.path("appendonly.aof.2.incr.aof");
    let mut whole = vec![(0, digest(&mut server))];
    for command in COMMANDS {
        server.pass_ms(700);
        for part in command.split(" ; ") {
            let reply = server.run(part);
            assert!(!reply.starts_with('!'), "{part}: {reply}");
        }
        let length = fs::metadata(&path).expect("it is there").len();
        whole.push((length as usize, digest(&mut server)));
    }
    let bytes = fs::read(&path).expect("it is there");
    Log { bytes, whole }
}

/// Makes a folder whose files are a base and the first bytes of a log.
fn lay(folder: &Folder, base: &[u8], increment: &[u8]) {
    let manifest = format!("file {BASE} seq 1 type b\nfile {INCREMENT} seq 1 type i\n");
    fs::create_dir_all(folder.path("")).expect("it is writable");
    fs::write(folder.path("appendonly.aof.manifest"), manifest).expect("it is writable");
    fs::write(folder.path(BASE), base).expect("it is writable");
    fs::write(folder.path(INCREMENT), increment).expect("it is writable");
}

/// Starts over a log cut at `length`, where `before` bytes stand before the log; writes; starts again.
fn repair(folder: &Folder, path: &Path, log: &Log, before: usize, length: usize) {
    let mut server = open(folder, "").unwrap_or_else(|error| panic!("{length}: {error}"));
    let (end, wanted) = log.at(length);
    assert_eq!(digest(&mut server), wanted, "cut at {length}");
    let left = fs::metadata(path).expect("it is there").len() as usize - before;
    assert!(
        end <= left && left <= length,
        "{left} bytes of {length}, {end} are whole"
    );
    server.check(
        "SELECT 7 -> OK\nRPUSH after 1 2 -> (2)\nMULTI -> OK\nINCR a -> QUEUED\nINCR b -> QUEUED",
    );
    server.check("EXEC -> [(1) (1)]");
    let wanted = digest(&mut server);
    drop(server);
    let mut server = open(folder, "aof-load-truncated no").unwrap_or_else(|error| {
        panic!("cut at {length}, written to, and not whole at the next start: {error}")
    });
    assert_eq!(digest(&mut server), wanted, "cut at {length}, written to");
}

#[test]
fn a_log_cut_at_any_byte_has_its_whole_units_and_takes_more() {
    for lines in ["", "aof-timestamp-enabled yes"] {
        let source = Folder::new();
        let log = written(&source, lines);
        let base = fs::read(source.path("appendonly.aof.2.base.rdb")).expect("it is there");
        let folder = Folder::new();
        for length in 0..=log.bytes.len() {
            lay(&folder, &base, &log.bytes[..length]);
            repair(&folder, &folder.path(INCREMENT), &log, 0, length);
        }
    }
}

#[test]
fn a_length_that_has_become_too_large_does_not_cost_the_commands_behind_it() {
    let source = Folder::new();
    let log = written(&source, "");
    let base = fs::read(source.path("appendonly.aof.2.base.rdb")).expect("it is there");
    let folder = Folder::new();
    let text = &log.bytes;
    let last = (0..text.len()).rfind(|at| text[*at..].starts_with(b"*"));
    let marks = (0..last.expect("there are commands")).filter(|at| text[*at] == b'$');
    for mark in marks {
        let broken = [&text[..=mark], b"99999", &text[mark + 2..]].concat();
        lay(&folder, &base, &broken);
        let Err(error) = open(&folder, "") else {
            panic!("{mark}: all behind it was cut off");
        };
        assert!(error.contains("Bad file format"), "{mark}: {error}");
        assert!(fs::read(folder.path(INCREMENT)).expect("it is there") == broken);
    }
}

#[test]
fn a_base_of_commands_is_the_last_file_where_there_is_no_increment() {
    let source = Folder::new();
    let log = written(&source, "");
    let folder = Folder::new();
    let empty = log.whole[0].1.clone();
    for length in (0..=log.bytes.len()).step_by(7) {
        fs::create_dir_all(folder.path("")).expect("it is writable");
        let manifest = "file base.aof seq 1 type b\n";
        fs::write(folder.path("appendonly.aof.manifest"), manifest).expect("it is writable");
        fs::write(folder.path("base.aof"), &log.bytes[..length]).expect("it is writable");
        let mut server = open(&folder, "").unwrap_or_else(|error| panic!("{length}: {error}"));
        let wanted = log.at(length).1;
        // The key of the base that the log was written behind is not here.
        server.check("SET base 1 -> OK");
        assert_eq!(digest(&mut server), wanted, "cut at {length}");
        assert!(length > 0 || wanted == empty);
        server.run("SET more 1");
        let wanted = digest(&mut server);
        drop(server);
        let mut server = open(&folder, "aof-load-truncated no").expect("it is whole");
        assert_eq!(digest(&mut server), wanted, "cut at {length}, written to");
        drop(server);
        fs::remove_dir_all(folder.path("")).expect("it is there");
    }
}

#[test]
fn an_old_file_of_a_snapshot_and_commands_is_repaired_behind_the_snapshot_alone() {
    let source = Folder::new();
    let log = written(&source, "");
    let base = fs::read(source.path("appendonly.aof.2.base.rdb")).expect("it is there");
    let whole = [base.as_slice(), &log.bytes].concat();
    let folder = Folder::new();
    for length in (1..whole.len()).step_by(3).chain([base.len(), whole.len()]) {
        // The folder of before must not be there: it would be the one that is read.
        let _ = fs::remove_dir_all(folder.path(""));
        let old = folder.root().join("appendonly.aof");
        fs::write(&old, &whole[..length]).expect("it is writable");
        match length.checked_sub(base.len()) {
            Some(length) => {
                let path = folder.path("appendonly.aof");
                repair(&folder, &path, &log, base.len(), length);
            }
            None => {
                let Err(error) = open(&folder, "") else {
                    panic!("{length} bytes of a snapshot were taken for all of it");
                };
                assert!(error.contains("appendonly.aof"), "{error}");
                let left = fs::read(&old).expect("it is where it was");
                assert!(left == whole[..length], "it was changed");
            }
        }
    }
}

#[test]
fn a_base_cut_at_any_byte_is_refused_and_nothing_is_changed() {
    let source = Folder::new();
    let log = written(&source, "");
    let base = fs::read(source.path("appendonly.aof.2.base.rdb")).expect("it is there");
    let folder = Folder::new();
    for length in 0..base.len() {
        lay(&folder, &base[..length], &log.bytes);
        let Err(error) = open(&folder, "") else {
            panic!("{length} bytes of a base were taken for all of it");
        };
        assert!(error.contains(BASE), "{length}: {error}");
        assert!(length < 5 || error.contains("at byte"), "{length}: {error}");
        assert!(fs::read(folder.path(BASE)).expect("it is there") == base[..length]);
        assert!(fs::read(folder.path(INCREMENT)).expect("it is there") == log.bytes);
    }
}

#[test]
fn an_increment_that_is_not_the_last_is_not_cut() {
    let source = Folder::new();
    let log = written(&source, "");
    let base = fs::read(source.path("appendonly.aof.2.base.rdb")).expect("it is there");
    let folder = Folder::new();
    lay(&folder, &base, &log.bytes[..log.bytes.len() - 5]);
    let manifest = format!(
        "file {BASE} seq 1 type b\nfile {INCREMENT} seq 1 type i\nfile second seq 2 type i\n"
    );
    fs::write(folder.path("appendonly.aof.manifest"), manifest).expect("it is writable");
    fs::write(folder.path("second"), "").expect("it is writable");
    let Err(error) = open(&folder, "") else {
        panic!("what comes behind the gap was applied to what is before it");
    };
    assert!(
        error.contains("Unexpected end of file") && error.contains(INCREMENT),
        "{error}"
    );
}
