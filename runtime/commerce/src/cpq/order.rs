//! Quotes and questions as orders: the product order (TMF622) that an accepted quote becomes, with the
//! agreed prices, and the order that a qualification asks about.

use std::collections::BTreeSet;
use std::slice::Iter;

use tmf::document::item::{Item, Subject};
use tmf::document::item_price::ItemPrice;
use tmf::document::order_request::{
    ProductOrderRequest, ProductOrderRequestItem, QuoteItemRef, carried,
};
use tmf::document::quote::{Quote, QuoteItem};
use tmf::document::{Characteristics, Deferred, Reference};
use tmf::{Malformed, QuoteState};

use super::configure::Choice;
use super::quote::{QuoteError, charges_of};
use model::order::{Line, Order};
use model::pricing::charge::Charge;
use model::pricing::total::{Total, Totals, totals};

/// The product order of an accepted quote. Its items have the agreed prices and refer to the quote: the
/// prices hold even if the catalog changes.
pub fn order_of(quote: &Quote) -> Result<ProductOrderRequest, QuoteError> {
    let state = quote.state.ok_or(QuoteError::State)?;
    if state != QuoteState::Accepted {
        return Err(QuoteError::NotAccepted(state));
    }
    let order = quote.order().map_err(QuoteError::Items)?;
    let mut items = ordered(quote.quote_item.clone(), &order, &[]);
    let reference = Reference::to("quote", quote.id.as_deref().unwrap_or_default());
    let mut all = Totals::default();
    agree(&mut items, &quote.quote_item, &reference, &mut all)?;
    Ok(ProductOrderRequest {
        quote: vec![reference],
        product_order_item: items,
        order_total_price: Some(written(&all.into_list())),
        billing_account: quote.billing_account.first().cloned(),
        kind: Some("ProductOrder".into()),
        rest: carried(&quote.rest),
    })
}

fn written(totals: &[Total]) -> Vec<Deferred<ItemPrice>> {
    totals.iter().map(|total| total.document("OrderPrice").into()).collect()
}

/// Writes the prices of a quote's items into those of its order.
fn agree(
    ordered: &mut [ProductOrderRequestItem],
    quoted: &[QuoteItem],
    quote: &Reference,
    all: &mut Totals,
) -> Result<(), QuoteError> {
    for (ordered, quoted) in ordered.iter_mut().zip(quoted) {
        let id = ordered.id.as_deref().unwrap_or_default();
        let quantity = ordered.quantity.unwrap_or(1);
        let charges = charges_of(quoted)?;
        charges.iter().for_each(|charge| all.add(quantity, charge));
        let own = totals(charges.iter().map(|charge| (quantity, charge)));
        let prices = charges.into_iter().map(|charge| charge.into_document("OrderPrice").into());
        ordered.item_price = Some(prices.collect());
        ordered.item_total_price = Some(written(&own));
        ordered.quote_item = Some(QuoteItemRef::to(quote, id));
        agree(&mut ordered.product_order_item, &quoted.quote_item, quote, all)?;
    }
    Ok(())
}

/// The items of the order that a quote or a question is about, without prices. Items that are in no
/// bundle and have no place get this one.
pub(super) fn ordered<I: Item, O: Item<Subject = I::Subject>>(
    items: Vec<I>,
    order: &Order,
    place: &[Reference],
) -> Vec<O> {
    ordered_items(items, &mut order.lines.iter(), place)
}

/// The lines are in the order in which items are read.
fn ordered_items<I: Item, O: Item<Subject = I::Subject>>(
    items: Vec<I>,
    lines: &mut Iter<'_, Line>,
    place: &[Reference],
) -> Vec<O> {
    const QUALIFIED: &str = "productOfferingQualificationItem";
    let mut ordered = Vec::with_capacity(items.len());
    for mut item in items {
        let line = lines.next().expect("each item was read as a line");
        let (from, mut made) = (item.parts(), O::default());
        let to = made.parts();
        *to.id = Some(line.id.clone());
        *to.action = Some(line.action.as_str().into());
        *to.quantity = Some(line.quantity);
        *to.offering = from.offering.take();
        let mut subject = from.subject.take().unwrap_or_default();
        let own = subject.parts().place;
        if line.bundle.is_none() && own.is_empty() {
            own.extend_from_slice(place);
        }
        *to.subject = Some(subject);
        *to.relations = std::mem::take(from.relations);
        to.rest.extend(from.rest.remove_entry(QUALIFIED));
        *to.items = ordered_items(std::mem::take(from.items), lines, place);
        ordered.push(made);
    }
    ordered
}

/// The path at which an order names a quote first.
pub fn quote_path(order: &ProductOrderRequest, id: &str) -> String {
    if let Some(position) = order.quote.iter().position(|quote| quote.is_to(id)) {
        return format!("quote[{position}].id");
    }
    let mut naming = flat(order).into_iter().filter(|(_, item)| quote_of(item) == Some(id));
    naming.next().map_or_else(|| "quote".into(), |(path, _)| format!("{path}.quoteItem.quoteId"))
}

