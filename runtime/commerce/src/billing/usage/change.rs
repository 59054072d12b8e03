//! The changes of a usage that a client may make. Its state and its cost are set by the server; facts
//! can be corrected until they are billed, and the usage is rated again then.

use std::collections::BTreeSet;

use super::{GuidedBy, IllegalStep, State, Step};
use tmf::Malformed;
use tmf::document::usage::{RatedProductUsage, Usage};
use tmf::document::{Rest, id_of, write};
use tmf::time::Timestamp;

/// Max time between the clock and a later usage, for clocks that differ: a day.
const AHEAD_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// The problem of an attribute that a client may not set.
const SERVER: &str = "is set by the server alone";

/// Whether a client may set an attribute of a rated product: it identifies the product.
fn is_clients(name: &str) -> bool {
    name == "productRef" || name.starts_with('@')
}

/// The consequence of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Its cost stays as it is.
    Nothing,
    /// It is rated again, from this.
    Rate(Box<Usage>),
}

/// Why a change of a usage is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An attribute is wrong, or is not for clients.
    #[error("{0}")]
    Invalid(Malformed),
    /// It is on a bill.
    #[error("`{attribute}` cannot be changed: the usage is on a bill; adjust that instead")]
    Billed { attribute: String },
}

/// Whether a client may create this usage.
pub fn check_new(usage: &Usage, now: Timestamp) -> Result<(), Malformed> {
    if usage.state() != State::Received {
        return Err(Malformed::new("status", SERVER));
    }
    if usage.rejection.is_some() {
        return Err(Malformed::new("rejection", SERVER));
    }
    check_facts(usage, None, now)
}

/// The consequence of a client's change of a usage.
pub fn follow(before: &Usage, mut after: Usage, now: Timestamp) -> Result<Change, Refused> {
    let (state, wanted) = (before.state(), after.state());
    let fact = changed_fact(before, &after);
    if state == State::Billed {
        let fixed = fact.or_else(|| changed_note(before, &after));
        return match fixed {
            Some(name) => Err(Refused::Billed { attribute: name.to_owned() }),
            None => Ok(Change::Nothing),
        };
    }
    let invalid = |name: &str| Err(Refused::Invalid(Malformed::new(name, SERVER)));
    let asks = match (state, wanted) {
        (State::Rejected, State::Recycled) | (State::Rated, State::Rerated) => true,
        (one, other) if one == other => false,
        _ => return invalid("status"),
    };
    if after.rejection.is_some() && before.rejection != after.rejection {
        return invalid("rejection");
    }
    let line = before.rated_product_usage.first();
    if fact.is_some() {
        check_facts(&after, line, now).map_err(Refused::Invalid)?;
    }
    if fact.is_none() && !asks {
        return Ok(Change::Nothing);
    }
    if before.rated_product_usage != after.rated_product_usage {
        keep_product(&mut after);
    }
    // It keeps its state until it is rated, except that a rejected one is tried again.
    after.status = Some(if state == State::Rejected { State::Recycled } else { state });
    after.rejection = None;
    Ok(Change::Rate(Box::new(after)))
}

/// The first attribute that differs of those that determine the cost of a usage and its product.
fn changed_fact(before: &Usage, after: &Usage) -> Option<&'static str> {
    let facts = [
        ("usageDate", before.usage_date != after.usage_date),
        ("usageSpecification", before.usage_specification != after.usage_specification),
        ("usageCharacteristic", before.usage_characteristic != after.usage_characteristic),
        ("ratedProductUsage", before.rated_product_usage != after.rated_product_usage),
        ("relatedParty", before.related_party != after.related_party),
    ];
    facts.into_iter().find_map(|(name, differs)| differs.then_some(name))
}

/// The first attribute that differs of the others that are fixed once the usage is billed.
fn changed_note(before: &Usage, after: &Usage) -> Option<&'static str> {
    let notes = [
        ("status", before.status != after.status),
        ("usageType", before.usage_type != after.usage_type),
        ("rejection", before.rejection != after.rejection),
    ];
    notes.into_iter().find_map(|(name, differs)| differs.then_some(name))
}

