//! Validates an order against the catalogs: offerings exist and can be ordered, characteristics have
//! allowed values, bundles are complete. Defaults are filled in. All mistakes are reported at once.

mod together;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::catalog::{Catalog, Characteristic, Offering, Spec, SpecKind};
use crate::codes::FailureCode;
use crate::id::SpecId;
use crate::order::{Form, Line, Order};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level};
use tmf::document::Characteristics;

/// An order after validation against the catalogs.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The lines with their defaults, in the order's order.
    pub lines: Vec<CheckedLine>,
    /// What is wrong with them, in the same order.
    pub mistakes: Vec<Mistake>,
}

/// A line with its specification looked up and its defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedLine {
    /// Its specification, where the catalogs have it.
    pub spec: Option<SpecId>,
    /// The name of the specification, else of the offering.
    pub title: String,
    /// Its characteristics.
    pub characteristics: Characteristics,
}

/// Something that is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The id of the item.
    pub item: String,
    /// What is wrong, for programs.
    pub code: FailureCode,
    /// Who must act.
    pub class: FailureClass,
    /// What is wrong, for people.
    pub message: String,
}

/// Checks every line. The code of the failure is that of the first mistake.
pub(super) fn lines(order: &Order, catalog: &Catalog) -> Result<Vec<CheckedLine>, Failure> {
    let Checked { lines, mistakes } = check(order, catalog);
    let Some(first) = mistakes.first() else {
        return Ok(lines);
    };
    let messages = mistakes.iter().map(|found| format!("item `{}`: {}", found.item, found.message));
    let messages: Vec<String> = messages.collect();
    let failure = Failure::new(first.class, &first.code, messages.join("; "));
    let line = order.lines.iter().find(|line| line.id == first.item);
    let path = line.map_or_else(String::new, |line| attribute(order.level, line, &first.code));
    Err(failure.about(path))
}

/// The attribute of an order that a mistake of a line is about.
pub(super) fn attribute(level: Level, line: &Line, code: &FailureCode) -> String {
    let form = Form::of(level);
    let (path, subject) = (&line.path, form.subject());
    use FailureCode as Code;
    if matches!(
        code,
        Code::OfferingUnknown | Code::OfferingNotOrderable | Code::ItemWithoutOffering
    ) {
        return format!("{path}.productOffering");
    }
    if matches!(code, Code::SpecUnknown | Code::SpecMismatch | Code::DecompNoRule) {
        return format!("{path}.{subject}.{}", form.spec());
    }
    if code.is_of_characteristic() {
        return format!("{path}.{subject}.{}", form.characteristics());
    }
    if *code == Code::BundleCardinality {
        return format!("{path}.{}", form.items());
    }
    path.clone()
}

/// Validates an order against the catalogs. Configurations, quotes and qualifications are validated by
/// the same function: a configuration that passes can be ordered.
pub fn check(order: &Order, catalog: &Catalog) -> Checked {
    let mut checked = Checked { lines: Vec::new(), mistakes: Vec::new() };
    let mut bundled: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
    for line in &order.lines {
        if let Some(bundle) = line.bundle {
            bundled.entry(bundle).or_default().push(line);
        }
    }
    for (index, line) in order.lines.iter().enumerate() {
        let mut found = Vec::new();
        if matches!(line.action, Action::Delete | Action::NoChange) {
            checked.lines.push(unchecked(line, catalog));
            continue;
        }
        let subject = if order.level == Level::Product {
            let bundled = bundled.get(&index).map_or(&[][..], Vec::as_slice);
            product(order, line, bundled, catalog, &mut found)
        } else {
            specification(line, catalog, &mut found)
        };
        let spec = subject.and_then(|id| Some((id, catalog.specs.get(id)?)));
        let offering = line.offering.as_ref().and_then(|id| catalog.offerings.get(id));
        checked.lines.push(CheckedLine {
            spec: spec.map(|(id, _)| id.clone()),
            title: title(spec.map(|(_, spec)| spec), offering),
            characteristics: spec.map_or_else(Characteristics::new, |(_, spec)| {
                characteristics(line, spec, offering, &mut found)
            }),
        });
        if order.level == Level::Product {
            together::line(order, index, catalog, &mut found);
        }
        let item = |(code, class, message)| Mistake { item: line.id.clone(), code, class, message };
        checked.mistakes.extend(found.into_iter().map(item));
    }
    checked
}

/// A line of what ceases or stays as it is: the catalog need not have it any more.
fn unchecked(line: &Line, catalog: &Catalog) -> CheckedLine {
    let offering = line.offering.as_ref().and_then(|id| catalog.offerings.get(id));
    let spec = line.spec.as_ref().or_else(|| offering?.spec.as_ref());
    let known = spec.and_then(|id| catalog.specs.get(id));
    CheckedLine {
        spec: spec.cloned(),
        title: title(known, offering),
        characteristics: line.characteristics.clone(),
    }
}

/// The name of a specification, else of an offering.
fn title(spec: Option<&Spec>, offering: Option<&Offering>) -> String {
    let name = spec.map(|spec| &spec.name).or_else(|| Some(&offering?.name));
    name.cloned().unwrap_or_default()
}

type Mistakes = Vec<(FailureCode, FailureClass, String)>;

