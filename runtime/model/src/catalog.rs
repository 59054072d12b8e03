//! The catalogs: what can be sold (TMF620), and the services (TMF633) and resources (TMF634) that
//! it is made of. A pack brings them as TM Forum documents; what decomposition needs of them is
//! read out once, when the pack is loaded.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::id::SpecId;
use crate::money::{Money, Price, PriceKind};

/// The entities of the catalogs, by kind and id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// What can be ordered.
    pub offerings: BTreeMap<SpecId, Offering>,
    /// Product, service and resource specifications.
    pub specs: BTreeMap<SpecId, Spec>,
    /// Prices.
    pub prices: BTreeMap<String, Price>,
    /// The documents, by resource (such as `productOffering`) and id.
    pub documents: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A product offering.
#[derive(Clone, Debug, PartialEq)]
pub struct Offering {
    /// Its name.
    pub name: String,
    /// What it offers; nothing for a bundle.
    pub spec: Option<SpecId>,
    /// The ids of its prices.
    pub prices: Vec<String>,
    /// What it bundles.
    pub bundles: Vec<Bundled>,
    /// Whether it can be ordered by itself (TMF620 `lifecycleStatus`).
    pub orderable: bool,
}

/// An offering within a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundled {
    /// The offering.
    pub offering: SpecId,
    /// At least so many.
    pub min: u64,
    /// At most so many.
    pub max: u64,
}

/// A specification of any of the three catalogs.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Which catalog and kind it is of.
    pub kind: SpecKind,
    /// Its name.
    pub name: String,
    /// Its characteristics.
    pub characteristics: BTreeMap<String, Characteristic>,
    /// What it is made of: services of a product, services below a service.
    pub relies_on: Vec<SpecId>,
    /// What must be delivered before it.
    pub depends_on: Vec<SpecId>,
    /// The resources that it is made of.
    pub resources: Vec<SpecId>,
}

/// Which catalog and kind a specification is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecKind {
    /// A product.
    Product,
    /// A service that a customer knows.
    CustomerService,
    /// A service that the network knows.
    ResourceService,
    /// A resource.
    Resource,
}

/// A characteristic that instances of a specification have.
#[derive(Clone, Debug, PartialEq)]
pub struct Characteristic {
    /// TM Forum's name of the type: `string`, `number`, `boolean`, `dateTime`…
    pub value_type: String,
    /// Whether every instance must have it.
    pub required: bool,
    /// The values it may have; any where none is listed.
    pub values: Vec<Allowed>,
    /// What it is where the order does not say.
    pub default: Option<Value>,
}

/// A value, or a range of values, that a characteristic may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowed {
    /// Exactly this.
    Value(Value),
    /// A number from here to there.
    Range(f64, f64),
}

/// An entity that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{resource} `{id}`: {message}")]
pub struct CatalogError {
    /// The kind of entity, such as `productOffering`.
    pub resource: &'static str,
    /// Its id, or its position where it has none.
    pub id: String,
    /// What is wrong.
    pub message: String,
}

/// The kinds of entities a catalog file may have, in the order in which they are read, with the
/// base path that serves them.
pub const RESOURCES: [(&str, &str); 5] = [
    ("resourceSpecification", "/tmf-api/resourceCatalog/v4/resourceSpecification"),
    ("serviceSpecification", "/tmf-api/serviceCatalogManagement/v4/serviceSpecification"),
    ("productSpecification", "/tmf-api/productCatalogManagement/v4/productSpecification"),
    ("productOfferingPrice", "/tmf-api/productCatalogManagement/v4/productOfferingPrice"),
    ("productOffering", "/tmf-api/productCatalogManagement/v4/productOffering"),
];

