//! The request parser against itself: the same bytes cut in different places must give the same commands and the same
//! error, without a panic and without keeping much more than arrived.
//!
//! Every round makes a pipeline from a seed, half of the time damages it, and parses it whole and in pieces.
//! `OXIDIS_FUZZ_ROUNDS` sets the number of rounds, `OXIDIS_FUZZ_SEED` the first seed; a failure prints its seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use oxidis::resp::request::{
    Batch, FILLING_RESERVED_MAX_BYTES, LARGE_BULK_MIN_BYTES, Parsed, RequestLimits, RequestParser,
};

const ROUNDS_DEFAULT: u64 = 3000;
const SHORT_MAX_BYTES: usize = 200;

/// What a parser made of a stream: the commands and the text of the error that ended it.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    commands: Vec<Vec<Vec<u8>>>,
    error: Option<String>,
}

/// SplitMix64: small, seeded, good enough to choose cuts.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

#[test]
fn a_stream_means_the_same_however_it_is_cut() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let first = number("OXIDIS_FUZZ_SEED").unwrap_or(1);
    for seed in first..first + number("OXIDIS_FUZZ_ROUNDS").unwrap_or(ROUNDS_DEFAULT) {
        if catch_unwind(AssertUnwindSafe(|| round(seed))).is_err() {
            panic!("failed with OXIDIS_FUZZ_SEED={seed}");
        }
    }
}

fn round(seed: u64) {
    let random = &mut Random(seed);
    let limits = RequestLimits {
        bulk_max_bytes: 1 << 29,
        authenticated: !random.chance(4),
    };
    let (mut stream, commands) = pipeline(random, limits.authenticated);
    let damaged = random.chance(2);
    if damaged {
        damage(&mut stream, random);
    }
    let whole = parse_pieces(&stream, &[], &limits, random);
    if !damaged {
        assert_eq!(
            whole,
            Outcome {
                commands,
                error: None
            },
            "a valid pipeline is understood"
        );
    }
    if stream.len() <= SHORT_MAX_BYTES {
        for cut in 1..stream.len() {
            assert_eq!(
                parse_pieces(&stream, &[cut], &limits, random),
                whole,
                "cut at {cut}"
            );
        }
        let everywhere: Vec<usize> = (1..stream.len()).collect();
        assert_eq!(
            parse_pieces(&stream, &everywhere, &limits, random),
            whole,
            "byte by byte"
        );
    }
    for _ in 0..4 {
        let mut cuts: Vec<usize> = (0..1 + random.below(12))
            .map(|_| random.below(stream.len() + 1))
            .collect();
        cuts.sort_unstable();
        assert_eq!(
            parse_pieces(&stream, &cuts, &limits, random),
            whole,
            "cut at {cuts:?}"
        );
    }
}

/// Parses a stream cut at these offsets, now and then filling large bulks directly as a server would.
fn parse_pieces(
    stream: &[u8],
    cuts: &[usize],
    limits: &RequestLimits,
    random: &mut Random,
) -> Outcome {
    let mut parser = RequestParser::default();
    let mut batch = Batch::default();
    let mut outcome = Outcome::default();
    let mut from = 0;
    for &to in cuts.iter().chain([&stream.len()]) {
        let mut piece = &stream[from..to];
        from = to;
        loop {
            if random.chance(2) {
                piece = fill(&mut parser, piece);
            }
            let parsed = parser.parse(piece, limits, &mut batch);
            for index in 0..batch.len() {
                let argv = batch.argv(index, piece);
                assert_eq!(
                    argv.wire_bytes(),
                    argv.iter().map(<[u8]>::len).sum::<usize>()
                );
                outcome
                    .commands
                    .push(argv.iter().map(<[u8]>::to_vec).collect());
            }
            match parsed {
                Parsed::Progress { consumed } => piece = &piece[consumed..],
                Parsed::Error { error, .. } => {
                    outcome.error = Some(error.to_string());
                    return outcome;
                }
            }
            assert_memory_is_bounded(&mut parser, to);
            if piece.is_empty() {
                break;
            }
        }
    }
    outcome
}

/// Gives a large bulk under way what the piece has of it.
fn fill<'a>(parser: &mut RequestParser, piece: &'a [u8]) -> &'a [u8] {
    let Some(filling) = parser.filling() else {
        return piece;
    };
    let taken = filling.room().min(piece.len());
    filling.buffer().extend_from_slice(&piece[..taken]);
    &piece[taken..]
}

