//! DEBUG PROTOCOL: a sample of each kind of reply, for those who write clients.

use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::{Protocol, Reply};

pub(super) fn protocol(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let kind = args.word()?.to_ascii_lowercase();
    let reply = &mut ctx.reply;
    match kind.as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        #[expect(clippy::approx_constant, reason = "the sample is this number")]
        b"double" => reply.double(3.141),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => attribute(reply),
        b"push" => push(reply)?,
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        _ => {
            return Err(Error::Text(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(Flow::Done)
}

fn attribute(reply: &mut Reply<'_>) {
    if reply.attribute(1) {
        reply.bulk(b"key-popularity");
        reply.array(2);
        reply.bulk(b"key:123");
        reply.integer(90);
    }
    reply.bulk(b"Some real reply following the attribute");
}

/// The message comes behind the reply, as those that are sent out of turn do.
fn push(reply: &mut Reply<'_>) -> Result<(), Error> {
    if reply.protocol() == Protocol::Resp2 {
        return Err(Error::Text("ERR RESP2 is not supported by this command"));
    }
    reply.bulk(b"Some real reply following the push reply");
    reply.push(2);
    reply.bulk(b"server-cpu-usage");
    reply.integer(42);
    Ok(())
}
