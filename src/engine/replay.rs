//! Building the data from the append-only file: its snapshot, then its commands, one after the other, as they ran when they
//! were written. Nobody is answered, nothing is written again, and time stands before all deadlines: what had expired is
//! deleted by a command of the file, or afterwards. The walk over a file is [`crate::persist::aof::tape`]'s.
//!
//! A file that ends within a command or a unit was cut by a crash; if it is the last one, and the settings allow it, it is
//! cut back to its last whole unit, on disk too: what is appended must not follow half a command.

use super::loading::Purpose;
use super::{Engine, Staged, Turn};
use crate::command::host::Host;
use crate::command::row::flag;
use crate::command::saving::walk_to_end;
use crate::persist::aof::load::{LoadError, Opened};
use crate::persist::aof::manifest::Manifest;
use crate::persist::aof::tape::{Commands, Item, Tape};
use crate::persist::aof::{AofJob, AofReport, Names, Publication};
use crate::persist::load::Summary;
use crate::persist::{Job, Report};
use crate::rdb::read::Reader;
use crate::resp::request::Argv;
use crate::session::{Peer, Session, hindrance};
use std::io::{self, Read};
use std::path::PathBuf;

/// Where a command stands.
#[derive(Clone, Copy)]
struct Place<'f> {
    file: &'f str,
    offset: u64,
}

impl Place<'_> {
    fn malformed(self, reason: String) -> LoadError {
        LoadError::Format {
            file: self.file.to_owned(),
            offset: self.offset,
            reason,
        }
    }
}

impl Engine {
    /// Builds the data from the append-only file and makes that ready to be appended to. If there is none yet, but a
    /// snapshot, that is the data, and the append-only file is made of it.
    ///
    /// # Errors
    /// Why not: file, offset, reason. The data is incomplete then.
    pub fn load_log(&mut self, host: &mut dyn Host) -> Result<(), LoadError> {
        let loaded = self.read_log(host);
        self.end_loading(host);
        loaded
    }

    fn read_log(&mut self, host: &mut dyn Host) -> Result<(), LoadError> {
        let names = Names::of(&self.server.config.settings);
        let (manifest, is_old) = find_manifest(&names, host)?;
        if manifest.is_empty() {
            self.refuse_strays(&names, host)?;
            if self.load_dump(host)? {
                return self.make_log(names, manifest, host);
            }
        }
        let began_ns = self.server.clock.monotonic_ns();
        let mut bytes = 0;
        let (mut cut, is_new) = (None, manifest.is_empty());
        let files: Vec<&str> = manifest
            .base
            .iter()
            .chain(&manifest.increments)
            .map(|listed| &*listed.name)
            .collect();
        let path_of = |at: usize, file: &str| match (is_old, at) {
            (true, 0) => names.file.clone(),
            _ => names.path(file).display().to_string(),
        };
        let paths: Vec<String> = (0..)
            .zip(&files)
            .map(|(at, file)| path_of(at, file))
            .collect();
        self.begin_replay(&paths, host);
        for (at, (file, path)) in files.iter().zip(&paths).enumerate() {
            let is_last = at + 1 == files.len();
            let length = self.replay_file(path, is_last, host, &mut cut)?;
            bytes += length;
            let kind = if at == 0 && manifest.base.is_some() {
                "base"
            } else {
                "incr"
            };
            let seconds = self.seconds_since(began_ns);
            tracing::info!("DB loaded from {kind} file {file}: {seconds:.3} seconds");
        }
        if !is_new {
            let seconds = self.seconds_since(began_ns);
            tracing::info!("DB loaded from append only file: {seconds:.3} seconds");
        }
        self.refresh_time();
        let opened = self.prepare_files(&names, manifest, is_old, bytes, cut, host)?;
        let now_ms = self.keyspace.now_ms();
        self.server.saver.mark_saved(&self.keyspace, now_ms);
        let reader = self.open_stream();
        self.log_reader = Some(reader);
        let end = self.stream.end();
        let paths = drafts(&names, host);
        let open = self.server.aof.begin(names, opened, end);
        host.disk(Job::Aof(open));
        finish_jobs(host)?;
        host.disk(Job::Aof(AofJob::Remove { paths }));
        Ok(())
    }

