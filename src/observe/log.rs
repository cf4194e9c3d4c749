//! The log: tracing events become lines for people or for collectors.
//!
//! ```text
//! console  4711:M 21 Nov 2026 00:12:13.123 * Ready to accept connections tcp
//! json     {"timestamp":"2026-11-21T00:12:13.123+00:00","level":"notice","pid":4711,"role":"M","message":"Ready ..."}
//! ```
//! The console line has process id, role (M primary, S replica), local time and importance: `.` debug, `-` verbose,
//! `*` notice, `#` warning; in tracing's words trace, debug, info, and warn or error. The file is opened anew for each line, so
//! that moving it away is all that rotation needs.

use chrono::{DateTime, Local, SecondsFormat};
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

/// The letter of the role, which replication changes.
static ROLE: AtomicU8 = AtomicU8::new(b'M');

/// The log of the process; it is set up once and configured as often as one likes.
#[derive(Clone)]
pub struct Log {
    style: Arc<RwLock<Style>>,
    level: reload::Handle<LevelFilter, Registry>,
}

/// Shape and place of lines.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// The shape.
    pub shape: Shape,
    /// How the console and logfmt show the time.
    pub timestamp: Timestamp,
    /// The file to append to; `None`: standard output.
    pub file: Option<PathBuf>,
}

/// The shape of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// For people.
    #[default]
    Console,
    /// `name=value` pairs.
    Logfmt,
    /// A JSON object.
    Json,
}

/// How a line shows its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamp {
    /// `21 Nov 2026 00:12:13.123`, local time.
    #[default]
    Console,
    /// `2026-11-21T00:12:13.123+00:00`, local time.
    Iso8601,
    /// Unix milliseconds.
    Milliseconds,
}

/// The least important lines that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// All, tracing's `trace` included.
    Debug,
    /// From `debug` on.
    Verbose,
    /// From `info` on.
    Notice,
    /// From `warn` on.
    Warning,
    /// Only `error`.
    Error,
    /// None.
    Nothing,
}

impl Log {
    /// Makes this the log of the process: notices and what is above them on standard output, until it is configured.
    ///
    /// # Errors
    /// If the process has a log already.
    pub fn install() -> Result<Log, String> {
        let style = Arc::new(RwLock::new(Style::default()));
        let (filter, level) = reload::Layer::new(LevelFilter::INFO);
        let lines = tracing_subscriber::fmt::layer()
            .log_internal_errors(false)
            .event_format(Lines(Arc::clone(&style)))
            .with_writer(Place(Arc::clone(&style)));
        tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .try_init()
            .map_err(|error| error.to_string())?;
        Ok(Log { style, level })
    }

    /// Writes lines from this importance on, in this style. A relative file counts from the present folder.
    ///
    /// # Errors
    /// What the system says to opening the file; nothing has changed then.
    pub fn configure(&self, threshold: Threshold, mut style: Style) -> io::Result<()> {
        if let Some(name) = &style.file {
            let path = std::path::absolute(name)?;
            open(&path)?;
            style.file = Some(path);
        }
        *self.style.write().unwrap_or_else(PoisonError::into_inner) = style;
        self.level
            .modify(|filter| *filter = filter_of(threshold))
            .map_err(io::Error::other)
    }
}

/// Shows another role in the log from now on: `M` or `S`.
pub fn set_role(letter: char) {
    ROLE.store(u8::try_from(letter).unwrap_or(b'?'), Ordering::Relaxed);
}

fn filter_of(threshold: Threshold) -> LevelFilter {
    match threshold {
        Threshold::Debug => LevelFilter::TRACE,
        Threshold::Verbose => LevelFilter::DEBUG,
        Threshold::Notice => LevelFilter::INFO,
        Threshold::Warning => LevelFilter::WARN,
        Threshold::Error => LevelFilter::ERROR,
        Threshold::Nothing => LevelFilter::OFF,
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Opens the place that lines go to.
struct Place(Arc<RwLock<Style>>);

impl<'a> MakeWriter<'a> for Place {
    type Writer = Box<dyn Write>;

    fn make_writer(&'a self) -> Self::Writer {
        let style = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match style.file.as_deref().map(open) {
            Some(Ok(file)) => Box::new(file),
            Some(Err(_)) => Box::new(io::sink()),
            None => Box::new(io::stdout()),
        }
    }
}

/// Writes one line an event.
struct Lines(Arc<RwLock<Style>>);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        let line = Line {
            pid: std::process::id(),
            role: char::from(ROLE.load(Ordering::Relaxed)),
            time: Local::now(),
            level: *event.metadata().level(),
            message: &message.0,
        };
        let style = self.0.read().unwrap_or_else(PoisonError::into_inner);
        writer.write_str(&line.print(style.shape, style.timestamp))
    }
}

