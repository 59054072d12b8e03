//! The guide of `plugins/README.md`, followed as it is written.

use std::path::Path;

use super::{Projects, has, lock, text};
use crate::fences::fences;

#[test]
fn the_guide_is_followed_as_it_is_written() {
    let projects = Projects::new();
    let top = projects.folder.path();
    let mut folder = top.to_owned();
    let guide = fences(Path::new("plugins/README.md"));
    for fence in guide.iter().filter(|fence| fence.mark == "sh project") {
        for line in fence.text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let done = match words[..] {
                // Each project of the guide begins where the first does.
                ["ferrule", "plugin", "new", ..] => {
                    folder = top.to_owned();
                    projects.ferrule(&folder, &words[1..])
                }
                ["cd", below] => {
                    folder.push(below);
                    lock(&folder);
                    continue;
                }
                [tool @ ("npm" | "python3"), ..] if !has(tool) => break,
                ["sh", ..] if !has("clang") => break,
                [tool @ ("npm" | "python3"), ref arguments @ ..] => {
                    projects.run(tool, &folder, arguments)
                }
                [tool, ref arguments @ ..] if tool.starts_with(".venv/bin/") => {
                    projects.run(tool, &folder, arguments)
                }
                ["ferrule", ref arguments @ ..] => projects.ferrule(&folder, arguments),
                ["sh", ref arguments @ ..] => projects.run("sh", &folder, arguments),
                ["cargo", ref arguments @ ..] => projects.run("cargo", &folder, arguments),
                _ => panic!("`{line}` of the guide is not known"),
            };
            assert!(done.status.success(), "{line}: {}", text(&done));
        }
    }
    for (id, tool) in [("acme-olt-js", "npm"), ("acme-olt-py", "python3"), ("acme-olt-c", "clang")]
    {
        assert!(!has(tool) || top.join(id).join(format!("dist/{id}.wasm")).is_file(), "{id}");
    }
    let folder = top.join("acme-olt");
    assert!(folder.join("dist/acme-olt.wasm").is_file());
    for (file, mark) in
        [("plugin.toml", "toml"), ("src/lib.rs", "rust"), ("tests/set-speed.yaml", "yaml")]
    {
        let made = std::fs::read_to_string(folder.join(file)).unwrap();
        let shown = made.replace("#[cfg(test)]\nmod tests;\n\n", "");
        let is_shown = guide.iter().any(|fence| fence.mark == mark && fence.text == shown);
        assert!(is_shown, "the guide does not show `{file}` as it is:\n{shown}");
    }
}
