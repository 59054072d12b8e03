//! The adapter in JavaScript and in Python: a table of operations, each with `run`, `undo` and `probe`. The two
//! differ in their words only, which are those of a [`Syntax`].

mod accepted;

use std::fmt::Write as _;

use super::api::{Method, Place};
use super::json::Json;
use super::kind::line;
use super::names::{Taken, camel};
use super::plan::{Adapter, Answer, Given, Piece, Planned, Probe, Undo};

/// Why writing to a text cannot fail.
const WRITES: &str = "a text can be written to";

/// What the operations use of the project's own module.
const HELPERS: &str =
    "accepted, address, agrees, call, entry, find, outputs, remove, setting, settled, undecided";

/// A language whose values have no types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Javascript,
    Python,
}

/// The sources: paths and texts.
pub(super) fn print(adapter: &Adapter, schemas: &Json, syntax: Syntax) -> Vec<(String, String)> {
    let (input, output) = (&schemas.0["input"], &schemas.0["output"]);
    match syntax {
        Syntax::Javascript => vec![
            (
                "src/schema.js".into(),
                format!(
                    "// The JSON Schemas of the input and the outputs.\n\nexport const input = {input:#};\n\n\
                     export const output = {output:#};\n"
                ),
            ),
            ("src/operations.js".into(), syntax.operations(adapter)),
        ],
        Syntax::Python => {
            let text = |schema: String| schema.replace('\'', "\\u0027");
            vec![
                (
                    "src/schema.py".into(),
                    format!(
                        "\"\"\"The JSON Schemas of the input and the outputs.\"\"\"\n\nimport json\n\n\
                         INPUT = json.loads(r'''{}''')\n\nOUTPUT = json.loads(r'''{}''')\n",
                        text(format!("{input:#}")),
                        text(format!("{output:#}"))
                    ),
                ),
                ("src/operations.py".into(), syntax.operations(adapter)),
            ]
        }
    }
}

/// The words of a language.
struct Words {
    comment: &'static str,
    failure: &'static str,
    not_applied: &'static str,
    none: &'static str,
    end: &'static str,
    not: &'static str,
}

impl Syntax {
    fn words(self) -> Words {
        match self {
            Self::Javascript => Words {
                comment: "//",
                failure: "throw Failure",
                not_applied: "NOT_APPLIED",
                none: "undefined",
                end: ";",
                not: "!",
            },
            Self::Python => Words {
                comment: "#",
                failure: "raise Failure",
                not_applied: "NotApplied",
                none: "None",
                end: "",
                not: "not ",
            },
        }
    }

    fn operations(self, adapter: &Adapter) -> String {
        let mut text = match self {
            Self::Javascript => format!(
                "// The operations of the API.\n\nimport {{ Failure, NOT_APPLIED, Waiting }} from \"ferrule-plugin\";\n\n\
                 import {{ {HELPERS} }} from \"./api.js\";\n\n",
            ),
            Self::Python => format!(
                "\"\"\"The operations of the API.\"\"\"\n\nfrom ferrule_plugin import Failure, NotApplied, Waiting\n\n\
                 from api import {HELPERS}\n\n\n",
            ),
        };
        let mut taken = Taken::of(&[
            "Failure",
            "NotApplied",
            "None",
            "True",
            "False",
            "Object",
            "JSON",
            "Error",
        ]);
        let mut table = String::new();
        for planned in &adapter.operations {
            let name = taken.unique_type(&camel(&planned.key, "Operation"));
            let printed = Printed { syntax: self, words: self.words(), planned };
            text.push_str(&printed.print(&name));
            writeln!(
                table,
                "  {}{}: {name},",
                if self == Self::Python { "  " } else { "" },
                quoted(&planned.key)
            )
            .expect(WRITES);
        }
        match self {
            Self::Javascript => write!(text, "export const operations = {{\n{table}}};\n"),
            Self::Python => write!(text, "OPERATIONS = {{\n{table}}}\n"),
        }
        .expect(WRITES);
        text
    }
}

/// An operation as it is printed.
struct Printed<'a> {
    syntax: Syntax,
    words: Words,
    planned: &'a Planned,
}

