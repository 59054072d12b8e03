//! The module of an operation in Rust.

use std::fmt::Write as _;

use super::types::{fields, name_of};
use super::{Named, TYPES, WRITES};
use crate::cli::plugin::generate::api::{CallbackAt, Method, Place};
use crate::cli::plugin::generate::kind::{Kind, line};
use crate::cli::plugin::generate::names::{Taken, snake};
use crate::cli::plugin::generate::plan::{Accepted, Given, Piece, Probe, Undo};

impl Named<'_> {
    pub(super) fn print(&self) -> String {
        let planned = self.planned;
        let mut taken = Taken::of(&TYPES);
        let name = &self.name;
        taken.unique_type(name);
        let mut types = Vec::new();
        let given = planned.inputs();
        let mut text = self.head();
        text.push_str("use ferrule_plugin::element::Element;\nuse ferrule_plugin::http::Method;\n");
        text.push_str("use ferrule_plugin::{Context, Failure, Finding, Outcome};\n");
        text.push_str("use schemars::JsonSchema;\nuse serde::{Deserialize, Serialize};\n");
        text.push_str("use serde_json::{Value, json};\n\nuse crate::Output;\nuse crate::api::{self, Address};\n\n");
        writeln!(text, "#[derive(Deserialize, JsonSchema)]\n#[serde(deny_unknown_fields)]")
            .expect(WRITES);
        writeln!(text, "pub(crate) struct {name} {{").expect(WRITES);
        text.push_str("    /// The element; its address is the setting `element.<name>`.\n    element: String,\n");
        text.push_str(&fields(&given, "    ", &mut Vec::new(), &mut Taken::default()));
        if let Some(body) = &planned.body {
            let kind = name_of(&body.kind, &mut types, &mut taken);
            let kind = if body.is_mandatory { kind } else { format!("Option<{kind}>") };
            writeln!(text, "    /// The body of the request.\n    body: {kind},").expect(WRITES);
        }
        text.push_str("}\n\n");
        let mut printed = 0;
        while let Some((name, shape)) =
            types.get(printed).map(|(name, shape)| (name.as_str().to_owned(), *shape))
        {
            let own = fields(&shape.properties, "    ", &mut types, &mut taken);
            writeln!(text, "#[derive(Deserialize, JsonSchema, Serialize)]\n#[serde(deny_unknown_fields)]\nstruct {name} {{\n{own}}}\n")
                .expect(WRITES);
            printed += 1;
        }
        writeln!(text, "impl {name} {{\n{}\n{}\n{}}}", self.run(), self.undo(), self.probe())
            .expect(WRITES);
        if self.is_compared() || planned.key_property.is_some() {
            // Both need the body as JSON.
            text.push_str(&self.sent());
        }
        if !text.contains("json!(") {
            text = text.replace("{Value, json}", "Value");
        }
        if types.is_empty() {
            text = text.replace("{Deserialize, Serialize}", "Deserialize");
        }
        text
    }

    fn head(&self) -> String {
        let planned = self.planned;
        let mut text = format!(
            "//! `{}`: {} {}.\n",
            comment(&planned.key),
            planned.method.name(),
            planned.path
        );
        if let Some(about) = &planned.about {
            writeln!(text, "//! {about}").expect(WRITES);
        }
        for one in &planned.decide {
            writeln!(text, "//!\n//! DECIDE: {}.", comment(one)).expect(WRITES);
        }
        text.push('\n');
        text
    }

    fn is_compared(&self) -> bool {
        matches!(self.planned.probe, Probe::Compare(_)) && self.planned.body.is_some()
    }

    fn run(&self) -> String {
        let planned = self.planned;
        let method = method(planned.method);
        let mut text = String::from(
            "    pub(crate) fn run(&self, context: &Context) -> Result<Outcome<Output>, Failure> {\n        \
             let element = Element::new(&self.element, context);\n",
        );
        if planned.method == Method::Post {
            text.push_str(
                "        if context.replaces().is_some() {\n            \
                 // DECIDE: a change of prior work; a second POST would make another one.\n            \
                 let message = \"a POST makes what is new: have the workflow use a PUT or PATCH for changes\";\n            \
                 return Err(Failure::operator(\"CHANGE_UNDECIDED\", message));\n        }\n",
            );
        }
        writeln!(text, "        let address = {};", self.address(&planned.address, true))
            .expect(WRITES);
        writeln!(text, "        let request = api::request(&element, Method::{method}, address)?;")
            .expect(WRITES);
        for given in planned.given.iter().filter(|one| one.place == Place::Header) {
            let field = self.field(given);
            let wire = &given.wire;
            if given.property.is_mandatory {
                let value = self.value(given);
                writeln!(
                    text,
                    "        let request = request.header({wire:?}, &({value}).to_string());"
                )
            } else {
                writeln!(
                    text,
                    "        let request = match &self.{field} {{\n            \
                     Some(value) => request.header({wire:?}, &value.to_string()),\n            \
                     None => request,\n        }};"
                )
            }
            .expect(WRITES);
        }
        text.push_str(&self.callback_header());
        text.push_str(&self.with_body());
        text.push_str(&self.answered());
        text.push_str("    }\n");
        text
    }

    fn with_body(&self) -> String {
        let Some(body) = &self.planned.body else { return String::new() };
        let media = &body.media;
        if self.planned.makes_body() {
            let told = match &self.planned.accepted {
                Accepted::CalledBack(CallbackAt::Body(name)) => {
                    format!("        body[{name:?}] = json!(context.callback_url());\n")
                }
                Accepted::CalledBack(_)
                | Accepted::Answer
                | Accepted::Probed
                | Accepted::Undecided => String::new(),
            };
            let made = match (told.is_empty(), self.planned.key_property.is_some()) {
                (true, _) => {
                    return format!(
                        "        let request = api::with_body(request, {media:?}, &self.sent(context))?;\n"
                    );
                }
                (false, true) => "self.sent(context)",
                (false, false) => "json!(&self.body)",
            };
            return format!(
                "        let mut body = {made};\n{told}        \
                 let request = api::with_body(request, {media:?}, &body)?;\n"
            );
        }
        if body.is_mandatory {
            return format!(
                "        let request = api::with_body(request, {media:?}, &self.body)?;\n"
            );
        }
        format!(
            "        let request = match &self.body {{\n            \
             Some(body) => api::with_body(request, {media:?}, body)?,\n            None => request,\n        }};\n"
        )
    }

    fn undo(&self) -> String {
        let planned = self.planned;
        let head = |output: &str, context: &str| {
            format!(
                "    pub(crate) fn undo(&self, {context}: &Context, {output}: &Value) -> Result<Outcome<()>, Failure> {{\n"
            )
        };
        let text = match &planned.undo {
            Undo::Nothing => format!(
                "{}        // It changed nothing.\n        Ok(Outcome::Done(()))\n",
                head("_output", "_context")
            ),
            Undo::Undecided(why) => format!(
                "{}        // DECIDE: {why}.\n        let message = {:?};\n        \
                 Err(Failure::operator(\"UNDO_UNDECIDED\", message))\n",
                head("_output", "_context"),
                format!("`{}` cannot be undone: {why}", planned.key)
            ),
            Undo::Delete(path) => {
                let name = path.iter().find_map(|piece| match piece {
                    Piece::Id(name) => Some(name),
                    Piece::Text(_) | Piece::Given(_) => None,
                });
                let id = name.map(|name| self.id(name));
                let output = if id.is_some() { "output" } else { "_output" };
                format!(
                    "{}        let element = Element::new(&self.element, context);\n{}        \
                     let address = {};\n        api::delete(&element, address)\n",
                    head(output, "context"),
                    id.unwrap_or_default(),
                    self.address(path, false)
                )
            }
        };
        text + "    }\n"
    }

    /// Finds the id of the work: in its outputs, or among what is there if its answer was lost.
    fn id(&self, name: &str) -> String {
        if let Probe::Listed(..) = &self.planned.probe {
            return format!(
                "        let id = match api::id(output, {name:?}) {{\n            Some(id) => Some(id),\n            \
                 // The answer was lost.\n            \
                 None => self.listed(context)?.and_then(|entry| api::id(&entry, {name:?})),\n        }};\n        \
                 let Some(id) = id else {{ return Ok(Outcome::Done(())) }};\n"
            );
        }
        format!(
            "        let Some(id) = api::id(output, {name:?}) else {{\n            \
             // DECIDE: the answer was lost, and the API names no key to find the work by.\n            \
             let message = \"the answer with its id was lost: look for the work and delete it\";\n            \
             return Err(Failure::operator(\"UNDO_UNDECIDED\", message));\n        }};\n"
        )
    }

    fn probe(&self) -> String {
        let planned = self.planned;
        let head = |context: &str| {
            format!(
                "    pub(crate) fn probe(&self, {context}: &Context) -> Result<Finding<Output>, Failure> {{\n"
            )
        };
        let read = |path: &[Piece]| {
            format!(
                "{}        let element = Element::new(&self.element, context);\n        let address = {};\n        \
                 let found = api::find(&element, &api::request(&element, Method::Get, address)?)?;\n",
                head("context"),
                self.address(path, false)
            )
        };
        let text = match &planned.probe {
            Probe::Again(why) => {
                format!(
                    "{}        // {}.\n        Ok(Finding::NotApplied)\n",
                    head("_context"),
                    sentence(why)
                )
            }
            Probe::Undecided(why) => format!(
                "{}        // DECIDE: {why}.\n        let message = {:?};\n        \
                 Err(Failure::operator(\"PROBE_UNDECIDED\", message))\n",
                head("_context"),
                format!("whether `{}` was done is not known: look for the work", planned.key)
            ),
            Probe::Gone(path) => format!(
                "{}        Ok(match found {{\n            None => Finding::Applied(Output::default()),\n            \
                 Some(_) => Finding::NotApplied,\n        }})\n",
                read(path)
            ),
            Probe::Compare(path) => {
                let check = match self.is_compared() {
                    true => "api::agrees(&self.sent(context), &answer)",
                    false => "true",
                };
                format!(
                    "{}        let Some(response) = found else {{ return Ok(Finding::NotApplied) }};\n        \
                     let answer = response.json().unwrap_or_default();\n        \
                     // Sent again, the same request makes no second one.\n        \
                     {settled}if !{check} {{\n            return Ok(Finding::NotApplied);\n        }}\n        \
                     Ok(Output::of(&element, &answer).map_or(Finding::NotApplied, Finding::Applied))\n",
                    read(path),
                    settled = self.settled("answer"),
                )
            }
            Probe::Listed(..) => format!(
                "{}        let element = Element::new(&self.element, context);\n        \
                 let Some(entry) = self.listed(context)? else {{ return Ok(Finding::NotApplied) }};\n        \
                 {}Output::of(&element, &entry).map(Finding::Applied)\n",
                head("context"),
                self.settled("entry")
            ),
        };
        text + "    }\n"
    }

    /// Helpers on the body that was sent.
    fn sent(&self) -> String {
        let name = &self.name;
        let mut text = format!("\nimpl {name} {{\n    /// The body as it is sent.\n");
        let Some(key) = &self.planned.key_property else {
            text.push_str("    fn sent(&self, _context: &Context) -> Value {\n        json!(&self.body)\n    }\n}\n");
            return text;
        };
        let Probe::Listed(path, _) = &self.planned.probe else { return String::new() };
        writeln!(
            text,
            "    fn sent(&self, context: &Context) -> Value {{\n        let mut body = json!(&self.body);\n        \
             if body[{key:?}].is_null() {{\n            // An undo has the key of the work, followed by `:undo`.\n            \
             let key = context.key();\n            \
             body[{key:?}] = json!(key.strip_suffix(\":undo\").unwrap_or(key));\n        }}\n        \
             body\n    }}\n\n    \
             /// The work among what is there, found by the key that it was sent with.\n    \
             fn listed(&self, context: &Context) -> Result<Option<Value>, Failure> {{\n        \
             let element = Element::new(&self.element, context);\n        \
             let sent = self.sent(context);\n        \
             let key = sent[{key:?}].as_str().unwrap_or_default();\n        \
             let address = {}.query({key:?}, [key]);\n        \
             let found = api::find(&element, &api::request(&element, Method::Get, address)?)?;\n        \
             Ok(found.and_then(|response| api::entry(&response, {key:?}, key)))\n    }}\n}}",
            self.address(path, false)
        )
        .expect(WRITES);
        text
    }

    /// The expression that makes an address.
    fn address(&self, pieces: &[Piece], with_query: bool) -> String {
        let mut text = String::from("Address::of(&element)?");
        for piece in pieces {
            match piece {
                Piece::Text(part) => write!(text, ".text({part:?})"),
                Piece::Id(name) => write!(text, ".value({name:?}, id)?"),
                Piece::Given(place) => {
                    let given = &self.planned.given[*place];
                    write!(text, ".value({:?}, {})?", given.property.name, self.value(given))
                }
            }
            .expect(WRITES);
        }
        if with_query {
            text.push_str(&self.callback_query());
        }
        let is_query = |one: &&Given| with_query && one.place == Place::Query;
        for given in self.planned.given.iter().filter(is_query) {
            let (field, wire) = (self.field(given), &given.wire);
            if given.setting.is_some() {
                write!(text, ".query({wire:?}, [{}])", self.value(given)).expect(WRITES);
                continue;
            }
            let is_list = matches!(given.property.kind, Kind::List(_));
            match (is_list, given.property.is_mandatory) {
                (false, true) => write!(text, ".query({wire:?}, [&self.{field}])"),
                (true, false) => write!(text, ".query({wire:?}, self.{field}.iter().flatten())"),
                (false, false) | (true, true) => write!(text, ".query({wire:?}, &self.{field})"),
            }
            .expect(WRITES);
        }
        text
    }

    /// The expression that gives a mandatory parameter.
    fn value(&self, given: &Given) -> String {
        match &given.setting {
            Some(setting) => format!("api::setting({setting:?})?"),
            None => format!("&self.{}", self.field(given)),
        }
    }

    /// The name of the field of a parameter: the same that `fields` gives it.
    fn field(&self, given: &Given) -> String {
        let mut names = Taken::default();
        for one in self.planned.given.iter().filter(|one| one.setting.is_none()) {
            let name = names.unique(&snake(&one.property.name, "field"));
            if std::ptr::eq(one, given) {
                return name;
            }
        }
        String::new()
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "Get",
        Method::Put => "Put",
        Method::Post => "Post",
        Method::Patch => "Patch",
        Method::Delete => "Delete",
    }
}

/// A text in a comment.
fn comment(text: &str) -> String {
    line(text).unwrap_or_default()
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|char| char.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
