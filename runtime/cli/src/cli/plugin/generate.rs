//! `ferrule plugin new --openapi` and `--postman`: an adapter made of the description of an API.

mod api;
mod c;
mod cases;
mod document;
mod infer;
mod json;
mod kind;
mod names;
mod openapi;
mod plan;
mod postman;
mod rust;
mod schema;
mod script;

#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use self::api::{Api, Operation, Place};
use self::json::Json;
use self::plan::{Adapter, Planned, Probe, Undo};
use self::script::Syntax;
use super::language::Language;
use super::template::{self, File, Names};
use crate::cli::{Usage, say};

/// Max bytes of a description.
const BYTES_MAX: u64 = 8 << 20;

/// Max operations of one adapter.
const OPERATIONS_MAX: usize = 50;

/// The file that describes an API.
#[derive(Debug)]
pub(super) enum Description {
    Openapi(PathBuf),
    Postman(PathBuf),
}

/// The files of a project for operations of an API. Without any it lists those that there are, and fails.
pub(super) fn files(
    description: &Description,
    wanted: &[String],
    language: Language,
    names: Names<'_>,
) -> Result<Vec<File>> {
    let (path, api) = match description {
        Description::Openapi(path) => (path, openapi::read(&read(path)?)),
        Description::Postman(path) => (path, postman::read(&read(path)?)),
    };
    let file = path.display();
    let api = api.map_err(|problem| Usage(format!("`{file}` cannot be used: {problem}")))?;
    if wanted.is_empty() {
        list(&api)?;
        let usable = api.operations.iter().find(|one| one.call.is_ok());
        let example = usable.map_or_else(|| "NAME".into(), Operation::key);
        let message = format!(
            "name the operations that the adapter carries out, such as `--operations {example}`; \
             commas separate several"
        );
        return Err(Usage(message).into());
    }
    let selected = select(&api, wanted)?;
    let adapter = Adapter::new(&api, &selected);
    let mut files = template::generated(language, names, &values(&adapter, names.id, language));
    let schemas = schemas(&adapter);
    let (mut printed, cases) = match language {
        Language::Rust => {
            let mut printed = rust::print(&adapter);
            printed.push(("schema.json".into(), schemas.pretty()));
            (printed, "src/cases.json")
        }
        Language::Javascript => {
            (script::print(&adapter, &schemas, Syntax::Javascript), "test/cases.json")
        }
        Language::Python => (script::print(&adapter, &schemas, Syntax::Python), "tests/cases.json"),
        Language::C => (c::print(&adapter, &schemas), "test/cases.json"),
    };
    printed.push((cases.into(), cases::cases(&adapter)));
    files.extend(printed.into_iter().map(|(path, text)| File { path, text }));
    for operation in &adapter.operations {
        for decision in &operation.decide {
            say(&format!("{}: decide: {decision}", operation.key))?;
        }
    }
    Ok(files)
}

/// The text of a description.
fn read(path: &Path) -> Result<String, Usage> {
    let file = path.display();
    let unreadable = |error| Usage(format!("cannot read `{file}`: {error}"));
    let opened = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    opened.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Usage(format!(
            "`{file}` has more than {} MiB: leave out the paths that the adapter does not need",
            BYTES_MAX >> 20
        )));
    }
    String::from_utf8(bytes).map_err(|_| Usage(format!("`{file}` is not UTF-8 text")))
}

/// Prints the operations with what would be proposed for each.
fn list(api: &Api) -> Result<()> {
    say(&format!("{} {}: {} operations", api.title, api.version, api.operations.len()))?;
    for operation in &api.operations {
        let key = operation.key();
        say(&format!("\n  {key}\n    {}", operation.title()))?;
        match &operation.call {
            Err(problem) => say(&format!("    cannot be adapted: {problem}"))?,
            Ok(call) => {
                let planned = Planned::new(api, operation, call, &key);
                say(&format!("    undo   {}\n    probe  {}", undo(&planned), probe(&planned)))?;
            }
        }
    }
    Ok(())
}

fn undo(planned: &Planned) -> String {
    match &planned.undo {
        Undo::Nothing => "it changes nothing".into(),
        Undo::Delete(path) => format!("DELETE {}", planned.template(path)),
        Undo::Undecided(why) => format!("to decide: {why}"),
    }
}

fn probe(planned: &Planned) -> String {
    match &planned.probe {
        Probe::Again(why) => format!("sent again: {why}"),
        Probe::Compare(path) => {
            format!("GET {}, compared with what was sent", planned.template(path))
        }
        Probe::Gone(path) => format!("GET {}, applied if it is not there", planned.template(path)),
        Probe::Listed(path, key) => {
            format!(
                "GET {}, the entry whose `{key}` is the key of the task",
                planned.template(path)
            )
        }
        Probe::Undecided(why) => format!("to decide: {why}"),
    }
}