/// Checks what a product line offers; answers with its specification.
fn product<'a>(
    order: &Order,
    line: &'a Line,
    bundled: &[&Line],
    catalog: &'a Catalog,
    found: &mut Mistakes,
) -> Option<&'a SpecId> {
    let mut reject = |code, message| found.push((code, FailureClass::Reject, message));
    let Some(id) = &line.offering else {
        match &line.spec {
            None => reject(FailureCode::ItemWithoutOffering, "names no productOffering".into()),
            Some(id) => match catalog.why_unready("productSpecification", id.as_str()) {
                Some(why) => {
                    let message = format!("productSpecification `{id}` cannot be ordered: {why}");
                    reject(FailureCode::SpecUnknown, message);
                }
                None if !is_product(catalog, id) && line.action == Action::Add => {
                    let message = format!(
                        "the catalog has no productSpecification `{id}`: name one that it has, or \
                         a productOffering"
                    );
                    reject(FailureCode::SpecUnknown, message);
                }
                None => {}
            },
        }
        return line.spec.as_ref();
    };
    let Some(offering) = catalog.offerings.get(id) else {
        match catalog.why_unready("productOffering", id.as_str()) {
            Some(why) => reject(
                FailureCode::OfferingNotOrderable,
                format!("productOffering `{id}` cannot be ordered: {why}"),
            ),
            None => {
                reject(
                    FailureCode::OfferingUnknown,
                    format!("the catalog has no productOffering `{id}`"),
                );
            }
        }
        return None;
    };
    if line.action == Action::Add && !offering.status.is_on_sale() {
        let status = offering.status.as_str();
        let message = format!("productOffering `{id}` is `{status}`, not `Active` or `Launched`");
        reject(FailureCode::OfferingNotOrderable, message);
    } else if line.action == Action::Add && !offering.is_on_sale(order.at) {
        reject(
            FailureCode::OfferingNotOrderable,
            format!("productOffering `{id}` is not valid today"),
        );
    }
    if let (Some(named), Some(offered)) = (&line.spec, &offering.spec)
        && named != offered
    {
        reject(FailureCode::SpecMismatch, format!("`{id}` offers `{offered}`, not `{named}`"));
    }
    if line.action == Action::Add {
        for message in bundle(bundled, offering) {
            reject(FailureCode::BundleCardinality, message);
        }
    }
    offering.spec.as_ref()
}

/// Whether the catalog has a product specification of this id.
fn is_product(catalog: &Catalog, id: &SpecId) -> bool {
    catalog.specs.get(id).is_some_and(|spec| spec.kind == SpecKind::Product)
}

/// Whether a bundle has as many of each offering as it may.
fn bundle(lines: &[&Line], offering: &Offering) -> Vec<String> {
    let mut wrong: Vec<String> = offering
        .bundles
        .iter()
        .filter_map(|bundled| {
            let own = lines.iter().filter(|line| line.offering.as_ref() == Some(&bundled.offering));
            let count: u64 = own.map(|line| u64::from(line.quantity)).sum();
            let (min, max) = (bundled.min, bundled.max);
            (count < min || count > max)
                .then(|| format!("has {count} of `{}`, may have {min} to {max}", bundled.offering))
        })
        .collect();
    let stray = lines.iter().filter_map(|line| line.offering.as_ref()).filter(|id| {
        !offering.bundles.is_empty() && !offering.bundles.iter().any(|b| b.offering == **id)
    });
    wrong.extend(stray.map(|id| format!("`{id}` is not part of this bundle")));
    wrong
}

/// The specification of a service or a resource line.
fn specification<'a>(
    line: &'a Line,
    catalog: &Catalog,
    found: &mut Mistakes,
) -> Option<&'a SpecId> {
    match &line.spec {
        Some(spec) if catalog.specs.contains_key(spec) => Some(spec),
        Some(spec) => {
            let mut reasons = SpecKind::RESOURCES.iter();
            let why = reasons.find_map(|resource| catalog.why_unready(resource, spec.as_str()));
            let message = match why {
                Some(why) => format!("the specification `{spec}` cannot be ordered: {why}"),
                None => {
                    format!(
                        "no catalog has the specification `{spec}`: name one that a catalog has"
                    )
                }
            };
            found.push((FailureCode::SpecUnknown, FailureClass::Reject, message));
            None
        }
        None => {
            let message = "names no specification: name one that a catalog has".into();
            found.push((FailureCode::SpecUnknown, FailureClass::Reject, message));
            None
        }
    }
}

/// The line's characteristics with defaults filled in; what is wrong with them is reported.
fn characteristics(
    line: &Line,
    spec: &Spec,
    offering: Option<&Offering>,
    found: &mut Mistakes,
) -> Characteristics {
    let mut complete = line.characteristics.clone();
    let mut reject = |code, message| found.push((code, FailureClass::Reject, message));
    for (name, value) in &line.characteristics {
        match spec.characteristics.get(name) {
            None => {
                let message = format!("`{}` has no characteristic `{name}`", spec.name);
                reject(FailureCode::CharacteristicUnknown, message);
            }
            Some(characteristic) => {
                if let Some(message) = offered(offering, name, characteristic).mistake(name, value)
                {
                    reject(FailureCode::CharacteristicValue, message);
                }
            }
        }
    }
    if line.action != Action::Add {
        return complete;
    }
    for (name, characteristic) in &spec.characteristics {
        if complete.contains(name) {
            continue;
        }
        let characteristic = offered(offering, name, characteristic);
        if let Some(default) = &characteristic.default {
            complete.insert(name.as_str(), default.clone());
        } else if characteristic.required {
            let message = format!("the characteristic `{name}` is mandatory");
            reject(FailureCode::CharacteristicMissing, message);
        }
    }
    complete
}

/// A characteristic of a specification as an offering, if there is one, has it.
fn offered<'a>(
    offering: Option<&Offering>,
    name: &str,
    characteristic: &'a Characteristic,
) -> Cow<'a, Characteristic> {
    match offering {
        Some(offering) => offering.offers(name, characteristic),
        None => Cow::Borrowed(characteristic),
    }
}