/// The id of the quote that an item names.
fn quote_of(item: &ProductOrderRequestItem) -> Option<&str> {
    item.quote_item.as_ref()?.quote_id.as_deref()
}

/// The agreed prices of an order that cannot be read, each with its path and the reason: they are kept,
/// and not billed.
pub fn unread(order: &ProductOrderRequest) -> Vec<String> {
    let is_of_quote = !order.quote.is_empty();
    let mut unread = Vec::new();
    for (path, item) in flat(order) {
        if !is_of_quote && quote_of(item).is_none() {
            continue;
        }
        for (position, price) in item.item_price.iter().flatten().enumerate() {
            if let Err(wrong) = charge(price) {
                let wrong = wrong.within(&format!("{path}.itemPrice[{position}]"));
                unread.push(format!("{wrong}: this price is kept and not billed"));
            }
        }
    }
    unread
}

fn charge(price: &Deferred<ItemPrice>) -> Result<Charge, Malformed> {
    Charge::read(price.get("")?)
}

/// Whether an order has the prices of a quote that is not known here, or refers to where it is.
pub fn is_from_elsewhere(order: &ProductOrderRequest, id: &str) -> bool {
    let leads = |href: &Option<String>| href.as_ref().is_some_and(|href| href.contains("://"));
    let mut named = order.quote.iter().filter(|quote| quote.is_to(id)).peekable();
    let is_of_all = named.peek().is_some();
    if named.any(|quote| leads(&quote.href)) {
        return true;
    }
    flat(order).into_iter().any(|(_, item)| {
        let own = quote_of(item);
        let has_prices = item.item_price.as_ref().is_some_and(|prices| !prices.is_empty());
        let is_its = own == Some(id) || own.is_none() && is_of_all;
        let leads = item.quote_item.as_ref().is_some_and(|quoted| leads(&quoted.quote_href));
        is_its && (has_prices || leads)
    })
}

/// The differences between an order and the quote that it names. An order with any is refused, for its
/// prices would hold.
pub fn unbacked(order: &ProductOrderRequest, quote: &Quote) -> Vec<String> {
    let expected = match order_of(quote) {
        Ok(expected) => expected,
        Err(error) => return vec![error.to_string()],
    };
    let mut wrong = Vec::new();
    let (ours, theirs) = (flat(&expected), flat(order));
    let mut seen = BTreeSet::new();
    for (path, item) in &theirs {
        let id = item.id.as_deref().unwrap_or_default();
        if !seen.insert(id) {
            wrong.push(format!("{path}: item `{id}` of the quote is ordered twice"));
            continue;
        }
        match ours.iter().find(|(_, own)| own.id == item.id) {
            Some((_, own)) => {
                let different = differences(own, item).into_iter();
                let different = different.map(|at| format!("{path}.{at}: is not what was quoted"));
                wrong.extend(different);
            }
            None => wrong.push(format!("{path}: the quote has no item `{id}`")),
        }
    }
    let is_ordered =
        |own: &ProductOrderRequestItem| theirs.iter().any(|(_, item)| item.id == own.id);
    for (_, own) in ours.iter().filter(|(_, own)| !is_ordered(own)) {
        let id = own.id.as_deref().unwrap_or_default();
        wrong.push(format!("productOrderItem: item `{id}` of the quote is missing"));
    }
    wrong
}

/// The attributes of an item that are not as they were quoted. Offerings are compared by their ids.
fn differences(
    quoted: &ProductOrderRequestItem,
    item: &ProductOrderRequestItem,
) -> Vec<&'static str> {
    fn offering(item: &ProductOrderRequestItem) -> Option<&str> {
        item.product_offering.as_ref()?.id.as_deref()
    }
    let quantity = |item: &ProductOrderRequestItem| item.quantity.unwrap_or(1);
    let charges = |item: &ProductOrderRequestItem| -> Option<Vec<Charge>> {
        item.item_price.iter().flatten().map(|price| charge(price).ok()).collect()
    };
    let agreed = charges(quoted);
    let checks = [
        ("productOffering", offering(quoted) == offering(item)),
        ("action", quoted.action == item.action),
        ("quantity", quantity(quoted) == quantity(item)),
        ("itemPrice", agreed.is_some() && agreed == charges(item)),
        ("product.productCharacteristic", chosen(quoted) == chosen(item)),
    ];
    checks.into_iter().filter(|(_, is_same)| !is_same).map(|(attribute, _)| attribute).collect()
}

/// The characteristics of an item by name.
fn chosen(item: &ProductOrderRequestItem) -> Characteristics {
    let chosen = item.product.iter().flat_map(|product| &product.product_characteristic);
    Characteristics::of_list(chosen.cloned())
}

/// All items of a product order, with their paths.
fn flat(order: &ProductOrderRequest) -> Vec<(String, &ProductOrderRequestItem)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), order.product_order_item.as_slice())];
    while let Some((within, items)) = open.pop() {
        for (position, item) in items.iter().enumerate() {
            let path = format!("{within}productOrderItem[{position}]");
            open.push((format!("{path}."), &item.product_order_item));
            found.push((path, item));
        }
    }
    found
}
