//! The day up to which the prices of a product are charged, by the account that pays.

use std::collections::BTreeMap;

use tmf::day::Day;

/// The first day that each account is not charged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Until {
    usual: Option<Day>,
    accounts: BTreeMap<String, Option<Day>>,
}

impl Until {
    /// The same day for every payer.
    pub fn all(day: Day) -> Self {
        Self { usual: Some(day), accounts: BTreeMap::new() }
    }

    /// Only one account is charged.
    pub fn only(account: &str, day: Day) -> Self {
        Self { usual: None, accounts: BTreeMap::from([(account.into(), Some(day))]) }
    }

    /// The charges of an account reach another day.
    #[must_use]
    pub fn and(mut self, account: &str, day: Day) -> Self {
        self.accounts.insert(account.into(), Some(day));
        self
    }

    /// The charges of an account are left out.
    #[must_use]
    pub fn without(mut self, account: &str) -> Self {
        self.accounts.insert(account.into(), None);
        self
    }

    /// The day of an account; `None` if it is not charged now.
    pub fn of(&self, account: Option<&str>) -> Option<Day> {
        let own = account.and_then(|account| self.accounts.get(account));
        own.copied().unwrap_or(self.usual)
    }
}