/// The operations of these ids, or of these methods and paths.
fn select<'a>(api: &'a Api, wanted: &[String]) -> Result<Vec<&'a Operation>, Usage> {
    if wanted.len() > OPERATIONS_MAX {
        let count = wanted.len();
        return Err(Usage(format!(
            "{count} operations are too many: at most {OPERATIONS_MAX} fit in an adapter"
        )));
    }
    let mut selected: Vec<&Operation> = Vec::new();
    for name in wanted {
        let name = name.trim();
        let found: Vec<&Operation> =
            api.operations.iter().filter(|one| one.key() == name || one.title() == name).collect();
        let operation = match found[..] {
            [one] => one,
            [] => {
                return Err(Usage(format!(
                    "the API has no operation `{name}`: without --operations they are listed"
                )));
            }
            [first, second, ..] => {
                return Err(Usage(format!(
                    "`{name}` is the id of more than one operation: name it `{}` or `{}`",
                    first.title(),
                    second.title()
                )));
            }
        };
        if let Err(problem) = &operation.call {
            return Err(Usage(format!("`{name}` cannot be adapted: {problem}")));
        }
        if selected.iter().any(|one| std::ptr::eq(*one, operation)) {
            return Err(Usage(format!("`{name}` is named twice")));
        }
        selected.push(operation);
    }
    Ok(selected)
}

/// The schemas of the input and the outputs.
fn schemas(adapter: &Adapter) -> Json {
    let variants: Vec<Json> = adapter.operations.iter().map(variant).collect();
    let mut output = Json::of_properties(&adapter.output);
    output.0["title"] = json!("Output");
    Json(json!({ "input": { "title": "Input", "oneOf": variants }, "output": output }))
}

fn variant(planned: &Planned) -> Json {
    let element = kind::Property {
        name: "element".into(),
        kind: kind::Kind::Text,
        is_mandatory: true,
        about: Some("The element; its address is the setting `element.<name>`.".into()),
    };
    let mut properties = vec![element];
    properties.extend(planned.inputs());
    properties.extend(planned.body.iter().map(|body| kind::Property {
        name: "body".into(),
        kind: body.kind.clone(),
        is_mandatory: body.is_mandatory,
        about: Some("The body of the request.".into()),
    }));
    let schema = Json::of_shape(&kind::Shape { name: "Input".into(), properties });
    Json(json!({
        "type": "object",
        "properties": { &planned.key: schema },
        "required": [planned.key],
        "additionalProperties": false,
    }))
}

/// The values of the names in the templates.
fn values(adapter: &Adapter, id: &str, language: Language) -> Vec<(&'static str, String)> {
    let mut methods: Vec<&str> = Vec::new();
    for operation in &adapter.operations {
        let is_deleted = matches!(operation.undo, Undo::Delete(_));
        let is_read =
            matches!(operation.probe, Probe::Compare(_) | Probe::Gone(_) | Probe::Listed(..));
        let sent = [(true, operation.method.name()), (is_deleted, "DELETE"), (is_read, "GET")];
        methods.extend(sent.iter().filter(|(is_sent, _)| *is_sent).map(|(_, method)| *method));
    }
    methods.sort_unstable();
    methods.dedup();
    let server = &adapter.server;
    let rule = format!("http = [\"{server} {}\"]\n", methods.join(","));
    let used = adapter.settings();
    let config: String = used.iter().map(|name| format!(", {name:?}")).collect();
    let secret: String = used.iter().map(|name| format!("{name:?} = \"...\"\n")).collect();
    let settings: String = used.iter().map(|name| language.test_setting(name)).collect();
    vec![
        ("requests", format!("{rule}config = [\"element.<name>\"{config}]\n")),
        (
            "grants",
            format!(
                "[plugins.\"{id}\"]\n{rule}\n[plugins.\"{id}\".config]\n\"element.main\" = \"{server}\"\n{secret}"
            ),
        ),
        ("summary", format!("Adapter for {}", adapter.title.replace(['"', '\\'], "'"))),
        ("api", format!("{} {}", adapter.title, adapter.version).trim_end().to_owned()),
        ("settings", settings),
        ("callbacks", if adapter.waits() { callbacks(language) } else { String::new() }),
        ("callbacks-export", if adapter.waits() { CALLBACKS.into() } else { String::new() }),
        ("resume", if adapter.waits() { resume(language).into() } else { String::new() }),
        ("login", login(adapter, language)),
    ]
}

