//! What becomes of what an earlier order made: all of it ceases, or stays as it is, or is compared
//! with what a product becomes by the rules now that it is another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::existing::{Existing, Known, has_ceased};
use super::items::Builder;
use super::{Stop, parts};
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::journal::Kind;
use crate::plan::{Action, Item, Level, Origin};

impl<'a> Builder<'a> {
    /// Adds what follows from the lines that are about existing instances.
    pub(super) fn change(&mut self, existing: &BTreeMap<usize, Existing<'a>>) -> Result<(), Stop> {
        let mut ceasing = BTreeSet::new();
        for (index, line) in existing {
            if self.built.items[*index].action == Action::Delete {
                ceasing.extend(instances_within(&line.known));
            }
        }
        for (index, line) in existing {
            let root = ItemId::at(*index);
            match self.built.items[*index].action {
                Action::Delete => self.cease(root, line.known, &ceasing)?,
                Action::Modify if line.is_changed => self.compare(root, line.known)?,
                Action::Modify | Action::Add | Action::NoChange => self.keep(root, line.known)?,
            }
        }
        Ok(())
    }

    /// An instance ceases with all that it was decomposed into, but for what others still need.
    fn cease(
        &mut self,
        root: ItemId,
        known: Known<'a>,
        ceasing: &BTreeSet<String>,
    ) -> Result<(), Stop> {
        self.stand(root, known.owner, known.item)?;
        for child in bundled(&known) {
            let id = known.owner.product_id(&known.owner.plan.items[child.index()]);
            let is_line = self.built.items.iter().any(|item| item.instance.as_ref() == Some(&id));
            if is_line || has_ceased(Level::Product, &id, self.answers)? {
                continue;
            }
            let part = Known::find(Level::Product, &id, self.answers)?;
            let line = format!("{}.{}", self.built.items[root.index()].line, part.item().line);
            let own = self.copy(part.owner, part.item, root, Action::Delete)?;
            let item = &mut self.built.items[own.index()];
            item.line = line;
            item.parents = vec![root];
            item.instance = Some(id);
            name_state(item, part.document);
            self.cease(own, part, ceasing)?;
        }
        let mut gone = Vec::new();
        for theirs in below(known.owner, known.item) {
            if !self.is_needed(known.owner, theirs, ceasing)? {
                gone.push(theirs);
            }
        }
        self.copies(known, root, &gone, Action::Delete)
    }

    /// An instance stays as it is.
    fn keep(&mut self, root: ItemId, known: Known<'a>) -> Result<(), Stop> {
        self.stand(root, known.owner, known.item)?;
        self.built.unchanged.insert(root);
        self.copies(known, root, &below(known.owner, known.item), Action::NoChange)
    }

    /// What a changed instance becomes by the rules now, held against what it was: what is the same
    /// stays, what is another is changed, what is not there any more ceases.
    fn compare(&mut self, root: ItemId, known: Known<'a>) -> Result<(), Stop> {
        let owner = known.owner;
        self.stand(root, owner, known.item)?;
        let mut open = below(owner, known.item);
        let mut theirs_of = BTreeMap::from([(root, known.item)]);
        let lines = self.order.lines.len();
        let wanted = parts::wanted(&self.built.items[lines..]);
        for index in lines..self.built.items.len() {
            let (id, item) = (ItemId::at(index), &self.built.items[index]);
            if !self.built.roots[index].contains(&root) || item.origin.is_some() {
                continue;
            }
            let Some(above) = item.parents.iter().find_map(|above| theirs_of.get(above)) else {
                continue;
            };
            let fit = |theirs: &ItemId| {
                let theirs = &owner.plan.items[theirs.index()];
                let is_like = theirs.spec == item.spec && theirs.parents.contains(above);
                is_like.then(|| parts::fit(theirs, item, &wanted)).flatten()
            };
            let fitting = open.iter().enumerate();
            let fitting = fitting.filter_map(|(position, theirs)| Some((fit(theirs)?, position)));
            if let Some((_, position)) = fitting.min() {
                let theirs = open.remove(position);
                theirs_of.insert(id, theirs);
                self.matched(id, owner, theirs)?;
            }
        }
        let others = instances_within(&known).into_iter().collect();
        let mut gone = Vec::new();
        for theirs in open {
            if !self.is_needed(owner, theirs, &others)? {
                gone.push(theirs);
            }
        }
        self.copies(known, root, &gone, Action::Delete)
    }

