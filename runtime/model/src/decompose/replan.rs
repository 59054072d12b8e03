//! Plans a change of an installed product: its services are matched with those that the rules ask for
//! now. They stay as they are, change, or cease when their last user gives them up.

mod agreed;
mod ceasing;
mod needed;
mod own;
mod serving;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Blocked;
use super::draft::{Builder, Reads, Requested};
use super::existing::{ExistingLine, PriorItem, installed};
use super::parts::{self, Fit};
use crate::codes::FailureCode;
use crate::documents;
use crate::id::{InstanceId, ItemId, SpecId};
use crate::order::Form;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Item, Level, Part, Provenance, root_of};
use tmf::document::instance::links_of;

impl<'a> Builder<'a> {
    /// Notes what is known of the instance that a line is about.
    pub(super) fn existing(
        &mut self,
        index: usize,
        existing: &ExistingLine<'a>,
    ) -> Result<(), Blocked> {
        let (known, id) = (existing.known, ItemId::at(index));
        let item = &mut self.built.items[index];
        item.level = known.item().level;
        item.title.clone_from(&known.item().title);
        item.serves.clone_from(&known.item().serves);
        self.stand(id, known)?;
        let item = &mut self.built.items[index];
        name_state(item, known.document)?;
        if let Some(origin) = &mut item.origin {
            origin.wanted = existing.wanted.map(Into::into);
            let (form, line) = (Form::of(self.order.level), &self.order.lines[index]);
            origin.shown = documents::known(form, &line.lists, known.document);
        }
        if existing.is_changed {
            self.redone.insert(id);
        }
        Ok(())
    }

    /// Lines of instances that are not decomposed anew: all that they are made of stays.
    pub(super) fn keep_lines(
        &mut self,
        existing: &BTreeMap<usize, ExistingLine<'a>>,
    ) -> Result<(), Blocked> {
        for (index, line) in existing {
            let id = ItemId::at(*index);
            let ceases = self.built.items[*index].action == Action::Delete;
            if !ceases && !line.is_changed {
                self.built.unchanged.insert(id);
                self.keep_parts(id, id, line.known)?;
            }
        }
        Ok(())
    }

    /// The parts of an instance stay as they are.
    pub(super) fn keep_parts(
        &mut self,
        id: ItemId,
        root: ItemId,
        known: PriorItem<'a>,
    ) -> Result<(), Blocked> {
        self.whole.insert(id);
        for part in known.parts() {
            let Some(part) = installed(&part, self.answers) else { continue };
            if self.ends(part.id) {
                continue;
            }
            let is_new = !self.by_instance.contains_key(part.id);
            let own = self.stays(part)?;
            self.below(own, id, root);
            if is_new {
                let root = self.keep_product(own, id, part)?.unwrap_or(root);
                self.keep_parts(own, root, part)?;
            }
        }
        Ok(())
    }

    /// A part of a bundle stays as it is, or becomes suspended or active with it.
    fn keep_product(
        &mut self,
        own: ItemId,
        bundle: ItemId,
        part: PriorItem<'a>,
    ) -> Result<Option<ItemId>, Blocked> {
        if part.item().level != Level::Product {
            return Ok(None);
        }
        let whole = &self.built.items[bundle.index()];
        let wanted = whole.origin.as_ref().and_then(|origin| origin.wanted.as_ref());
        let wanted = wanted.filter(|wanted| part.may_become(wanted).is_ok()).cloned();
        let line = format!("{}.{}", whole.line, part.item().line);
        let item = &mut self.built.items[own.index()];
        item.line = line;
        name_state(item, part.document)?;
        if let (Some(_), Some(origin)) = (&wanted, &mut item.origin) {
            origin.wanted = wanted;
            item.action = Action::Modify;
        }
        self.is_line_within(own, bundle);
        self.built.unchanged.insert(own);
        Ok(Some(own))
    }

    /// A product that no line names is a line of its own, in the bundle that it is a part of. It has
    /// the date of that.
    pub(super) fn is_line_within(&mut self, own: ItemId, bundle: ItemId) {
        self.built.items[own.index()].not_before = self.built.items[bundle.index()].not_before;
        let bundles = &mut self.built.bundles;
        let outer = bundles.get(bundle.index()).copied().unwrap_or(bundle);
        bundles.extend((bundles.len()..=own.index()).map(ItemId::at));
        bundles[own.index()] = outer;
        self.built.roots[own.index()] = BTreeSet::from([own]);
    }

