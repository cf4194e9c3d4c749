//! BACKUP: has a folder made with all data of this moment, while the server runs.

use crate::command::backup::must_wait;
use crate::command::{Args, Ctx, Error, Flow};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

const NOT_BELOW: Error = Error::Text(
    "ERR BACKUP takes the path of a new folder below the working folder ('dir'), without '..'",
);
const EXISTS: Error =
    Error::Text("ERR The folder of a backup must not exist yet: nothing is written over");
const NOT_A_LINE: Error =
    Error::Text("ERR BACKUP takes a path without control characters: INFO tells it in a line");
const UNDER_WAY: Error = Error::Text("ERR Background backup already in progress");

pub(super) fn backup(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let path = Path::new(OsStr::from_bytes(args.word()?));
    let mut components = path.components();
    let is_below =
        components.all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
    let shown = path.to_str().filter(|shown| !shown.is_empty() && is_below);
    let shown = shown.ok_or(NOT_BELOW)?;
    if shown.contains(char::is_control) {
        return Err(NOT_A_LINE);
    }
    // Only a folder has this name in it: a pipe, which would wait for a writer, is not opened.
    match ctx.host.open_file(&format!("{shown}/.")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(_) => return Err(EXISTS),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(EXISTS),
        Err(error) => return Err(Error::Message(format!("ERR BACKUP {shown}: {error}"))),
    }
    let waits = must_wait(ctx.server);
    if !ctx.server.backups.want(path.to_owned()) {
        return Err(UNDER_WAY);
    }
    ctx.reply.simple(match waits {
        true => "Background backup scheduled",
        false => "Background backup started",
    });
    Ok(Flow::Done)
}
