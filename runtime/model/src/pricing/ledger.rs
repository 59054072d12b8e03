//! The books: every rate, payment and write-off is an entry whose debits and credits are equal in
//! each currency. An entry is posted once, by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::rate::{Rate, RateKind};
use tmf::field::{Field, Malformed};
use tmf::money::Money;
use tmf::time::Timestamp;

/// The resource that entries are.
pub const RESOURCE: &str = "journalEntry";

/// Where money is or comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// What a billing account owes, billed or not.
    Receivable(String),
    /// What was paid.
    Cash,
    /// What was charged, before tax.
    Revenue,
    /// What was given back, before tax.
    Adjustments,
    /// What was given up.
    WriteOff,
    /// The tax that is owed to the state.
    TaxPayable,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receivable(account) => write!(f, "receivable:{account}"),
            Self::Cash => f.write_str("cash"),
            Self::Revenue => f.write_str("revenue"),
            Self::Adjustments => f.write_str("adjustments"),
            Self::WriteOff => f.write_str("writeOff"),
            Self::TaxPayable => f.write_str("taxPayable"),
        }
    }
}

impl Account {
    /// Reads what it is written as.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "cash" => Self::Cash,
            "revenue" => Self::Revenue,
            "adjustments" => Self::Adjustments,
            "writeOff" => Self::WriteOff,
            "taxPayable" => Self::TaxPayable,
            _ => Self::Receivable(text.strip_prefix("receivable:")?.into()),
        })
    }
}

/// One account and how much: a debit is more than zero, a credit less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// How much.
    pub amount: Money,
}

/// Money that came in for a bill; negative where a credit was paid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id: a payment is noted once on a bill.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// Something that happened to money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    id: String,
    at: Timestamp,
    text: String,
    lines: Vec<Line>,
}

/// The debits and credits of an entry are not equal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry `{entry}` is out of balance by {difference} {currency}")]
pub struct Unbalanced {
    /// The entry.
    pub entry: String,
    /// By how much.
    pub difference: Decimal,
    /// In which currency.
    pub currency: String,
}

impl Entry {
    /// The entry of a rate: the account owes it, revenue and tax have it. What is given back comes
    /// out of revenue where it was charged for days, and of adjustments where it was granted.
    pub fn of_rate(rate: &Rate) -> Result<Self, Unbalanced> {
        let income = match rate.kind {
            RateKind::Recurring | RateKind::OneOff | RateKind::Usage | RateKind::Credit => {
                Account::Revenue
            }
            RateKind::Adjustment => Account::Adjustments,
        };
        let owed = rate.account.clone().unwrap_or_else(|| NOBODY.into());
        let lines = vec![
            Line { account: Account::Receivable(owed), amount: rate.gross() },
            Line { account: income, amount: negative(&rate.net) },
            Line { account: Account::TaxPayable, amount: negative(&rate.tax()) },
        ];
        Self::new(rate_id(&rate.id), rate.date, rate.name.clone(), lines)
    }

    /// The entry of a payment of a bill of an account.
    pub fn of_payment(payment: &Payment, bill: &str, account: &str) -> Result<Self, Unbalanced> {
        let lines = vec![
            Line { account: Account::Cash, amount: payment.amount.clone() },
            Line {
                account: Account::Receivable(account.into()),
                amount: negative(&payment.amount),
            },
        ];
        Self::new(payment_id(&payment.id, bill), payment.at, "Payment".into(), lines)
    }

    /// The entry of what is given up of a bill.
    pub fn of_write_off(
        bill: &str,
        account: &str,
        amount: &Money,
        at: Timestamp,
    ) -> Result<Self, Unbalanced> {
        let lines = vec![
            Line { account: Account::WriteOff, amount: amount.clone() },
            Line { account: Account::Receivable(account.into()), amount: negative(amount) },
        ];
        Self::new(write_off_id(bill), at, format!("Write-off of {bill}"), lines)
    }

