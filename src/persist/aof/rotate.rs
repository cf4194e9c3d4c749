//! Going on with a new increment, so that the files before it are complete: nobody writes to them any more.

use super::manifest::Manifest;
use super::{Aof, AofJob, Names};

/// What was in use when the log went on with a new increment.
#[derive(Debug)]
pub struct Rotation {
    /// Where the files are.
    pub names: Names,
    /// The files that are complete when the new increment is open.
    pub before: Manifest,
}

impl Aof {
    /// Goes on with a new increment. No rewrite may be under way, nor begin before [`Self::on_rotated`].
    pub fn begin_rotation(&mut self) -> (AofJob, Rotation) {
        let before = self.manifest.clone();
        let mut grown = before.clone();
        let increment = grown.add_increment(&self.names.file);
        self.stamped_s = 0;
        let job = AofJob::Rotate {
            path: self.names.path(&increment.name),
            manifest: (self.names.manifest(), grown.text()),
        };
        let names = self.names.clone();
        (job, Rotation { names, before })
    }

    /// The new increment is there.
    pub fn on_rotated(&mut self) {
        self.manifest.add_increment(&self.names.file);
    }
}
