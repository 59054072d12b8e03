//! Orders and runs that are carried out, as conditions of roles see them.

use model::{Fulfilment, Kind};
use serde::Serialize;
use serde_json::Value;

use super::{Permission, Reader, Verb};

/// A fulfilment, as conditions see it.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Root<'a> {
    Run(Run<'a>),
    /// The order that it began with.
    Order(Value),
}

/// A run, as conditions see it.
#[derive(Serialize)]
pub struct Run<'a> {
    /// Its id; `None` before it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    pub workflow: &'a str,
    pub input: &'a Value,
}

/// An attempt, as conditions see it.
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
