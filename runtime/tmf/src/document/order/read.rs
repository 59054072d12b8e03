//! Reads an order, and names the attribute that is wrong.

use serde_json::Value;

use super::{Item, Names, Order, Place, RelatedOrder, Relation, Subject, Written};
use crate::document::Attributes;
use crate::malformed::Malformed;
use crate::time::Timestamp;

/// Reads an order, or a question that has the items of one.
pub fn read<'a>(names: &Names, document: &'a Value) -> Result<Order<'a>, Malformed> {
    if !document.is_object() {
        return Err(Malformed::new("$", "an order is a JSON object"));
    }
    let attributes = Attributes::of(document);
    let items = attributes.get(names.items);
    let reader = Reader { names };
    let (start, completion, relations) = match names.is_order {
        true => (
            date(attributes, "requestedStartDate", "")?,
            date(attributes, "requestedCompletionDate", "")?,
            order_relations(attributes)?,
        ),
        false => (None, None, Vec::new()),
    };
    let items = items.map(|items| reader.items(items, names.items)).transpose()?;
    let (quote, customer) = (quote(attributes), customer(attributes)?);
    Ok(Order { attributes, items, quote, customer, start, completion, relations })
}

struct Reader<'n> {
    names: &'n Names,
}

impl Reader<'_> {
    fn items<'a>(&self, items: &'a Value, path: &str) -> Result<Vec<Item<'a>>, Malformed> {
        let items = items.as_array().ok_or_else(|| Malformed::new(path, "is an array"))?;
        let items = items.iter().enumerate();
        items.map(|(position, item)| self.item(item, format!("{path}[{position}]"))).collect()
    }

    fn item<'a>(&self, item: &'a Value, path: String) -> Result<Item<'a>, Malformed> {
        if !item.is_object() {
            return Err(Malformed::new(path, "an item is a JSON object"));
        }
        let written = Written::of(item, self.names);
        let own = written.item;
        let (id, action) = match self.names.is_order {
            true => (Some(needed(own, "id", &path)?), Some(needed(own, "action", &path)?)),
            false => (text(own, "id", &path)?, text(own, "action", &path)?),
        };
        let quantity = quantity(own, &path)?;
        let offering = reference(own, "productOffering", &path)?;
        let subject_path = format!("{path}.{}", self.names.subject);
        let mut subject = self.subject(written, &subject_path, action)?;
        if subject.spec.is_none() && self.names.has_item_spec {
            subject.spec = reference(own, self.names.spec, &path)?;
        }
        // TMF637 has it with the product too.
        let offering = match offering {
            Some(offering) => Some(offering),
            None => reference(written.subject, "productOffering", &subject_path)?,
        };
        let (relations, other_orders) = self.relations(own, &path)?;
        let items = match own.get(self.names.items) {
            Some(nested) => self.items(nested, &format!("{path}.{}", self.names.items))?,
            None => Vec::new(),
        };
        let quote = own.within("quoteItem").text("quoteId");
        Ok(Item {
            written,
            path,
            id,
            action,
            quantity,
            offering,
            quote,
            subject,
            relations,
            other_orders,
            items,
        })
    }

    fn subject<'a>(
        &self,
        written: Written<'a>,
        path: &str,
        action: Option<&str>,
    ) -> Result<Subject<'a>, Malformed> {
        let names = self.names;
        if written.item.is_no_object(names.subject) {
            return Err(Malformed::new(path, "is a JSON object"));
        }
        if names.needs_subject && written.item.object(names.subject).is_none() {
            return Err(Malformed::new(path, "is mandatory"));
        }
        let own = written.subject;
        let (start, end) = match action {
            Some("noChange") => (None, None),
            Some(_) if names.is_order => {
                (date(own, names.dates.0, path)?, date(own, names.dates.1, path)?)
            }
            Some(_) | None => (None, None),
        };
        Ok(Subject {
            path: path.into(),
            id: text(own, "id", path)?,
            state: names.state.map(|name| text(own, name, path)).transpose()?.flatten(),
            spec: reference(own, names.spec, path)?,
            characteristics: characteristics(own, &format!("{path}.{}", names.characteristics))?,
            place: place(own, path)?,
            start,
            end,
        })
    }

    /// The relations of an item, to items of the same order and to those of others.
    fn relations<'a>(
        &self,
        item: Attributes<'a>,
        path: &str,
    ) -> Result<(Vec<Relation<'a>>, Vec<RelatedOrder<'a>>), Malformed> {
        let (mut related, mut orders) = (Vec::new(), Vec::new());
        let path = format!("{path}.{}", self.names.relations);
        for (position, entry) in list(item, self.names.relations, &path)?.iter().enumerate() {
            let path = format!("{path}[{position}]");
            let relation = Attributes::of(entry);
            // A question may leave open how its items relate.
            let is_whole = ["relationshipType", "id"].iter().all(|name| entry.get(*name).is_some());
            if !self.names.is_order && !is_whole {
                continue;
            }
            let kind = relation.text("relationshipType").ok_or_else(|| {
                Malformed::new(format!("{path}.relationshipType"), "is mandatory, a text")
            })?;
            // TMF622 has the id in place, 641 and 652 within `orderItem`, which may be of another order.
            let nested = relation.within("orderItem");
            if let Some(order) = order_of(nested) {
                orders.push(RelatedOrder { kind, order, path: format!("{path}.orderItem") });
                continue;
            }
            let to = nested.text("itemId").or_else(|| relation.text("id"));
            let to =
                to.ok_or_else(|| Malformed::new(&*path, "names no item: an `id` is mandatory"))?;
            related.push(Relation { kind, to, path });
        }
        Ok((related, orders))
    }
}