    /// An entry, if its debits and credits are equal. Lines of nothing are left out.
    pub fn new(
        id: String,
        at: Timestamp,
        text: String,
        mut lines: Vec<Line>,
    ) -> Result<Self, Unbalanced> {
        lines.retain(|line| !line.amount.amount.is_zero());
        let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
        for line in &lines {
            *sums.entry(&line.amount.currency).or_default() += line.amount.amount;
        }
        if let Some((currency, difference)) = sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
            return Err(Unbalanced { entry: id, difference, currency: currency.into() });
        }
        Ok(Self { id, at, text, lines })
    }

    /// The entry that takes it back.
    #[must_use]
    pub fn reversed(&self, id: String, at: Timestamp) -> Self {
        let lines = self.lines.iter();
        let lines = lines.map(|line| Line { amount: negative(&line.amount), ..line.clone() });
        Self { id, at, text: format!("Reversal of {}", self.id), lines: lines.collect() }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Writes its document.
    pub fn document(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let is_credit = line.amount.amount.is_sign_negative();
            let amount = Money { amount: line.amount.amount.abs(), ..line.amount.clone() };
            json!({
                "account": line.account.to_string(),
                "type": if is_credit { "credit" } else { "debit" },
                "amount": amount.to_tmf(),
            })
        });
        json!({
            "id": self.id,
            "date": self.at.to_string(),
            "description": self.text,
            "line": lines.collect::<Vec<_>>(),
            "@type": "JournalEntry",
        })
    }

    /// Reads an entry from its document.
    pub fn read(document: &Value) -> Result<Self, Malformed> {
        let root = Field::root(document);
        let line = |field: &Field<'_>| {
            let account = field.need("account")?;
            let mut amount = field.need("amount")?.money()?;
            let side = field.need("type")?;
            match side.text()? {
                "debit" => {}
                "credit" => amount.amount = -amount.amount,
                _ => return Err(side.wrong("is neither `debit` nor `credit`")),
            }
            let name = Account::parse(account.text()?);
            Ok(Line { account: name.ok_or_else(|| account.wrong("is no account"))?, amount })
        };
        let lines = root.items("line")?.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let id = root.need("id")?.text()?.to_owned();
        let at = root.need("date")?.time()?;
        let text = root.text_or("description", "")?.to_owned();
        let unbalanced =
            |_| Malformed { attribute: "line".into(), problem: "is out of balance".into() };
        Self::new(id, at, text, lines).map_err(unbalanced)
    }
}

/// The id of the entry of a rate.
pub fn rate_id(rate: &str) -> String {
    format!("rate-{rate}")
}

/// The id of the entry of a payment of a bill: one payment may be noted on several bills. The id of
/// a bill has no slash.
pub fn payment_id(payment: &str, bill: &str) -> String {
    format!("payment-{payment}/{bill}")
}

/// The id of the entry of a payment that was noted when a payment had one entry only.
pub fn former_payment_id(payment: &str) -> String {
    format!("payment-{payment}")
}

/// The id of the entry of what was given up of a bill.
pub fn write_off_id(bill: &str) -> String {
    format!("writeOff-{bill}")
}

/// Whose rates have no billing account.
const NOBODY: &str = "nobody";

/// The balances of all accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    posted: BTreeSet<String>,
    balances: BTreeMap<(String, Account), Decimal>,
}

impl Ledger {
    /// Posts an entry, unless it was posted before.
    pub fn post(&mut self, entry: &Entry) {
        if !self.posted.insert(entry.id.clone()) {
            return;
        }
        for line in &entry.lines {
            let key = (line.amount.currency.clone(), line.account.clone());
            *self.balances.entry(key).or_default() += line.amount.amount;
        }
    }

    /// The balance of an account in a currency: debits less credits.
    pub fn balance(&self, account: &Account, currency: &str) -> Decimal {
        self.balances.get(&(currency.into(), account.clone())).copied().unwrap_or_default()
    }

    /// The accounts that are not even, by currency.
    pub fn trial_balance(&self) -> impl Iterator<Item = (&str, &Account, Decimal)> {
        self.balances
            .iter()
            .filter(|(_, balance)| !balance.is_zero())
            .map(|((currency, account), balance)| (currency.as_str(), account, *balance))
    }

    /// The sum of all balances of each currency: zero, or the books are wrong.
    pub fn difference(&self) -> BTreeMap<&str, Decimal> {
        let mut sums = BTreeMap::new();
        for ((currency, _), balance) in &self.balances {
            *sums.entry(currency.as_str()).or_default() += *balance;
        }
        sums
    }
}

fn negative(money: &Money) -> Money {
    Money { amount: -money.amount, ..money.clone() }
}

#[cfg(test)]
mod tests;
