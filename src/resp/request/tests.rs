//! What the parser does with each form of request, most of it asked of the real servers.

use super::*;

const OPEN: RequestLimits = RequestLimits {
    bulk_max_bytes: 512 * 1024 * 1024,
    authenticated: true,
};
const UNAUTHENTICATED: RequestLimits = RequestLimits {
    authenticated: false,
    ..OPEN
};

type Commands = Vec<Vec<Vec<u8>>>;

/// Feeds the pieces to one parser; all commands and the error that ended it, if any.
fn feed<'a>(
    parser: &mut RequestParser,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: &RequestLimits,
) -> (Commands, Option<ProtocolError>) {
    let mut batch = Batch::default();
    let mut commands = Vec::new();
    for piece in pieces {
        let mut rest = piece;
        loop {
            let parsed = parser.parse(rest, limits, &mut batch);
            for index in 0..batch.len() {
                commands.push(batch.argv(index, rest).iter().map(<[u8]>::to_vec).collect());
            }
            match parsed {
                Parsed::Error { error, .. } => return (commands, Some(error)),
                Parsed::Progress { consumed } => rest = &rest[consumed..],
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    (commands, None)
}

fn whole(input: &[u8], limits: &RequestLimits) -> (Commands, Option<ProtocolError>) {
    feed(&mut RequestParser::default(), [input], limits)
}

fn texts(commands: &Commands) -> String {
    let commands = commands.iter().map(|words| {
        words
            .iter()
            .map(|word| word.escape_ascii().to_string())
            .collect::<Vec<_>>()
            .join(" ")
    });
    commands.collect::<Vec<_>>().join("; ")
}

/// Input, commands, error text: as Redis 8.0 does.
const FACTS: &[(&[u8], &str, &str)] = &[
    (b"*1\r\n$4\r\nPING\r\n", "PING", ""),
    (b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "ECHO ", ""),
    (b"*3\r\n$-1", "", ""),
    (b"*3\r\n$-1\r\n", "", "invalid bulk length"),
    (b"*1\r\n$abc\r\n", "", "invalid bulk length"),
    (b"*1\r\n$04\r\nPING\r\n", "", "invalid bulk length"),
    (b"*1\r\n$+4\r\nPING\r\n", "", "invalid bulk length"),
    (b"*1\r\n$-0\r\n\r\n", "", "invalid bulk length"),
    (b"*1\r\n$\r\n", "", "invalid bulk length"),
    (b"*1\r\n$4\n\r\nPING\r\n", "", "invalid bulk length"),
    (b"*1\r\n$536870912\r\n", "", ""),
    (b"*1\r\n$536870913\r\n", "", "invalid bulk length"),
    (
        b"*1\r\n$99999999999999999999\r\n",
        "",
        "invalid bulk length",
    ),
    (b"*abc\r\n", "", "invalid multibulk length"),
    (b"*\r\n", "", "invalid multibulk length"),
    (b"*+1\r\n", "", "invalid multibulk length"),
    (b"*01\r\n", "", "invalid multibulk length"),
    (b"* 1\r\n", "", "invalid multibulk length"),
    (b"*-0\r\n", "", "invalid multibulk length"),
    (b"*2147483647\r\n", "", ""),
    (b"*2147483648\r\n", "", "invalid multibulk length"),
    (b"*99999999999999999999\r\n", "", "invalid multibulk length"),
    (b"*0\r\nPING\r\n", "PING", ""),
    (b"*-1\r\nPING\r\n", "PING", ""),
    (b"*-5\r\nPING\r\n", "PING", ""),
    (b"*1\r\n:4\r\n", "", "expected '$', got ':'"),
    (b"*1\r\nx", "", ""),
    (b"*1\r\n\r\n$4\r\nPING\r\n", "", "expected '$', got ' '"),
    (b"*1\r\n\n$4\r\nPING\r\n", "", "expected '$', got ' '"),
    (b"*1\n$4\nPING\n", "", ""),
    (b"*1\rx$4\rxPING\r\n", "PING", ""),
    (b"*1\r$4\r\nPING\r\n", "", "expected '$', got '4'"),
    (b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", "PING; PING", ""),
    (b"*1\r\n$4\r\nPINGPINGPING\r\n", "PING; NGPING", ""),
    (
        b"PING\r\n*1\r\n$4\r\nPING\r\n*x\r\n",
        "PING; PING",
        "invalid multibulk length",
    ),
    (b"\r\nPING\r\n", "PING", ""),
    (b"\r\n\r\n\n\nPING\n", "PING", ""),
    (b"  PING  \r\n", "PING", ""),
    (b"   \r\nPING\r\n", "PING", ""),
    (b"\rPING\r\n", "PING", ""),
    (b"PI\rNG\r\n", "PI NG", ""),
    (b"PING\r\r\n", "PING", ""),
    (b"PING \x0b x\r\n", "PING x", ""),
    (b"ECHO a\tb\r\n", "ECHO a b", ""),
    (b"ECHO \"\"\r\n", "ECHO ", ""),
    (b"ECHO \"\\x41\\n\\q\"\r\n", "ECHO A\\nq", ""),
    (b"ECHO a\"b c\"\r\n", "ECHO ab c", ""),
    (b"$4\r\n", "$4", ""),
    (b"ECHO \"a\r\n", "", "unbalanced quotes in request"),
    (b"ECHO 'a\\'b' \"c\r\n", "", "unbalanced quotes in request"),
    (b"ECHO \"a\"b\r\n", "", "unbalanced quotes in request"),
    (b"ECHO \"a\nb\"\r\n", "", "unbalanced quotes in request"),
    (b"ECHO a\x00b\r\n", "", "too big inline request"),
];

#[test]
fn the_wire_facts_hold_whole_and_byte_by_byte() {
    for (input, commands, error) in FACTS {
        for (found, found_error) in [
            whole(input, &OPEN),
            feed(&mut RequestParser::default(), input.chunks(1), &OPEN),
        ] {
            let shown = input.escape_ascii();
            assert_eq!(texts(&found), *commands, "{shown}");
            assert_eq!(
                found_error
                    .map(|error| error.to_string())
                    .unwrap_or_default(),
                *error,
                "{shown}"
            );
        }
    }
}

#[test]
fn a_line_without_an_end_is_refused_after_64_kib() {
    let cases = [
        ("", "P", "too big inline request"),
        ("*", "1", "too big mbulk count string"),
        ("*1\r\n$", "1", "too big bulk count string"),
    ];
    for (start, fill, text) in cases {
        let line_start = usize::from(!start.is_empty());
        for (bytes, refused) in [(INLINE_MAX_BYTES, false), (INLINE_MAX_BYTES + 1, true)] {
            let input = [start, &fill.repeat(bytes - line_start)].concat();
            for piece in [1, 1000, input.len()] {
                let (commands, error) = feed(
                    &mut RequestParser::default(),
                    input.as_bytes().chunks(piece),
                    &OPEN,
                );
                assert!(commands.is_empty());
                assert_eq!(
                    error.map(|error| error.to_string()),
                    refused.then(|| text.to_owned())
                );
            }
        }
    }
}

#[test]
fn before_authentication_requests_are_short_and_come_one_at_a_time() {
    let table = [
        ("*10\r\n", ""),
        ("*11\r\n", "unauthenticated multibulk length"),
        ("*1\r\n$16384\r\n", ""),
        ("*1\r\n$16385\r\n", "unauthenticated bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
    ];
    for (input, text) in table {
        let error = whole(input.as_bytes(), &UNAUTHENTICATED).1;
        assert_eq!(
            error.map(|error| error.to_string()).unwrap_or_default(),
            text,
            "{input:?}"
        );
    }
    let mut batch = Batch::default();
    let parsed = RequestParser::default().parse(b"AUTH x\r\n*11\r\n", &UNAUTHENTICATED, &mut batch);
    assert_eq!((parsed, batch.len()), (Parsed::Progress { consumed: 8 }, 1));
}

#[test]
fn a_batch_holds_a_bounded_number_of_commands() {
    let input = b"*1\r\n$4\r\nPING\r\n".repeat(BATCH_COMMANDS_MAX + 1);
    let mut batch = Batch::default();
    let parsed = RequestParser::default().parse(&input, &OPEN, &mut batch);
    assert_eq!(
        parsed,
        Parsed::Progress {
            consumed: 14 * BATCH_COMMANDS_MAX
        }
    );
    assert_eq!(batch.len(), BATCH_COMMANDS_MAX);
    assert_eq!(batch.input_end(1), 28);
}

#[test]
fn whole_commands_are_parsed_in_place_and_leave_nothing_behind() {
    let input = b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\nGET key\r\n";
    let mut parser = RequestParser::default();
    let mut batch = Batch::default();
    assert_eq!(
        parser.parse(input, &OPEN, &mut batch),
        Parsed::Progress {
            consumed: input.len()
        }
    );
    for index in 0..2 {
        assert!(
            batch
                .argv(index, input)
                .iter()
                .all(|word| input.as_ptr_range().contains(&word.as_ptr()))
        );
    }
    assert_eq!(parser.buffered_bytes(), 0);
    assert_eq!(size_of::<RequestParser>(), 8);
}

#[test]
fn only_the_cut_command_is_kept() {
    let one = b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n";
    let input = one.repeat(3);
    for cut in 1..one.len() {
        let mut parser = RequestParser::default();
        let mut batch = Batch::default();
        let first = &input[..one.len() + cut];
        assert_eq!(
            parser.parse(first, &OPEN, &mut batch),
            Parsed::Progress {
                consumed: first.len()
            }
        );
        assert_eq!(batch.len(), 1);
        assert!(parser.buffered_bytes() <= cut + 16, "cut at {cut}");
        let second = &input[one.len() + cut..];
        assert_eq!(
            parser.parse(second, &OPEN, &mut batch),
            Parsed::Progress {
                consumed: second.len()
            }
        );
        assert_eq!(batch.len(), 2);
        assert!(batch.argv(1, second).iter().eq([&b"ECHO"[..], b"hello"]));
        assert_eq!(parser.buffered_bytes(), 0);
    }
}

#[test]
fn a_large_bulk_is_read_into_its_own_buffer_and_shared() {
    let value: Vec<u8> = (0..1024 * 1024).map(|n| n as u8).collect();
    let mut parser = RequestParser::default();
    let mut batch = Batch::default();
    let head = [
        &b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\n"[..],
        &value[..100],
    ]
    .concat();
    assert_eq!(
        parser.parse(&head, &OPEN, &mut batch),
        Parsed::Progress {
            consumed: head.len()
        }
    );
    assert!(batch.is_empty());
    let filling = parser.filling().expect("a large bulk is under way");
    assert_eq!(filling.missing(), value.len() - 100);
    let mut reads = 0;
    while filling.missing() > 0 {
        let from = filling.buffer().len();
        let room = filling.room();
        filling
            .buffer()
            .extend_from_slice(&value[from..from + room]);
        reads += 1;
    }
    assert!(reads <= 3, "room grows fast");
    let place = filling.buffer().as_ptr();
    assert_eq!(
        parser.parse(b"", &OPEN, &mut batch),
        Parsed::Progress { consumed: 0 }
    );
    assert!(parser.filling().is_none());
    assert!(parser.buffered_bytes() >= value.len());
    let end = b"\r\nPING\r\n";
    assert_eq!(
        parser.parse(end, &OPEN, &mut batch),
        Parsed::Progress { consumed: 8 }
    );
    assert_eq!(batch.len(), 2);
    let argv = batch.argv(0, end);
    let shared = argv
        .large(2)
        .expect("the word was received as a large bulk");
    assert!(shared == &value && argv.word(2) == value);
    assert_eq!(
        shared.as_ptr(),
        place,
        "no copy from the last buffer to the value"
    );
    assert!(argv.large(1).is_none());
}

#[test]
fn what_is_only_announced_takes_little_memory() {
    let mut parser = RequestParser::default();
    let mut batch = Batch::default();
    let head = b"*1000000\r\n$536870912\r\nx";
    parser.parse(head, &OPEN, &mut batch);
    let filling = parser.filling().expect("a large bulk is under way");
    assert!(filling.buffer().capacity() <= FILLING_RESERVED_MAX_BYTES);
    let mut received = 1;
    while received < 8 * FILLING_RESERVED_MAX_BYTES {
        let filling = parser.filling().expect("most of it is missing");
        let room = filling.room();
        assert!(
            room > 0 && filling.buffer().capacity() <= 4 * received.max(FILLING_RESERVED_MAX_BYTES)
        );
        let length = filling.buffer().len() + room;
        filling.buffer().resize(length, 0);
        received += room;
    }
    assert_eq!(parser.buffered_bytes(), received + head.len() - 1);
    parser.forget();
    assert_eq!(parser.buffered_bytes(), 0);
}

#[test]
fn browsers_are_recognized() {
    for (line, http) in [
        ("POST / HTTP/1.1", true),
        ("host: x", true),
        ("Host:x", false),
        ("GET /", false),
        ("posts", false),
    ] {
        let mut batch = Batch::default();
        let input = [line, "\r\n"].concat();
        RequestParser::default().parse(input.as_bytes(), &OPEN, &mut batch);
        assert_eq!(is_http(batch.argv(0, input.as_bytes())), http, "{line}");
    }
}

#[test]
fn an_error_shows_the_byte_that_came() {
    let error = whole(b"*1\r\n\xff\r\n", &OPEN)
        .1
        .expect("no word begins with this byte");
    let mut text = Vec::new();
    error.write_text(&mut text);
    assert_eq!(text, b"expected '$', got '\xff'");
}

#[test]
fn the_second_word_of_a_request_is_seen_without_parsing_it() {
    let seen = |input: &'static str| super::second_word(input.as_bytes());
    assert_eq!(
        seen("*2\r\n$3\r\nGET\r\n$12\r\nkey:00000001\r\n"),
        Some(&b"key:00000001"[..])
    );
    assert_eq!(seen("*1\r\n$4\r\nPING\r\n"), None);
    assert_eq!(seen("*2\r\n$3\r\nGET\r\n$12\r\nkey:0000"), None);
    assert_eq!(seen("GET key\r\n"), None);
    assert_eq!(seen("*2\r\n$99\r\nGET\r\n"), None);
}
