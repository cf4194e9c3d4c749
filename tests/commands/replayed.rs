//! Random commands of all families, alone, in transactions, in scripts and by clients that wait: what is built from the
//! append-only file afterwards, from its commands or from a base, is what was there, to the last deadline and pending entry.

use crate::append_only::{Folder, ON};
use crate::grammar::{Form, forms, keys};
use crate::harness::Server;
use oxidis::base::random::Random;

const STEPS: u64 = 400;
const LOOKS: u64 = 6;
const DBS: [u64; 2] = [0, 3];
const SCRIPT: &str = "return redis.pcall(unpack(ARGV))";
/// What the grammar has not: what ends soon, what waits, what moves between databases.
const OTHERS: [&str; 24] = [
    "PEXPIRE %any 40",
    "SET %str brief PX 30",
    "HPEXPIRE %hash 40 FIELDS 2 f1 f2",
    "HSETEX %hash PX 50 FIELDS 1 f3 v",
    "HGETEX %hash PX 30 FIELDS 1 f4",
    "GETEX %str PX 60",
    "MOVE %any 3",
    "SWAPDB 0 3",
    "SELECT 0",
    "SELECT 3",
    "RENAME %any %any",
    "RENAMENX %any %any",
    "SPOP %set 2",
    "SORT %list ALPHA STORE %list",
    "XREADGROUP GROUP g1 c1 COUNT 2 STREAMS %stream >",
    "XREADGROUP GROUP g1 c2 NOACK STREAMS %stream >",
    "XAUTOCLAIM %stream g1 c2 0 0 COUNT 2",
    "XADD %stream MAXLEN 5 * f v",
    "XGROUP CREATE %stream g1 0 MKSTREAM",
    "XGROUP SETID %stream g1 3-1 ENTRIESREAD 2",
    "UNLINK %any",
    "FLUSHDB",
    "RESTORE %str 0 \"\\x00\\x03abc\\x0b\\x00\\x7e\\x2a\\x8a\\x4d\\xe1\\x3c\\x8e\\x50\" REPLACE",
    "COPY %any %any DB 3 REPLACE",
];
const WAITING: [&str; 6] = [
    "BLPOP %list %list 0.05",
    "BLMOVE %list %list LEFT RIGHT 0",
    "BZPOPMIN %zset %zset 0",
    "BLMPOP 0.02 2 %list %list LEFT COUNT 2",
    "XREADGROUP GROUP g1 c3 BLOCK 0 STREAMS %stream >",
    "BRPOP %list 0",
];

struct Run {
    server: Server,
    random: Random,
    forms: Vec<Form>,
    log: Vec<String>,
}

impl Run {
    fn one(&mut self) -> Vec<Vec<u8>> {
        if self.random.below(5) == 0 {
            return self.line(&OTHERS);
        }
        let form = self.random.below(self.forms.len() as u64) as usize;
        self.forms[form].request(&mut self.random).words
    }

    /// A line of these, with keys of the kinds that it names.
    fn line(&mut self, lines: &[&str]) -> Vec<Vec<u8>> {
        let line = lines[self.random.below(lines.len() as u64) as usize];
        let words = oxidis::base::quoting::split_args(line.as_bytes()).expect("it is quoted well");
        let kinds = ["str", "list", "set", "hash", "zset", "stream"];
        let mut named = |word: Vec<u8>| match word.strip_prefix(b"%") {
            None => word,
            Some(b"any") => {
                let kind = kinds[self.random.below(6) as usize];
                format!("{kind}:{}", self.random.below(4)).into_bytes()
            }
            Some(kind) => [kind, format!(":{}", self.random.below(4)).as_bytes()].concat(),
        };
        words.into_iter().map(&mut named).collect()
    }

    fn send(&mut self, client: usize, words: &[Vec<u8>]) {
        let shown: Vec<String> = words
            .iter()
            .map(|word| word.escape_ascii().to_string())
            .collect();
        self.log.push(format!("{client}: {}", shown.join(" ")));
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.server.raw(client, &words);
    }

    fn step(&mut self) {
        let client = self.server.client;
        match self.random.below(20) {
            0 | 1 => {
                self.send(client, &[b"MULTI".to_vec()]);
                for _ in 0..1 + self.random.below(4) {
                    let words = self.one();
                    self.send(client, &words);
                }
                self.send(client, &[b"EXEC".to_vec()]);
            }
            2 => {
                let mut words = vec![b"EVAL".to_vec(), SCRIPT.into(), b"0".to_vec()];
                words.extend(self.one());
                self.send(client, &words);
            }
            3 => {
                let ms = self.random.below(60);
                self.log.push(format!("{ms} ms pass"));
                self.server.pass_ms(ms);
            }
            4 => {
                let other = self.server.connect();
                let words = self.line(&WAITING);
                self.send(other, &words);
            }
            _ => {
                let words = self.one();
                self.send(client, &words);
            }
        }
    }
}

/// What each type is asked for; `$`: the key.
fn questions(kind: &str) -> &'static [&'static str] {
    match kind {
        "string" => &["GET $"],
        "list" => &["LRANGE $ 0 -1"],
        "set" => &["SORT $ ALPHA"],
        "zset" => &["ZRANGE $ 0 -1 WITHSCORES"],
        "hash" => &["HGETALL $"],
        "stream" => &["XRANGE $ - +", "XINFO GROUPS $"],
        _ => &[],
    }
}

