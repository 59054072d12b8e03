//! Checks whether there is enough of a product.

use rust_decimal::Decimal;
use tmf::document::stock::{AlternateProductStock, CheckProductStock, ProductStock, StockCriteria};
use tmf::document::{Quantity, Reference, Rest};
use tmf::time::Timestamp;
use tmf::{Malformed, TaskState};

use super::quantity::{has_units_of, level, wanted};
use super::{RESOURCE, is_available};

/// Max alternatives for an item.
const ALTERNATES_MAX: usize = 10;

/// Answers a check. `candidates` are, for each item, the stocks of the product that it asks for.
pub fn check(
    mut task: CheckProductStock,
    candidates: Vec<Vec<ProductStock>>,
    at: Timestamp,
) -> Result<CheckProductStock, Malformed> {
    let any = StockCriteria::default();
    let mut candidates = candidates.into_iter();
    let wants_alternatives = task.provide_alternative == Some(true);
    for (index, item) in task.check_product_stock_item.iter_mut().enumerate() {
        let path = format!("checkProductStockItem[{index}].requestedQuantity");
        let amount = wanted(&item.requested_quantity, &path)?;
        let stocks = candidates.next().unwrap_or_default().into_iter();
        let criteria = item.checked_product_stock.as_ref().unwrap_or(&any);
        let (own, others): (Vec<ProductStock>, Vec<ProductStock>) = stocks
            .filter(|stock| has_enough(stock, &item.requested_quantity, amount))
            .partition(|stock| criteria.fit(stock));
        let result = if own.is_empty() { "unavailable" } else { "available" };
        item.availability_result = Some(result.into());
        item.state = Some(TaskState::Done);
        let wants_alternatives = wants_alternatives || item.provide_alternative == Some(true);
        item.alternate = (own.is_empty() && wants_alternatives)
            .then(|| others.into_iter().take(ALTERNATES_MAX).map(alternate).collect());
    }
    task.state = Some(TaskState::Done);
    task.completed_check_product_stock_date = Some(at.into());
    Ok(task)
}

/// Whether a quantity of an amount can be taken from a stock.
pub(super) fn has_enough(stock: &ProductStock, quantity: &Quantity, amount: Decimal) -> bool {
    is_available(stock) && has_units_of(quantity, stock) && amount <= level(stock)
}

fn alternate(stock: ProductStock) -> AlternateProductStock {
    AlternateProductStock {
        alternate_stock: Some(Reference::to(RESOURCE, &stock.id)),
        alternate_quantity: Some(Quantity::new(level(&stock), None)),
        id: Some(stock.id),
        alternate_place: stock.place,
        rest: Rest::new(),
    }
}