impl Catalog {
    /// Reads the entities of a catalog file: an object of arrays, named as in [`RESOURCES`]. All
    /// errors are reported, not just the first.
    pub fn parse(file: &Value) -> Result<Self, Vec<CatalogError>> {
        let mut catalog = Self::default();
        let mut errors = Vec::new();
        for (resource, path) in RESOURCES {
            let entities = file.get(resource).and_then(Value::as_array);
            for (position, entity) in entities.into_iter().flatten().enumerate() {
                if let Err(message) = catalog.add(resource, path, entity) {
                    let id = entity.get("id").and_then(Value::as_str);
                    let id = id.map_or_else(|| format!("#{position}"), Into::into);
                    errors.push(CatalogError { resource, id, message });
                }
            }
        }
        let known = RESOURCES.map(|(resource, _)| resource);
        for name in file.as_object().into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                let message = format!("not a kind of entity; known are {}", known.join(", "));
                errors.push(CatalogError { resource: "catalog", id: name.clone(), message });
            }
        }
        if errors.is_empty() { Ok(catalog) } else { Err(errors) }
    }

    fn add(&mut self, resource: &str, path: &str, entity: &Value) -> Result<(), String> {
        let id = text(entity, "id").ok_or("`id` is missing")?.to_string();
        let name = text(entity, "name").ok_or("`name` is missing")?.to_string();
        let spec = SpecId::new(&id);
        match resource {
            "productOffering" => {
                self.offerings.insert(spec, offering(entity, name)?);
            }
            "productOfferingPrice" => {
                self.prices.insert(id.clone(), price(entity, &id, name)?);
            }
            _ => {
                self.specs.insert(spec, specification(resource, entity, name)?);
            }
        }
        let document = complete(entity, resource, path, &id);
        let documents = self.documents.entry(resource.into()).or_default();
        match documents.insert(id, document) {
            None => Ok(()),
            Some(_) => Err("the id occurs twice".into()),
        }
    }

    /// Takes in another catalog. Ids that both have are answered.
    pub fn merge(&mut self, other: &Self) -> Vec<String> {
        let mut twice = Vec::new();
        for (resource, documents) in &other.documents {
            let own = self.documents.entry(resource.clone()).or_default();
            for (id, document) in documents {
                if own.insert(id.clone(), document.clone()).is_some() {
                    twice.push(format!("{resource} `{id}`"));
                }
            }
        }
        self.offerings.extend(other.offerings.clone());
        self.specs.extend(other.specs.clone());
        self.prices.extend(other.prices.clone());
        twice
    }

    /// References that lead nowhere: entity and what it names.
    pub fn dangling(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (id, offering) in &self.offerings {
            let bundled = offering.bundles.iter().map(|bundled| &bundled.offering);
            let missing = bundled.filter(|offering| !self.offerings.contains_key(offering));
            found.extend(missing.map(|missing| (id.to_string(), missing.to_string())));
            let spec = offering.spec.iter().filter(|spec| !self.specs.contains_key(spec));
            found.extend(spec.map(|missing| (id.to_string(), missing.to_string())));
            let prices = offering.prices.iter().filter(|price| !self.prices.contains_key(*price));
            found.extend(prices.map(|missing| (id.to_string(), missing.clone())));
        }
        for (id, spec) in &self.specs {
            let named = spec.relies_on.iter().chain(&spec.depends_on).chain(&spec.resources);
            let missing = named.filter(|named| !self.specs.contains_key(named));
            found.extend(missing.map(|missing| (id.to_string(), missing.to_string())));
        }
        found
    }

    /// The prices of an offering.
    pub fn prices_of(&self, offering: &SpecId) -> Vec<Price> {
        let ids = self.offerings.get(offering).map_or(&[][..], |offering| &offering.prices);
        ids.iter().filter_map(|id| self.prices.get(id).cloned()).collect()
    }
}

impl Characteristic {
    /// Whether it may have this value; a number is the same whole or with a zero fraction.
    pub fn allows(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.iter().any(|allowed| allowed.contains(value))
    }

    /// Whether a value is of its type.
    pub fn fits(&self, value: &Value) -> bool {
        match self.value_type.as_str() {
            "number" | "integer" | "float" | "decimal" => value.is_number(),
            "boolean" => value.is_boolean(),
            "string" | "dateTime" | "date" => value.is_string(),
            _ => true,
        }
    }

    /// The allowed values, for a message.
    pub fn describe(&self) -> String {
        let values = self.values.iter().map(|allowed| match allowed {
            Allowed::Value(value) => value.to_string(),
            Allowed::Range(from, to) => format!("{from} to {to}"),
        });
        values.collect::<Vec<_>>().join(", ")
    }
}

