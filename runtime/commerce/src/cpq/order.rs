//! Quotes and questions as orders: the product order (TMF622) that an accepted quote becomes, its
//! prices kept, and the order that a qualification asks about.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::quote::{QuoteError, QuoteState, charges_of};
use model::order::{Form, Order};
use model::pricing::charge::Charge;
use model::pricing::total::totals;
use tmf::document::{self, write};

/// What an order carries over from a quote or a question as it is.
const CARRIED: &[&str] =
    &["relatedParty", "agreement", "note", "category", "description", "externalId"];

/// What an item of an order carries over.
const CARRIED_BY_ITEM: &[&str] =
    &["productOffering", "product", "service", "productOfferingQualificationItem"];

/// The product order of an accepted quote. Its items carry the prices that were agreed and the
/// quote that they were agreed in, so they hold whatever becomes of the catalog's.
pub fn order_of(quote: &Value) -> Result<Value, QuoteError> {
    let state = QuoteState::of(quote)?;
    if state != QuoteState::Accepted {
        return Err(QuoteError::NotAccepted(state));
    }
    let order = Order::read(Form::Quote, quote).map_err(QuoteError::Items)?;
    let mut document = order_document(Form::Quote, quote, &order);
    let reference = reference_of(quote);
    let mut writer = Priced { quote: &reference, order: &order, next: 0, charges: Vec::new() };
    writer.items(quote, &mut document)?;
    let totals = totals(writer.charges.iter().map(|(quantity, charge)| (*quantity, charge)));
    let totals: Vec<Value> =
        totals.iter().map(|total| write(&total.document("OrderPrice"))).collect();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("quote".into(), json!([reference]));
        fields.insert("orderTotalPrice".into(), Value::Array(totals));
        let account = quote.get("billingAccount").and_then(|accounts| accounts.get(0));
        if let Some(account) = account {
            fields.insert("billingAccount".into(), account.clone());
        }
        for (from, to) in [
            ("expectedFulfillmentStartDate", "requestedStartDate"),
            ("productOfferingQualification", "productOfferingQualification"),
        ] {
            if let Some(value) = quote.get(from) {
                fields.insert(to.into(), value.clone());
            }
        }
    }
    Ok(document)
}

/// The path at which an order names a quote first.
pub fn quote_path(order: &Value, id: &str) -> String {
    let named = order.get("quote").and_then(Value::as_array).into_iter().flatten();
    let own = named.enumerate().find(|(_, quote)| quote.get("id").is_some_and(|own| own == id));
    if let Some((position, _)) = own {
        return format!("quote[{position}].id");
    }
    let items = flat(order).into_iter();
    let mut naming = items
        .filter(|(_, item)| item.pointer("/quoteItem/quoteId").and_then(Value::as_str) == Some(id));
    naming.next().map_or_else(|| "quote".into(), |(path, _)| format!("{path}.quoteItem.quoteId"))
}

/// The agreed prices of an order that cannot be read, each with its path and why: they are kept,
/// and not billed.
pub fn unread(order: &Value) -> Vec<String> {
    let named = order.get("quote").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let mut told = Vec::new();
    for (path, item) in flat(order) {
        if !named && item.pointer("/quoteItem/quoteId").is_none() {
            continue;
        }
        let entries = item.get("itemPrice").and_then(Value::as_array).into_iter().flatten();
        for (position, entry) in entries.enumerate() {
            if let Err(wrong) = document::read(entry).and_then(|entry| Charge::read(&entry)) {
                let wrong = wrong.within(&format!("{path}.itemPrice[{position}]"));
                told.push(format!("{wrong}: this price is kept and not billed"));
            }
        }
    }
    told
}

