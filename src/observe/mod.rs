//! Numbers for those who run the server. INFO and the metrics endpoint are two renderers of the same rows: each service
//! that owns a number adds it to an [`Info`] under its section.

pub mod crash;
pub mod histogram;
pub mod log;
pub mod memory;
pub mod stats;

use std::fmt::{Display, Write};

/// The text of INFO, section by section.
#[derive(Debug, Default)]
pub struct Info {
    text: String,
}

impl Info {
    /// Starts a section: `# Name`.
    pub fn section(&mut self, name: &str) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push_str("\r\n");
        }
        // Writing to a String cannot fail.
        let _ = write!(self.text, "# {name}\r\n");
        self
    }

    /// Adds `name:value`.
    pub fn field(&mut self, name: impl Display, value: impl Display) -> &mut Self {
        let _ = write!(self.text, "{name}:{value}\r\n");
        self
    }

    /// Adds `name:0` for each name: fields that tools ask for, of what this server does not do.
    pub fn zeros(&mut self, names: &[&str]) -> &mut Self {
        for name in names {
            self.field(name, 0);
        }
        self
    }

    /// Adds `name:value` in bytes, and `name_human:value` for people.
    pub fn bytes(&mut self, name: &str, bytes: u64) -> &mut Self {
        self.field(name, bytes)
            .field(format_args!("{name}_human"), human_bytes(bytes))
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Bytes as people read them: `1.50M`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_the_unit_that_fits() {
        let shown = [0, 1023, 1024, 1_572_864, 5 << 30].map(human_bytes);
        assert_eq!(shown, ["0B", "1023B", "1.00K", "1.50M", "5.00G"]);
    }

    #[test]
    fn sections_are_set_apart_by_an_empty_line() {
        let mut info = Info::default();
        info.section("A").field("x", 1).section("B");
        assert_eq!(info.finish(), "# A\r\nx:1\r\n\r\n# B\r\n");
    }
}
