//! Reads the documents of the catalogs (TMF620, 633, 634) into what decomposition and pricing need
//! of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lifecycle::{Lifecycle, Validity};
use super::{
    Allowed, Bundled, Characteristic, Ends, Offering, Pattern, Relation, RelationKind, Spec,
    SpecKind,
};
use crate::id::SpecId;
use tmf::document::offering::{BundledOffering, ProductOffering, ValueUse};
use tmf::document::specification::{
    AllowedValue, CharacteristicSpecification, Relationship, Specification,
};
use tmf::document::{Reference, read};

pub(super) fn offering(document: ProductOffering, name: String) -> Result<Offering, String> {
    let bundles = document.bundled_product_offering.into_iter().map(bundled);
    let bundles = bundles.collect::<Result<Vec<_>, String>>()?;
    let spec = document.product_specification.and_then(|spec| spec.id);
    if spec.is_none() && bundles.is_empty() {
        return Err("names neither a `productSpecification` nor a `bundledProductOffering`".into());
    }
    Ok(Offering {
        name,
        spec: spec.map(SpecId::new),
        prices: ids(document.product_offering_price).collect(),
        bundles,
        status: status(document.lifecycle_status.as_deref())?,
        valid: Validity::of(document.valid_for.as_ref())?,
        relations: relations(&document.product_offering_relationship),
        categories: ids(document.category).collect(),
        // The id of a place, or its name.
        places: document.place.into_iter().filter_map(|place| place.id.or(place.name)).collect(),
        values: values_used(document.prod_spec_char_value_use)?,
    })
}

fn bundled(entry: BundledOffering) -> Result<Bundled, String> {
    let option = entry.bundled_product_offering_option.unwrap_or_default();
    let lower = option.number_rel_offer_lower_limit;
    let min = lower.unwrap_or(0);
    Ok(Bundled {
        offering: SpecId::new(entry.id.ok_or("a bundled offering has no `id`")?),
        min,
        is_optional: lower == Some(0),
        max: option.number_rel_offer_upper_limit.unwrap_or(1),
        default: option.number_rel_offer_default.unwrap_or(min),
    })
}

fn relations(entries: &[Relationship]) -> Vec<Relation> {
    let known = entries.iter().filter_map(|entry| {
        let kind = RelationKind::parse(entry.relationship_type.as_deref()?)?;
        Some(Relation { kind, to: SpecId::new(entry.id.as_deref()?) })
    });
    known.collect()
}

/// Where an entity stands; active if it has no `lifecycleStatus`.
pub(super) fn status(word: Option<&str>) -> Result<Lifecycle, String> {
    Lifecycle::parse(word.unwrap_or("Active")).ok_or_else(|| {
        let known = Lifecycle::ALL.map(|status| format!("`{}`", status.as_str())).join(", ");
        format!("`lifecycleStatus` is none of {known}")
    })
}

pub(super) fn specification(
    resource: &str,
    document: Specification,
    name: String,
) -> Result<Spec, String> {
    let characteristics = document.characteristics(resource).iter().map(|entry| {
        let name = entry.name.as_deref().ok_or("a characteristic has no `name`")?;
        let own = characteristic(entry, resource);
        Ok((
            name.to_string(),
            own.map_err(|message| format!("characteristic `{name}`: {message}"))?,
        ))
    });
    let characteristics = characteristics.collect::<Result<_, String>>()?;
    let related = |wanted: &str| -> Vec<SpecId> {
        let related = document.service_spec_relationship.iter();
        let wanted = related.filter(|one| one.relationship_type.as_deref() == Some(wanted));
        wanted.filter_map(|one| one.id.as_deref()).map(SpecId::new).collect()
    };
    let (mut relies_on, depends_on) = (related("reliesOn"), related("dependsOn"));
    let kind = kind(resource, document.kind.as_deref())?;
    relies_on.extend(ids(document.service_specification).map(SpecId::new));
    Ok(Spec {
        kind,
        name,
        characteristics,
        relies_on,
        depends_on,
        resources: ids(document.resource_specification).map(SpecId::new).collect(),
        status: status(document.lifecycle_status.as_deref())?,
        valid: Validity::of(document.valid_for.as_ref())?,
        relations: relations(&document.product_specification_relationship),
    })
}

