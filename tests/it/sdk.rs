//! The SDKs beside that for Rust.

mod keeps;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::project::{Projects, has, text};
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
    for module in
        ["index", "config", "fake", "http", "inventory", "log", "reservation", "scratch", "secrets"]
    {
        let (code, types) = (read(format!("{module}.js")), read(format!("{module}.d.ts")));
        let mut names = exported(&code);
        // The other exports of the fake host are for the contract.
        names.retain(|name| module != "fake" || *name == "Host");
        assert!(!names.is_empty(), "{module} exports nothing");
        assert_eq!(names, exported(&types), "{module}");
    }
}

/// JSON, and what becomes of it where a few characters are exchanged.
fn lines() -> Vec<String> {
    let whole = [
        r#"{"a":[1,-0.5,1e10,true,false,null],"b":{"c":"ä\n\u00e4\ud83d\ude00\\\"/"},"":[]}"#,
        r#"[[],{},"",0,-1,12.25,"\b\f\r\t",{"x":{"y":[{"z":1}]}}]"#,
        r#" { "spaced" : [ 1 , 2 ] , "t" : "end" } "#,
    ];
    let pieces = [
        "", "{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-", "e", ".", "nul", "\\u", "\\ud83d",
        "\t",
    ];
    let mut lines: Vec<String> = whole.iter().map(|text| (*text).to_owned()).collect();
    for text in whole {
        for (place, _) in text.char_indices() {
            for piece in pieces {
                let (before, after) = text.split_at(place);
                lines.push(format!("{before}{piece}{after}"));
                let after: String = after.chars().skip(1).collect();
                lines.push(format!("{before}{piece}{after}"));
            }
        }
    }
    for levels in [1, 100, 127, 129, 100_000] {
        lines.push(format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        lines.push("[".repeat(levels));
    }
    lines
}

/// What the SDK for C reads and writes, against another reader.
#[test]
fn the_json_of_c_is_read_and_written_as_it_is_elsewhere() {
    if !has("cc") {
        return;
    }
    let projects = Projects::new();
    let project = projects.make_in("c", "acme-step", "step");
    let program = repository().join("tests/it/sdk/json.c");
    let arguments =
        ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Ivendor", "-Ibindings", "vendor/ferrule.c"];
    let arguments = [&arguments[..], &[program.to_str().unwrap(), "-o", "json"]].concat();
    let compiled = projects.run("cc", &project, &arguments);
    assert!(compiled.status.success(), "{}", text(&compiled));
    let lines = lines();
    std::fs::write(project.join("lines"), format!("{}\n", lines.join("\n"))).unwrap();
    let written = projects.run("sh", &project, &["-c", "./json < lines"]);
    assert!(written.status.success(), "{}", text(&written));
    let written = String::from_utf8(written.stdout).unwrap();
    let written: Vec<&str> = written.lines().collect();
    assert_eq!(written.len(), lines.len());
    for (line, written) in lines.iter().zip(written) {
        // A name that stands twice is kept twice, and read alike.
        let expected = serde_json::from_str::<Value>(line).ok();
        let found = serde_json::from_str::<Value>(written).ok();
        assert_eq!(found, expected, "{line}");
        assert!(expected.is_some() || written == "none", "{line}: {written}");
    }
}

/// A row of the table of schemas: what is wrong with a value as path, expected and got.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default)]
    wrong: Option<[String; 3]>,
}

/// The SDKs beside that for Rust check the inputs of plugins by one table.
#[test]
fn inputs_are_checked_alike_in_all_languages() {
    let folder = repository().join("tests/it/sdk");
    let table = folder.join("schema.json");
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(&table).unwrap()).unwrap();
    let projects = Projects::new();
    let project = projects.make_in("c", "acme-step", "step");
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (table, sdk) = (path(table), repository().join("plugins/sdk"));
    let compile = format!(
        "cc -std=c11 -Wall -Wextra -Werror -Ivendor -Ibindings vendor/*.c {} -o check && ./check < {table}",
        path(folder.join("schema.c"))
    );
    for (tool, arguments) in [
        ("node", [path(folder.join("schema.mjs")), path(sdk.join("javascript")), table.clone()]),
        ("python3", [path(folder.join("schema.py")), path(sdk.join("python")), table]),
        ("cc", ["-c".into(), compile, String::new()]),
    ] {
        if !has(tool) {
            continue;
        }
        let program = if tool == "cc" { "sh" } else { tool };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let checked = projects.run(program, &project, &arguments);
        assert!(checked.status.success(), "{tool}: {}", text(&checked));
        let told = String::from_utf8(checked.stdout).unwrap();
        let (told, refused) = told.trim_end().rsplit_once('\n').unwrap();
        assert!(refused.contains("dependentRequired"), "{tool}: {refused}");
        let told: Vec<&str> = told.lines().collect();
        assert_eq!(told.len(), rows.len(), "{tool}");
        for (place, (row, told)) in rows.iter().zip(told).enumerate() {
            let found: Option<[String; 3]> = serde_json::from_str(told).unwrap();
            assert_eq!(found, row.wrong, "{tool}, row {place}");
        }
    }
}
