//! All packs put together: what orders are decomposed with.

mod closed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use self::closed::Closed;
pub use self::closed::LeftOut;
use crate::catalog::Catalog;
use crate::id::SpecId;
use crate::pack::Pack;
use crate::pool::Pool;
use crate::pricing::sold::Price;
use crate::rule::{Delivery, Produces, Rule};
use crate::workflow::Workflow;
use tmf::money::{TAX_CATEGORY, Tax, decimal};
use tmf::zone::Zone;

/// The packs that are in use. Cheap to clone; a new one is made when a pack changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rulebook {
    packs: BTreeMap<String, Arc<Pack>>,
    catalog: Arc<Catalog>,
    tax: Option<Arc<Tax>>,
    zone: Zone,
    closed: Arc<Closed>,
}

/// Packs that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulebookError {
    /// Two packs have the same name.
    #[error("two packs are named `{0}`")]
    Name(String),
    /// Two packs have the same entity.
    #[error("pack `{pack}`: {entity} is in another pack already")]
    Entity {
        /// The pack that came second.
        pack: String,
        /// The entity.
        entity: String,
    },
    /// Two packs have the same workflow.
    #[error("pack `{pack}`: workflow `{workflow}` is in another pack already")]
    Workflow {
        /// The pack that came second.
        pack: String,
        /// The workflow.
        workflow: String,
    },
    /// Two packs have the same pool.
    #[error("pack `{pack}`: pool `{pool}` is in another pack already")]
    Pool {
        /// The pack that came second.
        pack: String,
        /// The pool.
        pool: String,
    },
    /// A catalog names what no catalog has.
    #[error("`{entity}` names `{missing}`, which no catalog has")]
    Dangling {
        /// What names it.
        entity: String,
        /// What is missing.
        missing: String,
    },
    /// A rule names a specification that no catalog has.
    #[error("pack `{pack}`: {place} names `{missing}`, which no catalog has")]
    Unknown {
        /// The pack.
        pack: String,
        /// The rule or delivery.
        place: String,
        /// The specification.
        missing: SpecId,
    },
}

impl Rulebook {
    /// Puts packs together, and reports everything that does not fit.
    pub fn new(packs: impl IntoIterator<Item = Pack>) -> Result<Self, Vec<RulebookError>> {
        let mut errors = Vec::new();
        let mut catalog = Catalog::default();
        let mut all: BTreeMap<String, Arc<Pack>> = BTreeMap::new();
        for pack in packs {
            let name = pack.name.clone();
            let twice = catalog.merge(&pack.catalog).into_iter();
            errors.extend(twice.map(|entity| RulebookError::Entity { pack: name.clone(), entity }));
            for other in all.values() {
                let workflows = pack.workflows.keys();
                let twice = workflows.filter(|workflow| other.workflows.contains_key(*workflow));
                errors.extend(twice.map(|workflow| RulebookError::Workflow {
                    pack: name.clone(),
                    workflow: workflow.clone(),
                }));
                let pools = pack.pools.iter().map(|pool| &pool.id);
                let twice = pools.filter(|id| other.pools.iter().any(|pool| pool.id == **id));
                errors.extend(twice.map(|pool| RulebookError::Pool {
                    pack: name.clone(),
                    pool: pool.to_string(),
                }));
            }
            if all.insert(name.clone(), Arc::new(pack)).is_some() {
                errors.push(RulebookError::Name(name));
            }
        }
        let dangling = catalog.dangling().into_iter();
        errors.extend(
            dangling.map(|found| RulebookError::Dangling {
                entity: found.entity,
                missing: found.missing,
            }),
        );
        errors.extend(all.values().flat_map(|pack| unknown_specs(pack, &catalog)));
        if errors.is_empty() {
            let catalog = Arc::new(catalog);
            Ok(Self { packs: all, catalog, ..Self::default() })
        } else {
            Err(errors)
        }
    }

    /// The same rules with other catalogs: the documents as they stand in the store, each with its
    /// resource. Unusable documents are left out. A specification of a pack goes before
    /// another of the same id.
    #[must_use]
    pub fn with_documents<'a>(
        &self,
        documents: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Self {
        let is_of_pack = |resource: &str, document: &Value| {
            let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
            let mut catalogs = self.packs().map(|pack| &pack.catalog.documents);
            catalogs.any(|all| all.get(resource).is_some_and(|own| own.contains_key(id)))
        };
        let documents = documents.into_iter();
        let (own, others): (Vec<_>, Vec<_>) =
            documents.partition(|(resource, document)| is_of_pack(resource, document));
        self.with_catalog(Catalog::of_documents(own.into_iter().chain(others)))
    }

    /// The rules and deliveries that name what the catalogs in use do not have: they make nothing
    /// until these have it.
    pub fn without_specs(&self) -> Vec<RulebookError> {
        self.packs().flat_map(|pack| unknown_specs(pack, &self.catalog)).collect()
    }

