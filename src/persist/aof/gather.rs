//! Group commit: how many writers one flush to the disk is for.
//!
//! ```text
//! at once    flush A | flush B | flush A | flush B     whoever is answered after A comes too late for B: half of them each
//! gathered   flush A+B . flush A+B . flush A+B         after a flush a moment for those who were answered to come again
//! ```
//! So an append waits until about as many writers have come as wait or were answered just now, but no longer than the flush
//! before took. If they do not come, the next appends go at once, more of them each time.

/// Appends that go at once after waiting was in vain: the first time, and at most.
const RESTS_MIN: u32 = 16;
const RESTS_MAX: u32 = 4096;
/// No append waits longer.
const WAIT_MAX_NS: u64 = 2_000_000;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// Writers whose changes have not been handed over.
    come: usize,
    /// Those of the append that is under way.
    under_way: usize,
    handed_ns: u64,
    /// Writers for whom the next append waits, and until when.
    wanted: usize,
    until_ns: u64,
    /// Appends that are not to wait.
    rests: u32,
    rests_last: u32,
}

impl Gather {
    /// A writer's answer waits for the next append.
    #[inline]
    pub(super) fn come(&mut self) {
        self.come += 1;
    }

    /// Whether the append goes now.
    pub(super) fn is_complete(&mut self, now_ns: u64) -> bool {
        if self.come >= self.wanted - self.wanted / 8 {
            self.rests_last = if self.rests > 0 { self.rests_last } else { 0 };
            return true;
        }
        if self.rests == 0 && now_ns >= self.until_ns {
            self.rests_last = (self.rests_last * 2).clamp(RESTS_MIN, RESTS_MAX);
            self.rests = self.rests_last;
        }
        self.rests > 0
    }

    /// An append goes.
    pub(super) fn go(&mut self, now_ns: u64) {
        self.under_way = std::mem::take(&mut self.come);
        self.handed_ns = now_ns;
        self.rests = self.rests.saturating_sub(1);
    }

    /// The append is on the disk.
    pub(super) fn end(&mut self, now_ns: u64) {
        let took_ns = now_ns.saturating_sub(self.handed_ns);
        self.wanted = std::mem::take(&mut self.under_way) + self.come;
        self.until_ns = now_ns + took_ns.min(WAIT_MAX_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come(gather: &mut Gather, writers: usize) {
        (0..writers).for_each(|_| gather.come());
    }

    #[test]
    fn an_append_waits_for_those_who_were_answered_but_not_longer_than_the_last_flush_took() {
        let mut gather = Gather::default();
        come(&mut gather, 20);
        assert!(gather.is_complete(0), "nobody is known yet");
        gather.go(0);
        come(&mut gather, 20);
        gather.end(100);
        assert!(
            !gather.is_complete(101),
            "the first twenty are about to come"
        );
        come(&mut gather, 15);
        assert!(gather.is_complete(102), "nearly all have come");
        gather.go(102);
        gather.end(202);
        come(&mut gather, 1);
        assert!(!gather.is_complete(301) && gather.is_complete(302));
    }

    #[test]
    fn after_waiting_in_vain_appends_go_at_once_for_a_while() {
        let mut gather = Gather::default();
        let mut now_ns = 0;
        let mut waits = 0;
        for _ in 0..1000 {
            // Of two who write, one writes once.
            come(&mut gather, 2);
            gather.go(now_ns);
            gather.end(now_ns + 100);
            gather.come();
            now_ns += 101;
            waits += usize::from(!gather.is_complete(now_ns));
            now_ns += 100;
            assert!(gather.is_complete(now_ns), "the wait is over");
        }
        assert!((4..10).contains(&waits), "{waits}");
    }

    #[test]
    fn one_writer_never_waits() {
        let mut gather = Gather::default();
        for now_ns in 0..100 {
            gather.come();
            assert!(gather.is_complete(now_ns));
            gather.go(now_ns);
            gather.end(now_ns + 50);
        }
    }
}
