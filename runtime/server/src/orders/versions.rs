//! The versions of plugins that an order uses: chosen once, when it is planned, and by the order alone.

use host::Chosen;
use host::candidate::Chooser;
use model::PluginId;

use super::{Orders, Requested};
use crate::access::Reader;

/// The order that a decision is made for, and its client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For<'a> {
    /// What versions are chosen by; of a plan that is not carried out it is not known.
    order: Option<Chooser<'a>>,
    reader: &'a Reader,
}

impl Default for For<'_> {
    fn default() -> Self {
        static ALL: Reader = Reader::All;
        Self { order: None, reader: &ALL }
    }
}

impl Requested {
    /// The order that a decision is made for.
    pub(super) fn chooser(&self) -> For<'_> {
        let customer = self.order().and_then(|order| order.customer.as_deref());
        let order = self.id.as_ref().map(|id| Chooser { order: id.as_str(), customer });
        For { order, reader: &self.reader }
    }
}

impl<'a> For<'a> {
    /// The order, if it is known.
    pub(super) fn order(self) -> Option<Chooser<'a>> {
        self.order
    }

    /// The documents that its client may read.
    pub(super) fn reader(self) -> &'a Reader {
        self.reader
    }
}

impl Orders {
    /// The version of a plugin for an order.
    pub(super) fn version(&self, plugin: &PluginId, order: For<'_>) -> Option<Chosen> {
        self.plugins.host.choose(plugin, order.order)
    }
}
