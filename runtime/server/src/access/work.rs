//! What conditions of roles see of orders and runs that are carried out.

use model::{Fulfilment, Kind};
use serde_json::{Value, json};

use super::{Permission, Reader, Verb};

impl Reader {
    /// Whether it may read the order that a fulfilment began with, or the run.
    pub fn sees_fulfilment(&self, fulfilment: &Fulfilment) -> bool {
        let scope = match fulfilment.root_resource() {
            Some(key) => self.scope(key, Verb::Read),
            None => self.may(&Permission::own("/runs", Verb::Read)),
        };
        scope.is_all() || scope.covers(&root(fulfilment))
    }
}

/// What conditions see of a fulfilment.
pub fn root(fulfilment: &Fulfilment) -> Value {
    match fulfilment.kind() {
        Kind::Run { workflow } => {
            let mut run = run(workflow, fulfilment.document());
            run["id"] = fulfilment.id().as_str().into();
            run
        }
        Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => {
            fulfilment.root_order().map(|order| order.body).unwrap_or_default()
        }
    }
}

/// What conditions see of a run.
pub fn run(workflow: &str, input: &Value) -> Value {
    json!({ "workflow": workflow, "input": input })
}
