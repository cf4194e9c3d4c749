//! Layer 0: what every other module may lean on, and what leans on nothing of this crate.
//!
//! * [`clock`] lends the time: the system's, or one that a test turns by hand.
//! * [`glob`] matches the patterns of KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET.
//! * [`hash`] hashes byte strings under a secret key.
//! * [`long_double`] does the 80-bit arithmetic that INCRBYFLOAT shows to users.
//! * [`murmur`] is a hash without a secret, for formats that prescribe it.
//! * [`number`] turns text into numbers and back, exactly as the protocol spells them.
//! * [`quoting`] splits a line of configuration or an inline command into its words.
//! * [`random`] draws chance from a seed, so that a seed replays a run.
//!
//! Within: `binary_float` (hexadecimal floats and rounding to even, shared by both sizes of float) and `natural`
//! (integers of any size, just enough for `long_double`).

mod binary_float;
pub mod clock;
pub mod glob;
pub mod hash;
pub mod long_double;
pub mod murmur;
mod natural;
pub mod number;
pub mod quoting;
pub mod random;