/// Whether an order tells what a quote agreed that is not known here: it has the prices of an item of
/// that quote, or refers to where the quote is.
pub fn is_from_elsewhere(order: &Value, id: &str) -> bool {
    let leads = |href: Option<&Value>| {
        href.and_then(Value::as_str).is_some_and(|href| href.contains("://"))
    };
    let quotes = order.get("quote").and_then(Value::as_array).into_iter().flatten();
    let mut named = quotes.filter(|quote| quote.get("id").is_some_and(|own| own == id)).peekable();
    let is_of_all = named.peek().is_some();
    if named.any(|quote| leads(quote.get("href"))) {
        return true;
    }
    flat(order).iter().any(|(_, item)| {
        let of = item.get("quoteItem");
        let own = of.and_then(|of| of.get("quoteId")?.as_str());
        let prices = item.get("itemPrice").and_then(Value::as_array);
        let tells = prices.is_some_and(|prices| !prices.is_empty());
        let is_its = own == Some(id) || own.is_none() && is_of_all;
        is_its && (tells || leads(of.and_then(|of| of.get("quoteHref"))))
    })
}

/// What an order says that the quote it names does not back: an order that says so much is refused,
/// for its prices would hold.
pub fn unbacked(order: &Value, quote: &Value) -> Vec<String> {
    let expected = match order_of(quote) {
        Ok(expected) => expected,
        Err(error) => return vec![error.to_string()],
    };
    let mut wrong = Vec::new();
    let (ours, theirs) = (flat(&expected), flat(order));
    let mut seen = BTreeSet::new();
    for (path, item) in &theirs {
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        if !seen.insert(id) {
            wrong.push(format!("{path}: item `{id}` of the quote is ordered twice"));
            continue;
        }
        let own = ours.iter().find(|(_, own)| own.get("id") == item.get("id"));
        let Some((_, own)) = own else {
            wrong.push(format!("{path}: the quote has no item `{id}`"));
            continue;
        };
        for name in ["productOffering", "action", "quantity", "itemPrice"] {
            if !is_same(name, own.get(name), item.get(name)) {
                wrong.push(format!("{path}.{name}: is not what was quoted"));
            }
        }
        let chosen = |item: &Value| item.get("product")?.get("productCharacteristic").map(by_name);
        if chosen(own) != chosen(item) {
            wrong.push(format!("{path}.product.productCharacteristic: is not what was quoted"));
        }
    }
    let ordered = |own: &Value| theirs.iter().any(|(_, item)| item.get("id") == own.get("id"));
    for (_, own) in ours.iter().filter(|(_, own)| !ordered(own)) {
        let id = own.get("id").and_then(Value::as_str).unwrap_or_default();
        wrong.push(format!("productOrderItem: item `{id}` of the quote is missing"));
    }
    wrong
}

/// The order that a quote or a question is about, without what is agreed. Places of the whole
/// question are those of its items that have none.
pub(super) fn order_document(form: Form, request: &Value, order: &Order) -> Value {
    let mut next = 0;
    let (to, kind) = match form {
        Form::ServiceOrder | Form::ServiceQualification => (Form::ServiceOrder, "ServiceOrder"),
        Form::ResourceOrder => (Form::ResourceOrder, "ResourceOrder"),
        Form::ProductOrder | Form::Quote | Form::OfferingQualification => {
            (Form::ProductOrder, "ProductOrder")
        }
    };
    let mut document = items(form, to, request, order, request.get("place"), &mut next);
    for name in CARRIED {
        if let Some(value) = request.get(*name) {
            document.insert((*name).into(), value.clone());
        }
    }
    document.insert("@type".into(), json!(kind));
    Value::Object(document)
}

fn items(
    from: Form,
    to: Form,
    holder: &Value,
    order: &Order,
    place: Option<&Value>,
    next: &mut usize,
) -> Map<String, Value> {
    let mut made = Vec::new();
    for item in holder.get(from.items()).and_then(Value::as_array).into_iter().flatten() {
        let line = &order.lines[*next];
        *next += 1;
        let mut fields = items(from, to, item, order, place, next);
        fields.insert("id".into(), json!(line.id));
        fields.insert("action".into(), json!(line.action.as_str()));
        fields.insert("quantity".into(), json!(line.quantity));
        for name in CARRIED_BY_ITEM {
            if let Some(value) = item.get(*name).filter(|value| !value.is_null()) {
                fields.insert((*name).into(), value.clone());
            }
        }
        if let Some(relations) = item.get(from.relations()) {
            fields.insert(to.relations().into(), relations.clone());
        }
        if let Some(place) = place.filter(|_| line.bundle.is_none()) {
            let subject = fields.entry(to.subject()).or_insert_with(|| json!({}));
            if let Some(subject) = subject.as_object_mut() {
                subject.entry("place").or_insert_with(|| place.clone());
            }
        }
        fields.entry(to.subject()).or_insert_with(|| json!({}));
        made.push(Value::Object(fields));
    }
    let mut fields = Map::new();
    if !made.is_empty() {
        fields.insert(to.items().into(), Value::Array(made));
    }
    fields
}

