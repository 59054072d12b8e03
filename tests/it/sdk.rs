//! The SDKs beside that for Rust.

use std::collections::BTreeSet;

use crate::world::repository;

/// The names that a module of JavaScript, or its declarations, exports.
fn exported(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("export "));
    let named = lines.filter_map(|line| {
        let kinds = ["function ", "class ", "const "];
        let name = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    });
    named.collect()
}

#[test]
fn the_types_of_javascript_declare_what_its_modules_export() {
    let folder = repository().join("plugins/sdk/javascript");
    let read = |name: String| std::fs::read_to_string(folder.join(&name)).expect(&name);
    for module in ["index", "config", "fake", "http", "inventory", "log", "reservation"] {
        let (code, types) = (read(format!("{module}.js")), read(format!("{module}.d.ts")));
        let mut names = exported(&code);
        // The other exports of the fake host are for the contract.
        names.retain(|name| module != "fake" || *name == "Host");
        assert!(!names.is_empty(), "{module} exports nothing");
        assert_eq!(names, exported(&types), "{module}");
    }
}
