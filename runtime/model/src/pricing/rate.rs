//! Applied billing rates (TMF678): what is charged or credited, before and after it is billed.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::tax::AppliedTax;
use tmf::day::{Day, Days};
use tmf::field::{Field, Malformed};
use tmf::money::{Money, TAX_CATEGORY};
use tmf::resource::capitalised;
use tmf::table::path;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// The resource that rates are.
pub const RESOURCE: &str = "appliedCustomerBillingRate";

/// Something charged or credited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Its id.
    pub id: String,
    /// What it is called on the bill.
    pub name: String,
    /// More about it on the bill.
    pub description: String,
    /// What it is.
    pub kind: RateKind,
    /// When it was made.
    pub date: Timestamp,
    /// The billing account that it goes to.
    pub account: Option<String>,
    /// The product that it is for.
    pub product: Option<String>,
    /// The id of the price that it comes from.
    pub price: Option<String>,
    /// The rate that it gives back, where it does.
    pub credits: Option<String>,
    /// The days that it covers, where it covers any.
    pub covers: Option<Days>,
    /// Before tax.
    pub net: Money,
    /// The taxes on it.
    pub taxes: Vec<AppliedTax>,
    /// The bill that it is on, once it is billed.
    pub bill: Option<String>,
}

/// What a rate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateKind {
    /// Charged for days.
    Recurring,
    /// Charged once.
    OneOff,
    /// Charged for what was used.
    Usage,
    /// Gives back days that were charged and not had.
    Credit,
    /// Gives back what should not have been charged.
    Adjustment,
}

impl RateKind {
    /// How documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recurring => "recurringCharge",
            Self::OneOff => "oneTimeCharge",
            Self::Usage => "usageCharge",
            Self::Credit => "credit",
            Self::Adjustment => "adjustment",
        }
    }

    /// Whether it charges something, and gives nothing back.
    pub fn is_charge(self) -> bool {
        match self {
            Self::Recurring | Self::OneOff | Self::Usage => true,
            Self::Credit | Self::Adjustment => false,
        }
    }

    /// Reads what a rater, or an older document, calls it too.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "recurringCharge" | "recurring" => Self::Recurring,
            "oneTimeCharge" | "oneOff" | "oneTime" => Self::OneOff,
            "usageCharge" | "usage" => Self::Usage,
            "credit" => Self::Credit,
            "adjustment" => Self::Adjustment,
            _ => return None,
        })
    }
}

impl Rate {
    /// The sum of its taxes.
    pub fn tax(&self) -> Money {
        let amount = self.taxes.iter().map(|tax| tax.amount).sum();
        Money { currency: self.net.currency.clone(), amount }
    }

    /// After tax.
    pub fn gross(&self) -> Money {
        let tax = self.tax();
        Money { amount: self.net.amount + tax.amount, ..tax }
    }

    /// Reads a rate from its document.
    pub fn read(document: &Value) -> Result<Self, Malformed> {
        let root = Field::root(document);
        let kind = root.need("type")?;
        let kind = RateKind::parse(kind.text()?).ok_or_else(|| kind.wrong("is no type of rate"))?;
        let net = root.need("taxExcludedAmount")?.money()?;
        Ok(Self {
            id: root.need("id")?.text()?.to_owned(),
            name: root.text_or("name", "")?.to_owned(),
            description: root.text_or("description", "")?.to_owned(),
            kind,
            date: root.need("date")?.time()?,
            account: root.reference("billingAccount")?,
            product: root.reference("product")?,
            price: characteristic(&root, "price")?,
            credits: characteristic(&root, "credits")?,
            covers: covers(&root)?,
            taxes: taxes_of(&root, "appliedTax", &net.currency)?,
            net,
            bill: root.reference("bill")?,
        })
    }

