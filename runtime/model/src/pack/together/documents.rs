//! Checks the documents of a catalog beyond what reading them finds: values that contradict their
//! characteristic, relations to what is of another kind, and bundles that cannot be complete.

use std::collections::BTreeSet;

use super::Whole;
use super::values::word;
use crate::catalog::{Characteristic, Spec, SpecKind};
use crate::id::SpecId;
use crate::pack::reader::Reader;
use crate::pack::{CATALOG, Code, Pack};
use crate::places::Place;
use tmf::document;
use tmf::document::offering::ProductOffering;
use tmf::document::specification::{AllowedValue, Specification};
use tmf::nearest::nearest;

/// The types that a value may have.
const TYPES: &[&str] = &[
    "string", "number", "integer", "float", "decimal", "boolean", "dateTime", "date", "object",
    "array",
];

pub(super) fn documents(reader: &mut Reader<'_>, pack: &Pack, whole: &Whole<'_>) {
    let tree = reader.tree(CATALOG);
    for (resource, own, values) in Specification::CHARACTERISTICS {
        for (id, document) in pack.catalog.documents.get(resource).into_iter().flatten() {
            let Some(spec) = pack.catalog.specs.get(&SpecId::new(id)) else { continue };
            // A document of the catalog could be read before.
            let Ok(document) = document::read::<Specification>(document) else { continue };
            let place = tree.root().get(resource).entry("id", id);
            let mut names = BTreeSet::new();
            for (index, entry) in document.characteristics(resource).iter().enumerate() {
                let place = place.get(own).at(index);
                let name = entry.name.as_deref().unwrap_or_default();
                if !names.insert(name) {
                    let message = format!("the characteristic `{name}` occurs twice");
                    reader.report(Code::Twice, CATALOG, place.get("name"), message, None);
                } else if let Some(known) = spec.characteristics.get(name) {
                    let values = (values, entry.values(resource));
                    characteristic(reader, (place, name), known, values);
                }
            }
            kinds(reader, place, spec, whole);
        }
    }
    for (id, document) in pack.catalog.documents.get("productOffering").into_iter().flatten() {
        let Ok(document) = document::read::<ProductOffering>(document) else { continue };
        offering(reader, tree.root().get("productOffering").entry("id", id), &document, whole);
    }
}

