//! CLIENT TRACKING and what goes with it: what a connection wants to be told of keys that it has read or that begin in some
//! way.

use crate::command::error::{SHOWN_MAX, shown};
use crate::command::{Args, Ctx, Error, Flow};
use crate::session::TrackingMode;
use crate::tracking::{Options, Overlap, Redirect};

const NO_MODE: Error = Error::Text(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
);
const YES_WITHOUT_OPTIN: Error =
    Error::Text("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
const NO_WITHOUT_OPTOUT: Error =
    Error::Text("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
const PREFIX_WITHOUT_BCAST: Error =
    Error::Text("ERR PREFIX option requires BCAST mode to be enabled");
const BCAST_SWITCHED: Error = Error::Text(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a \
     different mode.",
);
const BCAST_WITH_OPT: Error = Error::Text("ERR OPTIN and OPTOUT are not compatible with BCAST");
const BOTH_OPTS: Error = Error::Text("ERR You can't specify both OPTIN mode and OPTOUT mode");
const OPT_SWITCHED: Error = Error::Text(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a \
     different mode.",
);
const REDIRECTED_TWICE: Error =
    Error::Text("ERR A client can only redirect to a single other client");
const NO_SUCH_CLIENT: Error = Error::Text("ERR The client ID you want redirect to does not exist");

/// The words behind ON or OFF.
#[derive(Default)]
struct Wishes<'a> {
    options: Options,
    redirect: Option<Redirect>,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Wishes<'a> {
    fn read(ctx: &Ctx<'_>, args: &mut Args<'a>) -> Result<Self, Error> {
        let mut wishes = Self::default();
        while !args.is_empty() {
            if args.left() > 1 && args.flag("REDIRECT") {
                if wishes.redirect.is_some() {
                    return Err(REDIRECTED_TWICE);
                }
                wishes.redirect = read_redirect(ctx, args)?;
            } else if args.flag("BCAST") {
                wishes.options.broadcast = true;
            } else if args.flag("OPTIN") {
                wishes.options.opt_in = true;
            } else if args.flag("OPTOUT") {
                wishes.options.opt_out = true;
            } else if args.flag("NOLOOP") {
                wishes.options.no_loop = true;
            } else if args.left() > 1 && args.flag("PREFIX") {
                wishes.prefixes.push(args.word()?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(wishes)
    }

    /// Whether the options go together, and with what the client chose before.
    fn check(&self, before: Option<Options>) -> Result<(), Error> {
        let Options {
            broadcast,
            opt_in,
            opt_out,
            ..
        } = self.options;
        if !broadcast && !self.prefixes.is_empty() {
            return Err(PREFIX_WITHOUT_BCAST);
        }
        if before.is_some_and(|before| before.broadcast != broadcast) {
            return Err(BCAST_SWITCHED);
        }
        if broadcast && (opt_in || opt_out) {
            return Err(BCAST_WITH_OPT);
        }
        if opt_in && opt_out {
            return Err(BOTH_OPTS);
        }
        let switches = |before: Options| (opt_in && before.opt_out) || (opt_out && before.opt_in);
        if before.is_some_and(switches) {
            return Err(OPT_SWITCHED);
        }
        Ok(())
    }
}

/// The client that is told in one's stead; it must be connected now.
fn read_redirect(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<Option<Redirect>, Error> {
    let id = args.int()?;
    let slot = u64::try_from(id)
        .ok()
        .and_then(|id| ctx.server.clients.slot_of(id))
        .ok_or(NO_SUCH_CLIENT)?;
    Ok(Some(Redirect {
        id: id.unsigned_abs(),
        slot: Some(slot as u32),
    }))
}

pub(super) fn tracking(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let switch = args.word()?;
    let wishes = Wishes::read(ctx, args)?;
    if switch.eq_ignore_ascii_case(b"ON") {
        turn_on(ctx, &wishes)?;
    } else if switch.eq_ignore_ascii_case(b"OFF") {
        turn_off(ctx);
    } else {
        return Err(Error::Syntax);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn turn_on(ctx: &mut Ctx<'_>, wishes: &Wishes<'_>) -> Result<(), Error> {
    let id = ctx.client.id;
    let tracking = &mut ctx.server.tracking;
    wishes.check(tracking.client(id).map(|client| client.options))?;
    if wishes.options.broadcast
        && let Some(overlap) = tracking.overlap(id, &wishes.prefixes)
    {
        return Err(overlap_error(&overlap));
    }
    let mode = match wishes.options {
        options if options.broadcast => TrackingMode::Broadcast,
        options if options.opt_in => TrackingMode::OptIn,
        options if options.opt_out => TrackingMode::OptOut,
        _ => TrackingMode::Reads,
    };
    let (slot, options) = (ctx.client.slot, wishes.options);
    tracking.start(id, slot, options, wishes.redirect, &wishes.prefixes);
    ctx.client.track(mode);
    ctx.client.prefix_bytes = tracking.prefix_bytes(id);
    ctx.server.apply_interest(ctx.db.keyspace());
    Ok(())
}

fn overlap_error(overlap: &Overlap) -> Error {
    let (new, other) = (
        shown(&overlap.new, SHOWN_MAX),
        shown(&overlap.other, SHOWN_MAX),
    );
    let which = if overlap.existed {
        "an existing prefix"
    } else {
        "another provided prefix"
    };
    Error::err(format_args!(
        "Prefix '{new}' overlaps with {which} '{other}'. Prefixes for a single client must not overlap."
    ))
}

/// The client is told of nothing any more.
pub(super) fn turn_off(ctx: &mut Ctx<'_>) {
    ctx.server.tracking.stop(ctx.client.id);
    ctx.client.track(TrackingMode::Off);
    ctx.client.prefix_bytes = 0;
    ctx.server.apply_interest(ctx.db.keyspace());
}

pub(super) fn caching(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let mode = ctx.client.tracking;
    if mode == TrackingMode::Off {
        return Err(NO_MODE);
    }
    if args.flag("YES") {
        if mode != TrackingMode::OptIn {
            return Err(YES_WITHOUT_OPTIN);
        }
    } else if args.flag("NO") {
        if mode != TrackingMode::OptOut {
            return Err(NO_WITHOUT_OPTOUT);
        }
    } else {
        return Err(Error::Syntax);
    }
    ctx.client.set_caching(true);
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// The id of the client that is told instead: 0 if there is none, -1 if tracking is off.
pub(super) fn redirect_id(ctx: &Ctx<'_>, id: u64) -> i64 {
    match ctx.server.tracking.client(id) {
        None => -1,
        Some(client) => client
            .redirect
            .map_or(0, |redirect| i64::try_from(redirect.id).unwrap_or(i64::MAX)),
    }
}

pub(super) fn getredir(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let id = redirect_id(ctx, ctx.client.id);
    ctx.reply.integer(id);
    Ok(Flow::Done)
}

pub(super) fn trackinginfo(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let redirect = redirect_id(ctx, ctx.client.id);
    let caching = ctx.client.is_caching();
    let client = ctx.server.tracking.client(ctx.client.id);
    let is = |test: fn(Options) -> bool| client.is_some_and(|client| test(client.options));
    let flags: Vec<&[u8]> = [
        (&b"off"[..], client.is_none()),
        (b"on", client.is_some()),
        (b"bcast", is(|options| options.broadcast)),
        (b"optin", is(|options| options.opt_in)),
        (b"caching-yes", is(|options| options.opt_in) && caching),
        (b"optout", is(|options| options.opt_out)),
        (b"caching-no", is(|options| options.opt_out) && caching),
        (b"noloop", is(|options| options.no_loop)),
        (
            b"broken_redirect",
            client.is_some_and(|client| client.broken),
        ),
    ]
    .into_iter()
    .filter_map(|(flag, holds)| holds.then_some(flag))
    .collect();
    ctx.reply.map(3);
    ctx.reply.bulk(b"flags");
    ctx.reply.set(flags.len());
    flags.iter().for_each(|flag| ctx.reply.bulk(flag));
    ctx.reply.bulk(b"redirect");
    ctx.reply.integer(redirect);
    ctx.reply.bulk(b"prefixes");
    let prefixes = client.map_or(&[][..], |client| &client.prefixes);
    ctx.reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| ctx.reply.bulk(prefix));
    Ok(Flow::Done)
}
