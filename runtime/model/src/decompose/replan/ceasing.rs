//! What ceases: the lines that say so, the parts of bundles among them, and in the end whatever the
//! last of its users has given up.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Blocked;
use super::super::draft::Builder;
use super::super::existing::{ExistingLine, PriorItem, installed};
use super::super::{Answers, rejected};
use super::name_state;
use crate::catalog::Catalog;
use crate::codes::FailureCode;
use crate::id::{InstanceId, ItemId, SpecId};
use crate::installed::ORDERED;
use crate::order::{Form, Line};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level};

impl<'a> Builder<'a> {
    /// Adds all that ceases, and checks that nothing that stays needs it.
    pub(in crate::decompose) fn cease(
        &mut self,
        existing: &BTreeMap<usize, ExistingLine<'a>>,
    ) -> Result<(), Blocked> {
        for (index, line) in existing {
            if self.built.items[*index].action == Action::Delete {
                self.check_ordered(*index, &line.known)?;
                self.cease_parts(ItemId::at(*index), line.known)?;
            }
        }
        let mut gone = self.gone();
        self.check_bundles(existing)?;
        for known in &gone.instances {
            let own = self.ending(*known)?;
            for user in known.users() {
                if let Some(parent) = self.by_instance.get(user).copied() {
                    self.built.serve_lines_of(own, parent);
                    if self.links.insert((own, parent)) {
                        self.built.items[own.index()].parents.push(parent);
                    }
                }
            }
        }
        let lines = existing.values().filter(|line| gone.ids.contains(line.known.id));
        gone.instances.extend(lines.map(|line| line.known));
        self.reverse_needs(&gone.instances, &gone.ids)
    }

    /// What was ordered by itself ceases only when nothing else uses it.
    fn check_ordered(&self, index: usize, known: &PriorItem<'a>) -> Result<(), Blocked> {
        let others = known.users().find(|user| {
            let is_bundle = user.resource() == "product" && known.id.resource() == "product";
            user.as_str() != ORDERED && !is_bundle
        });
        let Some(other) = others else { return Ok(()) };
        let Line { id: line, path, .. } = &self.order.lines[index];
        let message = format!(
            "item `{line}`: the {} `{}` is used by the {} `{}`: end that first",
            known.id.resource(),
            known.id.id(),
            other.resource(),
            other.id()
        );
        let path = format!("{path}.{}.id", Form::of(self.order.level).subject());
        let failure = Failure::new(FailureClass::Reject, FailureCode::InstanceNeeded, message);
        Err(Blocked::Failure(failure.about(path)))
    }

    /// The attribute of the line that ends an instance.
    fn end_of(&self, id: &InstanceId) -> Option<String> {
        let roots = &self.built.roots[self.by_instance.get(id)?.index()];
        let lines = roots.iter().filter_map(|root| self.order.lines.get(root.index()));
        let line = lines.into_iter().find(|line| line.action == Action::Delete)?;
        Some(format!("{}.{}.id", line.path, Form::of(self.order.level).subject()))
    }

    /// The products that a product bundles cease with it, unless a line of their own ends them.
    fn cease_parts(&mut self, root: ItemId, known: PriorItem<'a>) -> Result<(), Blocked> {
        for part in known.parts().filter_map(|part| installed(&part, self.answers)) {
            if part.item().level != Level::Product {
                self.dropped.entry(part.id).or_default().insert(known.id);
                continue;
            }
            if let Some(own) = self.by_instance.get(part.id) {
                let own = &self.built.items[own.index()];
                if own.action != Action::Delete {
                    let message = format!(
                        "item `{}`: the product `{}` ceases with its bundle `{}`",
                        own.line,
                        part.id.id(),
                        known.id.id()
                    );
                    return Err(rejected(FailureCode::InstanceState, message));
                }
                continue;
            }
            let own = self.copy(part, Action::Delete)?;
            let line = format!("{}.{}", self.built.items[root.index()].line, part.item().line);
            let item = &mut self.built.items[own.index()];
            item.line = line;
            item.parents = vec![root];
            name_state(item, part.document)?;
            self.is_line_within(own, root);
            self.cease_parts(own, part)?;
        }
        Ok(())
    }

