//! Scripts that EVAL and SCRIPT LOAD have compiled, by the SHA1 of their text.
//!
//! Those that came with EVAL are bounded: applications that write values into their scripts would fill the memory. When
//! there are [`EVAL_SCRIPTS_MAX`], the one not used for longest goes. SCRIPT LOAD promises that a script stays.

use super::bridge::hex;
use super::machine::{Flavor, Machine, Setup};
use super::{Code, shebang};
use sha1::{Digest, Sha1};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// Scripts of EVAL that are kept.
pub const EVAL_SCRIPTS_MAX: usize = 500;

/// See the head of the file.
#[derive(Default)]
pub(super) struct Cache {
    machine: Option<Rc<Machine>>,
    scripts: HashMap<[u8; 20], Script, BuildHasherDefault<Sha1Prefix>>,
    /// How many of them came with EVAL.
    from_eval: usize,
    /// Counts uses.
    clock: u64,
    evicted: u64,
}

struct Script {
    code: Rc<Code>,
    text: Box<[u8]>,
    stays: bool,
    used_at: u64,
}

impl Cache {
    /// The script of this text, compiled if it is new.
    pub(super) fn load(
        &mut self,
        text: &[u8],
        stays: bool,
        setup: Setup,
    ) -> Result<Rc<Code>, String> {
        let sha1: [u8; 20] = Sha1::digest(text).into();
        self.clock += 1;
        if let Some(script) = self.scripts.get_mut(&sha1) {
            script.used_at = self.clock;
            if stays && !script.stays {
                script.stays = true;
                self.from_eval -= 1;
            }
            return Ok(Rc::clone(&script.code));
        }
        let code = Rc::new(self.compile(text, &sha1, setup)?);
        if !stays {
            if self.from_eval >= EVAL_SCRIPTS_MAX {
                self.evict();
            }
            self.from_eval += 1;
        }
        let script = Script {
            code: Rc::clone(&code),
            text: text.into(),
            stays,
            used_at: self.clock,
        };
        self.scripts.insert(sha1, script);
        Ok(code)
    }

    fn compile(&mut self, text: &[u8], sha1: &[u8; 20], setup: Setup) -> Result<Code, String> {
        let flags = shebang::of_script(text)?;
        let machine = match &self.machine {
            Some(machine) => Rc::clone(machine),
            None => {
                let machine = Machine::new(Flavor::Script, setup);
                let machine = machine.map_err(|error| format!("ERR {error}"))?;
                Rc::clone(self.machine.insert(Rc::new(machine)))
            }
        };
        let function = machine
            .compile(shebang::without_shebang(text))
            .map_err(|error| format!("ERR Error compiling script (new function): {error}"))?;
        Ok(Code {
            function,
            machine,
            name: hex(sha1),
            flavor: Flavor::Script,
            flags,
        })
    }

    /// Drops the script of EVAL that was not used for longest.
    fn evict(&mut self) {
        let of_eval = self.scripts.iter().filter(|(_, script)| !script.stays);
        let oldest = of_eval.min_by_key(|(_, script)| script.used_at);
        if let Some(sha1) = oldest.map(|(sha1, _)| *sha1) {
            self.scripts.remove(&sha1);
            self.from_eval -= 1;
            self.evicted += 1;
        }
    }

    pub(super) fn find(&mut self, sha1: &[u8; 20]) -> Option<Rc<Code>> {
        self.clock += 1;
        let script = self.scripts.get_mut(sha1)?;
        script.used_at = self.clock;
        Some(Rc::clone(&script.code))
    }

    pub(super) fn flags(&self, sha1: &[u8; 20]) -> Option<u32> {
        self.scripts.get(sha1)?.code.flags
    }

    pub(super) fn contains(&self, sha1: &[u8; 20]) -> bool {
        self.scripts.contains_key(sha1)
    }

    pub(super) fn text(&self, sha1: &[u8; 20]) -> Option<&[u8]> {
        self.scripts.get(sha1).map(|script| &*script.text)
    }

    pub(super) fn clear(&mut self) {
        let evicted = self.evicted;
        *self = Self::default();
        self.evicted = evicted;
    }

    pub(super) fn len(&self) -> usize {
        self.scripts.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn machine_bytes(&self) -> usize {
        self.machine
            .as_ref()
            .map_or(0, |machine| machine.used_bytes())
    }

    pub(super) fn text_bytes(&self) -> usize {
        let entry = size_of::<[u8; 20]>() + size_of::<Script>() + size_of::<Code>() + 40;
        let texts: usize = self.scripts.values().map(|script| script.text.len()).sum();
        self.scripts.len() * entry + texts
    }
}

/// The SHA1 that these 40 digits, of either case, name.
pub fn sha1_of_hex(digits: &[u8]) -> Option<[u8; 20]> {
    if digits.len() != 40 {
        return None;
    }
    let mut sha1 = [0; 20];
    let mut seen = 0;
    for (byte, pair) in sha1.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| NIBBLES[usize::from(digit)]);
        *byte = (high << 4) | (low & 15);
        seen |= high | low;
    }
    (seen & NO_DIGIT == 0).then_some(sha1)
}

/// The mark of what is no hexadecimal digit.
const NO_DIGIT: u8 = 0x80;
/// The values of hexadecimal digits of either case.
static NIBBLES: [u8; 256] = {
    let mut nibbles = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 10 {
        nibbles[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    while digit < 16 {
        nibbles[b'a' as usize + digit - 10] = digit as u8;
        nibbles[b'A' as usize + digit - 10] = digit as u8;
        digit += 1;
    }
    nibbles
};

/// A SHA1 is as good as any hash of it: its first bytes are taken.
#[derive(Default)]
pub(super) struct Sha1Prefix(u64);

impl Hasher for Sha1Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}
