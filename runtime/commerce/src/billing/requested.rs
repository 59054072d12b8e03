//! Requests of clients to the books: payments, adjustments and write-offs. An attribute that is not
//! known here is rejected by its name: a misspelt one would change the entry.

use tmf::Malformed;
use tmf::document::{Amount, Number, Reference, Rest, read, write};
use tmf::money::Money;

/// Max bytes of an id that a client gives.
const ID_BYTES_MAX: usize = 100;

/// Max bytes of the reason of an adjustment.
const REASON_BYTES_MAX: usize = 1_000;

/// The attributes of a reference that have no meaning here.
const OF_REFERENCE: &[&str] = &["@type", "@baseType", "@schemaLocation"];

tmf::document! {
    /// The body of a request to note a payment.
    pub struct PaymentBody {
        id?: String,
        bill?: Reference,
        amount?: RequestedAmount,
    }
}

tmf::document! {
    /// The body of a request to grant an adjustment.
    pub struct AdjustmentBody {
        id?: String,
        bill?: Reference,
        billing_account?: Reference,
        amount?: RequestedAmount,
        reason?: String,
    }
}

tmf::document! {
    /// The body of a request to write off the rest of a bill.
    pub struct WriteOffBody {
        bill?: Reference,
    }
}

tmf::document! {
    /// An amount, which may be malformed: its errors are for the amount as a whole.
    pub struct RequestedAmount {
        unit?: tmf::document::Deferred<String>,
        value?: tmf::document::Deferred<Number>,
    }
}

/// Money that came in for a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// The client's name of it.
    pub id: Option<String>,
    pub bill: String,
    pub amount: Money,
}

/// Credit for a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentRequest {
    /// The client's name of it.
    pub id: Option<String>,
    pub about: About,
    /// Before tax.
    pub amount: Money,
    pub reason: String,
}

/// The subject of an adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A bill, of this account if the client names one.
    Bill { bill: String, account: Option<String> },
    /// A billing account.
    Account(String),
}

impl TryFrom<PaymentBody> for PaymentRequest {
    type Error = Malformed;

    fn try_from(body: PaymentBody) -> Result<Self, Malformed> {
        known(&body.rest)?;
        Ok(Self {
            id: body.id.map(id).transpose()?,
            bill: reference(body.bill, "bill")?,
            amount: amount(body.amount)?,
        })
    }
}

impl TryFrom<AdjustmentBody> for AdjustmentRequest {
    type Error = Malformed;

    fn try_from(body: AdjustmentBody) -> Result<Self, Malformed> {
        known(&body.rest)?;
        let id = body.id.map(id).transpose()?;
        let account = body.billing_account;
        let about = match body.bill {
            None => About::Account(reference(account, "billingAccount")?),
            Some(bill) => {
                let account = account.map(|account| reference(Some(account), "billingAccount"));
                About::Bill { account: account.transpose()?, bill: reference(Some(bill), "bill")? }
            }
        };
        let amount = amount(body.amount)?;
        let reason = body.reason.ok_or_else(|| Malformed::new("reason", "is missing"))?;
        Ok(Self { id, about, amount, reason: short(reason, "reason", REASON_BYTES_MAX)? })
    }
}

impl WriteOffBody {
    /// The bill that is written off.
    pub fn bill(self) -> Result<String, Malformed> {
        known(&self.rest)?;
        reference(self.bill, "bill")
    }
}

fn known(rest: &Rest) -> Result<(), Malformed> {
    match rest.keys().next() {
        Some(name) => Err(Malformed::new(name, "is not known")),
        None => Ok(()),
    }
}

fn id(id: String) -> Result<String, Malformed> {
    let id = short(id, "id", ID_BYTES_MAX)?;
    if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "has characters that are no letters, digits or signs of ASCII";
        return Err(Malformed::new("id", problem));
    }
    Ok(id)
}

fn reference(reference: Option<Reference>, name: &str) -> Result<String, Malformed> {
    let path = format!("{name}.id");
    let missing = || Malformed::new(path.as_str(), "is missing");
    let reference = reference.ok_or_else(missing)?;
    let mut unknown = reference.rest.keys().filter(|name| !OF_REFERENCE.contains(&name.as_str()));
    let role = reference.role.is_some().then_some("role");
    if let Some(unknown) = unknown.next().map(String::as_str).or(role) {
        return Err(Malformed::new(format!("{name}.{unknown}"), "is not known"));
    }
    short(reference.id.ok_or_else(missing)?, &path, ID_BYTES_MAX)
}

fn amount(amount: Option<RequestedAmount>) -> Result<Money, Malformed> {
    let amount = amount.ok_or_else(|| Malformed::new("amount", "is missing"))?;
    known(&amount.rest).map_err(|wrong| wrong.within("amount"))?;
    let Amount(money) = read(&write(&amount)).map_err(|wrong| wrong.within("amount"))?;
    if !money.currency.is_known() {
        return Err(Malformed::new("amount.unit", "is no currency of ISO 4217"));
    }
    Ok(money)
}

fn short(text: String, path: &str, bytes_max: usize) -> Result<String, Malformed> {
    match text.len() {
        0 => Err(Malformed::new(path, "is empty")),
        bytes if bytes > bytes_max => Err(Malformed::new(path, "is too long")),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests;
