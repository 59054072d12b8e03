//! From one version to the other, through all of a document: along the shapes of version 5, with the
//! rules of each, and with the `@type` that version 5 wants everywhere.

use serde_json::{Map, Value};

use super::rule::Rule;
use super::table::rules;
use crate::resource::shape::{Forms, Kind, Type, Typed};

/// The rules of a shape, as an API has it: an attribute that it does not know there keeps its name.
pub(super) fn rules_of(forms: Forms, shape: &'static str) -> impl DoubleEndedIterator<Item = Rule> {
    rules(shape).iter().copied().filter(move |rule| match rule {
        Rule::Renamed { v5, .. } => forms.attributes(shape, v5).next().is_some(),
        Rule::Values { .. }
        | Rule::Within { .. }
        | Rule::Hoisted { .. }
        | Rule::Spread { .. }
        | Rule::Id { .. }
        | Rule::Ids { .. }
        | Rule::First { .. }
        | Rule::Last { .. }
        | Rule::At { .. } => true,
    })
}

/// Makes of an object of version 4 one of version 5.
pub(super) fn up(forms: Forms, declared: &'static str, fields: &mut Map<String, Value>) {
    rules_of(forms, declared).for_each(|rule| rule.up(fields));
    let meant = forms.meant(declared, fields);
    if meant != declared {
        rules_of(forms, meant).for_each(|rule| rule.up(fields));
    }
    say_type(forms, declared, meant, fields);
    let Some(shape) = forms.object(meant) else { return };
    for (name, value) in fields {
        for kind in shape.attribute(name).into_iter().flat_map(|attribute| &attribute.kinds) {
            below(*kind, value, &mut |shape, fields| up(forms, shape, fields));
        }
    }
}

/// Makes of an object of version 5 one of version 4. A type that goes without saying is left out: it
/// is said again whenever the object is shown.
pub(super) fn down(forms: Forms, declared: &'static str, fields: &mut Map<String, Value>) {
    let meant = forms.meant(declared, fields);
    let said = fields.get("@type").and_then(Value::as_str);
    let likely = forms.likely(declared, fields);
    if said == Some(likely) && is_typed(forms, likely) {
        fields.remove("@type");
    }
    if let Some(shape) = forms.object(meant) {
        for (name, value) in fields.iter_mut() {
            for kind in shape.attribute(name).into_iter().flat_map(|attribute| &attribute.kinds) {
                below(*kind, value, &mut |shape, fields| down(forms, shape, fields));
            }
        }
    }
    if meant != declared {
        rules_of(forms, meant).rev().for_each(|rule| rule.down(fields));
    }
    rules_of(forms, declared).rev().for_each(|rule| rule.down(fields));
}

/// Says the type of an object. A type that the shape does not know stays where the object says what
/// it extends: then it is the client's own (TMF630). Any other means nothing in version 5.
fn say_type(
    forms: Forms,
    declared: &'static str,
    meant: &'static str,
    fields: &mut Map<String, Value>,
) {
    let said = fields.get("@type").and_then(Value::as_str);
    let stays = match said {
        Some(said) => {
            let extends = |name| fields.get(name).is_some_and(Value::is_string);
            let is_own = extends("@baseType") && extends("@schemaLocation");
            forms.alternatives(declared).contains(&said) || is_own
        }
        None => !is_typed(forms, meant),
    };
    if !stays {
        fields.insert("@type".into(), meant.into());
    }
}

/// Whether the objects of a shape say their type.
fn is_typed(forms: Forms, shape: &str) -> bool {
    forms.object(shape).is_some_and(|shape| shape.typed == Typed::Always)
}

/// Does something to each object that a value is or has, where its kind says that there are some.
fn below(
    kind: Kind,
    value: &mut Value,
    act: &mut dyn FnMut(&'static str, &mut Map<String, Value>),
) {
    match (kind, value) {
        (Kind::One(Type::Object(shape)), Value::Object(fields)) => act(shape, fields),
        (Kind::Many(Type::Object(shape)), Value::Array(entries)) => {
            for fields in entries.iter_mut().filter_map(Value::as_object_mut) {
                act(shape, fields);
            }
        }
        _ => {}
    }
}
