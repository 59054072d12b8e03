//! Which product and which of its prices a usage belongs to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use model::pricing::product_price::{AlterationKey, ProductPrice};
use model::pricing::tariff::{Measure, Tariff};
use tmf::field::{Field, Malformed};
use tmf::time::Timestamp;
use tmf::zone::Zone;

use super::history::{History, Versions};

/// Max decimals of what was used.
const QUANTITY_DECIMALS_MAX: u32 = 9;

/// A product that usage may belong to.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its document.
    pub product: &'a Value,
    /// What it was at each instant.
    pub history: &'a History,
}

/// A usage whose product and price are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guided {
    /// The usage.
    pub usage: String,
    /// The product that was used.
    pub product: String,
    /// By what that was found.
    pub by: GuidedBy,
    /// The account that pays.
    pub account: Option<String>,
    /// The price that applies, as it was then.
    pub price: ProductPrice,
    /// What that price says of usage.
    pub tariff: Tariff,
    /// The keys of its alterations that applied then.
    pub altered_by: Vec<AlterationKey>,
    /// How much was used.
    pub quantity: Decimal,
    /// When.
    pub at: Timestamp,
    /// The zone of its day.
    pub zone: Zone,
}

/// By what the product of a usage was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuidedBy {
    /// The usage names it.
    Product,
    /// They share a characteristic, or its serial number is a value of the usage.
    Characteristic,
    /// They share a party.
    Party,
}

/// Why a usage is refused.
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

impl GuidedBy {
    /// How documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Characteristic => "characteristic",
            Self::Party => "party",
        }
    }
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
    pub fn rating_input(&self, used: Decimal, tax: Decimal) -> Value {
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
    usage: &Value,
    candidates: &[Candidate<'_>],
    catalog: &BTreeMap<String, Versions>,
    zone: Zone,
) -> Result<Guided, Rejection> {
    let root = Field::root(usage);
    let read = Usage::read(&root).map_err(Rejection::Malformed)?;
    let mut found = Vec::new();
    let mut by = GuidedBy::Product;
    for way in [GuidedBy::Product, GuidedBy::Characteristic, GuidedBy::Party] {
        found = candidates.iter().filter(|one| read.belongs(way, one.product)).collect();
        by = way;
        if !found.is_empty() {
            break;
        }
    }
    let mut refused = None;
    let mut fitting = Vec::new();
    for candidate in found {
        match read.priced(candidate, (by, zone), catalog).map_err(Rejection::Malformed)? {
            Ok(guided) => fitting.push(guided),
            Err(rejection) => refused = refused.or(Some(rejection)),
        }
    }
    if fitting.len() > 1 {
        let products = fitting.into_iter().map(|guided| guided.product).collect();
        return Err(Rejection::Ambiguous { usage: read.id, products });
    }
    match (fitting.pop(), refused) {
        (Some(guided), _) => Ok(guided),
        (None, Some(rejection)) => Err(rejection),
        (None, None) => Err(Rejection::NoProduct { usage: read.id }),
    }
}

struct Usage<'a> {
    id: String,
    at: Timestamp,
    specification: String,
    specification_name: String,
    product: Option<String>,
    characteristics: Vec<(&'a str, &'a Value)>,
    parties: Vec<&'a str>,
    root: &'a Field<'a>,
}

impl<'a> Usage<'a> {
    fn read(root: &'a Field<'a>) -> Result<Self, Malformed> {
        let specification = root.need("usageSpecification")?;
        let rated = root.items("ratedProductUsage")?.into_iter().next();
        // What was found by something else is looked for again.
        let own = rated.filter(|rated| {
            let by = rated.value().get("guidedBy").and_then(Value::as_str);
            by.is_none_or(|by| by == GuidedBy::Product.as_str())
        });
        let product = own.map(|rated| rated.reference("productRef")).transpose()?.flatten();
        Ok(Self {
            id: root.need("id")?.text()?.to_owned(),
            at: root.need("usageDate")?.time()?,
            specification: specification.need("id")?.text()?.to_owned(),
            specification_name: specification.text_or("name", "")?.to_owned(),
            product,
            characteristics: root.value().get("usageCharacteristic").map_or_else(Vec::new, named),
            parties: root.value().get("relatedParty").map_or_else(Vec::new, ids),
            root,
        })
    }

