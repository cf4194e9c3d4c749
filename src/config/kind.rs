//! The kinds of parameters: how words become a [`Value`], and how a value is printed again.
//!
//! The reasons for refusing a value are those of Redis, word for word: clients and its test suite match them.

use super::value::Value;

mod special;

const KIB: i64 = 1024;
const BIND_ADDRESSES_MAX: usize = 16;

/// What a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// yes or no.
    Flag,
    /// A decimal number within the bounds, both included.
    Number { min: i64, max: i64 },
    /// Bytes, with an optional unit; from `min` to `i64::MAX`.
    Memory { min: i64 },
    /// Bytes, or a percentage up to 100.
    MemoryOrPercent,
    /// One of the words, in any case; a synonym stands for the word beside it.
    Choice {
        words: &'static [&'static str],
        synonyms: &'static [(&'static str, &'static str)],
    },
    /// Any bytes; empty means unset.
    Text,
    /// A name without folders.
    FileName,
    /// File permissions, printed as an octal number.
    Octal,
    /// A frequency; what is out of its range is moved to the nearest that is in it.
    Hz,
    /// Addresses to listen on.
    Bind,
    /// Pairs of seconds and changes.
    SavePoints,
    /// Class, hard limit, soft limit, seconds; a class that is not named keeps its limits.
    OutputBufferLimits,
    /// A set of words for what a signal does.
    ShutdownOn,
    /// Classes of key events.
    KeyspaceEvents,
    /// Three numbers for the kernel.
    OomValues,
    /// Percentiles between 0 and 100.
    Percentiles,
    /// A template of known variables.
    ProcTitle,
    /// Host and port of a primary, or `no one`.
    PrimaryAddress,
    /// A host name.
    Hostname,
    /// A name without punctuation.
    NodeName,
    /// An IPv4 address, or empty.
    Ipv4,
    /// An IPv6 address, or empty.
    Ipv6,
    /// A repeatable line of a file that is no parameter (a user, a module); at least this many words follow.
    Directive { words: usize },
    /// Another file to read.
    Include,
    /// A parameter that lost its meaning: accepted and forgotten.
    Retired,
}

impl Kind {
    /// Understands the words given for the parameter `name`, whose value is `current` until now.
    ///
    /// # Errors
    /// The reason, in the words of Redis.
    pub fn parse(&self, name: &str, words: &[&[u8]], current: &Value) -> Result<Value, String> {
        if self.takes_several() {
            return match words {
                [one] => {
                    let split: Vec<&[u8]> = one
                        .split(|b| *b == b' ')
                        .filter(|w| !w.is_empty())
                        .collect();
                    special::parse_several(self, &split, current)
                }
                _ => special::parse_several(self, words, current),
            };
        }
        match words {
            [word] => self.parse_one(name, word),
            _ => Err("wrong number of arguments".into()),
        }
    }

    /// Prints a value as CONFIG GET does.
    pub fn print(&self, value: &Value) -> Vec<u8> {
        match (self, value) {
            (_, Value::Flag(yes)) => if *yes { "yes" } else { "no" }.into(),
            (Kind::Octal, Value::Number(number)) => format!("{number:o}").into(),
            (_, Value::Number(number)) => number.to_string().into(),
            (_, Value::Percent(percent)) => format!("{percent}%").into(),
            (_, Value::Choice(word)) => (*word).into(),
            (_, Value::Text(bytes)) => bytes.clone(),
            (_, Value::Words(words)) => words.join(" ").into(),
            (Kind::OutputBufferLimits, Value::Numbers(numbers)) => {
                special::print_output_buffer_limits(numbers)
                    .join(" ")
                    .into()
            }
            (_, Value::Numbers(numbers)) => join(numbers),
            (_, Value::Doubles(numbers)) => join(numbers),
        }
    }

