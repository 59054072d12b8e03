//! What somebody owes: what is left to pay of the bills that they were sent.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::bill_state::BillState;
use tmf::money::Money;

/// The sum of what is left of bills (TMF678 `remainingAmount`), by currency. What was not sent yet
/// is not owed.
pub fn owed(bills: &[Value]) -> Vec<Money> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    let out = |bill: &&Value| BillState::of(bill).is_ok_and(BillState::is_out);
    for left in
        bills.iter().filter(out).filter_map(|bill| Money::from_tmf(bill.get("remainingAmount")?))
    {
        *sums.entry(left.currency).or_default() += left.amount;
    }
    sums.into_iter().map(|(currency, amount)| Money { currency, amount }).collect()
}

#[cfg(test)]
mod tests;
