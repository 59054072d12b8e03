//! The cost of a usage as its document has it.

use rust_decimal::Decimal;

use super::State;
use tmf::Malformed;
use tmf::document::product::PriceTax;
use tmf::document::usage::{RatedProductUsage, Usage};
use tmf::document::{Amount, DateTime, Number, id_of};
use tmf::money::{Money, TAX_CATEGORY, Tax};
use tmf::time::Timestamp;

/// The attribute of a usage with its product and its cost.
const LINE: &str = "ratedProductUsage[0]";

/// A usage with its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rated {
    /// The usage.
    pub id: String,
    /// When it was used.
    pub at: Timestamp,
    /// The product that was used.
    pub product: String,
    /// The account that pays; `None` if the product had none.
    pub account: Option<String>,
    /// When it was rated.
    pub rated_at: Timestamp,
    /// The price that it was rated by.
    pub price: String,
    /// The name of that price.
    pub name: String,
    /// The units that it counts for.
    pub units: Decimal,
    /// The free ones among them.
    pub free: Decimal,
    /// The units of its period that it was rated after.
    pub before: Decimal,
    /// Before tax, with more digits than a bill has.
    pub net: Money,
    /// With tax, if the price includes it.
    pub gross: Option<Money>,
    pub taxes: Vec<Tax>,
    /// Whether it is on a bill.
    pub is_billed: bool,
}

impl Rated {
    /// Reads the cost of a usage; `None` if it is not rated.
    pub fn read(usage: &Usage) -> Result<Option<Self>, Malformed> {
        let is_billed = match usage.state() {
            State::Rated | State::Rerated => false,
            State::Billed => true,
            State::Received | State::Guided | State::Rejected | State::Recycled => return Ok(None),
        };
        let Some(line) = usage.rated_product_usage.first() else { return Ok(None) };
        let at = usage.usage_date.as_ref().ok_or_else(|| Malformed::new("usageDate", "is missing"));
        let at = at?.get("usageDate")?.at();
        Self::of_line(usage, line, at, is_billed)
            .map(Some)
            .map_err(|wrong: Malformed| wrong.within(LINE))
    }

    fn of_line(
        usage: &Usage,
        line: &RatedProductUsage,
        at: Timestamp,
        is_billed: bool,
    ) -> Result<Self, Malformed> {
        let product = id_of(line.product_ref.as_ref(), "productRef")?;
        let account = id_of(line.billing_account.as_ref(), "billingAccount")?;
        let gross = match line.includes_tax {
            Some(true) => Some(amount(line.tax_included_rating_amount, "taxIncludedRatingAmount")?),
            Some(false) | None => None,
        };
        Ok(Self {
            id: usage.id.clone(),
            at,
            product: product.ok_or_else(|| missing("productRef"))?.to_owned(),
            account: account.map(str::to_owned),
            rated_at: line.rating_date.as_ref().map_or(Timestamp(0), DateTime::at),
            price: line.price.clone().ok_or_else(|| missing("price"))?,
            name: line.price_name.clone().unwrap_or_default(),
            units: number(line.units, "units")?,
            free: number(line.free_units, "freeUnits")?,
            before: line.units_before.unwrap_or_default().0,
            net: amount(line.tax_excluded_rating_amount, "taxExcludedRatingAmount")?,
            gross,
            taxes: line.tax.iter().map(tax).collect(),
            is_billed,
        })
    }

    /// The amount that is added up for a bill: with tax if the price includes it.
    pub(in crate::billing) fn charged(&self) -> Money {
        self.gross.unwrap_or(self.net)
    }
}

fn tax(tax: &PriceTax) -> Tax {
    let category = tax.tax_category.as_deref().unwrap_or(TAX_CATEGORY).to_owned();
    Tax { rate: tax.tax_rate.0, category }
}

fn number(number: Option<Number>, name: &str) -> Result<Decimal, Malformed> {
    number.map(|Number(number)| number).ok_or_else(|| missing(name))
}

fn amount(amount: Option<Amount>, name: &str) -> Result<Money, Malformed> {
    amount.map(|Amount(money)| money).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Malformed {
    Malformed::new(name, "is missing")
}