/// Whether a client may remove a usage.
pub fn check_removal(before: &Usage) -> Result<(), Refused> {
    if before.state() == State::Billed {
        return Err(Refused::Billed { attribute: "id".into() });
    }
    Ok(())
}

/// A usage that waits until it is rated again, without its former cost.
pub fn awaiting_rating(mut usage: Usage) -> Result<Usage, IllegalStep> {
    let before = usage.state();
    let state = match before {
        State::Received | State::Recycled => before,
        State::Guided | State::Rated | State::Rerated | State::Rejected | State::Billed => {
            Step::Recycle.after(before)?
        }
    };
    usage.status = Some(state);
    usage.rejection = None;
    forget_rating(&mut usage);
    Ok(usage)
}

/// Removes the cost of a usage. The product stays if the usage names it; one that was found otherwise is
/// looked for again.
pub(super) fn forget_rating(usage: &mut Usage) {
    let guided_by = usage.rated_product_usage.first().and_then(|line| line.guided_by);
    match guided_by {
        None | Some(GuidedBy::Product) => keep_product(usage),
        Some(GuidedBy::Characteristic | GuidedBy::Party) => usage.rated_product_usage.clear(),
    }
}

/// Removes everything of the rated product except for the attributes that a client may set.
fn keep_product(usage: &mut Usage) {
    let line = usage.rated_product_usage.drain(..).next();
    let Some(mut line) = line.filter(|line| line.product_ref.is_some()) else { return };
    let rest = std::mem::take(&mut line.rest);
    usage.rated_product_usage.push(RatedProductUsage {
        product_ref: line.product_ref,
        kind: line.kind,
        rest: rest.into_iter().filter(|(name, _)| is_clients(name)).collect(),
        ..RatedProductUsage::default()
    });
}

/// Whether the facts of a usage are possible. Those that depend on its product are checked when that is
/// known. `known` is the rated product before the change.
fn check_facts(
    usage: &Usage,
    known: Option<&RatedProductUsage>,
    now: Timestamp,
) -> Result<(), Malformed> {
    if let Some(date) = &usage.usage_date
        && date.get("usageDate")?.at() > now.plus_ms(AHEAD_MS_MAX)
    {
        return Err(Malformed::new("usageDate", "is more than a day ahead"));
    }
    let mut names = BTreeSet::new();
    let names = usage.usage_characteristic.iter().map(|one| names.insert(one.name.as_str()));
    if let Some(index) = names.into_iter().position(|is_new| !is_new) {
        return Err(Malformed::new(format!("usageCharacteristic[{index}].name"), "is there twice"));
    }
    match usage.rated_product_usage.as_slice() {
        [] => Ok(()),
        [line] => check_line(line, known).map_err(|wrong| wrong.within("ratedProductUsage[0]")),
        [_, _, ..] => {
            let problem = "is a second product: a usage belongs to one";
            Err(Malformed::new("ratedProductUsage[1]", problem))
        }
    }
}

/// Whether a client changed only attributes of the rated product that it may set.
fn check_line(
    line: &RatedProductUsage,
    known: Option<&RatedProductUsage>,
) -> Result<(), Malformed> {
    let known = known.map(attributes).unwrap_or_default();
    let set = attributes(line);
    let mut changed = set.iter().filter(|(name, _)| !is_clients(name));
    if let Some((name, _)) =
        changed.find(|(name, value)| known.get(*name) != Some(*value) && !value.is_null())
    {
        return Err(Malformed::new(name, SERVER));
    }
    id_of(line.product_ref.as_ref(), "productRef").map(drop)
}

/// All attributes of a rated product by name.
fn attributes(line: &RatedProductUsage) -> Rest {
    write(line).as_object_mut().map(std::mem::take).unwrap_or_default()
}
