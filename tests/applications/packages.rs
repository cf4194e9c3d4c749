//! The applications as their registries give them out: installed once into a folder below the target folder, and again
//! when `versions.txt` has changed.
//!
//! ```text
//! <target>/tmp/applications/python/   a virtual environment
//! <target>/tmp/applications/node/     node_modules
//! <target>/tmp/applications/*/versions   what was installed; written last, so that half an installation is none
//! ```

use super::finish;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSIONS: &str = include_str!("versions.txt");
/// The oldest Node that the packages run on.
const NODE_MAJOR_MIN: u32 = 20;

#[derive(Clone, Copy)]
pub enum Ecosystem {
    Python,
    Node,
}

/// Where the packages of an ecosystem are.
pub struct Installed {
    ecosystem: Ecosystem,
    folder: PathBuf,
}

impl Ecosystem {
    fn folder(self) -> PathBuf {
        let name = match self {
            Ecosystem::Python => "python",
            Ecosystem::Node => "node",
        };
        Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("applications")
            .join(name)
    }

    /// Its packages in the words of its installer: `name==version` or `name@version`.
    fn packages(self) -> Vec<String> {
        let (registry, sign) = match self {
            Ecosystem::Python => ("pip", "=="),
            Ecosystem::Node => ("npm", "@"),
        };
        VERSIONS
            .lines()
            .filter_map(|line| line.strip_prefix(registry)?.strip_prefix(' '))
            .map(|package| package.replace(' ', sign))
            .collect()
    }

    fn fill(self, folder: &Path, packages: &[String]) -> Result<(), String> {
        match self {
            Ecosystem::Python => {
                finish(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
                finish(
                    Command::new(folder.join("bin/python"))
                        .args(["-m", "pip", "install", "--quiet", "--retries", "1"])
                        .arg("--disable-pip-version-check")
                        .args(packages),
                )
            }
            Ecosystem::Node => {
                check_node()?;
                fs::write(folder.join("package.json"), "{\"private\": true}\n")
                    .map_err(|error| error.to_string())?;
                finish(
                    Command::new("npm")
                        .args(["install", "--loglevel=error", "--no-audit", "--no-fund"])
                        .args(["--no-save", "--ignore-scripts", "--fetch-retries=1"])
                        .args(packages)
                        .current_dir(folder),
                )
            }
        }
    }
}

impl Installed {
    /// The command that runs a script of the folder `scripts`.
    pub fn command(&self, scripts: &Path, script: &str) -> Command {
        let mut command = match self.ecosystem {
            Ecosystem::Python => {
                let mut command = Command::new(self.folder.join("bin/python"));
                command
                    .env("PYTHONPATH", scripts)
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Ecosystem::Node => {
                let mut command = Command::new("node");
                command.env("NODE_PATH", self.folder.join("node_modules"));
                command
            }
        };
        command.arg(scripts.join(script));
        command
    }
}

/// Installs what `versions.txt` names, unless it is there; the error says why it cannot be.
pub fn install(ecosystem: Ecosystem) -> Result<Installed, String> {
    let folder = ecosystem.folder();
    let packages = ecosystem.packages();
    let (mark, wanted) = (folder.join("versions"), packages.join("\n"));
    if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(Installed { ecosystem, folder });
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    ecosystem.fill(&folder, &packages)?;
    fs::write(&mark, wanted).map_err(|error| format!("{}: {error}", mark.display()))?;
    Ok(Installed { ecosystem, folder })
}

/// Whether there is a Node, and none too old.
fn check_node() -> Result<(), String> {
    let output = Command::new("node")
        .arg("--version")
        .output()
        .map_err(|error| format!("node: {error}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version
        .strip_prefix('v')
        .and_then(|rest| rest.split('.').next()?.parse().ok());
    match major {
        Some(NODE_MAJOR_MIN..) => Ok(()),
        _ => Err(format!("node {version} is older than {NODE_MAJOR_MIN}")),
    }
}
