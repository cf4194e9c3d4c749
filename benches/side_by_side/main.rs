//! CPU time per request of what applications build on: pub/sub, transactions, client-side caching, scripts.
//!
//! ```text
//! cargo bench --bench side_by_side                                    this server and the floor
//! cargo bench --bench side_by_side -- --server 'peer=peer-server --port {port} --dir {dir}' --only PUBLISH --rounds 7
//! ```
//!
//! Any number of servers take turns on the same workload, each on one CPU and the load on another. What is shown is the
//! time that the scheduler charged to the server's threads, over the units that were answered meanwhile: it hardly moves
//! when something else takes the CPU away, as throughput does. Of all rounds the lower quartile counts, since what disturbs
//! a measurement only adds to it.
//!
//! The `floor` is a server of a few lines inside of this program that parses, looks nothing up and makes no call but one
//! read a request and one write a subscriber: nobody who writes to plain sockets gets below it.
//!
//! Bounds: a round takes [`Options::seconds`] and what a third of that warms up; connections are at most
//! [`workload::CONNECTIONS_MAX`]. Runs on Linux, as its figures come from /proc.

mod floor;
mod load;
mod server;
mod wire;
mod workload;

use server::{Running, Server};
use std::time::Duration;
use workload::Workload;

/// What the command line says.
struct Options {
    servers: Vec<Server>,
    /// Workloads whose names contain one of these run; none: all.
    only: Vec<String>,
    rounds: usize,
    /// How long one round measures.
    seconds: f64,
}

const USAGE: &str = "usage: [--server NAME=COMMAND]... [--only PART_OF_A_NAME]... [--rounds N] [--seconds S]\n\
                     COMMAND starts a server in the foreground; {port} and {dir} in it are filled in.";

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let own = concat!(
            env!("CARGO_BIN_EXE_oxidis"),
            " --port {port} --bind 127.0.0.1 --dir {dir} --save '' --maxclients 12000"
        );
        let mut options = Options {
            servers: vec![Server::new("oxidis", own)],
            only: Vec::new(),
            rounds: 5,
            seconds: 0.4,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                // Cargo's own word.
                "--bench" => {}
                "--server" => {
                    let server = words.next()?;
                    let (name, command) = server.split_once('=')?;
                    options.servers.push(Server::new(name, command));
                }
                "--only" => options.only.push(words.next()?),
                "--rounds" => options.rounds = words.next()?.parse().ok().filter(|n| *n > 0)?,
                "--seconds" => options.seconds = words.next()?.parse().ok().filter(|s| *s > 0.0)?,
                _ => return None,
            }
        }
        options.servers.push(Server::floor());
        Some(options)
    }

    fn wants(&self, workload: &Workload) -> bool {
        let named = |part: &String| workload.name.contains(part.as_str());
        self.only.is_empty() || self.only.iter().any(named)
    }
}

fn main() {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == floor::COMMAND).is_some() {
        return floor::serve(words.next().and_then(|port| port.parse().ok()).unwrap_or(0));
    }
    let Some(options) = Options::read(words) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    print_heads(&options.servers);
    for workload in workload::all().iter().filter(|one| options.wants(one)) {
        compare(workload, &options);
    }
}

fn print_heads(servers: &[Server]) {
    print!("| CPU us a unit |");
    servers
        .iter()
        .for_each(|server| print!(" {} |", server.name));
    println!(" to the best peer |");
    println!("|---|{}---:|", "---:|".repeat(servers.len()));
}

/// One row: the servers take turns, round by round.
fn compare(workload: &Workload, options: &Options) {
    let mut running: Vec<Option<Running>> = Vec::new();
    for server in &options.servers {
        let fits = !server.is_floor || workload.has_floor;
        running.push(fits.then(|| server.start(workload)));
    }
    let mut figures = vec![Vec::new(); running.len()];
    for _ in 0..options.rounds {
        for (server, figures) in running.iter_mut().zip(&mut figures) {
            let Some(server) = server else { continue };
            let time = Duration::from_secs_f64(options.seconds);
            match load::measure(server, workload, time) {
                Ok(us) => figures.push(us),
                Err(error) => eprintln!("{}: {}: {error}", server.name, workload.name),
            }
        }
    }
    let figures: Vec<Option<f64>> = figures.into_iter().map(lower_quartile).collect();
    print_row(workload.name, &figures, &options.servers);
}

fn print_row(name: &str, figures: &[Option<f64>], servers: &[Server]) {
    print!("| {name} |");
    for figure in figures {
        match figure {
            Some(us) => print!(" {us:.2} |"),
            None => print!(" |"),
        }
    }
    let peers = figures.iter().zip(servers).skip(1);
    let peers = peers.filter(|(_, server)| !server.is_floor);
    let best = peers.filter_map(|(us, _)| *us).reduce(f64::min);
    match (figures.first().copied().flatten(), best) {
        (Some(own), Some(best)) => println!(" {:.2} |", own / best),
        _ => println!(" |"),
    }
}

fn lower_quartile(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let at = figures.len().checked_sub(1)? / 4;
    figures.get(at).copied()
}