    /// An item is one that was there before.
    fn matched(&mut self, id: ItemId, owner: &'a Fulfilment, theirs: ItemId) -> Result<(), Stop> {
        let before = &owner.plan.items[theirs.index()];
        let item = &mut self.built.items[id.index()];
        let is_shared = lines_of(owner, theirs).len() > 1;
        let same = if is_shared {
            item.characteristics
                .iter()
                .all(|(name, value)| before.characteristics.get(name) == Some(value))
        } else {
            item.characteristics == before.characteristics
        };
        if is_shared {
            let mut merged = before.characteristics.clone();
            merged.append(&mut item.characteristics);
            item.characteristics = merged;
        }
        item.action = if same { Action::NoChange } else { Action::Modify };
        item.instance = Some(owner.service_id(before));
        self.stand(id, owner, theirs)
    }

    /// Copies items of an earlier plan below a line; what ceases does so in reverse order.
    fn copies(
        &mut self,
        known: Known<'a>,
        root: ItemId,
        theirs: &[ItemId],
        action: Action,
    ) -> Result<(), Stop> {
        let owner = known.owner;
        let mut ours_of = BTreeMap::from([(known.item, root)]);
        let mut new = Vec::new();
        for id in theirs {
            let key = (owner.id.clone(), *id);
            let ours = match self.copied.get(&key) {
                Some(ours) => *ours,
                None => {
                    let ours = self.copy(owner, *id, root, action)?;
                    self.copied.insert(key, ours);
                    new.push((ours, *id));
                    ours
                }
            };
            self.built.roots[ours.index()].insert(root);
            ours_of.insert(*id, ours);
        }
        for (ours, id) in &new {
            let before = &owner.plan.items[id.index()];
            let mapped = |ids: &[ItemId]| -> Vec<ItemId> {
                ids.iter().filter_map(|id| ours_of.get(id)).copied().collect()
            };
            self.built.items[ours.index()].parents = mapped(&before.parents);
            for need in mapped(&before.needs) {
                let (first, then) =
                    if action == Action::Delete { (*ours, need) } else { (need, *ours) };
                let needs = &mut self.built.items[then.index()].needs;
                if first != root && then != root && !needs.contains(&first) {
                    needs.push(first);
                }
            }
        }
        Ok(())
    }

    fn copy(
        &mut self,
        owner: &'a Fulfilment,
        theirs: ItemId,
        root: ItemId,
        action: Action,
    ) -> Result<ItemId, Stop> {
        let before = &owner.plan.items[theirs.index()];
        let (name, line) = (self.unique(before.spec.as_str()), self.next_line());
        let id = ItemId::at(self.built.items.len());
        self.built.items.push(Item {
            name,
            line,
            action,
            parents: Vec::new(),
            needs: Vec::new(),
            instance: Some(owner.service_id(before)),
            not_before: None,
            origin: None,
            ..before.clone()
        });
        self.built.roots.push(BTreeSet::from([root]));
        self.stand(id, owner, theirs)?;
        Ok(id)
    }

    /// Notes where an item comes from and what stands of it.
    fn stand(&mut self, id: ItemId, owner: &'a Fulfilment, theirs: ItemId) -> Result<(), Stop> {
        let item = &mut self.built.items[id.index()];
        let named = item.origin.take().unwrap_or_else(|| Box::new(origin(owner, theirs)));
        item.origin = Some(named);
        let standing = owner.standing(theirs, &mut self.expressions).map_err(Stop::Failure)?;
        if item.level != Level::Product {
            self.built.standing.insert(id, standing);
        }
        Ok(())
    }

