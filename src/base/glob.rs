//! The patterns of KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL selectors, matched as Redis matches them.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any run of bytes, also none |
//! | `?` | any one byte |
//! | `[abc]` `[a-c]` | one byte of the list or range (a reversed range is turned round) |
//! | `[^abc]` | one byte outside the list |
//! | `\x` | the byte `x` itself, inside a class too |
//!
//! It is not the shell's globbing: `/` and a leading dot are bytes as any other, `[!a]` does not negate, a `]` always
//! closes the class, and a class that nobody closes ends with the pattern.
//!
//! Every element but `*` takes exactly one byte, so on a mismatch only the last `*` needs to be tried again. The work
//! is at most pattern times text, without recursion, whatever the pattern.
//! Source: <https://redis.io/docs/latest/commands/keys/>.

/// Stars, runs of them counted once, after which a pattern matches nothing any more: Redis' bound on its recursion, which
/// users meet as an answer.
const STARS_MAX: usize = 1000;

/// Whether `pattern` matches the whole of `text`; `ignore_case` is about ASCII letters.
pub fn glob_match(pattern: &[u8], text: &[u8], ignore_case: bool) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut stars = 0;
    // Where to go on after a mismatch: behind the last star, which then swallows one byte more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            if at == pattern.len() {
                return true;
            }
            stars += usize::from(pattern.get(at) != Some(&b'*'));
            if stars > STARS_MAX {
                return false;
            }
            retry = Some((at, read));
            continue;
        }
        let Some(&byte) = text.get(read) else {
            return at == pattern.len();
        };
        if let Some(length) = match_one(&pattern[at..], byte, ignore_case) {
            at += length;
            read += 1;
        } else if let Some((after_star, start)) = retry {
            at = after_star;
            read = start + 1;
            retry = Some((after_star, read));
        } else {
            return false;
        }
    }
}

/// Matches the element at the head of `pattern` (not a star) against one byte: its length if it matches.
#[inline]
fn match_one(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => match_class(class, byte, ignore_case).map(|length| length + 1),
        [b'\\', literal, ..] => same(*literal, byte, ignore_case).then_some(2),
        [literal, ..] => same(*literal, byte, ignore_case).then_some(1),
    }
}