fn characteristic(
    reader: &mut Reader<'_>,
    (place, name): (Place<'_>, &str),
    known: &Characteristic,
    (attribute, values): (&str, &[AllowedValue]),
) {
    let own = known.value_type.as_str();
    if !TYPES.contains(&own)
        && let Some(meant) = nearest(own, TYPES.iter().copied())
    {
        let message = format!("no type is called `{own}`");
        let help = Some(format!("is `{meant}` meant?"));
        reader.report(Code::Value, CATALOG, place.get("valueType"), message, help);
    }
    let mut defaults = 0;
    for (index, entry) in values.iter().enumerate() {
        let place = place.get(attribute).at(index);
        if let Some(value) = &entry.value {
            let several = known.most > 1 && value.is_array();
            if !several && !known.fits_one(value) {
                let message = format!("`{name}` is of type {own}, not `{value}`");
                reader.report(Code::Value, CATALOG, place.get("value"), message, None);
            } else if known.pattern.as_ref().is_some_and(|pattern| !pattern.matches(value)) {
                let message = format!("`{name}` cannot be {value}: its `regex` does not match");
                reader.report(Code::Value, CATALOG, place.get("value"), message, None);
            }
        }
        range(reader, place, entry);
        if entry.is_default == Some(true) {
            defaults += 1;
            let place = place.get("isDefault");
            if defaults > 1 {
                let message = format!("`{name}` has two defaults");
                reader.report(Code::Contradiction, CATALOG, place, message, None);
            } else if entry.value.is_none() {
                let message = format!("a range is no default, so `{name}` has none");
                let help = "add the default as a `value` of its own".to_string();
                reader.warn(Code::Value, (CATALOG, place), message, Some(help));
            }
        }
    }
}

fn range(reader: &mut Reader<'_>, place: Place<'_>, entry: &AllowedValue) {
    if let (Some(from), Some(to)) = entry.range()
        && from > to
    {
        let message = format!("no value is from {from} to {to}");
        reader.report(Code::Value, CATALOG, place.get("valueFrom"), message, None);
    }
}

/// Reports references to specifications of another kind than the relation is about.
fn kinds(reader: &mut Reader<'_>, place: Place<'_>, spec: &Spec, whole: &Whole<'_>) {
    let services = spec.relies_on.iter().chain(&spec.depends_on).map(|id| (id, "a service"));
    let resources = spec.resources.iter().map(|id| (id, "a resource"));
    for (id, wanted) in services.chain(resources) {
        let Some(own) = whole.catalog.specs.get(id).map(|spec| spec.kind) else { continue };
        if word(own) != wanted {
            let message = format!("`{id}` is {}, and {wanted} is meant", word(own));
            reader.report(Code::WrongKind, CATALOG, place.find(id.as_str()), message, None);
        }
    }
}

fn offering(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    document: &ProductOffering,
    whole: &Whole<'_>,
) {
    let reference = document.product_specification.as_ref().and_then(|of| of.id.as_deref());
    let spec = reference.and_then(|id| whole.catalog.specs.get(&SpecId::new(id)));
    if let Some(spec) = spec.filter(|spec| spec.kind != SpecKind::Product) {
        let place = place.get("productSpecification").get("id");
        let message = format!(
            "`{}` is {}, and a product is meant",
            reference.unwrap_or_default(),
            word(spec.kind)
        );
        reader.report(Code::WrongKind, CATALOG, place, message, None);
        return;
    }
    bundles(reader, place, document);
    let Some(spec) = spec else { return };
    let uses = "prodSpecCharValueUse";
    let values = "productSpecCharacteristicValue";
    for (index, entry) in document.prod_spec_char_value_use.iter().enumerate() {
        let (place, name) = (place.get(uses).at(index), entry.name.as_deref().unwrap_or_default());
        let Some(known) = spec.characteristics.get(name) else {
            let help = nearest(name, spec.characteristics.keys().map(String::as_str));
            let help = help.map(|meant| format!("is `{meant}` meant?"));
            let message = format!("`{}` has no characteristic `{name}`", spec.name);
            reader.report(Code::UnknownCharacteristic, CATALOG, place.get("name"), message, help);
            continue;
        };
        for (index, entry) in entry.product_spec_characteristic_value.iter().enumerate() {
            let place = place.get(values).at(index).get("value");
            let Some(value) = entry.value.as_ref().filter(|value| !known.allows(value)) else {
                continue;
            };
            let message = format!("`{name}` cannot be {value}; allowed are {}", known.describe());
            reader.report(Code::Value, CATALOG, place, message, None);
        }
    }
}

fn bundles(reader: &mut Reader<'_>, place: Place<'_>, document: &ProductOffering) {
    for (index, entry) in document.bundled_product_offering.iter().enumerate() {
        let option = entry.bundled_product_offering_option.as_ref();
        let lower = option.and_then(|option| option.number_rel_offer_lower_limit).unwrap_or(0);
        let upper = option.and_then(|option| option.number_rel_offer_upper_limit).unwrap_or(1);
        let default = option.and_then(|option| option.number_rel_offer_default).unwrap_or(lower);
        let place = place.get("bundledProductOffering").at(index);
        let place = place.get("bundledProductOfferingOption");
        if lower > upper {
            let message = format!("a bundle cannot have {lower} or more and at most {upper}");
            let place = place.get("numberRelOfferLowerLimit");
            let help = "`numberRelOfferUpperLimit` is 1 if it is not given".to_string();
            reader.report(Code::Contradiction, CATALOG, place, message, Some(help));
        } else if !(lower..=upper).contains(&default) {
            let message = format!("the default {default} is not from {lower} to {upper}");
            let place = place.get("numberRelOfferDefault");
            reader.report(Code::Value, CATALOG, place, message, None);
        }
    }
}
