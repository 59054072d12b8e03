//! A catalog made of the documents of the store instead of a pack's file. A document may be
//! unfinished, or come from another system and be of no use here: it is left out until it is usable.

use serde_json::Value;

use super::{Catalog, Lifecycle, RESOURCES, SpecKind};
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
    /// Reads documents, each with its resource; those of other resources are passed over. What
    /// cannot be used, and what needs it, is left out, with the reason under
    /// [`unready`](Self::unready). Of two specifications of one id the first is used.
    pub fn of_documents<'a>(documents: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut catalog = Self::default();
        for (name, document) in documents {
            let Some(&(resource, path)) = RESOURCES.iter().find(|(known, _)| *known == name) else {
                continue;
            };
            let id = document.get("id").and_then(Value::as_str).unwrap_or_default().to_string();
            let wrong = match catalog.other_specification(resource, &id) {
                Some(message) => Err(message),
                None => catalog.add(resource, path, document),
            };
            if let Err(message) = wrong {
                let documents = catalog.documents.entry(resource.into()).or_default();
                documents.insert(id.clone(), document.clone());
                catalog.unready.insert((resource, id), message);
            }
        }
        catalog.leave_out_dangling();
        catalog
    }

    /// Why a specification cannot be used beside one of the same id in another catalog: orders and
    /// rules name specifications by id alone.
    fn other_specification(&self, resource: &str, id: &str) -> Option<String> {
        let is_specification = SpecKind::RESOURCES.contains(&resource);
        let other = self.specs.get(&SpecId::new(id)).filter(|_| is_specification)?.kind.resource();
        let message = format!(
            "a {other} has the id `{id}` too: ids are unique among the specifications of products, \
             services and resources that are ordered"
        );
        (other != resource).then_some(message)
    }

    /// Leaves out what names what is not there, and then what names that.
    fn leave_out_dangling(&mut self) {
        loop {
            let dangling = self.dangling();
            if dangling.is_empty() {
                return;
            }
            for Dangling { resource, entity, missing } in dangling {
                let id = SpecId::new(&entity);
                match resource {
                    "productOffering" => drop(self.offerings.remove(&id)),
                    "productOfferingPrice" => drop(self.prices.remove(&entity)),
                    _ => drop(self.specs.remove(&id)),
                }
                let message = format!("names `{missing}`, which no catalog has ready");
                self.unready.entry((resource, entity)).or_insert(message);
            }
        }
    }

    /// Why an entity cannot be used, with where it stands; `None` if it can, or is in no catalog.
    pub fn why_unready(&self, resource: &'static str, id: &str) -> Option<String> {
        let why = self.unready.get(&(resource, id.to_string()))?;
        let document = self.documents.get(resource).and_then(|all| all.get(id));
        let status = document.and_then(|document| document.get("lifecycleStatus")?.as_str());
        let is_on_sale = status.and_then(Lifecycle::parse).is_none_or(Lifecycle::is_on_sale);
        Some(match status.filter(|_| !is_on_sale) {
            Some(status) => format!("it is `{status}`, and {why}"),
            None => why.clone(),
        })
    }

    /// Whether an entity is one that orders may be about: it can be used, and is no draft.
    pub fn is_usable(&self, resource: &str, id: &str) -> bool {
        let key = SpecId::new(id);
        let status = match resource {
            "productOffering" => self.offerings.get(&key).map(|offering| offering.status),
            "productOfferingPrice" => self.prices.get(id).map(|price| price.status),
            _ => {
                let spec = self.specs.get(&key);
                spec.filter(|spec| spec.kind.resource() == resource).map(|spec| spec.status)
            }
        };
        status.is_some_and(|status| !status.is_draft())
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
            let is_product = |id: &SpecId| self.is_of(id, "productSpecification");
            for missing in offering.spec.iter().filter(|id| !is_product(id)) {
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
            let services = spec.relies_on.iter().chain(&spec.depends_on);
            let services = services.filter(|id| !self.is_of(id, "serviceSpecification"));
            let resources = spec.resources.iter();
            let resources = resources.filter(|id| !self.is_of(id, "resourceSpecification"));
            for missing in services.chain(resources) {
                name(spec.kind.resource(), id.as_str(), missing.as_str());
            }
        }
        found
    }

    /// Whether a specification is there, and of the kind that is meant.
    fn is_of(&self, id: &SpecId, resource: &str) -> bool {
        self.specs.get(id).is_some_and(|spec| spec.kind.resource() == resource)
    }
}