impl Allowed {
    fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Value(allowed) => match (allowed.as_f64(), value.as_f64()) {
                (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
                _ => allowed == value,
            },
            Self::Range(from, to) => value.as_f64().is_some_and(|n| n >= *from && n <= *to),
        }
    }
}

fn offering(entity: &Value, name: String) -> Result<Offering, String> {
    let bundles = array(entity, "bundledProductOffering").iter().map(|bundled| {
        let option = bundled.get("bundledProductOfferingOption");
        let limit = |name: &str| option.and_then(|option| option.get(name)?.as_u64());
        Some(Bundled {
            offering: SpecId::new(text(bundled, "id")?),
            min: limit("numberRelOfferLowerLimit").unwrap_or(0),
            max: limit("numberRelOfferUpperLimit").unwrap_or(1),
        })
    });
    let bundles = bundles.collect::<Option<Vec<_>>>().ok_or("a bundled offering has no `id`")?;
    let spec = entity.get("productSpecification").and_then(|spec| text(spec, "id"));
    if spec.is_none() && bundles.is_empty() {
        return Err("names neither a `productSpecification` nor a `bundledProductOffering`".into());
    }
    let status = text(entity, "lifecycleStatus").unwrap_or("Active");
    Ok(Offering {
        name,
        spec: spec.map(SpecId::new),
        prices: ids(entity, "productOfferingPrice").collect(),
        bundles,
        orderable: matches!(status, "Active" | "Launched"),
    })
}

fn price(entity: &Value, id: &str, name: String) -> Result<Price, String> {
    let kind = text(entity, "priceType").ok_or("`priceType` is missing")?;
    let kind = PriceKind::from_tmf(kind)
        .ok_or("`priceType` is none of `oneTime`, `recurring`, `usage`")?;
    let amount = entity.get("price").and_then(Money::from_tmf);
    let amount = amount.ok_or("`price` needs `unit` (a currency) and `value` (a number)")?;
    let period = text(entity, "recurringChargePeriodType").unwrap_or("");
    if kind == PriceKind::Recurring && period.is_empty() {
        return Err("a recurring price needs `recurringChargePeriodType`".into());
    }
    Ok(Price { id: id.into(), name, kind, amount, period: period.into() })
}

fn specification(resource: &str, entity: &Value, name: String) -> Result<Spec, String> {
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
            Ok((name.to_string(), characteristic(entry, values)))
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
    })
}

fn characteristic(entry: &Value, values: &str) -> Characteristic {
    let values = array(entry, values);
    let allowed = values.iter().filter_map(|value| {
        let bound = |name: &str| value.get(name).and_then(Value::as_f64);
        match (bound("valueFrom"), bound("valueTo")) {
            (Some(from), Some(to)) => Some(Allowed::Range(from, to)),
            _ => value.get("value").cloned().map(Allowed::Value),
        }
    });
    let default = values.iter().find(|value| value.get("isDefault") == Some(&Value::Bool(true)));
    Characteristic {
        value_type: text(entry, "valueType").unwrap_or("string").into(),
        required: entry.get("minCardinality").and_then(Value::as_u64).unwrap_or(0) > 0,
        values: allowed.collect(),
        default: default.and_then(|value| value.get("value").cloned()),
    }
}

/// Adds what TM Forum wants of every entity and a person need not write.
fn complete(entity: &Value, resource: &str, path: &str, id: &str) -> Value {
    let mut document = entity.as_object().cloned().unwrap_or_default();
    let mut default = |name: &str, value: Value| {
        document.entry(name).or_insert(value);
    };
    default("href", json!(format!("{path}/{id}")));
    default("version", json!("1.0"));
    default("lifecycleStatus", json!("Active"));
    default("isBundle", json!(entity.get("bundledProductOffering").is_some()));
    let mut kind = resource.to_string();
    if let Some(first) = kind.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    default("@type", json!(kind));
    Value::Object(document)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn ids(value: &Value, name: &str) -> impl Iterator<Item = String> {
    array(value, name).iter().filter_map(|entry| text(entry, "id").map(Into::into))
}
