//! Functions: libraries by name, each a text that registers functions when it is loaded.
//!
//! What must hold: a function's name (its case does not matter) is in one library only; a change (load, delete, flush,
//! restore) takes place whole or not at all.

use super::door::Door;
use super::machine::{Flavor, Machine, Setup};
use super::shebang;
use super::stack::Kept;
use super::{Code, SERVED_BY};
use crate::rdb::lzf::Compressor;
use crate::rdb::read::Reader;
use crate::rdb::{self, Encoder, opcode};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A function as its library has registered it.
pub(super) struct Registered {
    pub(super) name: String,
    pub(super) callback: Kept,
    /// Bits of [`super::script_flag`].
    pub(super) flags: u32,
    pub(super) description: Option<Vec<u8>>,
}

/// A function that can be called.
pub struct Function {
    /// Its name, flags and code.
    pub code: Rc<Code>,
    /// What its library says of it.
    pub description: Option<Vec<u8>>,
}

/// A library.
pub struct Library {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: Vec<u8>,
    /// Its functions, by name in lower case.
    pub functions: BTreeMap<String, Function>,
}

/// How FUNCTION RESTORE treats the libraries that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restore {
    /// They go.
    Flush,
    /// They stay; one of the same name is an error.
    Append,
    /// They stay, but for those of the same name.
    Replace,
}

/// See the head of the file.
#[derive(Default)]
pub struct Libraries {
    machine: Option<Rc<Machine>>,
    by_name: BTreeMap<String, Library>,
    functions: HashMap<Vec<u8>, Rc<Code>>,
}

impl Libraries {
    /// All libraries, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Library> {
        self.by_name.values()
    }

    /// How many libraries and how many functions there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.by_name.len(), self.functions.len())
    }

    /// A function.
    pub fn find(&self, name: &[u8]) -> Option<Rc<Code>> {
        if name.iter().any(u8::is_ascii_uppercase) {
            return self.functions.get(&name.to_ascii_lowercase()).cloned();
        }
        self.functions.get(name).cloned()
    }

    /// The flags of a function.
    pub fn flags(&self, name: &[u8]) -> Option<u32> {
        self.find(name)?.flags
    }

    /// Bytes of the Lua state.
    pub(super) fn machine_bytes(&self) -> usize {
        self.machine
            .as_ref()
            .map_or(0, |machine| machine.used_bytes())
    }

    /// Bytes of the libraries' texts and names.
    pub(super) fn text_bytes(&self) -> usize {
        let of =
            |library: &Library| size_of::<Library>() + library.text.len() + 2 * library.name.len();
        let names = |library: &Library| -> usize {
            let functions = library.functions.iter();
            functions
                .map(|(name, _)| size_of::<Function>() + size_of::<Code>() + 2 * name.len())
                .sum()
        };
        self.iter()
            .map(|library| of(library) + names(library))
            .sum()
    }

    /// Loads a library; its name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn load(
        &mut self,
        text: &[u8],
        replace: bool,
        setup: Setup,
        door: &mut dyn Door,
    ) -> Result<String, Vec<u8>> {
        let name = known_engine(text)?;
        if self.by_name.contains_key(&name) && !replace {
            return Err(format!("ERR Library '{name}' already exists").into_bytes());
        }
        let library = self.build(text, setup, door)?;
        self.check_functions(&library, &[name.as_str()])?;
        self.remove(&name);
        self.insert(library);
        Ok(name)
    }

    /// Makes a library without letting anybody see it.
    fn build(
        &mut self,
        text: &[u8],
        setup: Setup,
        door: &mut dyn Door,
    ) -> Result<Library, Vec<u8>> {
        let name = known_engine(text)?;
        let machine = self.machine(setup)?;
        let chunk = machine
            .compile(shebang::without_shebang(text))
            .map_err(|error| format!("ERR Error compiling function: {error}").into_bytes())?;
        let registered = machine
            .load(&chunk, door)
            .map_err(|failure| [b"ERR Error registering functions: ", failure.text()].concat())?;
        if registered.is_empty() {
            return Err(b"ERR No functions registered".to_vec());
        }
        let function = |registered: Registered| {
            let code = Rc::new(Code {
                function: registered.callback,
                machine: Rc::clone(&machine),
                name: registered.name.clone(),
                flavor: Flavor::Function,
                flags: Some(registered.flags),
            });
            let description = registered.description;
            let name = registered.name.to_ascii_lowercase();
            (name, Function { code, description })
        };
        Ok(Library {
            functions: registered.into_iter().map(function).collect(),
            name,
            text: text.to_vec(),
        })
    }

    fn machine(&mut self, setup: Setup) -> Result<Rc<Machine>, Vec<u8>> {
        if let Some(machine) = &self.machine {
            return Ok(Rc::clone(machine));
        }
        let machine = Machine::new(Flavor::Function, setup)
            .map_err(|error| format!("ERR {error}").into_bytes())?;
        Ok(Rc::clone(self.machine.insert(Rc::new(machine))))
    }

    /// Checks that no library outside of `except` has a function of a name that this one has.
    fn check_functions(&self, library: &Library, except: &[&str]) -> Result<(), Vec<u8>> {
        let stays = |other: &&Library| !except.contains(&other.name.as_str());
        check_different(library, self.iter().filter(stays))
    }

    fn insert(&mut self, library: Library) {
        for (name, function) in &library.functions {
            self.functions
                .insert(name.clone().into_bytes(), Rc::clone(&function.code));
        }
        self.by_name.insert(library.name.clone(), library);
    }

    /// Takes a library away; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(library) = self.by_name.remove(name) else {
            return false;
        };
        for name in library.functions.keys() {
            self.functions.remove(name.as_bytes());
        }
        true
    }

    /// Takes all libraries away, and the Lua state.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The source texts of all libraries.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(|library| &library.text[..])
    }

    /// All libraries as FUNCTION DUMP gives them out.
    pub fn dump(&self) -> Vec<u8> {
        let mut encoder = Encoder::default();
        for library in self.iter() {
            encoder.byte(opcode::FUNCTION);
            encoder.plain_string(&library.text);
        }
        let mut payload = Vec::new();
        encoder.compress_to(&mut Compressor::default(), &mut payload);
        rdb::seal_payload(&mut payload, rdb::VERSION);
        payload
    }

    /// Takes in what [`Self::dump`] gave out.
    ///
    /// # Errors
    /// What is wrong; nothing has changed then.
    pub(super) fn restore(
        &mut self,
        payload: &[u8],
        policy: Restore,
        setup: Setup,
        door: &mut dyn Door,
    ) -> Result<(), Vec<u8>> {
        let texts = texts_of(payload).map_err(|text| text.as_bytes().to_vec())?;
        let mut fresh: Vec<Library> = Vec::new();
        for text in texts {
            let library = self.build(&text, setup, door)?;
            if fresh.iter().any(|known| known.name == library.name) {
                return Err(format!("ERR Library {} already exists", library.name).into_bytes());
            }
            check_different(&library, fresh.iter())?;
            fresh.push(library);
        }
        if policy != Restore::Flush {
            self.check_collisions(&fresh, policy)?;
        } else {
            self.by_name.clear();
            self.functions.clear();
        }
        for library in fresh {
            self.remove(&library.name);
            self.insert(library);
        }
        Ok(())
    }

    fn check_collisions(&self, fresh: &[Library], policy: Restore) -> Result<(), Vec<u8>> {
        let replaced: Vec<&str> = match policy {
            Restore::Replace => fresh.iter().map(|library| library.name.as_str()).collect(),
            _ => Vec::new(),
        };
        for library in fresh {
            if policy == Restore::Append && self.by_name.contains_key(&library.name) {
                return Err(format!("ERR Library {} already exists", library.name).into_bytes());
            }
            self.check_functions(library, &replaced)?;
        }
        Ok(())
    }
}

