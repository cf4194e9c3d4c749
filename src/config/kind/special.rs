//! The kinds with a grammar of their own: save points, buffer limits, signals, events, names, addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{BIND_ADDRESSES_MAX, Kind, parse_integer, parse_memory, print_memory};
use crate::config::settings::{OutputBufferLimit, ShutdownOn};
use crate::config::value::Value;

const HOSTNAME_MAX_BYTES: usize = 256;
/// Classes that `A` stands for, in the order in which they are printed.
const EVENT_CLASSES_OF_ALL: &str = "g$lshzxetd";
/// The other classes, in the order in which they are printed.
const EVENT_CLASSES_ALONE: &str = "nKEm";

pub(super) fn parse_several(
    kind: &Kind,
    words: &[&[u8]],
    current: &Value,
) -> Result<Value, String> {
    match kind {
        Kind::Bind => parse_bind(words),
        Kind::SavePoints => parse_save_points(words),
        Kind::OutputBufferLimits => parse_output_buffer_limits(words, current),
        Kind::ShutdownOn => ShutdownOn::parse(words).map(Value::Words),
        Kind::OomValues => parse_oom_values(words),
        Kind::Percentiles => parse_percentiles(words),
        Kind::PrimaryAddress => parse_primary_address(words),
        _ => Err("wrong number of arguments".into()),
    }
}

pub(super) fn parse_text(kind: &Kind, name: &str, word: &[u8]) -> Result<Value, String> {
    match kind {
        Kind::FileName => check_file_name(name, word)?,
        Kind::KeyspaceEvents => return parse_keyspace_events(word),
        Kind::ProcTitle => check_proc_title(word)?,
        Kind::Hostname => check_hostname(word)?,
        Kind::NodeName => check_node_name(word)?,
        Kind::Ipv4 => check_address::<Ipv4Addr>(word, "Invalid IPv4 address")?,
        Kind::Ipv6 => check_address::<Ipv6Addr>(word, "Invalid IPv6 address")?,
        _ => {}
    }
    Ok(Value::Text(word.to_vec()))
}

/// Every class with its limits, as CONFIG GET prints them.
pub(super) fn print_output_buffer_limits(numbers: &[i64]) -> Vec<String> {
    let names = ["normal", "slave", "pubsub"];
    names
        .iter()
        .zip(numbers.chunks(3))
        .map(|(class, limits)| {
            let limits: Vec<String> = limits.iter().map(ToString::to_string).collect();
            format!("{class} {}", limits.join(" "))
        })
        .collect()
}

/// Every class with its limits, as a file has them.
pub(super) fn file_output_buffer_limits(numbers: &[i64]) -> Vec<String> {
    let names = ["normal", "replica", "pubsub"];
    names
        .iter()
        .zip(numbers.chunks_exact(3))
        .filter_map(|(class, limits)| match limits {
            [hard, soft, seconds] => Some(format!(
                "{class} {} {} {seconds}",
                print_memory(*hard),
                print_memory(*soft)
            )),
            _ => None,
        })
        .collect()
}

fn to_strings(words: &[&[u8]]) -> Vec<String> {
    words
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn parse_bind(words: &[&[u8]]) -> Result<Value, String> {
    if words.len() > BIND_ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    let words: Vec<&[u8]> = words
        .iter()
        .copied()
        .filter(|word| !word.is_empty())
        .collect();
    Ok(Value::Words(to_strings(&words)))
}

fn parse_save_points(words: &[&[u8]]) -> Result<Value, String> {
    let wrong = || "Invalid save parameters".to_string();
    if !words.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let mut numbers = Vec::new();
    for pair in words.chunks(2) {
        let [seconds, changes] = pair else {
            return Err(wrong());
        };
        match (parse_integer(seconds), parse_integer(changes)) {
            (Some(seconds @ 1..), Some(changes @ 0..)) => numbers.extend([seconds, changes]),
            _ => return Err(wrong()),
        }
    }
    Ok(Value::Numbers(numbers))
}

fn parse_output_buffer_limits(words: &[&[u8]], current: &Value) -> Result<Value, String> {
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut numbers = match current {
        Value::Numbers(numbers) => numbers.clone(),
        _ => OutputBufferLimit::default_numbers().to_vec(),
    };
    for group in words.chunks(4) {
        let [class, hard, soft, seconds] = group else {
            break;
        };
        let class = match class.to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => {
                return Err("Invalid client class specified in buffer limit configuration.".into());
            }
        };
        let limits = [
            parse_memory(hard).flatten(),
            parse_memory(soft).flatten(),
            parse_integer(seconds).filter(|s| (0..=i64::from(i32::MAX)).contains(s)),
        ];
        for (slot, limit) in numbers.iter_mut().skip(class * 3).zip(limits) {
            *slot = limit.ok_or(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            )?;
        }
    }
    Ok(Value::Numbers(numbers))
}

