//! The own tests of the plugins and of the guests, which run on this machine and not as components.
//! They are no default members of the workspace: together with the server they would give wasmtime
//! other features, and it would be compiled twice.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::repository;

#[test]
fn the_own_tests_of_the_plugins_pass() {
    let folders = ["plugins", "tests/guests"].map(|folder| repository().join(folder));
    let packages: Vec<PathBuf> = folders.iter().flat_map(|folder| packages(folder)).collect();
    assert!(packages.len() > 8, "{packages:?}");
    let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args(["test", "--target-dir"]).arg(target);
    for package in &packages {
        cargo.arg("-p").arg(name(package));
    }
    let output = cargo.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "a test of a plugin fails:\n{text}{stderr}");
    let written: usize = packages.iter().map(|package| tests(&package.join("src"))).sum();
    let passed: usize = text.lines().filter_map(passed).sum();
    assert!(written > 0 && passed >= written, "{passed} of {written} tests of plugins ran");
}

/// The folders of crates in a folder.
pub(crate) fn packages(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.join("Cargo.toml").is_file()).collect()
}

/// The name of the crate in a folder.
pub(crate) fn name(package: &Path) -> String {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    manifest["package"]["name"].as_str().unwrap().to_string()
}

/// How many tests stand in the sources of a folder.
fn tests(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.map(|entry| entry.unwrap().path());
    let count = paths.map(|path| match path.is_dir() {
        true => tests(&path),
        false => {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            text.lines().filter(|line| line.trim() == "#[test]").count()
        }
    });
    count.sum()
}

/// How many tests passed, by a line such as `test result: ok. 7 passed; …`.
fn passed(line: &str) -> Option<usize> {
    let (number, _) = line.strip_prefix("test result: ok. ")?.split_once(" passed")?;
    number.parse().ok()
}
