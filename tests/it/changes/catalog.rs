//! The values that a characteristic may have, as the packs' catalogs say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::repository;

/// The packs that sell something.
pub(super) const PACKS: [&str; 3] = ["mobile-4g", "superfibre", "triple-play"];

/// A characteristic of a product specification.
#[derive(Clone)]
pub(super) struct Characteristic {
    pub(super) name: String,
    pub(super) values: Vec<Value>,
}

/// The products in the catalog of a pack.
pub(super) struct Catalog {
    /// The characteristics of each product specification.
    specs: BTreeMap<String, Vec<Characteristic>>,
    /// The product specification of each offering that is no bundle.
    offerings: BTreeMap<String, String>,
}

impl Catalog {
    /// That of a shipped pack.
    pub(super) fn of(pack: &str) -> Self {
        let path = repository().join(format!("workflows/{pack}/catalog.json"));
        let catalog: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let rows = |name: &str| catalog[name].as_array().cloned().unwrap_or_default();
        let id = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let specs = rows("productSpecification").into_iter().map(|spec| {
            let all = spec["productSpecCharacteristic"].as_array().cloned().unwrap_or_default();
            (id(&spec["id"]), all.iter().map(characteristic).collect())
        });
        let offerings = rows("productOffering").into_iter().filter_map(|offering| {
            let spec = offering["productSpecification"]["id"].as_str()?.to_string();
            Some((id(&offering["id"]), spec))
        });
        Self { specs: specs.collect(), offerings: offerings.collect() }
    }

    /// What can be changed of an offering; nothing of a bundle.
    pub(super) fn of_offering(&self, offering: &str) -> &[Characteristic] {
        let spec = self.offerings.get(offering);
        spec.and_then(|spec| self.specs.get(spec)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn characteristic(said: &Value) -> Characteristic {
    let name = said["name"].as_str().unwrap().to_string();
    let listed = said["productSpecCharacteristicValue"].as_array().cloned().unwrap_or_default();
    let mut values: Vec<Value> = listed.iter().flat_map(listed_values).collect();
    if values.is_empty() {
        values = match said["valueType"].as_str() {
            Some("boolean") => vec![json!(true), json!(false)],
            Some("number") => vec![json!(1), json!(2)],
            Some("dateTime") => vec![json!("2020-01-01T00:00:00Z"), json!("2021-01-01T00:00:00Z")],
            _ => vec![json!(format!("{name}-a")), json!(format!("{name}-b"))],
        };
    }
    Characteristic { name, values }
}

/// A value; of a range the ends and the middle.
fn listed_values(listed: &Value) -> Vec<Value> {
    let (Some(from), Some(to)) = (listed["valueFrom"].as_i64(), listed["valueTo"].as_i64()) else {
        return vec![listed["value"].clone()];
    };
    vec![json!(from), json!(i64::midpoint(from, to)), json!(to)]
}
