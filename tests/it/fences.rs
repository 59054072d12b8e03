//! What README and guides show in fences works as it stands: commands are run, packs, settings,
//! manifests and JSON are read by what reads them.
//!
//! A fence of commands is marked `sh`, or has no mark and begins with `cargo run` or `curl`. One that
//! cannot run here is marked `sh no-run`; those marked `sh project` and `sh order` are run by `project`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use host::Manifest;
use model::Pack;
use model::pack::{Code, FILES, PACK, POOLS, PackFiles, RULES, WORKFLOWS};
use serde_json::Value;
use tokio::process::Command;

use crate::world::{Process, ferrule, next_port, plugins_dir, repository};

/// Commands that a test cannot run within a test.
const NOT_HERE: [&str; 2] = ["cargo test", "cargo build"];

/// A fence of a page.
#[derive(Debug)]
pub(crate) struct Fence {
    page: PathBuf,
    line: usize,
    /// What stands behind the opening mark.
    pub(crate) mark: String,
    pub(crate) text: String,
    /// The paragraph before it.
    pub(crate) before: String,
}

impl Fence {
    fn place(&self) -> String {
        format!("{}:{}", self.page.display(), self.line)
    }

    /// Its commands, a line each; none if it is no fence of commands, or of those that cannot run.
    fn commands(&self) -> Vec<String> {
        let is_shell = match self.mark.as_str() {
            "sh" => true,
            "" => ["cargo run", "curl "].iter().any(|word| self.text.starts_with(word)),
            _ => false,
        };
        if !is_shell {
            return Vec::new();
        }
        let text = self.text.replace("\\\n", " ");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = lines.filter(|line| !line.starts_with('#'));
        lines
            .filter(|line| !NOT_HERE.iter().any(|no| line.starts_with(no)))
            .map(Into::into)
            .collect()
    }
}

/// The pages that have fences.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = [
        "README.md",
        "workflows/README.md",
        "plugins/README.md",
        "wit/README.md",
        "tests/README.md",
    ]
    .map(PathBuf::from)
    .into();
    for folder in ["docs", "docs/reference"] {
        let entries = std::fs::read_dir(repository().join(folder)).into_iter().flatten().flatten();
        let names = entries.map(|entry| Path::new(folder).join(entry.file_name()));
        pages.extend(names.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    pages.sort();
    pages
}

pub(crate) fn fences(page: &Path) -> Vec<Fence> {
    let text = std::fs::read_to_string(repository().join(page)).unwrap();
    let (mut fences, mut open, mut before): (Vec<Fence>, Option<(Fence, usize)>, String) =
        (Vec::new(), None, String::new());
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        match open.as_mut() {
            Some((_, _)) if bare.starts_with("```") => {
                fences.push(open.take().unwrap().0);
                before.clear();
            }
            Some((fence, indent)) => {
                let own = line.get(*indent..).unwrap_or(bare);
                fence.text.push_str(own);
                fence.text.push('\n');
            }
            None if bare.starts_with("```") => {
                let mark = bare.trim_start_matches('`').to_string();
                let (page, text) = (page.to_path_buf(), String::new());
                let before = before.trim().to_string();
                let fence = Fence { page, line: index + 1, mark, text, before };
                open = Some((fence, line.len() - bare.len()));
            }
            // A paragraph ends with an empty line, and one line may stand between it and its fence.
            None if bare.is_empty() && !before.ends_with("\n\n") => before.push('\n'),
            None if before.ends_with("\n\n") => before = format!("{line}\n"),
            None => {
                before.push_str(line);
                before.push('\n');
            }
        }
    }
    assert!(open.is_none(), "{} has a fence that does not end", page.display());
    fences
}

fn all() -> Vec<Fence> {
    pages().iter().flat_map(|page| fences(page)).collect()
}

#[tokio::test]
async fn commands_of_the_pages_run_as_they_stand() {
    let mut ran = 0;
    for page in pages() {
        let scratch = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", next_port());
        let mut running = Vec::new();
        for fence in fences(&page) {
            for command in fence.commands() {
                ran += 1;
                run(&command, &fence.place(), (&address, scratch.path()), &mut running).await;
            }
        }
    }
    assert!(ran >= 5, "{ran} commands");
}

/// Runs a command; what serves goes on until the page is done.
async fn run(
    command: &str,
    place: &str,
    (address, scratch): (&str, &Path),
    running: &mut Vec<Process>,
) {
    let command = command.split("  #").next().unwrap_or_default().trim();
    let ours = command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("ferrule "));
    if let Some(arguments) = ours.filter(|arguments| arguments.starts_with("serve")) {
        let mut all: Vec<String> = arguments.split_whitespace().map(Into::into).collect();
        let data = scratch.join("data").display().to_string();
        let plugins = scratch.join("plugins").display().to_string();
        all.extend(["--listen".into(), address.into(), "--data".into(), data]);
        if !all.contains(&"--demo".to_string()) {
            all.extend(["--plugins".into(), plugins]);
        }
        plugins_dir().await;
        let (process, _) = Process::start("page", &all, scratch)
            .await
            .unwrap_or_else(|said| panic!("{place}: {said}"));
        running.push(process);
        return;
    }
    let program = env!("CARGO_BIN_EXE_ferrule");
    let line = match ours {
        Some(arguments) => format!("{program} {arguments}"),
        None => command.replace("localhost:8080", address).replace("curl ", "curl -sS -f "),
    };
    let output = Command::new("sh")
        .args(["-e", "-c", &line])
        .current_dir(repository())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place}: `{command}` fails: {said}");
}

