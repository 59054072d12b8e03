//! `ferrule bench orders`: whole product orders, from the POST until each is completed.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Load;
use super::measure::sweep;
use crate::client::Client;

/// The order that is sent when none is given.
const ORDER: &str = include_str!("../../../../../workflows/superfibre/orders/gpon.json");

#[derive(Debug, Args)]
pub(super) struct Orders {
    #[command(flatten)]
    load: Load,
    /// A file with the product order, instead of one of SuperFibre 200.
    #[arg(long)]
    order: Option<PathBuf>,
    /// Whether each order has a customer of its own, or all have one.
    #[arg(long, value_enum, default_value_t = Customers::Own)]
    customers: Customers,
    /// How many orders, after as many tenths to warm up.
    #[arg(long, default_value_t = 1_000)]
    orders: usize,
}

/// Whose orders they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Customers {
    /// Each order has a customer, an account and a place of its own.
    Own,
    /// All are of one customer and account; the places differ.
    One,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

/// An order as the server shows its fulfilment.
#[derive(Deserialize)]
struct Ended {
    state: String,
}

/// What all requests share.
struct Target {
    client: Client,
    template: Template,
    customers: Customers,
    /// What tells the names of this load from those of loads before.
    mark: String,
}

/// An order with marks in the places of the names that differ.
#[derive(Clone)]
struct Template(String);

/// The marks: of the order, and of its customer.
const ORDER_MARK: &str = "{bench order}";
const CUSTOMER_MARK: &str = "{bench customer}";

impl Orders {
    pub(super) async fn run(self) -> Result<()> {
        let Self { load, order, customers, orders } = &self;
        let client = load.client(*orders)?;
        let mark = Uuid::now_v7().simple().to_string();
        let template = Template::read(order.as_ref())?;
        let target = |phase: String| {
            let (client, template) = (client.clone(), template.clone());
            let mark = format!("{mark}-{phase}");
            Arc::new(Target { client, template, customers: *customers, mark })
        };
        sweep(load, &client, *orders, target, one).await
    }
}

async fn one(target: Arc<Target>, number: usize) -> Result<()> {
    let path = tmf::table::path("productOrder");
    let headers = [("content-type", "application/json")];
    let order = target.order(number).into_bytes();
    let created = target.client.send_bytes(Method::POST, path, &headers, order).await?;
    let Created { id } = created.success(path)?.json()?;
    let path = format!("/orchestration/v1/fulfilments/{id}?wait=60s");
    let ended: Ended = target.client.get(&path).await?;
    if ended.state != "completed" {
        bail!("order {id} is {} after a minute", ended.state);
    }
    Ok(())
}

impl Target {
    /// The order of a number.
    fn order(&self, number: usize) -> String {
        let name = format!("BENCH-{}-{number}", self.mark);
        let of_all = format!("BENCH-{}", self.mark);
        let customer = match self.customers {
            Customers::Own => &name,
            Customers::One => &of_all,
        };
        self.template.0.replace(ORDER_MARK, &name).replace(CUSTOMER_MARK, customer)
    }
}

impl Template {
    /// The order of a file, or the one that is sent when none is given.
    fn read(file: Option<&PathBuf>) -> Result<Self> {
        let Some(file) = file else { return Self::of(ORDER) };
        let named = || format!("{}", file.display());
        let text = std::fs::read_to_string(file).with_context(named)?;
        Self::of(&text).with_context(named)
    }

    fn of(order: &str) -> Result<Self> {
        let mut order: Value = serde_json::from_str(order)?;
        if !order.is_object() {
            bail!("an order is a JSON object");
        }
        order["externalId"] = json!(ORDER_MARK);
        let parties = order.get_mut("relatedParty").and_then(Value::as_array_mut);
        for party in parties.into_iter().flatten().filter_map(Value::as_object_mut) {
            party.insert("id".into(), json!(CUSTOMER_MARK));
        }
        if order["billingAccount"].is_object() {
            order["billingAccount"]["id"] = json!(format!("{CUSTOMER_MARK}-account"));
        }
        let items = order.get_mut("productOrderItem").and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            let places = item.pointer_mut("/product/place").and_then(Value::as_array_mut);
            for place in places.into_iter().flatten().filter_map(Value::as_object_mut) {
                place.insert("id".into(), json!(format!("{ORDER_MARK}-place")));
            }
        }
        Ok(Self(order.to_string()))
    }
}
