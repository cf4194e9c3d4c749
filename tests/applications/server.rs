//! A server in a folder of its own, ready for clients; it goes with the value.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What every server says when clients may come.
const READY: &str = "Ready to accept connections";

pub struct Server {
    pub port: u16,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts `program` on a free port; it saves nothing. The error is what it said instead of being ready.
    pub fn start(program: &Path) -> Result<Server, String> {
        let probe = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let port = probe.local_addr().expect("it is bound").port();
        drop(probe);
        let folder = std::env::temp_dir().join(format!("oxidis-applications-{port}"));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(["--port", &port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let log = child.stdout.take().expect("standard output is piped");
        let server = Server {
            port,
            child,
            folder,
        };
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let mut seen = String::new();
        loop {
            match lines.next() {
                Some(line) if line.contains(READY) => break,
                Some(line) => seen.push_str(&format!("{line}\n")),
                None => return Err(format!("the server ends before it is ready:\n{seen}")),
            }
        }
        // Somebody must go on reading, or the server would wait for its own log.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have gone already; then there is nothing to end and perhaps nothing to remove.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
