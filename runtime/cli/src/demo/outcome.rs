//! Prints the results of a completed order: orders, services, resources, products and charges.

use std::io::Write;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::client::Client;

/// What is listed: a heading, the resource, and the attributes that say how it stands.
const LISTS: [(&str, &str, &[&str]); 4] = [
    ("Resources", "resource", &["name", "resourceStatus", "usageState"]),
    ("Services", "service", &["name", "serviceType", "state"]),
    ("Products", "product", &["name", "status"]),
    ("Charges", "appliedCustomerBillingRate", &["name", "type"]),
];

/// Prints what the order made; answers with the order's state.
pub(super) async fn print(client: &Client, id: &str, out: &mut impl Write) -> Result<String> {
    writeln!(out, "\nOrders")?;
    let mut state = String::new();
    for resource in ["productOrder", "serviceOrder", "resourceOrder"] {
        let path = format!("{}/{id}", tmf::table::path(resource));
        let order = match client.get(&path).await {
            Ok(order) => order,
            // An order that was refused has no orders below it.
            Err(_) if !state.is_empty() => continue,
            Err(error) => return Err(error),
        };
        let now = text(&order, "state");
        writeln!(out, "  {resource:14} {now:11} {}{path}", client.base())?;
        if state.is_empty() {
            state = now;
        }
    }
    for (heading, resource, attributes) in LISTS {
        let path = tmf::table::path(resource);
        let all = client.get(path).await?;
        let all = all.as_array().context("a list is an array")?;
        if all.is_empty() {
            continue;
        }
        writeln!(out, "\n{heading}")?;
        for entry in all {
            let said: Vec<String> =
                attributes.iter().map(|name| format!("{:20}", text(entry, name))).collect();
            let price = amount(entry);
            let (said, id) = (said.join(" "), text(entry, "id"));
            writeln!(out, "  {said} {price:18} {}{path}/{id}", client.base())?;
        }
    }
    Ok(state)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_string()
}

/// The amount of a charge, or the prices of a product.
fn amount(entry: &Value) -> String {
    let money = |value: &Value| {
        let unit = value.get("unit")?.as_str()?;
        Some(format!("{:.2} {unit}", value.get("value")?.as_f64()?))
    };
    if let Some(net) = entry.get("taxIncludedAmount") {
        return money(net).unwrap_or_default();
    }
    let prices = entry.get("productPrice").and_then(Value::as_array).into_iter().flatten();
    let prices = prices.filter_map(|price| money(price.get("price")?.get("dutyFreeAmount")?));
    prices.collect::<Vec<_>>().join(" + ")
}
