//! The string family.

use crate::harness::Server;

#[test]
fn a_missing_key_reads_as_null() {
    Server::new().check("GET nothing -> nil");
}
