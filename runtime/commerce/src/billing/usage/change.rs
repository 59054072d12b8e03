//! What a client may do with a usage. Its state and what it costs are set by the server; facts can be
//! corrected until they are billed, and the usage is rated again then.

use serde_json::{Value, json};

use super::guide::GuidedBy;
use super::{State, Step, changed, status_of};
use tmf::field::{Field, Malformed};
use tmf::time::Timestamp;

/// How far ahead of the clock a usage may be, for clocks that differ: a day.
const AHEAD_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// What decides what a usage costs, and to whom it belongs.
const FACTS: [&str; 5] =
    ["usageDate", "usageSpecification", "usageCharacteristic", "ratedProductUsage", "relatedParty"];

/// Whether a client may set an attribute of a rated product: it tells which one it is.
fn is_clients(name: &str) -> bool {
    name == "productRef" || name.starts_with('@')
}

/// What follows from a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing: it costs what it cost.
    Nothing,
    /// It is rated again, from this.
    Rate(Value),
}

/// Why a usage cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An attribute is wrong, or is not for clients.
    #[error("{0}")]
    Invalid(Malformed),
    /// It is on a bill.
    #[error("`{attribute}` cannot be changed: the usage is on a bill; adjust that instead")]
    Billed {
        /// What cannot be changed.
        attribute: String,
    },
}

/// Whether a client may create this usage.
pub fn check_new(usage: &Value, now: Timestamp) -> Result<(), Malformed> {
    let root = Field::root(usage);
    if let Some(status) = root.get("status").filter(|_| status_of(usage) != Ok(State::Received)) {
        return Err(status.wrong(SERVER));
    }
    if let Some(rejection) = root.get("rejection") {
        return Err(rejection.wrong(SERVER));
    }
    check_facts(&root, &Value::Null, now)
}

/// What follows from a client's change of a usage.
pub fn follow(before: &Value, after: &Value, now: Timestamp) -> Result<Change, Refused> {
    let state = status_of(before).map_err(Refused::Invalid)?;
    let differs = |name: &&&str| before.get(**name) != after.get(**name);
    let fact = FACTS.iter().find(differs);
    if state == State::Billed {
        let fixed = fact.or_else(|| ["status", "usageType", "rejection"].iter().find(differs));
        return match fixed {
            Some(name) => Err(Refused::Billed { attribute: (*name).to_owned() }),
            None => Ok(Change::Nothing),
        };
    }
    let root = Field::root(after);
    let wanted = status_of(after).map_err(Refused::Invalid)?;
    let asks = match (state, wanted) {
        (State::Rejected, State::Recycled) | (State::Rated, State::Rerated) => true,
        (one, other) if one == other => false,
        _ => return Err(Refused::Invalid(root_wrong("status"))),
    };
    if let Some(rejection) = root.get("rejection")
        && before.get("rejection") != after.get("rejection")
    {
        return Err(Refused::Invalid(rejection.wrong(SERVER)));
    }
    if fact.is_some() {
        check_facts(&root, before, now).map_err(Refused::Invalid)?;
    }
    if fact.is_none() && !asks {
        return Ok(Change::Nothing);
    }
    let mut usage = after.clone();
    if before.get("ratedProductUsage") != after.get("ratedProductUsage") {
        name_product(&mut usage);
    }
    // It keeps its state until it is rated, but for what was refused, which is tried again.
    let state = match state {
        State::Rejected => State::Recycled,
        State::Received
        | State::Guided
        | State::Rated
        | State::Rerated
        | State::Recycled
        | State::Billed => state,
    };
    Ok(Change::Rate(changed(&usage, state, &[("rejection", Value::Null)])))
}

/// Whether a client may remove a usage.
pub fn check_removal(before: &Value) -> Result<(), Refused> {
    match status_of(before) {
        Ok(State::Billed) => Err(Refused::Billed { attribute: "id".into() }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A usage that waits until it is rated again: what it cost does not count any more.
pub fn reopened(usage: &Value) -> Result<Value, super::IllegalStep> {
    let before = status_of(usage).unwrap_or(State::Received);
    let state = match before {
        State::Received | State::Recycled => before,
        State::Guided | State::Rated | State::Rerated | State::Rejected | State::Billed => {
            Step::Recycle.after(before)?
        }
    };
    let mut usage = changed(usage, state, &[("rejection", Value::Null)]);
    forget_rating(&mut usage);
    Ok(usage)
}

/// Leaves out what a usage cost. The product stays if the usage names it; what was found by something
/// else is looked for again.
pub(super) fn forget_rating(usage: &mut Value) {
    let line = usage.pointer("/ratedProductUsage/0");
    let by = line.and_then(|line| line.get("guidedBy")?.as_str());
    if by.is_none_or(|by| by == GuidedBy::Product.as_str()) {
        name_product(usage);
    } else if let Some(fields) = usage.as_object_mut() {
        fields.remove("ratedProductUsage");
    }
}

/// Leaves nothing of the rated product but what a client may say of it.
fn name_product(usage: &mut Value) {
    let line = usage.pointer_mut("/ratedProductUsage/0").map(Value::take);
    let Some(fields) = usage.as_object_mut() else { return };
    match line {
        Some(Value::Object(mut line)) if line.contains_key("productRef") => {
            line.retain(|name, _| is_clients(name));
            fields.insert("ratedProductUsage".into(), json!([line]));
        }
        _ => {
            fields.remove("ratedProductUsage");
        }
    }
}

const SERVER: &str = "is set by the server alone";

fn root_wrong(attribute: &str) -> Malformed {
    Malformed { attribute: attribute.into(), problem: SERVER.into() }
}

/// Whether the facts of a usage can be: what depends on its product is checked when that is known.
fn check_facts(root: &Field<'_>, before: &Value, now: Timestamp) -> Result<(), Malformed> {
    if let Some(date) = root.get("usageDate")
        && date.time()? > now.plus_ms(AHEAD_MS_MAX)
    {
        return Err(date.wrong("is more than a day ahead"));
    }
    let mut names = Vec::new();
    for one in root.items("usageCharacteristic")? {
        let name = one.need("name")?;
        if names.contains(&name.text()?) {
            return Err(name.wrong("is there twice"));
        }
        names.push(name.text()?);
    }
    let lines = root.items("ratedProductUsage")?;
    if let Some(more) = lines.get(1) {
        return Err(more.wrong("is a second product: a usage belongs to one"));
    }
    let Some(line) = lines.first() else { return Ok(()) };
    let known = before.pointer("/ratedProductUsage/0");
    let fields = line.value().as_object().ok_or_else(|| line.wrong("is not an object"))?;
    for (name, value) in fields.iter().filter(|(name, _)| !is_clients(name)) {
        if known.and_then(|known| known.get(name)) != Some(value) && !value.is_null() {
            return Err(line.need(name)?.wrong(SERVER));
        }
    }
    line.reference("productRef").map(drop)
}
