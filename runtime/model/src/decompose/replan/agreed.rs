//! Those who share an instance agree on its characteristics: the lines of the order, and the products
//! that the order leaves alone.

use std::borrow::Cow;

use serde_json::Value;

use super::super::checks::attribute;
use super::super::draft::{Builder, Requested, Wish};
use super::super::existing::{PriorItem, installed};
use super::super::parts::{self, Fit};
use super::super::produced::Whole;
use super::super::{Blocked, InstanceLookup};
use crate::codes::FailureCode;
use crate::expr::Scope as Variables;
use crate::id::{InstanceId, ItemId, SpecId};
use crate::order::Form;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level, root_of};
use tmf::document::Characteristics;

impl<'a> Builder<'a> {
    /// Notes what a line wants the characteristics of an existing instance to be. Lines that want
    /// different values are refused.
    pub(in crate::decompose) fn wish(
        &mut self,
        id: ItemId,
        line: ItemId,
        characteristics: &Characteristics,
    ) -> Result<(), Blocked> {
        for (name, value) in characteristics {
            let Some(first) = self.said.get(&id).and_then(|said| said.get(name)) else {
                let wish = Wish { value: value.clone(), line };
                self.said.entry(id).or_default().insert(name.clone(), wish);
                continue;
            };
            if first.value != *value {
                let other = format!("item `{}`", self.order.lines[first.line.index()].id);
                return Err(self.disagreement(id, name, (line, value), (&other, &first.value)));
            }
        }
        Ok(())
    }

    /// Checks that existing instances are what all that share them want.
    pub(in crate::decompose) fn agree(&mut self) -> Result<(), Blocked> {
        for (id, said) in std::mem::take(&mut self.said) {
            let item = &self.built.items[id.index()];
            let Some(known) = self.origins.get(&id).copied() else { continue };
            if item.action == Action::Delete {
                continue;
            }
            let now = &item.characteristics;
            let own = |name: &String| now.get(name).unwrap_or(&Value::Null);
            if let Some((name, wish)) = said.iter().find(|(name, wish)| *own(name) != wish.value) {
                let others = known.users().filter(|user| !user.resource().is_empty());
                let other = others.map(|user| self.name_of(user)).next();
                let other = other.unwrap_or_else(|| "another".into());
                let wish = (wish.line, &wish.value);
                return Err(self.disagreement(id, name, wish, (&other, own(name))));
            }
            let before = &known.item().characteristics;
            let mut changed = said;
            changed.retain(|name, wish| before.get(name) != Some(&wish.value));
            for user in known.users().filter(|_| !changed.is_empty()) {
                if !self.is_left_alone(user, known.id) {
                    continue;
                }
                let Some(user) = self.recalled(user)? else { continue };
                let theirs = self.wanted_by(user, known)?;
                let differs = |(name, wish): &(&String, &Wish)| {
                    theirs.get(name).is_some_and(|value| *value != wish.value)
                };
                if let Some((name, wish)) = changed.iter().find(differs) {
                    let other = self.name_of(user.id);
                    let wish = (wish.line, &wish.value);
                    return Err(self.disagreement(id, name, wish, (&other, &theirs[name])));
                }
            }
        }
        Ok(())
    }

    /// Whether a user of an instance goes on using it, and no line has said what it wants of it.
    fn is_left_alone(&self, user: &InstanceId, instance: &InstanceId) -> bool {
        if user.resource().is_empty() || self.ends(user) {
            return false;
        }
        let own = self.by_instance.get(user);
        let gives_up = self.dropped.get(instance).is_some_and(|by| by.contains(user));
        !gives_up && !own.is_some_and(|own| self.redone.contains(own))
    }

    /// What the rules give an instance for one of its users, as that is now. What they gave it
    /// counts if they cannot be asked.
    fn wanted_by(
        &mut self,
        user: PriorItem<'a>,
        known: PriorItem<'a>,
    ) -> Result<Cow<'a, Characteristics>, Blocked> {
        let root = &user.owner.plan().items
            [root_of(&user.owner.plan().items, user.installed.item).index()];
        let root = self.recalled(&user.read_from())?.map_or(root, |root| root.item());
        let variables = Variables::default()
            .with("order", user.owner.document())
            .with("item", &user.item().view())
            .with("product", &root.product_view());
        let wanted = match self.wanted_of(Whole::Other(user), &variables) {
            Ok(wanted) => wanted,
            Err(Blocked::Failure(_)) => return Ok(Cow::Borrowed(&known.item().characteristics)),
            Err(other @ (Blocked::Questions(_) | Blocked::Lookups(_))) => return Err(other),
        };
        let spec = &known.item().spec;
        let is_it = |fit: Fit, wanted: &&Requested<'_>| {
            let own = parts::fit(known.item(), wanted.part.as_ref(), |_| false);
            wanted.spec == spec && own == Some(fit)
        };
        let fits = [Fit::Same, Fit::Alternative].into_iter();
        let found = fits.filter_map(|fit| wanted.iter().find(|wanted| is_it(fit, wanted))).next();
        let above = &user.item().characteristics;
        Ok(Cow::Owned(found.map_or_else(Characteristics::new, |wanted| {
            self.inherited_from(spec, above, &wanted.characteristics)
        })))
    }

    /// An instance, which must be known now.
    fn recalled(&self, id: &InstanceId) -> Result<Option<PriorItem<'a>>, Blocked> {
        let recall = InstanceLookup::of(id);
        if !self.answers.instances.contains_key(&recall) {
            return Err(Blocked::Lookups(vec![recall]));
        }
        Ok(installed(id, self.answers))
    }

    /// A user of an instance, for people: the product that it is for.
    fn name_of(&self, user: &InstanceId) -> String {
        let name = |of: &InstanceId| format!("the {} `{}`", of.resource(), of.id());
        let known = installed(user, self.answers);
        known.map_or_else(|| name(user), |known| name(&known.read_from()))
    }

    fn disagreement(
        &self,
        id: ItemId,
        name: &str,
        (line, wanted): (ItemId, &Value),
        (other, own): (&str, &Value),
    ) -> Blocked {
        let path = self.changed_by(line);
        let line = &self.order.lines[line.index()];
        let spec: &SpecId = &self.built.items[id.index()].spec;
        let of = self.instance_of(id).map_or_else(String::new, |instance| {
            format!("the {} `{}` of `{spec}`", instance.resource(), instance.id())
        });
        let message = format!(
            "item `{}`: {path}: `{name}` of {of} would be {wanted} and is {own} for {other}, which shares \
             it: change all that share it to one value in one order, or have the pack narrow its \
             `scope` or map the characteristic from what they share",
            line.id
        );
        let failure = Failure::new(FailureClass::Reject, FailureCode::DecompConflict, message);
        Blocked::Failure(failure.about(path))
    }

    /// The attribute of a line by which it changes what it is made of.
    fn changed_by(&self, root: ItemId) -> String {
        let line = &self.order.lines[root.index()];
        let known = self.origins.get(&root).map(|known| &known.item().characteristics);
        if known.is_some_and(|before| *before == line.characteristics) {
            let form = Form::of(self.order.level);
            let place = if self.order.level == Level::Product { ".place" } else { "" };
            return format!("{}.{}{place}", line.path, form.subject());
        }
        attribute(self.order.level, line, &FailureCode::CharacteristicValue)
    }
}
