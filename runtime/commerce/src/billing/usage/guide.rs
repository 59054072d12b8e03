//! The product and the price that a usage belongs to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use model::pricing::product_price::{AlterationKey, ProductPrice};
use model::pricing::tariff::{Measure, RatingInput, Tariff};
use tmf::Malformed;
use tmf::document::product::Product;
use tmf::document::tariff::OfferedTariff;
use tmf::document::usage::{GuidedBy, Usage};
use tmf::document::{Characteristic, Number, Reference, id_of};
use tmf::time::Timestamp;
use tmf::zone::Zone;

use super::history::History;
use crate::billing::versions::Versions;

/// Max decimals of the amount that was used.
const QUANTITY_DECIMALS_MAX: u32 = 9;

/// A usage whose product and price are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guided {
    /// The usage.
    pub usage: String,
    /// The product that was used.
    pub product: String,
    /// How that was found.
    pub by: GuidedBy,
    /// The account that pays.
    pub account: Option<String>,
    /// The price that applies, as it was then.
    pub price: ProductPrice,
    /// The tariff of that price.
    pub tariff: Tariff,
    /// The keys of its alterations that applied then.
    pub altered_by: Vec<AlterationKey>,
    /// The amount that was used.
    pub quantity: Decimal,
    /// When it was used.
    pub at: Timestamp,
    /// The zone of its day.
    pub zone: Zone,
}

/// Why a usage is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It cannot be read.
    #[error("{0}")]
    Malformed(Malformed),
    /// It names no product, and nothing of it is found on one.
    #[error("no product is known that usage `{usage}` belongs to")]
    NoProduct {
        /// The usage.
        usage: String,
    },
    /// Several products fit as well.
    #[error("usage `{usage}` fits several products: `{}`", .products.join("`, `"))]
    Ambiguous {
        /// The usage.
        usage: String,
        /// The products.
        products: Vec<String>,
    },
    /// The product was not active.
    #[error("product `{product}` was not active at `{at}`")]
    NotActive {
        /// The product.
        product: String,
        /// When it was used.
        at: Timestamp,
    },
    /// No price of the product is for such usage.
    #[error("product `{product}` has no tariff for usage of `{specification}`")]
    NoTariff {
        /// The product.
        product: String,
        /// The specification of the usage.
        specification: String,
    },
    /// The rater does not take it.
    #[error("usage `{usage}` cannot be rated: {cause}")]
    NotRated {
        /// The usage.
        usage: String,
        /// Why.
        cause: String,
    },
}

impl Rejection {
    /// The attribute that is wrong.
    pub fn attribute(&self) -> &str {
        match self {
            Self::Malformed(wrong) => &wrong.attribute,
            Self::NoProduct { .. } | Self::Ambiguous { .. } => "ratedProductUsage",
            Self::NotActive { .. } => "usageDate",
            Self::NoTariff { .. } => "usageSpecification",
            Self::NotRated { .. } => "usageCharacteristic",
        }
    }

    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MALFORMED",
            Self::NoProduct { .. } => "NO_PRODUCT",
            Self::Ambiguous { .. } => "AMBIGUOUS",
            Self::NotActive { .. } => "NOT_ACTIVE",
            Self::NoTariff { .. } => "NO_TARIFF",
            Self::NotRated { .. } => "NOT_RATED",
        }
    }
}

impl Guided {
    /// The input of a rater, after the units of the period that were `used` before. `tax` is the
    /// percentage of all taxes; a price with tax is rated with it.
    pub fn rating_input(&self, used: Decimal, tax: Decimal) -> RatingInput<'_> {
        let tax = if self.price.includes_tax { Decimal::ZERO } else { tax };
        let measure = Measure { quantity: self.quantity, at: self.at, used, zone: self.zone };
        self.tariff.rating_input(&self.price, &self.altered_by, tax, &measure)
    }
}

/// Finds the product and the price that a usage belongs to.
///
/// A usage that names its product (`ratedProductUsage.productRef`) belongs to it. Else it belongs
/// to the product that shares a characteristic with it, name and value, or has a value of it as
/// its serial number; else to the one of its party. `catalog` has the catalog's prices by id.
///
/// Price, tariff, payer and status are those of the instant at which it was used.
pub fn guide(
    usage: &Usage,
    candidates: &[History],
    catalog: &BTreeMap<String, Versions<OfferedTariff>>,
    zone: Zone,
) -> Result<Guided, Rejection> {
    let facts = Facts::read(usage, zone).map_err(Rejection::Malformed)?;
    let ways = [GuidedBy::Product, GuidedBy::Characteristic, GuidedBy::Party];
    let belonging = ways.map(|by| {
        let fits = |candidate: &&History| facts.belongs(by, candidate.product());
        (by, candidates.iter().filter(fits).collect::<Vec<_>>())
    });
    let found = belonging.into_iter().find(|(_, found)| !found.is_empty());
    let mut rejected = None;
    let mut fitting = Vec::new();
    for (by, candidate) in
        found.into_iter().flat_map(|(by, found)| found.into_iter().map(move |one| (by, one)))
    {
        match facts.priced(candidate, by, catalog) {
            Ok(guided) => fitting.push(guided),
            Err(malformed @ Rejection::Malformed(_)) => return Err(malformed),
            Err(rejection) => rejected = rejected.or(Some(rejection)),
        }
    }
    if fitting.len() > 1 {
        let products = fitting.into_iter().map(|guided| guided.product).collect();
        return Err(Rejection::Ambiguous { usage: usage.id.clone(), products });
    }
    match (fitting.pop(), rejected) {
        (Some(guided), _) => Ok(guided),
        (None, Some(rejection)) => Err(rejection),
        (None, None) => Err(Rejection::NoProduct { usage: usage.id.clone() }),
    }
}

