//! A disk without room, a real one: a small file system in memory, where the system allows mounting it.

use crate::harness::{Client, Folder, PATIENCE, Server};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const SIZE: &str = "size=4m";
const VALUE_BYTES: usize = 20_000;

/// A mounted file system; it goes with the test.
struct Mount(PathBuf);

impl Mount {
    /// Over a folder; `None` if that is not allowed here.
    fn over(folder: &Path) -> Option<Mount> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "none"]).arg(folder);
        let mounted = mount.stderr(Stdio::null()).status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        is_mounted.then(|| Mount(folder.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes all room that there is.
    fn fill(&self) {
        let mut file = File::create(self.filler()).expect("it is writable");
        let block = [0; 4096];
        while file.write_all(&block).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).expect("it is there");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What cannot be undone stays for the operator: the test's result does not depend on it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

fn set(key: &str, value: &str) -> String {
    format!(
        "*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n",
        key.len(),
        value.len()
    )
}

fn get(client: &mut Client<TcpStream>, key: &str, value: &str) {
    client.ask(
        format!("GET {key}\r\n"),
        format!("${}\r\n{value}\r\n", value.len()),
    );
}

/// Asks for INFO until it says so.
fn until(server: &Server, wanted: &str) {
    let began = Instant::now();
    let mut redis = server.redis();
    loop {
        let mut command = redis::cmd("INFO");
        let info = command.arg("persistence").query::<String>(&mut redis);
        let info = info.expect("it answers");
        if info.contains(wanted) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "no {wanted} in {info}");
        std::thread::yield_now();
    }
}

#[test]
fn without_room_nothing_is_lost_and_with_room_the_service_goes_on_by_itself() {
    for policy in ["always", "everysec", "no"] {
        let folder = Folder::new();
        let Some(mount) = Mount::over(folder.path()) else {
            println!("left out: no file system can be mounted here");
            return;
        };
        survive_a_full_disk(&folder, &mount, policy);
    }
}

fn survive_a_full_disk(folder: &Folder, mount: &Mount, policy: &str) {
    let path = folder.path().display().to_string();
    let options = [
        ["--dir", &path],
        ["--save", ""],
        ["--appendonly", "yes"],
        ["--appendfsync", policy],
    ];
    let options = options.concat();
    let mut server = Server::start(&options);
    let value = "v".repeat(VALUE_BYTES);
    let mut client = server.client();
    for number in 0..5 {
        client.ask(set(&format!("before:{number}"), &value), "+OK\r\n");
    }
    client.ask("SAVE\r\n", "+OK\r\n");
    let snapshot = fs::read(folder.file("dump.rdb")).expect("it was saved");
    mount.fill();
    let mut writer = server.client();
    writer.send(set("waits", &value));
    until(&server, "aof_last_write_status:err");
    client.send("SET refused 1\r\n");
    client.expect("-MISCONF Errors writing to the AOF file: No space left on device\r\n");
    client.ask(
        "DEL before:0\r\n",
        "-MISCONF Errors writing to the AOF file: No space left on device\r\n",
    );
    client.ask("MULTI\r\nSET refused 1\r\nEXEC\r\n", "+OK\r\n-MISCONF Errors writing to the AOF file: No space left on device\r\n-EXECABORT Transaction discarded because of previous errors.\r\n");
    get(&mut client, "before:4", &value);
    client.ask("SAVE\r\n", "-ERR\r\n");
    client.ask("BGSAVE\r\n", "+Background saving started\r\n");
    server.log.expect("Background saving error");
    client.ask(
        "BGREWRITEAOF\r\n",
        "+Background append only file rewriting started\r\n",
    );
    server
        .log
        .expect("Background AOF rewrite terminated with error");
    assert!(fs::read(folder.file("dump.rdb")).expect("it stays") == snapshot);
    mount.make_room();
    writer.expect("+OK\r\n");
    until(&server, "aof_last_write_status:ok");
    client.ask(set("after", &value), "+OK\r\n");
    mount.fill();
    writer.send(set("never:acknowledged", &value));
    until(&server, "aof_last_write_status:err");
    server.signal(Signal::KILL);
    mount.make_room();
    server.restart(&options);
    let mut client = server.client();
    for key in ["before:0", "before:4", "waits", "after"] {
        get(&mut client, key, &value);
    }
    client.ask("EXISTS refused\r\n", ":0\r\n");
    client.ask("SAVE\r\n", "+OK\r\n");
}
