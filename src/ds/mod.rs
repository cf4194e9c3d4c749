//! Data structures: they know bytes and numbers, no keys, clients, clock or configuration. The only home of `unsafe`
//! but for the record layout of the keyspace.

pub mod arena;
pub mod bits;
pub mod bptree;
pub mod expiry_heap;
pub mod intset;
pub mod listpack;
pub mod members;
pub mod quicklist;
pub mod ranking;
pub mod six_bit;
pub mod table;
