//! Dotted paths, from one version to the other.

use super::rule::Rule;
use super::walk::rules_of;
use crate::shape::TypeSet;

/// A place in a document: its possible shapes, and the rules for that place alone.
struct Place {
    types: TypeSet,
    shapes: Vec<&'static str>,
    rules: &'static [Rule],
}

impl Place {
    fn root(types: TypeSet, shape: &'static str) -> Self {
        Self { types, shapes: vec![shape], rules: &[] }
    }

    /// The rules at this place.
    fn rules(&self) -> Vec<Rule> {
        let all = self.shapes.iter().flat_map(|shape| self.types.alternatives(shape));
        let shapes = self.shapes.iter().copied().chain(all);
        let mut rules = self.rules.to_vec();
        for rule in shapes.flat_map(|shape| rules_of(self.types, shape)) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        rules
    }

    /// The place of an attribute of version 5.
    fn below(&self, name: &str) -> Self {
        let name = bare(name);
        let attributes = self.shapes.iter().flat_map(|shape| self.types.attributes(shape, name));
        let kinds = attributes.flat_map(|attribute| &attribute.kinds);
        let shapes = kinds.filter_map(|kind| kind.item().object());
        let mut shapes: Vec<&'static str> = shapes.collect();
        shapes.dedup();
        let own = self.rules().into_iter().find_map(|rule| match rule {
            Rule::At { name: at, rules } => (at == name).then_some(rules),
            Rule::Renamed { .. }
            | Rule::Values { .. }
            | Rule::Within { .. }
            | Rule::Hoisted { .. }
            | Rule::Spread { .. }
            | Rule::Id { .. }
            | Rule::Ids { .. }
            | Rule::First { .. }
            | Rule::Last { .. } => None,
        });
        Self { types: self.types, shapes, rules: own.unwrap_or_default() }
    }
}

/// A piece of a path without the position in an array.
fn bare(piece: &str) -> &str {
    piece.split_once('[').map_or(piece, |(name, _)| name)
}

/// A piece with another name and the same position.
fn with_name(piece: &str, name: &str) -> String {
    format!("{name}{}", &piece[bare(piece).len()..])
}

/// The path in version 5 of a path in version 4.
pub(super) fn up(types: TypeSet, shape: &'static str, path: &str) -> String {
    let mut place = Place::root(types, shape);
    let mut named: Vec<String> = Vec::new();
    for piece in path.split('.') {
        let mut at = vec![piece.to_string()];
        for rule in place.rules() {
            let name = bare(piece);
            match rule {
                Rule::Renamed { v4, v5 } if v4 == name => at = vec![with_name(piece, v5)],
                Rule::Within { v5, outside } if name != v5 && !outside.contains(&name) => {
                    at = vec![v5.into(), piece.into()];
                }
                Rule::Hoisted { v4 } | Rule::Spread { v4, .. } if v4 == name => at = Vec::new(),
                Rule::Id { v4, v5 } if v4 == name => at = vec![v5.into()],
                Rule::Renamed { .. }
                | Rule::Values { .. }
                | Rule::Within { .. }
                | Rule::Hoisted { .. }
                | Rule::Spread { .. }
                | Rule::Id { .. }
                | Rule::Ids { .. }
                | Rule::First { .. }
                | Rule::Last { .. }
                | Rule::At { .. } => {}
            }
        }
        for piece in at {
            place = place.below(&piece);
            named.push(piece);
        }
    }
    named.join(".")
}

/// The stored path, of version 4, of a path of version 5; `None` if the values
/// are stored under other names.
pub(super) fn down(types: TypeSet, shape: &'static str, path: &str) -> Option<String> {
    let mut place = Place::root(types, shape);
    let mut kept: Vec<String> = Vec::new();
    let pieces: Vec<&str> = path.split('.').collect();
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        let mut at = vec![piece.to_string()];
        for rule in place.rules() {
            let is_id = pieces.peek() == Some(&"id");
            match rule {
                Rule::Renamed { v4, v5 } if v5 == piece => at = vec![v4.into()],
                Rule::Values { name, .. } if name == piece => return None,
                Rule::Within { v5, .. } if v5 == piece => at = Vec::new(),
                Rule::Hoisted { v4 } if ["id", "href", "name"].contains(&piece) => {
                    at = vec![v4.into(), piece.into()];
                }
                Rule::Spread { v4, names } if names.contains(&piece) => {
                    at = vec![v4.into(), piece.into()];
                }
                Rule::Id { v4, v5 } if v5 == piece => {
                    return is_id.then(|| joined(&kept, v4));
                }
                Rule::Ids { name, .. } if name == piece => {
                    return is_id.then(|| joined(&kept, name));
                }
                Rule::Renamed { .. }
                | Rule::Values { .. }
                | Rule::Within { .. }
                | Rule::Hoisted { .. }
                | Rule::Spread { .. }
                | Rule::Id { .. }
                | Rule::Ids { .. }
                | Rule::First { .. }
                | Rule::Last { .. }
                | Rule::At { .. } => {}
            }
        }
        place = place.below(piece);
        kept.extend(at);
    }
    Some(kept.join("."))
}

fn joined(kept: &[String], last: &str) -> String {
    kept.iter().map(String::as_str).chain([last]).collect::<Vec<_>>().join(".")
}
