//! What waits for what, by specification: needs that run in a circle, and what is there upstream.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, SpecKind};
use crate::id::SpecId;
use crate::pack::Pack;
use crate::rule::Produces;

/// What the specifications of all packs have to do with each other.
#[derive(Debug, Default)]
pub(super) struct Edges<'a> {
    /// What must be delivered before it.
    needs: Sets<'a>,
    /// What it is made of, or may be: it is delivered when those are.
    parts: Sets<'a>,
    /// What it is a part of.
    wholes: Sets<'a>,
}

type Sets<'a> = BTreeMap<&'a SpecId, BTreeSet<&'a SpecId>>;

impl<'a> Edges<'a> {
    pub(super) fn of(packs: &'a [&'a Pack], catalog: &'a Catalog) -> Self {
        let mut edges = Self::default();
        let mut need = |of: &'a SpecId, spec: &'a SpecId| {
            // Only services are waited for; others are reported as such.
            let kind = catalog.specs.get(spec).map(|spec| spec.kind);
            if matches!(kind, Some(SpecKind::Product | SpecKind::Resource)) {
                return;
            }
            edges.needs.entry(of).or_default().insert(spec);
        };
        for (id, spec) in &catalog.specs {
            spec.depends_on.iter().for_each(|other| need(id, other));
        }
        for delivery in packs.iter().flat_map(|pack| pack.deliveries.values()) {
            delivery.needs.iter().for_each(|other| need(&delivery.spec, other));
        }
        let specs = catalog.specs.iter();
        let specs = specs.flat_map(|(id, spec)| spec.relies_on.iter().map(move |to| (id, to)));
        let rules = packs.iter().flat_map(|pack| &pack.rules);
        let rules = rules.filter_map(|rule| match &rule.to {
            Produces::Spec(to) => Some((&rule.from, to)),
            Produces::Plugin(_) => None,
        });
        for (from, to) in specs.chain(rules) {
            edges.parts.entry(from).or_default().insert(to);
            edges.wholes.entry(to).or_default().insert(from);
        }
        edges
    }

    /// The circle that a need closes, from what needs and back to it; `None` where it closes none.
    pub(super) fn circle(&self, of: &SpecId, needed: &SpecId) -> Option<Vec<String>> {
        let mut from: BTreeMap<&SpecId, &SpecId> = BTreeMap::new();
        let mut open = vec![needed];
        let mut seen = BTreeSet::from([needed]);
        while let Some(next) = open.pop() {
            if next == of {
                let mut path = vec![next.to_string()];
                let mut at = next;
                while let Some(before) = from.get(at) {
                    path.push(before.to_string());
                    at = before;
                }
                path.push(of.to_string());
                path.reverse();
                return Some(path);
            }
            for after in waits_for(next, [&self.needs, &self.parts]) {
                if seen.insert(after) {
                    from.insert(after, next);
                    open.push(after);
                }
            }
        }
        None
    }

    /// Every specification whose outputs may be there for an item of one of these: what it or what
    /// it is a part of needs, and what that is made of and needs in turn.
    pub(super) fn upstream(&self, specs: BTreeSet<&'a SpecId>) -> BTreeSet<&'a SpecId> {
        let above = closure(specs, [&self.wholes]);
        let needed = above.iter().flat_map(|spec| waits_for(spec, [&self.needs]));
        closure(needed.collect(), [&self.needs, &self.parts])
    }

    /// All that these are made of, with themselves.
    pub(super) fn parts_of(&self, specs: BTreeSet<&'a SpecId>) -> BTreeSet<&'a SpecId> {
        closure(specs, [&self.parts])
    }
}

/// These, with all that they lead to.
fn closure<'a, const N: usize>(
    mut seen: BTreeSet<&'a SpecId>,
    along: [&Sets<'a>; N],
) -> BTreeSet<&'a SpecId> {
    let mut open: Vec<&SpecId> = seen.iter().copied().collect();
    while let Some(next) = open.pop() {
        open.extend(waits_for(next, along).filter(|spec| seen.insert(*spec)));
    }
    seen
}

fn waits_for<'a, const N: usize>(
    spec: &SpecId,
    along: [&Sets<'a>; N],
) -> impl Iterator<Item = &'a SpecId> {
    along.into_iter().filter_map(move |edges| edges.get(spec)).flatten().copied()
}