fn looks(server: &mut Server) -> Vec<String> {
    let client = server.connect();
    let mut all = Vec::new();
    for db in DBS {
        server.run_as(client, &format!("SELECT {db}"));
        for key in keys() {
            let key = String::from_utf8(key).expect("keys are text");
            let kind = server.run_as(client, &format!("TYPE {key}"));
            if kind == "none" {
                continue;
            }
            let mut ask = |line: &str| server.run_as(client, line);
            all.push(format!("{db} {key} {}", ask(&format!("PEXPIRETIME {key}"))));
            for question in questions(&kind) {
                let reply = ask(&question.replace('$', &key));
                if kind == "hash" {
                    all.extend(hash_looks(&key, &reply, &mut ask));
                } else {
                    all.push(format!("{question} {reply}"));
                }
            }
            if kind == "stream" {
                all.extend(stream_looks(&key, &mut ask));
            }
        }
    }
    all
}

/// Fields in order, with their deadlines.
fn hash_looks(key: &str, pairs: &str, ask: &mut dyn FnMut(&str) -> String) -> Vec<String> {
    let mut fields: Vec<String> = (0..80).map(|number| format!("f{number}")).collect();
    fields.retain(|field| pairs.contains(field));
    let mut looks = vec![format!(
        "{key} {} {}",
        ask(&format!("HLEN {key}")),
        pairs.len()
    )];
    for field in fields {
        let value = ask(&format!("HGET {key} {field}"));
        let deadline = ask(&format!("HPEXPIRETIME {key} FIELDS 1 {field}"));
        looks.push(format!("{key} {field} {value} {deadline}"));
    }
    looks
}

fn stream_looks(key: &str, ask: &mut dyn FnMut(&str) -> String) -> Vec<String> {
    let whole = ask(&format!("XINFO STREAM {key}"));
    let known = [
        "length",
        "last-generated-id",
        "max-deleted-entry-id",
        "entries-added",
        "recorded-first-entry-id",
        "groups",
    ];
    let mut looks: Vec<String> = known
        .iter()
        .map(|name| {
            let rest = whole.split(name).nth(1).unwrap_or("?");
            format!("{key} {name} {}", rest.split(' ').nth(1).unwrap_or("?"))
        })
        .collect();
    for group in ["g0", "g1", "g2"] {
        looks.push(format!(
            "{key} {group} {}",
            ask(&format!("XPENDING {key} {group} - + 100"))
        ));
    }
    looks
}

fn built_again(folder: &Folder, like: &Server) -> Server {
    let mut server = Server::with_config(ON);
    server.host.disk.folder = Some(folder.root().to_owned());
    let passed = like.clock.unix_ms() - server.clock.unix_ms();
    server.clock.advance_ms(passed as u64);
    let loaded = server.engine.load_log(&mut server.host);
    loaded.unwrap_or_else(|error| panic!("{error}"));
    server
}

fn compare(run: &mut Run, folder: &Folder, what: &str) {
    // What has expired by now and was not looked at is deleted by the look.
    let expected = looks(&mut run.server);
    let found = looks(&mut built_again(folder, &run.server));
    let differs = expected
        .iter()
        .zip(&found)
        .find(|(one, other)| one != other);
    let (log, of) = (run.log.len(), (expected.len(), found.len()));
    let tail = run.log[log.saturating_sub(STEPS as usize * 2)..].join("\n");
    assert!(
        differs.is_none() && of.0 == of.1,
        "{what}, {log} commands, {of:?}: {differs:#?}\n{tail}"
    );
}

fn run(seed: u64, lines: &str) {
    let folder = Folder::new();
    let config = format!("{ON}\nauto-aof-rewrite-percentage 0\n{lines}");
    let mut run = Run {
        server: Server::in_folder(folder.root(), &config),
        random: Random::from_seed(seed),
        forms: forms(true, |_| true),
        log: Vec::new(),
    };
    for look in 0..LOOKS {
        (0..STEPS).for_each(|_| run.step());
        compare(
            &mut run,
            &folder,
            &format!("seed {seed}, {lines}, commands"),
        );
        if look % 2 == 1 {
            let reply = run.server.run("BGREWRITEAOF");
            assert!(reply.starts_with("Background"), "{reply}");
            // Changes come to the new increment while the base is being made.
            (0..20).for_each(|_| run.step());
            for _ in 0..20 {
                run.server.pass_ms(1);
            }
            assert_eq!(
                run.server
                    .run("INFO persistence")
                    .matches("aof_rewrite_in_progress:0")
                    .count(),
                1
            );
            compare(&mut run, &folder, &format!("seed {seed}, {lines}, base"));
        }
    }
}

#[test]
fn what_random_commands_leave_is_built_again() {
    let seeds = std::env::var("OXIDIS_REPLAYS").ok();
    let seeds: u64 = seeds.map_or(4, |seeds| seeds.parse().expect("a number"));
    let large = "hash-max-listpack-entries 4\nzset-max-listpack-entries 4\nset-max-listpack-entries 4\nset-max-intset-entries 4\nlist-max-listpack-size 4\nstream-node-max-entries 3";
    for seed in 1..=seeds {
        run(seed, ["", large][seed as usize % 2]);
        run(
            seed + 1000,
            [
                "aof-use-rdb-preamble no",
                &format!("{large}\naof-use-rdb-preamble no"),
            ][seed as usize % 2],
        );
    }
}
