//! Bytes per key, as resident memory: `cargo bench --bench memory`. No server, no connections: records and table alone.

use oxidis::base::hash::Hasher;
use oxidis::keyspace::entry::{Key, NewValue, Store};

/// (name, keys, bytes of the value, with an expiry); keys are 16 bytes long.
const ROWS: [(&str, u64, usize, bool); 6] = [
    ("str8", 1_000_000, 8, false),
    ("str32", 1_000_000, 32, false),
    ("str100", 1_000_000, 100, false),
    ("str32 x1.3", 1_300_000, 32, false),
    ("str8+ttl", 1_000_000, 8, true),
    ("str32 8M", 8_000_000, 32, false),
];
/// Bytes of a page of memory on the machines this runs on.
const PAGE_BYTES: f64 = 4096.0;

fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(0.0) * PAGE_BYTES
}

fn fill(keys: u64, value: &[u8], expires: bool) -> Store {
    let hasher = Hasher::new(1, 2);
    let mut store = Store::new(hasher);
    for number in 0..keys {
        let name = format!("key:{number:012}");
        let key = Key {
            bytes: name.as_bytes(),
            hash: hasher.hash(name.as_bytes()),
        };
        let deadline = expires.then_some(4_000_000_000_000 + number as i64);
        store.insert(&key, NewValue::Inline(value), deadline, 0);
    }
    store
}

fn main() {
    println!(
        "{:12} {:>10} {:>10} {:>10} {:>8}",
        "data", "keys", "resident", "in use", "fill"
    );
    for (name, keys, value_bytes, expires) in ROWS {
        let before = resident_bytes();
        let store = fill(keys, &vec![b'x'; value_bytes], expires);
        let per_key = |bytes: f64| bytes / keys as f64;
        let (_, _, _, capacity) = store.shape();
        println!(
            "{name:12} {keys:>10} {:>10.1} {:>10.1} {:>8.3}",
            per_key(resident_bytes() - before),
            per_key(store.arena_bytes() as f64),
            keys as f64 / capacity as f64,
        );
    }
}