impl Printed<'_> {
    fn print(&self, name: &str) -> String {
        let planned = self.planned;
        let mark = self.words.comment;
        let mut text = format!(
            "{mark} `{}`: {} {}.\n",
            line(&planned.key).unwrap_or_default(),
            planned.method.name(),
            planned.path
        );
        for about in planned.about.iter().chain(&planned.decide).enumerate() {
            let (place, about) = about;
            let lead = if place == 0 && planned.about.is_some() { "" } else { "DECIDE: " };
            writeln!(text, "{mark} {lead}{}", line(about).unwrap_or_default()).expect(WRITES);
        }
        let functions = [
            self.function("run", "given", &self.run()),
            self.function("undo", "given, output", &self.undo()),
            self.function("probe", "given", &self.probe()),
        ];
        match self.syntax {
            Syntax::Javascript => {
                writeln!(text, "const {name} = {{\n{}}};\n", functions.join("\n")).expect(WRITES);
            }
            Syntax::Python => {
                writeln!(text, "class {name}:\n{}\n", functions.join("\n")).expect(WRITES);
            }
        }
        text
    }

    fn function(&self, name: &str, given: &str, lines: &[String]) -> String {
        let (head, indent, tail) = match self.syntax {
            Syntax::Javascript => (format!("  {name}(context, {given}) {{\n"), "    ", "  },\n"),
            Syntax::Python => {
                (format!("    @staticmethod\n    def {name}(context, {given}):\n"), "        ", "")
            }
        };
        let body: String = lines.iter().map(|line| format!("{indent}{line}\n")).collect();
        format!("{head}{body}{tail}")
    }

    fn run(&self) -> Vec<String> {
        let planned = self.planned;
        let Words { end, failure, .. } = self.words;
        let mut lines = Vec::new();
        if planned.method == Method::Post {
            let message =
                "a POST makes what is new: have the workflow use a PUT or PATCH for changes";
            lines.push(
                self.comment(
                    "DECIDE: a change of prior work; a second POST would make another one.",
                ),
            );
            let refusal =
                format!("{failure}.operator(\"CHANGE_UNDECIDED\", {}){end}", quoted(message));
            let is_change = match self.syntax {
                Syntax::Javascript => "context.replaces !== undefined",
                Syntax::Python => "context.replaces is not None",
            };
            lines.extend(self.block(is_change, vec![refusal]));
        }
        lines.extend(self.sent());
        let act = if planned.method == Method::Delete { "find" } else { "call" };
        let more = self.more();
        let method = planned.method.name();
        lines.push(self.set("url", &self.address(&planned.address, true)));
        let request = format!("{act}(context, given, {method:?}, url{more})");
        match (&planned.answer, planned.method) {
            (_, Method::Delete) | (Answer::None, _) => {
                lines.push(self.set("response", &request));
                lines.extend(self.accepted());
                lines.push("return {}".to_owned() + end);
            }
            (answer, _) => {
                lines.push(self.set("response", &request));
                lines.extend(self.accepted());
                let is_empty = match self.syntax {
                    Syntax::Javascript => "response.body.length === 0",
                    Syntax::Python => "not response.body",
                };
                lines.extend(self.then(is_empty, "return {}"));
                let value = match answer {
                    Answer::Whole(name) => format!("{{ {name:?}: response.json() }}"),
                    Answer::None | Answer::Object(_) => "response.json()".into(),
                };
                lines.push(format!("return outputs(given, {value}){end}"));
            }
        }
        lines
    }

    fn undo(&self) -> Vec<String> {
        let planned = self.planned;
        let Words { end, failure, none, .. } = self.words;
        match &planned.undo {
            Undo::Nothing => {
                vec![self.comment("It changed nothing."), format!("return {none}{end}")]
            }
            Undo::Undecided(why) => vec![
                self.comment(&format!("DECIDE: {why}.")),
                format!(
                    "{failure}.operator(\"UNDO_UNDECIDED\", {}){end}",
                    quoted(&format!("`{}` cannot be undone: {why}", planned.key))
                ),
            ],
            Undo::Delete(path) => {
                let name = path.iter().find_map(|piece| match piece {
                    Piece::Id(name) => Some(name),
                    Piece::Text(_) | Piece::Given(_) => None,
                });
                let mut lines = name.map(|name| self.id(name)).unwrap_or_default();
                lines.push(format!("remove(context, given, {}){end}", self.address(path, false)));
                lines
            }
        }
    }

    /// Finds the id of the work: in its outputs, or among what is there if its answer was lost.
    fn id(&self, name: &str) -> Vec<String> {
        let Words { end, failure, .. } = self.words;
        let own = self.get("output", name);
        let Probe::Listed(path, key) = &self.planned.probe else {
            let message = "the answer with its id was lost: look for the work and delete it";
            let refusal = format!("{failure}.operator(\"UNDO_UNDECIDED\", {})", quoted(message));
            let why = self
                .comment("DECIDE: without its answer, the API names no key to find the work by.");
            let mut lines = vec![self.set("id", &own), why];
            lines.extend(self.then(&self.is_missing("id"), &refusal));
            return lines;
        };
        let mut look = vec![self.comment("Without its answer the work is found by its key.")];
        look.extend(self.keyed());
        look.push(match self.syntax {
            Syntax::Javascript => format!("id = {}?.[{}];", self.listed(path, key), quoted(name)),
            Syntax::Python => {
                format!("id = ({} or {{}}).get({})", self.listed(path, key), quoted(name))
            }
        });
        let first = match self.syntax {
            Syntax::Javascript => format!("let id = {own};"),
            Syntax::Python => format!("id = {own}"),
        };
        let mut lines = vec![first];
        lines.extend(self.block(&self.is_missing("id"), look));
        lines.extend(self.then(
            &self.is_missing("id"),
            &format!("return{}", if end.is_empty() { "" } else { " undefined" }),
        ));
        lines
    }

    fn probe(&self) -> Vec<String> {
        let planned = self.planned;
        let Words { end, failure, not_applied, not, .. } = self.words;
        let read = |path: &[Piece]| {
            self.set(
                "found",
                &format!("find(context, given, \"GET\", {})", self.address(path, false)),
            )
        };
        let give_up = format!("return {not_applied}");
        let missing = |name: &str| self.then(&self.is_missing(name), &give_up);
        match &planned.probe {
            Probe::Again(why) => {
                vec![
                    self.comment(&format!("Sent again: {why}.")),
                    format!("return {not_applied}{end}"),
                ]
            }
            Probe::Undecided(why) => vec![
                self.comment(&format!("DECIDE: {why}.")),
                format!(
                    "{failure}.operator(\"PROBE_UNDECIDED\", {}){end}",
                    quoted(&format!(
                        "whether `{}` was done is not known: look for the work",
                        planned.key
                    ))
                ),
            ],
            Probe::Gone(path) => vec![
                read(path),
                match self.syntax {
                    Syntax::Javascript => format!("return found ? {not_applied} : {{}};"),
                    Syntax::Python => format!("return {{}} if found is None else {not_applied}"),
                },
            ],
            Probe::Compare(path) => {
                let mut lines = self.keyed();
                lines.push(read(path));
                lines.extend(missing("found"));
                lines.extend(self.settled("found.json()"));
                if planned.body.is_some() {
                    let agrees = format!(
                        "{not}agrees({}, found.json())",
                        self.asked(self.planned.key_property.is_some())
                    );
                    lines.push(self.comment("Sent again, the same request makes no second one."));
                    lines.extend(self.then(&agrees, &give_up));
                }
                lines.push(format!("return outputs(given, found.json()){end}"));
                lines
            }
            Probe::Listed(path, key) => {
                let mut lines = self.keyed();
                lines.push(self.set("listed", &self.listed(path, key)));
                lines.extend(missing("listed"));
                lines.extend(self.settled("listed"));
                lines.push(format!("return outputs(given, listed){end}"));
                lines
            }
        }
    }

    /// The entry that was sent with the key.
    fn listed(&self, path: &[Piece], key: &str) -> String {
        let key = quoted(key);
        let address = self.address(path, false);
        format!(
            "entry(find(context, given, \"GET\", {address}.query({key}, body[{key}])), {key}, body[{key}])"
        )
    }

    /// The body: as it was made, or as it was given.
    fn asked(&self, is_made: bool) -> &'static str {
        match (is_made, self.syntax) {
            (true, _) => "body",
            (false, Syntax::Javascript) => "given.body",
            (false, Syntax::Python) => "given.get(\"body\")",
        }
    }

    /// The body and the headers, as the last argument of a request.
    fn more(&self) -> String {
        let mut parts = Vec::new();
        let pair = |name: &str, value: &str| match self.syntax {
            Syntax::Javascript => format!("{name}: {value}"),
            Syntax::Python => format!("{name}={value}"),
        };
        if let Some(body) = &self.planned.body {
            let name = if self.syntax == Syntax::Javascript { "json" } else { "body" };
            parts.push(pair(name, self.asked(self.planned.makes_body())));
            if body.media != "application/json" {
                parts.push(pair("media", &quoted(&body.media)));
            }
        }
        let headers = self.planned.given.iter().filter(|one| one.place == Place::Header);
        let headers = headers.map(|one| format!("{}: {}", quoted(&one.wire), self.given(one)));
        let headers: Vec<String> = headers.chain(self.callback_header()).collect();
        if !headers.is_empty() {
            parts.push(pair("headers", &format!("{{ {} }}", headers.join(", "))));
        }
        match (parts.is_empty(), self.syntax) {
            (true, _) => String::new(),
            (false, Syntax::Javascript) => format!(", {{ {} }}", parts.join(", ")),
            (false, Syntax::Python) => format!(", {}", parts.join(", ")),
        }
    }

    fn address(&self, pieces: &[Piece], with_query: bool) -> String {
        let mut text = String::from("address(given)");
        for piece in pieces {
            match piece {
                Piece::Text(part) => write!(text, ".text({})", quoted(part)),
                Piece::Id(name) => write!(text, ".value({}, id)", quoted(name)),
                Piece::Given(place) => {
                    let given = &self.planned.given[*place];
                    write!(text, ".value({}, {})", quoted(&given.property.name), self.given(given))
                }
            }
            .expect(WRITES);
        }
        let is_query = |one: &&Given| with_query && one.place == Place::Query;
        for given in self.planned.given.iter().filter(is_query) {
            write!(text, ".query({}, {})", quoted(&given.wire), self.given(given)).expect(WRITES);
        }
        if with_query {
            text.push_str(&self.callback_query());
        }
        text
    }

    fn given(&self, given: &Given) -> String {
        if let Some(setting) = &given.setting {
            return format!("setting({})", quoted(setting));
        }
        self.get("given", &given.property.name)
    }

    fn get(&self, of: &str, name: &str) -> String {
        match self.syntax {
            Syntax::Javascript => format!("{of}[{}]", quoted(name)),
            Syntax::Python => format!("{of}.get({})", quoted(name)),
        }
    }

    fn set(&self, name: &str, value: &str) -> String {
        match self.syntax {
            Syntax::Javascript => format!("const {name} = {value};"),
            Syntax::Python => format!("{name} = {value}"),
        }
    }

    /// An act under a condition.
    fn then(&self, condition: &str, act: &str) -> Vec<String> {
        match self.syntax {
            Syntax::Javascript => vec![format!("if ({condition}) {act};")],
            Syntax::Python => self.block(condition, vec![act.to_owned()]),
        }
    }

    /// Acts under a condition.
    fn block(&self, condition: &str, acts: Vec<String>) -> Vec<String> {
        match self.syntax {
            Syntax::Javascript => {
                let acts = acts.into_iter().map(|act| format!("  {act}"));
                std::iter::once(format!("if ({condition}) {{"))
                    .chain(acts)
                    .chain(["}".into()])
                    .collect()
            }
            Syntax::Python => {
                let acts = acts.into_iter().map(|act| format!("    {act}"));
                std::iter::once(format!("if {condition}:")).chain(acts).collect()
            }
        }
    }

    /// The condition that a value is missing.
    fn is_missing(&self, value: &str) -> String {
        match self.syntax {
            Syntax::Javascript => format!("({value} ?? null) === null"),
            Syntax::Python => format!("{value} is None"),
        }
    }

    fn comment(&self, text: &str) -> String {
        format!("{} {}", self.words.comment, line(text).unwrap_or_default())
    }
}

/// A text in quotes: as JSON, which both languages read.
fn quoted(text: &str) -> String {
    Json(serde_json::json!(text)).0.to_string()
}
