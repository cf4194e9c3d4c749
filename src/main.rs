//! The server's program: reads the command line and the configuration, and runs the loop.

fn main() {}
