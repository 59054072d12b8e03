//! What is compared: what was sent with what came back, and what there was with what there is.

use model::order::Form;
use model::order::attributes::{Does, Part};
use serde_json::Value;

use super::proof::Proof;
use super::send::Done;
use super::{Asked, Row};

/// What each order changes of an instance that it names: which orders were about it, and since when
/// it is as it is.
const LINKS: [&str; 4] =
    ["productOrderItem", "serviceOrderItem", "resourceOrderItem", "serviceDate"];

/// An order of which nothing follows but what is shown.
pub(super) struct Quiet<'a> {
    pub(super) form: Form,
    pub(super) asked: Asked,
    pub(super) before: &'a Value,
    pub(super) done: &'a Done,
}

impl Quiet<'_> {
    /// Adds what is not as the table has it.
    pub(super) fn all(&self, sent: &[(Row, Value)], faults: &mut Vec<String>) {
        for (row, value) in sent {
            if let Err(fault) = self.row(row, value) {
                faults.push(format!("{:?} `{}` ({:?}): {fault}", row.part, row.name, row.does));
            }
        }
        if !matches!(self.asked, Asked::Modify | Asked::NoChange) {
            return;
        }
        let is_shown = |(row, _): &&(Row, Value)| row.does == Does::Shown;
        let shown: Vec<&str> = sent.iter().filter(is_shown).map(|(row, _)| row.name).collect();
        if let Some(fault) = differs(self.before, &self.done.instance, &shown) {
            faults.push(format!("the instance changed in more: {fault}"));
        }
    }

    fn row(&self, row: &Row, sent: &Value) -> Result<(), String> {
        let read = self.read(row);
        let (own, before) = (&self.done.instance[row.name], &self.before[row.name]);
        let is_kept = agrees(sent, read);
        if !is_kept && row.does != Does::Derived {
            return Err(format!("{sent} was sent, the order has {read}"));
        }
        match (row.does, row.part) {
            (Does::Shown, _) if !agrees(sent, own) => {
                Err(format!("{sent} was sent, the inventory has {own}"))
            }
            (Does::Stored | Does::Derived, Part::Instance)
                if agrees(sent, own)
                    && (self.asked == Asked::Add || own != before)
                    && !self.follows(row.name) =>
            {
                Err(format!("the inventory took {own}"))
            }
            (Does::Derived, Part::Order | Part::Item) if is_kept => {
                Err(format!("the order took {read}"))
            }
            (Does::Fixed(_), Part::Instance) if own != before && !self.follows(row.name) => {
                Err(format!("the inventory had {before}, and has {own}"))
            }
            (
                Does::Stored
                | Does::Shown
                | Does::Derived
                | Does::Fixed(_)
                | Does::Refused(_)
                | Does::Acts(_),
                _,
            ) => Ok(()),
        }
    }

    /// Whether an attribute is another since the state is.
    fn follows(&self, name: &str) -> bool {
        let is_other = matches!(self.asked, Asked::Suspend | Asked::Resume | Asked::Delete);
        name == "isServiceEnabled" && is_other
    }

    fn read(&self, row: &Row) -> &Value {
        let item = &self.done.order[self.form.items()][0];
        match row.part {
            Part::Order => &self.done.order[row.name],
            Part::Item => &item[row.name],
            Part::Instance => &item[self.form.subject()][row.name],
        }
    }
}

/// Whether an effect shows in an instance.
pub(super) fn shown(proof: &Proof, instance: &Value) -> Result<(), String> {
    let Proof::Shown(sent, at, is) = proof else { return Ok(()) };
    let found = find(instance, at);
    if agrees(is, found) {
        return Ok(());
    }
    Err(format!("{sent} was sent, and `{at}` is {found}"))
}

/// What a path leads to: `name=speed` is the entry of a list with that name.
fn find<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.trim_start_matches('/').split('/').fold(value, |at, piece| match piece.split_once('=') {
        Some((name, text)) => {
            let entries = at.as_array();
            let found = entries.into_iter().flatten().find(|entry| entry[name] == text);
            found.unwrap_or(&Value::Null)
        }
        None => match (at, piece.parse::<usize>()) {
            (Value::Array(entries), Ok(place)) => entries.get(place).unwrap_or(&Value::Null),
            _ => &at[piece],
        },
    })
}

/// The first changed attribute, besides those that may change.
pub(super) fn differs(before: &Value, after: &Value, but: &[&str]) -> Option<String> {
    let names = [before, after].into_iter().filter_map(Value::as_object).flatten();
    let mut names = names.map(|(name, _)| name.as_str());
    let name = names.find(|name| {
        !but.contains(name) && !LINKS.contains(name) && before.get(*name) != after.get(*name)
    })?;
    Some(format!("`{name}` was {}, and is {}", before[name], after[name]))
}

/// The first changed document.
pub(super) fn changed(before: &[Value], after: &[Value]) -> Option<String> {
    let new = after.iter().find(|row| !before.contains(row));
    let gone = before.iter().find(|row| !after.contains(row));
    new.or(gone).map(ToString::to_string)
}

/// Whether all that was sent is there. Of which class a thing is and where it is served may be added.
fn agrees(sent: &Value, there: &Value) -> bool {
    match (sent, there) {
        (Value::Object(sent), Value::Object(there)) => sent
            .iter()
            .filter(|(name, _)| !name.starts_with('@') && *name != "href")
            .all(|(name, value)| there.get(name).is_some_and(|there| agrees(value, there))),
        (Value::Array(sent), Value::Array(there)) => {
            sent.iter().all(|value| there.iter().any(|there| agrees(value, there)))
        }
        (Value::Number(sent), Value::Number(there)) => sent.as_f64() == there.as_f64(),
        (sent, there) => sent == there,
    }
}