/// An event's message, and its other fields behind it.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// All that a line shows.
struct Line<'a> {
    pid: u32,
    role: char,
    time: DateTime<Local>,
    level: Level,
    message: &'a str,
}

impl Line<'_> {
    fn print(&self, shape: Shape, timestamp: Timestamp) -> String {
        let Line {
            pid, role, message, ..
        } = self;
        let time = self.time_text(timestamp);
        let (sign, level) = self.level_words();
        match shape {
            Shape::Console => format!("{pid}:{role} {time} {sign} {message}\n"),
            Shape::Logfmt => {
                let message = message.replace('"', "'").replace(['\n', '\r'], " ");
                let role = role_word(*role);
                format!(
                    "pid={pid} role={role} timestamp=\"{time}\" level={level} message=\"{message}\"\n"
                )
            }
            Shape::Json => {
                let time = self.time.to_rfc3339_opts(SecondsFormat::Millis, false);
                let message = serde_json::Value::from(*message);
                format!(
                    "{{\"timestamp\":\"{time}\",\"level\":\"{level}\",\"pid\":{pid},\"role\":\"{}\",\"message\":{message}}}\n",
                    role_word(*role)
                )
            }
        }
    }

    fn time_text(&self, timestamp: Timestamp) -> String {
        match timestamp {
            Timestamp::Console => self.time.format("%d %b %Y %H:%M:%S%.3f").to_string(),
            Timestamp::Iso8601 => self.time.to_rfc3339_opts(SecondsFormat::Millis, false),
            Timestamp::Milliseconds => self.time.timestamp_millis().to_string(),
        }
    }

    fn level_words(&self) -> (char, &'static str) {
        match self.level {
            Level::TRACE => ('.', "debug"),
            Level::DEBUG => ('-', "verbose"),
            Level::INFO => ('*', "notice"),
            Level::WARN => ('#', "warning"),
            Level::ERROR => ('#', "error"),
        }
    }
}

fn role_word(letter: char) -> &'static str {
    match letter {
        'S' => "replica",
        _ => "primary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, TimeZone};

    fn line(message: &str) -> Line<'_> {
        let time = Local.with_ymd_and_hms(2026, 11, 21, 0, 12, 13);
        Line {
            pid: 7,
            role: 'M',
            time: time.single().expect("the night has no gap") + chrono::TimeDelta::milliseconds(5),
            level: Level::WARN,
            message,
        }
    }

    #[test]
    fn the_console_line_has_the_usual_order() {
        let printed = line("full").print(Shape::Console, Timestamp::Console);
        assert_eq!(printed, "7:M 21 Nov 2026 00:12:13.005 # full\n");
    }

    #[test]
    fn a_json_line_stays_one_line_and_can_be_read_back() {
        let printed = line("a \"quoted\"\nline").print(Shape::Json, Timestamp::Console);
        assert_eq!(printed.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&printed).expect("valid JSON");
        assert_eq!(value["message"], "a \"quoted\"\nline");
        assert_eq!(value["pid"], 7);
        let time = value["timestamp"].as_str().expect("a text");
        let time = DateTime::parse_from_rfc3339(time).expect("a time");
        assert_eq!(time.year(), 2026);
    }

    #[test]
    fn logfmt_keeps_quotes_out_of_the_message() {
        let printed = line("a \"b\"").print(Shape::Logfmt, Timestamp::Milliseconds);
        assert!(printed.ends_with(" level=warning message=\"a 'b'\"\n"));
        assert!(printed.starts_with("pid=7 role=primary timestamp=\""));
    }
}
