//! The time as a parameter: whoever needs it is handed a [`Clock`], so that tests turn it by hand.
//!
//! A clock answers two different questions. *Which moment is it* (`unix_us`, `unix_ms`) may jump when somebody sets
//! the machine's time; expiry times and LASTSAVE are of this kind. *How much time went by* (`monotonic_ns`) never
//! goes back; durations and the slow log are of this kind. Clones of a manual clock share their hands.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A source of time: the operating system's, or a manual one for tests.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System {
        start: Instant,
        /// Unix microseconds at `start`, as the machine believes now.
        started_unix_us: Cell<i64>,
    },
    Manual(Rc<Hands>),
}

/// What a manual clock and all its clones show.
#[derive(Debug)]
struct Hands {
    unix_us: Cell<i64>,
    monotonic_ns: Cell<u64>,
}

impl Clock {
    /// The machine's own time.
    pub fn system() -> Clock {
        let clock = Clock {
            source: Source::System {
                start: Instant::now(),
                started_unix_us: Cell::new(0),
            },
        };
        clock.synchronize();
        clock
    }

    /// A clock that stands still at `unix_ms` (milliseconds since 1970) until it is moved.
    pub fn manual(unix_ms: i64) -> Clock {
        let hands = Hands {
            unix_us: Cell::new(unix_ms.saturating_mul(1000)),
            monotonic_ns: Cell::new(0),
        };
        Clock {
            source: Source::Manual(Rc::new(hands)),
        }
    }

    /// Microseconds since 1970; negative if the machine believes in an earlier year.
    #[inline]
    pub fn unix_us(&self) -> i64 {
        match &self.source {
            Source::System { .. } => system_unix_us(),
            Source::Manual(hands) => hands.unix_us.get(),
        }
    }

    /// Milliseconds since 1970, rounded down.
    #[inline]
    pub fn unix_ms(&self) -> i64 {
        self.unix_us().div_euclid(1000)
    }

    /// Nanoseconds since some fixed moment of this process; never goes back.
    #[inline]
    pub fn monotonic_ns(&self) -> u64 {
        match &self.source {
            Source::System { start, .. } => {
                u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
            }
            Source::Manual(hands) => hands.monotonic_ns.get(),
        }
    }

    /// The milliseconds since 1970 at a moment that [`Self::monotonic_ns`] gave: right but for what the machine's time was
    /// set since [`Self::synchronize`]. One reading of the clock serves both questions.
    #[inline]
    pub fn unix_ms_at(&self, monotonic_ns: u64) -> i64 {
        match &self.source {
            Source::System {
                started_unix_us, ..
            } => (started_unix_us.get() + (monotonic_ns / 1000) as i64).div_euclid(1000),
            Source::Manual(hands) => hands.unix_us.get().div_euclid(1000),
        }
    }

    /// Looks at the machine's time, which somebody may have set.
    pub fn synchronize(&self) {
        if let Source::System {
            started_unix_us, ..
        } = &self.source
        {
            started_unix_us.set(system_unix_us() - (self.monotonic_ns() / 1000) as i64);
        }
    }

    /// Lets `ms` milliseconds pass on a manual clock, in both of its readings.
    ///
    /// # Panics
    /// On the system's clock, which nobody moves.
    pub fn advance_ms(&self, ms: u64) {
        let hands = self.hands();
        let us = i64::try_from(ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        hands.unix_us.set(hands.unix_us.get().saturating_add(us));
        let ns = ms.saturating_mul(1_000_000);
        hands
            .monotonic_ns
            .set(hands.monotonic_ns.get().saturating_add(ns));
    }

    /// Sets a manual clock to a moment, forth or back, as an administrator sets a machine's time: no time passes.
    ///
    /// # Panics
    /// On the system's clock, which nobody moves.
    pub fn set_unix_ms(&self, unix_ms: i64) {
        self.hands().unix_us.set(unix_ms.saturating_mul(1000));
    }

    fn hands(&self) -> &Hands {
        match &self.source {
            Source::System { .. } => panic!("only a manual clock can be moved"),
            Source::Manual(hands) => hands,
        }
    }
}

fn system_unix_us() -> i64 {
    let (past, span) = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(span) => (false, span),
        Err(before) => (true, before.duration()),
    };
    let us = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    if past { -us } else { us }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::manual(1_700_000_000_123);
        assert_eq!(clock.unix_ms(), 1_700_000_000_123);
        assert_eq!(clock.unix_us(), 1_700_000_000_123_000);
        assert_eq!(clock.monotonic_ns(), 0);
        clock.advance_ms(5);
        assert_eq!(clock.unix_ms(), 1_700_000_000_128);
        assert_eq!(clock.monotonic_ns(), 5_000_000);
    }

    #[test]
    fn clones_of_a_manual_clock_share_their_hands() {
        let clock = Clock::manual(0);
        let held_by_the_test = clock.clone();
        held_by_the_test.advance_ms(7);
        assert_eq!(clock.unix_ms(), 7);
    }

    #[test]
    fn setting_the_moment_lets_no_time_pass() {
        let clock = Clock::manual(1000);
        clock.advance_ms(1);
        clock.set_unix_ms(-5);
        assert_eq!(clock.unix_ms(), -5);
        assert_eq!(clock.monotonic_ns(), 1_000_000);
    }

    #[test]
    fn absurd_moments_saturate() {
        let clock = Clock::manual(i64::MAX);
        assert_eq!(clock.unix_us(), i64::MAX);
        clock.advance_ms(u64::MAX);
        assert_eq!(clock.unix_us(), i64::MAX);
        assert_eq!(clock.monotonic_ns(), u64::MAX);
    }

    #[test]
    fn the_system_clock_knows_the_century_and_never_goes_back() {
        let clock = Clock::system();
        assert!(clock.unix_ms() > 1_600_000_000_000);
        assert!(clock.unix_us() / 1_000_000 < 5_000_000_000);
        let mut last = clock.monotonic_ns();
        for _ in 0..1000 {
            let now = clock.monotonic_ns();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    #[should_panic(expected = "only a manual clock can be moved")]
    fn the_system_clock_cannot_be_moved() {
        Clock::system().advance_ms(1);
    }
}