    /// Whether several words may follow the name.
    pub fn takes_several(&self) -> bool {
        matches!(
            self,
            Kind::Bind
                | Kind::SavePoints
                | Kind::OutputBufferLimits
                | Kind::ShutdownOn
                | Kind::OomValues
                | Kind::Percentiles
                | Kind::PrimaryAddress
        )
    }

    /// Whether a file may hold lines of this kind that CONFIG knows nothing about.
    pub fn is_file_only(&self) -> bool {
        matches!(self, Kind::Directive { .. } | Kind::Include | Kind::Retired)
    }

    /// What stands for the value in a help text, such as `yes|no` or `BYTES`.
    pub fn placeholder(&self) -> &'static str {
        match self {
            Kind::Flag => "yes|no",
            Kind::Number { .. } | Kind::Hz => "NUMBER",
            Kind::Memory { .. } => "BYTES",
            Kind::MemoryOrPercent => "BYTES|PERCENT%",
            Kind::Choice { .. } => "WORD",
            Kind::Text | Kind::Retired => "TEXT",
            Kind::FileName => "NAME",
            Kind::Octal => "OCTAL",
            Kind::Bind => "ADDRESS...",
            Kind::SavePoints => "SECONDS CHANGES...",
            Kind::OutputBufferLimits => "normal|replica|pubsub HARD SOFT SECONDS...",
            Kind::ShutdownOn => "WORD...",
            Kind::KeyspaceEvents => "CLASSES",
            Kind::OomValues => "PRIMARY REPLICA CHILD",
            Kind::Percentiles => "PERCENTILE...",
            Kind::ProcTitle => "TEMPLATE",
            Kind::PrimaryAddress => "HOST PORT",
            Kind::Hostname | Kind::NodeName => "NAME",
            Kind::Ipv4 | Kind::Ipv6 => "ADDRESS",
            Kind::Directive { .. } => "WORD...",
            Kind::Include => "FILE",
        }
    }

    /// The value as one or more lines of a configuration file, without the name.
    pub(super) fn file_words(&self, value: &Value) -> Vec<String> {
        match (self, value) {
            (
                Kind::Text | Kind::FileName | Kind::ProcTitle | Kind::KeyspaceEvents,
                Value::Text(text),
            )
            | (Kind::Hostname | Kind::NodeName | Kind::Ipv4 | Kind::Ipv6, Value::Text(text)) => {
                vec![crate::base::quoting::quote(text)]
            }
            (Kind::Memory { .. } | Kind::MemoryOrPercent, Value::Number(bytes)) => {
                vec![print_memory(*bytes)]
            }
            (Kind::SavePoints, Value::Numbers(numbers)) if numbers.is_empty() => {
                vec!["\"\"".into()]
            }
            (Kind::SavePoints, Value::Numbers(numbers)) => {
                numbers.chunks(2).map(|pair| text_of(&join(pair))).collect()
            }
            (Kind::OutputBufferLimits, Value::Numbers(numbers)) => {
                special::file_output_buffer_limits(numbers)
            }
            (Kind::Bind | Kind::Percentiles, _) if self.print(value).is_empty() => {
                vec!["\"\"".into()]
            }
            _ => vec![text_of(&self.print(value))],
        }
    }

    fn parse_one(&self, name: &str, word: &[u8]) -> Result<Value, String> {
        match self {
            Kind::Flag => parse_flag(word),
            Kind::Number { min, max } => parse_number(word, *min, *max).map(Value::Number),
            Kind::Hz => {
                parse_number(word, 0, i64::from(i32::MAX)).map(|hz| Value::Number(hz.clamp(1, 500)))
            }
            Kind::Memory { min } => {
                let bytes = parse_memory(word).ok_or("argument must be a memory value");
                let bytes = bytes.or_else(|e| match min {
                    ..0 => parse_integer(word).map(Some).ok_or(e),
                    _ => Err(e),
                })?;
                within(bytes, *min, i64::MAX).map(Value::Number)
            }
            Kind::MemoryOrPercent => parse_memory_or_percent(word),
            Kind::Choice { words, synonyms } => parse_choice(word, words, synonyms),
            Kind::Octal => parse_octal(word),
            _ => special::parse_text(self, name, word),
        }
    }
}

