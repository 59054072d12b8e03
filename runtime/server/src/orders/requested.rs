//! The request of a client, read from its document once.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::order::{After, Form, OrderError, quotes_of};
use model::plan::{Action, Level};
use model::{FulfilmentId, Kind, Order};
use serde_json::Value;
use tmf::document::Attributes;
use tmf::document::order::{Items, Written};
use tmf::time::Timestamp;

use crate::access::Reader;

/// A requested run or order, with its document.
pub struct Requested {
    pub(super) content: Content,
    pub(super) document: Arc<Value>,
    /// The id that it has, or is to have; `None` if it is only looked at.
    pub(super) id: Option<FulfilmentId>,
    /// What it may name: to its client, other documents do not exist.
    pub(super) reader: Reader,
}

/// The content of the document.
pub(super) enum Content {
    /// The input of a run of this workflow.
    Run {
        workflow: String,
    },
    Order(Box<Order>),
}

impl Requested {
    /// Reads a document of a kind, as of a time.
    pub fn read(kind: &Kind, document: &Arc<Value>, at: Timestamp) -> Result<Self, OrderError> {
        let order = |level| {
            Ok::<_, OrderError>(Content::Order(Box::new(Order::parse(level, document)?.at(at))))
        };
        let content = match kind {
            Kind::Run { workflow } => Ok(Content::Run { workflow: workflow.clone() }),
            Kind::ProductOrder => order(Level::Product),
            Kind::ServiceOrder => order(Level::CustomerService),
            Kind::ResourceOrder => order(Level::Resource),
        };
        Ok(Self {
            content: content?,
            document: Arc::clone(document),
            id: None,
            reader: Reader::All,
        })
    }

    /// The same, to be carried out under this id.
    pub(super) fn under(self, id: FulfilmentId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same, for a client that may read these documents only.
    pub(crate) fn seen_by(self, reader: &Reader) -> Self {
        Self { reader: reader.clone(), ..self }
    }

    /// The order; `None` for a run.
    pub(super) fn order(&self) -> Option<&Order> {
        match &self.content {
            Content::Run { .. } => None,
            Content::Order(order) => Some(order),
        }
    }

    /// The ids of the other orders that must have completed first, with the attributes that name
    /// them.
    pub(super) fn after(&self) -> &[After] {
        self.order().map_or(&[], |order| &order.after)
    }

    /// The quotes that a product order is of.
    pub(super) fn quotes(&self) -> BTreeSet<&str> {
        let is_product_order = self.order().is_some_and(|order| order.level == Level::Product);
        if is_product_order { quotes_of(&self.document) } else { BTreeSet::new() }
    }

    /// Whether an order changes or terminates an existing instance.
    pub(super) fn changes_instances(&self) -> bool {
        let mut lines = self.order().into_iter().flat_map(|order| &order.lines);
        lines.any(|line| matches!(line.action, Action::Modify | Action::Delete))
    }

    /// The items of an order in the order of its lines.
    pub(super) fn items(&self, form: Form) -> Vec<Written<'_>> {
        let items = Items::of(Attributes::of(&self.document), form.names());
        items.map(|items| items.all()).unwrap_or_default()
    }
}
