//! Servers under measurement: started on a CPU of their own, filled, asked for their CPU time, stopped when dropped.

use super::floor;
use super::wire::{Client, Frame};
use super::workload::Workload;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The CPU of the servers; the load takes the other.
const SERVER_CPU: usize = 0;
const LOAD_CPU: usize = 1;
/// How long a server may take to answer for the first time.
const START_MAX: Duration = Duration::from_secs(20);
/// Commands sent at once while keys are filled in.
const FILL_COMMANDS: u64 = 1000;

/// How to start a server.
pub struct Server {
    pub name: String,
    command: String,
    pub is_floor: bool,
}

/// A server that runs.
pub struct Running {
    pub name: String,
    pub port: u16,
    /// What the workload's `@sha` stands for.
    pub script_sha: String,
    child: Child,
    dir: PathBuf,
}

impl Server {
    pub fn new(name: &str, command: &str) -> Self {
        Server {
            name: name.to_owned(),
            command: command.to_owned(),
            is_floor: false,
        }
    }

    /// This program itself.
    pub fn floor() -> Self {
        let program = std::env::current_exe().unwrap_or_default();
        let command = format!("{} {} {{port}}", program.display(), floor::COMMAND);
        Server {
            name: "floor".to_owned(),
            command,
            is_floor: true,
        }
    }

    /// Starts it with the keys and scripts of a workload.
    ///
    /// # Panics
    /// If it does not start or does not answer: there is nothing to be measured then.
    pub fn start(&self, workload: &Workload) -> Running {
        let port = free_port();
        let dir = std::env::temp_dir().join(format!("side-by-side-{}-{port}", std::process::id()));
        fs::create_dir_all(&dir).expect("a scratch folder can be made");
        let command = self.command.replace("{port}", &port.to_string());
        let command = command.replace("{dir}", &dir.display().to_string());
        stay_on(SERVER_CPU);
        let child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell can be started");
        stay_on(LOAD_CPU);
        let mut running = Running {
            name: self.name.clone(),
            port,
            script_sha: String::new(),
            child,
            dir,
        };
        running.prepare(workload);
        running
    }
}

impl Running {
    /// CPU time of all its threads, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let mut ns = 0.0;
        for task in tasks.into_iter().flatten().flatten() {
            let line = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let on_cpu = line.split(' ').next().and_then(|ns| ns.parse::<f64>().ok());
            ns += on_cpu.unwrap_or(0.0);
        }
        ns / 1000.0
    }

    fn prepare(&mut self, workload: &Workload) {
        let since = Instant::now();
        let mut client = loop {
            if let Ok(mut client) = Client::connect(self.port)
                && client.ask(&["PING"]).is_ok()
            {
                break client;
            }
            assert!(since.elapsed() < START_MAX, "{} does not start", self.name);
            std::thread::yield_now();
        };
        if let Some(script) = workload.script {
            let loaded = client.ask(&["SCRIPT", "LOAD", script]);
            self.script_sha = loaded.map_or(String::new(), |reply| reply.text());
        }
        let value = "x".repeat(workload.value_bytes);
        for first in (0..workload.keys).step_by(FILL_COMMANDS as usize) {
            let numbers = first..(first + FILL_COMMANDS).min(workload.keys);
            let mut request = Vec::new();
            for number in numbers.clone() {
                let key = format!("key:{number:012}");
                Frame::write_command(&mut request, &["SET", &key, &value]);
            }
            let replies = (numbers.end - numbers.start) as usize;
            client
                .ask_many(&request, replies)
                .expect("keys can be filled in");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already: then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Has this thread, and what it starts, run on one CPU; on a machine that does not have it, anywhere.
fn stay_on(cpu: usize) {
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    let _ = sched_setaffinity(None::<Pid>, &cpus);
}

fn free_port() -> u16 {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("some port is free");
    probe.local_addr().expect("it is bound").port()
}
