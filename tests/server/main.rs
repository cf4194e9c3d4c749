//! The real program over real sockets: its start, its listeners, its limits, its end.

mod append_only;
mod backup;
mod check_aof;
mod clients;
mod crash;
mod eviction;
mod full_disk;
mod harness;
mod lifecycle;
mod listeners;
mod loading;
mod pubsub;
mod rdb_tools;
mod restore;
mod saving;
mod scripts;