fn parse_oom_values(words: &[&[u8]]) -> Result<Value, String> {
    if words.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    let numbers: Option<Vec<i64>> = words
        .iter()
        .map(|word| parse_integer(word).filter(|n| (-2000..=2000).contains(n)))
        .collect();
    numbers.map(Value::Numbers).ok_or_else(|| {
        "Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into()
    })
}

fn parse_percentiles(words: &[&[u8]]) -> Result<Value, String> {
    let mut out = Vec::new();
    for word in words {
        let number = std::str::from_utf8(word)
            .ok()
            .and_then(|w| w.parse::<f64>().ok());
        let number = number.filter(|n| n.is_finite());
        match number.ok_or("Invalid latency-tracking-info-percentiles parameters")? {
            fits if (0.0..=100.0).contains(&fits) => out.push(fits),
            _ => {
                return Err(
                    "latency-tracking-info-percentiles parameters should sit between \
                            [0.0,100.0]"
                        .into(),
                );
            }
        }
    }
    Ok(Value::Doubles(out))
}

fn parse_primary_address(words: &[&[u8]]) -> Result<Value, String> {
    match words {
        [] => Ok(Value::Words(Vec::new())),
        [no, one] if no.eq_ignore_ascii_case(b"no") && one.eq_ignore_ascii_case(b"one") => {
            Ok(Value::Words(Vec::new()))
        }
        [_, port] => match parse_integer(port) {
            Some(0..=65535) => Ok(Value::Words(to_strings(words))),
            _ => Err("Invalid master port".into()),
        },
        _ => Err("wrong number of arguments".into()),
    }
}

fn parse_keyspace_events(word: &[u8]) -> Result<Value, String> {
    let known =
        |b: &u8| *b == b'A' || is_in(EVENT_CLASSES_OF_ALL, *b) || is_in(EVENT_CLASSES_ALONE, *b);
    if !word.iter().all(known) {
        return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into());
    }
    let has = |class: &u8| word.contains(class);
    let all = has(&b'A') || EVENT_CLASSES_OF_ALL.bytes().all(|class| has(&class));
    let mut out = Vec::new();
    if all {
        out.push(b'A');
    } else {
        out.extend(EVENT_CLASSES_OF_ALL.bytes().filter(has));
    }
    out.extend(EVENT_CLASSES_ALONE.bytes().filter(has));
    Ok(Value::Text(out))
}

fn is_in(classes: &str, class: u8) -> bool {
    classes.as_bytes().contains(&class)
}

fn check_file_name(name: &str, word: &[u8]) -> Result<(), String> {
    if word.is_empty() && name != "dbfilename" {
        return Err(format!("{name} can't be empty"));
    }
    if word.contains(&b'/') {
        let what = if name.ends_with("dirname") {
            "dirname"
        } else {
            "filename"
        };
        return Err(format!("{name} can't be a path, just a {what}"));
    }
    Ok(())
}

/// A template is refused when it names an unknown variable or could come out empty.
fn check_proc_title(word: &[u8]) -> Result<(), String> {
    let wrong = "template format is invalid or contains unknown variables";
    let mut rest = std::str::from_utf8(word).map_err(|_| wrong)?;
    let mut shows_something = false;
    while let Some((before, after)) = rest.split_once('{') {
        shows_something |= !before.trim().is_empty() || after.starts_with('{');
        if let Some(literal) = after.strip_prefix('{') {
            rest = literal;
            continue;
        }
        let (variable, after) = after.split_once('}').ok_or(wrong)?;
        match variable {
            "listen-addr" | "server-mode" | "port" | "tls-port" => shows_something = true,
            "title" | "unixsocket" | "config-file" => {}
            _ => return Err(wrong.into()),
        }
        rest = after;
    }
    shows_something |= !rest.trim().is_empty();
    if shows_something {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

fn check_hostname(word: &[u8]) -> Result<(), String> {
    if word.len() >= HOSTNAME_MAX_BYTES {
        return Err("Hostnames must be less than 256 characters".into());
    }
    if !word
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
    {
        return Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into());
    }
    Ok(())
}

fn check_node_name(word: &[u8]) -> Result<(), String> {
    let fine = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b' ' | b'/');
    if word.iter().all(fine) {
        Ok(())
    } else {
        Err("Announced human node name contained invalid character".into())
    }
}

fn check_address<A: std::str::FromStr>(word: &[u8], wrong: &str) -> Result<(), String> {
    let parses = || std::str::from_utf8(word).is_ok_and(|text| text.parse::<A>().is_ok());
    if word.is_empty() || parses() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}