/// A word takes at least six bytes on the wire and eight in its place.
fn assert_memory_is_bounded(parser: &mut RequestParser, arrived: usize) {
    assert!(
        parser.buffered_bytes() <= 3 * arrived,
        "{} bytes kept of {arrived}",
        parser.buffered_bytes()
    );
    if let Some(filling) = parser.filling() {
        let room = filling.buffer().capacity();
        assert!(
            room <= (4 * arrived).max(FILLING_RESERVED_MAX_BYTES),
            "room for {room} bytes of {arrived}"
        );
    }
}

/// A valid pipeline and what it means.
fn pipeline(random: &mut Random, authenticated: bool) -> (Vec<u8>, Vec<Vec<Vec<u8>>>) {
    let mut stream = Vec::new();
    let mut commands = Vec::new();
    let count = if random.chance(20) {
        100
    } else {
        1 + random.below(6)
    };
    for _ in 0..count {
        match random.below(8) {
            0 => stream.extend_from_slice(random.pick(&[
                &b"\r\n"[..],
                b"\n",
                b"*0\r\n",
                b"*-1\r\n",
                b" \t \r\n",
            ])),
            1 | 2 => commands.push(inline(&mut stream, random)),
            _ => commands.push(multibulk(&mut stream, random, authenticated)),
        }
    }
    (stream, commands)
}

fn inline(stream: &mut Vec<u8>, random: &mut Random) -> Vec<Vec<u8>> {
    let choices: [(&[u8], &[u8]); 6] = [
        (b"PING", b"PING"),
        (b"k:1", b"k:1"),
        (b"\"a b\\n\"", b"a b\n"),
        (b"'it\\'s'", b"it's"),
        (b"\"\"", b""),
        (b"\\x", b"\\x"),
    ];
    let mut words = Vec::new();
    for _ in 0..1 + random.below(4) {
        let (written, meant) = random.pick(&choices);
        stream.extend_from_slice(written);
        stream.extend_from_slice(random.pick(&[&b" "[..], b"  ", b"\t"]));
        words.push(meant.to_vec());
    }
    stream.extend_from_slice(random.pick(&[&b"\r\n"[..], b"\n"]));
    words
}

fn multibulk(stream: &mut Vec<u8>, random: &mut Random, authenticated: bool) -> Vec<Vec<u8>> {
    let count = if authenticated && random.chance(50) {
        300
    } else {
        1 + random.below(4)
    };
    let words: Vec<Vec<u8>> = (0..count).map(|_| word(random, authenticated)).collect();
    stream.extend_from_slice(format!("*{count}\r\n").as_bytes());
    for word in &words {
        stream.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        stream.extend_from_slice(word);
        stream.extend_from_slice(b"\r\n");
    }
    words
}

fn word(random: &mut Random, authenticated: bool) -> Vec<u8> {
    let length = match random.below(1000) {
        0 if authenticated => LARGE_BULK_MIN_BYTES + 1 + random.below(200_000),
        1..4 if authenticated => LARGE_BULK_MIN_BYTES - 2 + random.below(5),
        4..30 => random.below(1200),
        30..60 => 98 + random.below(4),
        _ => random.below(12),
    };
    let fill = random.pick(b"x\r\n\0$*\"");
    vec![fill; length]
}

/// Changes a few bytes, cuts something out or repeats something.
fn damage(stream: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        if stream.is_empty() {
            return;
        }
        // Headers are rare in a stream of long words: aim at them half of the time.
        let headers: Vec<usize> = (0..stream.len())
            .filter(|&at| matches!(stream[at], b'*' | b'$'))
            .take(200)
            .collect();
        let near = if headers.is_empty() {
            0
        } else {
            random.pick(&headers) + random.below(4)
        };
        let at = if random.chance(2) {
            near.min(stream.len() - 1)
        } else {
            random.below(stream.len())
        };
        let to = (at + 1 + random.below(8)).min(stream.len());
        match random.below(4) {
            0 => stream[at] = random.pick(b"*$\r\n0123456789-+: \0\"'\xffx"),
            1 => drop(stream.drain(at..to)),
            2 => {
                let piece = stream[at..to].to_vec();
                stream.splice(at..at, piece);
            }
            _ => stream.insert(at, random.pick(b"*$\r\n019-\0\"")),
        }
    }
}
