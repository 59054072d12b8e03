//! What somebody owes: what is left to pay of their bills.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::money::Money;

/// The sum of what is left of bills (TMF678 `remainingAmount`), by currency.
pub fn owed(bills: &[Value]) -> Vec<Money> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for left in bills.iter().filter_map(|bill| Money::from_tmf(bill.get("remainingAmount")?)) {
        *sums.entry(left.currency).or_default() += left.amount;
    }
    sums.into_iter().map(|(currency, amount)| Money { currency, amount }).collect()
}

#[cfg(test)]
mod tests;
