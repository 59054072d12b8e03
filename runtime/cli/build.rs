//! Lists the files that `ferrule plugin new` makes projects of: the templates, and the sources of the SDKs.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// What a copy of the SDK leaves out: the lints are those of this repository.
const LINTS: &str = "\n[lints]\nworkspace = true\n";

fn main() -> Result<(), Box<dyn Error>> {
    let own = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let templates = list(&own.join("templates/plugin"), &["."], |_| true)?;
    std::fs::write(out.join("templates.rs"), format!("&[\n{templates}]\n"))?;

    let sdk = own.join("../../plugins/sdk");
    for language in ["c", "javascript", "python"] {
        let sources = list(&sdk.join(language), &["."], |path| !is_cache(path))?;
        std::fs::write(out.join(format!("sdk_{language}.rs")), format!("&[\n{sources}]\n"))?;
    }
    let manifest = std::fs::read_to_string(sdk.join("Cargo.toml"))?;
    if !manifest.ends_with(LINTS) {
        return Err("the manifest of the SDK does not end with its lints".into());
    }
    let manifest = manifest.trim_end_matches(LINTS);
    let sources = list(&sdk, &["src", "wit"], is_source)?;
    let sdk = format!("&[\n(\"Cargo.toml\", {manifest:?}),\n{sources}]\n");
    std::fs::write(out.join("sdk.rs"), sdk)?;
    Ok(())
}

/// Whether a file of the SDK is part of it: not its tests, nor earlier versions of the contract.
fn is_source(path: &Path) -> bool {
    let is_old = path.starts_with("wit") && path.components().count() > 2;
    let kind = path.extension().and_then(|kind| kind.to_str());
    matches!(kind, Some("rs" | "wit")) && !path.ends_with("tests.rs") && !is_old
}

/// Whether a file was written by a tool of a language.
fn is_cache(path: &Path) -> bool {
    path.iter().any(|name| name == "__pycache__" || name == "node_modules")
}

/// Lines of an array of paths below `root`, each with the text of its file.
fn list(root: &Path, folders: &[&str], is_in: fn(&Path) -> bool) -> Result<String, Box<dyn Error>> {
    let root = root.canonicalize()?;
    let mut paths = Vec::new();
    for folder in folders {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        add(&root, Path::new(folder), &mut paths)?;
    }
    paths.sort();
    let mut lines = String::new();
    for path in paths.iter().filter(|path| is_in(path)) {
        let path = path.strip_prefix(".").unwrap_or(path);
        writeln!(lines, "({path:?}, include_str!({:?})),", root.join(path))?;
    }
    Ok(lines)
}

fn add(root: &Path, folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let path = folder.join(entry?.file_name());
        if root.join(&path).is_dir() {
            add(root, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
