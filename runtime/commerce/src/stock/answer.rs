//! What is asked about stocks: whether there is enough, and which there are.

use serde_json::{Value, json};

use super::quantity::{Quantity, level};
use super::{Wrong, array, is_available, reference, text};
use tmf::money::number;
use tmf::time::Timestamp;

/// An item is told of so many stocks that would do instead.
const ALTERNATES_MAX: usize = 10;

/// Answers whether what the items of a request want is there. `candidates` are, for each item, the
/// stocks of what it is about.
pub fn check(request: &Value, candidates: &[Vec<Value>], at: Timestamp) -> Result<Value, Wrong> {
    const ITEMS: &str = "checkProductStockItem";
    let mut task = request.clone();
    for (index, item) in array(request, ITEMS).iter().enumerate() {
        let at_item = format!("{ITEMS}[{index}].requestedQuantity");
        let wanted = Quantity::wanted(item.get("requestedQuantity"), &at_item)?;
        let asked = item.get("checkedProductStock").unwrap_or(&Value::Null);
        let stocks = candidates.get(index).map_or(&[][..], Vec::as_slice);
        let enough = |stock: &&Value| is_available(stock) && wanted.is_in(stock);
        let (own, others): (Vec<&Value>, Vec<&Value>) =
            stocks.iter().filter(enough).partition(|stock| matches(asked, stock));
        let result = if own.is_empty() { "unavailable" } else { "available" };
        let answer = &mut task[ITEMS][index];
        answer["availabilityResult"] = json!(result);
        answer["state"] = json!("done");
        let wants = |value: &Value| value.get("provideAlternative") == Some(&json!(true));
        if own.is_empty() && (wants(item) || wants(request)) {
            answer["alternate"] = others.iter().take(ALTERNATES_MAX).map(alternate).collect();
        }
    }
    task["state"] = json!("done");
    task["completedCheckProductStockDate"] = json!(at.to_string());
    Ok(task)
}

fn alternate(stock: &&Value) -> Value {
    let mut found = json!({
        "id": text(stock, "id"),
        "alternateStock": reference(text(stock, "id")),
        "alternateQuantity": { "amount": number(level(stock)) },
    });
    if let Some(place) = stock.get("place") {
        found["alternatePlace"] = place.clone();
    }
    found
}

/// Whether a stock is as somebody describes it: every attribute that is given is the same, and of
/// what is given of an object or in a list something is.
pub fn matches(wanted: &Value, stock: &Value) -> bool {
    match (wanted, stock) {
        (Value::Object(wanted), Value::Object(_)) => wanted
            .iter()
            .filter(|(name, _)| !name.starts_with('@') && *name != "href")
            .all(|(name, value)| stock.get(name).is_some_and(|own| matches(value, own))),
        (Value::Array(wanted), Value::Array(own)) => {
            wanted.iter().all(|value| own.iter().any(|own| matches(value, own)))
        }
        (wanted, own) => wanted == own,
    }
}
