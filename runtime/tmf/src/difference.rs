//! How two versions of a document differ: the attributes that changed, with what they were and are, within
//! limits.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::personal::is_personal;

/// Max attributes of a difference.
pub const ATTRIBUTES_MAX: usize = 32;

/// Max bytes of a value, as JSON; a longer one is cut.
pub const VALUE_BYTES_MAX: usize = 160;

/// Max nesting that is compared attribute by attribute.
const DEPTH_MAX: usize = 16;

/// Stands for a value that is about a person, or secret.
pub const MASK: &str = "***";

/// Attributes of any resource whose values may hold a secret: the address of a hub may have a token in it.
const SECRET: [&str; 6] = ["callback", "password", "secret", "token", "apikey", "credential"];

/// An attribute that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its path, with dots, and positions in lists in brackets.
    pub path: String,
    /// Its value before, as JSON; `None` if it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its value after, as JSON; `None` if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The differences of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The first of them.
    pub listed: Vec<Difference>,
    /// The number of values beyond them that differ.
    pub more: usize,
}

/// Compares two versions of a document of a resource. One that is `None` was not there, or is gone.
pub fn differences(resource: &str, before: Option<&Value>, after: Option<&Value>) -> Differences {
    let mut comparison = Comparison { resource, found: Differences::default() };
    if before == after {
        return comparison.found;
    }
    let place = Place { shown: String::new(), bare: String::new(), depth: 0 };
    comparison.compare(&place, before, after);
    comparison.found
}

struct Comparison<'a> {
    resource: &'a str,
    found: Differences,
}

/// Where in a document an attribute is.
struct Place {
    /// With positions in lists, as it is shown.
    shown: String,
    /// Without them, as the table of personal attributes names it.
    bare: String,
    depth: usize,
}

/// The way from a value to one in it.
enum Step<'a> {
    Attribute(&'a str),
    Entry(usize),
}

/// A value in another, before and after.
type Child<'a> = (Step<'a>, Option<&'a Value>, Option<&'a Value>);

impl Place {
    fn below(&self, step: &Step<'_>) -> Self {
        let depth = self.depth + 1;
        match step {
            Step::Attribute(name) => {
                let joined = |path: &str| match path {
                    "" => (*name).to_string(),
                    path => format!("{path}.{name}"),
                };
                Self { shown: joined(&self.shown), bare: joined(&self.bare), depth }
            }
            Step::Entry(position) => {
                let shown = format!("{}[{position}]", self.shown);
                Self { shown, bare: self.bare.as_str().into(), depth }
            }
        }
    }
}

impl Comparison<'_> {
    fn compare(&mut self, place: &Place, before: Option<&Value>, after: Option<&Value>) {
        if place.depth >= DEPTH_MAX || self.is_masked(&place.bare) {
            return self.add(place, before, after);
        }
        match (before, after) {
            // A value that changes its kind: both sides, each by its own paths.
            (Some(old), Some(new))
                if is_nested(old) != is_nested(new) || is_list(old) != is_list(new) =>
            {
                self.compare(place, Some(old), None);
                self.compare(place, None, Some(new));
            }
            (before, after) if [before, after].into_iter().flatten().any(is_filled) => {
                for (step, before, after) in children(before, after) {
                    self.compare_child(place, (step, before, after));
                }
            }
            (before, after) => self.add(place, before, after),
        }
    }

    fn compare_child(&mut self, place: &Place, (step, before, after): Child<'_>) {
        if before == after {
            return;
        }
        // A long list costs no more than the look at its values.
        match self.found.listed.len() < ATTRIBUTES_MAX {
            true => self.compare(&place.below(&step), before, after),
            false => self.found.more += 1,
        }
    }

    fn add(&mut self, place: &Place, before: Option<&Value>, after: Option<&Value>) {
        let is_masked = place.depth >= DEPTH_MAX || self.is_masked(&place.bare);
        let told = |value: &Value| if is_masked { MASK.into() } else { cut(&value.to_string()) };
        let (before, after) = (before.map(told), after.map(told));
        self.found.listed.push(Difference { path: cut(&place.shown), before, after });
    }

    fn is_masked(&self, bare: &str) -> bool {
        let name = bare.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        SECRET.iter().any(|secret| name.contains(secret)) || is_personal(self.resource, bare)
    }
}

/// The values in a value, or in two versions of it: what is new or gone is told down to its values, so that
/// each is masked by its own path.
fn children<'a>(
    before: Option<&'a Value>,
    after: Option<&'a Value>,
) -> impl Iterator<Item = Child<'a>> {
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array).map(Vec::as_slice);
    let fields = |value: Option<&'a Value>| value.and_then(Value::as_object);
    let (old, new) = (list(before).unwrap_or_default(), list(after).unwrap_or_default());
    let entries =
        (0..old.len().max(new.len())).map(|at| (Step::Entry(at), old.get(at), new.get(at)));
    let (old, new) = (fields(before), fields(after));
    let kept = old.into_iter().flatten().map(move |(name, old)| {
        (Step::Attribute(name), Some(old), new.and_then(|new| new.get(name)))
    });
    let added = new.into_iter().flatten();
    let added = added.filter(move |(name, _)| old.is_none_or(|old| !old.contains_key(*name)));
    let added = added.map(|(name, new)| (Step::Attribute(name), None, Some(new)));
    entries.chain(kept).chain(added)
}

fn is_nested(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// Whether a value has values in it.
fn is_filled(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
        || value.as_array().is_some_and(|entries| !entries.is_empty())
}

fn is_list(value: &Value) -> bool {
    value.is_array()
}

/// A text within the limit.
fn cut(text: &str) -> String {
    if text.len() <= VALUE_BYTES_MAX {
        return text.into();
    }
    let end = (0..=VALUE_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests;
