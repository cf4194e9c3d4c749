//! Which clients CLIENT LIST shows and CLIENT KILL ends: every option once, also as `NOT-...` where that has a meaning.
//!
//! A client is chosen when every given option holds; an option given again replaces what it said before.

use super::client_line::{self, FLAG_LETTERS};
use super::hello::DEFAULT_USER;
use super::positive_id;
use crate::base::number;
use crate::command::error::{SHOWN_MAX, shown};
use crate::command::{Args, Error};
use crate::session::{Class, Session};
use crate::tracking::Tracking;

/// What CLIENT CAPA can claim, a letter each.
const CAPABILITY_LETTERS: &[u8] = b"r";
const ID_NOT_POSITIVE: Error = Error::Text("ERR client-id should be greater than 0");

/// Whose options are read: the two differ in how they refuse an id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// CLIENT LIST
    List,
    /// CLIENT KILL
    Kill,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Primary,
    Replica,
    PubSub,
}

enum Test<'a> {
    Id(Vec<u64>),
    Type(Kind),
    User(&'a [u8]),
    Address(&'a [u8]),
    LocalAddress(&'a [u8]),
    Ip(&'a [u8]),
    Name(&'a [u8]),
    LibName(&'a [u8]),
    LibVersion(&'a [u8]),
    Flags(&'a [u8]),
    Capabilities(&'a [u8]),
    Db(usize),
    AgeMin(i64),
    IdleMin(i64),
}

/// See the head of the file.
#[derive(Default)]
pub struct Filter<'a> {
    /// What must hold (`true`) or must not.
    tests: Vec<(bool, Test<'a>)>,
    /// SKIPME, if it was given.
    pub skip_caller: Option<bool>,
}

impl<'a> Filter<'a> {
    /// Reads all words that are left. `databases`: how many there are.
    pub fn read(args: &mut Args<'a>, purpose: Purpose, databases: usize) -> Result<Self, Error> {
        let mut filter = Self::default();
        while !args.is_empty() {
            let option = args.word()?.to_ascii_uppercase();
            if option == b"SKIPME" {
                filter.skip_caller = Some(yes_or_no(args)?);
                continue;
            }
            let negated = option.strip_prefix(b"NOT-");
            let wanted = negated.is_none();
            let rules = Rules {
                wanted,
                purpose,
                databases,
            };
            let test = rules.read(negated.unwrap_or(&option), args)?;
            filter.tests.retain(|(other_wanted, other)| {
                *other_wanted != wanted
                    || std::mem::discriminant(other) != std::mem::discriminant(&test)
            });
            filter.tests.push((wanted, test));
        }
        Ok(filter)
    }

    /// Whether the client is chosen; SKIPME is left to the caller.
    pub fn accepts(&self, session: &Session, now_ms: i64, tracking: &Tracking) -> bool {
        self.tests
            .iter()
            .all(|(wanted, test)| test.holds(session, now_ms, tracking) == *wanted)
    }
}

fn yes_or_no(args: &mut Args<'_>) -> Result<bool, Error> {
    let yes = args.flag("YES");
    if yes || args.flag("NO") {
        Ok(yes)
    } else {
        Err(Error::Syntax)
    }
}

/// How an option's value is read.
struct Rules {
    wanted: bool,
    purpose: Purpose,
    databases: usize,
}

impl Rules {
    fn read<'a>(&self, name: &[u8], args: &mut Args<'a>) -> Result<Test<'a>, Error> {
        Ok(match name {
            b"ID" => Test::Id(self.ids(args)?),
            b"TYPE" => Test::Type(kind(args.word()?)?),
            b"USER" => Test::User(user(args.word()?)?),
            b"ADDR" => Test::Address(args.word()?),
            b"LADDR" => Test::LocalAddress(args.word()?),
            b"IP" => Test::Ip(args.word()?),
            b"NAME" => Test::Name(args.word()?),
            b"LIB-NAME" => Test::LibName(args.word()?),
            b"LIB-VER" => Test::LibVersion(args.word()?),
            b"FLAGS" => Test::Flags(self.letters("flags", FLAG_LETTERS, args.word()?)?),
            b"CAPA" => {
                Test::Capabilities(self.letters("capa", CAPABILITY_LETTERS, args.word()?)?)
            }
            b"DB" => Test::Db(self.db(args.word()?)?),
            b"MAXAGE" if self.wanted => Test::AgeMin(seconds("maxage", args.word()?)?),
            b"IDLE" if self.wanted => Test::IdleMin(seconds("idle", args.word()?)?),
            _ => return Err(Error::Syntax),
        })
    }

    /// One id or several: as many words as are integers.
    fn ids(&self, args: &mut Args<'_>) -> Result<Vec<u64>, Error> {
        let first = args.word()?;
        let mut ids = match (number::parse_i64(first), self.purpose) {
            (None, _) if !self.wanted => return Err(Error::Syntax),
            (None, Purpose::List) => return Err(Error::Text("ERR Invalid client ID")),
            (None, Purpose::Kill) => return Err(ID_NOT_POSITIVE),
            (Some(_), _) => vec![self.id(first)?],
        };
        while let Some(word) = args.peek().filter(|word| number::parse_i64(word).is_some()) {
            ids.push(self.id(word)?);
            args.word()?;
        }
        Ok(ids)
    }

    /// An id that nobody can have is refused, but by CLIENT LIST ID, which then finds nobody.
    fn id(&self, word: &[u8]) -> Result<u64, Error> {
        match positive_id(word) {
            Some(id) => Ok(id),
            None if self.purpose == Purpose::List && self.wanted => Ok(0),
            None => Err(ID_NOT_POSITIVE),
        }
    }

    fn letters<'a>(&self, what: &str, known: &[u8], given: &'a [u8]) -> Result<&'a [u8], Error> {
        if given.iter().all(|letter| known.contains(letter)) {
            return Ok(given);
        }
        let filter = if self.wanted {
            "provided".to_owned()
        } else {
            format!("NOT-{}", what.to_uppercase())
        };
        Err(Error::err(format!(
            "Unknown {what} found in the {filter} filter: {}",
            shown(given, SHOWN_MAX)
        )))
    }

    fn db(&self, word: &[u8]) -> Result<usize, Error> {
        let name = if self.wanted { "DB" } else { "NOT-DB" };
        let number = number::parse_i64(word).and_then(|number| i32::try_from(number).ok());
        let number = number
            .ok_or_else(|| Error::err(format!("{name} is not an integer or out of range")))?;
        usize::try_from(number)
            .ok()
            .filter(|number| *number < self.databases)
            .ok_or_else(|| {
                let last = self.databases.saturating_sub(1);
                Error::err(format!("{name} number should be between 0 and {last}"))
            })
    }
}

fn kind(word: &[u8]) -> Result<Kind, Error> {
    Ok(match word.to_ascii_lowercase().as_slice() {
        b"normal" => Kind::Normal,
        b"master" | b"primary" => Kind::Primary,
        b"slave" | b"replica" => Kind::Replica,
        b"pubsub" => Kind::PubSub,
        _ => {
            let word = shown(word, SHOWN_MAX);
            return Err(Error::err(format!("Unknown client type '{word}'")));
        }
    })
}

fn user(word: &[u8]) -> Result<&[u8], Error> {
    if word == DEFAULT_USER.as_bytes() {
        return Ok(word);
    }
    let word = shown(word, SHOWN_MAX);
    Err(Error::err(format!("No such user '{word}'")))
}

fn seconds(name: &str, word: &[u8]) -> Result<i64, Error> {
    match number::parse_i64(word) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        Some(_) => Err(Error::err(format!("{name} should be greater than 0"))),
        None => Err(Error::err(format!(
            "{name} is not an integer or out of range"
        ))),
    }
}

impl Test<'_> {
    fn holds(&self, session: &Session, now_ms: i64, tracking: &Tracking) -> bool {
        let peer = &session.peer;
        match self {
            Test::Id(ids) => ids.contains(&session.id),
            Test::Type(kind) => {
                *kind
                    == match session.class() {
                        Class::Normal => Kind::Normal,
                        Class::Replica => Kind::Replica,
                        Class::PubSub => Kind::PubSub,
                    }
            }
            Test::User(user) => session.user.as_bytes() == *user,
            Test::Address(address) => peer.address.as_bytes() == *address,
            Test::LocalAddress(address) => peer.local_address.as_bytes() == *address,
            Test::Ip(ip) => host_of(&peer.address).as_bytes() == *ip,
            // Who has no name has no empty one either.
            Test::Name(name) => !session.name.is_empty() && *session.name == **name,
            Test::LibName(name) => !session.lib_name.is_empty() && *session.lib_name == **name,
            Test::LibVersion(version) => {
                !session.lib_version.is_empty() && *session.lib_version == **version
            }
            Test::Flags(letters) => {
                let flags = client_line::flags(session, tracking);
                letters
                    .iter()
                    .all(|letter| flags.as_bytes().contains(letter))
            }
            Test::Capabilities(letters) => letters.is_empty() || session.follows_redirects,
            Test::Db(db) => session.db == *db,
            Test::AgeMin(age_s) => client_line::seconds_since(now_ms, session.created_ms) >= *age_s,
            Test::IdleMin(idle_s) => {
                client_line::seconds_since(now_ms, session.active_ms) >= *idle_s
            }
        }
    }
}

/// An address without its port.
fn host_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}
