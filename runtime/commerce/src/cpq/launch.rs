//! Whether an offering can be launched: what it bundles resolves, its prices can be charged, and
//! all that it is made of is delivered by a rule of the packs.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::configure::{configure, reference};
use model::FailureCode;
use model::catalog::{
    Catalog, Characteristic, Lifecycle, Offering, PriceRole, Spec, SpecKind, Validity,
};
use model::decompose::{Answers, Blocked, decompose};
use model::id::SpecId;
use model::plan::Action;
use model::rule::Produces;
use model::rulebook::Rulebook;
use tmf::document::item::WantedProduct;
use tmf::document::order_request::{ProductOrderRequest, ProductOrderRequestItem};
use tmf::document::{self, Reference, write};
use tmf::money::{Currency, PriceKind};
use tmf::time::Timestamp;

/// Why an offering cannot be launched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// The kind of error, for programs.
    pub code: FailureCode,
    /// The entity that is wrong: an offering, a price or a specification.
    pub entity: String,
    /// Its attribute; empty if the message names it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub attribute: &'static str,
    /// A description of the error.
    pub message: String,
}

impl Reason {
    /// An entity that cannot be used as it is.
    pub(super) fn unfinished(id: &str, why: &str) -> Self {
        Self {
            code: FailureCode::Unfinished,
            entity: id.into(),
            attribute: "",
            message: why.into(),
        }
    }

    /// Whether orders are refused or held because of it: an offering without a proper price is still
    /// delivered.
    pub fn stops_orders(&self) -> bool {
        !matches!(
            self.code,
            FailureCode::OfferingValue
                | FailureCode::PriceCurrency
                | FailureCode::PriceMissing
                | FailureCode::PriceTariff
                | FailureCode::PriceValue
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, attribute, message, .. } = self;
        match *attribute {
            "" => write!(f, "`{entity}`: {message}"),
            attribute => write!(f, "`{entity}`: {attribute}: {message}"),
        }
    }
}

/// The reasons why an offering cannot be launched with these catalogs and rules; empty if it can.
pub fn deliverable(rulebook: &Rulebook, offering: &SpecId, now: Timestamp) -> Vec<Reason> {
    let catalog = rulebook.catalog();
    let mut check = Check { rulebook, catalog, now, seen: BTreeSet::new(), found: Vec::new() };
    check.offering(offering, &mut Vec::new());
    if check.found.is_empty() {
        check.rehearse(offering);
    }
    check.found.sort();
    check.found.dedup();
    check.found
}

struct Check<'a> {
    rulebook: &'a Rulebook,
    catalog: &'a Catalog,
    now: Timestamp,
    seen: BTreeSet<&'a SpecId>,
    found: Vec<Reason>,
}

impl<'a> Check<'a> {
    fn report(
        &mut self,
        code: impl Into<FailureCode>,
        entity: &str,
        attribute: &'static str,
        message: String,
    ) {
        self.found.push(Reason { code: code.into(), entity: entity.into(), attribute, message });
    }

    /// Reports that an entity is there and cannot be used as it is.
    fn unready(&mut self, resource: &'static str, id: &str) -> bool {
        let why = self.catalog.unready.get(&(resource, id.to_string()));
        self.found.extend(why.map(|why| Reason::unfinished(id, why)));
        why.is_some()
    }

    fn offering(&mut self, id: &'a SpecId, path: &mut Vec<&'a SpecId>) {
        self.seen.insert(id);
        let Some(offering) = self.catalog.offerings.get(id) else {
            if !self.unready("productOffering", id.as_str()) {
                let message = "the catalog has no such offering".into();
                self.report("OFFERING_UNKNOWN", id.as_str(), "id", message);
            }
            return;
        };
        if let Some(spec) = &offering.spec {
            self.spec(spec, id);
        }
        self.prices(id, offering);
        self.values(id, offering);
        path.push(id);
        for bundled in &offering.bundles {
            let own = "bundledProductOffering";
            let (part, min, max) = (&bundled.offering, bundled.min, bundled.max);
            if min > max || max == 0 || !(min..=max).contains(&bundled.default) {
                let message = format!(
                    "`{part}`: {min} to {max}, by default {}: the default is between the limits",
                    bundled.default
                );
                self.report("BUNDLE_CARDINALITY", id.as_str(), own, message);
            }
            if path.contains(&part) {
                let message = format!("`{part}` is a bundle within itself");
                self.report("BUNDLE_CIRCLE", id.as_str(), own, message);
                continue;
            }
            let part_of = self.catalog.offerings.get(part);
            if part_of.is_some_and(|part| !part.is_on_sale(Some(self.now))) {
                let message = format!("`{part}` is not active, or not valid today");
                self.report("BUNDLE_PART", id.as_str(), own, message);
            }
            self.offering(part, path);
        }
        path.pop();
    }

