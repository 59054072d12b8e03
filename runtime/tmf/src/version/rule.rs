//! Rules that map attributes between versions 4 and 5. Nothing is
//! lost on the way: attributes without a place in version 4 are stored beside its own.

use serde_json::{Map, Value, json};

/// The attributes of a reference, in both versions.
const NAMES: [&str; 4] = ["id", "href", "name", "@referredType"];

/// A difference between the versions, with an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Another name: `constraint` is `policyConstraint`.
    Renamed { v4: &'static str, v5: &'static str },
    /// Other names of values: those of version 4 first.
    Values { name: &'static str, pairs: &'static [(&'static str, &'static str)] },
    /// All attributes but `outside` are nested under `v5`: `{a, b}` is `{v5: {a, b}}`.
    Within { v5: &'static str, outside: &'static [&'static str] },
    /// The id, href and name of `v4` are attributes of its parent: `{v4: {id}}` is `{id}`.
    Hoisted { v4: &'static str },
    /// Some attributes of `v4` are attributes of its parent: `{v4: {a}}` is `{a}`.
    Spread { v4: &'static str, names: &'static [&'static str] },
    /// A text becomes the id of an object: `{v4: "x"}` is `{v5: {id: "x"}}`.
    Id { v4: &'static str, v5: &'static str },
    /// A text becomes the id of the first object of an array.
    Ids { name: &'static str, beside: &'static str },
    /// One object becomes the first of an array.
    First { name: &'static str, beside: &'static str },
    /// Only the last object of an array is shown.
    Last { name: &'static str },
    /// The rules of an attribute's value in addition to those of its shape.
    At { name: &'static str, rules: &'static [Rule] },
}

impl Rule {
    /// Converts attributes of version 4 to version 5. Attributes of version 5 stay.
    pub(super) fn up(self, fields: &mut Map<String, Value>) {
        match self {
            Self::Renamed { v4, v5 } => rename(fields, v4, v5),
            Self::Values { name, pairs } => {
                revalue(fields, name, pairs.iter().map(|(v4, v5)| (*v4, *v5)));
            }
            Self::Within { v5, outside } => enclose(fields, v5, outside),
            Self::Hoisted { v4 } => hoist(fields, v4),
            Self::Spread { v4, names } => spread(fields, v4, names),
            Self::Id { v4, v5 } => {
                let Some(Value::String(id)) = fields.get(v4).cloned() else { return };
                fields.remove(v4);
                let object = fields.entry(v5).or_insert_with(|| json!({}));
                if let Some(object) = object.as_object_mut() {
                    object.insert("id".into(), id.into());
                }
            }
            Self::Ids { name, beside } => {
                let more = fields.remove(beside);
                let Some(Value::String(id)) = fields.get(name) else {
                    return put_beside(fields, (name, beside), more);
                };
                let id = json!(id);
                let is_same = |more: &Value| more.pointer("/0/id") == Some(&id);
                let ids = more.filter(is_same).unwrap_or_else(|| json!([{ "id": id }]));
                fields.insert(name.into(), ids);
            }
            Self::First { name, beside } => {
                let more = fields.remove(beside);
                let Some(first @ Value::Object(_)) = fields.get(name) else {
                    return put_beside(fields, (name, beside), more);
                };
                let is_same = |more: &Value| more.pointer("/0") == Some(first);
                let all = more.filter(is_same).unwrap_or_else(|| json!([first]));
                fields.insert(name.into(), all);
            }
            Self::Last { name } => {
                if let Some(Value::Array(all)) = fields.get_mut(name)
                    && let Some(last) = all.pop()
                {
                    fields.insert(name.into(), last);
                }
            }
            Self::At { name, rules } => {
                each(fields.get_mut(name), &mut |below| {
                    rules.iter().for_each(|rule| rule.up(below));
                });
            }
        }
    }

    /// Converts attributes of version 5 to version 4.
    pub(super) fn down(self, fields: &mut Map<String, Value>) {
        match self {
            Self::Renamed { v4, v5 } => rename(fields, v5, v4),
            Self::Values { name, pairs } => {
                revalue(fields, name, pairs.iter().map(|(v4, v5)| (*v5, *v4)));
            }
            Self::Within { v5, outside } => disclose(fields, v5, outside),
            Self::Hoisted { v4 } => lower(fields, v4),
            Self::Spread { v4, names } => gather(fields, v4, names),
            Self::Id { v4, v5 } => {
                let Some(Value::Object(object)) = fields.get(v5) else { return };
                let Some(id) = object.get("id").filter(|id| id.is_string()).cloned() else {
                    return;
                };
                if object.len() == 1 || v4 == v5 {
                    fields.remove(v5);
                }
                fields.insert(v4.into(), id);
            }
            Self::Ids { name, beside } => {
                let Some(Value::Array(all)) = fields.get(name) else { return };
                let id = all.first().and_then(|first| first.get("id")).cloned();
                let is_whole = id.is_some() && *all == [json!({ "id": id })];
                set_first(fields, (name, beside), id, is_whole);
            }
            Self::First { name, beside } => {
                let Some(Value::Array(all)) = fields.get(name) else { return };
                let (first, is_whole) = (all.first().cloned(), all.len() == 1);
                set_first(fields, (name, beside), first, is_whole);
            }
            Self::Last { name } => {
                if let Some(last @ Value::Object(_)) = fields.get(name) {
                    let all = json!([last]);
                    fields.insert(name.into(), all);
                }
            }
            Self::At { name, rules } => {
                let down = &mut |below: &mut Map<String, Value>| {
                    rules.iter().rev().for_each(|rule| rule.down(below));
                };
                each(fields.get_mut(name), down);
            }
        }
    }
}

/// Puts the first of an array in its place, and the whole array beside it if it has more.
fn set_first(
    fields: &mut Map<String, Value>,
    (name, beside): (&str, &str),
    first: Option<Value>,
    is_whole: bool,
) {
    let all = fields.remove(name);
    put_back(fields, name, first);
    if !is_whole {
        put_back(fields, beside, all);
    }
}

/// The value beside replaces a missing one.
fn put_beside(fields: &mut Map<String, Value>, (name, beside): (&str, &str), more: Option<Value>) {
    let is_there = fields.contains_key(name);
    put_back(fields, if is_there { beside } else { name }, more);
}

fn put_back(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        fields.insert(name.into(), value);
    }
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if !fields.contains_key(to)
        && let Some(value) = fields.remove(from)
    {
        fields.insert(to.into(), value);
    }
}

fn revalue<'a>(
    fields: &mut Map<String, Value>,
    name: &str,
    mut pairs: impl Iterator<Item = (&'a str, &'a str)>,
) {
    let Some(value) = fields.get_mut(name) else { return };
    if let Some((_, to)) = pairs.find(|(from, _)| value.as_str() == Some(from)) {
        *value = to.into();
    }
}

/// Puts all but some attributes into an object. If the object exists already, the attributes of
/// version 4 win.
fn enclose(fields: &mut Map<String, Value>, within: &str, outside: &[&str]) {
    if let Some(Value::Object(mut inner)) = fields.remove(within) {
        let is_told = |name: &str| name.starts_with('@');
        if inner.is_empty()
            && !NAMES.iter().any(|name| !is_told(name) && fields.contains_key(*name))
        {
            // It was sent without the object.
            return;
        }
        for name in NAMES {
            if let Some(value) = fields.remove(name) {
                inner.insert(name.into(), value);
            }
        }
        fields.insert(within.into(), inner.into());
        return;
    }
    let (outer, inner): (Map<_, _>, Map<_, _>) =
        std::mem::take(fields).into_iter().partition(|(name, _)| outside.contains(&name.as_str()));
    *fields = outer;
    // A reference with types alone names nothing.
    let is_named =
        !inner.contains_key("@referredType") || inner.keys().any(|name| !name.starts_with('@'));
    match is_named && !inner.is_empty() {
        true => drop(fields.insert(within.into(), inner.into())),
        false => fields.extend(inner),
    }
}

/// Moves the content of an object to its parent, if that can be reverted; else the names alone.
fn disclose(fields: &mut Map<String, Value>, within: &str, outside: &[&str]) {
    let goes_back = goes_back(fields, within, outside);
    let inner = match fields.remove(within) {
        Some(Value::Object(inner)) => inner,
        None if !fields.keys().all(|name| outside.contains(&name.as_str())) => {
            // An empty object means that none of its parent's attributes were in it.
            return drop(fields.insert(within.into(), json!({})));
        }
        other => return put_back(fields, within, other),
    };
    if goes_back {
        fields.extend(inner);
        return;
    }
    for name in NAMES {
        if let (false, Some(value)) = (fields.contains_key(name), inner.get(name)) {
            fields.insert(name.into(), value.clone());
        }
    }
    fields.insert(within.into(), inner.into());
}

/// Whether an object can be moved out of its parent and back.
pub(super) fn goes_back(fields: &Map<String, Value>, within: &str, outside: &[&str]) -> bool {
    let Some(Value::Object(inner)) = fields.get(within) else { return false };
    let is_outside = |name: &String| outside.contains(&name.as_str());
    inner.keys().any(|name| !name.starts_with('@'))
        && fields.keys().all(|name| is_outside(name) || name == within)
        && !inner.keys().any(|name| is_outside(name) || name == within)
}

/// Moves the identifying attributes of an object to its parent; an otherwise empty one is removed.
fn hoist(fields: &mut Map<String, Value>, below: &str) {
    let Some(Value::Object(object)) = fields.get(below).cloned() else { return };
    if NAMES.iter().any(|name| object.contains_key(*name) && fields.contains_key(*name)) {
        return;
    }
    for name in NAMES {
        put_back(fields, name, object.get(name).cloned());
    }
    if !object.is_empty() && object.keys().all(|name| NAMES.contains(&name.as_str())) {
        fields.remove(below);
    }
}

fn lower(fields: &mut Map<String, Value>, below: &str) {
    if let Some(Value::Object(object)) = fields.get(below).cloned() {
        fields.retain(|name, value| {
            !NAMES.contains(&name.as_str()) || object.get(name) != Some(&*value)
        });
        return;
    }
    let named: Map<String, Value> = NAMES
        .iter()
        .filter_map(|name| Some(((*name).to_string(), fields.remove(*name)?)))
        .collect();
    if !named.is_empty() {
        fields.insert(below.into(), named.into());
    }
}

fn spread(fields: &mut Map<String, Value>, below: &str, names: &[&str]) {
    let Some(Value::Object(mut object)) = fields.remove(below) else { return };
    for name in names.iter().filter(|name| !fields.contains_key(**name)).collect::<Vec<_>>() {
        put_back(fields, name, object.remove(*name));
    }
    if !object.is_empty() {
        fields.insert(below.into(), object.into());
    }
}

fn gather(fields: &mut Map<String, Value>, below: &str, names: &[&str]) {
    let gathered: Map<String, Value> = names
        .iter()
        .filter_map(|name| Some(((*name).to_string(), fields.remove(*name)?)))
        .collect();
    if gathered.is_empty() {
        return;
    }
    if let Some(object) = fields.entry(below).or_insert_with(|| json!({})).as_object_mut() {
        object.extend(gathered);
    }
}

/// Calls a function for an object, or for each object of an array.
#[expect(clippy::needless_pass_by_value, reason = "what may be changed is handed over")]
fn each(value: Option<&mut Value>, act: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Some(Value::Object(fields)) => act(fields),
        Some(Value::Array(entries)) => {
            entries.iter_mut().filter_map(Value::as_object_mut).for_each(act);
        }
        _ => {}
    }
}
