//! Attributes of an order do what the table of them tells: they are acted on, or refused with their
//! path. Nothing is taken in silence.

use serde_json::{Value, json};

use crate::world::{Answer, World, pack_order};

mod bad;
mod changed;
mod patched;
mod products;
mod refused;
mod table;

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";

/// Sends an order of a resource such as `productOrder`.
async fn send(world: &World, resource: &str, order: &Value) -> Answer {
    world.http.post(tmf::table::path(resource), order).await
}

/// An order of lines about products.
fn order_of(items: &Value) -> Value {
    json!({
        "relatedParty": [{ "id": "CUST-1001", "role": "Customer" }],
        "billingAccount": { "id": "ACC-1001" },
        "productOrderItem": items,
    })
}

/// A delivered product: the id of its order, which is that of the product without its line.
async fn delivered(world: &World) -> String {
    let id = world.submit(&pack_order("superfibre/hfc")).await;
    world.completed(&id).await;
    id
}
