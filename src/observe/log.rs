//! The log: tracing events become lines for people or for collectors.
//!
//! ```text
//! console  4711:M 21 Nov 2026 00:12:13.123 * Ready to accept connections tcp
//! json     {"timestamp":"2026-11-21T00:12:13.123+00:00","level":"notice","pid":4711,"role":"M","message":"Ready ..."}
//! ```
//! The console line has process id, role (M primary, S replica), local time and importance: `.` debug, `-` verbose,
//! `*` notice, `#` warning; in tracing's words trace, debug, info, and warn or error. The file is opened anew for each line, so
//! that moving it away is all that rotation needs.

use crate::config::settings::{LegacyLogFormat, LogFormat, LogLevel, LogTimestamp, Settings};
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
pub struct Log {
    style: Arc<RwLock<Style>>,
    level: reload::Handle<LevelFilter, Registry>,
}

/// Shape and place of lines.
#[derive(Clone, Debug, Default)]
struct Style {
    shape: Shape,
    timestamp: LogTimestamp,
    /// `None`: standard output.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shape {
    #[default]
    Console,
    Logfmt,
    Json,
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

    /// Applies level, shape and file.
    ///
    /// # Errors
    /// The reason why the file cannot be opened; nothing has changed then.
    pub fn configure(&self, settings: &Settings) -> Result<(), String> {
        let file = match settings.logfile.as_deref() {
            None | Some("") => None,
            Some(name) => Some(
                std::path::absolute(name)
                    .and_then(|path| open(&path).map(|_| path))
                    .map_err(|error| format!("Can't open the log file: {error}"))?,
            ),
        };
        let json =
            settings.logformat == LogFormat::Json || settings.log_format == LegacyLogFormat::Json;
        let shape = match settings.log_format {
            _ if json => Shape::Json,
            LegacyLogFormat::Logfmt => Shape::Logfmt,
            _ => Shape::Console,
        };
        let timestamp = settings.log_timestamp_format;
        *self.style.write().unwrap_or_else(PoisonError::into_inner) = Style {
            shape,
            timestamp,
            file,
        };
        self.level
            .modify(|filter| *filter = filter_of(settings.loglevel))
            .map_err(|error| error.to_string())
    }
}

/// Shows another role in the log from now on: `M` or `S`.
pub fn set_role(letter: char) {
    ROLE.store(u8::try_from(letter).unwrap_or(b'?'), Ordering::Relaxed);
}

fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::TRACE,
        LogLevel::Verbose => LevelFilter::DEBUG,
        LogLevel::Notice => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Nothing => LevelFilter::OFF,
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
    fn print(&self, shape: Shape, timestamp: LogTimestamp) -> String {
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

    fn time_text(&self, timestamp: LogTimestamp) -> String {
        match timestamp {
            LogTimestamp::Legacy => self.time.format("%d %b %Y %H:%M:%S%.3f").to_string(),
            LogTimestamp::Iso8601 => self.time.to_rfc3339_opts(SecondsFormat::Millis, false),
            LogTimestamp::Milliseconds => self.time.timestamp_millis().to_string(),
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
        let printed = line("full").print(Shape::Console, LogTimestamp::Legacy);
        assert_eq!(printed, "7:M 21 Nov 2026 00:12:13.005 # full\n");
    }

    #[test]
    fn a_json_line_stays_one_line_and_can_be_read_back() {
        let printed = line("a \"quoted\"\nline").print(Shape::Json, LogTimestamp::Legacy);
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
        let printed = line("a \"b\"").print(Shape::Logfmt, LogTimestamp::Milliseconds);
        assert!(printed.ends_with(" level=warning message=\"a 'b'\"\n"));
        assert!(printed.starts_with("pid=7 role=primary timestamp=\""));
    }
}
