//! Start and end: the log lines that tools wait for, process id file, background, service manager, refusals.

use crate::harness::{Client, Folder, Lines, Server, free_port, program, run};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

#[test]
fn the_start_is_told_in_the_lines_that_tools_wait_for() {
    let folder = Folder::new();
    let port = free_port().to_string();
    let mut command = program();
    command.args([
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--always-show-logo",
        "yes",
        "--dir",
    ]);
    let mut child = command
        .arg(folder.path())
        .spawn()
        .expect("the program runs");
    let log = Lines::of(child.stdout.take().expect("it is piped"));
    log.expect(&format!(" PID: {}", child.id()));
    log.expect("* Server initialized");
    log.expect("* Ready to accept connections tcp");
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
}

#[test]
fn sigterm_ends_it_well_and_removes_the_pid_file() {
    let mut server = Server::start(&["--pidfile", "p.pid", "--save", "900 1"]);
    let path = server.folder.file("p.pid");
    let pid = std::fs::read_to_string(&path).expect("it is written");
    assert!(pid.trim().parse::<u32>().is_ok(), "{pid}");
    assert_eq!(server.terminate().code(), Some(0));
    server.log.expect("Received SIGTERM scheduling shutdown...");
    server.log.expect("User requested shutdown...");
    server.log.expect("Removing the pid file.");
    server.log.expect("is now ready to exit, bye bye...");
    assert!(!std::fs::exists(&path).expect("the folder is readable"));
}

#[test]
fn the_shutdown_command_ends_it_well_and_the_client_gets_no_reply() {
    let mut server = Server::start(&["--pidfile", "p.pid"]);
    let mut client = server.client();
    client.send("SHUTDOWN NOSAVE\r\n");
    assert_eq!(client.rest(), "");
    assert_eq!(server.wait().code(), Some(0));
    server.log.expect("User requested shutdown...");
    server.log.expect("is now ready to exit, bye bye...");
    let path = server.folder.file("p.pid");
    assert!(!std::fs::exists(path).expect("the folder is readable"));
}

#[test]
fn the_log_level_can_be_changed_while_it_runs() {
    let server = Server::start(&[]);
    server
        .client()
        .ask("CONFIG SET loglevel verbose\r\n", "+OK\r\n");
    server.client().ask("GET a\r\n", "$-1\r\n");
    server.log.expect(" - Accepted 127.0.0.1:");
}

#[test]
fn sigint_ends_it_well_too() {
    let server = Server::start(&[]);
    server.signal(Signal::INT);
    server.log.expect("Received SIGINT scheduling shutdown...");
    server.log.expect("is now ready to exit, bye bye...");
}

#[test]
fn a_configuration_from_standard_input_counts() {
    let folder = Folder::new();
    let port = free_port();
    let mut command = program();
    let mut child = command
        .arg("-")
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nlogformat json\nlogfile ''\n",
        folder.path().display()
    );
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    let log = Lines::of(child.stdout.take().expect("it is piped"));
    let line = log.expect("Ready to accept connections tcp");
    let line: serde_json::Value = serde_json::from_str(&line).expect("valid JSON");
    assert_eq!(line["level"], "notice");
    assert_eq!(line["pid"], child.id());
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    Client::of(stream).ask("GET a\r\n", "$-1\r\n");
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
}

#[test]
fn the_version_and_the_help_are_printed_and_nothing_is_started() {
    let (status, text, _) = run(program().arg("--version"));
    assert!(
        status.success() && text.contains(env!("CARGO_PKG_VERSION")),
        "{text}"
    );
    let (status, text, _) = run(program().arg("--help"));
    assert!(status.success() && text.contains("--maxclients"), "{text}");
}

#[test]
fn a_wrong_line_of_configuration_is_shown_with_its_place() {
    let folder = Folder::new();
    let path = folder.file("c.conf");
    std::fs::write(&path, "port 0\nbogus yes\n").expect("the folder is writable");
    let (status, _, text) = run(program().arg(&path));
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("FATAL CONFIG FILE ERROR"), "{text}");
    assert!(text.contains(">>> 'bogus yes'"), "{text}");
}