    fn belongs(&self, way: GuidedBy, product: &Value) -> bool {
        match way {
            GuidedBy::Product => self.names(product),
            GuidedBy::Characteristic => self.shares_characteristic(product),
            GuidedBy::Party => self.shares_party(product),
        }
    }

    fn names(&self, product: &Value) -> bool {
        self.product.is_some() && text(product, "id") == self.product.as_deref()
    }

    fn shares_characteristic(&self, product: &Value) -> bool {
        if self.product.is_some() {
            return false;
        }
        let theirs = product.get("productCharacteristic").map_or_else(Vec::new, named);
        let serial = product.get("productSerialNumber").filter(|value| value.is_string());
        self.characteristics.iter().any(|mine| theirs.contains(mine) || Some(mine.1) == serial)
    }

    fn shares_party(&self, product: &Value) -> bool {
        if self.product.is_some() {
            return false;
        }
        let theirs = product.get("relatedParty").map_or_else(Vec::new, ids);
        self.parties.iter().any(|party| theirs.contains(party))
    }

    /// The usage with the price of a product; or why that product is not it.
    fn priced(
        &self,
        candidate: &Candidate<'_>,
        (by, zone): (GuidedBy, Zone),
        catalog: &BTreeMap<String, Versions>,
    ) -> Result<Result<Guided, Rejection>, Malformed> {
        let product = Field::root(candidate.product).need("id")?.text()?.to_owned();
        if !candidate.history.is_charged_at(self.at) {
            return Ok(Err(Rejection::NotActive { product, at: self.at }));
        }
        let then = candidate.history.at(self.at);
        let lines = then.get("productPrice").and_then(Value::as_array);
        let lines = lines.map_or(&[][..], Vec::as_slice);
        for (line, price) in lines.iter().zip(ProductPrice::all(then)?) {
            let offered = catalog.get(&price.id).and_then(|versions| versions.at(self.at));
            let Some(tariff) = Tariff::of(line, &price, offered)? else { continue };
            if ![&self.specification, &self.specification_name].contains(&&tariff.specification) {
                continue;
            }
            let quantity = self.quantity(&tariff)?;
            let own = || Field::root(then).reference("billingAccount");
            let account = price.account.clone().map_or_else(own, |payer| Ok(Some(payer)))?;
            let altered_by = candidate.history.alterations_at(&price, self.at, zone);
            return Ok(Ok(Guided {
                usage: self.id.clone(),
                product,
                by,
                account,
                price,
                tariff,
                altered_by,
                quantity,
                at: self.at,
                zone,
            }));
        }
        let specification = self.specification.clone();
        Ok(Err(Rejection::NoTariff { product, specification }))
    }

    fn quantity(&self, tariff: &Tariff) -> Result<Decimal, Malformed> {
        for one in self.root.items("usageCharacteristic")? {
            if one.need("name")?.text()? == tariff.quantity {
                let field = one.need("value")?;
                let quantity = field.decimal()?;
                if quantity < Decimal::ZERO {
                    return Err(field.wrong("is less than nothing"));
                }
                if quantity.normalize().scale() > QUANTITY_DECIMALS_MAX {
                    return Err(field.wrong("has more than nine decimals"));
                }
                return Ok(quantity);
            }
        }
        let problem = "has not the characteristic that its tariff counts";
        Err(Malformed { attribute: "usageCharacteristic".into(), problem: problem.into() })
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn named(list: &Value) -> Vec<(&str, &Value)> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|item| Some((text(item, "name")?, item.get("value")?))).collect()
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|item| text(item, "id")).collect()
}