    /// Writes its document, with days of a zone.
    pub fn document(&self, zone: Zone) -> Value {
        let mut document = json!({
            "id": self.id,
            "href": href(RESOURCE, &self.id),
            "name": self.name,
            "date": self.date.to_string(),
            "type": self.kind.as_str(),
            "isBilled": self.bill.is_some(),
            "taxExcludedAmount": self.net.to_tmf(),
            "taxIncludedAmount": self.gross().to_tmf(),
            "appliedTax": self.applied_taxes(),
            "characteristic": self.characteristics(),
            "@type": "AppliedCustomerBillingRate",
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let (Some(fields), Some(value)) = (document.as_object_mut(), value) {
                fields.insert(name.into(), value);
            }
        };
        let described = !self.description.is_empty();
        set("description", described.then(|| json!(self.description)));
        set("billingAccount", self.account.as_deref().map(|id| reference("billingAccount", id)));
        set("product", self.product.as_deref().map(|id| reference("product", id)));
        set("bill", self.bill.as_deref().map(|id| reference("customerBill", id)));
        set("periodCoverage", self.covers.map(|days| zone.time_period(days)));
        document
    }

    fn applied_taxes(&self) -> Vec<Value> {
        self.taxes.iter().map(|tax| tax_item(tax, &self.net.currency)).collect()
    }

    fn characteristics(&self) -> Vec<Value> {
        let values = [("price", &self.price), ("credits", &self.credits)];
        let known = values.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        known
            .map(|(name, value)| json!({ "name": name, "valueType": "string", "value": value }))
            .collect()
    }
}

/// Whether an id has the form of those that charges and credits get. It is none for an adjustment:
/// the charge that gets it later could not be written.
pub fn is_of_charges(id: &str) -> bool {
    let of_run = id.rsplit_once("-b").is_some_and(|(_, rest)| is_numbers(rest));
    of_run || is_of_order(id)
}

/// Whether an id has the form of what an order charged, or gave back.
pub fn is_of_order(id: &str) -> bool {
    let charge = id.strip_suffix("-back").unwrap_or(id);
    charge.rsplit_once("-c").is_some_and(|(_, rest)| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('-') && is_numbers(rest)
    })
}

fn is_numbers(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
}

/// Notes on the document of a rate the bill that it is on. What else it says stays.
pub fn mark_billed(document: &mut Value, bill: &str) {
    if let Some(fields) = document.as_object_mut() {
        fields.insert("isBilled".into(), json!(true));
        fields.insert("bill".into(), reference("customerBill", bill));
    }
}

/// A reference to a document.
pub fn reference(resource: &str, id: &str) -> Value {
    let kind = capitalised(resource);
    json!({ "id": id, "href": href(resource, id), "@referredType": kind })
}

pub fn href(resource: &str, id: &str) -> String {
    format!("{}/{id}", path(resource))
}

/// A decimal as a JSON number, by its shortest text.
pub fn number(decimal: Decimal) -> Value {
    let text = decimal.normalize().to_string();
    text.parse().map_or(Value::Null, Value::Number)
}

/// TM Forum's `AppliedBillingTaxRate` and `TaxItem`.
pub fn tax_item(tax: &AppliedTax, currency: &str) -> Value {
    let amount = Money { amount: tax.amount, currency: currency.into() };
    let mut item = json!({ "taxCategory": tax.category, "taxAmount": amount.to_tmf() });
    if let (Some(rate), Some(fields)) = (tax.rate, item.as_object_mut()) {
        fields.insert("taxRate".into(), number(rate));
    }
    item
}

/// The taxes of a rate, or of a bill.
pub fn taxes_of(
    root: &Field<'_>,
    name: &str,
    currency: &str,
) -> Result<Vec<AppliedTax>, Malformed> {
    let one = |field: &Field<'_>| {
        let amount = field.need("taxAmount")?.money()?;
        if amount.currency != currency {
            return Err(field.wrong("is in another currency than the rate"));
        }
        let rate = field.get("taxRate").map(|rate| rate.decimal()).transpose()?;
        let category = field.text_or("taxCategory", TAX_CATEGORY)?.to_owned();
        Ok(AppliedTax { category, rate, amount: amount.amount })
    };
    root.items(name)?.iter().map(one).collect()
}

fn characteristic(root: &Field<'_>, name: &str) -> Result<Option<String>, Malformed> {
    for one in root.items("characteristic")? {
        if one.need("name")?.text()? == name {
            return Ok(Some(one.need("value")?.text()?.to_owned()));
        }
    }
    Ok(None)
}

/// The days of `periodCoverage`. Where its end is a day and no time, that is the last day.
fn covers(root: &Field<'_>) -> Result<Option<Days>, Malformed> {
    let Some(period) = root.get("periodCoverage") else { return Ok(None) };
    let (Some(from), Some(until)) = (period.get("startDateTime"), period.get("endDateTime")) else {
        return Ok(None);
    };
    let end = until.text()?;
    if end.is_empty() {
        return Ok(None);
    }
    let last = until.day()?;
    let ends_at_midnight = Day::starts_at(end);
    let until = if ends_at_midnight { last } else { last.plus_days(1) };
    Ok(Days::new(from.day()?, until))
}

#[cfg(test)]
mod tests;
