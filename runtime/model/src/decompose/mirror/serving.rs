//! What is of scope `customer`: one instance for each customer, whichever order made it.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::super::existing::{Known, gather_from, installed};
use super::super::items::{Builder, conflict};
use super::super::{Recall, Stop};
use crate::id::{InstanceId, ItemId, SpecId};
use crate::installed::{SERVING, Serving, scope_name};
use crate::rule::Scope;

impl<'a> Builder<'a> {
    /// The name under which an instance of a specification serves the customer of this order;
    /// `None` if it is not of that scope, or the order names no customer.
    pub(in crate::decompose) fn serves(&self, spec: &SpecId) -> Option<String> {
        let scope = self.rulebook.delivery(spec).map(|(_, delivery)| delivery.scope);
        let customer = self.order.customer.as_ref().filter(|_| scope == Some(Scope::Customer));
        customer.map(|customer| scope_name(spec, customer))
    }

    /// The item of the instance that serves the customer already, as a part of another item.
    pub(in crate::decompose) fn serving(
        &mut self,
        spec: &SpecId,
        (parent, root): (ItemId, ItemId),
        wanted: &Map<String, Value>,
    ) -> Result<Option<ItemId>, Stop> {
        let Some(name) = self.serves(spec) else { return Ok(None) };
        let Some(known) = self.served_by(name)? else { return Ok(None) };
        for (name, value) in wanted {
            let own = known.item().characteristics.get(name).unwrap_or(&Value::Null);
            if own != value {
                return Err(conflict(spec, name, own, value));
            }
        }
        let is_new = !self.by_instance.contains_key(known.id);
        let id = self.stays(known)?;
        self.below(id, parent, root);
        if is_new {
            self.keep_parts(id, root, known)?;
        }
        Ok(Some(id))
    }

    fn served_by(&self, name: String) -> Result<Option<Known<'a>>, Stop> {
        let recall = Recall { resource: SERVING.into(), id: name };
        let Some(found) = self.answers.instances.get(&recall) else {
            return Err(Stop::Recall(vec![recall]));
        };
        let serving = found.as_ref().map(|found| Serving::deserialize(&found.document));
        let Some(Ok(Serving { instance })) = serving else { return Ok(None) };
        self.whole_of(&instance)
    }

    /// An instance with all that it is made of.
    fn whole_of(&self, id: &InstanceId) -> Result<Option<Known<'a>>, Stop> {
        let missing = gather_from(id, self.answers);
        if !missing.is_empty() {
            return Err(Stop::Recall(missing));
        }
        Ok(installed(id, self.answers))
    }
}
