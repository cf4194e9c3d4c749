//! LOLWUT: a piece of rust, grown anew each time, and the version.

use crate::base::random::Random;
use crate::command::ctx::REDIS_VERSION;
use crate::command::{Args, Ctx, Error, Flow};

const COLUMNS: usize = 48;
const ROWS: usize = 10;
/// Steps of each grain that wanders before it settles.
const STEPS: usize = 90;
/// Grains.
const GRAINS: usize = 16;
/// From bare metal to deep rust.
const SHADES: [char; 6] = [' ', '.', ':', 'o', 'O', '@'];

pub(super) fn lolwut(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    // Each version of the picture is this one; arguments after it are sizes of other pictures.
    if args.flag("VERSION") && !args.is_empty() {
        args.int()?;
    }
    let mut text = rust(&mut ctx.server.random);
    let version = env!("CARGO_PKG_VERSION");
    text.push_str(&format!(
        "\nOxidis ver. {version}, Redis ver. {REDIS_VERSION}\n"
    ));
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

/// Grains start anywhere and wander; where many have been, the rust is deep.
fn rust(random: &mut Random) -> String {
    let mut depth = [[0usize; COLUMNS]; ROWS];
    for _ in 0..GRAINS {
        let mut column = random.below(COLUMNS as u64) as usize;
        let mut row = random.below(ROWS as u64) as usize;
        for _ in 0..STEPS {
            depth[row][column] += 1;
            match random.below(6) {
                0 => row = (row + 1) % ROWS,
                1 => row = (row + ROWS - 1) % ROWS,
                2 | 3 => column = (column + 1) % COLUMNS,
                _ => column = (column + COLUMNS - 1) % COLUMNS,
            }
        }
    }
    let shade = |depth: &usize| SHADES[(*depth).div_ceil(2).min(SHADES.len() - 1)];
    let lines = depth
        .iter()
        .map(|row| row.iter().map(shade).collect::<String>() + "\n");
    lines.collect()
}
