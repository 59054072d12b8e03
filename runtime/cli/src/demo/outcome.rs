//! Prints the results of a completed order: orders, services, resources, products and charges.

use std::io::Write;

use anyhow::Result;
use serde::Deserialize;
use tmf::document::Amount;
use tmf::document::product::ProductPrice;

use crate::client::Client;

/// A resource that is listed, under a heading.
const LISTS: [(&str, &str); 4] = [
    ("Resources", "resource"),
    ("Services", "service"),
    ("Products", "product"),
    ("Charges", "appliedCustomerBillingRate"),
];

#[derive(Deserialize)]
struct Order {
    state: String,
}

/// A document of a list, as far as it is printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    name: Option<String>,
    resource_status: Option<String>,
    usage_state: Option<String>,
    service_type: Option<String>,
    state: Option<String>,
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    tax_included_amount: Option<Amount>,
    #[serde(default)]
    product_price: Vec<ProductPrice>,
}

/// Prints what the order made; answers with the order's state.
pub(super) async fn print(client: &Client, id: &str, out: &mut impl Write) -> Result<String> {
    writeln!(out, "\nOrders")?;
    let mut state = String::new();
    for resource in ["productOrder", "serviceOrder", "resourceOrder"] {
        let path = format!("{}/{id}", tmf::table::path(resource));
        let order: Order = match client.get(&path).await {
            Ok(order) => order,
            // An order that was refused has no orders below it.
            Err(_) if !state.is_empty() => continue,
            Err(error) => return Err(error),
        };
        writeln!(out, "  {resource:14} {:11} {}{path}", order.state, client.base())?;
        if state.is_empty() {
            state = order.state;
        }
    }
    for (heading, resource) in LISTS {
        let path = tmf::table::path(resource);
        let all: Vec<Listed> = client.get(path).await?;
        if all.is_empty() {
            continue;
        }
        writeln!(out, "\n{heading}")?;
        for one in all {
            let (about, price) = (one.about(), one.amount());
            writeln!(out, "  {about} {price:18} {}{path}/{}", client.base(), one.id)?;
        }
    }
    Ok(state)
}

impl Listed {
    /// Its name, type and state, in columns.
    fn about(&self) -> String {
        let columns = [
            &self.name,
            &self.service_type,
            &self.resource_status,
            &self.usage_state,
            &self.state,
            &self.status,
            &self.kind,
        ];
        let columns = columns.into_iter().flatten().map(|column| format!("{column:20}"));
        columns.collect::<Vec<_>>().join(" ")
    }

    /// The amount of a charge, or the prices of a product.
    fn amount(&self) -> String {
        if let Some(amount) = &self.tax_included_amount {
            return money(amount);
        }
        let prices = self.product_price.iter().filter_map(|price| price.price.as_ref());
        let prices = prices.filter_map(|price| price.duty_free_amount.as_ref()).map(money);
        prices.collect::<Vec<_>>().join(" + ")
    }
}

fn money(Amount(money): &Amount) -> String {
    format!("{:.2} {}", money.amount, money.currency)
}
