//! The request of a client, read from its document once.

use model::order::{After, OrderError};
use model::plan::Level;
use model::{Kind, Order};
use serde_json::Value;

/// A requested run or order.
pub enum Requested<'a> {
    /// A run of this workflow.
    Run(&'a str),
    /// An order.
    Order(Box<Order>),
}

impl<'a> Requested<'a> {
    /// Reads a document of a kind.
    pub fn read(kind: &'a Kind, document: &Value) -> Result<Self, OrderError> {
        let level = match kind {
            Kind::Run { workflow } => return Ok(Self::Run(workflow)),
            Kind::ProductOrder => Level::Product,
            Kind::ServiceOrder => Level::CustomerService,
            Kind::ResourceOrder => Level::Resource,
        };
        Ok(Self::Order(Box::new(Order::parse(level, document)?)))
    }

    /// The ids of the other orders that must have completed first, with the attributes that name
    /// them.
    pub(crate) fn after(&self) -> &[After] {
        match self {
            Self::Run(_) => &[],
            Self::Order(order) => &order.after,
        }
    }
}
