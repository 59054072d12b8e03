//! Quantities of requests and the levels of stocks.

use rust_decimal::Decimal;
use tmf::Malformed;
use tmf::document::stock::ProductStock;
use tmf::document::{Quantity, WrittenNumber};
use tmf::time::Timestamp;

/// The amount of a quantity at this path of a request.
pub(super) fn amount(quantity: &Quantity, path: &str) -> Result<Decimal, Malformed> {
    let missing = || Malformed::new(format!("{path}.amount"), "is missing");
    quantity.amount.as_ref().map(WrittenNumber::number).ok_or_else(missing)
}

/// The amount of a quantity that a client wants, which is more than zero.
pub(super) fn wanted(quantity: &Quantity, path: &str) -> Result<Decimal, Malformed> {
    let amount = amount(quantity, path)?;
    let not_positive = || Malformed::new(format!("{path}.amount"), "is not more than 0");
    (amount > Decimal::ZERO).then_some(amount).ok_or_else(not_positive)
}

/// Whether a stock is counted in the units of a quantity. A quantity without units has those of the
/// stock.
pub(super) fn has_units_of(quantity: &Quantity, stock: &ProductStock) -> bool {
    let level = stock.product_stock_level.as_ref();
    match (&quantity.units, level.and_then(|level| level.units.as_ref())) {
        (Some(own), Some(units)) => own == units,
        (None, _) | (_, None) => true,
    }
}

/// The level of a stock; zero if it has none.
pub(super) fn level(stock: &ProductStock) -> Decimal {
    let level = stock.product_stock_level.as_ref().and_then(|level| level.amount.as_ref());
    level.map(WrittenNumber::number).unwrap_or_default()
}

/// Changes the level of a stock.
pub(super) fn add(stock: &mut ProductStock, amount: Decimal, at: Timestamp) {
    let sum = level(stock) + amount;
    stock.product_stock_level.get_or_insert_default().amount = Some(sum.into());
    stock.last_update = Some(at.into());
}
