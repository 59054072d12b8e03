//! A document without what is about a person, and the values that are.

use serde_json::Value;

use crate::day::Day;
use crate::personal::{PARTY, is_personal};
use crate::time::Timestamp;

/// Stands in the place of an erased text: what must not be missing is still there.
pub const ERASED: &str = "erased";

/// Max depth of a path that is looked at; no document of the standard is that deep.
const DEPTH_MAX: usize = 64;

/// Erases what is about a person in a document of a resource: texts become [`ERASED`]; times, days and
/// anything else are removed. Returns how many attributes were changed; none the second time.
pub fn erase(resource: &str, document: &mut Value) -> usize {
    erase_below(resource, document, &mut String::new(), 0)
}

/// Erases what references to a person show of them in a document that is about another; `is_person` knows the
/// ids of the person. Returns how many attributes were changed.
pub fn erase_references(document: &mut Value, is_person: &impl Fn(&str) -> bool) -> usize {
    match document {
        Value::Array(entries) => {
            entries.iter_mut().map(|entry| erase_references(entry, is_person)).sum()
        }
        Value::Object(fields) => {
            if fields.get("id").and_then(Value::as_str).is_some_and(is_person) {
                return erase_below("", document, &mut PARTY.to_owned(), 0);
            }
            fields.values_mut().map(|value| erase_references(value, is_person)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn erase_below(resource: &str, value: &mut Value, path: &mut String, depth: usize) -> usize {
    if depth > DEPTH_MAX {
        return 0;
    }
    match value {
        Value::Array(entries) => {
            let entries = entries.iter_mut();
            entries.map(|entry| erase_below(resource, entry, path, depth + 1)).sum()
        }
        Value::Object(fields) => {
            let mut changed = 0;
            fields.retain(|name, value| {
                let length = path.len();
                enter(path, name);
                let is_kept = if is_personal(resource, path) {
                    let (is_kept, is_changed) = erased(value);
                    changed += usize::from(is_changed);
                    is_kept
                } else {
                    changed += erase_below(resource, value, path, depth + 1);
                    true
                };
                path.truncate(length);
                is_kept
            });
            changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Erases a value; tells whether something of it stays, and whether it was changed.
fn erased(value: &mut Value) -> (bool, bool) {
    match value {
        Value::String(text) if text == ERASED => (true, false),
        Value::String(text) if Timestamp::parse(text).is_some() || Day::parse(text).is_some() => {
            (false, true)
        }
        Value::String(text) => {
            *text = ERASED.into();
            (true, true)
        }
        Value::Null => (true, false),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => (false, true),
    }
}

/// Passes each text that is about a person to `take`.
pub fn personal_texts<'a>(resource: &str, document: &'a Value, take: &mut impl FnMut(&'a str)) {
    texts_below(resource, document, (&mut String::new(), Person::NotYet), take);
}

/// Whether a value lies below an attribute that is about a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Person {
    NotYet,
    Yes,
}

fn texts_below<'a>(
    resource: &str,
    value: &'a Value,
    (path, person): (&mut String, Person),
    take: &mut impl FnMut(&'a str),
) {
    match value {
        Value::String(text) if person == Person::Yes => take(text),
        Value::Array(entries) => {
            for entry in entries {
                texts_below(resource, entry, (path, person), take);
            }
        }
        Value::Object(fields) => {
            // A body is bounded in depth where it comes in.
            for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('@')) {
                let length = path.len();
                enter(path, name);
                let is_personal = person == Person::Yes || is_personal(resource, path);
                let person = if is_personal { Person::Yes } else { Person::NotYet };
                texts_below(resource, value, (path, person), take);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn enter(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// How much of a document is about a person.
pub enum Extent<F> {
    /// It is the person's: all personal values of this resource.
    All(String),
    /// It is another party's: the references to ids for which this holds.
    References(F),
}

impl<F: Fn(&str) -> bool> Extent<F> {
    /// Erases it in a document; returns how many values there were.
    pub fn erase(&self, document: &mut Value) -> usize {
        match self {
            Self::All(resource) => erase(resource, document),
            Self::References(is_person) => erase_references(document, is_person),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn individual() -> Value {
        json!({
            "id": "7",
            "givenName": "Erika",
            "familyName": "Mustermann",
            "birthDate": "1980-01-01T00:00:00Z",
            "contactMedium": [{ "mediumType": "email", "characteristic": { "emailAddress": "e@example.com" } }],
            "languageAbility": [{ "languageCode": "de" }],
            "status": "validated",
        })
    }

    #[test]
    fn an_individual_keeps_its_id_and_what_is_not_about_the_person() {
        let mut document = individual();
        assert!(erase("individual", &mut document) >= 4);
        assert_eq!(document["givenName"], ERASED);
        assert_eq!(document["id"], "7");
        assert_eq!(document["status"], "validated");
        // A text in its place would not be a date.
        assert!(document.get("birthDate").is_none());
        let text = document.to_string();
        for value in ["Erika", "Mustermann", "1980", "example.com"] {
            assert!(!text.contains(value), "{text}");
        }
    }

    #[test]
    fn another_party_loses_only_its_references_to_the_person() {
        let mut company = json!({
            "id": "9",
            "name": "Mustermann & Co.",
            "relatedParty": [
                { "id": "7", "name": "Erika", "role": "contact" },
                { "id": "8", "name": "Otto", "role": "contact" },
                { "role": "owner", "partyOrPartyRole": { "id": "7", "name": "Erika" } },
            ],
        });
        assert_eq!(erase_references(&mut company, &|id| id == "7"), 2);
        assert_eq!(company["name"], "Mustermann & Co.");
        assert_eq!(company["relatedParty"][1]["name"], "Otto");
        assert!(!company.to_string().contains("Erika"), "{company}");
        assert_eq!(erase_references(&mut company, &|id| id == "7"), 0);
    }

    #[test]
    fn erasing_twice_changes_nothing_more() {
        let mut document = individual();
        erase("individual", &mut document);
        let once = document.clone();
        assert_eq!(erase("individual", &mut document), 0);
        assert_eq!(document, once);
    }

    #[test]
    fn an_order_keeps_its_items_and_loses_names_and_contacts() {
        let mut order = json!({
            "id": "o",
            "relatedParty": [{ "id": "7", "name": "Erika Mustermann", "role": "Customer" }],
            "note": [{ "id": "1", "author": "Erika", "text": "call Erika" }],
            "productOrderItem": [{ "id": "1", "product": { "place": [{ "streetName": "Ringstr.", "id": "A" }] } }],
        });
        erase("productOrder", &mut order);
        let text = order.to_string();
        assert!(!text.contains("Erika") && !text.contains("Ringstr."), "{text}");
        assert_eq!(order["relatedParty"][0]["id"], "7");
        assert_eq!(order["productOrderItem"][0]["product"]["place"][0]["id"], "A");
    }

    #[test]
    fn the_texts_about_a_person_are_those_that_are_erased() {
        let document = individual();
        let mut texts = Vec::new();
        personal_texts("individual", &document, &mut |text| texts.push(text));
        texts.sort_unstable();
        assert!(texts.contains(&"Erika") && texts.contains(&"e@example.com"), "{texts:?}");
        assert!(!texts.contains(&"validated") && !texts.contains(&"7"), "{texts:?}");
    }
}
