//! A catalog made of the documents of the store instead of a pack's file. What is on sale must be
//! whole; what is still being designed may be unfinished, and is left out until it is not.

use serde_json::Value;

use super::read::{status, text};
use super::{Catalog, CatalogError, RESOURCES};
use crate::catalog::Lifecycle;
use crate::id::SpecId;

/// A reference of an entity to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dangling {
    /// The kind of the entity that names the other, such as `productOffering`.
    pub resource: &'static str,
    /// Its id.
    pub entity: String,
    /// What it names.
    pub missing: String,
}

impl Catalog {
    /// Reads documents, each with its resource; those of other resources are passed over. All
    /// errors are reported, not just the first.
    pub fn of_documents<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Result<Self, Vec<CatalogError>> {
        let mut catalog = Self::default();
        let mut errors = Vec::new();
        for (name, document) in documents {
            let Some(&(resource, path)) = RESOURCES.iter().find(|(known, _)| *known == name) else {
                continue;
            };
            let Err(message) = catalog.add(resource, path, document) else {
                continue;
            };
            let id = text(document, "id").unwrap_or_default().to_string();
            let error = CatalogError { resource, id, message };
            if is_draft(document) {
                catalog.keep(&error.id, resource, document);
                catalog.unfinished.push(error);
            } else {
                errors.push(error);
            }
        }
        catalog.leave_out_unfinished();
        let dangling = catalog.dangling().into_iter().map(|found| {
            let message = format!("names `{}`, which no catalog has ready", found.missing);
            CatalogError { resource: found.resource, id: found.entity, message }
        });
        errors.extend(dangling);
        if errors.is_empty() { Ok(catalog) } else { Err(errors) }
    }

    fn keep(&mut self, id: &str, resource: &str, document: &Value) {
        let documents = self.documents.entry(resource.into()).or_default();
        documents.insert(id.into(), document.clone());
    }

    /// Drafts that name what is not there wait until it is, and so does what names them.
    fn leave_out_unfinished(&mut self) {
        loop {
            let before = self.unfinished.len();
            for Dangling { resource, entity, missing } in self.dangling() {
                let id = SpecId::new(&entity);
                let removed = match resource {
                    "productOffering" => {
                        let draft = |status: Lifecycle| status.is_draft();
                        let is_draft = self.offerings.get(&id).is_some_and(|o| draft(o.status));
                        is_draft && self.offerings.remove(&id).is_some()
                    }
                    "productOfferingPrice" => {
                        let is_draft =
                            self.prices.get(&entity).is_some_and(|price| price.status.is_draft());
                        is_draft && self.prices.remove(&entity).is_some()
                    }
                    _ => {
                        let is_draft =
                            self.specs.get(&id).is_some_and(|spec| spec.status.is_draft());
                        is_draft && self.specs.remove(&id).is_some()
                    }
                };
                if removed {
                    let message = format!("names `{missing}`, which no catalog has ready");
                    self.unfinished.push(CatalogError { resource, id: entity, message });
                }
            }
            if self.unfinished.len() == before {
                return;
            }
        }
    }

    /// References that lead nowhere.
    pub fn dangling(&self) -> Vec<Dangling> {
        let mut found = Vec::new();
        let mut name = |resource, entity: &str, missing: &str| {
            let (entity, missing) = (entity.to_string(), missing.to_string());
            found.push(Dangling { resource, entity, missing });
        };
        for (id, offering) in &self.offerings {
            let bundled = offering.bundles.iter().map(|bundled| &bundled.offering);
            for missing in bundled.filter(|offering| !self.offerings.contains_key(offering)) {
                name("productOffering", id.as_str(), missing.as_str());
            }
            for missing in offering.spec.iter().filter(|spec| !self.specs.contains_key(spec)) {
                name("productOffering", id.as_str(), missing.as_str());
            }
            for missing in offering.prices.iter().filter(|id| !self.prices.contains_key(*id)) {
                name("productOffering", id.as_str(), missing);
            }
        }
        for (id, price) in &self.prices {
            let named = price.parts.iter().chain(price.altered_by.iter().map(|(id, _)| id));
            for missing in named.filter(|id| !self.prices.contains_key(*id)) {
                name("productOfferingPrice", id, missing);
            }
        }
        for (id, spec) in &self.specs {
            let named = spec.relies_on.iter().chain(&spec.depends_on).chain(&spec.resources);
            for missing in named.filter(|named| !self.specs.contains_key(named)) {
                name(spec.kind.resource(), id.as_str(), missing.as_str());
            }
        }
        found
    }
}

/// Whether nobody can have it yet. What calls its state by a word of its own is no more than that.
fn is_draft(document: &Value) -> bool {
    status(document).is_ok_and(Lifecycle::is_draft) || status(document).is_err()
}
