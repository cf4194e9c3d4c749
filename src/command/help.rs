//! What all containers have in common: their handler, and the reply of `CONTAINER HELP`, which is a headline, the lines of
//! the subcommands, and HELP itself.

use super::error::{SHOWN_MAX, shown};
use super::{Args, Ctx, Error, Flow};

/// Answers the help of the container under which the running command stands. `lines`: a subcommand with its words, and
/// below it what it does, indented by four blanks.
pub fn reply_help(ctx: &mut Ctx<'_>, lines: &[&str]) -> Flow {
    let container = ctx.row.full_name.split('|').next().unwrap_or_default();
    let headline = format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        container.to_uppercase()
    );
    ctx.reply.array(lines.len() + 3);
    ctx.reply.simple(&headline);
    for line in lines.iter().chain(&["HELP", "    Print this help."]) {
        ctx.reply.simple(line);
    }
    Flow::Done
}

/// What is answered to a subcommand that there is, but not with such words; it is named as it was called.
pub fn wrong_words(args: &Args<'_>) -> Error {
    let word = |at| shown(args.argv().get(at).unwrap_or_default(), SHOWN_MAX);
    Error::err(format_args!(
        "unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
        word(1),
        word(0).to_uppercase(),
    ))
}

/// The handler of a container: it does nothing itself. Its arity asks for a subcommand, and the engine for one that there
/// is.
pub fn container(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Err(Error::Arity(ctx.row.full_name.to_owned()))
}
