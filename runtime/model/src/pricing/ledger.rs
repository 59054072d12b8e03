//! The books: every rate, payment and write-off is an entry whose debits and credits are equal in
//! each currency. An entry is posted once, by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::rate::{Rate, RateKind};
use tmf::document::{Amount, DateTime, Rest};
use tmf::malformed::Malformed;
use tmf::money::{Currency, Money};
use tmf::time::Timestamp;

/// The resource of entries.
pub const RESOURCE: &str = "journalEntry";

/// Where money is or comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// What a billing account owes, billed or not.
    Receivable(String),
    Cash,
    /// What was charged, before tax.
    Revenue,
    /// What was granted by adjustments, before tax.
    Adjustments,
    /// What will not be paid.
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

/// Money that came in for a bill; negative if a credit was paid out.
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
    pub currency: Currency,
}

impl Entry {
    /// The entry of a rate: the account owes it, revenue and tax have it. A credit reduces revenue; an
    /// adjustment has an account of its own.
    pub fn of_rate(rate: &Rate) -> Result<Self, Unbalanced> {
        let income = match rate.kind {
            RateKind::Recurring | RateKind::OneOff | RateKind::Usage | RateKind::Credit => {
                Account::Revenue
            }
            RateKind::Adjustment => Account::Adjustments,
        };
        let owed = rate.account.clone().unwrap_or_else(|| NO_ACCOUNT.into());
        let lines = vec![
            Line { account: Account::Receivable(owed), amount: rate.gross() },
            Line { account: income, amount: negative(rate.net) },
            Line { account: Account::TaxPayable, amount: negative(rate.tax()) },
        ];
        Self::new(rate_id(&rate.id), rate.date, rate.name.clone(), lines)
    }

    /// The entry of a payment of a bill of an account.
    pub fn of_payment(payment: &Payment, bill: &str, account: &str) -> Result<Self, Unbalanced> {
        let lines = vec![
            Line { account: Account::Cash, amount: payment.amount },
            Line { account: Account::Receivable(account.into()), amount: negative(payment.amount) },
        ];
        Self::new(payment_id(&payment.id, bill), payment.at, "Payment".into(), lines)
    }

    /// The entry of the write-off of a bill.
    pub fn of_write_off(
        bill: &str,
        account: &str,
        amount: Money,
        at: Timestamp,
    ) -> Result<Self, Unbalanced> {
        let lines = vec![
            Line { account: Account::WriteOff, amount },
            Line { account: Account::Receivable(account.into()), amount: negative(amount) },
        ];
        Self::new(write_off_id(bill), at, format!("Write-off of {bill}"), lines)
    }

    /// An entry, if its debits and credits are equal. Lines of zero are left out.
    pub fn new(
        id: String,
        at: Timestamp,
        text: String,
        mut lines: Vec<Line>,
    ) -> Result<Self, Unbalanced> {
        lines.retain(|line| !line.amount.amount.is_zero());
        let mut sums: BTreeMap<Currency, Decimal> = BTreeMap::new();
        for line in &lines {
            *sums.entry(line.amount.currency).or_default() += line.amount.amount;
        }
        if let Some((currency, difference)) = sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
            return Err(Unbalanced { entry: id, difference, currency });
        }
        Ok(Self { id, at, text, lines })
    }

    /// The entry that reverses it.
    #[must_use]
    pub fn reversed(mut self, id: String, at: Timestamp) -> Self {
        for line in &mut self.lines {
            line.amount.amount = -line.amount.amount;
        }
        Self { text: format!("Reversal of {}", self.id), id, at, lines: self.lines }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Writes its document.
    pub fn into_document(self) -> JournalEntry {
        let lines = self.lines.into_iter().map(|line| {
            let Money { currency, amount } = line.amount;
            JournalLine {
                account: line.account.to_string(),
                side: if amount.is_sign_negative() { Side::Credit } else { Side::Debit },
                amount: Amount::new(amount.abs(), currency),
                rest: Rest::new(),
            }
        });
        JournalEntry {
            id: self.id,
            date: self.at.into(),
            description: Some(self.text),
            line: lines.collect(),
            kind: Some("JournalEntry".into()),
            rest: Rest::new(),
        }
    }

    /// Reads an entry from its document.
    pub fn read(document: JournalEntry) -> Result<Self, Malformed> {
        let line = |(index, line): (usize, JournalLine)| {
            let wrong = || Malformed::new(format!("line[{index}].account"), "is no account");
            let account = Account::parse(&line.account).ok_or_else(wrong)?;
            let Amount(mut amount) = line.amount;
            if line.side == Side::Credit {
                amount.amount = -amount.amount;
            }
            Ok(Line { account, amount })
        };
        let JournalEntry { id, date, description, line: lines, .. } = document;
        let lines = lines.into_iter().enumerate().map(line).collect::<Result<Vec<_>, _>>()?;
        Self::new(id, date.at(), description.unwrap_or_default(), lines)
            .map_err(|_| Malformed::new("line", "is out of balance"))
    }
}

tmf::document! {
    /// An entry as it is stored.
    pub struct JournalEntry {
        id: String,
        date: DateTime,
        description?: String,
        line*: JournalLine,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

tmf::document! {
    /// A line of an entry.
    pub struct JournalLine {
        account: String,
        #[serde(rename = "type")]
        side: Side,
        /// Never negative.
        amount: Amount,
    }
}

/// The side of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    Debit,
    Credit,
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

/// The id of the entry of the write-off of a bill.
pub fn write_off_id(bill: &str) -> String {
    format!("writeOff-{bill}")
}

/// The account of rates without a billing account.
const NO_ACCOUNT: &str = "none";

/// The balances of all accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    posted: BTreeSet<String>,
    balances: BTreeMap<Currency, BTreeMap<Account, Decimal>>,
}

impl Ledger {
    /// Posts an entry, unless it was posted before.
    pub fn post(&mut self, entry: Entry) {
        if !self.posted.insert(entry.id) {
            return;
        }
        for Line { account, amount } in entry.lines {
            let balances = self.balances.entry(amount.currency).or_default();
            *balances.entry(account).or_default() += amount.amount;
        }
    }

    /// The balance of an account in a currency: debits less credits.
    pub fn balance(&self, account: &Account, currency: Currency) -> Decimal {
        let balances = self.balances.get(&currency);
        balances.and_then(|balances| balances.get(account)).copied().unwrap_or_default()
    }

    /// The accounts that are not even, by currency.
    pub fn trial_balance(&self) -> impl Iterator<Item = (Currency, &Account, Decimal)> {
        self.balances.iter().flat_map(|(currency, balances)| {
            let uneven = balances.iter().filter(|(_, balance)| !balance.is_zero());
            uneven.map(|(account, balance)| (*currency, account, *balance))
        })
    }

    /// The sum of all balances of each currency: zero, or the books are wrong.
    pub fn difference(&self) -> BTreeMap<Currency, Decimal> {
        let sums = self.balances.iter();
        sums.map(|(currency, balances)| (*currency, balances.values().sum())).collect()
    }
}

fn negative(money: Money) -> Money {
    money.with(-money.amount)
}

#[cfg(test)]
mod tests;
