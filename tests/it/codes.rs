//! Every code of a failure that the sources use stands in the table, and the page is made of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::world::repository;

/// Set to write the page anew.
const BLESS: &str = "FERRULE_BLESS";

const BEGIN: &str = "<!-- codes: made of runtime/model/src/codes.rs, with FERRULE_BLESS=1 -->\n";
const END: &str = "<!-- end of codes -->\n";

/// What else is written in capitals: methods, variables, and words of others.
const NO_CODES: &[&str] = &["NOT_FOUND", "NOT_APPLIED"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_str().unwrap();
        let is_other = [
            "tests",
            "tests.rs",
            "target",
            "sim",
            "sim.rs",
            "simnet",
            "codes",
            "benches",
            "templates",
        ]
        .contains(&name);
        if is_other {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if [".rs", ".js", ".py"].iter().any(|kind| name.ends_with(kind)) {
            found.push(path);
        }
    }
}

/// The texts of a source that are codes by their form and by where they stand.
fn codes(text: &str) -> BTreeSet<String> {
    let is_code = |text: &str| {
        text.len() >= 3
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.contains('_')
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let lines = lines.filter(|line| {
        !["env", "CARGO", "FERRULE_", "MIMALLOC", "RUST"].iter().any(|no| line.contains(no))
    });
    let lines: Vec<&str> = lines.collect();
    let quoted = lines.iter().flat_map(|line| line.split('"').skip(1).step_by(2));
    let mut found: BTreeSet<String> =
        quoted.filter(|text| is_code(text)).map(str::to_string).collect();
    for code in model::codes::codes() {
        let variant = format!("Code::{}", variant(code.code));
        let is_used = |line: &&str| {
            line.split(|c: char| !c.is_alphanumeric() && c != ':')
                .any(|word| word.ends_with(&variant))
        };
        if lines.iter().any(is_used) {
            found.insert(code.code.to_string());
        }
    }
    found
}

/// The variant of `FailureCode` for a code: `INSTANCE_BUSY` is `InstanceBusy`.
fn variant(code: &str) -> String {
    let words = code.split('_').map(|word| word.split_at(1));
    words.map(|(first, rest)| format!("{first}{}", rest.to_lowercase())).collect()
}

#[test]
fn every_code_that_is_used_stands_in_the_table() {
    let mut files = Vec::new();
    for folder in ["runtime", "plugins"] {
        sources(&repository().join(folder), &mut files);
    }
    let known: BTreeSet<&str> = model::codes::codes().iter().map(|code| code.code).collect();
    let (mut missing, mut used) = (Vec::new(), BTreeSet::new());
    for file in files {
        for code in codes(&std::fs::read_to_string(&file).unwrap()) {
            if !known.contains(code.as_str()) && !NO_CODES.contains(&code.as_str()) {
                missing.push(format!("`{code}` of {}", file.display()));
            }
            used.insert(code);
        }
    }
    assert!(missing.is_empty(), "add to runtime/model/src/codes/table.txt: {missing:#?}");
    let gone: Vec<_> =
        known.iter().filter(|code| code.contains('_') && !used.contains(**code)).collect();
    assert!(gone.is_empty(), "no code uses {gone:?}");
}

#[test]
fn the_page_of_codes_is_made_of_the_table() {
    let path = repository().join("workflows/README.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}{END}{after}", model::codes::page());
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == expected, "{} is out of date: write it anew with {BLESS}=1", path.display());
}
