//! Attributes of an instance that an order sets besides its characteristics: names, places, parties,
//! terms, relations, the billing account. The table of attributes tells which of them the inventory
//! shows.

use serde_json::Value;
use tmf::document::order::{Items, Written};
use tmf::document::ordered::Note;
use tmf::document::{Attributes, DateTime, LISTS, List, Overlay, Rest};

use super::Document;
use super::bundle::RELATIONS;
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::journal::Kind;
use crate::order::Form;
use crate::order::attributes::is_shown;
use crate::plan::{Action, Item, Level};

/// The id of the note of a product that is billed to no account.
const UNPAID: &str = "unpaid";

/// The author of the notes that are not a client's.
const AUTHOR: &str = "ferrule";

/// Attributes that a resource keeps besides.
const KEPT: [&str; 2] = ["place", "startOperatingDate"];

/// Attributes of a resource that are written anew.
const OWN: [&str; 4] = ["id", "href", "resourceOrderItem", "supportingResource"];

/// The attributes of an instance's document that an order which changes it must know: the lists that
/// it adds to. Of a resource, whose document is written whole, everything that is shown.
pub(crate) fn known(form: Form, asked: &[String], document: &Value) -> Rest {
    let is_whole = form == Form::ResourceOrder;
    Attributes::of(document).only(|name| {
        let is_list = LISTS.iter().any(|list| list.name == name);
        let is_asked = is_list && asked.iter().any(|asked| asked == name);
        let is_kept = is_list || KEPT.contains(&name) || is_shown(form, name, Action::Modify);
        !OWN.contains(&name)
            && (is_asked
                || (form == Form::ProductOrder && name == RELATIONS)
                || (is_whole && is_kept))
    })
}

impl Fulfilment {
    /// The item of the order that came in that an item of the plan stands for.
    fn asked_item(&self, id: ItemId) -> Option<Written<'_>> {
        let names = self.form()?.names();
        let own = &self.plan().items[id.index()];
        if !self.is_line(own) {
            return None;
        }
        Items::of(Attributes::of(self.document()), names)?.find(id.index(), &own.line)
    }

    /// The form of the order that came in; `None` for a run.
    pub(super) fn form(&self) -> Option<Form> {
        match self.kind() {
            Kind::ProductOrder => Some(Form::ProductOrder),
            Kind::ServiceOrder => Some(Form::ServiceOrder),
            Kind::ResourceOrder => Some(Form::ResourceOrder),
            Kind::Run { .. } => None,
        }
    }

    /// Writes the parties of the order into the document of a new service or resource.
    pub(super) fn for_parties(&self, document: &mut Document) {
        const PARTIES: &str = "relatedParty";
        if let (Some(parties), Some(mut fields)) =
            (self.top(PARTIES), Overlay::on(&mut document.body))
        {
            fields.set(PARTIES, parties);
        }
    }

    /// The billing account of a product, as a reference: that of its item, of the product, of the
    /// bundle that it is in, or of the order.
    pub(super) fn account(&self, id: ItemId) -> Option<Attributes<'_>> {
        let mut at = Some(id);
        while let Some(id) = at {
            if let Some(own) = self.own_account(id) {
                return Some(own);
            }
            let above = &self.plan().items[id.index()].parents;
            at = above
                .iter()
                .copied()
                .find(|above| self.plan().items[above.index()].level == Level::Product);
        }
        self.top("billingAccount").map(Attributes::of)
    }

    /// The note of a line that is billed to no account though it has prices.
    pub(super) fn unpaid(&self, id: ItemId) -> Option<Note> {
        let item = &self.plan().items[id.index()];
        let is_new = item.level == Level::Product && item.action == Action::Add;
        let is_priced = item.prices.iter().any(|price| !price.amount.amount.is_zero());
        if !is_new || !is_priced || self.account(id).is_some() {
            return None;
        }
        let text = format!(
            "`{}` has prices and is billed to no account: neither its item, its bundle nor the order \
             names a `billingAccount`; order a `modify` that names one",
            item.title
        );
        Some(Note {
            id: Some(UNPAID.into()),
            author: Some(AUTHOR.into()),
            date: Some(DateTime::from(self.submitted_at())),
            text,
            rest: Rest::new(),
        })
    }

    /// Warnings about products that are billed to no account.
    pub fn unpaid_lines(&self) -> Vec<String> {
        let lines = (0..self.plan().items.len()).map(ItemId::at);
        let lines =
            lines.filter(|id| *self.kind() == Kind::ProductOrder && self.asked_item(*id).is_some());
        lines
            .filter_map(|id| {
                let note = self.unpaid(id)?;
                let line = &self.plan().items[id.index()].line;
                Some(format!("item `{line}`: {}", note.text))
            })
            .collect()
    }

    /// Whether a line names characteristics of its product. Those that it does not name stay.
    pub(super) fn names_characteristics(&self, id: ItemId) -> bool {
        self.asked_item(id).is_some_and(|asked| asked.subject.has("productCharacteristic"))
    }

    fn own_account(&self, id: ItemId) -> Option<Attributes<'_>> {
        self.asked_item(id)?.account()
    }

    /// Writes into the document of a line's instance the attributes that the order sets.
    pub(super) fn as_ordered(&self, id: ItemId, document: &mut Document) {
        let item = &self.plan().items[id.index()];
        let (Some(form), Some(asked), Some(mut fields)) =
            (self.form(), self.asked_item(id), Overlay::on(&mut document.body))
        else {
            return;
        };
        let is_new = item.origin.is_none();
        if let Some(origin) = item.origin.as_ref().filter(|_| form == Form::ResourceOrder) {
            fields.extend(&origin.shown);
        }
        if item.action == Action::Delete || item.action == Action::NoChange {
            return;
        }
        // An empty list of places names none: it is delivered where it was.
        let is_place = |name: &str| name == "place" && asked.subject.has(name);
        fields.show(asked.subject, |name| is_place(name) || is_shown(form, name, item.action));
        let account = if is_new { self.account(id) } else { self.own_account(id) };
        if let Some(account) = account.filter(|_| form == Form::ProductOrder) {
            fields.set("billingAccount", &account);
        }
        let offering = asked.item.within("productOffering").text("name").filter(|_| is_new);
        if let Some(name) = offering {
            fields.set_within("productOffering", "name", &name);
        }
        for list in &LISTS {
            self.add_to_list(list, item, asked, &mut fields);
        }
    }

    /// Writes a list of an instance: the entries that the order names come first, then other entries
    /// that were there or follow from the order.
    fn add_to_list(&self, list: &List, item: &Item, asked: Written<'_>, fields: &mut Overlay<'_>) {
        let mut named: Vec<&Value> = asked.subject.entries(list.name).collect();
        if list.name == "productTerm" && *self.kind() == Kind::ProductOrder {
            named.extend(asked.item.entries("itemTerm"));
        }
        let joined = match &item.origin {
            Some(_) if named.is_empty() => return,
            Some(origin) => {
                list.joined(named, Attributes::of_rest(&origin.shown).entries(list.name))
            }
            None => {
                let parties = self.top(list.name).filter(|_| list.name == "relatedParty");
                let parties = parties.and_then(Value::as_array).into_iter().flatten();
                list.joined(named, fields.attributes().entries(list.name).chain(parties))
            }
        };
        if !joined.is_empty() {
            let joined = tmf::document::write(&joined);
            fields.set(list.name, &joined);
        }
    }
}
