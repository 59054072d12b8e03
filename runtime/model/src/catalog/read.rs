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

pub(super) fn offering(entity: &Value, name: String) -> Result<Offering, String> {
    let bundles = array(entity, "bundledProductOffering").iter().map(bundled);
    let bundles = bundles.collect::<Result<Vec<_>, String>>()?;
    let spec = entity.get("productSpecification").and_then(|spec| text(spec, "id"));
    if spec.is_none() && bundles.is_empty() {
        return Err("names neither a `productSpecification` nor a `bundledProductOffering`".into());
    }
    Ok(Offering {
        name,
        spec: spec.map(SpecId::new),
        prices: ids(entity, "productOfferingPrice").collect(),
        bundles,
        status: status(entity)?,
        valid: Validity::of(entity)?,
        relations: relations(entity, "productOfferingRelationship"),
        categories: ids(entity, "category").collect(),
        places: array(entity, "place").iter().filter_map(place).collect(),
        values: values_used(entity)?,
    })
}

fn bundled(entry: &Value) -> Result<Bundled, String> {
    let option = entry.get("bundledProductOfferingOption");
    let limit = |name: &str| option.and_then(|option| option.get(name)?.as_u64());
    let lower = limit("numberRelOfferLowerLimit");
    let min = lower.unwrap_or(0);
    Ok(Bundled {
        offering: SpecId::new(text(entry, "id").ok_or("a bundled offering has no `id`")?),
        min,
        is_optional: lower == Some(0),
        max: limit("numberRelOfferUpperLimit").unwrap_or(1),
        default: limit("numberRelOfferDefault").unwrap_or(min),
    })
}

/// Where something is sold: the id of a place, or its name.
fn place(entry: &Value) -> Option<String> {
    text(entry, "id").or_else(|| text(entry, "name")).map(Into::into)
}

fn relations(entity: &Value, name: &str) -> Vec<Relation> {
    let entries = array(entity, name).iter();
    let known = entries.filter_map(|entry| {
        let kind = RelationKind::parse(text(entry, "relationshipType")?)?;
        Some(Relation { kind, to: SpecId::new(text(entry, "id")?) })
    });
    known.collect()
}

/// Where an entity stands; active if it has no `lifecycleStatus`.
pub(super) fn status(entity: &Value) -> Result<Lifecycle, String> {
    let word = text(entity, "lifecycleStatus").unwrap_or("Active");
    Lifecycle::parse(word).ok_or_else(|| {
        let known = Lifecycle::ALL.map(|status| format!("`{}`", status.as_str())).join(", ");
        format!("`lifecycleStatus` is none of {known}")
    })
}

pub(super) fn specification(resource: &str, entity: &Value, name: String) -> Result<Spec, String> {
    let (kind, characteristics, values) = match resource {
        "productSpecification" => {
            (SpecKind::Product, "productSpecCharacteristic", "productSpecCharacteristicValue")
        }
        "resourceSpecification" => {
            (SpecKind::Resource, "resourceSpecCharacteristic", "resourceSpecCharacteristicValue")
        }
        _ => {
            let kind = match text(entity, "@type") {
                Some("CustomerFacingServiceSpecification") => SpecKind::CustomerService,
                Some("ResourceFacingServiceSpecification") => SpecKind::ResourceService,
                _ => {
                    return Err("`@type` is neither `CustomerFacingServiceSpecification` nor \
                         `ResourceFacingServiceSpecification`"
                        .into());
                }
            };
            (kind, "specCharacteristic", "characteristicValueSpecification")
        }
    };
    let characteristics = array(entity, characteristics)
        .iter()
        .map(|entry| {
            let name = text(entry, "name").ok_or("a characteristic has no `name`")?;
            let own = characteristic(entry, values);
            Ok((
                name.to_string(),
                own.map_err(|message| format!("characteristic `{name}`: {message}"))?,
            ))
        })
        .collect::<Result<_, String>>()?;
    let related = |wanted: &str| -> Vec<SpecId> {
        let related = array(entity, "serviceSpecRelationship").iter();
        let wanted = related.filter(|entry| text(entry, "relationshipType") == Some(wanted));
        wanted.filter_map(|entry| text(entry, "id")).map(SpecId::new).collect()
    };
    let mut relies_on = related("reliesOn");
    relies_on.extend(ids(entity, "serviceSpecification").map(SpecId::new));
    Ok(Spec {
        kind,
        name,
        characteristics,
        relies_on,
        depends_on: related("dependsOn"),
        resources: ids(entity, "resourceSpecification").map(SpecId::new).collect(),
        status: status(entity)?,
        valid: Validity::of(entity)?,
        relations: relations(entity, "productSpecificationRelationship"),
    })
}

