//! The debt of a customer: what is left to pay of the bills that were sent.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use tmf::document::customer_bill::CustomerBill;
use tmf::money::{Currency, Money};

/// The sum of what is left of bills (TMF678 `remainingAmount`), by currency. A bill that was not sent
/// does not count.
pub fn owed(bills: &[CustomerBill]) -> Vec<Money> {
    let mut sums: BTreeMap<Currency, Decimal> = BTreeMap::new();
    for bill in bills.iter().filter(|bill| bill.state.is_payable()) {
        let left = bill.remaining_amount.0;
        *sums.entry(left.currency).or_default() += left.amount;
    }
    sums.into_iter().map(|(currency, amount)| Money { currency, amount }).collect()
}

#[cfg(test)]
mod tests;
