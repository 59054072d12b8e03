//! Compares the interfaces that the code of a project uses with those that its world imports. The tools of
//! JavaScript, Python and C import what `wit/world.wit` has, and their errors about an interface that is missing there
//! do not name the remedy.

use std::path::{Path, PathBuf};

use super::Usage;
use super::language::Language;
use crate::report::note;

/// The interfaces that plugins import.
const INTERFACES: [&str; 7] =
    ["config", "http", "inventory", "log", "reservation", "scratch", "secrets"];

/// The world of a project.
const WORLD: &str = "wit/world.wit";

/// The version of the contract if the world names none.
const VERSION: &str = "0.2.0";

/// Max levels of folders below `src` that are read.
const DEPTH_MAX: usize = 8;

/// Max bytes of a source that are read.
const SOURCE_BYTES_MAX: usize = 1 << 20;

/// Fails with the line to add if the code uses an interface that the world does not import.
pub(super) fn check(language: Language, project: &Path) -> Result<(), Usage> {
    let Ok(world) = std::fs::read_to_string(project.join(WORLD)) else { return Ok(()) };
    // Such a world has interfaces that do not stand in it.
    if language == Language::Rust || world.contains("include ") {
        return Ok(());
    }
    let sources = sources(language, &project.join("src"));
    for interface in INTERFACES {
        let used = sources.iter().find(|(_, text)| uses(language, text, interface));
        let is_imported = world.contains(&format!("import ferrule:plugin/{interface}@"));
        match (used, is_imported) {
            (Some((path, _)), false) => {
                return Err(missing(language, path, interface, version(&world)));
            }
            (None, true) => note(&format!(
                "`{WORLD}` imports `{interface}`, which the code does not use: remove the line, so that the \
                 plugin needs no more than it uses"
            )),
            (Some(_), true) | (None, false) => {}
        }
    }
    Ok(())
}

fn missing(language: Language, path: &Path, interface: &str, version: &str) -> Usage {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let module = module(language, interface);
    Usage(format!(
        "`src/{file}` uses `{module}`, and the world of the project does not import it; add to `{WORLD}`:\n    \
         import ferrule:plugin/{interface}@{version};\nand grant it: what it needs is in `plugin.toml` under \
         `[requests]`, for the operator to read"
    ))
}

/// How the code names an interface.
fn module(language: Language, interface: &str) -> String {
    match language {
        Language::Javascript => format!("ferrule-plugin/{interface}"),
        Language::Python | Language::Rust => format!("ferrule_plugin.{interface}"),
        Language::C => format!("ferrule_{interface}.h"),
    }
}

/// The version of the contract that a world is of.
fn version(world: &str) -> &str {
    let named = world.split_once("ferrule:plugin/").and_then(|(_, rest)| rest.split_once('@'));
    let version = named.and_then(|(_, rest)| rest.split(';').next());
    version.filter(|version| version.len() < 20).unwrap_or(VERSION)
}

/// The sources of a project, each without its comments of whole lines.
fn sources(language: Language, folder: &Path) -> Vec<(PathBuf, String)> {
    let (kinds, comment): (&[&str], &str) = match language {
        Language::Javascript => (&["js", "mjs"], "//"),
        Language::Python => (&["py"], "#"),
        Language::C | Language::Rust => (&["c", "h"], "//"),
    };
    let mut paths = Vec::new();
    collect(folder, DEPTH_MAX, &mut paths);
    paths.sort();
    let is_source = |path: &PathBuf| {
        path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known))
    };
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).ok()?;
        let bytes = bytes.get(..SOURCE_BYTES_MAX).unwrap_or(&bytes);
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().filter(|line| !line.trim_start().starts_with(comment));
        let text = lines.collect::<Vec<_>>().join("\n");
        Some((path, text))
    };
    paths.into_iter().filter(is_source).filter_map(read).collect()
}

/// The files of a folder and of those below it, down to a number of levels.
fn collect(folder: &Path, levels: usize, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true if levels > 0 => collect(&path, levels - 1, paths),
            true => {}
            false => paths.push(path),
        }
    }
}

/// Whether a source uses an interface, by the module of the SDK.
fn uses(language: Language, text: &str, interface: &str) -> bool {
    let module = module(language, interface);
    match language {
        Language::Javascript => {
            ['"', '\''].iter().any(|quote| text.contains(&format!("{quote}{module}{quote}")))
        }
        Language::C | Language::Rust => text.contains(&format!("#include \"{module}\"")),
        Language::Python => {
            let mut imports = text.split("from ferrule_plugin import").skip(1);
            let has = |rest: &str| {
                let names = match rest.trim_start().strip_prefix('(') {
                    Some(rest) => rest.split(')').next(),
                    None => rest.split('\n').next(),
                };
                let names = names.unwrap_or_default().split(',').map(str::trim);
                names.into_iter().any(|name| name.split(' ').next() == Some(interface))
            };
            imports.any(has) || text.contains(&module)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORLD_TEXT: &str = "package adapter:plugin;\nworld adapter {\n    import \
                              ferrule:plugin/http@0.2.0;\n    export ferrule:plugin/work@0.2.0;\n}\n";

    fn checked(language: Language, source: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [("wit/world.wit", WORLD_TEXT), (source_of(language), source)] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        check(language, folder.path()).map_err(|Usage(text)| text)
    }

    fn source_of(language: Language) -> &'static str {
        match language {
            Language::Javascript => "src/plugin.js",
            Language::Python => "src/plugin.py",
            Language::C | Language::Rust => "src/plugin.c",
        }
    }

    #[test]
    fn an_interface_that_the_world_lacks_is_named_with_the_line_to_add() {
        use Language::{C, Javascript, Python};
        for (language, source, lacks) in [
            (Javascript, "import { get } from \"ferrule-plugin/secrets\";", Some("secrets")),
            (Javascript, "import * as s from 'ferrule-plugin/scratch';", Some("scratch")),
            (Javascript, "import { send } from \"ferrule-plugin/http\";", None),
            (Javascript, "// import \"ferrule-plugin/secrets\"", None),
            (Python, "from ferrule_plugin import Failure, secrets", Some("secrets")),
            (Python, "from ferrule_plugin import (\n    Step,\n    log as l,\n)", Some("log")),
            (Python, "from ferrule_plugin import Step, exports\nsecrets = 1", None),
            (Python, "import ferrule_plugin.config as c", Some("config")),
            (Python, "# from ferrule_plugin import secrets", None),
            (C, "#include \"ferrule_secrets.h\"\n", Some("secrets")),
            (C, "#include \"ferrule_http.h\"\n#include \"ferrule.h\"\n", None),
        ] {
            let error = checked(language, source).err();
            let line = |name| format!("    import ferrule:plugin/{name}@0.2.0;\n");
            match (&error, lacks) {
                (Some(error), Some(name)) => assert!(error.contains(&line(name)), "{error}"),
                (Some(error), None) => panic!("{source}: {error}"),
                (None, Some(name)) => panic!("{source} uses {name}"),
                (None, None) => {}
            }
        }
    }
}