/// The export of an adapter that is called back.
const CALLBACKS: &str = "    export ferrule:plugin/callbacks@0.2.0;\n";

/// The name of that export in the sources, among the others.
fn callbacks(language: Language) -> String {
    match language {
        Language::Javascript => "callbacks, ".into(),
        Language::Python => "Callbacks, ".into(),
        Language::Rust | Language::C => String::new(),
    }
}

/// The function that is called when the element calls back: the probe tells what became of the work.
fn resume(language: Language) -> &'static str {
    match language {
        Language::Javascript => {
            "\n  resume(context, input) {\n    const [operation, given] = chosen(input);\n    \
             const found = operation.probe(context, given);\n    if (found !== NOT_APPLIED) return found;\n    \
             const message = \"the element called back, and the work is not there: look why\";\n    \
             throw Failure.operator(\"CALLBACK_WITHOUT_WORK\", message);\n  },\n"
        }
        Language::Python => {
            "\n    def resume(self, context, input, answer):\n        operation, given = chosen(input)\n        \
             found = operation.probe(context, given)\n        if found is NotApplied:\n            \
             message = \"the element called back, and the work is not there: look why\"\n            \
             raise Failure.operator(\"CALLBACK_WITHOUT_WORK\", message)\n        return found\n"
        }
        Language::C => {
            "\nbool exports_ferrule_plugin_callbacks_resume(ferrule_task *task, adapter_string_t *answer, \
             ferrule_outcome *outcome,\n                                             ferrule_failure *failure) {\n    \
             ferrule_finding finding;\n    (void)answer;\n    \
             if (!exports_ferrule_plugin_probe_probe(task, &finding, failure)) return false;\n    \
             if (finding.tag != FERRULE_PLUGIN_TYPES_FINDING_APPLIED) {\n        \
             const char *message = \"the element called back, and the work is not there: look why\";\n        \
             return ferrule_fail(failure, FERRULE_OPERATOR, \"CALLBACK_WITHOUT_WORK\", message);\n    }\n    \
             *outcome = (ferrule_outcome){.tag = FERRULE_PLUGIN_TYPES_OUTCOME_DONE};\n    \
             outcome->val.done = finding.val.applied;\n    return true;\n}\n"
        }
        Language::Rust => "",
    }
}

/// The code that authorises a request.
fn login(adapter: &Adapter, language: Language) -> String {
    let Some(login) = &adapter.login else {
        return match language {
            Language::Rust => "    Ok(element.request(method, &address.text))".into(),
            Language::Javascript | Language::Python | Language::C => String::new(),
        };
    };
    let (setting, name, prefix) = (&login.setting, &login.name, login.prefix);
    let is_query = login.place == Place::Query;
    match (language, is_query) {
        (Language::Rust, true) => format!(
            "    let address = address.query({name:?}, [config::require({setting:?})?]);\n    \
             Ok(element.request(method, &address.text))"
        ),
        (Language::Rust, false) => format!(
            "    let value = config::require({setting:?})?;\n    \
             Ok(element.request(method, &address.text).header({name:?}, &format!(\"{prefix}{{value}}\")))"
        ),
        (Language::Javascript, true) => {
            format!("  address = address.query({name:?}, config.require({setting:?}));")
        }
        (Language::Javascript, false) => {
            format!("  own[{name:?}] = `{prefix}${{config.require({setting:?})}}`;")
        }
        (Language::Python, true) => {
            format!("    address = address.query({name:?}, config.require({setting:?}))")
        }
        (Language::Python, false) => {
            format!("    own[{name:?}] = f\"{prefix}{{config.require({setting:?})}}\"")
        }
        (Language::C, true) => {
            format!("    url = api_query(url, {name:?}, api_setting(call, {setting:?}));")
        }
        (Language::C, false) => format!(
            "    const ferrule_json *login = api_setting(call, {setting:?});\n    \
             if (login) {{\n        const char *value = ferrule_format(\"{prefix}%s\", login->text);\n        \
             headers[count++] = (ferrule_header_to_send){{{name:?}, value}};\n    }}"
        ),
    }
}

impl Planned {
    /// A path as its template.
    fn template(&self, pieces: &[plan::Piece]) -> String {
        let part = |piece: &plan::Piece| match piece {
            plan::Piece::Text(text) => text.as_str().into(),
            plan::Piece::Given(place) => format!("/{{{}}}", self.given[*place].wire),
            plan::Piece::Id(name) => format!("/{{{name}}}"),
        };
        pieces.iter().map(part).collect()
    }
}