    /// Notes which items their owners keep: nothing changes of what they are made of or stand on.
    pub(super) fn finish(&mut self) {
        let mut parts: BTreeMap<ItemId, BTreeSet<&InstanceId>> = BTreeMap::new();
        let mut is_grown: BTreeSet<ItemId> = BTreeSet::new();
        for (index, item) in self.built.items.iter().enumerate() {
            for parent in item.parents.iter().filter(|_| item.action != Action::Delete) {
                match self.origins.get(&ItemId::at(index)) {
                    Some(known) => {
                        parts.entry(*parent).or_default().insert(known.id);
                    }
                    None => {
                        is_grown.insert(*parent);
                    }
                }
            }
        }
        for index in 0..self.built.items.len() {
            let id = ItemId::at(index);
            let Some(known) = self.origins.get(&id).copied() else { continue };
            if self.redone.contains(&id) {
                let reads = self.reads(id, &known);
                self.built.compared.insert(id, reads);
            }
            let item = &self.built.items[index];
            let is_line = index < self.order.lines.len();
            if is_line || item.action != Action::NoChange {
                continue;
            }
            let there = known.parts().filter(|part| installed(part, self.answers).is_some());
            let before: BTreeSet<InstanceId> = there.collect();
            let now = parts.get(&id);
            let is_same = before.len() == now.map_or(0, BTreeSet::len)
                && now.into_iter().flatten().all(|part| before.contains(*part));
            let changes = self.whole.contains(&id) || self.redone.contains(&id);
            let is_same = is_same && !is_grown.contains(&id) && self.has_same_needs(id, &known);
            let stays = !changes || is_same;
            if let Some(origin) = &mut self.built.items[index].origin {
                origin.stays = stays;
            }
        }
    }

    fn has_same_needs(&self, id: ItemId, known: &PriorItem<'a>) -> bool {
        let now = self.built.items[id.index()].needs.iter();
        let now: BTreeSet<Option<&InstanceId>> =
            now.map(|need| self.origins.get(need).map(|known| known.id)).collect();
        let before: BTreeSet<InstanceId> =
            known.needs().filter(|need| installed(need, self.answers).is_some()).collect();
        now == before.iter().map(Some).collect()
    }

    /// Which product an item's steps read: the one that they were done for while that uses it, which
    /// comes first among the parents then.
    fn reads(&mut self, id: ItemId, known: &PriorItem<'a>) -> Reads {
        let from = known.read_from();
        let leads = |parent: &ItemId| {
            let root = root_of(&self.built.items, *parent);
            self.origins.get(&root).is_some_and(|known| *known.id == from)
        };
        if let Some(position) = self.built.items[id.index()].parents.iter().position(leads) {
            self.built.items[id.index()].parents.swap(0, position);
            return Reads::Line;
        }
        let is_line = root_of(&self.built.items, id) == id;
        let is_there = installed(&from, self.answers).is_some() && !self.ends(&from);
        if is_there && !is_line { Reads::Elsewhere } else { Reads::Line }
    }

    /// The item of an instance that stays as it is; the one that the plan has where it has one.
    pub(super) fn stays(&mut self, known: PriorItem<'a>) -> Result<ItemId, Blocked> {
        match self.by_instance.get(known.id) {
            Some(id) => Ok(*id),
            None => self.copy(known, Action::NoChange),
        }
    }

    /// Whether a line of the order ends it.
    fn ends(&self, id: &InstanceId) -> bool {
        let item = self.by_instance.get(id).map(|item| &self.built.items[item.index()]);
        item.is_some_and(|item| item.action == Action::Delete)
    }

    /// An item becomes part of another, for a line.
    pub(super) fn below(&mut self, child: ItemId, parent: ItemId, root: ItemId) {
        if self.links.insert((child, parent)) {
            self.built.items[child.index()].parents.push(parent);
        }
        self.built.roots[child.index()].insert(root);
    }