    /// Where no manifest is: a folder that has data all the same is not one to begin anew in. What a start leaves that came
    /// to its end before it wrote a manifest has none.
    fn refuse_strays(&mut self, names: &Names, host: &mut dyn Host) -> Result<(), LoadError> {
        let failed = |file: &str| {
            let file = file.to_owned();
            move |source| LoadError::Read { file, source }
        };
        let listed = match host.list_folder(&names.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listed => listed.map_err(failed(&names.folder))?,
        };
        if listed.contains(&names.start_mark()) {
            return Ok(());
        }
        for name in listed {
            if !Manifest::may_list(&names.file, &name) {
                continue;
            }
            let file = names.path(&name).display().to_string();
            let (source, bytes) = host.open_file(&file).map_err(failed(&file))?;
            let is_empty = bytes == 0 || {
                let mut reader = Reader::of_source(source, bytes);
                let loaded = self.load_snapshot(&mut reader, Purpose::Base, host);
                let is_nothing = |summary: Summary| summary.keys == 0 && summary.libraries == 0;
                loaded.is_ok_and(|summary| summary.is_some_and(is_nothing))
            };
            if !is_empty {
                let manifest = names.manifest().display().to_string();
                return Err(LoadError::Stray { file, manifest });
            }
        }
        Ok(())
    }

    fn seconds_since(&self, began_ns: u64) -> f64 {
        (self.server.clock.monotonic_ns() - began_ns) as f64 / 1e9
    }

    /// Makes an append-only file of the data as it is, before anything of it can be changed.
    fn make_log(
        &mut self,
        names: Names,
        manifest: Manifest,
        host: &mut dyn Host,
    ) -> Result<(), LoadError> {
        tracing::warn!(
            "There is no append-only file yet, but a snapshot: the data is that of the snapshot, and the append-only file \
             is made of it."
        );
        self.refresh_time();
        // The mark comes before all else and goes after it.
        let mark = names.path(&names.start_mark());
        host.disk(Job::Aof(AofJob::Create {
            path: mark.clone(),
            content: Vec::new(),
        }));
        finish_jobs(host)?;
        let mut others = drafts(&names, host);
        others.retain(|path| *path != mark);
        host.disk(Job::Aof(AofJob::Remove { paths: others }));
        self.server.aof.note_files(names.clone(), manifest);
        self.server.aof.start(names);
        self.rewrite_log(host);
        walk_to_end(&mut self.server, &mut self.keyspace, host);
        // The base is in its place; now for the manifest.
        for report in host.wait_disk(0) {
            self.on_disk_report(&report, host);
        }
        self.free_garbage(host);
        if self.server.aof.is_on() {
            host.disk(Job::Aof(AofJob::Remove { paths: vec![mark] }));
            return Ok(());
        }
        let reason = "it could not be made of the snapshot, why stands above".to_owned();
        Err(LoadError::Open { reason })
    }

    /// All files that are to be replayed count for the progress.
    fn begin_replay(&mut self, paths: &[String], host: &mut dyn Host) {
        // What cannot be opened shows when its turn comes.
        let bytes = paths.iter().map(|path| host.open_file(path));
        let bytes = bytes.flatten().map(|(_, bytes)| bytes).sum();
        self.begin_loading(bytes);
    }