/// Checks that none of the others has a function of a name that the library has; the error shows it as the library
/// writes it.
fn check_different<'a>(
    library: &Library,
    mut others: impl Iterator<Item = &'a Library>,
) -> Result<(), Vec<u8>> {
    let clash = others.find_map(|other| {
        let mut functions = library.functions.iter();
        functions.find(|(name, _)| other.functions.contains_key(*name))
    });
    match clash {
        None => Ok(()),
        Some((_, function)) => {
            Err(format!("ERR Function {} already exists", function.code.name).into_bytes())
        }
    }
}

/// The name of a library that is written for the engine there is.
fn known_engine(text: &[u8]) -> Result<String, Vec<u8>> {
    let (engine, name) = shebang::of_library(text)?;
    if !engine.eq_ignore_ascii_case(SERVED_BY) {
        return Err(format!("ERR Engine '{engine}' not found").into_bytes());
    }
    Ok(name)
}

/// The texts in a payload.
fn texts_of(payload: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    const DAMAGED: &str = "ERR failed loading functions payload";
    let opened = rdb::open_payload(payload);
    let (body, _) = opened.map_err(|_| "ERR DUMP payload version or checksum are wrong")?;
    let mut reader = Reader::of_bytes(body);
    let mut texts = Vec::new();
    while reader.left() > 0 {
        match reader.byte().map_err(|_| DAMAGED)? {
            opcode::FUNCTION => texts.push(reader.string().map_err(|_| DAMAGED)?.to_vec()),
            _ => return Err("ERR given type is not a function"),
        }
    }
    Ok(texts)
}
