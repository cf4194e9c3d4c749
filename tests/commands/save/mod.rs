//! Snapshots: the commands that make them, what is in them, and that they are of one point in time whatever happens
//! meanwhile.

mod backup;
mod commands;
mod faults;
pub mod file;
mod older;
mod point_in_time;
