//! The data of before, read from its file before the first client is taken.
//!
//! A file that is not there is an empty data set; one that is there and cannot be read, or is not what it must be, ends
//! the start: to begin empty would mean to write an empty file over it at the next save.

use crate::engine::Engine;
use crate::persist::load::Summary;
use crate::rdb::read::Reader;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Instant;

/// Loads the file that the settings name into the engine.
///
/// # Errors
/// Why not: file, offset, what should stand there and what does.
pub(super) fn load_file(engine: &mut Engine) -> Result<(), String> {
    let name = engine.server.config.settings.dbfilename.clone();
    let began = Instant::now();
    let failed = |reason: &dyn std::fmt::Display| {
        format!("Fatal error loading the DB, {name}: {reason}. Exiting.")
    };
    let Some((file, bytes)) = open(Path::new(&name)).map_err(|error| failed(&error))? else {
        return Ok(());
    };
    tracing::info!("Loading the data set from {name}, bytes={bytes}");
    let mut reader = Reader::of_source(file, bytes);
    let summary = engine.load_snapshot(&mut reader, false, false);
    let summary = summary.map_err(|error| failed(&error))?;
    report(&summary, began);
    engine.note_loaded(&summary);
    Ok(())
}

/// Opens a file; `None`: there is none.
fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    match File::open(path) {
        Ok(file) => {
            let bytes = file.metadata()?.len();
            Ok(Some((file, bytes)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn report(summary: &Summary, began: Instant) {
    let (keys, expired, empty) = (summary.keys, summary.expired, summary.empty);
    if empty > 0 {
        tracing::warn!("Passed over collections without elements, keys={empty}");
    }
    tracing::info!(
        "Done loading RDB, keys loaded: {keys}, keys expired: {expired}, empty keys skipped: {empty}."
    );
    let seconds = began.elapsed().as_secs_f64();
    tracing::info!("DB loaded from disk: {seconds:.3} seconds");
}
