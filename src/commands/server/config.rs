//! CONFIG: reads and changes parameters while the server runs, and writes them back to its file.
//!
//! A set is all or nothing. The configuration takes the values first; then whatever has to act on them does, each part
//! in its turn. When a part cannot, all values go back and the parts that had acted already act on the old ones again.

use crate::command::help::reply_help;
use crate::command::host::{Host, reason};
use crate::command::rewrite::rewrite_config;
use crate::command::{Args, Ctx, Error, Flow};
use crate::config::settings::Settings;
use crate::config::{Access, Param, SetError, params};
use crate::keyspace::Counters;
use crate::persist::aof::Wish;
use std::path::Path;

/// What has to act on a change of these parameters.
struct Effect {
    parameters: &'static [&'static str],
    apply: fn(&mut dyn Host, &Settings) -> Result<(), String>,
}

const EFFECTS: [Effect; 4] = [
    Effect {
        parameters: &["dir"],
        apply: |host, settings| {
            host.change_directory(&settings.dir)
                .map_err(|error| reason(&error))
        },
    },
    Effect {
        parameters: &["maxclients"],
        apply: reserve_clients,
    },
    Effect {
        parameters: &[
            "port",
            "tls-port",
            "bind",
            "unixsocket",
            "unixsocketperm",
            "unixsocketgroup",
            "tcp-backlog",
        ],
        apply: |host, settings| host.listen(settings),
    },
    Effect {
        parameters: &[
            "loglevel",
            "logfile",
            "logformat",
            "log-format",
            "log-timestamp-format",
        ],
        apply: |host, settings| host.configure_log(settings),
    },
];

impl Effect {
    /// The first of the changed parameters that this acts on.
    fn concerned(&self, changed: &[&'static Param]) -> Option<&'static str> {
        let mut names = changed.iter().map(|param| param.name);
        names.find(|name| self.parameters.contains(name))
    }
}

fn reserve_clients(host: &mut dyn Host, settings: &Settings) -> Result<(), String> {
    let room = host.reserve_clients(settings.maxclients);
    if room >= settings.maxclients {
        return Ok(());
    }
    Err(format!(
        "The operating system is not able to handle the specified number of clients, try with {room}"
    ))
}

pub(super) fn get(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let patterns: Vec<&[u8]> = args.rest().collect();
    let found = ctx.server.config.get(&patterns);
    ctx.reply.map(found.len());
    for (name, value) in found {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(&value);
    }
    Ok(Flow::Done)
}

pub(super) fn set(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let words: Vec<&[u8]> = args.rest().collect();
    let (pairs, odd) = words.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Error::Syntax);
    }
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    let config = &mut ctx.server.config;
    let access = Access {
        protected: config
            .settings
            .enable_protected_configs
            .allows(ctx.client.peer.loopback),
        loading: ctx.server.loading.is_some(),
    };
    let (before, old) = (config.snapshot(), config.settings.clone());
    let changed = config.set(&pairs, access).map_err(refusal)?;
    if let Err((param, reason)) = apply(ctx, &changed, &old) {
        ctx.server.config.restore(before);
        let name = given_name(&pairs, param);
        return Err(refusal(SetError::failed(name, reason)));
    }
    if old.dir != ctx.server.config.settings.dir {
        make_dir_absolute(ctx, &old.dir);
    }
    let appendonly = ctx.server.config.settings.appendonly;
    if appendonly != old.appendonly {
        ctx.server.aof.wish = Some(if appendonly { Wish::Start } else { Wish::Stop });
    }
    ctx.server.apply_settings(ctx.db.keyspace());
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn refusal(error: SetError) -> Error {
    Error::Message(error.to_string())
}

/// Lets act what has to. On failure (which parameter, why) all of it has acted on the old settings again.
fn apply(
    ctx: &mut Ctx<'_>,
    changed: &[&'static Param],
    old: &Settings,
) -> Result<(), (&'static str, String)> {
    let new = &ctx.server.config.settings;
    let mut done: Vec<&Effect> = Vec::new();
    for effect in &EFFECTS {
        let Some(name) = effect.concerned(changed) else {
            continue;
        };
        if let Err(reason) = (effect.apply)(ctx.host, new) {
            tracing::warn!(
                "Failed applying new configuration. Possibly related to new {name} setting. Restoring previous settings."
            );
            for effect in done.iter().rev() {
                if let Err(reason) = (effect.apply)(ctx.host, old) {
                    tracing::error!("The previous settings could not be restored: {reason}");
                }
            }
            return Err((name, in_words_of(name, reason)));
        }
        done.push(effect);
    }
    Ok(())
}

/// Redis has a text of its own for addresses; the host speaks of the port.
fn in_words_of(parameter: &str, reason: String) -> String {
    match parameter {
        "bind" => "Failed to bind to specified addresses.".to_owned(),
        _ => reason,
    }
}

/// The name under which the client set a parameter.
fn given_name<'a>(pairs: &[(&'a [u8], &'a [u8])], param: &'static str) -> &'a [u8] {
    let is_it = |name: &[u8]| {
        let index = params::index_of(name);
        index
            .and_then(|index| params::all().get(index))
            .is_some_and(|found| found.name == param)
    };
    let given = pairs.iter().map(|(name, _)| *name).find(|name| is_it(name));
    given.unwrap_or(param.as_bytes())
}

/// A path given to CONFIG SET dir counts from the folder of before.
fn make_dir_absolute(ctx: &mut Ctx<'_>, old: &str) {
    let new = Path::new(old).join(&ctx.server.config.settings.dir);
    if let Some(path) = new.to_str().filter(|_| new.is_absolute())
        && let Err(reason) = ctx.server.config.put("dir", &[path.as_bytes()])
    {
        tracing::warn!("The working folder is not shown as an absolute path: {reason}");
    }
}

pub(super) fn rewrite(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    rewrite_config(ctx)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn resetstat(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.server.stats.reset();
    ctx.db.keyspace().counters = Counters::default();
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "GET <pattern>",
            "    Return parameters matching the glob-like <pattern> and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset statistics reported by the INFO command.",
            "REWRITE",
            "    Rewrite the configuration file.",
        ],
    ))
}