/// Reads a decimal number in its only form: no blanks, plus sign or leading zeros.
pub(super) fn parse_integer(word: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == word).then_some(number)
}

/// Reads bytes with an optional unit (k, m, g by thousands; kb, mb, gb by 1024); nothing at all is 0.
///
/// `None` where it is no such thing, `Some(None)` where it is too large.
pub(super) fn parse_memory(word: &[u8]) -> Option<Option<i64>> {
    let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, unit) = word.split_at_checked(digits)?;
    let factor: i64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => KIB,
        b"m" => 1000 * 1000,
        b"mb" => KIB * KIB,
        b"g" => 1000 * 1000 * 1000,
        b"gb" => KIB * KIB * KIB,
        _ => return None,
    };
    if number.is_empty() {
        return unit.is_empty().then_some(Some(0));
    }
    let number = std::str::from_utf8(number).ok()?.parse::<i64>().ok();
    Some(number.and_then(|n| n.checked_mul(factor)))
}

fn parse_flag(word: &[u8]) -> Result<Value, String> {
    if word.eq_ignore_ascii_case(b"yes") {
        Ok(Value::Flag(true))
    } else if word.eq_ignore_ascii_case(b"no") {
        Ok(Value::Flag(false))
    } else {
        Err("argument must be 'yes' or 'no'".into())
    }
}

fn parse_number(word: &[u8], min: i64, max: i64) -> Result<i64, String> {
    let number = parse_integer(word).ok_or("argument couldn't be parsed into an integer")?;
    within(Some(number), min, max)
}

fn within(number: Option<i64>, min: i64, max: i64) -> Result<i64, String> {
    number
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| format!("argument must be between {min} and {max} inclusive"))
}

fn parse_octal(word: &[u8]) -> Result<Value, String> {
    let number = std::str::from_utf8(word)
        .ok()
        .and_then(|w| i64::from_str_radix(w, 8).ok());
    match number {
        None => Err("argument couldn't be parsed as an octal number".into()),
        Some(mode @ 0..=0o777) => Ok(Value::Number(mode)),
        Some(_) => Err("argument must be between 0 and 777 inclusive".into()),
    }
}

fn parse_memory_or_percent(word: &[u8]) -> Result<Value, String> {
    let wrong = "argument must be a memory or percent value";
    if let Some(percent) = word.strip_suffix(b"%") {
        return match parse_integer(percent) {
            Some(percent @ 0..=100) => Ok(Value::Percent(
                percent.unsigned_abs().try_into().map_err(|_| wrong)?,
            )),
            Some(101..) => Err("percentage argument must be less or equal to 100".into()),
            _ => Err(wrong.into()),
        };
    }
    within(parse_memory(word).ok_or(wrong)?, 0, i64::MAX).map(Value::Number)
}

fn parse_choice(
    word: &[u8],
    words: &[&'static str],
    synonyms: &[(&str, &'static str)],
) -> Result<Value, String> {
    let same = |known: &str| known.as_bytes().eq_ignore_ascii_case(word);
    words
        .iter()
        .copied()
        .find(|known| same(known))
        .or_else(|| {
            synonyms
                .iter()
                .find(|(other, _)| same(other))
                .map(|(_, known)| *known)
        })
        .map(Value::Choice)
        .ok_or_else(|| {
            format!(
                "argument(s) must be one of the following: {}",
                words.join(", ")
            )
        })
}

/// Bytes in the largest unit that divides them.
fn print_memory(bytes: i64) -> String {
    for (unit, size) in [("gb", KIB * KIB * KIB), ("mb", KIB * KIB), ("kb", KIB)] {
        if bytes != 0 && bytes % size == 0 {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

fn join<T: ToString>(numbers: &[T]) -> Vec<u8> {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    words.join(" ").into()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
