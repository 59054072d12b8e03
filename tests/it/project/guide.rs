//! The guide of `plugins/README.md`, followed as it is written.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use super::{Projects, element, has, lock, text};
use crate::fences::{Fence, fences};
use crate::world::{Settings, World};

/// The server of the guide: it has the pack, and grants for the adapter in each language.
struct Shop {
    world: World,
    guide: Vec<Fence>,
    // The folders of its packs and plugins.
    _folder: TempDir,
}

impl Shop {
    async fn open(ids: &[&str]) -> Self {
        let guide = fences(Path::new("plugins/README.md"));
        let folder = tempfile::tempdir().unwrap();
        let (packs, plugins) = (folder.path().join("workflows"), folder.path().join("plugins"));
        std::fs::create_dir_all(&plugins).unwrap();
        let element = format!("127.0.0.1:{}", element());
        let mut tail = String::new();
        let grants =
            guide.iter().find(|fence| fence.text.starts_with("[plugins.acme-olt]")).unwrap();
        for id in ids {
            let pack = packs.join(id);
            std::fs::create_dir_all(&pack).unwrap();
            for name in ["pack.yaml", "catalog.json", "rules.yaml", "workflows.yaml"] {
                std::fs::write(pack.join(name), file(&guide, name, id)).unwrap();
            }
            tail += &grants.text.replace("acme-olt", id).replace("10.0.0.7:8080", &element);
        }
        let world = World::with(Settings {
            // An interpreter takes long to compile where the compiler itself is not optimized.
            head: "[host]\ncompile-cpu-s = 300\ncompile-wall-s = 600\n".into(),
            tail,
            plugins: Some(plugins),
            workflows: Some(packs),
            ..Settings::default()
        })
        .await;
        Self { world, guide, _folder: folder }
    }

    /// Follows the fence of an order for a project that was built; the order is carried out by its adapter.
    async fn order(&self, projects: &Projects, project: &Path) {
        let id = project.file_name().unwrap().to_str().unwrap();
        std::fs::write(project.join("../order.json"), file(&self.guide, "order.json", id)).unwrap();
        let address = self.world.http.base.trim_start_matches("http://");
        let fence = self.guide.iter().find(|fence| fence.mark == "sh order").unwrap();
        let lines: Vec<&str> = fence.text.lines().collect();
        let [install, post, read] = lines[..] else { panic!("{lines:?}") };
        let run = |line: &str| {
            let line = line.replace("acme-olt", id).replace("localhost:8080", address);
            let own = format!("{} ", env!("CARGO_BIN_EXE_ferrule"));
            let line = line.replacen("ferrule ", &own, 1).replace("curl ", "curl -sS -f ");
            let done = projects.run("sh", project, &["-c", &line]);
            assert!(done.status.success(), "{line}: {}", text(&done));
            done
        };
        run(install);
        let order: Value = serde_json::from_slice(&run(post).stdout).unwrap();
        self.world.completed(order["id"].as_str().unwrap()).await;
        let orders: Value = serde_json::from_slice(&run(read).stdout).unwrap();
        let is_it = |one: &Value| one["id"] == order["id"] && one["state"] == "completed";
        assert!(orders.as_array().unwrap().iter().any(is_it), "{orders:#}");
    }
}

/// A file of the guide, for the adapter of this id.
fn file(guide: &[Fence], name: &str, id: &str) -> String {
    let begins = |fence: &&Fence| fence.before.starts_with(&format!("`{name}`"));
    let found = guide.iter().find(begins).unwrap_or_else(|| panic!("the guide has no `{name}`"));
    let (spec, workflow) = (format!("RFS-{}", id.to_uppercase()), format!("{id}-line"));
    let text = found.text.replace("acme-olt", id).replace("RFS-ACME-LINE", &spec);
    text.replace("acme-line", &workflow).replace("pack: acme", &format!("pack: {id}"))
}

/// In each language a project is made, tested and built, and its adapter carries out an order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stderr, reason = "the figures of the guide")]
async fn the_guide_is_followed_as_it_is_written() {
    let projects = Projects::new();
    let shop = Shop::open(&["acme-olt", "acme-olt-js", "acme-olt-py", "acme-olt-c"]).await;
    let top = projects.folder.path();
    let (mut folder, mut begun) = (top.to_owned(), Instant::now());
    for fence in shop.guide.iter().filter(|fence| fence.mark == "sh project") {
        for line in fence.text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.starts_with(&["ferrule", "plugin", "new"]) {
                // Each project of the guide begins where the first does.
                (folder, begun) = (top.to_owned(), Instant::now());
            }
            if words[0] == "cd" {
                folder.push(words[1]);
                lock(&folder);
                continue;
            }
            let needed = if words[0] == "sh" { "clang" } else { words[0] };
            if matches!(needed, "npm" | "python3" | "clang") && !has(needed) {
                break;
            }
            let done = match words[0] {
                "ferrule" => projects.ferrule(&folder, &words[1..]),
                "npm" | "python3" | "sh" | "cargo" | ".venv/bin/pip" | ".venv/bin/python" => {
                    projects.run(words[0], &folder, &words[1..])
                }
                _ => panic!("`{line}` of the guide is not known"),
            };
            assert!(done.status.success(), "{line}: {}", text(&done));
        }
        if folder.join("dist").is_dir() {
            shop.order(&projects, &folder).await;
            let (id, seconds) = (folder.file_name().unwrap(), begun.elapsed().as_secs_f32());
            eprintln!("{}: {seconds:.0} s from `plugin new` to an order", id.display());
        }
    }
    let guide = &shop.guide;
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