    /// The instances below the lines that no one uses any more, what used them first.
    fn gone(&mut self) -> Gone<'a> {
        let mut gone = Gone::default();
        let ends = |item: &ItemId| self.built.items[item.index()].action == Action::Delete;
        let ended = self.by_instance.iter().filter(|(_, item)| ends(item));
        gone.ids = ended.map(|(id, _)| *id).collect();
        let mut open = self.given_up();
        while let Some(id) = open.pop() {
            let Some(known) = installed(id, self.answers) else { continue };
            if gone.ids.contains(id) || self.is_used(&known) {
                continue;
            }
            gone.ids.insert(id);
            let parts = known.parts().filter_map(|part| installed(&part, self.answers));
            let parts: Vec<PriorItem<'a>> = parts.collect();
            for part in parts.iter().rev() {
                self.dropped.entry(part.id).or_default().insert(id);
                open.push(part.id);
            }
            gone.instances.push(known);
        }
        gone
    }

    /// What lines have given up, the last first, as their plans had it.
    fn given_up(&self) -> Vec<&'a InstanceId> {
        let mut lines: Vec<(ItemId, PriorItem<'a>)> =
            self.origins.iter().map(|(id, known)| (*id, *known)).collect();
        lines.sort_unstable_by_key(|(id, _)| *id);
        let parts = lines.into_iter().flat_map(|(_, known)| known.parts());
        let given_up = parts.filter_map(|part| self.dropped.get_key_value(&part));
        let mut given_up: Vec<&InstanceId> = given_up.map(|(id, _)| *id).collect();
        given_up.reverse();
        given_up
    }

    /// Whether anything uses an instance when the order is done.
    fn is_used(&self, known: &PriorItem<'a>) -> bool {
        let own = self.by_instance.get(known.id).map(|own| &self.built.items[own.index()]);
        let in_order = own.is_some_and(|own| !own.parents.is_empty());
        let dropped = self.dropped.get(known.id);
        let stays = |user: &InstanceId| !dropped.is_some_and(|dropped| dropped.contains(user));
        in_order || known.users().any(stays)
    }

    /// The item of an instance that ceases.
    fn ending(&mut self, known: PriorItem<'a>) -> Result<ItemId, Blocked> {
        let Some(own) = self.by_instance.get(known.id).copied() else {
            return self.copy(known, Action::Delete);
        };
        self.built.items[own.index()].action = Action::Delete;
        Ok(own)
    }

    /// What ceases does so before what it stood on. What stays must not stand on it.
    fn reverse_needs(
        &mut self,
        gone: &[PriorItem<'a>],
        ids: &BTreeSet<&'a InstanceId>,
    ) -> Result<(), Blocked> {
        for known in gone {
            for other in known.installed.needed_by.keys().filter(|other| !ids.contains(*other)) {
                let own = self.by_instance.get(other);
                if own.is_some_and(|own| self.redone.contains(own)) {
                    continue;
                }
                return Err(needed(known.id, other, self.end_of(known.id)));
            }
            let own = self.by_instance[known.id];
            for need in known.needs() {
                let Some(need) = installed(&need, self.answers) else { continue };
                if !ids.contains(need.id) {
                    self.dropped.entry(need.id).or_default().insert(known.id);
                    continue;
                }
                let Some(first) = self.by_instance.get(need.id).copied() else { continue };
                let waits = &mut self.built.items[first.index()].needs;
                if !waits.contains(&own) && first != own {
                    waits.push(own);
                }
            }
        }
        Ok(())
    }

    /// Notes with what stays who does not use or need it any more.
    pub(in crate::decompose) fn note_dropped(&mut self) -> Result<(), Blocked> {
        for (id, by) in std::mem::take(&mut self.dropped) {
            if self.ends(id) {
                continue;
            }
            let Some(known) = installed(id, self.answers) else { continue };
            let own = self.stays(known)?;
            if let Some(origin) = &mut self.built.items[own.index()].origin {
                origin.dropped = by.into_iter().cloned().collect();
            }
        }
        Ok(())
    }

    /// A bundle keeps as many of each of its parts as it must have.
    fn check_bundles(&self, existing: &BTreeMap<usize, ExistingLine<'a>>) -> Result<(), Blocked> {
        for (index, line) in existing {
            if self.built.items[*index].action != Action::Delete {
                continue;
            }
            for bundle in line.known.users().filter_map(|user| installed(user, self.answers)) {
                let Some(offering) = &line.known.item().offering else { continue };
                if self.ends(bundle.id) {
                    continue;
                }
                let min = least(self.catalog(), &bundle, offering);
                let left = bundle.parts().filter(|part| !self.ends(part));
                let left = left.filter(|part| is_of(part, offering, self.answers)).count() as u64;
                let added = self.order.lines.iter().filter(|other| {
                    let within = other.bundle.map(|bundle| &self.built.items[bundle]);
                    other.action == Action::Add
                        && other.offering.as_ref() == Some(offering)
                        && within.and_then(|item| item.instance.as_deref()) == Some(bundle.id.id())
                });
                let left = left + added.map(|line| u64::from(line.quantity)).sum::<u64>();
                if left < min {
                    let message = format!(
                        "item `{}`: the bundle `{}` would have {left} of `{offering}` and must have \
                         {min}: end the bundle, or add another part",
                        self.order.lines[*index].id,
                        bundle.id.id()
                    );
                    return Err(rejected(FailureCode::BundleCardinality, message));
                }
            }
        }
        Ok(())
    }
}

/// What ceases below the lines.
#[derive(Default)]
struct Gone<'a> {
    /// All that ceases, the lines too.
    ids: BTreeSet<&'a InstanceId>,
    /// What ceases below the lines, users first.
    instances: Vec<PriorItem<'a>>,
}

/// The minimum of parts of an offering in a bundle.
fn least(catalog: &Catalog, bundle: &PriorItem<'_>, offering: &SpecId) -> u64 {
    let of_bundle = bundle.item().offering.as_ref().and_then(|id| catalog.offerings.get(id));
    let parts = of_bundle.map(|of_bundle| of_bundle.bundles.as_slice()).unwrap_or_default();
    parts.iter().find(|part| part.offering == *offering).map_or(0, |part| part.min)
}

fn is_of(part: &InstanceId, offering: &SpecId, answers: &Answers) -> bool {
    let part = installed(part, answers);
    part.is_some_and(|part| part.item().offering.as_ref() == Some(offering))
}

fn needed(id: &InstanceId, by: &InstanceId, path: Option<String>) -> Blocked {
    let message = format!(
        "the {} `{}` would cease, and the {} `{}` stands on it: end that too, or first",
        id.resource(),
        id.id(),
        by.resource(),
        by.id()
    );
    let failure = Failure::new(FailureClass::Reject, FailureCode::InstanceNeeded, message);
    Blocked::Failure(match path {
        Some(path) => failure.about(path),
        None => failure,
    })
}