#[test]
fn an_unknown_command_cannot_be_renamed() {
    let folder = Folder::new();
    let path = folder.file("c.conf");
    std::fs::write(&path, "rename-command nothing other\n").expect("the folder is writable");
    let (status, _, text) = run(program().arg(&path));
    assert_eq!(status.code(), Some(1));
    assert!(
        text.contains(">>> 'rename-command nothing other'\nNo such command"),
        "{text}"
    );
}

#[test]
fn a_renamed_command_answers_to_its_new_name_alone() {
    let server = Server::start(&["--rename-command", "get", "fetch"]);
    let mut client = server.client();
    client.ask("fetch a\r\n", "$-1\r\n");
    client.ask(
        "get\r\n",
        "-ERR unknown command 'get', with args beginning with: \r\n",
    );
}

#[test]
fn in_the_background_it_writes_log_and_pid_file_to_its_folder() {
    let folder = Folder::new();
    let port = free_port();
    // A pipe in place of the log file: its lines can be waited for.
    let (pid_path, log_path) = (folder.file("p.pid"), folder.file("log"));
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &log_path,
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .expect("the folder is writable");
    let pipe = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&log_path);
    let log = Lines::of(pipe.expect("it is there"));
    let options = [
        "--daemonize",
        "yes",
        "--pidfile",
        "p.pid",
        "--logfile",
        "log",
        "--dir",
    ];
    let mut command = program();
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    let (status, out, _) = run(command.args(options).arg(folder.path()));
    assert!(status.success() && out.is_empty(), "{out}");
    log.expect("Ready to accept connections tcp");
    let pid = std::fs::read_to_string(&pid_path).expect("it is written");
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    Client::of(stream).ask("GET a\r\n", "$-1\r\n");
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::TERM).expect("it runs");
    log.expect("is now ready to exit, bye bye...");
    assert!(!std::fs::exists(&pid_path).expect("the folder is readable"));
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let folder = Folder::new();
    let path = folder.file("notify");
    let manager = UnixDatagram::bind(&path).expect("the folder is writable");
    let receive = || {
        let mut buffer = [0; 1024];
        let count = manager.recv(&mut buffer).expect("a message");
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    let mut command = program();
    command
        .args(["--port", &free_port().to_string(), "--bind", "127.0.0.1"])
        .args(["--supervised", "systemd", "--save", ""])
        .env("NOTIFY_SOCKET", &path);
    let mut child = command.spawn().expect("the program runs");
    let ready = receive();
    assert!(
        ready.contains("READY=1") && ready.contains("STATUS="),
        "{ready}"
    );
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    assert!(receive().contains("STOPPING=1"));
    assert!(child.wait().expect("it has ended").success());
}

/// The program under a limit of open files.
fn limited(files: u32) -> std::process::Command {
    let mut command = std::process::Command::new("sh");
    let line = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_oxidis")]);
    command.args(["--port", &free_port().to_string(), "--bind", "127.0.0.1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

#[test]
fn maxclients_is_lowered_to_what_the_limit_of_open_files_allows() {
    let mut child = limited(100).spawn().expect("the program runs");
    let log = Lines::of(child.stdout.take().expect("it is piped"));
    log.expect(
        "# You requested maxclients of 10000 requiring at least 10032 max file descriptors.",
    );
    log.expect("# Current maximum open files is 100. maxclients has been reduced to 68");
    log.expect("Ready to accept connections tcp");
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
    let (status, log, _) = run(&mut limited(32));
    assert_eq!(status.code(), Some(1));
    assert!(
        log.contains("Your current 'ulimit -n' of 32 is not enough"),
        "{log}"
    );
}

#[test]
fn a_crash_leaves_a_report_with_the_way_to_it() {
    for command in ["DEBUG SEGFAULT", "DEBUG ASSERT", "DEBUG PANIC", ""] {
        let mut server = Server::start(&["--enable-debug-command", "yes"]);
        if command.is_empty() {
            server.signal(rustix::process::Signal::ABORT);
        } else {
            server.client().send(format!("{command}\r\n"));
        }
        server.log.expect("BUG REPORT START");
        server.log.expect("STACK TRACE");
        server.log.expect("BUG REPORT END");
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(server.wait().signal(), Some(6), "{command}");
    }
}
