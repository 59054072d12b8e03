//! What would do instead: another offering of the same category, or the same one with one
//! characteristic changed, such as cable where there is no fibre left.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Configuration, Qualifier, Unanswered};
use crate::cpq::configure::{configure, reference};
use model::catalog::Allowed;
use model::id::SpecId;
use model::order::Form;
use model::plan::Action;

/// So many are tried.
const TRIES_MAX: usize = 64;

/// So many are proposed.
const PROPOSALS_MAX: usize = 5;

/// Something that would do instead of what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proposal {
    /// The offering, of a product.
    pub offering: Option<Value>,
    /// The product or the service, with its characteristics.
    pub subject: Value,
}

impl Qualifier<'_> {
    /// What would do instead of a line that stands for itself.
    pub(super) fn alternatives(
        &self,
        configured: &Configuration,
        line: usize,
    ) -> Result<Vec<Proposal>, Unanswered> {
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
            if let Some(proposal) = self.attempt(configured, line, &item)? {
                proposals.push(proposal);
            }
        }
        Ok(proposals)
    }

    fn attempt(
        &self,
        configured: &Configuration,
        line: usize,
        item: &Value,
    ) -> Result<Option<Proposal>, Unanswered> {
        let mut document = configured.document.clone();
        let items = document.get_mut(self.to.items()).and_then(Value::as_array_mut);
        let id = configured.order.lines[line].id.as_str();
        for own in items.into_iter().flatten() {
            if own.get("id").and_then(Value::as_str) == Some(id) {
                own.clone_from(item);
            }
        }
        let catalog = self.facts.rulebook.catalog();
        let Ok(configured) = configure(self.to, &document, catalog, self.facts.now) else {
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
        if self.look(&configured, &group)?.is_err() {
            return Ok(None);
        }
        let items = configured.document.get(self.to.items()).and_then(Value::as_array);
        let item = items.and_then(|items| {
            items.iter().find(|item| item.get("id").and_then(Value::as_str) == Some(id))
        });
        Ok(item.map(|item| Proposal {
            offering: item.get("productOffering").cloned(),
            subject: item.get(self.to.subject()).cloned().unwrap_or_else(|| json!({})),
        }))
    }

    /// The line with each other offering of its category. Characteristics that the other product
    /// does not have are left out.
    fn other_offerings(&self, configured: &Configuration, line: usize) -> Vec<Value> {
        let catalog = self.facts.rulebook.catalog();
        let own = &configured.order.lines[line];
        let asked = own.offering.as_ref().and_then(|id| Some((id, catalog.offerings.get(id)?)));
        let Some((asked, offering)) = asked.filter(|_| self.to == Form::ProductOrder) else {
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
            let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
            self.item(configured, line, Some(id), &kept)
        });
        items.collect()
    }

    /// The line with each other value of each characteristic that has listed ones.
    fn other_values(&self, configured: &Configuration, line: usize) -> Vec<Value> {
        let catalog = self.facts.rulebook.catalog();
        let own = &configured.order.lines[line];
        let Some(checked) = configured.lines.get(line) else {
            return Vec::new();
        };
        let spec = checked.spec.as_ref().and_then(|spec| catalog.specs.get(spec));
        let offering = own.offering.as_ref().and_then(|id| catalog.offerings.get(id));
        let mut items = Vec::new();
        for (name, known) in spec.into_iter().flat_map(|spec| &spec.characteristics) {
            let offered = offering.map_or_else(|| known.clone(), |o| o.offers(name, known));
            for value in offered.values {
                let Allowed::Value(value) = value else {
                    continue;
                };
                if checked.characteristics.get(name) != Some(&value) {
                    let mut values = checked.characteristics.clone();
                    values.insert(name.clone(), value);
                    items.push(self.item(configured, line, own.offering.as_ref(), &values));
                }
            }
        }
        items
    }

    /// The item of a line with another offering and other characteristics.
    fn item(
        &self,
        configured: &Configuration,
        line: usize,
        offering: Option<&SpecId>,
        characteristics: &serde_json::Map<String, Value>,
    ) -> Value {
        let own = &configured.order.lines[line];
        let items = configured.document.get(self.to.items()).and_then(Value::as_array);
        let item = items
            .into_iter()
            .flatten()
            .find(|item| item.get("id").and_then(Value::as_str) == Some(own.id.as_str()));
        let mut item = item.cloned().unwrap_or_else(|| json!({ "id": own.id, "action": "add" }));
        let changed = offering != own.offering.as_ref();
        if let Some(fields) = item.as_object_mut() {
            if changed {
                fields.insert("productOffering".into(), reference("productOffering", offering));
                fields.remove(self.to.items());
            }
            let subject = fields.entry(self.to.subject()).or_insert_with(|| json!({}));
            if let Some(subject) = subject.as_object_mut() {
                if changed {
                    subject.remove(self.to.spec());
                }
                let written = model::documents::characteristics(characteristics);
                subject.insert(self.to.characteristics().into(), Value::Array(written));
            }
        }
        item
    }
}