/// The facts by which a usage is guided.
struct Facts<'a> {
    usage: &'a Usage,
    at: Timestamp,
    zone: Zone,
    specification: &'a str,
    specification_name: &'a str,
    /// The product that the usage names.
    product: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn read(usage: &'a Usage, zone: Zone) -> Result<Self, Malformed> {
        let missing = |name| Malformed::new(name, "is missing");
        let specification = usage.usage_specification.as_ref();
        let specification = specification.ok_or_else(|| missing("usageSpecification"))?;
        let id = specification.id.as_deref();
        let rated = usage.rated_product_usage.first();
        // A product that was found otherwise is looked for again.
        let own = rated.filter(|rated| match rated.guided_by {
            None | Some(GuidedBy::Product) => true,
            Some(GuidedBy::Characteristic | GuidedBy::Party) => false,
        });
        let product = own.and_then(|rated| rated.product_ref.as_ref());
        let date = usage.usage_date.as_ref().ok_or_else(|| missing("usageDate"))?;
        Ok(Self {
            usage,
            at: date.get("usageDate")?.at(),
            zone,
            specification: id.ok_or_else(|| missing("usageSpecification.id"))?,
            specification_name: specification.name.as_deref().unwrap_or_default(),
            product: id_of(product, "ratedProductUsage[0].productRef")?,
        })
    }

    fn belongs(&self, by: GuidedBy, product: &Product) -> bool {
        match (by, self.product) {
            (GuidedBy::Product, named) => named == Some(product.id.as_str()),
            (GuidedBy::Characteristic | GuidedBy::Party, Some(_)) => false,
            (GuidedBy::Characteristic, None) => self.shares_characteristic(product),
            (GuidedBy::Party, None) => self.shares_party(product),
        }
    }

    fn shares_characteristic(&self, product: &Product) -> bool {
        let theirs = &product.product_characteristic;
        let serial = product.product_serial_number.as_deref();
        let is_serial = |value: &Value| serial.is_some() && value.as_str() == serial;
        self.usage.usage_characteristic.iter().any(|mine| {
            let is_same =
                |other: &Characteristic| other.name == mine.name && other.value == mine.value;
            mine.value.as_ref().is_some_and(|value| is_serial(value) || theirs.iter().any(is_same))
        })
    }

    fn shares_party(&self, product: &Product) -> bool {
        let is_theirs = |party: &Reference| {
            let id = party.id.as_deref();
            id.is_some_and(|id| product.related_party.iter().any(|other| other.is_to(id)))
        };
        self.usage.related_party.iter().any(is_theirs)
    }

    /// The usage with the price of a product; or why it is not that product's.
    fn priced(
        &self,
        candidate: &History,
        by: GuidedBy,
        catalog: &BTreeMap<String, Versions<OfferedTariff>>,
    ) -> Result<Guided, Rejection> {
        let product = candidate.product().id.clone();
        if !candidate.is_charged_at(self.at) {
            return Err(Rejection::NotActive { product, at: self.at });
        }
        let then = candidate.at(self.at);
        let Some((price, tariff)) = self.price_of(then, catalog).map_err(Rejection::Malformed)?
        else {
            let specification = self.specification.to_owned();
            return Err(Rejection::NoTariff { product, specification });
        };
        let own = || id_of(then.billing_account.as_ref(), "billingAccount");
        let account = price.account.as_deref().map_or_else(own, |payer| Ok(Some(payer)));
        let account = account.map_err(Rejection::Malformed)?.map(str::to_owned);
        Ok(Guided {
            usage: self.usage.id.clone(),
            product,
            by,
            account,
            quantity: self.quantity(&tariff).map_err(Rejection::Malformed)?,
            altered_by: candidate.alterations_at(&price, self.at, self.zone),
            price,
            tariff,
            at: self.at,
            zone: self.zone,
        })
    }

    /// The first price of a product whose tariff is for this usage.
    fn price_of(
        &self,
        product: &Product,
        catalog: &BTreeMap<String, Versions<OfferedTariff>>,
    ) -> Result<Option<(ProductPrice, Tariff)>, Malformed> {
        let documents = product.prices()?;
        for ((_, document), price) in documents.iter().zip(ProductPrice::all(product)?) {
            let offered = catalog.get(&price.id).map(|versions| versions.at(self.at));
            let Some(tariff) = Tariff::of(document, &price, offered)? else { continue };
            let names = [self.specification, self.specification_name];
            if names.contains(&tariff.specification.as_str()) {
                return Ok(Some((price, tariff)));
            }
        }
        Ok(None)
    }

    fn quantity(&self, tariff: &Tariff) -> Result<Decimal, Malformed> {
        let mut all = self.usage.usage_characteristic.iter().enumerate();
        let Some((index, one)) = all.find(|(_, one)| one.name == tariff.quantity) else {
            let problem = "has not the characteristic that its tariff counts";
            return Err(Malformed::new("usageCharacteristic", problem));
        };
        quantity(one).map_err(|wrong| wrong.within(&format!("usageCharacteristic[{index}]")))
    }
}

/// An amount that can be counted.
fn quantity(characteristic: &Characteristic) -> Result<Decimal, Malformed> {
    let Number(quantity) = characteristic.number()?;
    if quantity < Decimal::ZERO {
        return Err(Malformed::new("value", "is less than nothing"));
    }
    if quantity.normalize().scale() > QUANTITY_DECIMALS_MAX {
        return Err(Malformed::new("value", "has more than nine decimals"));
    }
    Ok(quantity)
}
