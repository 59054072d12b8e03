//! The versions of plugins that an order uses: chosen once, when it is planned, and by the order alone.

use host::Chosen;
use host::candidate::Chooser;
use model::PluginId;

use super::{Orders, Requested};

/// The order that versions are chosen for; of a plan that is not carried out it is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct For<'a>(Option<Chooser<'a>>);

impl Requested {
    /// The order that versions are chosen for.
    pub(super) fn chooser(&self) -> For<'_> {
        let customer = self.order().and_then(|order| order.customer.as_deref());
        For(self.id.as_ref().map(|id| Chooser { order: id.as_str(), customer }))
    }
}

impl<'a> For<'a> {
    /// The order, if it is known.
    pub(super) fn order(self) -> Option<Chooser<'a>> {
        self.0
    }
}

impl Orders {
    /// The version of a plugin for an order.
    pub(super) fn version(&self, plugin: &PluginId, order: For<'_>) -> Option<Chosen> {
        self.plugins.host.choose(plugin, order.0)
    }
}
