//! Elements of collections in replies: all that a small collection keeps as a number is a string to clients.

use crate::ds::listpack::Element;
use crate::resp::reply::Reply;

/// Answers an element as a byte string.
#[inline]
pub fn reply(reply: &mut Reply<'_>, element: Element<'_>) {
    match element {
        Element::Int(value) => reply.bulk_i64(value),
        Element::Bytes(bytes) => reply.bulk(bytes),
    }
}
