//! Up to which day the prices of a product are charged, by who pays for them.

use std::collections::BTreeMap;

use tmf::day::Day;

/// Up to which day, without it, what each account pays for is charged.
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

    /// Only what an account pays for is charged.
    pub fn only(account: &str, day: Day) -> Self {
        Self { usual: None, accounts: BTreeMap::from([(account.into(), Some(day))]) }
    }

    /// What an account pays for is charged up to another day.
    #[must_use]
    pub fn and(mut self, account: &str, day: Day) -> Self {
        self.accounts.insert(account.into(), Some(day));
        self
    }

    /// What an account pays for is not charged.
    #[must_use]
    pub fn without(mut self, account: &str) -> Self {
        self.accounts.insert(account.into(), None);
        self
    }

    /// The day for what an account pays; `None` if that is not charged now.
    pub fn of(&self, account: Option<&str>) -> Option<Day> {
        let own = account.and_then(|account| self.accounts.get(account));
        own.copied().unwrap_or(self.usual)
    }
}
