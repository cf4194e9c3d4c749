//! Nanoseconds a command on the wire: parsing pipelines of 64 commands and writing replies.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oxidis::resp::output::Output;
use oxidis::resp::reply::{Protocol, Reply};
use oxidis::resp::request::{BATCH_COMMANDS_MAX, Batch, Parsed, RequestLimits, RequestParser};

const LIMITS: RequestLimits = RequestLimits {
    bulk_max_bytes: 512 * 1024 * 1024,
    authenticated: true,
};

fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    request
}

fn parse(criterion: &mut Criterion) {
    let pipelines = [
        ("get", command(&[b"GET", b"key:000000012345"])),
        (
            "set_16",
            command(&[b"SET", b"key:000000012345", &[b'v'; 16]]),
        ),
        (
            "set_100",
            command(&[b"SET", b"key:000000012345", &[b'v'; 100]]),
        ),
        ("inline", b"GET key:000000012345\r\n".to_vec()),
    ];
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(BATCH_COMMANDS_MAX as u64));
    for (name, request) in pipelines {
        let whole = request.repeat(BATCH_COMMANDS_MAX);
        let mut parser = RequestParser::default();
        let mut batch = Batch::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let parsed = parser.parse(black_box(&whole), &LIMITS, &mut batch);
                assert_eq!(
                    parsed,
                    Parsed::Progress {
                        consumed: whole.len()
                    }
                );
                let keys = (0..batch.len())
                    .map(|index| batch.argv(index, &whole).get(1).map_or(0, <[u8]>::len));
                keys.sum::<usize>()
            });
        });
        let cut = whole.len() - request.len() / 2;
        group.bench_function(format!("{name}_cut"), |bencher| {
            bencher.iter(|| {
                parser.parse(black_box(&whole[..cut]), &LIMITS, &mut batch);
                parser.parse(black_box(&whole[cut..]), &LIMITS, &mut batch);
                batch.len()
            });
        });
    }
    group.finish();
}

fn reply(criterion: &mut Criterion) {
    type Write = fn(&mut Reply<'_>);
    let replies: [(&str, Write); 6] = [
        ("ok", |reply| reply.ok()),
        ("integer", |reply| reply.integer(black_box(12345))),
        ("bulk_16", |reply| reply.bulk(black_box(&[b'v'; 16]))),
        ("bulk_100", |reply| reply.bulk(black_box(&[b'v'; 100]))),
        ("array_of_10", |reply| {
            reply.array(10);
            (0..10).for_each(|_| reply.bulk(black_box(b"element")));
        }),
        ("array_later_of_10", |reply| {
            let later = reply.array_later();
            (0..10).for_each(|_| reply.bulk(black_box(b"element")));
            reply.finish(later, 10);
        }),
    ];
    let mut group = criterion.benchmark_group("reply");
    group.throughput(Throughput::Elements(BATCH_COMMANDS_MAX as u64));
    for (name, write) in replies {
        let mut out = Output::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                (0..BATCH_COMMANDS_MAX)
                    .for_each(|_| write(&mut Reply::new(&mut out, Protocol::Resp2)));
                let length = out.len();
                out.advance(length);
                length
            });
        });
    }
    let shared = Bytes::from(vec![b'v'; 1024 * 1024]);
    let mut out = Output::default();
    group.bench_function("bulk_shared_1m", |bencher| {
        bencher.iter(|| {
            (0..BATCH_COMMANDS_MAX)
                .for_each(|_| Reply::new(&mut out, Protocol::Resp2).bulk_shared(&shared));
            let length = out.len();
            out.advance(length);
            length
        });
    });
    group.finish();
}

criterion_group!(benches, parse, reply);
criterion_main!(benches);
