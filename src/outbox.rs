//! The effects door: what services want to be sent to clients. A service never touches a client; it puts a message in here
//! once and says who is to get it, and the engine carries it out right after the command that caused it.
//!
//! Clients are named by their slots. One whose own command is running is not among the others then: what is for it is
//! *held* until that command is answered, so that its reply comes first, after all of EXEC or of a script.
//!
//! What is held is bounded: a script may publish to its own client for as long as it likes. If more than the bound waits
//! it is dropped, and the client is closed when it would have got it, as any reader who is too slow.
//!
//! ```text
//! service --- send(client 7, message 3) ---> sends --- carry_out ---> the client's output
//!                                              |                           ^
//!                                              '--> held (it is running) --'  release, after its reply
//! ```

use crate::resp::push::{PushId, Pushes};

/// A message for a client.
#[derive(Clone, Copy, Debug)]
struct Send {
    slot: u32,
    message: PushId,
}

/// What became of an attempt to hand a message to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It has it, or is never to get it.
    Done,
    /// A command of it is running: later.
    Later,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The messages, to be written by services.
    pub pushes: Pushes,
    sends: Vec<Send>,
    held: Vec<Send>,
    /// Clients for which too much was held.
    overrun: Vec<u32>,
}

impl Outbox {
    /// Sends a message to a client.
    #[inline]
    pub fn send(&mut self, slot: u32, message: PushId) {
        self.sends.push(Send { slot, message });
    }

    /// Sends a message to several clients.
    #[inline]
    pub fn send_all(&mut self, slots: &[u32], message: PushId) {
        self.sends.extend(slots.iter().map(|slot| Send {
            slot: *slot,
            message,
        }));
    }

    /// Whether something waits to be carried out.
    #[inline]
    pub fn has_sends(&self) -> bool {
        !self.sends.is_empty()
    }

    /// Whether something waits for clients whose commands are running.
    #[inline]
    pub fn has_held(&self) -> bool {
        !self.held.is_empty() || !self.overrun.is_empty()
    }

    /// Hands every message out, in order: `hand` gets the client's slot and the message. No more than about
    /// `held_max_bytes` of messages are held.
    pub fn carry_out(
        &mut self,
        held_max_bytes: usize,
        mut hand: impl FnMut(usize, &Pushes, PushId) -> Handed,
    ) {
        for send in self.sends.drain(..) {
            let handed = hand(send.slot as usize, &self.pushes, send.message);
            if handed == Handed::Later && !self.overrun.contains(&send.slot) {
                self.held.push(send);
            }
        }
        if !self.held.is_empty() && self.pushes.bytes() > held_max_bytes {
            self.overrun
                .extend(self.held.drain(..).map(|send| send.slot));
            self.overrun.sort_unstable();
            self.overrun.dedup();
        }
        self.forget_messages();
    }

    /// Hands out what was held for one client; whether it was not too much.
    pub fn release(&mut self, slot: usize, mut hand: impl FnMut(&Pushes, PushId)) -> bool {
        let overrun = self.overrun.len();
        self.overrun.retain(|one| *one as usize != slot);
        let pushes = &self.pushes;
        self.held.retain(|send| {
            let is_its = send.slot as usize == slot;
            if is_its {
                hand(pushes, send.message);
            }
            !is_its
        });
        self.forget_messages();
        self.overrun.len() == overrun
    }

    /// The client is gone: nothing is for it any more.
    pub fn forget(&mut self, slot: usize) {
        self.sends.retain(|send| send.slot as usize != slot);
        self.held.retain(|send| send.slot as usize != slot);
        self.overrun.retain(|one| *one as usize != slot);
    }

    fn forget_messages(&mut self) {
        if self.sends.is_empty() && self.held.is_empty() {
            self.pushes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_a_running_client_is_held_in_order_until_it_is_released() {
        let mut outbox = Outbox::default();
        let (one, two) = (outbox.pushes.line(b"one"), outbox.pushes.line(b"two"));
        outbox.send_all(&[1, 2], one);
        outbox.send(2, two);
        let mut handed = Vec::new();
        outbox.carry_out(usize::MAX, |slot, _, message| {
            if slot == 2 {
                return Handed::Later;
            }
            handed.push((slot, message));
            Handed::Done
        });
        assert!(!outbox.has_sends() && outbox.has_held());
        assert!(outbox.release(3, |_, message| handed.push((3, message))));
        assert!(outbox.release(2, |_, message| handed.push((2, message))));
        assert_eq!(handed, [(1, one), (2, one), (2, two)]);
        assert!(!outbox.has_held());
    }

    #[test]
    fn more_than_may_be_held_is_dropped_and_told_once() {
        let mut outbox = Outbox::default();
        for _ in 0..10 {
            let message = outbox.pushes.line(b"twenty bytes and two");
            outbox.send(7, message);
            outbox.carry_out(100, |_, _, _| Handed::Later);
            assert!(outbox.pushes.bytes() <= 100);
        }
        let nothing = |_: &Pushes, _| panic!("it was dropped");
        assert!(!outbox.release(7, nothing) && !outbox.has_held());
        assert!(outbox.release(7, nothing));
    }
}
