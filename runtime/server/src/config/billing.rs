//! `[billing]` and `[quotes]` of `ferrule.toml`.

use commerce::billing::bill_state::Release;
use commerce::cpq::Policy;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use tmf::money::{AMOUNT_MAX, Decimal, TAX_CATEGORY, Tax, decimal};
use tmf::zone::Zone;

use super::Config;
use crate::settings::BillingSettings;

/// The settings of bills.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Billing {
    /// The tax, in percent, on prices without a tax in the catalog or the pack.
    #[serde(deserialize_with = "tax_rate")]
    pub tax_rate: Option<Decimal>,
    /// The name of that tax on bills; `VAT` by default.
    pub tax_category: Option<String>,
    /// The time zone of billed days, by its name in the IANA database; UTC if not set.
    #[serde(deserialize_with = "zone")]
    pub time_zone: Zone,
    /// The default state of the bills of a run.
    pub bills: Release,
}

/// The settings of quotes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Quotes {
    /// A discount by hand above this percentage needs approval.
    #[serde(deserialize_with = "percent")]
    pub discount_max: Decimal,
    /// A total above this, once or for one period, needs approval.
    #[serde(deserialize_with = "amount")]
    pub total_max: Decimal,
    /// Days for which a quote is valid.
    #[serde(deserialize_with = "days")]
    pub valid_days: u32,
}

impl Billing {
    /// Refuses the name of a tax that there is not.
    pub(super) fn check(&self) -> Result<(), String> {
        match (self.tax_category.as_deref(), &self.tax_rate) {
            (Some(""), _) => {
                Err("`[billing] tax-category` is empty: leave it out, or name the tax".into())
            }
            (Some(name), None) if name != TAX_CATEGORY => Err(
                "`[billing] tax-category` is the name of the tax of `tax-rate`, which is not set: set it too".into(),
            ),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

impl Config {
    /// The settings of sales and billing.
    pub fn commerce(&self) -> BillingSettings {
        let Billing { ref tax_rate, ref tax_category, time_zone: zone, bills: release } =
            self.billing;
        let category = tax_category.clone().unwrap_or_else(|| TAX_CATEGORY.into());
        let tax = tax_rate.map(|rate| Tax { rate, category });
        let Quotes { discount_max, total_max, valid_days } = self.quotes;
        let policy = Policy { discount_max, total_max, valid_days };
        BillingSettings { tax, release, zone, policy, strictness: self.strictness() }
    }
}

impl Default for Quotes {
    fn default() -> Self {
        let Policy { discount_max, total_max, valid_days } = Policy::default();
        Self { discount_max, total_max, valid_days }
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
    let name = String::deserialize(deserializer)?;
    let wrong = || {
        let expected = "a time zone of the IANA database, such as \"Europe/Berlin\"";
        D::Error::custom(format!("`{name}` is not {expected}"))
    };
    Zone::named(&name).ok_or_else(wrong)
}

fn tax_rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    percent(deserializer).map(Some)
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    number(deserializer, Decimal::ONE_HUNDRED, "a number from 0 to 100, such as 19 or \"7.5\"")
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    number(deserializer, Decimal::from(AMOUNT_MAX), "an amount from 0 to 10^12")
}

/// A number up to a limit, also as text: then it is exact.
fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    max: Decimal,
    expected: &str,
) -> Result<Decimal, D::Error> {
    let wrong = || D::Error::custom(format!("expected {expected}"));
    let written = serde_json::Value::deserialize(deserializer)?;
    let number = decimal(&written).ok_or_else(wrong)?;
    if Decimal::ZERO <= number && number <= max { Ok(number) } else { Err(wrong()) }
}

/// Max days for which a quote may be valid.
const VALID_DAYS_MAX: u32 = 3_650;

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let days = u32::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("expected 1 to {VALID_DAYS_MAX} days"));
    if (1..=VALID_DAYS_MAX).contains(&days) { Ok(days) } else { Err(wrong()) }
}
