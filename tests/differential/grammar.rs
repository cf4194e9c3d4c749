//! Reads `grammar.txt` and makes commands of it, by chance.
//!
//! Keys of a kind are few, so that commands meet; one key in twenty is of another kind, so that they disagree about types.

use oxidis::base::random::Random;

/// How the replies to a command are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    AnyOrder,
    AnyOrderOfPairs,
    Shape,
    NearbyNumbers,
}

enum Node {
    Literal(String),
    Kind(String, String),
    OneOf(Vec<Vec<Node>>),
    Optional(Vec<Vec<Node>>),
    Repeated(Vec<Node>),
}

pub struct Form {
    pub comparison: Comparison,
    nodes: Vec<Node>,
}

/// A command to be sent.
pub struct Request {
    pub comparison: Comparison,
    pub words: Vec<Vec<u8>>,
}

const REPEATS_MAX: u64 = 4;
/// Keys of each kind.
const KEYS: u64 = 4;
const KEY_KINDS: [&str; 6] = ["str", "list", "set", "hash", "zset", "stream"];
/// Kinds that no other command may touch: only what their own commands put in has a defined order, or is a HyperLogLog.
const KEY_KINDS_APART: [&str; 3] = ["lexset", "geo", "hll"];

/// The forms of `grammar.txt` whose command `knows` accepts; those for Redis 8 alone if `is_redis`.
pub fn forms(is_redis: bool, mut knows: impl FnMut(&str) -> bool) -> Vec<Form> {
    include_str!("grammar.txt")
        .lines()
        .filter(|line| !line.trim().is_empty() && !is_comment(line))
        .filter_map(|line| {
            let (mark, form) = line.split_once(' ').expect("a mark and a form");
            let comparison = match mark {
                "=" => Comparison::Equal,
                "~" => Comparison::AnyOrder,
                "2" => Comparison::AnyOrderOfPairs,
                "#" => Comparison::Shape,
                "t" | "8" => Comparison::NearbyNumbers,
                other => panic!("{other} is no comparison"),
            };
            let name = form.split(' ').next().unwrap_or_default();
            let mut tokens = tokens(form).into_iter().peekable();
            let nodes = parse(&mut tokens, "");
            let is_meant = mark != "8" || is_redis;
            (is_meant && knows(name)).then_some(Form { comparison, nodes })
        })
        .collect()
}

/// `# ` opens forms of chance too: a form goes on in capitals.
fn is_comment(line: &str) -> bool {
    let first = line.trim_start_matches(['#', ' ']).split(' ').next();
    line.starts_with('#') && first.is_none_or(|word| word.len() < 2 || word != word.to_uppercase())
}

/// Words and brackets.
fn tokens(form: &str) -> Vec<String> {
    form.split(' ')
        .flat_map(|word| {
            let mut parts = Vec::new();
            let mut rest = word;
            while let Some(bracket) = rest.chars().next().filter(|c| "([<".contains(*c)) {
                parts.push(bracket.to_string());
                rest = &rest[1..];
            }
            let closing = rest.len() - rest.trim_end_matches([')', ']', '>']).len();
            let (core, tail) = rest.split_at(rest.len() - closing);
            if !core.is_empty() {
                parts.push(core.to_string());
            }
            parts.extend(tail.chars().map(|c| c.to_string()));
            parts
        })
        .collect()
}

fn parse(tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>, end: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some(token) = tokens.peek().cloned() {
        if token == end || token == "/" {
            return nodes;
        }
        tokens.next();
        match token.as_str() {
            "(" => nodes.push(Node::OneOf(alternatives(tokens, ")"))),
            "[" => nodes.push(Node::Optional(alternatives(tokens, "]"))),
            "<" => {
                let mut parts = alternatives(tokens, ">");
                nodes.push(Node::Repeated(parts.swap_remove(0)));
            }
            word => nodes.push(leaf(word)),
        }
    }
    assert!(end.is_empty(), "{end} is missing");
    nodes
}

fn alternatives(
    tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>,
    end: &str,
) -> Vec<Vec<Node>> {
    let mut all = vec![parse(tokens, end)];
    while tokens.next().is_some_and(|token| token == "/") {
        all.push(parse(tokens, end));
    }
    all
}

/// `{kind}`, with text around it, or a word.
fn leaf(word: &str) -> Node {
    match word.split_once('{').and_then(|(before, rest)| {
        let (kind, after) = rest.split_once('}')?;
        Some((before, kind, after))
    }) {
        Some((before, kind, after)) => Node::Kind(kind.to_string(), format!("{before}\0{after}")),
        None => Node::Literal(word.to_string()),
    }
}

impl Form {
    /// A command of this form.
    pub fn request(&self, random: &mut Random) -> Request {
        let mut words = Vec::new();
        self.nodes
            .iter()
            .for_each(|node| emit(node, random, &mut words));
        Request {
            comparison: self.comparison,
            words,
        }
    }
}

