//! What COMMAND DOCS shows of a command's arguments, read from [`Row::syntax`](crate::command::Row): the notation stands
//! at the head of [`crate::commands`]. Read only when somebody asks; a test reads the notation of every row.
//!
//! A recursive descent over words and brackets:
//!
//! ```text
//! choice    = sequence { "|" sequence }
//! sequence  = { item }
//! item      = "[" choice "]" suffix | [ name ":" ] "(" choice ")" suffix | TOKEN [ item ] | argument
//! argument  = name [ ="shown" ] [ ":" type | ":" TOKEN ] [ "@" spec ] suffix
//! suffix    = { "..." | "^" version | "!" version }
//! ```

/// Groups within groups.
const NESTING_MAX: usize = 16;

/// What stands in an argument's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// The name of a key.
    Key,
    /// A glob pattern.
    Pattern,
    /// A moment.
    UnixTime,
    /// The word alone.
    PureToken,
    /// One of its children.
    OneOf,
    /// All of its children.
    Block,
}

impl Kind {
    /// The word that COMMAND DOCS answers.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Key => "key",
            Kind::Pattern => "pattern",
            Kind::UnixTime => "unix-time",
            Kind::PureToken => "pure-token",
            Kind::OneOf => "oneof",
            Kind::Block => "block",
        }
    }

    fn of_name(name: &str) -> Option<Kind> {
        let plain = [
            Kind::String,
            Kind::Integer,
            Kind::Double,
            Kind::Key,
            Kind::Pattern,
            Kind::UnixTime,
        ];
        plain.into_iter().find(|kind| kind.name() == name)
    }
}

/// An argument, as COMMAND DOCS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What stands there.
    pub kind: Kind,
    /// How manuals show it; none for groups.
    pub display: Option<String>,
    /// The word that stands before it, or for it.
    pub token: Option<String>,
    /// The number of the key spec that it is about.
    pub key_spec: Option<usize>,
    /// The version that brought it, where it is not the command's.
    pub since: Option<String>,
    /// The version since which it should not be used.
    pub deprecated_since: Option<String>,
    /// It may be left out.
    pub optional: bool,
    /// It may be there several times.
    pub multiple: bool,
    /// The token is repeated each time.
    pub multiple_token: bool,
    /// Of a group.
    pub children: Vec<Argument>,
}

/// A broken notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// A bracket that is not closed, or closed without having been opened.
    #[error("unbalanced brackets")]
    Unbalanced,
    /// A type that does not exist.
    #[error("unknown type in `{0}`")]
    UnknownType(String),
    /// A key spec's number that is no number.
    #[error("no number behind @ in `{0}`")]
    KeySpec(String),
    /// Nothing where something must be.
    #[error("an alternative or a group is empty")]
    Empty,
    /// A suffix that belongs to nothing, or a word without a name.
    #[error("`{0}` stands alone")]
    Stray(String),
    /// More than [`NESTING_MAX`] groups within groups.
    #[error("groups are nested too deep")]
    TooDeep,
}

/// The arguments that a notation describes.
///
/// # Errors
/// The notation is broken.
pub fn parse(syntax: &str) -> Result<Vec<Argument>, SyntaxError> {
    let mut reader = Reader {
        symbols: symbols(syntax)?,
        at: 0,
    };
    let mut alternatives = reader.choice(0)?;
    if reader.at < reader.symbols.len() {
        return Err(SyntaxError::Unbalanced);
    }
    if alternatives.len() == 1 {
        return Ok(alternatives.pop().unwrap_or_default());
    }
    Ok(vec![one_of("args".to_owned(), alternatives)?])
}

#[derive(Clone, Debug, PartialEq)]
enum Symbol {
    /// One of `[ ] ( ) |`.
    Mark(char),
    Word(String),
}

/// Cuts a notation into brackets, bars and words; what is quoted stays together.
fn symbols(syntax: &str) -> Result<Vec<Symbol>, SyntaxError> {
    let mut symbols = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in syntax.chars().chain([' ']) {
        let ends = !quoted && (character.is_whitespace() || "[]()|".contains(character));
        if ends && !word.is_empty() {
            symbols.push(Symbol::Word(std::mem::take(&mut word)));
        }
        quoted ^= character == '"';
        if !ends {
            word.push(character);
        } else if !character.is_whitespace() {
            symbols.push(Symbol::Mark(character));
        }
    }
    if quoted {
        return Err(SyntaxError::Unbalanced);
    }
    Ok(symbols)
}

/// What may follow a word or a bracket.
#[derive(Debug, Default)]
struct Suffix {
    multiple: bool,
    since: Option<String>,
    deprecated_since: Option<String>,
}

impl Suffix {
    /// Reads `...`, `^version` and `!version` in any order; gives what it did not understand.
    fn take<'a>(&mut self, mut text: &'a str) -> &'a str {
        loop {
            if let Some(rest) = text.strip_prefix("...") {
                self.multiple = true;
                text = rest;
            } else if let Some(rest) = text.strip_prefix('^') {
                self.since = Some(version(rest, &mut text));
            } else if let Some(rest) = text.strip_prefix('!') {
                self.deprecated_since = Some(version(rest, &mut text));
            } else {
                return text;
            }
        }
    }

    fn put_on(self, argument: &mut Argument) {
        argument.multiple |= self.multiple;
        argument.since = self.since.or(argument.since.take());
        argument.deprecated_since = self.deprecated_since.or(argument.deprecated_since.take());
    }
}

