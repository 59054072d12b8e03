//! What conditions of roles see of orders and runs that are carried out.

use model::{Fulfilment, Kind};
use serde::Serialize;
use serde_json::Value;

use super::{Permission, Reader, Verb};

/// What conditions see of a fulfilment.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Root<'a> {
    Run(Run<'a>),
    /// The order that it began with.
    Order(Value),
}

/// What conditions see of a run.
#[derive(Serialize)]
pub struct Run<'a> {
    /// Its id; `None` before it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    pub workflow: &'a str,
    pub input: &'a Value,
}

/// What conditions see of an attempt.
#[derive(Serialize)]
pub struct Attempted<'a> {
    #[serde(flatten)]
    pub root: Root<'a>,
    pub plugin: &'a str,
}

impl<'a> Root<'a> {
    pub fn of(fulfilment: &'a Fulfilment) -> Self {
        match fulfilment.kind() {
            Kind::Run { workflow } => {
                let (id, input) = (Some(fulfilment.id().as_str()), fulfilment.document());
                Self::Run(Run { id, workflow, input })
            }
            Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => {
                Self::Order(fulfilment.root_order().map(|order| order.body).unwrap_or_default())
            }
        }
    }
}

impl Reader {
    /// Whether it may read the order that a fulfilment began with, or the run.
    pub fn sees_fulfilment(&self, fulfilment: &Fulfilment) -> bool {
        let scope = match fulfilment.root_resource() {
            Some(key) => self.scope(key, Verb::Read),
            None => self.may(&Permission::own("/runs", Verb::Read)),
        };
        scope.is_all() || scope.covers(&Root::of(fulfilment))
    }
}