fn emit(node: &Node, random: &mut Random, words: &mut Vec<Vec<u8>>) {
    let mut emit_all = |nodes: &[Node], random: &mut Random| {
        nodes.iter().for_each(|node| emit(node, random, words));
    };
    match node {
        Node::Literal(word) => words.push(word.clone().into_bytes()),
        Node::OneOf(all) => emit_all(&all[random.below(all.len() as u64) as usize], random),
        Node::Optional(all) => {
            if random.below(2) == 0 {
                emit_all(&all[random.below(all.len() as u64) as usize], random);
            }
        }
        Node::Repeated(nodes) => {
            (0..=random.below(REPEATS_MAX)).for_each(|_| emit_all(nodes, random))
        }
        Node::Kind(kind, around) => {
            let (before, after) = around.split_once('\0').unwrap_or_default();
            let word = word_of(kind, random);
            words.push([before.as_bytes(), &word, after.as_bytes()].concat());
        }
    }
}

fn key(kind: &str, random: &mut Random) -> Vec<u8> {
    format!("{kind}:{}", random.below(KEYS)).into_bytes()
}

/// Every key that there may be.
pub fn keys() -> impl Iterator<Item = Vec<u8>> {
    KEY_KINDS
        .iter()
        .chain(&KEY_KINDS_APART)
        .flat_map(|kind| (0..KEYS).map(move |number| format!("{kind}:{number}").into_bytes()))
}

fn number(random: &mut Random, min: i64, max: i64) -> i64 {
    min.wrapping_add(random.below(max.wrapping_sub(min) as u64 + 1) as i64)
}

fn word_of(kind: &str, random: &mut Random) -> Vec<u8> {
    match kind {
        "any" => key(
            KEY_KINDS[random.below(KEY_KINDS.len() as u64) as usize],
            random,
        ),
        kind if KEY_KINDS.contains(&kind) => match random.below(20) {
            0 => word_of("any", random),
            _ => key(kind, random),
        },
        kind if KEY_KINDS_APART.contains(&kind) => key(kind, random),
        "v" => value(random),
        "m" => match random.below(12) {
            0 => value(random),
            _ => format!("m{}", random.below(200)).into_bytes(),
        },
        "f" => match random.below(12) {
            0 => value(random),
            _ => format!("f{}", random.below(80)).into_bytes(),
        },
        "i" => match random.below(30) {
            0 => number(random, i64::MIN, 0).to_string().into_bytes(),
            1 => number(random, 0, i64::MAX - 1).to_string().into_bytes(),
            2 => b"nonsense".to_vec(),
            _ => number(random, -12, 40).to_string().into_bytes(),
        },
        "count" => number(random, -12, 40).to_string().into_bytes(),
        "n" => match random.below(40) {
            0 => b"-1".to_vec(),
            1 => b"nonsense".to_vec(),
            _ => number(random, 0, 30).to_string().into_bytes(),
        },
        "from" => number(random, 0, 30).to_string().into_bytes(),
        "score" => score(random),
        "bound" => {
            let mark = if random.below(3) == 0 { "(" } else { "" };
            [mark.as_bytes(), &score(random)].concat()
        }
        "lex" => match random.below(5) {
            0 => b"-".to_vec(),
            1 => b"+".to_vec(),
            2 => b"m".to_vec(),
            _ => {
                let mark = if random.below(2) == 0 { "(" } else { "[" };
                format!("{mark}m{}", random.below(200)).into_bytes()
            }
        },
        "lon" => format!("{:.4}", number(random, -1_850_000, 1_850_000) as f64 / 1e4).into_bytes(),
        "lat" => format!("{:.4}", number(random, -860_000, 860_000) as f64 / 1e4).into_bytes(),
        "km" => number(random, 1, 12_000).to_string().into_bytes(),
        "id" => match random.below(12) {
            0 => number(random, 0, 60).to_string().into_bytes(),
            1 => b"0-0".to_vec(),
            _ => format!("{}-{}", random.below(60), random.below(4)).into_bytes(),
        },
        "after" => [b"(", word_of("id", random).as_slice()].concat(),
        "g" => format!("g{}", random.below(3)).into_bytes(),
        "c" => format!("c{}", random.below(3)).into_bytes(),
        other => panic!("{other} is no kind of word"),
    }
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0 => Vec::new(),
        1 => vec![b'x'; 63 + random.below(4) as usize],
        2 if random.below(8) == 0 => vec![b'L'; 9000],
        3 => (0..random.below(10))
            .map(|_| random.below(256) as u8)
            .collect(),
        4 => number(random, i64::MIN, i64::MAX - 1)
            .to_string()
            .into_bytes(),
        5 => b"3.25".to_vec(),
        6..=9 => number(random, -20, 400).to_string().into_bytes(),
        _ => format!("value{}", random.below(30)).into_bytes(),
    }
}

fn score(random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0 => b"inf".to_vec(),
        1 => b"-inf".to_vec(),
        2 => b"nan".to_vec(),
        3 => format!("{}", number(random, -1_000_000, 1_000_000) as f64 / 1024.0).into_bytes(),
        4 => b"1e300".to_vec(),
        5 => b"0.1".to_vec(),
        _ => number(random, -10, 20).to_string().into_bytes(),
    }
}