/// Three numbers with dots; what follows goes to `after`.
fn version<'a>(text: &'a str, after: &mut &'a str) -> String {
    let body = text.find("...").unwrap_or(text.len());
    let is_part = |character: char| character.is_ascii_digit() || character == '.';
    let end = text
        .find(|character| !is_part(character))
        .unwrap_or(text.len())
        .min(body);
    let (version, rest) = text.split_at(end);
    *after = rest;
    version.to_owned()
}

/// A word, taken apart.
#[derive(Debug)]
struct Word {
    name: String,
    display: Option<String>,
    slot: Slot,
    key_spec: Option<usize>,
    suffix: Suffix,
}

/// What a word stands for.
#[derive(Debug, PartialEq)]
enum Slot {
    /// A word in capitals: itself, or what precedes the next item.
    Token,
    /// `name:TOKEN`: a token whose name differs.
    NamedToken(String),
    /// `name:` before a bracket.
    Group,
    Value(Kind),
}

impl Word {
    fn read(text: &str) -> Result<Word, SyntaxError> {
        let stray = || SyntaxError::Stray(text.to_owned());
        let is_name =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        let end = text
            .find(|character| !is_name(character))
            .unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        if name.is_empty() {
            return Err(stray());
        }
        let mut display = None;
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (inside, after) = quoted.split_once('"').ok_or_else(stray)?;
            display = Some(inside.to_owned());
            rest = after;
        }
        let slot = Self::slot(text, name, &mut rest)?;
        let mut key_spec = (slot == Slot::Value(Kind::Key)).then_some(0);
        if let Some(number) = rest.strip_prefix('@') {
            let end = number
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(number.len());
            let (digits, after) = number.split_at(end);
            let number = digits.parse();
            key_spec = Some(number.map_err(|_| SyntaxError::KeySpec(text.to_owned()))?);
            rest = after;
        }
        let mut suffix = Suffix::default();
        if !suffix.take(rest).is_empty() {
            return Err(stray());
        }
        Ok(Word {
            name: name.to_owned(),
            display,
            slot,
            key_spec,
            suffix,
        })
    }

    fn slot(text: &str, name: &str, rest: &mut &str) -> Result<Slot, SyntaxError> {
        let Some(typed) = rest.strip_prefix(':') else {
            let is_token = name.chars().any(|character| character.is_ascii_uppercase());
            let is_key = name == "key" || name.ends_with("-key");
            return Ok(match (is_token, is_key) {
                (true, _) => Slot::Token,
                (false, true) => Slot::Value(Kind::Key),
                (false, false) => Slot::Value(Kind::String),
            });
        };
        if typed.is_empty() {
            *rest = typed;
            return Ok(Slot::Group);
        }
        let dots = typed.find("...").unwrap_or(typed.len());
        let end = typed
            .find(|character| "@^!".contains(character))
            .unwrap_or(typed.len())
            .min(dots);
        let (value, after) = typed.split_at(end);
        *rest = after;
        if let Some(kind) = Kind::of_name(value) {
            return Ok(Slot::Value(kind));
        }
        if value
            .chars()
            .any(|character| character.is_ascii_lowercase())
        {
            return Err(SyntaxError::UnknownType(text.to_owned()));
        }
        Ok(Slot::NamedToken(value.trim_matches('"').to_owned()))
    }

    fn into_argument(self) -> Argument {
        let (kind, token, name) = match self.slot {
            Slot::Value(kind) => (kind, None, self.name),
            Slot::NamedToken(token) => (Kind::PureToken, Some(token), self.name),
            Slot::Token | Slot::Group => {
                let name = self.name.to_ascii_lowercase();
                (Kind::PureToken, Some(self.name), name)
            }
        };
        let mut argument = group(name, kind, Vec::new());
        argument.display = self.display.or_else(|| Some(argument.name.clone()));
        argument.token = token;
        argument.key_spec = self.key_spec;
        self.suffix.put_on(&mut argument);
        argument
    }
}

struct Reader {
    symbols: Vec<Symbol>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Symbol> {
        self.symbols.get(self.at)
    }

    /// Takes the next symbol if it is this mark.
    fn mark(&mut self, mark: char) -> bool {
        let is_it = self.peek() == Some(&Symbol::Mark(mark));
        self.at += usize::from(is_it);
        is_it
    }

