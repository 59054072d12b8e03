//! Converts whole documents between versions: along the shapes of version 5, with the
//! rules of each, and with the `@type` that version 5 requires everywhere.

use serde_json::{Map, Value};

use super::rule::{Rule, goes_back};
use super::table::rules;
use crate::shape::{Kind, Type, TypeSet, Typed};

/// The rules of a shape in an API: an attribute that the API does not know keeps its name.
pub(super) fn rules_of(
    types: TypeSet,
    shape: &'static str,
) -> impl DoubleEndedIterator<Item = Rule> {
    rules(shape).iter().copied().filter(move |rule| match rule {
        Rule::Renamed { v5, .. } => types.attributes(shape, v5).next().is_some(),
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

/// Converts an object of version 4 to version 5.
pub(super) fn up(place: Place, fields: &mut Map<String, Value>) {
    let Place { types, declared, .. } = place;
    forget_class_of_v4(place, fields);
    if place.is_kept_as_v4() {
        rules_of(types, declared).for_each(|rule| rule.up(fields));
    }
    let meant = meant(types, declared, fields);
    if meant != declared && place.is_kept_as_v4() {
        rules_of(types, meant).for_each(|rule| rule.up(fields));
    }
    if !fields.contains_key("@type") && is_typed(types, meant) {
        // If an object looks like none of the alternatives, the first is as good as any.
        let first = types.alternatives(meant).into_iter().next();
        fields.insert("@type".into(), first.unwrap_or(meant).into());
    }
    let Some(shape) = types.object(meant) else { return };
    for (name, value) in fields {
        for kind in shape.attribute(name).into_iter().flat_map(|attribute| &attribute.kinds) {
            below(*kind, value, &mut |shape, fields| up(place.below(meant, name, shape), fields));
        }
    }
}

/// Converts an object of version 5 to version 4. Its `@type` stays, except on
/// objects that version 4 does not have: there it is added again whenever the object is shown.
pub(super) fn down(types: TypeSet, declared: &'static str, fields: &mut Map<String, Value>) {
    let meant = types.meant(declared, fields);
    if let Some(shape) = types.object(meant) {
        for (name, value) in fields.iter_mut() {
            for kind in shape.attribute(name).into_iter().flat_map(|attribute| &attribute.kinds) {
                below(*kind, value, &mut |shape, fields| down(types, shape, fields));
            }
        }
    }
    let mut at = vec![declared];
    at.extend((meant != declared).then_some(meant));
    for shape in at.into_iter().rev() {
        for rule in rules_of(types, shape).rev() {
            forget_class_of_v5(types, shape, rule, fields);
            rule.down(fields);
        }
    }
}

/// The stored form of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// As in version 4, with its shape if it is known.
    V4(Option<&'static str>),
    /// As in version 5, which alone has it.
    V5,
}

/// An object on the way to version 5.
#[derive(Clone, Copy)]
pub(super) struct Place {
    types: TypeSet,
    /// The declared shape in version 5.
    declared: &'static str,
    /// The same in version 4.
    v4: Kept,
    /// The rules of this place alone.
    rules: &'static [Rule],
}

impl Place {
    pub(super) fn root(types: TypeSet, declared: &'static str, v4: Kept) -> Self {
        Self { types, declared, v4, rules: &[] }
    }

    fn is_kept_as_v4(self) -> bool {
        self.v4 != Kept::V5
    }

    /// The place of an attribute, by its name in version 5.
    fn below(self, meant: &'static str, name: &str, declared: &'static str) -> Self {
        let Self { types, v4, .. } = self;
        let Kept::V4(shape) = v4 else { return Self { declared, ..self } };
        let own = rules_of(types, self.declared);
        let more = rules_of(types, meant).filter(|_| meant != self.declared);
        let mut below = Self { types, declared, v4: Kept::V4(None), rules: &[] };
        let mut name_v4 = name;
        for rule in own.chain(more).chain(self.rules.iter().copied()) {
            match rule {
                Rule::Renamed { v4, v5 } if v5 == name => name_v4 = v4,
                // It is the same object.
                Rule::Within { v5, .. } if v5 == name => return Self { v4, ..below },
                Rule::At { name: at, rules } if at == name => below.rules = rules,
                Rule::Renamed { .. }
                | Rule::Within { .. }
                | Rule::At { .. }
                | Rule::Values { .. }
                | Rule::Hoisted { .. }
                | Rule::Spread { .. }
                | Rule::Id { .. }
                | Rule::Ids { .. }
                | Rule::First { .. }
                | Rule::Last { .. } => {}
            }
        }
        let attribute = shape.and_then(|shape| TypeSet::V4.object(shape)?.attribute(name_v4));
        let mut kinds = attribute.into_iter().flat_map(|attribute| &attribute.kinds);
        below.v4 = Kept::V4(kinds.find_map(|kind| kind.item().object()));
        below
    }
}

/// The types that the server gives to its services, as in the guide of TMF638 version 4.
const OURS: [&str; 2] = ["CFS", "RFS"];

/// Removes a type that only version 4 has: version 5 implies it.
/// Any other type of an object stays, the client's own included.
fn forget_class_of_v4(place: Place, fields: &mut Map<String, Value>) {
    let Some(said) = fields.get("@type").and_then(Value::as_str) else { return };
    let Place { types, declared, v4, .. } = place;
    let Kept::V4(shape) = v4 else { return };
    let is_ours = OURS.contains(&said) && !fields.contains_key("@baseType");
    let is_of_v4 = TypeSet::V4.object(said).is_some() && types.object(said).is_none() || is_ours;
    if !types.alternatives(declared).contains(&said)
        && (is_of_v4 || shape.is_some_and(|shape| shape == said))
    {
        fields.remove("@type");
    }
}

/// Removes the types of objects that version 4 does not have: version 5 adds them again.
fn forget_class_of_v5(
    types: TypeSet,
    shape: &'static str,
    rule: Rule,
    fields: &mut Map<String, Value>,
) {
    let below = match rule {
        Rule::Within { v5, outside } => {
            if fields.get("@type").and_then(Value::as_str) == Some(shape) {
                fields.remove("@type");
            }
            goes_back(fields, v5, outside).then_some(v5)
        }
        Rule::Id { v5, .. } => Some(v5),
        Rule::Ids { name, .. } => Some(name),
        Rule::Renamed { .. }
        | Rule::Values { .. }
        | Rule::Hoisted { .. }
        | Rule::Spread { .. }
        | Rule::First { .. }
        | Rule::Last { .. }
        | Rule::At { .. } => None,
    };
    let Some(name) = below else { return };
    let attribute = types.object(shape).and_then(|shape| shape.attribute(name));
    let Some(value) = fields.get_mut(name) else { return };
    for kind in attribute.into_iter().flat_map(|attribute| &attribute.kinds) {
        self::below(*kind, value, &mut |shape, fields| {
            let said = fields.get("@type").and_then(Value::as_str);
            let likely = types.likely(shape, fields);
            if said == Some(likely) && is_typed(types, likely) {
                fields.remove("@type");
            }
        });
    }
}

/// The shape of an object: the one in its `@type`, unless a change made it look like another,
/// as the value of a characteristic may.
fn meant(types: TypeSet, declared: &'static str, fields: &mut Map<String, Value>) -> &'static str {
    let meant = types.meant(declared, fields);
    let likely = types.likely(declared, fields);
    let is_said = fields.get("@type").and_then(Value::as_str) == Some(meant);
    if is_said && likely != meant && types.misfits(meant, fields) && !types.misfits(likely, fields)
    {
        fields.insert("@type".into(), likely.into());
        return likely;
    }
    meant
}

/// Whether the objects of a shape have an `@type`.
fn is_typed(types: TypeSet, shape: &str) -> bool {
    types.object(shape).is_some_and(|shape| shape.typed == Typed::Always)
}

/// Calls a function for each object in a value whose kind has objects.
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
