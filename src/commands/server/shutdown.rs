//! SHUTDOWN: the end of the server, with its data saved before as the options or the save points say.

use crate::command::saving::{Ending, end};
use crate::command::{Args, Ctx, Error, Flow};

/// What SHUTDOWN was told.
#[derive(Default)]
struct Options {
    save: bool,
    nosave: bool,
    now: bool,
    force: bool,
    abort: bool,
}

impl Options {
    fn read(args: &mut Args<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        while !args.is_empty() {
            let option = if args.flag("NOSAVE") {
                &mut options.nosave
            } else if args.flag("SAVE") {
                &mut options.save
            } else if args.flag("NOW") {
                &mut options.now
            } else if args.flag("FORCE") {
                &mut options.force
            } else if args.flag("ABORT") {
                &mut options.abort
            } else {
                return Err(Error::Syntax);
            };
            *option = true;
        }
        let others = options.save || options.nosave || options.now || options.force;
        if (options.save && options.nosave) || (options.abort && others) {
            return Err(Error::Syntax);
        }
        Ok(options)
    }
}

pub(super) fn shutdown(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let options = Options::read(args)?;
    if options.abort {
        // A shutdown takes no time in which it could be taken back.
        return Err(Error::Text("ERR No shutdown in progress."));
    }
    if let Some(running) = ctx.server.scripts.running.as_ref()
        && !options.nosave
    {
        // What the script has done so far is no state to be saved.
        return Err(Error::Busy(running.flavor));
    }
    // No replicas are waited for, so NOW changes nothing.
    let _ = options.now;
    let ending = Ending {
        save: options.save,
        nosave: options.nosave,
        force: options.force,
    };
    if !end(ctx.server, ctx.db.keyspace(), ctx.host, ending) {
        return Err(Error::Text("ERR Errors trying to SHUTDOWN. Check logs."));
    }
    // What is pipelined behind it must not run.
    Ok(Flow::Close)
}