    /// The same rules with another catalog.
    pub fn with_catalog(&self, catalog: Catalog) -> Self {
        Self { catalog: Arc::new(catalog), ..self.clone() }
    }

    /// The catalogs in use: those of all packs, unless others were given.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The packs.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.values().map(|pack| &**pack)
    }

    /// The rules about what an item of a specification becomes, in the order of packs and files.
    pub fn rules_from<'a>(&'a self, from: &SpecId) -> impl Iterator<Item = (&'a Pack, &'a Rule)> {
        self.packs()
            .flat_map(|pack| pack.rules.iter().map(move |rule| (pack, rule)))
            .filter(move |(_, rule)| rule.from == *from)
    }

    /// How a specification is delivered.
    pub fn delivery(&self, spec: &SpecId) -> Option<(&Pack, &Delivery)> {
        self.packs().find_map(|pack| Some((pack, pack.deliveries.get(spec)?)))
    }

    /// A workflow of any pack.
    pub fn workflow(&self, name: &str) -> Option<(&Pack, &Workflow)> {
        self.packs().find_map(|pack| Some((pack, pack.workflows.get(name)?)))
    }

    /// The pack that a specification or an offering belongs to: the one whose catalog has it, else
    /// the one that what it is made of belongs to.
    pub fn pack_of(&self, id: &SpecId) -> Option<&Pack> {
        let mut open = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            let own = self.packs().find(|pack| {
                pack.catalog.specs.contains_key(next) || pack.catalog.offerings.contains_key(next)
            });
            if own.is_some() {
                return own;
            }
            let offering = self.catalog.offerings.get(next);
            open.extend(offering.iter().flat_map(|offering| {
                let bundled = offering.bundles.iter().rev().map(|bundled| &bundled.offering);
                bundled.chain(&offering.spec)
            }));
            open.extend(self.catalog.specs.get(next).iter().flat_map(|s| s.relies_on.iter().rev()));
        }
        None
    }

    /// The workflow that rates a product of an offering.
    pub(crate) fn rated_by(&self, offering: &SpecId) -> Option<&Workflow> {
        let name = self.pack_of(offering)?.hooks.each_product.as_deref()?;
        Some(self.workflow(name)?.1)
    }

    /// The same rules with a default tax on prices.
    #[must_use]
    pub fn with_usual_tax(self, tax: Option<Tax>) -> Self {
        Self { tax: tax.map(Arc::new), ..self }
    }

    /// The same rules where days are those of another zone.
    #[must_use]
    pub fn with_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The zone of the operator's days.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The default tax.
    pub fn usual_tax(&self) -> Option<&Tax> {
        self.tax.as_deref()
    }

    /// The tax that products of an offering are billed with if the catalog names none: the `taxRate` of
    /// the step that rates them, else the default tax.
    pub fn tax(&self, offering: &SpecId) -> Option<Tax> {
        let own = self.rated_by(offering).and_then(|workflow| {
            let mut steps = workflow.steps.iter();
            steps.find_map(|entry| decimal(entry.step.input.get("taxRate")?))
        });
        let category = self.tax.as_ref().map_or(TAX_CATEGORY, |tax| &tax.category).to_owned();
        own.map(|rate| Tax { rate, category }).or_else(|| self.tax.as_deref().cloned())
    }

    /// A price whose tax, if a rate alone is known, is called as the catalog calls it, or the
    /// operator.
    pub(crate) fn with_tax_named(&self, mut price: Price) -> Price {
        if let Some(tax) = price.tax.as_mut().filter(|tax| tax.category.is_empty()) {
            let known = self.catalog.prices.get(&price.id);
            let known = known.and_then(|known| Tax::together(&known.taxes));
            let known = known.or_else(|| self.usual_tax().cloned());
            tax.category = known.map_or_else(|| TAX_CATEGORY.into(), |known| known.category);
        }
        price
    }

    /// The pools of all packs.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.packs().flat_map(|pack| &pack.pools)
    }
}

fn unknown_specs(pack: &Pack, catalog: &Catalog) -> Vec<RulebookError> {
    let mut errors = Vec::new();
    let mut check = |place: String, spec: &SpecId| {
        if !catalog.specs.contains_key(spec) {
            let (pack, missing) = (pack.name.clone(), spec.clone());
            errors.push(RulebookError::Unknown { pack, place, missing });
        }
    };
    for rule in &pack.rules {
        check(format!("rule `{}`", rule.name), &rule.from);
        if let Produces::Spec(to) = &rule.to {
            check(format!("rule `{}`", rule.name), to);
        }
    }
    for delivery in pack.deliveries.values() {
        let place = || format!("the delivery of `{}`", delivery.spec);
        check(place(), &delivery.spec);
        for spec in delivery.needs.iter().chain(delivery.resources.iter().flatten()) {
            check(place(), spec);
        }
    }
    errors
}
