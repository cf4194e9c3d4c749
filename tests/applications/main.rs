//! Applications nobody here wrote, run against the real program: job queues, limiters, locks and client libraries as
//! their registries give them out.
//!
//! ```text
//! OXIDIS_APPLICATIONS=1 cargo test --test applications
//! cargo test --test applications -- NAME... [--peer PROGRAM]
//! ```
//! Each file of [`SCRIPTS`] is a program of scenarios; every one gets a server of its own. What they need stands in
//! `versions.txt` and is installed into the folder for temporary files of the target once; where that is impossible
//! (no network, no Python, no Node) the application is skipped with a line that says why. A script that fails on a peer
//! too is itself wrong: `--peer` runs all of them against another server. Without the variable or a name on the command
//! line nothing runs: `cargo test` must need no network.

mod packages;
mod server;

use packages::{Ecosystem, Installed};
use rustix::process::{Pid, Signal, kill_process_group};
use server::Server;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The variable that has them run.
const VARIABLE: &str = "OXIDIS_APPLICATIONS";
/// One file an application.
const SCRIPTS: [&str; 7] = [
    "redis_py.py",
    "rq_jobs.py",
    "celery_tasks.py",
    "python_queues.py",
    "bullmq.js",
    "node_redis.js",
    "ioredis.js",
];
/// What a script may take before it is ended.
const PATIENCE: Duration = Duration::from_secs(120);

struct Options {
    names: Vec<String>,
    peer: Option<PathBuf>,
}

impl Options {
    fn read() -> Options {
        let mut options = Options {
            names: Vec::new(),
            peer: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--peer" => options.peer = words.next().map(PathBuf::from),
                // Options of the standard test harness.
                word if word.starts_with('-') => {}
                _ => options.names.push(word),
            }
        }
        options
    }

    /// The scripts that are asked for, by a part of their names; all of them if the variable is set.
    fn scripts(&self) -> Vec<&'static str> {
        let all = self.names.is_empty() && std::env::var_os(VARIABLE).is_some();
        let is_named = |script: &&str| self.names.iter().any(|name| script.contains(name));
        SCRIPTS
            .into_iter()
            .filter(|script| all || is_named(script))
            .collect()
    }
}

fn main() -> ExitCode {
    let options = Options::read();
    let scripts = options.scripts();
    if scripts.is_empty() {
        println!("skipped: applications run where {VARIABLE} is set, or by their names");
        return ExitCode::SUCCESS;
    }
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_oxidis"));
    let program = options.peer.unwrap_or(ours);
    let python = packages::install(Ecosystem::Python);
    let node = packages::install(Ecosystem::Node);
    let mut failed = 0;
    for script in scripts {
        let installed = if script.ends_with(".py") {
            &python
        } else {
            &node
        };
        let began = Instant::now();
        let outcome = match installed {
            Ok(installed) => run(installed, script, &program),
            Err(reason) => {
                println!("{script}: skipped: {reason}");
                continue;
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(count) => println!("{script}: {count} ({seconds:.1} s)"),
            Err(said) => {
                failed += 1;
                println!("{script}: FAILED ({seconds:.1} s)\n{said}");
            }
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a script against a server of its own; what it counted, or all it said.
fn run(installed: &Installed, script: &str, program: &Path) -> Result<String, String> {
    let server = Server::start(program)?;
    let said = server.folder().join("said");
    let output = File::create(&said).map_err(|error| format!("{}: {error}", said.display()))?;
    let errors = output.try_clone().map_err(|error| error.to_string())?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/applications");
    let child = installed
        .command(&scripts, script)
        .current_dir(server.folder())
        .env("SERVER_PORT", server.port.to_string())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    let status = wait(child);
    let text = std::fs::read(&said).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let counted = text.lines().rfind(|line| line.contains("scenarios passed"));
    match (status, counted) {
        (Some(status), Some(counted)) if status.success() => Ok(counted.to_owned()),
        (Some(status), _) => Err(format!("{text}{status}")),
        (None, _) => Err(format!("{text}no end within {PATIENCE:?}")),
    }
}

/// Waits for a script that leads a process group, and ends whatever is left of the group; `None`: it took too long.
fn wait(mut child: Child) -> Option<ExitStatus> {
    let group = Pid::from_child(&child);
    let (sender, receiver) = channel();
    let waiter = std::thread::spawn(move || {
        // Nobody listens any more when patience has run out.
        let _ = sender.send(child.wait().ok());
    });
    let status = receiver.recv_timeout(PATIENCE).ok().flatten();
    // The group may have ended as a whole.
    let _ = kill_process_group(group, Signal::KILL);
    waiter.join().expect("waiting for a child does not panic");
    status
}

/// Runs a command to its end; what it calls an error if it fails.
fn finish(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    // Installers say first what is wrong and then where more is to be read.
    let is_error = |line: &&str| line.to_ascii_lowercase().contains("error");
    let words = text.lines().find(is_error).or(text.lines().last());
    Err(format!("{name}: {}", words.unwrap_or("no reason given")))
}
