//! Any bytes from a client: the same commands come of them however they are cut, and replies to them are whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxidis::resp::request::{Batch, Parsed, RequestLimits, RequestParser};
use oxidis::resp::value::parse_value;

type Outcome = (Vec<Vec<Vec<u8>>>, Option<String>);

fn parse(pieces: &[&[u8]]) -> Outcome {
    let limits = RequestLimits {
        bulk_max_bytes: 1 << 29,
        authenticated: true,
    };
    let (mut parser, mut batch) = (RequestParser::default(), Batch::default());
    let mut commands = Vec::new();
    for piece in pieces {
        let mut piece = *piece;
        while !piece.is_empty() {
            let parsed = parser.parse(piece, &limits, &mut batch);
            for index in 0..batch.len() {
                let argv = batch.argv(index, piece);
                commands.push(argv.iter().map(<[u8]>::to_vec).collect());
            }
            match parsed {
                Parsed::Progress { consumed } => piece = piece.get(consumed..).unwrap_or_default(),
                Parsed::Error { error, .. } => return (commands, Some(error.to_string())),
            }
        }
    }
    (commands, None)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = parse(&[bytes]);
    let (front, back) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    assert_eq!(whole, parse(&[front, back]));
    if let Ok(Some((_, used))) = parse_value(bytes) {
        assert!(used <= bytes.len());
    }
});
