//! The reply of every `CONTAINER HELP`: a headline, the lines of the subcommands, and HELP itself.

use super::{Ctx, Flow};

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
