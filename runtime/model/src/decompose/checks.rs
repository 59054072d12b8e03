//! Holds an order against the catalogs: offerings exist and can be ordered, characteristics have
//! allowed values, bundles are complete. Defaults are filled in. Everything that is wrong is
//! reported at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::catalog::{Catalog, Characteristic, Offering, Spec};
use crate::id::SpecId;
use crate::order::{Line, Order};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level};

/// A line that has passed: its specification is known and its characteristics are complete.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CheckedLine {
    pub spec: Option<SpecId>,
    pub title: String,
    pub characteristics: Map<String, Value>,
}

/// Checks every line. The code of the failure is that of the first mistake.
pub(super) fn lines(order: &Order, catalog: &Catalog) -> Result<Vec<CheckedLine>, Failure> {
    let mut mistakes: Vec<(&'static str, FailureClass, String)> = Vec::new();
    let mut checked = Vec::new();
    let mut bundled: BTreeMap<usize, Vec<&SpecId>> = BTreeMap::new();
    for line in &order.lines {
        if let (Some(bundle), Some(offering)) = (line.bundle, &line.offering) {
            bundled.entry(bundle).or_default().push(offering);
        }
    }
    for (index, line) in order.lines.iter().enumerate() {
        let mut found = Vec::new();
        if line.action == Action::Delete {
            // What ceases need not be in the catalog any more.
            checked.push(CheckedLine {
                spec: line.spec.clone(),
                title: String::new(),
                characteristics: line.characteristics.clone(),
            });
            continue;
        }
        let subject = if order.level == Level::Product {
            let bundled = bundled.get(&index).map_or(&[][..], Vec::as_slice);
            product(line, bundled, catalog, &mut found)
        } else {
            specification(line, catalog, &mut found)
        };
        let spec = subject.and_then(|id| Some((id, catalog.specs.get(id)?)));
        let title = spec.map(|(_, spec)| spec.name.clone());
        let offering = line.offering.as_ref().and_then(|id| catalog.offerings.get(id));
        checked.push(CheckedLine {
            spec: spec.map(|(id, _)| id.clone()),
            title: title.or_else(|| Some(offering?.name.clone())).unwrap_or_default(),
            characteristics: spec
                .map_or_else(Map::new, |(_, spec)| characteristics(line, spec, &mut found)),
        });
        let named = found
            .into_iter()
            .map(|(code, class, message)| (code, class, format!("item `{}`: {message}", line.id)));
        mistakes.extend(named);
    }
    match mistakes.first() {
        None => Ok(checked),
        Some((code, class, _)) => {
            let messages: Vec<_> =
                mistakes.iter().map(|(_, _, message)| message.as_str()).collect();
            Err(Failure::new(*class, code, messages.join("; ")))
        }
    }
}

type Mistakes = Vec<(&'static str, FailureClass, String)>;

/// Checks what a product line offers; answers with its specification.
fn product<'a>(
    line: &'a Line,
    bundled: &[&SpecId],
    catalog: &'a Catalog,
    found: &mut Mistakes,
) -> Option<&'a SpecId> {
    let mut reject = |code, message| found.push((code, FailureClass::Reject, message));
    let Some(id) = &line.offering else {
        if line.spec.is_none() {
            reject("ITEM_WITHOUT_OFFERING", "names no productOffering".into());
        }
        return line.spec.as_ref();
    };
    let Some(offering) = catalog.offerings.get(id) else {
        reject("OFFERING_UNKNOWN", format!("the catalog has no productOffering `{id}`"));
        return None;
    };
    if !offering.orderable && line.action == Action::Add {
        reject("OFFERING_NOT_ORDERABLE", format!("productOffering `{id}` is not active"));
    }
    if let (Some(named), Some(offered)) = (&line.spec, &offering.spec)
        && named != offered
    {
        reject("SPEC_MISMATCH", format!("`{id}` offers `{offered}`, not `{named}`"));
    }
    if line.action == Action::Add {
        for message in bundle(bundled, offering) {
            reject("BUNDLE_CARDINALITY", message);
        }
    }
    offering.spec.as_ref()
}

/// Whether a bundle has as many of each offering as it may.
fn bundle(offerings: &[&SpecId], offering: &Offering) -> Vec<String> {
    let mut wrong: Vec<String> = offering
        .bundles
        .iter()
        .filter_map(|bundled| {
            let count = offerings.iter().filter(|id| **id == &bundled.offering).count() as u64;
            let (min, max) = (bundled.min, bundled.max);
            (count < min || count > max)
                .then(|| format!("has {count} of `{}`, may have {min} to {max}", bundled.offering))
        })
        .collect();
    let stray = offerings.iter().filter(|id| {
        !offering.bundles.is_empty() && !offering.bundles.iter().any(|b| &b.offering == **id)
    });
    wrong.extend(stray.map(|id| format!("`{id}` is not part of this bundle")));
    wrong
}

/// The specification of a service or a resource line. One that no catalog has waits for a person:
/// the rule may be added and the order tried again.
fn specification<'a>(
    line: &'a Line,
    catalog: &Catalog,
    found: &mut Mistakes,
) -> Option<&'a SpecId> {
    match &line.spec {
        Some(spec) if catalog.specs.contains_key(spec) => Some(spec),
        Some(spec) => {
            let message = format!("no catalog has the specification `{spec}`: add it to a pack");
            found.push(("DECOMP_NO_RULE", FailureClass::Person, message));
            None
        }
        None => {
            let message = "names no specification, so no rule can match it".into();
            found.push(("DECOMP_NO_RULE", FailureClass::Person, message));
            None
        }
    }
}

/// The line's characteristics with defaults filled in; what is wrong with them is reported.
fn characteristics(line: &Line, spec: &Spec, found: &mut Mistakes) -> Map<String, Value> {
    let mut complete = line.characteristics.clone();
    let mut reject = |code, message| found.push((code, FailureClass::Reject, message));
    for (name, value) in &line.characteristics {
        match spec.characteristics.get(name) {
            None => {
                let message = format!("`{}` has no characteristic `{name}`", spec.name);
                reject("CHARACTERISTIC_UNKNOWN", message);
            }
            Some(characteristic) => {
                if let Some(message) = mistake(name, value, characteristic) {
                    reject("CHARACTERISTIC_VALUE", message);
                }
            }
        }
    }
    if line.action != Action::Add {
        return complete;
    }
    for (name, characteristic) in &spec.characteristics {
        match (&characteristic.default, complete.contains_key(name)) {
            (_, true) => {}
            (Some(default), false) => {
                complete.insert(name.clone(), default.clone());
            }
            (None, false) if characteristic.required => {
                let message = format!("the characteristic `{name}` is mandatory");
                reject("CHARACTERISTIC_MISSING", message);
            }
            (None, false) => {}
        }
    }
    complete
}

fn mistake(name: &str, value: &Value, characteristic: &Characteristic) -> Option<String> {
    if !characteristic.fits(value) {
        let wanted = &characteristic.value_type;
        return Some(format!("`{name}` is of type {wanted}, not `{value}`"));
    }
    (!characteristic.allows(value))
        .then(|| format!("`{name}` cannot be {value}; allowed are {}", characteristic.describe()))
}