/// The relations of an order to others.
fn order_relations(order: Attributes<'_>) -> Result<Vec<RelatedOrder<'_>>, Malformed> {
    const RELATIONS: &str = "orderRelationship";
    let entries = list(order, RELATIONS, RELATIONS)?.iter().enumerate();
    let relations = entries.map(|(position, entry)| {
        let path = format!("{RELATIONS}[{position}]");
        let text = |name: &str| {
            let text = Attributes::of(entry).text(name).filter(|text| !text.is_empty());
            text.ok_or_else(|| Malformed::new(format!("{path}.{name}"), "is mandatory, a text"))
        };
        let (kind, order) = (text("relationshipType")?, text("id")?);
        Ok(RelatedOrder { kind, order, path: format!("{path}.id") })
    });
    relations.collect()
}

/// The other order that a reference to an item names.
fn order_of(reference: Attributes<'_>) -> Option<&str> {
    let ids = ["serviceOrderId", "resourceOrderId", "productOrderId"];
    let named = ids.iter().find_map(|name| reference.text(name));
    let href = || {
        let hrefs = ["serviceOrderHref", "resourceOrderHref", "productOrderHref"];
        hrefs.iter().find_map(|name| reference.text(name))?.rsplit('/').next()
    };
    named.or_else(href).filter(|id| !id.is_empty())
}

/// The quote that an order names, if it names one only.
fn quote(order: Attributes<'_>) -> Option<&str> {
    let mut quotes = order.entries("quote");
    let quote = Attributes::of(quotes.next()?).text("id");
    quote.filter(|_| quotes.next().is_none())
}

fn customer(order: Attributes<'_>) -> Result<Option<&str>, Malformed> {
    const PARTIES: &str = "relatedParty";
    let parties = list(order, PARTIES, PARTIES)?.iter().map(Attributes::of);
    let customer = parties.into_iter().find(|party| {
        let is_customer =
            |name: &str| party.text(name).is_some_and(|text| text.eq_ignore_ascii_case("customer"));
        is_customer("role") || is_customer("@referredType")
    });
    Ok(customer.and_then(|party| party.text("id")))
}

fn characteristics<'a>(
    subject: Attributes<'a>,
    path: &str,
) -> Result<Vec<(&'a str, &'a Value)>, Malformed> {
    let name = path.rsplit('.').next().unwrap_or_default();
    let entries = list(subject, name, path)?.iter().enumerate();
    let read = entries.map(|(position, entry)| {
        let path = format!("{path}[{position}]");
        if !entry.is_object() {
            return Err(Malformed::new(path, "a characteristic is a JSON object"));
        }
        let name = needed(Attributes::of(entry), "name", &path)?;
        let value = entry.get("value");
        let value = value.ok_or_else(|| Malformed::new(format!("{path}.value"), "is mandatory"))?;
        Ok((name, value))
    });
    read.collect()
}

fn place<'a>(subject: Attributes<'a>, path: &str) -> Result<Option<Place<'a>>, Malformed> {
    const NAMES: [&str; 7] =
        ["id", "name", "postcode", "city", "locality", "stateOrProvince", "country"];
    let place = match subject.get("place") {
        None => return Ok(None),
        Some(Value::Array(places)) => match places.first() {
            None => return Ok(None),
            Some(place) => Attributes::of(place),
        },
        // A resource has one place.
        Some(place @ Value::Object(_)) => Attributes::of(place),
        Some(_) => return Err(Malformed::new(format!("{path}.place"), "is an array")),
    };
    let areas = NAMES.iter().filter_map(|name| place.text(name));
    let areas = areas.filter(|text| !text.is_empty()).collect();
    Ok(Some(Place { id: place.text("id"), areas }))
}

fn quantity(item: Attributes<'_>, path: &str) -> Result<Option<u32>, Malformed> {
    let Some(value) = item.get("quantity") else { return Ok(None) };
    let quantity = value.as_u64().and_then(|quantity| u32::try_from(quantity).ok());
    let quantity = quantity.filter(|quantity| *quantity > 0);
    let wrong = || Malformed::new(format!("{path}.quantity"), "is a whole number from 1");
    quantity.map(Some).ok_or_else(wrong)
}

/// The entries of a list; none if it is missing.
fn list<'a>(own: Attributes<'a>, name: &str, path: &str) -> Result<&'a [Value], Malformed> {
    match own.get(name) {
        None => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(Malformed::new(path, "is an array")),
    }
}

/// The id of a reference.
fn reference<'a>(
    own: Attributes<'a>,
    name: &str,
    path: &str,
) -> Result<Option<&'a str>, Malformed> {
    let path = format!("{path}.{name}");
    if own.is_no_object(name) {
        return Err(Malformed::new(path, "is a JSON object with an `id`"));
    }
    own.object(name).map(|reference| needed(reference, "id", &path)).transpose()
}

fn needed<'a>(own: Attributes<'a>, name: &str, path: &str) -> Result<&'a str, Malformed> {
    let text = text(own, name, path)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| Malformed::new(format!("{path}.{name}"), "is mandatory"))
}

fn text<'a>(own: Attributes<'a>, name: &str, path: &str) -> Result<Option<&'a str>, Malformed> {
    match own.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed::new(format!("{path}.{name}"), "is a text")),
    }
}

/// Reads a date with a time, as strictly as documents are read.
fn date(own: Attributes<'_>, name: &str, within: &str) -> Result<Option<Timestamp>, Malformed> {
    let path = if within.is_empty() { name.to_string() } else { format!("{within}.{name}") };
    match own.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Timestamp::read(text).map(Some).ok_or_else(|| Malformed {
            attribute: path,
            problem: format!("is a date with a time such as `2026-03-12T02:00:00Z`, not `{text}`")
                .into(),
        }),
        Some(_) => Err(Malformed::new(path, "is a date with a time, as text")),
    }
}