fn kind(resource: &str, kind: Option<&str>) -> Result<SpecKind, String> {
    match (resource, kind) {
        ("productSpecification", _) => Ok(SpecKind::Product),
        ("resourceSpecification", _) => Ok(SpecKind::Resource),
        (_, Some("CustomerFacingServiceSpecification")) => Ok(SpecKind::CustomerService),
        (_, Some("ResourceFacingServiceSpecification")) => Ok(SpecKind::ResourceService),
        _ => Err("`@type` is neither `CustomerFacingServiceSpecification` nor \
                  `ResourceFacingServiceSpecification`"
            .into()),
    }
}

fn characteristic(
    entry: &CharacteristicSpecification,
    resource: &str,
) -> Result<Characteristic, String> {
    let values = entry.values(resource);
    let default = values.iter().find(|value| value.is_default == Some(true));
    Ok(Characteristic {
        value_type: entry.value_type.as_deref().unwrap_or("string").into(),
        required: entry.min_cardinality.unwrap_or(0) > 0,
        most: entry.max_cardinality.unwrap_or(1).max(1),
        values: allowed(values)?,
        pattern: pattern(entry.regex.as_deref())?,
        default: default.and_then(|value| value.value.clone()),
    })
}

fn pattern(written: Option<&str>) -> Result<Option<Pattern>, String> {
    written.filter(|text| !text.is_empty()).map(Pattern::parse).transpose()
}

/// The values that entries of TM Forum's `CharacteristicValueSpecification` allow.
fn allowed(values: &[AllowedValue]) -> Result<Vec<Allowed>, String> {
    let mut allowed = Vec::new();
    for value in values {
        match (value.range(), pattern(value.regex.as_deref())?) {
            ((None, None), None) => allowed.extend(value.value.clone().map(Allowed::Value)),
            ((None, None), Some(pattern)) => allowed.push(Allowed::Pattern(pattern)),
            ((from, to), _) => allowed.push(Allowed::Range {
                from: from.unwrap_or(f64::NEG_INFINITY),
                to: to.unwrap_or(f64::INFINITY),
                ends: Ends::parse(value.range_interval.as_deref().unwrap_or("closed")),
            }),
        }
    }
    Ok(allowed)
}

/// A pattern of a document that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongPattern {
    /// The attribute, such as `specCharacteristic[0].regex`.
    pub path: String,
    /// Why.
    pub message: String,
}

/// Checks that the patterns of a document can be compiled, of drafts too. The document is one that a
/// client wrote, of any resource of the catalogs.
pub fn check_patterns(document: &Value) -> Result<(), WrongPattern> {
    let specification: Specification = read(document).map_err(|wrong| {
        let message = wrong.to_string();
        WrongPattern { path: wrong.attribute, message }
    })?;
    let check = |regex: &Option<String>, at: &str| {
        let wrong = |message| WrongPattern { path: format!("{at}.regex"), message };
        pattern(regex.as_deref()).map(drop).map_err(wrong)
    };
    for (resource, name, values) in Specification::CHARACTERISTICS {
        for (position, own) in specification.characteristics(resource).iter().enumerate() {
            let at = format!("{name}[{position}]");
            check(&own.regex, &at)?;
            for (position, value) in own.values(resource).iter().enumerate() {
                check(&value.regex, &format!("{at}.{values}[{position}]"))?;
            }
        }
    }
    Ok(())
}

/// Adds what TM Forum wants of every entity and a person need not write.
pub(super) fn complete(entity: &Value, resource: &str, path: &str, id: &str) -> Value {
    let mut document = entity.as_object().cloned().unwrap_or_default();
    let mut default = |name: &str, value: Value| {
        document.entry(name).or_insert(value);
    };
    default("href", json!(format!("{path}/{id}")));
    default("version", json!(tmf::new::FIRST_VERSION));
    default("lifecycleStatus", json!("Active"));
    default("isBundle", json!(entity.get("bundledProductOffering").is_some()));
    default("@type", json!(tmf::resource::capitalised(resource)));
    Value::Object(document)
}

pub(super) fn ids(references: Vec<Reference>) -> impl Iterator<Item = String> {
    references.into_iter().filter_map(|reference| reference.id)
}

/// The values of characteristics that a price or an offering names.
pub(super) fn values_used(uses: Vec<ValueUse>) -> Result<BTreeMap<String, Vec<Allowed>>, String> {
    let uses = uses.into_iter().map(|entry| {
        let name = entry.name.ok_or("an entry of `prodSpecCharValueUse` has no `name`")?;
        Ok((name, allowed(&entry.product_spec_characteristic_value)?))
    });
    uses.collect()
}
