//! Alternatives: another offering of the same category, or the same one with one characteristic
//! changed, such as cable if no fibre is left.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::answer::Proposal;
use super::{Configuration, Look, Qualifier, Unanswered};
use crate::cpq::configure::{Choice, configure, reference};
use model::catalog::Allowed;
use model::id::SpecId;
use model::plan::{Action, Level};
use tmf::document::Characteristics;
use tmf::document::item::{Item, Subject};

/// Max alternatives that are tried.
const TRIES_MAX: usize = 64;

/// Max alternatives that are proposed.
const PROPOSALS_MAX: usize = 5;

type SubjectOf<D> = <<D as Choice>::Item as Item>::Subject;

impl Qualifier<'_> {
    /// The alternatives to a line that is in no bundle.
    pub(super) fn alternatives<D: Choice + Clone>(
        &self,
        configured: &Configuration<D>,
        line: usize,
    ) -> Result<Vec<Proposal<SubjectOf<D>>>, Unanswered> {
        let mut proposals = Vec::new();
        if configured.order.lines[line].action != Action::Add {
            return Ok(proposals);
        }
        let mut others = self.other_offerings(configured, line);
        others.extend(self.other_values(configured, line));
        for item in others.into_iter().take(TRIES_MAX) {
            if proposals.len() >= PROPOSALS_MAX {
                break;
            }
            proposals.extend(self.attempt(configured, line, item)?);
        }
        Ok(proposals)
    }

    /// The proposal of another item for a line; `None` if it does not qualify.
    fn attempt<D: Choice + Clone>(
        &self,
        configured: &Configuration<D>,
        line: usize,
        item: D::Item,
    ) -> Result<Option<Proposal<SubjectOf<D>>>, Unanswered> {
        let mut document = configured.document.clone();
        let id = configured.order.lines[line].id.as_str();
        let own = document.items_mut().iter_mut().find(|own| own.id() == Some(id));
        let Some(own) = own else { return Ok(None) };
        *own = item;
        let catalog = self.facts.rulebook.catalog();
        let Ok(mut configured) = configure(document, catalog, self.facts.now) else {
            return Ok(None);
        };
        let Some(index) = configured.order.lines.iter().position(|line| line.id == id) else {
            return Ok(None);
        };
        let inside = |line: &usize| {
            std::iter::successors(Some(*line), |line| configured.order.lines[*line].bundle)
                .any(|outer| outer == index)
        };
        let group: BTreeSet<usize> = (0..configured.order.lines.len()).filter(inside).collect();
        if matches!(self.look(&configured, &group)?, Look::Obstructed(_)) {
            return Ok(None);
        }
        let items = configured.document.items_mut();
        Ok(items.iter_mut().find(|item| item.id() == Some(id)).map(|item| {
            let parts = item.parts();
            let subject = parts.subject.take().unwrap_or_default();
            Proposal { offering: parts.offering.take(), subject }
        }))
    }

    /// The line with each other offering of its category. Characteristics that the other product
    /// does not have are left out.
    fn other_offerings<D: Choice>(
        &self,
        configured: &Configuration<D>,
        line: usize,
    ) -> Vec<D::Item> {
        let catalog = self.facts.rulebook.catalog();
        let own = &configured.order.lines[line];
        let asked = own.offering.as_ref().and_then(|id| Some((id, catalog.offerings.get(id)?)));
        let is_product = configured.order.level == Level::Product;
        let Some((asked, offering)) = asked.filter(|_| is_product) else {
            return Vec::new();
        };
        let others = catalog.offerings.iter().filter(|(id, other)| {
            let shares = |id: &String| offering.categories.contains(id);
            *id != asked
                && other.is_on_sale(Some(self.facts.now))
                && other.categories.iter().any(shares)
        });
        let values = configured.lines.get(line).map(|line| &line.characteristics);
        let items = others.map(|(id, other)| {
            let spec = other.spec.as_ref().and_then(|spec| catalog.specs.get(spec));
            let kept = values.into_iter().flatten().filter(|(name, value)| {
                let known = spec.and_then(|spec| spec.characteristics.get(*name));
                known.is_some_and(|known| {
                    let known = other.offers(name, known);
                    known.fits(value) && known.allows(value)
                })
            });
            let kept = kept.map(|(name, value)| (name.to_owned(), value.clone())).collect();
            item(configured, line, Some(id), kept)
        });
        items.collect()
    }

    /// The line with each other value of each characteristic that has listed ones.
    fn other_values<D: Choice>(&self, configured: &Configuration<D>, line: usize) -> Vec<D::Item> {
        let catalog = self.facts.rulebook.catalog();
        let own = &configured.order.lines[line];
        let Some(checked) = configured.lines.get(line) else {
            return Vec::new();
        };
        let spec = checked.spec.as_ref().and_then(|spec| catalog.specs.get(spec));
        let offering = own.offering.as_ref().and_then(|id| catalog.offerings.get(id));
        let mut items = Vec::new();
        for (name, known) in spec.into_iter().flat_map(|spec| &spec.characteristics) {
            let offered = offering.map_or(Cow::Borrowed(known), |o| o.offers(name, known));
            for value in &offered.values {
                let Allowed::Value(value) = value else {
                    continue;
                };
                if checked.characteristics.get(name) != Some(value) {
                    let mut values = checked.characteristics.clone();
                    values.insert(name, value.clone());
                    items.push(item(configured, line, own.offering.as_ref(), values));
                }
            }
        }
        items
    }
}

/// The item of a line with another offering and other characteristics.
fn item<D: Choice>(
    configured: &Configuration<D>,
    line: usize,
    offering: Option<&SpecId>,
    characteristics: Characteristics,
) -> D::Item {
    let own = &configured.order.lines[line];
    let id = own.id.as_str();
    let mut items = configured.document.items().iter();
    let mut item = items.find(|item| item.id() == Some(id)).cloned().unwrap_or_default();
    let parts = item.parts();
    parts.id.get_or_insert_with(|| id.into());
    let subject = parts.subject.get_or_insert_default().parts();
    if offering != own.offering.as_ref() {
        *parts.offering = offering.map(|id| reference("productOffering", id));
        parts.items.clear();
        *subject.specification = None;
    }
    *subject.characteristics = characteristics.into_typed_list();
    item
}
