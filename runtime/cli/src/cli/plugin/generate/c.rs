//! The adapter in C: three functions for each operation, and a table of them.

use std::fmt::Write as _;

use super::api::{CallbackAt, Method, Place};
use super::json::Json;
use super::kind::line;
use super::names::{Taken, snake};
use super::plan::{Accepted, Adapter, Answer, Given, Piece, Planned, Probe, Undo};

/// Why writing to a text cannot fail.
const WRITES: &str = "a text can be written to";

/// How long a callback may take, in milliseconds.
const CALLBACK_MS: u32 = 3_600_000;

/// The sources: paths and texts.
pub(super) fn print(adapter: &Adapter, schemas: &Json) -> Vec<(String, String)> {
    let schema = |name: &str| quoted(&schemas.0[name].to_string());
    let header = format!(
        "/* The JSON Schemas of the input and the outputs. */\n#define INPUT_SCHEMA {}\n\n#define OUTPUT_SCHEMA {}\n",
        schema("input"),
        schema("output")
    );
    vec![("src/schema.h".into(), header), ("src/operations.c".into(), operations(adapter))]
}

fn operations(adapter: &Adapter) -> String {
    let mut text = String::from("/* The operations of the API. */\n#include \"api.h\"\n\n");
    text.push_str("const char *const outputs[] = {\n");
    for property in &adapter.output {
        writeln!(text, "    {},", quoted(&property.name)).expect(WRITES);
    }
    text.push_str("    NULL,\n};\n\n");
    let (mut taken, mut table) = (Taken::default(), String::new());
    for planned in &adapter.operations {
        let name = taken.unique(&snake(&planned.key, "operation"));
        let key = quoted(&planned.key);
        writeln!(table, "    {{{key}, {name}_run, {name}_undo, {name}_probe}},").expect(WRITES);
        text.push_str(&Printed { name, planned }.print());
    }
    write!(
        text,
        "const api_operation operations[] = {{\n{table}    {{NULL, NULL, NULL, NULL}},\n}};\n"
    )
    .expect(WRITES);
    text
}

/// An operation with the name of its functions.
struct Printed<'a> {
    name: String,
    planned: &'a Planned,
}

