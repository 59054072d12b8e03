//! What clients tell the books: payments, adjustments and write-offs. An attribute that is not known
//! here is rejected by its name: a misspelt one would change what is booked.

use serde_json::Value;

use tmf::field::{Field, Malformed};
use tmf::money::{Money, is_currency};

/// Max bytes of an id that a client gives.
const ID_BYTES_MAX: usize = 100;

/// Max bytes of the reason of an adjustment.
const REASON_BYTES_MAX: usize = 1_000;

/// The attributes of a reference.
const REFERENCE: &[&str] =
    &["id", "href", "name", "@type", "@baseType", "@schemaLocation", "@referredType"];

/// Money that came in for a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// What the client calls it.
    pub id: Option<String>,
    /// The bill.
    pub bill: String,
    /// How much.
    pub amount: Money,
}

/// Credit for a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentRequest {
    /// What the client calls it.
    pub id: Option<String>,
    /// What it is about.
    pub about: About,
    /// How much before tax.
    pub amount: Money,
    /// Why.
    pub reason: String,
}

/// What an adjustment is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A bill, of this account if the client names one.
    Bill {
        /// The bill.
        bill: String,
        /// The billing account.
        account: Option<String>,
    },
    /// A billing account.
    Account(String),
}

impl PaymentRequest {
    /// Reads the body of a request.
    pub fn read(body: &Value) -> Result<Self, Malformed> {
        let root = Field::root(body);
        root.only(&["id", "bill", "amount"])?;
        Ok(Self { id: id(&root)?, bill: reference(&root, "bill")?, amount: amount(&root)? })
    }
}

impl AdjustmentRequest {
    /// Reads the body of a request.
    pub fn read(body: &Value) -> Result<Self, Malformed> {
        let root = Field::root(body);
        root.only(&["id", "bill", "billingAccount", "amount", "reason"])?;
        let id = id(&root)?;
        let about = match (root.get("bill"), root.get("billingAccount")) {
            (None, _) => About::Account(reference(&root, "billingAccount")?),
            (Some(_), account) => {
                let account = account.map(|_| reference(&root, "billingAccount")).transpose()?;
                About::Bill { bill: reference(&root, "bill")?, account }
            }
        };
        let amount = amount(&root)?;
        let reason = root.need("reason")?;
        let text = short(&reason, REASON_BYTES_MAX)?;
        Ok(Self { id, about, amount, reason: text.to_owned() })
    }
}

/// Reads the bill of a request to give up what is left of it.
pub fn write_off(body: &Value) -> Result<String, Malformed> {
    let root = Field::root(body);
    root.only(&["bill"])?;
    reference(&root, "bill")
}

fn id(root: &Field<'_>) -> Result<Option<String>, Malformed> {
    let Some(id) = root.get("id") else { return Ok(None) };
    let text = short(&id, ID_BYTES_MAX)?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(id.wrong("has characters that are no letters, digits or signs of ASCII"));
    }
    Ok(Some(text.to_owned()))
}

fn reference(root: &Field<'_>, name: &str) -> Result<String, Malformed> {
    let missing = || Malformed { attribute: format!("{name}.id"), problem: "is missing".into() };
    let reference = root.get(name).ok_or_else(missing)?;
    reference.only(REFERENCE)?;
    Ok(short(&reference.need("id")?, ID_BYTES_MAX)?.to_owned())
}

fn amount(root: &Field<'_>) -> Result<Money, Malformed> {
    let amount = root.need("amount")?;
    amount.only(&["unit", "value"])?;
    let money = amount.money()?;
    if !is_currency(&money.currency) {
        return Err(amount.need("unit")?.wrong("is no currency of ISO 4217"));
    }
    Ok(money)
}

fn short<'a>(field: &Field<'a>, bytes_max: usize) -> Result<&'a str, Malformed> {
    match field.text()? {
        "" => Err(field.wrong("is empty")),
        text if text.len() > bytes_max => Err(field.wrong("is too long")),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests;