    /// Whether an item serves an instance that stays.
    fn is_needed(
        &self,
        owner: &Fulfilment,
        theirs: ItemId,
        ceasing: &BTreeSet<String>,
    ) -> Result<bool, Stop> {
        let item = &owner.plan.items[theirs.index()];
        let before = item.origin.iter().flat_map(|origin| origin.shared_with.clone());
        let level = match owner.kind {
            Kind::ProductOrder => Level::Product,
            Kind::ServiceOrder => Level::CustomerService,
            Kind::ResourceOrder | Kind::Run { .. } => Level::Resource,
        };
        for id in lines_of(owner, theirs).into_iter().chain(before) {
            if !ceasing.contains(&id) && !has_ceased(level, &id, self.answers)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Where an item comes from: from this fulfilment, or from where it has it.
pub(super) fn origin(owner: &Fulfilment, theirs: ItemId) -> Origin {
    let item = &owner.plan.items[theirs.index()];
    let mut shared_with: BTreeSet<String> = BTreeSet::new();
    if item.level != Level::Product {
        shared_with = lines_of(owner, theirs);
    }
    let ended = owner.ended_at.unwrap_or(owner.updated_at);
    let (mut fulfilment, mut line, mut since) = (owner.id.clone(), item.line.clone(), ended);
    if let Some(origin) = &item.origin {
        shared_with.extend(origin.shared_with.iter().cloned());
        (fulfilment, line, since) = (origin.fulfilment.clone(), origin.line.clone(), origin.since);
    }
    Origin {
        fulfilment,
        line,
        since,
        shared_with: shared_with.into_iter().collect(),
        state: String::new(),
        wanted: None,
        links: Vec::new(),
        made: Vec::new(),
    }
}

/// Notes what an instance's document says.
pub(super) fn name_state(item: &mut Item, document: &Value) {
    let Some(origin) = &mut item.origin else {
        return;
    };
    let says = |name: &str| document.get(name).and_then(Value::as_str);
    let state = says("status").or_else(|| says("state")).unwrap_or_default();
    origin.state = state.into();
    let links = ["productOrderItem", "serviceOrderItem"];
    let links = links.iter().find_map(|name| document.get(*name)?.as_array());
    origin.links = links.cloned().unwrap_or_default();
}

/// The instances of the lines that an item is for: the nearest above it.
fn lines_of(owner: &Fulfilment, item: ItemId) -> BTreeSet<String> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![item]);
    while let Some(next) = open.pop() {
        let item = &owner.plan.items[next.index()];
        if item.level == Level::Product {
            found.insert(owner.product_id(item));
        } else if item.parents.is_empty() {
            found.insert(owner.service_id(item));
        } else {
            open.extend(item.parents.iter().filter(|parent| seen.insert(**parent)));
        }
    }
    found
}

/// The items that an item was decomposed into, as they stand; not the products that it bundles.
fn below(owner: &Fulfilment, item: ItemId) -> Vec<ItemId> {
    let items = &owner.plan.items;
    let mut children: BTreeMap<ItemId, Vec<ItemId>> = BTreeMap::new();
    for (index, child) in items.iter().enumerate() {
        for parent in &child.parents {
            children.entry(*parent).or_default().push(ItemId::at(index));
        }
    }
    let (mut found, mut open) = (BTreeSet::new(), vec![item]);
    while let Some(next) = open.pop() {
        for child in children.get(&next).into_iter().flatten() {
            let below = &items[child.index()];
            let stands = below.level != Level::Product && below.action != Action::Delete;
            if stands && found.insert(*child) {
                open.push(*child);
            }
        }
    }
    found.into_iter().collect()
}

/// The products that a product bundles.
fn bundled(known: &Known<'_>) -> Vec<ItemId> {
    let items = &known.owner.plan.items;
    let children = known.owner.plan.children_of(known.item);
    let is_product = |id: &ItemId| {
        let item = &items[id.index()];
        item.level == Level::Product && item.action != Action::Delete
    };
    children.filter(is_product).collect()
}

/// An instance and all that it bundles.
fn instances_within(known: &Known<'_>) -> Vec<String> {
    let item = known.item();
    if item.level != Level::Product {
        return vec![known.owner.service_id(item)];
    }
    let (mut found, mut open) = (Vec::new(), vec![known.item]);
    while let Some(item) = open.pop() {
        found.push(known.owner.product_id(&known.owner.plan.items[item.index()]));
        open.extend(bundled(&Known { item, ..*known }));
    }
    found
}
