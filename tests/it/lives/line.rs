//! What is on bills, as the server shows it.

use serde_json::Value;

use super::calendar::{Day, read};
use super::exact::Exact;
use crate::world::text;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) product: String,
    /// The key of its price: its name, and more if there are several of a name.
    pub(crate) price: String,
    pub(crate) account: String,
    /// From a day up to, without, another one.
    pub(crate) days: (Day, Day),
    pub(crate) currency: String,
    pub(crate) net: Exact,
    /// Category, percentage and amount of each tax.
    pub(crate) taxes: Vec<(String, Exact, Exact)>,
    pub(crate) bill: Option<String>,
}

impl Line {
    pub(crate) fn read(rate: &Value) -> Self {
        let id = |name: &str| rate[name]["id"].as_str().unwrap_or_default().to_owned();
        let of = |name: &str| {
            let mut all = rate["characteristic"].as_array().into_iter().flatten();
            all.find(|one| one["name"] == name).map(|one| text(&one["value"])).unwrap_or_default()
        };
        let covers = |name: &str| rate["periodCoverage"][name].as_str().map_or(0, read);
        let tax = |tax: &Value| {
            let category = text(&tax["taxCategory"]);
            (category, Exact::read(&tax["taxRate"]), Exact::read(&tax["taxAmount"]["value"]))
        };
        Self {
            id: text(&rate["id"]),
            kind: text(&rate["type"]),
            product: id("product"),
            price: of("price"),
            account: id("billingAccount"),
            days: (covers("startDateTime"), covers("endDateTime")),
            currency: text(&rate["taxExcludedAmount"]["unit"]),
            net: Exact::read(&rate["taxExcludedAmount"]["value"]),
            taxes: rate["appliedTax"].as_array().into_iter().flatten().map(tax).collect(),
            bill: rate["bill"]["id"].as_str().map(str::to_owned),
        }
    }

    pub(crate) fn is_credit(&self) -> bool {
        self.kind == "credit"
    }

    pub(crate) fn gross(&self) -> Exact {
        self.net + self.taxes.iter().map(|(.., amount)| *amount).sum()
    }
}