fn characteristic(entry: &Value, values: &str) -> Result<Characteristic, String> {
    let values = array(entry, values);
    let count = |name: &str| entry.get(name).and_then(Value::as_u64);
    Ok(Characteristic {
        value_type: text(entry, "valueType").unwrap_or("string").into(),
        required: count("minCardinality").unwrap_or(0) > 0,
        most: count("maxCardinality").unwrap_or(1).max(1),
        values: allowed(values)?,
        pattern: pattern(entry)?,
        default: default_of(values),
    })
}

fn pattern(entry: &Value) -> Result<Option<Pattern>, String> {
    let written = text(entry, "regex").filter(|text| !text.is_empty());
    written.map(Pattern::parse).transpose()
}

/// The value that is marked as the default.
fn default_of(values: &[Value]) -> Option<Value> {
    let default = values.iter().find(|value| value.get("isDefault") == Some(&Value::Bool(true)));
    default.and_then(|value| value.get("value").cloned())
}

/// The values that entries of TM Forum's `CharacteristicValueSpecification` allow.
pub(super) fn allowed(values: &[Value]) -> Result<Vec<Allowed>, String> {
    let allowed = values.iter().filter_map(|value| {
        let bound = |name: &str| value.get(name).and_then(Value::as_f64);
        match (bound("valueFrom"), bound("valueTo"), pattern(value)) {
            (_, _, Err(message)) => Some(Err(message)),
            (None, None, Ok(None)) => value.get("value").cloned().map(Allowed::Value).map(Ok),
            (None, None, Ok(Some(pattern))) => Some(Ok(Allowed::Pattern(pattern))),
            (from, to, Ok(_)) => Some(Ok(Allowed::Range {
                from: from.unwrap_or(f64::NEG_INFINITY),
                to: to.unwrap_or(f64::INFINITY),
                ends: Ends::parse(text(value, "rangeInterval").unwrap_or("closed")),
            })),
        }
    });
    allowed.collect()
}

/// A pattern of a document that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongPattern {
    /// The attribute, such as `specCharacteristic[0].regex`.
    pub path: String,
    /// Why.
    pub message: String,
}

/// Checks that the patterns of a document can be compiled, of drafts too.
pub fn check_patterns(document: &Value) -> Result<(), WrongPattern> {
    const NAMES: [(&str, &str); 3] = [
        ("productSpecCharacteristic", "productSpecCharacteristicValue"),
        ("specCharacteristic", "characteristicValueSpecification"),
        ("resourceSpecCharacteristic", "resourceSpecCharacteristicValue"),
    ];
    let check = |entry: &Value, at: String| {
        let wrong = |message| WrongPattern { path: format!("{at}.regex"), message };
        pattern(entry).map(drop).map_err(wrong)
    };
    for (name, values) in NAMES {
        for (position, own) in array(document, name).iter().enumerate() {
            let at = format!("{name}[{position}]");
            check(own, at.clone())?;
            for (position, value) in array(own, values).iter().enumerate() {
                check(value, format!("{at}.{values}[{position}]"))?;
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

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

pub(super) fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn ids(value: &Value, name: &str) -> impl Iterator<Item = String> {
    array(value, name).iter().filter_map(|entry| text(entry, "id").map(Into::into))
}

/// The values of characteristics that a price or an offering names.
pub(super) fn values_used(entity: &Value) -> Result<BTreeMap<String, Vec<Allowed>>, String> {
    let uses = array(entity, "prodSpecCharValueUse").iter().map(|entry| {
        let name = text(entry, "name").ok_or("an entry of `prodSpecCharValueUse` has no `name`")?;
        Ok((name.to_string(), allowed(array(entry, "productSpecCharacteristicValue"))?))
    });
    uses.collect()
}