    fn choice(&mut self, depth: usize) -> Result<Vec<Vec<Argument>>, SyntaxError> {
        if depth > NESTING_MAX {
            return Err(SyntaxError::TooDeep);
        }
        let mut alternatives = vec![self.sequence(depth)?];
        while self.mark('|') {
            alternatives.push(self.sequence(depth)?);
        }
        let empty = alternatives.iter().any(Vec::is_empty);
        if empty && (alternatives.len() > 1 || depth > 0) {
            return Err(SyntaxError::Empty);
        }
        Ok(alternatives)
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Argument>, SyntaxError> {
        let mut items = Vec::new();
        while let Some(symbol) = self.peek() {
            if matches!(symbol, Symbol::Mark(']' | ')' | '|')) {
                break;
            }
            items.push(self.item(depth)?);
        }
        Ok(items)
    }

    fn item(&mut self, depth: usize) -> Result<Argument, SyntaxError> {
        if self.mark('[') {
            return self.bracket(depth);
        }
        if self.mark('(') {
            return self.group(None, depth);
        }
        let Some(Symbol::Word(text)) = self.peek() else {
            return Err(SyntaxError::Unbalanced);
        };
        let word = Word::read(text)?;
        self.at += 1;
        match word.slot {
            Slot::Group if self.mark('(') => self.group(Some(word.name), depth),
            Slot::Group => Err(SyntaxError::Stray(word.name)),
            Slot::Token if self.has_operand() => {
                let mut operand = self.item(depth)?;
                operand.token = Some(word.name);
                word.suffix.put_on(&mut operand);
                Ok(operand)
            }
            _ => Ok(word.into_argument()),
        }
    }

    /// Whether the next item is one that a token before it belongs to.
    fn has_operand(&self) -> bool {
        match self.peek() {
            Some(Symbol::Mark(mark)) => *mark == '(',
            Some(Symbol::Word(text)) => {
                Word::read(text).is_ok_and(|word| matches!(word.slot, Slot::Group | Slot::Value(_)))
            }
            None => false,
        }
    }

    /// What stands behind `(`.
    fn group(&mut self, name: Option<String>, depth: usize) -> Result<Argument, SyntaxError> {
        let mut alternatives = self.choice(depth + 1)?;
        let suffix = self.close(')')?;
        let mut argument = if alternatives.len() > 1 {
            let name = name.unwrap_or_else(|| choice_name(&alternatives));
            one_of(name, alternatives)?
        } else {
            let items = alternatives.pop().unwrap_or_default();
            let name = name.unwrap_or_else(|| joined_name(&items));
            group(name, Kind::Block, items)
        };
        suffix.put_on(&mut argument);
        Ok(argument)
    }

    /// What stands behind `[`.
    fn bracket(&mut self, depth: usize) -> Result<Argument, SyntaxError> {
        let mut alternatives = self.choice(depth + 1)?;
        let suffix = self.close(']')?;
        let mut argument = if alternatives.len() > 1 {
            one_of(choice_name(&alternatives), alternatives)?
        } else {
            sequence_as_one(alternatives.pop().unwrap_or_default())
        };
        argument.optional = true;
        argument.multiple_token =
            suffix.multiple && argument.token.is_some() && argument.kind != Kind::PureToken;
        suffix.put_on(&mut argument);
        Ok(argument)
    }

    fn close(&mut self, mark: char) -> Result<Suffix, SyntaxError> {
        if !self.mark(mark) {
            return Err(SyntaxError::Unbalanced);
        }
        let mut suffix = Suffix::default();
        if let Some(Symbol::Word(text)) = self.peek()
            && text.starts_with(['.', '^', '!'])
        {
            if !suffix.take(text).is_empty() {
                return Err(SyntaxError::Stray(text.clone()));
            }
            self.at += 1;
        }
        Ok(suffix)
    }
}

fn group(name: String, kind: Kind, children: Vec<Argument>) -> Argument {
    Argument {
        name,
        kind,
        display: None,
        token: None,
        key_spec: None,
        since: None,
        deprecated_since: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        children,
    }
}

fn one_of(name: String, alternatives: Vec<Vec<Argument>>) -> Result<Argument, SyntaxError> {
    let children = alternatives.into_iter().map(sequence_as_one).collect();
    Ok(group(name, Kind::OneOf, children))
}

/// Several items become a block. A token in front of plain values (`LIMIT offset count`) is the block's.
fn sequence_as_one(mut items: Vec<Argument>) -> Argument {
    if items.len() == 1
        && let Some(item) = items.pop()
    {
        return item;
    }
    let name = joined_name(&items);
    let mut others = items.iter().skip(1);
    let plain = others.all(|item| item.token.is_none() && !item.optional);
    let first = items.first_mut().filter(|_| plain);
    let token = first
        .filter(|item| item.kind != Kind::PureToken)
        .and_then(|item| item.token.take());
    let name = token.as_ref().map_or(name, |token| token.to_lowercase());
    let mut block = group(name, Kind::Block, items);
    block.token = token;
    block
}

fn joined_name(items: &[Argument]) -> String {
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    names.join("-")
}

/// The name of a choice that was given none.
fn choice_name(alternatives: &[Vec<Argument>]) -> String {
    let conditions = ["nx", "xx", "gt", "lt", "fnx", "fxx"];
    let is_condition = |item: &Argument| conditions.contains(&item.name.as_str());
    let all = alternatives.iter().flatten().all(is_condition);
    if all { "condition" } else { "option" }.to_owned()
}

#[cfg(test)]
mod tests;
