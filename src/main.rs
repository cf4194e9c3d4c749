//! The server's program: reads the command line and the configuration, and runs the loop; or one of the tools.

use oxidis::cli::{self, Invocation};
use oxidis::config::{self, Sources};
use oxidis::net::start;
use oxidis::observe::memory::Counting;
use oxidis::tool::Failure;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    match cli::parse_called(&program, &args) {
        Invocation::Print(text) => match writeln!(std::io::stdout(), "{}", text.trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Invocation::Refuse(text) => fail(&text),
        Invocation::Serve(sources) => serve(&sources),
        Invocation::Tool(tool, matches) => match (tool.run)(&matches) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Reported) => ExitCode::FAILURE,
            Err(failure) => fail(&failure.to_string()),
        },
    }
}

fn serve(sources: &Sources) -> ExitCode {
    let config = match config::load(sources) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string()),
    };
    match start::serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(start::StartError::Logged) => ExitCode::FAILURE,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(text: &str) -> ExitCode {
    // Where standard error is closed, the status must do.
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    ExitCode::FAILURE
}
