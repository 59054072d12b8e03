//! The types of an adapter in Rust.

use std::fmt::Write as _;

use super::WRITES;
use crate::cli::plugin::generate::kind::{Kind, Property, Shape};
use crate::cli::plugin::generate::names::{Taken, camel, snake};

/// The fields of a struct; the types of objects among them are put into `types`.
pub(super) fn fields<'a>(
    properties: &'a [Property],
    lead: &str,
    types: &mut Vec<(String, &'a Shape)>,
    taken: &mut Taken,
) -> String {
    let mut names = Taken::default();
    let mut text = String::new();
    for property in properties {
        if let Some(about) = &property.about {
            writeln!(text, "    /// {about}").expect(WRITES);
        }
        let field = names.unique(&snake(&property.name, "field"));
        let mut attributes = Vec::new();
        if field != property.name {
            attributes.push(format!("rename = {:?}", property.name));
        }
        let mut kind = name_of(&property.kind, types, taken);
        if !property.is_mandatory {
            attributes.push("skip_serializing_if = \"Option::is_none\"".into());
            kind = format!("Option<{kind}>");
        }
        if !attributes.is_empty() {
            writeln!(text, "    #[serde({})]", attributes.join(", ")).expect(WRITES);
        }
        writeln!(text, "{lead}{field}: {kind},").expect(WRITES);
    }
    text
}

/// The type of a kind.
pub(super) fn name_of<'a>(
    kind: &'a Kind,
    types: &mut Vec<(String, &'a Shape)>,
    taken: &mut Taken,
) -> String {
    match kind {
        Kind::Any => "Value".into(),
        // A choice is checked by the API, which may have learned another one since.
        Kind::Text | Kind::Choice(_) => "String".into(),
        Kind::Integer => "i64".into(),
        Kind::Number => "f64".into(),
        Kind::Boolean => "bool".into(),
        Kind::List(item) => format!("Vec<{}>", name_of(item, types, taken)),
        Kind::Map(value) => {
            format!("std::collections::BTreeMap<String, {}>", name_of(value, types, taken))
        }
        Kind::Object(shape) => {
            if let Some((name, _)) = types.iter().find(|(_, known)| *known == shape) {
                return name.as_str().into();
            }
            let name = taken.unique_type(&camel(&shape.name, "Object"));
            types.push((name.as_str().into(), shape));
            name
        }
    }
}