    /// Every offering has a price, of zero if it is free.
    fn prices(&mut self, id: &SpecId, offering: &Offering) {
        let own = "productOfferingPrice";
        if offering.prices.is_empty() && offering.bundles.is_empty() {
            let message = "has no price: name one, of 0 where it is free".into();
            self.report("PRICE_MISSING", id.as_str(), own, message);
        }
        let mut currencies = BTreeSet::new();
        let mut usages = Vec::new();
        let mut open: Vec<&str> = offering.prices.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        // A bundle may have the prices of its parts only.
        let mut counts = offering.prices.is_empty() || !offering.bundles.is_empty();
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            let Some(price) = self.catalog.prices.get(name) else {
                if !self.unready("productOfferingPrice", name) {
                    let message = format!("`{name}` is in no catalog");
                    self.report("PRICE_UNKNOWN", id.as_str(), own, message);
                }
                continue;
            };
            counts |= price.holds(Some(self.now)) && matches!(price.role, PriceRole::Charge(_));
            let usage = price.usage.as_ref().filter(|_| price.holds(Some(self.now)));
            let usage = usage.map(|usage| (usage, &price.when));
            if usage.is_some_and(|usage| usages.contains(&usage)) {
                let message = "is the second price for this usage: a product has one".into();
                self.report("PRICE_TARIFF", name, "tariff.usageSpecification", message);
            }
            usages.extend(usage);
            currencies.extend(price.amount.iter().map(|amount| amount.currency));
            open.extend(
                price
                    .parts
                    .iter()
                    .chain(price.altered_by.iter().map(|(id, _)| id))
                    .map(String::as_str),
            );
            for characteristic in price.when.keys() {
                let spec = offering.spec.as_ref().and_then(|id| self.catalog.specs.get(id));
                let known = spec.is_some_and(|s| s.characteristics.contains_key(characteristic));
                let usage = PriceRole::Charge(PriceKind::Usage);
                if !known && price.role != usage {
                    let message = format!("the product has no characteristic `{characteristic}`");
                    self.report("PRICE_VALUE", name, "prodSpecCharValueUse", message);
                }
            }
        }
        if !counts {
            let message = "none of its prices is active and valid today".into();
            self.report("PRICE_MISSING", id.as_str(), own, message);
        }
        if currencies.len() > 1 {
            let currencies: Vec<&str> = currencies.iter().map(Currency::as_str).collect();
            let message = format!("its prices are in {}", currencies.join(", "));
            self.report("PRICE_CURRENCY", id.as_str(), own, message);
        }
    }

    /// The values that an offering offers are values of its specification.
    fn values(&mut self, id: &SpecId, offering: &Offering) {
        let spec = offering.spec.as_ref().and_then(|spec| self.catalog.specs.get(spec));
        for (name, values) in &offering.values {
            let known = spec.and_then(|spec| spec.characteristics.get(name));
            let wrong = match known {
                None => Some(format!("the product has no characteristic `{name}`")),
                Some(known) => values.iter().find_map(|value| match value {
                    model::catalog::Allowed::Value(value) if !known.allows(value) => Some(format!(
                        "`{name}` cannot be {value}; allowed are {}",
                        known.describe()
                    )),
                    model::catalog::Allowed::Value(_)
                    | model::catalog::Allowed::Range { .. }
                    | model::catalog::Allowed::Pattern(_) => None,
                }),
            };
            if let Some(message) = wrong {
                self.report("OFFERING_VALUE", id.as_str(), "prodSpecCharValueUse", message);
            }
        }
    }

    fn spec(&mut self, id: &'a SpecId, by: &SpecId) {
        if !self.seen.insert(id) {
            return;
        }
        let Some(spec) = self.catalog.specs.get(id) else {
            let mut kinds = SpecKind::RESOURCES.into_iter();
            if !kinds.any(|kind| self.unready(kind, id.as_str())) {
                let message = format!("`{by}` names it, and no catalog has it");
                self.report("SPEC_UNKNOWN", id.as_str(), "id", message);
            }
            return;
        };
        if !spec.status.is_on_sale() || !spec.valid.holds(Some(self.now)) {
            let message = format!(
                "is `{}`, or not valid today: it must be `{}`",
                spec.status.as_str(),
                Lifecycle::Active.as_str()
            );
            self.report("SPEC_NOT_ACTIVE", id.as_str(), "lifecycleStatus", message);
        }
        let below = self.below(id, spec);
        if below.is_empty() && self.rulebook.delivery(id).is_none() {
            self.nothing_delivers(id, spec);
        }
        for part in below.into_iter().chain(&spec.depends_on).chain(&spec.resources) {
            self.spec(part, id);
        }
    }

    /// The parts of a specification, by the catalog and the rules.
    fn below(&self, id: &'a SpecId, spec: &'a Spec) -> Vec<&'a SpecId> {
        let ruled = self.rulebook.rules_from(id).filter_map(|(_, rule)| match &rule.to {
            Produces::Spec(to) => Some(to),
            // A plugin decides for each order.
            Produces::Plugin(_) => None,
        });
        spec.relies_on.iter().chain(ruled).collect()
    }

    fn nothing_delivers(&mut self, id: &SpecId, spec: &Spec) {
        let by_plugin = self.rulebook.rules_from(id).next().is_some();
        match spec.kind {
            // A fee needs no network, and resources are delivered with the service above them.
            SpecKind::Product | SpecKind::Resource => {}
            SpecKind::CustomerService | SpecKind::ResourceService if by_plugin => {}
            SpecKind::CustomerService => {
                let message = "no service is below it and no rule delivers it: add a \
                               `serviceSpecRelationship` of type `reliesOn`, or a delivery"
                    .into();
                self.report("NOTHING_DELIVERS", id.as_str(), "serviceSpecRelationship", message);
            }
            SpecKind::ResourceService => {
                let message = "no rule delivers it: add it under `deliver:` in a \
                               pack's rules.yaml"
                    .into();
                self.report("NO_DELIVERY", id.as_str(), "id", message);
            }
        }
    }

    /// Decomposes an order for one, with defaults and, where there is none, the first value.
    fn rehearse(&mut self, id: &SpecId) {
        let mut catalog = self.catalog.clone();
        if let Some(offering) = catalog.offerings.get_mut(id) {
            offering.status = Lifecycle::Active;
            offering.relations.clear();
            offering.places.clear();
            offering.valid = Validity::default();
        }
        // No value is invented that matches a pattern: the trial ignores patterns.
        let all = catalog.specs.values_mut().flat_map(|spec| spec.characteristics.values_mut());
        all.for_each(Characteristic::forget_patterns);
        let rulebook = self.rulebook.with_catalog(catalog);
        let Ok(configured) = configure(self.order(id), rulebook.catalog(), self.now) else {
            return;
        };
        let document = write(&configured.document);
        let plan = decompose(&configured.order, &document, &rulebook, &Answers::new());
        if let Err(Blocked::Failure(failure)) = plan {
            let message = format!("an order for one fails: {}: {}", failure.code, failure.message);
            self.report("REHEARSAL", id.as_str(), "productSpecification", message);
        }
    }

    /// An order for one, by a customer who exists nowhere else.
    fn order(&self, id: &SpecId) -> ProductOrderRequest {
        let customer =
            Reference { role: Some("Customer".into()), ..Reference::of("Customer", "rehearsal") };
        let item = ProductOrderRequestItem {
            id: Some("1".into()),
            action: Some(Action::Add.as_str().into()),
            product: Some(self.product(id)),
            product_offering: Some(reference("productOffering", id)),
            ..ProductOrderRequestItem::default()
        };
        let rest = [("relatedParty".into(), write(&[customer]))];
        ProductOrderRequest {
            product_order_item: vec![item],
            rest: rest.into_iter().collect(),
            ..ProductOrderRequest::default()
        }
    }

    fn product(&self, id: &SpecId) -> WantedProduct {
        let offering = self.catalog.offerings.get(id);
        let spec = offering.and_then(|offering| self.catalog.specs.get(offering.spec.as_ref()?));
        let missing = spec.into_iter().flat_map(|spec| &spec.characteristics);
        let missing = missing.filter(|(_, known)| known.required && known.default.is_none());
        let chosen = missing.filter_map(|(name, known)| {
            let offered = offering.map(|offering| offering.offers(name, known))?;
            Some(document::Characteristic::new(name, offered.example()?))
        });
        let place = Reference {
            id: Some("nowhere".into()),
            role: Some("installation".into()),
            ..Reference::default()
        };
        WantedProduct {
            product_characteristic: chosen.collect(),
            place: vec![place],
            ..WantedProduct::default()
        }
    }
}
