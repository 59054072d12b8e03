//! What an order asks for of an instance besides its characteristics: names, places, parties, terms,
//! relations, who pays. The table of attributes tells what the inventory shows of it.

use serde_json::{Map, Value, json};

use super::bundle::RELATIONS;
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::journal::Kind;
use crate::order::Form;
use crate::order::attributes::is_shown;
use crate::plan::{Action, Item, Level};

/// The lists of an instance to which an order adds: what it does not name stays.
const LISTS: [List; 5] = [
    List { name: "relatedParty", keys: &["role"] },
    List { name: "productTerm", keys: &["name"] },
    List { name: "productRelationship", keys: &["relationshipType", "product.id", "id"] },
    List { name: "serviceRelationship", keys: &["relationshipType", "service.id", "id"] },
    List { name: "resourceRelationship", keys: &["relationshipType", "resource.id", "id"] },
];

/// The id of the note of a product that is billed to no account.
const UNPAID: &str = "unpaid";

/// Who writes the notes that are not a client's.
const AUTHOR: &str = "ferrule";

/// A list, and what tells its entries apart.
struct List {
    name: &'static str,
    keys: &'static [&'static str],
}

/// What a resource keeps besides.
const KEPT: [&str; 2] = ["place", "startOperatingDate"];

/// What of an instance's document an order that changes it must know: the lists that it adds to. Of a
/// resource, whose document is written whole, all that is shown.
pub(crate) fn known(form: Form, asked: &[String], document: &Value) -> Map<String, Value> {
    let fields = document.as_object().into_iter().flatten();
    let is_whole = form == Form::ResourceOrder;
    let keeps = |name: &str| {
        let is_list = LISTS.iter().any(|list| list.name == name);
        (is_list && asked.iter().any(|asked| asked == name))
            || (form == Form::ProductOrder && name == RELATIONS)
            || (is_whole
                && (is_list || KEPT.contains(&name) || is_shown(form, name, Action::Modify)))
    };
    let own = ["id", "href", "resourceOrderItem", "supportingResource"];
    let kept = fields.filter(|(name, _)| keeps(name) && !own.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Fulfilment {
    /// The item of the order that came in that an item of the plan is.
    fn asked_item(&self, id: ItemId) -> Option<&Value> {
        let form = self.form()?;
        let own = &self.plan().items[id.index()];
        if !self.is_line(own) {
            return None;
        }
        let items = self.document().get(form.items())?.as_array()?;
        let is_it =
            |item: &&Value| item.get("id").and_then(Value::as_str) == Some(own.line.as_str());
        // Lines stand in the plan as in the document, unless some are nested.
        let there = items.get(id.index()).filter(is_it);
        there.or_else(|| nested(items, form.items(), &own.line))
    }

    /// Which order came in; nothing for a run.
    fn form(&self) -> Option<Form> {
        match self.kind() {
            Kind::ProductOrder => Some(Form::ProductOrder),
            Kind::ServiceOrder => Some(Form::ServiceOrder),
            Kind::ResourceOrder => Some(Form::ResourceOrder),
            Kind::Run { .. } => None,
        }
    }

    /// Writes into the document of a new service or resource for whom it is.
    pub(super) fn for_parties(&self, body: &mut Value) {
        if let (Some(parties), Some(fields)) = (self.top("relatedParty"), body.as_object_mut()) {
            fields.insert("relatedParty".into(), parties.clone());
        }
    }

    /// Who pays for a product: the account of its item, of the product, of the bundle that it is in,
    /// or of the order.
    pub(super) fn account(&self, id: ItemId) -> Option<&Value> {
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
        self.top("billingAccount")
    }

    /// The note of a line that is billed to no account though it has prices.
    pub(super) fn unpaid(&self, id: ItemId) -> Option<Value> {
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
        let date = self.submitted_at().to_string();
        Some(json!({ "id": UNPAID, "author": AUTHOR, "date": date, "text": text }))
    }

    /// What is told of products that are billed to no account.
    pub fn unpaid_lines(&self) -> Vec<String> {
        let lines = (0..self.plan().items.len()).map(ItemId::at);
        let lines =
            lines.filter(|id| *self.kind() == Kind::ProductOrder && self.asked_item(*id).is_some());
        lines
            .filter_map(|id| {
                let note = self.unpaid(id)?;
                let line = &self.plan().items[id.index()].line;
                Some(format!("item `{line}`: {}", note["text"].as_str().unwrap_or_default()))
            })
            .collect()
    }

    /// Whether a line names characteristics of its product: what it does not name stays as it is.
    pub(super) fn names_characteristics(&self, id: ItemId) -> bool {
        let named =
            self.asked_item(id).and_then(|asked| asked.pointer("/product/productCharacteristic"));
        named.and_then(Value::as_array).is_some_and(|named| !named.is_empty())
    }

    fn own_account(&self, id: ItemId) -> Option<&Value> {
        let item = self.asked_item(id)?;
        let places = [item.get("billingAccount"), item.pointer("/product/billingAccount")];
        places.into_iter().flatten().find(|account| !account.is_null())
    }

    /// Writes into the document of a line's instance what the order asks for.
    pub(super) fn as_ordered(&self, id: ItemId, body: &mut Value) {
        let item = &self.plan().items[id.index()];
        let (Some(form), Some(asked), Some(fields)) =
            (self.form(), self.asked_item(id), body.as_object_mut())
        else {
            return;
        };
        let is_new = item.origin.is_none();
        if let Some(origin) = item.origin.as_ref().filter(|_| form == Form::ResourceOrder) {
            fields.extend(origin.shown.clone());
        }
        let nothing = Map::new();
        let subject = asked.get(form.subject()).and_then(Value::as_object).unwrap_or(&nothing);
        if item.action == Action::Delete || item.action == Action::NoChange {
            return;
        }
        for (name, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
            // No place is named by an empty list: it is delivered where it was.
            let is_place = name == "place" && value.as_array().is_none_or(|all| !all.is_empty());
            if is_place || is_shown(form, name, item.action) {
                fields.insert(name.clone(), value.clone());
            }
        }
        let account = if is_new { self.account(id) } else { self.own_account(id) };
        if let Some(account) = account.filter(|_| form == Form::ProductOrder) {
            fields.insert("billingAccount".into(), account.clone());
        }
        if let Some(offering) = asked.get("productOffering").filter(|_| is_new)
            && let Some(name) = offering.get("name").filter(|name| name.is_string())
            && let Some(own) = fields.get_mut("productOffering").and_then(Value::as_object_mut)
        {
            own.insert("name".into(), name.clone());
        }
        self.lists(item, asked, subject, fields);
    }

    /// The lists of an instance: what the order names comes first, then what was there or follows
    /// from the order, as far as it is another thing.
    fn lists(
        &self,
        item: &Item,
        asked: &Value,
        subject: &Map<String, Value>,
        fields: &mut Map<String, Value>,
    ) {
        let entries = |value: Option<&Value>| -> Vec<Value> {
            value.and_then(Value::as_array).cloned().unwrap_or_default()
        };
        for List { name, keys } in LISTS {
            let mut list = entries(subject.get(name));
            if name == "productTerm" && *self.kind() == Kind::ProductOrder {
                list.extend(entries(asked.get("itemTerm")));
            }
            let before = item.origin.as_ref().and_then(|origin| origin.shown.get(name));
            let mut more = entries(before);
            if item.origin.is_none() {
                more.extend(entries(fields.get(name)));
                if name == "relatedParty" {
                    more.extend(entries(self.top(name)));
                }
            } else if list.is_empty() {
                continue;
            }
            for entry in more {
                if !list.iter().any(|own| is_same(own, &entry, keys)) {
                    list.push(entry);
                }
            }
            if !list.is_empty() {
                fields.insert(name.into(), json!(list));
            }
        }
    }
}

/// Whether two entries of a list are about the same: what tells them apart is there, and equal.
fn is_same(one: &Value, other: &Value, keys: &[&str]) -> bool {
    if one == other {
        return true;
    }
    let at = |entry: &Value, key: &str| -> Option<Value> {
        key.split('.').try_fold(entry.clone(), |entry, name| entry.get(name).cloned())
    };
    let mut found = false;
    keys.iter().all(|key| {
        let (one, other) = (at(one, key), at(other, key));
        found |= one.is_some();
        one == other
    }) && found
}

/// The item of a line among nested ones.
fn nested<'a>(items: &'a [Value], name: &str, line: &str) -> Option<&'a Value> {
    items.iter().find_map(|item| {
        if item.get("id").and_then(Value::as_str) == Some(line) {
            return Some(item);
        }
        nested(item.get(name)?.as_array()?, name, line)
    })
}
