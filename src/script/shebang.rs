//! The first line of scripts and libraries: `#!lua flags=no-writes,allow-stale`, `#!lua name=mylib`.

use crate::base::quoting::split_args;
use std::fmt::Display;

/// What a script or a function says of itself.
pub mod script_flag {
    /// It writes nothing.
    pub const NO_WRITES: u32 = 1;
    /// It may run when memory is full.
    pub const ALLOW_OOM: u32 = 1 << 1;
    /// It may run on a replica that lost its primary.
    pub const ALLOW_STALE: u32 = 1 << 2;
    /// It may not run in cluster mode.
    pub const NO_CLUSTER: u32 = 1 << 3;
    /// Its keys may lie in several slots.
    pub const ALLOW_CROSS_SLOT_KEYS: u32 = 1 << 4;

    /// The names by bit, in the order in which FUNCTION LIST shows them.
    pub const NAMES: [(u32, &str); 5] = [
        (NO_WRITES, "no-writes"),
        (ALLOW_OOM, "allow-oom"),
        (ALLOW_STALE, "allow-stale"),
        (NO_CLUSTER, "no-cluster"),
        (ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];
}

/// The bit of a flag's name.
pub(super) fn flag_of(name: &[u8]) -> Option<u32> {
    let found = script_flag::NAMES
        .iter()
        .find(|(_, known)| known.as_bytes() == name);
    found.map(|(bit, _)| *bit)
}

/// The flags of an EVAL script, and where its code begins; `None`: it has no shebang.
///
/// # Errors
/// What is wrong with the shebang.
pub(super) fn of_script(body: &[u8]) -> Result<Option<u32>, String> {
    if !body.starts_with(b"#!") {
        return Ok(None);
    }
    let Some(end) = body.iter().position(|byte| *byte == b'\n') else {
        return Err("ERR Invalid script shebang".to_owned());
    };
    let words = split_args(&body[..end])
        .ok_or_else(|| "ERR Invalid engine in script shebang".to_owned())?;
    let mut words = words.iter().map(Vec::as_slice);
    let engine = words.next().unwrap_or_default();
    if engine != b"#!lua" {
        return Err(with_text(
            "ERR Unexpected engine in script shebang: ",
            engine,
        ));
    }
    let mut flags = 0;
    for word in words {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return Err(with_text("ERR Unknown lua shebang option: ", word));
        };
        for name in names
            .split(|byte| *byte == b',')
            .filter(|name| !name.is_empty())
        {
            flags |= flag_of(name)
                .ok_or_else(|| with_text("ERR Unexpected flag in script shebang: ", name))?;
        }
    }
    Ok(Some(flags))
}

/// The engine and the name of a library.
///
/// # Errors
/// What is wrong with the shebang.
pub(super) fn of_library(code: &[u8]) -> Result<(String, String), String> {
    if !code.starts_with(b"#!") {
        return Err("ERR Missing library metadata".to_owned());
    }
    let end = code.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| "ERR Invalid library metadata".to_owned())?;
    let words =
        split_args(&code[..end]).ok_or_else(|| "ERR Invalid library metadata".to_owned())?;
    let mut words = words.iter().map(Vec::as_slice);
    let engine = words.next().unwrap_or_default();
    let engine = engine.strip_prefix(b"#!").unwrap_or(engine);
    let mut name = None;
    for word in words {
        let Some(value) = strip_name(word) else {
            return Err(with_text("ERR Invalid metadata value given: ", word));
        };
        if name.replace(value).is_some() {
            return Err(
                "ERR Invalid metadata value, name argument was given multiple times".to_owned(),
            );
        }
    }
    let name = name.ok_or_else(|| "ERR Library name was not given".to_owned())?;
    if !is_valid_name(name) {
        return Err("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long".to_owned());
    }
    Ok((text(engine), text(name)))
}

/// Whether it can name a library or a function.
pub(super) fn is_valid_name(name: &[u8]) -> bool {
    let is_fine = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_fine)
}

/// The code with the shebang blanked out: line numbers stay.
pub(super) fn without_shebang(code: &[u8]) -> &[u8] {
    if !code.starts_with(b"#!") {
        return code;
    }
    let end = code.iter().position(|byte| *byte == b'\n');
    end.and_then(|end| code.get(end..)).unwrap_or_default()
}

fn strip_name(word: &[u8]) -> Option<&[u8]> {
    let (key, value) = word.split_at_checked(b"name=".len())?;
    key.eq_ignore_ascii_case(b"name=").then_some(value)
}

fn with_text(prefix: impl Display, bytes: &[u8]) -> String {
    format!("{prefix}{}", text(bytes))
}

/// Bytes as text, a character for each byte.
pub(super) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shebang_says_engine_and_flags_and_what_is_wrong_with_it() {
        assert_eq!(of_script(b"return 1"), Ok(None));
        assert_eq!(of_script(b"#!lua\nreturn 1"), Ok(Some(0)));
        assert_eq!(
            of_script(b"#!lua flags=no-writes,,allow-stale\n"),
            Ok(Some(script_flag::NO_WRITES | script_flag::ALLOW_STALE))
        );
        let error = |body: &[u8]| of_script(body).expect_err("it is wrong");
        assert_eq!(error(b"#!lua"), "ERR Invalid script shebang");
        assert_eq!(
            error(b"#!lua flags=x\n"),
            "ERR Unexpected flag in script shebang: x"
        );
        assert_eq!(
            error(b"#!lua name=x\n"),
            "ERR Unknown lua shebang option: name=x"
        );
        assert_eq!(without_shebang(b"#!lua\nreturn 1"), b"\nreturn 1");
    }

    #[test]
    fn a_library_has_a_name() {
        assert_eq!(
            of_library(b"#!lua name=a\n"),
            Ok(("lua".to_owned(), "a".to_owned()))
        );
        for wrong in [
            &b"x"[..],
            b"#!lua",
            b"#!lua\n",
            b"#!lua name=a-b\n",
            b"#!lua name=a name=b\n",
        ] {
            assert!(of_library(wrong).is_err());
        }
    }
}
