//! Any bytes as an RDB file: it is loaded or refused, and nothing else happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxidis::base::random::Seeds;
use oxidis::keyspace::Keyspace;
use oxidis::persist::load::{Visitor, load};
use oxidis::rdb::read::Reader;

struct Nobody;

impl Visitor for Nobody {
    fn library(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut keyspace = Keyspace::new(16, Seeds::fixed(1));
    let mut reader = Reader::of_source(bytes, bytes.len() as u64);
    let _ = load(&mut keyspace, &mut reader, false, &mut Nobody);
});
