//! HELLO and AUTH: who the client is and which protocol it speaks.
//!
//! There is one user, `default`, whose password is `requirepass`; none is needed while that is empty. Who has
//! authenticated stays so when the password changes.

use super::{BAD_NAME, is_printable};
use crate::base::number;
use crate::command::ctx::REDIS_VERSION;
use crate::command::error::{SHOWN_MAX, shown};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::{Protocol, Reply};
use crate::session::hindrance;

/// The user that every connection starts as.
pub const DEFAULT_USER: &str = "default";

const NO_PASSWORD: Error = Error::Text(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration \
     is correct?",
);
const HELLO_UNAUTHENTICATED: Error = Error::Text(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> \
     option can be used to authenticate the client and select the RESP protocol version at the same time",
);
const BAD_VERSION: Error = Error::Text("ERR Protocol version is not an integer or out of range");

/// AUTH
pub fn auth(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let first = args.word()?;
    let second = args.peek();
    if args.left() > 1 {
        return Err(Error::Syntax);
    }
    let (user, password) = match second {
        Some(password) => (first, password),
        None if ctx.server.config.settings.requirepass.is_empty() => return Err(NO_PASSWORD),
        None => (DEFAULT_USER.as_bytes(), first),
    };
    authenticate(ctx, user, password)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// What HELLO asks for.
#[derive(Default)]
struct Wishes<'a> {
    protocol: Option<Protocol>,
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

/// HELLO
pub fn hello(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let wishes = read_wishes(args)?;
    if let Some((user, password)) = wishes.credentials {
        authenticate(ctx, user, password)?;
    }
    if !ctx.client.is_authenticated() {
        return Err(HELLO_UNAUTHENTICATED);
    }
    if let Some(name) = wishes.name {
        ctx.client.name = name.into();
    }
    if let Some(protocol) = wishes.protocol {
        ctx.client.protocol = protocol;
    }
    introduce(ctx);
    Ok(Flow::Done)
}

fn read_wishes<'a>(args: &mut Args<'a>) -> Result<Wishes<'a>, Error> {
    let mut wishes = Wishes::default();
    if args.is_empty() {
        return Ok(wishes);
    }
    wishes.protocol = Some(match number::parse_i64(args.word()?).ok_or(BAD_VERSION)? {
        2 => Protocol::Resp2,
        3 => Protocol::Resp3,
        _ => return Err(Error::NoProto),
    });
    while let Some(option) = args.peek() {
        if args.left() >= 3 && args.flag("AUTH") {
            wishes.credentials = Some((args.word()?, args.word()?));
        } else if args.left() >= 2 && args.flag("SETNAME") {
            let name = args.word()?;
            if !is_printable(name) {
                return Err(BAD_NAME);
            }
            wishes.name = Some(name);
        } else {
            return Err(Error::err(format!(
                "Syntax error in HELLO option '{}'",
                shown(option, SHOWN_MAX)
            )));
        }
    }
    Ok(wishes)
}

/// Answers who the server is, already in the protocol that was chosen.
fn introduce(ctx: &mut Ctx<'_>) {
    let protocol = ctx.client.protocol;
    let zone = ctx.server.config.settings.availability_zone.as_deref();
    let zone = zone.filter(|zone| !zone.is_empty());
    let mut reply = Reply::new(ctx.reply.output(), protocol);
    reply.map(7 + usize::from(zone.is_some()));
    let version = match protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    for (field, text) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    let id = i64::try_from(ctx.client.id).unwrap_or(i64::MAX);
    for (field, number) in [("proto", version), ("id", id)] {
        reply.bulk(field.as_bytes());
        reply.integer(number);
    }
    for (field, text) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"modules");
    reply.empty_array();
    if let Some(zone) = zone {
        reply.bulk(b"availability_zone");
        reply.bulk(zone.as_bytes());
    }
}

/// Makes the client the user, if the password is that user's. Else the client stays who it was.
fn authenticate(ctx: &mut Ctx<'_>, user: &[u8], password: &[u8]) -> Result<(), Error> {
    let expected = &ctx.server.config.settings.requirepass;
    let right = expected.is_empty() || equal_in_constant_time(expected, password);
    if user != DEFAULT_USER.as_bytes() || !right {
        ctx.server.stats.auth_failures += 1;
        return Err(Error::WrongPass);
    }
    ctx.client.user = DEFAULT_USER.into();
    ctx.client.hinder(hindrance::NOT_AUTHENTICATED, false);
    Ok(())
}

/// Compares in a time that depends on the length of `given` alone, so that it tells nothing of the secret.
fn equal_in_constant_time(secret: &[u8], given: &[u8]) -> bool {
    let padded = secret.iter().chain(std::iter::repeat(&0));
    let differences = given.iter().zip(padded).fold(0, |seen, (one, other)| {
        std::hint::black_box(seen | (one ^ other))
    });
    differences == 0 && given.len() == secret.len()
}

#[cfg(test)]
mod tests {
    use super::equal_in_constant_time;

    #[test]
    fn only_the_whole_secret_equals_it() {
        for wrong in [&b""[..], b"s", b"secre", b"secret\0", b"Secret"] {
            assert!(!equal_in_constant_time(b"secret", wrong));
        }
        assert!(equal_in_constant_time(b"secret", b"secret"));
    }
}
