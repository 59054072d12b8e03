//! The existing parts of a line are its own: another item of the line that asks for the same within
//! its scope shares them.

use std::collections::BTreeSet;

use super::super::draft::{Builder, Own, OwnPart, Requested};
use super::super::existing::{PriorItem, installed};
use super::super::parts;
use crate::id::{InstanceId, ItemId};
use crate::plan::{Level, Part};
use crate::rule::Scope;

impl<'a> Builder<'a> {
    /// The instance that a line has for what an item of it wants.
    pub(in crate::decompose) fn of_line(
        &mut self,
        wanted: &Requested<'_>,
        (parent, root): (ItemId, ItemId),
    ) -> Option<PriorItem<'a>> {
        let line = *self.origins.get(&root)?;
        let scope = self.scope(wanted.spec);
        let is_alone = match scope {
            Scope::Parent => return None,
            Scope::Item if self.built.within.contains_key(&parent) => return None,
            Scope::Item => true,
            Scope::Line | Scope::Bundle | Scope::Order | Scope::Place | Scope::Customer => false,
        };
        if !self.own.contains_key(&root) {
            let own = self.own_parts(line);
            self.own.insert(root, own);
        }
        let found = self.own[&root].get(wanted.spec)?.iter();
        let mut found = found.filter(|part| !(is_alone && part.is_within));
        let is_it = |part: &&OwnPart<'a>| {
            parts::is_shared(part.known.item(), wanted) && !self.ends(part.known.id)
        };
        found.find(is_it).map(|part| part.known)
    }

    fn own_parts(&self, line: PriorItem<'a>) -> Own<'a> {
        let mut own = Own::new();
        let mut seen: BTreeSet<&InstanceId> = BTreeSet::new();
        let mut open = vec![(line, false)];
        while let Some((above, is_within)) = open.pop() {
            for known in above.parts().filter_map(|part| installed(&part, self.answers)) {
                let item = known.item();
                if item.level == Level::Product || !seen.insert(known.id) {
                    continue;
                }
                let is_one_of = matches!(item.part, Some(Part::Number(_) | Part::Each(_)));
                let is_within = is_within || is_one_of;
                own.entry(&item.spec).or_default().push(OwnPart { known, is_within });
                open.push((known, is_within));
            }
        }
        own
    }
}
