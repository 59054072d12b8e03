//! Makes one access for each site of an item.

use ferrule_plugin::role::{Production, Request};
use ferrule_plugin::{Decomposer, Failure};
use serde::Deserialize;
use serde_json::json;

#[cfg(test)]
mod tests;

struct Adapter;

/// The characteristics, as far as they matter here.
#[derive(Deserialize)]
struct Item {
    /// The sites.
    #[serde(default)]
    sites: Vec<String>,
}

impl Decomposer for Adapter {
    fn decompose(request: &Request) -> Result<Vec<Production>, Failure> {
        let item: Item = serde_json::from_str(&request.characteristics).map_err(|cause| {
            let message = format!("the characteristics of `{}`: {cause}", request.spec);
            Failure::reject("CHARACTERISTIC_INVALID", message)
        })?;
        let access = |site: &String| Production {
            spec: "CFS-ACCESS".into(),
            characteristics: json!({ "site": site }).to_string(),
            attributes: Vec::new(),
        };
        Ok(item.sites.iter().map(access).collect())
    }
}

ferrule_plugin::export!(Adapter as Decomposer);
