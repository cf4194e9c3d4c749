//! Moments as they are typed and shown: seconds, as the annotations of append-only files have them.

use chrono::{DateTime, Local, NaiveDateTime, Utc};

/// Date and time, with either letter between them.
const FORMS: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
/// How the time of this clock is marked where it is not an offset.
const UTC_MARKS: [&str; 3] = [" UTC", "UTC", "Z"];

/// The Unix second that `text` means: a number of seconds, RFC 3339 (`2026-11-21T06:00:00+01:00`), or `2026-11-21 06:00:00`,
/// which is UTC if that stands behind it (or `Z`), else local time. Fractions of the second are passed over.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.timestamp());
    }
    let naive = |text: &str| {
        let mut forms = FORMS.iter();
        forms.find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    let mut marks = UTC_MARKS.iter();
    if let Some(text) = marks.find_map(|mark| text.strip_suffix(mark)) {
        let moment = naive(text.trim_end());
        return moment
            .map(|moment| moment.and_utc().timestamp())
            .ok_or_else(unknown);
    }
    let moment = naive(text).ok_or_else(unknown)?;
    let local = moment.and_local_timezone(Local);
    local
        .single()
        .map(|moment| moment.timestamp())
        .ok_or_else(|| {
            "the clock was changed then: say the offset too, as in 2026-10-25T02:30:00+01:00"
                .to_owned()
        })
}

fn unknown() -> String {
    "expected Unix seconds, 2026-11-21T06:00:00+01:00, '2026-11-21 06:00:00 UTC', or local time without UTC"
        .to_owned()
}

/// A second as it is shown.
pub(super) fn show(unix_s: i64) -> String {
    match DateTime::<Utc>::from_timestamp(unix_s, 0) {
        Some(moment) => format!("{} ({unix_s})", moment.format("%Y-%m-%d %H:%M:%S UTC")),
        None => unix_s.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_a_moment_are_understood() {
        const MOMENT: i64 = 1_795_240_800;
        for text in [
            "1795240800",
            "2026-11-21T06:00:00Z",
            "2026-11-21T07:00:00+01:00",
            "2026-11-21 06:00:00 UTC",
            "2026-11-21 06:00:00Z",
            "2026-11-21T06:00:00.999Z",
        ] {
            assert_eq!(parse(text), Ok(MOMENT), "{text}");
        }
        assert_eq!(show(MOMENT), "2026-11-21 06:00:00 UTC (1795240800)");
    }

    #[test]
    fn a_moment_without_a_zone_is_local() {
        let local =
            DateTime::<Utc>::from_timestamp(1_795_240_800, 0).map(|at| at.with_timezone(&Local));
        let text = local.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string());
        assert_eq!(parse(&text.unwrap_or_default()), Ok(1_795_240_800));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "yesterday", "2026-11-21", "2026-13-01 00:00:00", "1e9"] {
            assert_eq!(parse(text), Err(unknown()), "{text}");
        }
    }
}
