//! What a command costs inside the engine: pipelines of 1, 16 and 100 over a million keys of 100 bytes, fed as bytes and
//! answered as bytes, no sockets. Criterion's elements are commands: `Melem/s` is million commands a second.
//!
//! `cargo bench --bench commands`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oxidis::base::clock::Clock;
use oxidis::base::random::Random;
use oxidis::base::random::Seeds;
use oxidis::command::ctx::Identity;
use oxidis::command::host::{AskError, Engaged, Host, Question, Usage};
use oxidis::config::Config;
use oxidis::config::settings::Settings;
use oxidis::engine::Engine;
use oxidis::keyspace::Garbage;
use oxidis::persist::{Job, Report};
use oxidis::session::Peer;
use std::hint::black_box;
use std::io;
use std::time::Duration;

const KEYS: u64 = 1_000_000;
const VALUE: [u8; 100] = [b'x'; 100];
/// Keys of one MSET or MGET.
const SEVERAL: u64 = 10;
/// Different inputs, taken in turn, so that the caches do not learn the keys.
const INPUTS: usize = 2_000;

/// Scripts, and their SHA1.
const SCRIPTS: [(&[u8], &[u8]); 2] = [
    (
        b"return redis.call('GET', KEYS[1])",
        b"d3c21d0c2b9ca22f82737626a27bcaf5d288f99f",
    ),
    (
        b"local t = cjson.decode(ARGV[1]) return cjson.encode(t)",
        b"eada1593ca3b484aad48fd6a72a49eb8fc6c2a7b",
    ),
];
const JSON: &[u8] =
    br#"{"name":"jack","age":30,"tags":["a","b","c"],"nested":{"x":1.5,"y":null,"z":true},"n":4}"#;

/// A process that does nothing.
struct NoHost;

impl Host for NoHost {
    fn ask(&mut self, _: &Question<'_>) -> Result<Vec<u8>, AskError> {
        Err(AskError::Connect)
    }
    fn listen(&mut self, _: &Settings) -> Result<(), String> {
        Ok(())
    }
    fn reserve_clients(&mut self, clients: u32) -> u32 {
        clients
    }
    fn sleep(&mut self, _: Duration) {}
    fn read_file(&mut self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn replace_file(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn change_directory(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn configure_log(&mut self, _: &Settings) -> Result<(), String> {
        Ok(())
    }
    fn usage(&mut self) -> Usage {
        Usage::default()
    }
    fn free(&mut self, _: Garbage) {}
    fn disk(&mut self, _: Job) {}
    fn disk_queue_bytes(&self) -> usize {
        0
    }
    fn wait_disk(&mut self, _: usize) -> Vec<Report> {
        Vec::new()
    }
    fn open_file(&mut self, _: &str) -> io::Result<(Box<dyn io::Read>, u64)> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn list_folder(&mut self, _: &str) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn allocated_bytes(&self) -> u64 {
        0
    }
    fn pending_frees(&self) -> usize {
        0
    }
    fn prepare_memory(&mut self) {}
    fn is_stopping(&self) -> bool {
        false
    }
    fn serve_others(&mut self, _: &mut dyn Engaged) {}
    fn stop(&mut self) {}
}

/// Appends a command as a client sends it.
fn push(input: &mut Vec<u8>, words: &[&[u8]]) {
    input.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        input.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        input.extend_from_slice(word);
        input.extend_from_slice(b"\r\n");
    }
}

fn text_key(number: u64) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

fn counter_key(number: u64) -> Vec<u8> {
    format!("counter:{number:012}").into_bytes()
}

/// Appends one command on keys by chance.
type Make = fn(&mut Vec<u8>, &mut Random);

fn get(input: &mut Vec<u8>, random: &mut Random) {
    push(input, &[b"GET", &text_key(random.below(KEYS))]);
}

fn set(input: &mut Vec<u8>, random: &mut Random) {
    push(input, &[b"SET", &text_key(random.below(KEYS)), &VALUE]);
}

fn incr(input: &mut Vec<u8>, random: &mut Random) {
    push(input, &[b"INCR", &counter_key(random.below(KEYS))]);
}

fn mset(input: &mut Vec<u8>, random: &mut Random) {
    let keys: Vec<Vec<u8>> = (0..SEVERAL).map(|_| text_key(random.below(KEYS))).collect();
    let pairs = keys.iter().flat_map(|key| [key.as_slice(), &VALUE]);
    let words: Vec<&[u8]> = std::iter::once(&b"MSET"[..]).chain(pairs).collect();
    push(input, &words);
}

fn mget(input: &mut Vec<u8>, random: &mut Random) {
    let keys: Vec<Vec<u8>> = (0..SEVERAL).map(|_| text_key(random.below(KEYS))).collect();
    let keys = keys.iter().map(Vec::as_slice);
    let words: Vec<&[u8]> = std::iter::once(&b"MGET"[..]).chain(keys).collect();
    push(input, &words);
}

fn evalsha_get(input: &mut Vec<u8>, random: &mut Random) {
    let (_, sha1) = SCRIPTS[0];
    push(
        input,
        &[b"EVALSHA", sha1, b"1", &text_key(random.below(KEYS))],
    );
}

fn evalsha_json(input: &mut Vec<u8>, _: &mut Random) {
    let (_, sha1) = SCRIPTS[1];
    push(input, &[b"EVALSHA", sha1, b"0", JSON]);
}

/// An engine with all keys, and its client.
fn filled() -> (Engine, usize) {
    let rows = oxidis::commands::rows();
    let mut engine = Engine::new(
        Config::default(),
        rows,
        Clock::system(),
        Seeds::fixed(42),
        Identity::default(),
    );
    let peer = Peer {
        loopback: true,
        ..Peer::default()
    };
    let client = engine.connect(peer).expect("the first client fits");
    let mut input = Vec::new();
    for (script, _) in SCRIPTS {
        push(&mut input, &[b"SCRIPT", b"LOAD", script]);
    }
    for number in 0..KEYS {
        push(&mut input, &[b"SET", &text_key(number), &VALUE]);
        push(&mut input, &[b"SET", &counter_key(number), b"1"]);
        if input.len() > 64 << 10 || number + 1 == KEYS {
            engine.feed(client, &input, &mut NoHost);
            engine.take_output(client);
            input.clear();
        }
    }
    (engine, client)
}

fn commands(criterion: &mut Criterion) {
    let (mut engine, client) = filled();
    let mut random = Random::from_seed(7);
    let makers: [(&str, Make); 7] = [
        ("get", get),
        ("set", set),
        ("incr", incr),
        ("mset10", mset),
        ("mget10", mget),
        ("evalsha_get", evalsha_get),
        ("evalsha_json", evalsha_json),
    ];
    for (name, make) in makers {
        let mut group = criterion.benchmark_group(name);
        for depth in [1, 16, 100] {
            let inputs: Vec<Vec<u8>> = (0..INPUTS)
                .map(|_| {
                    let mut input = Vec::new();
                    (0..depth).for_each(|_| make(&mut input, &mut random));
                    input
                })
                .collect();
            let mut turn = 0;
            group.throughput(Throughput::Elements(depth));
            group.bench_function(format!("pipeline-{depth}"), |bencher| {
                bencher.iter(|| {
                    turn = (turn + 1) % INPUTS;
                    engine.feed(client, &inputs[turn], &mut NoHost);
                    black_box(engine.take_output(client).len())
                });
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    targets = commands
}
criterion_main!(benches);
