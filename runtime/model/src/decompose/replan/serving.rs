//! Existing instances that are shared by their scope: one for each customer, or for each bundle,
//! whichever order made it.

use std::collections::BTreeSet;

use serde::Deserialize as _;

use super::super::draft::{Builder, Requested};
use super::super::existing::{PriorItem, gather_from, installed};
use super::super::parts;
use super::super::{Blocked, InstanceLookup};
use crate::id::{InstanceId, ItemId, SpecId};
use crate::installed::{SERVING, Serving, scope_name};
use crate::rule::Scope;
use tmf::document::Characteristics;

impl<'a> Builder<'a> {
    /// The name under which an instance of a specification serves the customer of this order;
    /// `None` if it is not of that scope, or the order names no customer.
    pub(in crate::decompose) fn serves(&self, spec: &SpecId) -> Option<String> {
        let scope = self.rulebook.delivery(spec).map(|(_, delivery)| delivery.scope);
        let customer = self.order.customer.as_ref().filter(|_| scope == Some(Scope::Customer));
        customer.map(|customer| scope_name(spec, customer))
    }

    /// The instance that is there already and that a line shares by its scope: of its customer, or
    /// of the bundle that it is in.
    pub(in crate::decompose) fn there(
        &self,
        wanted: &Requested<'_>,
        root: ItemId,
    ) -> Result<Option<PriorItem<'a>>, Blocked> {
        match self.scope(wanted.spec) {
            Scope::Customer => match self.serves(wanted.spec) {
                Some(name) => self.served_by(name),
                None => Ok(None),
            },
            Scope::Bundle => self.of_bundle(wanted, root),
            Scope::Parent | Scope::Item | Scope::Line | Scope::Order | Scope::Place => Ok(None),
        }
    }

    /// An instance that is there becomes part of an item, for a line.
    pub(in crate::decompose) fn taken(
        &mut self,
        known: PriorItem<'a>,
        (parent, root): (ItemId, ItemId),
        wanted: &Characteristics,
    ) -> Result<ItemId, Blocked> {
        let is_new = !self.by_instance.contains_key(known.id);
        let id = self.stays(known)?;
        self.below(id, parent, root);
        self.wish(id, root, wanted)?;
        if is_new {
            self.keep_parts(id, root, known)?;
        }
        Ok(id)
    }

    /// The instance that other parts of the same bundle have, whichever orders made them.
    fn of_bundle(
        &self,
        wanted: &Requested<'_>,
        root: ItemId,
    ) -> Result<Option<PriorItem<'a>>, Blocked> {
        let Some(bundle) = self.built.bundles.get(root.index()) else { return Ok(None) };
        let Some(line) = self.origins.get(bundle) else { return Ok(None) };
        let mut outermost = *line;
        while let Some(outer) = outermost.users().find(|user| user.resource() == "product") {
            let Some(known) = self.whole_of(outer)? else { break };
            outermost = known;
        }
        let Some(outermost) = self.whole_of(outermost.id)? else { return Ok(None) };
        let is_it = |known: &PriorItem<'a>| {
            known.item().spec == *wanted.spec && parts::is_shared(known.item(), wanted)
        };
        let (mut open, mut seen) = (vec![outermost], BTreeSet::new());
        while let Some(known) = open.pop() {
            if self.ends(known.id) || !seen.insert(known.id) {
                continue;
            }
            if is_it(&known) {
                return Ok(Some(known));
            }
            let below: Vec<_> = known.parts().collect();
            open.extend(below.iter().rev().filter_map(|part| installed(part, self.answers)));
        }
        Ok(None)
    }

    fn served_by(&self, name: String) -> Result<Option<PriorItem<'a>>, Blocked> {
        let recall = InstanceLookup { resource: SERVING.into(), id: name };
        let Some(found) = self.answers.instances.get(&recall) else {
            return Err(Blocked::Lookups(vec![recall]));
        };
        let serving = found.as_ref().map(|found| Serving::deserialize(&found.document));
        let Some(Ok(Serving { instance })) = serving else { return Ok(None) };
        self.whole_of(&instance)
    }

    /// An instance with all that it is made of.
    fn whole_of(&self, id: &InstanceId) -> Result<Option<PriorItem<'a>>, Blocked> {
        let missing = gather_from(id, self.answers);
        if !missing.is_empty() {
            return Err(Blocked::Lookups(missing));
        }
        Ok(installed(id, self.answers))
    }
}