    /// Without `appendonly`: takes note of the files that are there, so that none is ever written over.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn note_log(&mut self, host: &mut dyn Host) -> Result<(), LoadError> {
        let names = Names::of(&self.server.config.settings);
        let (manifest, is_old) = find_manifest(&names, host)?;
        let manifest = match is_old {
            true => Manifest::default(),
            false => manifest,
        };
        let paths = drafts(&names, host);
        host.disk(Job::Aof(AofJob::Remove { paths }));
        self.server.aof.note_files(names, manifest);
        Ok(())
    }

    /// Replays all files that are in use.
    pub(super) fn replay_listed(&mut self, host: &mut dyn Host) -> Result<(), LoadError> {
        let mut cut = None;
        let files = self.server.aof.files();
        let paths: Vec<String> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        self.begin_replay(&paths, host);
        paths
            .iter()
            .try_for_each(|path| self.replay_file(path, false, host, &mut cut).map(drop))
    }

    /// Replays one file; its bytes. `cut`: where it must be cut off, if it must.
    fn replay_file(
        &mut self,
        path: &str,
        is_last: bool,
        host: &mut dyn Host,
        cut: &mut Option<(String, u64)>,
    ) -> Result<u64, LoadError> {
        let (source, bytes) = host.open_file(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => LoadError::Missing {
                file: path.to_owned(),
            },
            _ => LoadError::Read {
                file: path.to_owned(),
                source,
            },
        })?;
        let mut tape = Tape::new(path, source, bytes);
        self.replay(&mut tape, host, &mut |_| false)?;
        if let Some(progress) = &mut self.server.loading {
            progress.end_file(bytes);
        }
        let whole = tape.whole();
        if whole == bytes {
            return Ok(bytes);
        }
        let allowed = self.server.config.settings.aof_load_truncated && is_last;
        if !allowed {
            return Err(LoadError::Truncated {
                file: path.to_owned(),
                offset: whole,
                bytes,
            });
        }
        tape.check_tail()?;
        tracing::warn!("!!! Warning: short read while loading the AOF file {path}!!!");
        tracing::warn!(
            "AOF loaded anyway because aof-load-truncated is enabled: the file is cut from {bytes} to {whole} bytes"
        );
        *cut = Some((path.to_owned(), whole));
        Ok(whole)
    }

    /// Adds what a file of an append-only file has, up to the first item at which `stops` says so: that one and those behind
    /// it do not run. Whether there was such an item.
    ///
    /// # Errors
    /// Where the file is not what it must be. That it ends too early is none: see [`Tape::whole`].
    pub fn replay(
        &mut self,
        tape: &mut Tape,
        host: &mut dyn Host,
        stops: &mut dyn FnMut(&Item<'_>) -> bool,
    ) -> Result<bool, LoadError> {
        self.keyspace
            .stand_before_deadlines(self.server.clock.unix_ms());
        self.replay_preamble(tape, host)?;
        self.keyspace.set_in_bulk(true);
        let ended = self.replay_commands(tape, host, stops);
        self.keyspace.set_in_bulk(false);
        self.refresh_time();
        ended
    }

    /// Loads the snapshot that the file begins with, if it does.
    fn replay_preamble(&mut self, tape: &mut Tape, host: &mut dyn Host) -> Result<(), LoadError> {
        let loaded = tape.preamble(|reader| {
            tracing::info!("Reading RDB base file on AOF loading...");
            self.load_snapshot(reader, Purpose::Base, host)
        })?;
        if let Some(loaded) = loaded {
            let summary = loaded.map_err(|source| LoadError::Preamble {
                file: tape.file().to_owned(),
                source,
            })?;
            self.server.last_load = summary.ok_or(LoadError::Stopped)?;
        }
        Ok(())
    }

    fn replay_commands(
        &mut self,
        tape: &mut Tape,
        host: &mut dyn Host,
        stops: &mut dyn FnMut(&Item<'_>) -> bool,
    ) -> Result<bool, LoadError> {
        let now_ms = self.server.clock.unix_ms();
        let mut session = Box::new(Session::of_nobody(Peer::default(), now_ms));
        session.hinder(hindrance::REPLAYED, true);
        let mut turn = Turn::of_replay(session, host);
        let file = tape.file().to_owned();
        loop {
            let before = tape.commands();
            match tape.next_item()? {
                None => return Ok(false),
                Some(item) if stops(&item) => return Ok(true),
                Some(Item::Commands(commands)) => {
                    self.replay_batch(&file, commands, before, &mut turn)?;
                }
                Some(Item::Annotation { .. }) => {}
            }
        }
    }

    /// Runs commands; `before`: how many the file has before them.
    fn replay_batch(
        &mut self,
        file: &str,
        commands: Commands<'_>,
        before: u64,
        turn: &mut Turn<'_>,
    ) -> Result<(), LoadError> {
        let queues = turn.session.in_transaction();
        self.stage(turn.session.db, queues, commands.batch, commands.input);
        for index in 0..commands.count {
            let Some(staged) = self.staged.get(index).copied() else {
                break;
            };
            // SELECT within the batch: the places that were foreseen are those of another database, their hashes hold.
            let place = Place {
                file,
                offset: commands.offset(index),
            };
            self.replay_one(place, turn, commands.argv(index), staged)?;
            let (end, ran) = (commands.offset(index + 1), before + index as u64 + 1);
            if !self.go_on_loading(end, ran, true, turn.host) {
                return Err(LoadError::Stopped);
            }
        }
        Ok(())
    }

    fn replay_one(
        &mut self,
        place: Place<'_>,
        turn: &mut Turn<'_>,
        argv: Argv<'_>,
        staged: Staged,
    ) -> Result<(), LoadError> {
        let known = staged
            .command
            .map(|id| (id, self.server.table.entry(id).row));
        let Some((command, row)) = known.filter(|(_, row)| row.subcommands.is_empty()) else {
            return Err(LoadError::Unknown {
                file: place.file.to_owned(),
                offset: place.offset,
                name: String::from_utf8_lossy(argv.word(0)).into_owned(),
            });
        };
        if !row.accepts(argv.len()) {
            let name = row.full_name;
            return Err(place.malformed(format!("wrong number of arguments for '{name}'")));
        }
        if turn.session.in_transaction() && !row.is(flag::IN_MULTI) {
            let writes = super::gates::may_write(self, argv, row);
            self.queue(turn, argv, row, writes);
            return Ok(());
        }
        // What waits, waits for nobody here.
        turn.session.hinder(hindrance::NESTED, true);
        self.run(turn, argv, command, staged.key);
        turn.session.hinder(hindrance::NESTED, false);
        turn.output.clear();
        Ok(())
    }

    /// Makes a base without keys; its bytes.
    fn create_base(&self, names: &Names, manifest: &mut Manifest, host: &mut dyn Host) -> u64 {
        let as_rdb = self.server.config.settings.aof_use_rdb_preamble;
        let base = manifest.next_base(&names.file, as_rdb);
        tracing::info!("Creating AOF base file {} on server start", base.name);
        let content = if as_rdb {
            self.empty_base()
        } else {
            Vec::new()
        };
        let bytes = content.len() as u64;
        let path = names.path(&base.name);
        host.disk(Job::Aof(AofJob::Create { path, content }));
        manifest.rebase(base, 0);
        bytes
    }

    /// Makes the files ready: those that are superfluous go, a new increment comes if there is none.
    fn prepare_files(
        &mut self,
        names: &Names,
        mut manifest: Manifest,
        is_old: bool,
        mut bytes: u64,
        cut: Option<(String, u64)>,
        host: &mut dyn Host,
    ) -> Result<Opened, LoadError> {
        if let Some((path, length)) = cut {
            let path = path.into();
            host.disk(Job::Aof(AofJob::Cut { path, length }));
        }
        let before = manifest.text();
        if is_old {
            // The manifest first: with it, the file is found in either place.
            host.disk(Job::Aof(publication(names, &before, None)));
            let moved = (names.file.clone().into(), names.path(&names.file));
            host.disk(Job::Aof(publication(names, &before, Some(moved))));
            tracing::info!("Successfully migrated an old-style AOF");
        }
        if manifest.is_empty() {
            bytes += self.create_base(names, &mut manifest, host);
        }
        let increment = match manifest.increments.last() {
            Some(last) => last.name.clone(),
            None => create_increment(names, &mut manifest, host),
        };
        let keeps_history = self.server.config.settings.aof_disable_auto_gc;
        let history = match keeps_history {
            true => Vec::new(),
            false => std::mem::take(&mut manifest.history),
        };
        let text = manifest.text();
        if text != before {
            host.disk(Job::Aof(AofJob::Publish(Publication {
                manifest: names.manifest(),
                text: text.clone(),
                text_after: text,
                remove: history.iter().map(|old| names.path(&old.name)).collect(),
                ..Publication::default()
            })));
        }
        finish_jobs(host)?;
        Ok(Opened {
            manifest,
            increment,
            bytes,
        })
    }
}

/// Begins the first increment; its name.
fn create_increment(names: &Names, manifest: &mut Manifest, host: &mut dyn Host) -> String {
    let increment = manifest.add_increment(&names.file);
    tracing::info!("Creating AOF incr file {} on server start", increment.name);
    host.disk(Job::Aof(AofJob::Create {
        path: names.path(&increment.name),
        content: Vec::new(),
    }));
    increment.name
}

/// What a server was making when it was killed.
fn drafts(names: &Names, host: &mut dyn Host) -> Vec<PathBuf> {
    // Where there is no folder, there is nothing in it.
    let listed = host.list_folder(&names.folder).unwrap_or_default();
    let drafts = listed.iter().filter(|name| names.is_draft(name));
    drafts.map(|name| names.path(name)).collect()
}

fn publication(names: &Names, text: &[u8], rename: Option<(PathBuf, PathBuf)>) -> AofJob {
    AofJob::Publish(Publication {
        rename,
        manifest: names.manifest(),
        text: text.to_vec(),
        ..Publication::default()
    })
}

/// Waits for all jobs.
///
/// # Errors
/// The first that failed.
fn finish_jobs(host: &mut dyn Host) -> Result<(), LoadError> {
    let failure = host
        .wait_disk(0)
        .into_iter()
        .find_map(|report| match report {
            Report::Aof(AofReport::Opened { error } | AofReport::Published { error }) => error,
            _ => None,
        });
    failure.map_or(Ok(()), |reason| Err(LoadError::Open { reason }))
}

/// What the manifest says; and whether the data is in a file of the time before there were manifests, outside the folder.
fn find_manifest(names: &Names, host: &mut dyn Host) -> Result<(Manifest, bool), LoadError> {
    let path = names.manifest().display().to_string();
    let failed = |file: &str, source| LoadError::Read {
        file: file.to_owned(),
        source,
    };
    let mut there = |file: &str| match host.open_file(file) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed(file, source)),
    };
    let inside = names.path(&names.file).display().to_string();
    let (old, moved) = (there(&names.file)?, there(&inside)?);
    let mut text = Vec::new();
    match host.open_file(&path) {
        Ok((mut source, _)) => source
            .read_to_end(&mut text)
            .map_err(|source| failed(&path, source))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let manifest = match old {
                true => Manifest::of_old_file(&names.file),
                false => Manifest::default(),
            };
            return Ok((manifest, old));
        }
        Err(source) => return Err(failed(&path, source)),
    };
    let manifest =
        Manifest::parse(&text).map_err(|source| LoadError::Manifest { file: path, source })?;
    // A crash between the two steps of the migration: the manifest is there, the file has not been moved.
    let is_its = manifest
        .base
        .as_ref()
        .is_some_and(|base| base.name == names.file);
    let waits = old && is_its && !moved;
    Ok((manifest, waits))
}
