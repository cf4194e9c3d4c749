//! What handlers need of the process around the engine, handed in: files, sockets, the log, sleep.
//! The engine itself does no I/O; tests hand in a host that only remembers what it was asked.

use super::ctx::Server;
use crate::config::settings::Settings;
use crate::keyspace::Garbage;
pub use crate::persist::reason;
use crate::persist::{Job, Report};
use crate::session::Peer;
use std::io;
use std::time::Duration;

/// What the process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Bytes of the global allocator that are in use.
    pub allocated_bytes: u64,
    /// Resident bytes.
    pub resident_bytes: u64,
    /// CPU seconds in the kernel.
    pub cpu_sys_s: f64,
    /// CPU seconds in user mode.
    pub cpu_user_s: f64,
    /// The same of the thread that runs commands.
    pub main_thread_cpu_sys_s: f64,
    /// The same of the thread that runs commands.
    pub main_thread_cpu_user_s: f64,
    /// Bytes of memory of the machine.
    pub machine_bytes: u64,
    /// Objects that wait to be freed on the helper thread.
    pub pending_frees: usize,
    /// Objects that the helper thread has freed.
    pub freed: u64,
}

/// What another server is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// Its name or address.
    pub host: &'q str,
    /// Its port.
    pub port: u16,
    /// Commands, as they go over the wire.
    pub request: &'q [u8],
    /// Lines of its answer: each reply is one.
    pub lines: usize,
    /// How long each step may take.
    pub timeout: Duration,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskError {
    /// Nobody is there.
    Connect,
    /// The question could not be sent.
    Write,
    /// The answer did not come in time; this much of it did.
    Read(Vec<u8>),
}

/// See the head of the file. No door has a default: whoever hands doors on must not forget one.
pub trait Host {
    /// Listens where the settings say (bind, port, unixsocket, backlog) in place of where it did; on failure all stays
    /// as it was. The error is what CONFIG SET answers.
    fn listen(&mut self, settings: &Settings) -> Result<(), String>;
    /// Makes room for so many clients' files; how many clients there is room for.
    fn reserve_clients(&mut self, clients: u32) -> u32;
    /// Sleeps: nobody is served meanwhile (DEBUG SLEEP).
    fn sleep(&mut self, duration: Duration);
    /// The whole content of a file.
    fn read_file(&mut self, path: &str) -> io::Result<Vec<u8>>;
    /// Puts a file of this content in the place of another, whole or not at all, durable.
    fn replace_file(&mut self, path: &str, content: &[u8]) -> io::Result<()>;
    /// Changes the working directory.
    fn change_directory(&mut self, path: &str) -> io::Result<()>;
    /// Applies the log's level, format and file.
    fn configure_log(&mut self, settings: &Settings) -> Result<(), String>;
    /// What the process has used.
    fn usage(&mut self) -> Usage;
    /// Bytes of the global allocator that are in use: what [`Self::usage`] says, but cheap enough for every write.
    fn allocated_bytes(&self) -> u64;
    /// Keys and values that wait to be freed on the helper thread.
    fn pending_frees(&self) -> usize;
    /// Frees this on the helper thread.
    fn free(&mut self, garbage: Garbage);
    /// Has the helper thread make memory ready that the keyspace will need soon.
    fn prepare_memory(&mut self);
    /// Asks another server and waits for its answer: nobody is served meanwhile (MIGRATE).
    fn ask(&mut self, question: &Question<'_>) -> Result<Vec<u8>, AskError>;
    /// Has this done on disk, after all that was handed over before.
    fn disk(&mut self, job: Job);
    /// Bytes of jobs that are not done yet, about.
    fn disk_queue_bytes(&self) -> usize;
    /// Waits until no more than so many bytes are left to be done (0: nothing at all); what was reported since.
    fn wait_disk(&mut self, bytes_max: usize) -> Vec<Report>;
    /// A file to be read from its beginning, and how many bytes it has.
    fn open_file(&mut self, path: &str) -> io::Result<(Box<dyn io::Read>, u64)>;
    /// The names of all files of a folder.
    fn list_folder(&mut self, path: &str) -> io::Result<Vec<String>>;
    /// Ends the server after this turn.
    fn stop(&mut self);
    /// Whether the server is to end.
    fn is_stopping(&self) -> bool;
    /// Takes one short turn with the other clients while a script keeps the engine busy: what they have sent is fed, what
    /// they are answered is written. The client whose script runs is lent: it is neither read nor closed.
    fn serve_others(&mut self, engine: &mut dyn Engaged);
}

/// An engine in the middle of a command, as [`Host::serve_others`] reaches it.
pub trait Engaged {
    /// Runs what a client sent, as far as that is allowed now; how many bytes are done with.
    fn feed(&mut self, slot: usize, input: &[u8], host: &mut dyn Host) -> usize;
    /// What is shared between commands.
    fn server(&mut self) -> &mut Server;
    /// Whose output waits to be written.
    fn take_flush(&mut self, into: &mut Vec<usize>);
    /// A new client; its slot, or the line that it gets before it is closed.
    fn connect(&mut self, peer: Peer) -> Result<usize, &'static str>;
    /// The client is gone.
    fn disconnect(&mut self, slot: usize);
}
