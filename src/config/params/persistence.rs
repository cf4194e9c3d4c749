//! Rows of the group "Snapshots": point-in-time files (RDB).

use super::{Param, choice, flag, special};
use crate::config::kind::Kind;
use crate::config::settings::{RdbVersion, RdbVersionCheck, SanitizeDumpPayload, SavePoint};

pub(super) static ROWS: &[Param] = &[
    special(
        "save",
        "3600 1 300 100 60 10000",
        Kind::SavePoints,
        "Save after so many seconds if there were so many changes; pairs; \"\" means never.",
    )
    .field(|s, v| s.save = SavePoint::all(v)),
    special(
        "dbfilename",
        "dump.rdb",
        Kind::FileName,
        "Name of the dump file.",
    )
    .protected()
    .field(|s, v| s.dbfilename = v.to_text()),
    flag(
        "rdbcompression",
        "yes",
        "Compress strings in the dump file.",
    )
    .field(|s, v| s.rdbcompression = v.is_yes()),
    flag(
        "rdbchecksum",
        "yes",
        "Put a checksum at the end of the dump file. One that is there is checked in any case.",
    )
    .immutable()
    .field(|s, v| s.rdbchecksum = v.is_yes()),
    choice(
        "rdb-version",
        "11",
        RdbVersion::WORDS,
        "Version of dump files and DUMP payloads; 10 is for Redis 7.0, where deadlines of hash fields get lost.",
    )
    .field(|s, v| s.rdb_version = RdbVersion::from_value(v)),
    choice(
        "rdb-version-check",
        "strict",
        RdbVersionCheck::WORDS,
        "Whether a dump file of a later version is refused; it is in any case.",
    )
    .field(|s, v| s.rdb_version_check = RdbVersionCheck::from_value(v)),
    flag(
        "rdb-del-sync-files",
        "no",
        "Delete dump files that only served a full sync.",
    )
    .field(|s, v| s.rdb_del_sync_files = v.is_yes()),
    flag(
        "rdb-save-incremental-fsync",
        "yes",
        "Flush the dump file to disk bit by bit.",
    )
    .field(|s, v| s.rdb_save_incremental_fsync = v.is_yes()),
    flag(
        "stop-writes-on-bgsave-error",
        "yes",
        "Refuse writes while the last save has failed.",
    )
    .field(|s, v| s.stop_writes_on_bgsave_error = v.is_yes()),
    choice(
        "sanitize-dump-payload",
        "no",
        SanitizeDumpPayload::WORDS,
        "Whose dump data is checked in depth; all is in any case.",
    )
    .field(|s, v| s.sanitize_dump_payload = SanitizeDumpPayload::from_value(v)),
];