/// Writes the prices of a quote's items into those of its order.
struct Priced<'a> {
    quote: &'a Value,
    order: &'a Order,
    next: usize,
    charges: Vec<(u32, Charge)>,
}

impl Priced<'_> {
    fn items(&mut self, quoted: &Value, ordered: &mut Value) -> Result<(), QuoteError> {
        let quoted = quoted.get(Form::Quote.items()).and_then(Value::as_array);
        let ordered = ordered.get_mut(Form::ProductOrder.items()).and_then(Value::as_array_mut);
        for (quoted, ordered) in quoted.into_iter().flatten().zip(ordered.into_iter().flatten()) {
            let line = &self.order.lines[self.next];
            self.next += 1;
            let charges = charges_of(quoted, &line.id)?;
            let total = totals(charges.iter().map(|charge| (line.quantity, charge)));
            if let Some(fields) = ordered.as_object_mut() {
                let prices =
                    charges.iter().map(|charge| write(&charge.document("OrderPrice"))).collect();
                let total =
                    total.iter().map(|total| write(&total.document("OrderPrice"))).collect();
                fields.insert("itemPrice".into(), Value::Array(prices));
                fields.insert("itemTotalPrice".into(), Value::Array(total));
                fields.insert(
                    "quoteItem".into(),
                    json!({
                        "id": line.id,
                        "quoteId": self.quote.get("id"),
                        "quoteHref": self.quote.get("href"),
                        "@referredType": "QuoteItem",
                    }),
                );
            }
            self.charges.extend(charges.into_iter().map(|charge| (line.quantity, charge)));
            self.items(quoted, ordered)?;
        }
        Ok(())
    }
}

fn reference_of(quote: &Value) -> Value {
    let id = quote.get("id").and_then(Value::as_str).unwrap_or_default();
    json!({
        "id": id,
        "href": format!("/tmf-api/quoteManagement/v4/quote/{id}"),
        "@referredType": "Quote",
    })
}

/// All items of a product order, with their paths.
fn flat(order: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, &Value)> = vec![(String::new(), order)];
    let name = Form::ProductOrder.items();
    while let Some((path, holder)) = open.pop() {
        let items = holder.get(name).and_then(Value::as_array).into_iter().flatten();
        for (position, item) in items.enumerate() {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{name}[{position}]");
            found.push((path.clone(), item));
            open.push((path, item));
        }
    }
    found
}

/// Offerings are the same by their ids, prices by what they say.
fn is_same(name: &str, ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    match name {
        "productOffering" => {
            let id = |value: Option<&Value>| value.and_then(|value| value.get("id")).cloned();
            id(ours) == id(theirs)
        }
        "itemPrice" => {
            let read = |value: Option<&Value>| -> Option<Vec<Charge>> {
                let entries = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let read = entries
                    .iter()
                    .map(|entry| document::read(entry).and_then(|entry| Charge::read(&entry)).ok());
                read.collect()
            };
            read(ours).is_some() && read(ours) == read(theirs)
        }
        "quantity" => {
            let count = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(1);
            count(ours) == count(theirs)
        }
        _ => ours == theirs,
    }
}

fn by_name(entries: &Value) -> Map<String, Value> {
    let entries = entries.as_array().into_iter().flatten();
    let named = entries.filter_map(|entry| {
        Some((entry.get("name")?.as_str()?.to_string(), entry.get("value")?.clone()))
    });
    named.collect()
}
