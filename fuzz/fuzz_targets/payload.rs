//! Any bytes as a DUMP payload, version and checksum aside: what is taken is a value that can be written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxidis::base::hash::Hasher;
use oxidis::persist::payload::{PayloadWriter, read_payload};
use oxidis::rdb::Edition;
use oxidis::types::Limits;
use oxidis::types::load::{Loaded, Room};

fuzz_target!(|bytes: &[u8]| {
    let (limits, mut room) = (Limits::new(Hasher::new(1, 2)), Room::default());
    if let Ok(Loaded::Boxed(object)) = read_payload(bytes, false, &limits, &mut room) {
        let payload = PayloadWriter::default().write(object.view(), true, Edition::Current);
        let mut room = Room::default();
        assert!(read_payload(&payload, true, &limits, &mut room).is_ok());
    }
});