#[test]
fn each_mark_is_one_that_a_test_knows() {
    let known = [
        "",
        "sh",
        "sh no-run",
        "sh project",
        "sh order",
        "yaml",
        "json",
        "toml",
        "rust",
        "wit",
        "example",
        "js",
        "python",
        "c",
        // The output of a command.
        "text",
        // Files of other programs.
        "ini",
        "dockerfile",
        "nginx",
        "caddyfile",
    ];
    for fence in all() {
        let is_known = known.contains(&fence.mark.as_str());
        assert!(is_known, "{}: nothing looks at a fence marked `{}`", fence.place(), fence.mark);
    }
}

/// Whether a mistake is one of how something is written, and not of what a whole pack would have.
fn is_wrong_by_itself(code: Code) -> bool {
    [Code::Syntax, Code::Shape, Code::Value, Code::Expression, Code::Contradiction, Code::Twice]
        .contains(&code)
}

#[test]
fn yaml_of_the_pages_is_read_as_packs_are() {
    let mut read = 0;
    for fence in all().into_iter().filter(|fence| fence.mark == "yaml") {
        let text = &fence.text;
        let is_of = |keys: &[&str]| keys.iter().any(|key| text.starts_with(key));
        let (file, text) = if is_of(&["pack:"]) {
            (PACK, text.clone())
        } else if is_of(&["decompose:", "deliver:", "orders:"]) {
            (RULES, text.clone())
        } else if is_of(&["workflows:"]) {
            (WORKFLOWS, text.clone())
        } else if is_of(&["pools:"]) {
            (POOLS, text.clone())
        } else if text.trim_start().starts_with("- rule:") {
            (RULES, format!("decompose:\n{}", indented(text, "  ")))
        } else if text.trim_start().starts_with("- step:") {
            let steps = indented(text, "      ");
            (WORKFLOWS, format!("workflows:\n  - workflow: page\n    steps:\n{steps}"))
        } else {
            let step = "workflows:\n  - workflow: page\n    steps:\n      - step: one\n        plugin: noop\n        input:\n";
            (WORKFLOWS, format!("{step}{}", indented(text, "          ")))
        };
        let mut files = BTreeMap::from([(PACK.to_string(), "pack: page\n".to_string())]);
        files.insert(file.into(), text);
        read += 1;
        if let Err(found) = Pack::parse(&PackFiles(files)) {
            let wrong: Vec<String> = found
                .iter()
                .filter(|found| is_wrong_by_itself(found.code))
                .filter(|found| !found.message.starts_with("no step"))
                .map(ToString::to_string)
                .collect();
            assert!(wrong.is_empty(), "{}:\n{}", fence.place(), wrong.join("\n"));
        }
    }
    assert!(read >= 10, "{read} fences");
}

/// A text whose lines are indented by this and nothing else in common.
fn indented(text: &str, by: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let common = lines.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines =
        text.lines().map(|line| format!("{by}{}\n", line.get(common..).unwrap_or_default()));
    lines.collect()
}

#[test]
fn settings_and_manifests_of_the_pages_are_read() {
    let (mut settings, mut manifests) = (0, 0);
    for fence in all().into_iter().filter(|fence| fence.mark == "toml") {
        if fence.text.starts_with("[package]") {
            continue;
        }
        if fence.text.starts_with("schema") {
            manifests += 1;
            let read = Manifest::parse(fence.text.as_bytes());
            assert!(read.is_ok(), "{}: {read:?}", fence.place());
            continue;
        }
        settings += 1;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ferrule.toml");
        std::fs::write(&path, &fence.text).unwrap();
        let read = server::config::Config::read(Some(&path)).and_then(|config| config.check());
        assert!(read.is_ok(), "{}: {read:?}", fence.place());
    }
    assert!(settings >= 2 && manifests >= 1, "{settings} settings, {manifests} manifests");
}

#[test]
fn json_of_the_pages_is_json() {
    for fence in all().into_iter().filter(|fence| fence.mark == "json") {
        // Several documents may stand one after the other.
        for document in serde_json::Deserializer::from_str(&fence.text).into_iter::<Value>() {
            assert!(document.is_ok(), "{}: {document:?}", fence.place());
        }
    }
}

/// The pack that the guide makes from zero is right, and becomes the plan that the guide shows.
#[tokio::test]
async fn the_pack_of_the_guide_is_made_of_its_fences() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("desk-phone");
    std::fs::create_dir_all(pack.join("orders")).unwrap();
    let (mut written, mut plan) = (Vec::new(), None);
    for fence in fences(Path::new("workflows/README.md")) {
        let name = fence.before.strip_prefix('`').and_then(|text| text.split('`').next());
        let name = name.filter(|name| FILES.contains(name) || *name == "orders/office.json");
        if let Some(name) = name {
            std::fs::write(pack.join(name), &fence.text).unwrap();
            written.push(name.to_string());
        }
        if fence.text.starts_with("items\n") {
            plan = Some(fence.text);
        }
    }
    let expected = [PACK, "catalog.json", RULES, POOLS, WORKFLOWS, "orders/office.json"];
    assert_eq!(written, expected, "the files of the guide");
    let plan = plan.expect("the guide shows a plan");
    std::fs::write(pack.join("orders/office.plan"), &plan).unwrap();
    let (path, plugins) = (pack.to_str().unwrap(), plugins_dir().await);
    let checked = ferrule(&["rules", "check", path, "--plugins", plugins.to_str().unwrap()]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(!checked.out.contains("warning"), "{}", checked.out);
    let tested = ferrule(&["rules", "test", path]).await;
    assert_eq!(tested.code, Some(0), "{}{}", tested.out, tested.err);
    let order = pack.join("orders/office.json");
    let planned = ferrule(&["rules", "plan", path, order.to_str().unwrap()]).await;
    assert_eq!(planned.out, plan, "{}", planned.err);
}