impl Printed<'_> {
    fn print(&self) -> String {
        let Self { name, planned } = self;
        let key = line(&planned.key).unwrap_or_default();
        let mut text = format!("/* `{key}`: {} {}.", planned.method.name(), planned.path);
        for about in planned.about.iter() {
            write!(text, " {}", line(about).unwrap_or_default()).expect(WRITES);
        }
        for one in &planned.decide {
            write!(text, "\n * DECIDE: {}.", line(one).unwrap_or_default()).expect(WRITES);
        }
        text.push_str(" */\n");
        text.push_str(&self.listed());
        for (what, given, lines) in [
            ("run", "ferrule_outcome *outcome", self.run()),
            ("undo", "const ferrule_json *output, ferrule_outcome *outcome", self.undo()),
            ("probe", "ferrule_finding *finding", self.probe()),
        ] {
            writeln!(text, "static bool {name}_{what}(api_call *call, {given}) {{").expect(WRITES);
            for one in ["call", "output", "outcome", "finding"] {
                let uses = |line: &String| {
                    line.contains(&format!("{one},"))
                        || line.contains(&format!("{one})"))
                        || line.contains(&format!("{one}->"))
                };
                if (given.contains(&format!("*{one}")) || one == "call") && !lines.iter().any(uses)
                {
                    writeln!(text, "    (void){one};").expect(WRITES);
                }
            }
            lines.iter().for_each(|line| writeln!(text, "    {line}").expect(WRITES));
            text.push_str("}\n\n");
        }
        text
    }

    fn run(&self) -> Vec<String> {
        let planned = self.planned;
        let mut lines = Vec::new();
        if planned.method == Method::Post {
            let message =
                "a POST makes what is new: have the workflow use a PUT or PATCH for changes";
            lines.push(
                "/* DECIDE: a change of prior work; a second POST would make another one. */"
                    .into(),
            );
            lines.push("if (call->task->replaces.is_some) {".into());
            lines.push(format!("    return {};", fails("CHANGE_UNDECIDED", message)));
            lines.push("}".into());
        }
        lines.push(format!("const char *url = {};", self.address(&planned.address, true)));
        let headers = self.headers();
        if !headers.is_empty() {
            lines.push("const api_header headers[] = {".into());
            lines.extend(headers.into_iter().map(|header| format!("    {header},")));
            lines.extend([
                "    {NULL, NULL},".into(),
                "};".into(),
                "api_more more = {.headers = headers};".into(),
            ]);
        } else {
            lines.push("api_more more = {0};".into());
        }
        lines.extend(self.body());
        lines.push("ferrule_response response;".into());
        let method = quoted(planned.method.name());
        if planned.method == Method::Delete {
            lines.push(format!(
                "api_result found = api_find(call, {method}, url, more, &response);"
            ));
            lines.push("if (found == API_FAILED) return false;".into());
            lines.extend(self.accepted("found == API_FOUND && response.status == 202"));
            lines.push("return ferrule_succeed(outcome, NULL);".into());
            return lines;
        }
        lines.push(format!("if (!api_send(call, {method}, url, more, &response)) return false;"));
        lines.extend(self.accepted("response.status == 202"));
        lines.push(match &planned.answer {
            Answer::None => "return ferrule_succeed(outcome, NULL);".into(),
            Answer::Object(_) => "return api_done(call, &response, NULL, outcome);".into(),
            Answer::Whole(name) => {
                format!("return api_done(call, &response, {}, outcome);", quoted(name))
            }
        });
        lines
    }

    fn accepted(&self, condition: &str) -> Vec<String> {
        let act = match &self.planned.accepted {
            Accepted::Answer => return Vec::new(),
            Accepted::Probed => "api_accepted(call)".to_owned(),
            Accepted::Undecided => "api_undecided(call)".into(),
            Accepted::CalledBack(_) => format!("ferrule_wait(outcome, call->task, {CALLBACK_MS})"),
        };
        vec![format!("if ({condition}) return {act};")]
    }

    fn headers(&self) -> Vec<String> {
        let headers = self.planned.given.iter().filter(|one| one.place == Place::Header);
        let given = headers.map(|one| format!("{{{}, {}}}", quoted(&one.wire), self.given(one)));
        let callback = match &self.planned.accepted {
            Accepted::CalledBack(CallbackAt::Header(name)) => {
                Some(format!("{{{}, {CALLBACK}}}", quoted(name)))
            }
            Accepted::CalledBack(_) | Accepted::Answer | Accepted::Probed | Accepted::Undecided => {
                None
            }
        };
        given.chain(callback).collect()
    }

    /// Puts the body into what is sent.
    fn body(&self) -> Vec<String> {
        let planned = self.planned;
        let Some(body) = &planned.body else { return Vec::new() };
        let mut lines = Vec::new();
        let made = match (&planned.key_property, planned.makes_body()) {
            (Some(key), _) => format!("api_body(call, {})", quoted(key)),
            (None, true) => "api_body(call, NULL)".into(),
            (None, false) => "ferrule_get(call->given, \"body\")".into(),
        };
        match &planned.accepted {
            Accepted::CalledBack(CallbackAt::Body(name)) => {
                let name = quoted(name);
                lines.push(format!("more.body = ferrule_set({made}, {name}, {CALLBACK});"));
            }
            Accepted::CalledBack(_) | Accepted::Answer | Accepted::Probed | Accepted::Undecided => {
                lines.push(format!("more.body = {made};"));
            }
        }
        if body.media != "application/json" {
            lines.push(format!("more.media = {};", quoted(&body.media)));
        }
        lines
    }

    fn undo(&self) -> Vec<String> {
        let done = "return ferrule_succeed(outcome, NULL);".to_owned();
        match &self.planned.undo {
            Undo::Nothing => vec!["/* It changed nothing. */".into(), done],
            Undo::Undecided(why) => {
                let message = format!("`{}` cannot be undone: {why}", self.planned.key);
                vec![comment(why), format!("return {};", fails("UNDO_UNDECIDED", &message))]
            }
            Undo::Delete(path) => {
                let name = path.iter().find_map(|piece| match piece {
                    Piece::Id(name) => Some(name),
                    Piece::Text(_) | Piece::Given(_) => None,
                });
                let mut lines = name.map(|name| self.id(name)).unwrap_or_default();
                lines.push(format!("const char *url = {};", self.address(path, false)));
                lines
                    .push("return api_remove(call, url) && ferrule_succeed(outcome, NULL);".into());
                lines
            }
        }
    }

    /// Finds the id of the work: in its outputs, or among what is there if its answer was lost.
    fn id(&self, name: &str) -> Vec<String> {
        let name = quoted(name);
        let mut lines = vec![format!("const ferrule_json *id = ferrule_get(output, {name});")];
        if matches!(self.planned.probe, Probe::Listed(..)) {
            lines.extend([
                "if (!id) {".to_owned(),
                "    /* Without its answer the work is found by its key. */".into(),
                "    const ferrule_json *found;".into(),
                format!("    if (!{}_listed(call, &found)) return false;", self.name),
                format!("    id = ferrule_get(found, {name});"),
                "}".into(),
                "if (!id) return ferrule_succeed(outcome, NULL);".into(),
            ]);
            return lines;
        }
        let message = "the answer with its id was lost: look for the work and delete it";
        lines.push(comment("without its answer, the API names no key to find the work by"));
        lines.push(format!("if (!id) return {};", fails("UNDO_UNDECIDED", message)));
        lines
    }

    fn probe(&self) -> Vec<String> {
        let planned = self.planned;
        let find = |path: &[Piece]| {
            vec![
                format!("const char *url = {};", self.address(path, false)),
                "ferrule_response response;".into(),
                "api_result found = api_find(call, \"GET\", url, (api_more){0}, &response);".into(),
                "if (found == API_FAILED) return false;".to_owned(),
            ]
        };
        let settled = |lines: &mut Vec<String>, document: &str| {
            if planned.is_accepted {
                lines.push(format!("if (!api_settled(call, {document})) return false;"));
            }
        };
        match &planned.probe {
            Probe::Again(why) => {
                let why = line(why).unwrap_or_default();
                vec![
                    format!("/* Sent again: {why}. */"),
                    "return ferrule_not_applied(finding);".into(),
                ]
            }
            Probe::Undecided(why) => {
                let message =
                    format!("whether `{}` was done is not known: look for the work", planned.key);
                vec![comment(why), format!("return {};", fails("PROBE_UNDECIDED", &message))]
            }
            Probe::Gone(path) => {
                let mut lines = find(path);
                lines.push("if (found == API_FOUND) return ferrule_not_applied(finding);".into());
                lines.push("return ferrule_applied(finding, NULL);".into());
                lines
            }
            Probe::Compare(path) => {
                let mut lines = find(path);
                lines.push("if (found == API_ABSENT) return ferrule_not_applied(finding);".into());
                lines.push("const ferrule_json *there = ferrule_read(response.text, strlen(response.text));".into());
                settled(&mut lines, "there");
                if planned.body.is_some() {
                    lines.push("/* Sent again, the same request makes no second one. */".into());
                    lines.push(
                        "const ferrule_json *body = ferrule_get(call->given, \"body\");".into(),
                    );
                    lines.push("if (body && !api_agrees(body, there)) return ferrule_not_applied(finding);".into());
                }
                lines.push("return api_found(call, there, NULL, finding);".into());
                lines
            }
            Probe::Listed(..) => {
                let mut lines = vec![
                    "const ferrule_json *found;".to_owned(),
                    format!("if (!{}_listed(call, &found)) return false;", self.name),
                    "if (!found) return ferrule_not_applied(finding);".into(),
                ];
                settled(&mut lines, "found");
                lines.push("return api_found(call, found, NULL, finding);".into());
                lines
            }
        }
    }

    /// The function that finds the entry that was sent with the key.
    fn listed(&self) -> String {
        let Probe::Listed(path, key) = &self.planned.probe else { return String::new() };
        let (name, key, url) = (&self.name, quoted(key), self.address(path, false));
        format!(
            "static bool {name}_listed(api_call *call, const ferrule_json **found) {{\n    \
             const ferrule_json *value = ferrule_get(api_body(call, {key}), {key});\n    \
             const char *url = api_query({url}, {key}, value);\n    \
             return api_listed(call, url, {key}, value, found);\n}}\n\n"
        )
    }

    fn address(&self, pieces: &[Piece], with_query: bool) -> String {
        let mut text = String::from("api_address(call)");
        for piece in pieces {
            text = match piece {
                Piece::Text(part) => format!("api_text({text}, {})", quoted(part)),
                Piece::Id(name) => format!("api_value(call, {text}, {}, id)", quoted(name)),
                Piece::Given(place) => {
                    let given = &self.planned.given[*place];
                    let (name, value) = (quoted(&given.property.name), self.given(given));
                    format!("api_value(call, {text}, {name}, {value})")
                }
            };
        }
        let is_query = |one: &&Given| with_query && one.place == Place::Query;
        for given in self.planned.given.iter().filter(is_query) {
            text = format!("api_query({text}, {}, {})", quoted(&given.wire), self.given(given));
        }
        match &self.planned.accepted {
            Accepted::CalledBack(CallbackAt::Query(name)) if with_query => {
                format!("api_query({text}, {}, {CALLBACK})", quoted(name))
            }
            Accepted::CalledBack(_) | Accepted::Answer | Accepted::Probed | Accepted::Undecided => {
                text
            }
        }
    }

    fn given(&self, given: &Given) -> String {
        match &given.setting {
            Some(setting) => format!("api_setting(call, {})", quoted(setting)),
            None => format!("ferrule_get(call->given, {})", quoted(&given.property.name)),
        }
    }
}

/// The expression of the address to call back.
const CALLBACK: &str = "ferrule_new_text(ferrule_text(call->task->callback_url))";

fn fails(code: &str, message: &str) -> String {
    format!("api_fail(call, FERRULE_OPERATOR, {}, {})", quoted(code), quoted(message))
}

fn comment(text: &str) -> String {
    format!("/* DECIDE: {}. */", line(text).unwrap_or_default())
}

/// A text in quotes. A question mark may begin a trigraph, so it is escaped too.
fn quoted(text: &str) -> String {
    let mut made = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' | '?' => made.extend(['\\', char]),
            char if char.is_ascii_control() => {
                write!(made, "\\{:03o}", u32::from(char)).expect(WRITES);
            }
            char => made.push(char),
        }
    }
    made.push('"');
    made
}