    /// The instances that an item is made of already, for each that is wanted of it by the rules.
    /// Instances that are equal in every characteristic are matched first.
    pub(super) fn matches(
        &self,
        parent: ItemId,
        wanted: &[Requested<'_>],
    ) -> Vec<Option<PriorItem<'a>>> {
        let mut found = vec![None; wanted.len()];
        let Some(known) = self.origins.get(&parent).filter(|_| self.redone.contains(&parent))
        else {
            return found;
        };
        let parts = known.parts().filter_map(|part| installed(&part, self.answers));
        let mut open: Vec<PriorItem<'a>> = parts.filter(|part| !self.ends(part.id)).collect();
        let still = |spec: &SpecId, part: &Part| {
            wanted.iter().any(|other| other.spec == spec && other.part.as_ref() == Some(part))
        };
        for (fit, exactly) in [(Fit::Same, true), (Fit::Same, false), (Fit::Alternative, false)] {
            for (index, wanted) in wanted.iter().enumerate() {
                if found[index].is_some() || open.is_empty() {
                    continue;
                }
                let Requested { spec, characteristics, part, .. } = wanted;
                let now = exactly.then(|| self.inherited(spec, parent, characteristics));
                let is_it = |known: &PriorItem<'a>| {
                    let item = known.item();
                    item.spec == **spec
                        && parts::fit(item, part.as_ref(), |part| still(spec, part)) == Some(fit)
                        && now.as_ref().is_none_or(|now| item.characteristics == *now)
                };
                if let Some(position) = open.iter().position(is_it) {
                    found[index] = Some(open.remove(position));
                }
            }
        }
        found
    }

    /// The item of an instance that is there and is wanted by the rules, with the characteristics
    /// that it has from now on; and whether it must be decomposed anew.
    pub(super) fn matched(
        &mut self,
        known: PriorItem<'a>,
        wanted: &Requested<'a>,
        (parent, root): (ItemId, ItemId),
    ) -> Result<(ItemId, bool), Blocked> {
        let spec = wanted.spec;
        let now = self.inherited(spec, parent, &wanted.characteristics);
        let id = match self.by_instance.get(known.id) {
            Some(id) => *id,
            None => self.copy(known, Action::NoChange)?,
        };
        self.below(id, parent, root);
        self.share(id, wanted, (parent, root));
        let is_new = self.redone.insert(id);
        self.wish(id, root, &now)?;
        let item = &mut self.built.items[id.index()];
        item.part.clone_from(&wanted.part);
        let own = &mut item.characteristics;
        let is_same = if known.users().count() > 1 {
            // Whether those that use it too want the same is checked when it is known who they are.
            let is_same = now.iter().all(|(name, value)| own.get(name) == Some(value));
            own.extend(now);
            is_same
        } else {
            let before = std::mem::replace(own, now);
            before == *own
        };
        if !is_same {
            item.action = Action::Modify;
        }
        self.delivery(id, root).map_err(Blocked::Failure)?;
        Ok((id, is_new))
    }

    /// Gives up the parts of an item that the rules do not ask for any more. Products that it bundles
    /// stay: lines of the order decide about them.
    pub(super) fn give_up_rest(&mut self, parent: ItemId, root: ItemId) -> Result<(), Blocked> {
        let Some(known) = self.origins.get(&parent).copied() else { return Ok(()) };
        if !self.redone.contains(&parent) {
            return Ok(());
        }
        for part in known.parts().filter_map(|part| installed(&part, self.answers)) {
            let own = self.by_instance.get(part.id).copied();
            if own.is_some_and(|own| self.links.contains(&(own, parent))) || self.ends(part.id) {
                continue;
            }
            if part.item().level == Level::Product {
                let is_new = own.is_none();
                let own = self.stays(part)?;
                self.below(own, parent, root);
                if is_new {
                    let root = self.keep_product(own, parent, part)?.unwrap_or(root);
                    self.keep_parts(own, root, part)?;
                }
                continue;
            }
            self.dropped.entry(part.id).or_default().insert(known.id);
        }
        Ok(())
    }

    /// Adds an item for an instance as it is.
    fn copy(&mut self, known: PriorItem<'a>, action: Action) -> Result<ItemId, Blocked> {
        let before = known.item();
        let (name, line) = (self.unique(before.spec.as_str()), self.next_line());
        let id = ItemId::at(self.built.items.len());
        self.built.items.push(Item {
            name,
            line,
            action,
            parents: Vec::new(),
            needs: Vec::new(),
            instance: Some(known.id.id().into()),
            not_before: None,
            origin: None,
            ..before.clone()
        });
        self.built.roots.push(BTreeSet::new());
        self.stand(id, known)?;
        Ok(id)
    }

    /// Notes where an item comes from and what stands of it.
    fn stand(&mut self, id: ItemId, known: PriorItem<'a>) -> Result<(), Blocked> {
        let item = &mut self.built.items[id.index()];
        item.origin = Some(Box::new(origin(&known)));
        let level = item.level;
        self.by_instance.insert(known.id, id);
        self.origins.insert(id, known);
        if level != Level::Product {
            let item = known.installed.item;
            let prior_work = known.owner.prior_work(item, &mut self.expressions);
            self.built.prior_work.insert(id, prior_work.map_err(Blocked::Failure)?);
        }
        Ok(())
    }
}

/// Where an instance comes from: from its owner, or from where that has it.
fn origin(known: &PriorItem<'_>) -> Provenance {
    let (owner, item) = (known.owner, known.item());
    let ended = owner.ended_at().unwrap_or_else(|| owner.updated_at());
    let (fulfilment, line, since) = match &item.origin {
        Some(origin) => (&origin.fulfilment, &origin.line, origin.since),
        None => (owner.id(), &item.line, ended),
    };
    Provenance {
        fulfilment: fulfilment.clone(),
        line: line.clone(),
        since,
        stays: false,
        dropped: Vec::new(),
        state: String::new(),
        wanted: None,
        links: Vec::new(),
        shown: Map::new(),
        made: Vec::new(),
    }
}

/// Notes the state and the orders that an instance's document has.
pub(super) fn name_state(item: &mut Item, document: &Value) -> Result<(), Blocked> {
    let Some(origin) = &mut item.origin else { return Ok(()) };
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let state = text("status").or_else(|| text("state")).unwrap_or_default();
    origin.state = state.into();
    origin.links = links_of(document).map_err(|malformed| {
        let message = format!("an instance of item `{}`: {malformed}", item.line);
        Blocked::Failure(Failure::new(
            FailureClass::Operator,
            FailureCode::InventoryDocument,
            message,
        ))
    })?;
    Ok(())
}
