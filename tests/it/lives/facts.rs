//! What is told to the server in a life, and how that is written.

use serde_json::{Value, json};

use super::calendar::{Cycle, Instant, Period, time};
use super::exact::Exact;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tax {
    pub(crate) category: String,
    pub(crate) rate: Exact,
}

/// What makes a price another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alteration {
    pub(crate) name: String,
    pub(crate) is_surcharge: bool,
    pub(crate) change: Change,
    /// The number of periods and their unit; for good if `None`.
    pub(crate) lasts: Option<(i64, Unit)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Percent(Exact),
    Amount(Exact),
}

/// A unit with a length, as documents have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) length: i64,
}

impl Unit {
    pub(crate) fn period(self) -> Period {
        match self.name {
            "day" => Period::Days(self.length),
            "week" => Period::Days(7 * self.length),
            "month" => Period::Months(self.length),
            "quarter" => Period::Months(3 * self.length),
            "year" => Period::Months(12 * self.length),
            other => panic!("`{other}` is no unit"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Once,
    Recurring(Unit),
    Usage(Tariff),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tariff {
    pub(crate) per: Exact,
    pub(crate) round_to: Option<Exact>,
    pub(crate) allowance: Exact,
    /// Each with its end and what a unit costs; the last one has no end.
    pub(crate) tiers: Vec<(Option<Exact>, Exact)>,
    /// The first hour, the hour that ends it, and the percentage.
    pub(crate) band: Option<(i64, i64, Exact)>,
}

/// A price of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) currency: &'static str,
    pub(crate) amount: Exact,
    pub(crate) includes_tax: bool,
    pub(crate) taxes: Vec<Tax>,
    pub(crate) payer: Option<String>,
    pub(crate) alterations: Vec<Alteration>,
}

/// The state of a product since some instant.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) since: Instant,
    pub(crate) is_active: bool,
    pub(crate) prices: Vec<Price>,
}

#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) start: Instant,
    pub(crate) end: Option<Instant>,
    pub(crate) versions: Vec<Version>,
}

#[derive(Clone, Debug)]
pub(crate) struct Usage {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) at: Instant,
    pub(crate) quantity: Exact,
    pub(crate) is_billed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) cycle: Cycle,
}

/// The usage that all tariffs are for.
pub(crate) const USED: &str = "CALLS";

impl Price {
    pub(crate) fn json(&self) -> Value {
        let amount = json!({ "unit": self.currency, "value": self.amount.json() });
        let told = if self.includes_tax { "taxIncludedAmount" } else { "dutyFreeAmount" };
        let mut price = json!({ "name": self.name, "price": { told: amount } });
        if let [tax] = self.taxes.as_slice() {
            price["price"]["taxRate"] = tax.rate.json();
        } else {
            let tax =
                |tax: &Tax| json!({ "taxCategory": tax.category, "taxRate": tax.rate.json() });
            price["tax"] = self.taxes.iter().map(tax).collect();
        }
        match &self.kind {
            Kind::Once => price["priceType"] = json!("oneTime"),
            Kind::Recurring(unit) => {
                price["priceType"] = json!("recurring");
                price["recurringChargePeriod"] = json!(unit.name);
                if unit.length > 1 {
                    price["recurringChargePeriodLength"] = json!(unit.length);
                }
            }
            Kind::Usage(tariff) => {
                price["priceType"] = json!("usage");
                price["tariff"] = tariff.json();
            }
        }
        if let Some(payer) = &self.payer {
            price["billingAccount"] = json!({ "id": payer });
        }
        let alterations = self.alterations.iter().enumerate();
        let alterations = alterations.map(|(index, one)| one.json(index, self));
        let alterations: Vec<Value> = alterations.collect();
        if !alterations.is_empty() {
            price["productPriceAlteration"] = json!(alterations);
        }
        price
    }
}

impl Alteration {
    fn json(&self, index: usize, price: &Price) -> Value {
        let kind = if self.is_surcharge { "surcharge" } else { "discount" };
        let mut one = json!({ "name": self.name, "priceType": kind, "priority": index });
        one["price"] = match self.change {
            Change::Percent(percent) => json!({ "percentage": percent.json() }),
            Change::Amount(amount) => {
                let amount = json!({ "unit": price.currency, "value": amount.json() });
                let told = if price.includes_tax { "taxIncludedAmount" } else { "dutyFreeAmount" };
                json!({ told: amount })
            }
        };
        if let Some((count, unit)) = self.lasts {
            one["applicationDuration"] = json!(count);
            one["recurringChargePeriod"] = json!(unit.name);
            if unit.length > 1 {
                one["recurringChargePeriodLength"] = json!(unit.length);
            }
        }
        one
    }
}

impl Tariff {
    fn json(&self) -> Value {
        let mut tariff =
            json!({ "usageSpecification": USED, "quantity": "n", "per": self.per.json() });
        if let Some(round_to) = self.round_to {
            tariff["roundTo"] = round_to.json();
        }
        if !self.allowance.is_zero() {
            tariff["allowance"] = self.allowance.json();
        }
        let tier = |(up_to, price): &(Option<Exact>, Exact)| match up_to {
            Some(up_to) => json!({ "upTo": up_to.json(), "price": price.json() }),
            None => json!({ "price": price.json() }),
        };
        if !self.tiers.is_empty() {
            tariff["tiers"] = self.tiers.iter().map(tier).collect();
        }
        if let Some((from, until, percent)) = self.band {
            let clock = |hour: i64| format!("{hour:02}:00");
            tariff["bands"] = json!([{
                "name": "band", "from": clock(from), "until": clock(until), "percent": percent.json(),
            }]);
        }
        tariff
    }
}

impl Product {
    pub(crate) fn now(&self) -> &Version {
        self.versions.last().expect("a product has a version")
    }

    /// As it is created.
    pub(crate) fn json(&self) -> Value {
        json!({
            "name": "P", "status": "active", "startDate": time(self.start),
            "billingAccount": { "id": self.account }, "productPrice": prices(&self.now().prices),
        })
    }
}

pub(crate) fn prices(prices: &[Price]) -> Vec<Value> {
    prices.iter().map(Price::json).collect()
}

impl Usage {
    pub(crate) fn json(&self) -> Value {
        json!({
            "usageDate": time(self.at), "usageSpecification": { "id": USED },
            "usageCharacteristic": [{ "name": "n", "value": self.quantity.json() }],
            "ratedProductUsage": [{ "productRef": { "id": self.product } }],
        })
    }
}