/// Matches a class, given from behind its `[`: its length with the closing bracket, if there is one.
fn match_class(class: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match &class[at..] {
            [] => break,
            // An escaped byte of a class keeps its case even where case is ignored: so does the original.
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [first, b'-', last, ..] => {
                found |= in_range(*first, *last, byte, ignore_case);
                at += 3;
            }
            [literal, ..] => {
                found |= same(*literal, byte, ignore_case);
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

fn in_range(first: u8, last: u8, byte: u8, ignore_case: bool) -> bool {
    let (low, high) = (first.min(last), first.max(last));
    if ignore_case {
        let range = low.to_ascii_lowercase()..=high.to_ascii_lowercase();
        range.contains(&byte.to_ascii_lowercase())
    } else {
        (low..=high).contains(&byte)
    }
}

#[inline]
fn same(literal: u8, byte: u8, ignore_case: bool) -> bool {
    literal == byte || (ignore_case && literal.eq_ignore_ascii_case(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        glob_match(pattern.as_bytes(), text.as_bytes(), false)
    }

    #[test]
    fn a_pattern_of_very_many_stars_matches_nothing() {
        let text = vec![b'a'; 50_000];
        assert!(glob_match("*?".repeat(1000).as_bytes(), &text, false));
        assert!(!glob_match("*?".repeat(1001).as_bytes(), &text, false));
        assert!(glob_match("*".repeat(50_000).as_bytes(), &text, false));
    }

    #[test]
    fn a_star_matches_any_run_of_bytes() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything"),
            ("**", ""),
            ("a*", "a"),
            ("a*c", "abbbc"),
            ("*a*", "xxaxx"),
            ("a*b*c", "a-b-b-c"),
            ("*aab", "aaaab"),
            ("foo*bar**", "foo-bar"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a*", "ba"),
            ("*a", "ab"),
            ("a*c", "abbb"),
            ("*ab*ab", "ab"),
            ("*?", ""),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_question_mark_matches_exactly_one_byte() {
        assert!(matches("h?llo", "hello"));
        assert!(!matches("h?llo", "hllo"));
        assert!(!matches("?", ""));
        assert!(!matches("?", "ab"));
        // One byte, not one character.
        assert!(!matches("?", "é"));
        assert!(matches("??", "é"));
    }

    #[test]
    fn a_class_matches_one_byte_of_its_list_or_ranges() {
        assert!(matches("h[ae]llo", "hello"));
        assert!(!matches("h[ae]llo", "hillo"));
        assert!(matches("h[a-c]llo", "hbllo"));
        assert!(matches("[a-cx-z0]", "0"));
        assert!(!matches("[a-c]", "d"));
        assert!(!matches("[a-c]", ""));
    }

    #[test]
    fn a_reversed_range_is_turned_round() {
        assert!(matches("h[c-a]llo", "hbllo"));
        assert!(!matches("h[c-a]llo", "hdllo"));
    }

    #[test]
    fn a_caret_negates_and_an_exclamation_mark_does_not() {
        assert!(matches("h[^e]llo", "hallo"));
        assert!(!matches("h[^e]llo", "hello"));
        assert!(matches("[!a]", "!"));
        assert!(matches("[!a]", "a"));
        assert!(!matches("[^a]", ""));
    }

    #[test]
    fn a_backslash_takes_the_next_byte_as_it_is() {
        assert!(matches("\\*", "*"));
        assert!(!matches("\\*", "x"));
        assert!(matches("\\[a]", "[a]"));
        assert!(matches("a\\", "a\\"));
        assert!(matches("[\\]]", "]"));
        assert!(matches("[\\^a]", "^"));
        // The escaped byte is one element: it opens no range.
        assert!(!matches("[\\a-c]", "b"));
        assert!(matches("[\\a-c]", "-"));
    }

    #[test]
    fn a_bracket_always_closes_its_class() {
        assert!(!matches("[]", "]"));
        assert!(!matches("[]", ""));
        assert!(matches("[^]", "x"));
        assert!(!matches("[]a]", "a]"));
    }

    #[test]
    fn a_class_nobody_closes_ends_with_the_pattern() {
        assert!(matches("[abc", "b"));
        assert!(!matches("[abc", "x"));
        assert!(!matches("[", "a"));
        assert!(matches("[^", "a"));
        assert!(matches("[a-", "-"));
        assert!(matches("[a-", "a"));
        assert!(matches("x*[ab", "xyzb"));
    }

    #[test]
    fn a_range_may_end_in_a_bracket() {
        // "]" is the end of the range here, and the class stays open.
        assert!(matches("[a-]", "^"));
        assert!(matches("[a-]", "]"));
        assert!(!matches("[a-]", "-"));
    }

    #[test]
    fn case_is_ignored_on_request_but_not_for_escaped_bytes_of_a_class() {
        let matches =
            |pattern: &str, text: &str| glob_match(pattern.as_bytes(), text.as_bytes(), true);
        assert!(matches("MAX*", "maxmemory"));
        assert!(matches("[M]ax", "max"));
        assert!(matches("[L-N]ax", "max"));
        assert!(matches("\\Max", "max"));
        assert!(!matches("[\\M]ax", "max"));
        assert!(!matches("[Z-a]ax", "max"));
        assert!(!glob_match(b"MAX*", b"maxmemory", false));
    }

    #[test]
    fn bytes_need_not_be_text() {
        assert!(glob_match(b"\xff\x00*", b"\xff\x00\x80", false));
        assert!(glob_match(b"[\x80-\xff]", b"\x90", false));
    }

    #[test]
    fn many_stars_against_a_long_text_need_no_exponential_time() {
        let pattern = [b"a*".repeat(2_000), b"b".to_vec()].concat();
        let text = vec![b'a'; 10_000];
        assert!(!glob_match(&pattern, &text, false));
        let pattern = [b"*?".repeat(2_000), b"b".to_vec()].concat();
        assert!(!glob_match(&pattern, &text, false));
    }
}
