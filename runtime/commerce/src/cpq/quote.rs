//! Quotes (TMF648): made of items that are configured and priced, approved by a person where a
//! discount or a total is large, accepted while they are valid, and followed by a new version where
//! they are not what was wanted.

mod approval;
mod state;

use rust_decimal::Decimal;
use serde_json::{Value, json};

pub use self::approval::needs_approval;
use self::approval::{is_authorized, reasons_text};
pub use self::state::QuoteState;
use super::configure::{Configuration, configure};
use model::FailureCode;
use model::decompose::Mistake;
use model::decompose::charges::charges;
use model::order::{Form, OrderError};
use model::pricing::charge::{By, Change, Charge, granted};
use model::pricing::total::totals;
use model::rulebook::Rulebook;
use tmf::Malformed;
use tmf::document::item_price::ItemPrice;
use tmf::document::{self, write};
use tmf::money::{PriceKind, is_too_fine};
use tmf::time::Timestamp;

/// What quotes are made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A discount by hand above so many percent needs approval.
    pub discount_max: Decimal,
    /// A total above this, once or for one period, needs approval.
    pub total_max: Decimal,
    /// A quote is valid for so many days.
    pub valid_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { discount_max: Decimal::from(20), total_max: Decimal::from(100_000), valid_days: 30 }
    }
}

/// Why a quote cannot be made, changed or ordered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuoteError {
    /// Its items cannot be read.
    #[error(transparent)]
    Items(OrderError),
    /// Its items cannot be ordered as they are.
    #[error("{}", listed(.0))]
    Configuration(Vec<Mistake>),
    /// A price cannot be read.
    #[error("item `{item}`: quoteItemPrice.{} {}", .wrong.attribute, .wrong.problem)]
    Price {
        item: String,
        /// The attribute within the price.
        wrong: Malformed,
    },
    /// Its state is no word of the standard.
    #[error("`state` is no state of a quote")]
    State,
    /// The table of states does not have this.
    #[error("`state` cannot go from `{}` to `{}`", .from.as_str(), .to.as_str())]
    Transition {
        /// The state it has.
        from: QuoteState,
        /// The state it was to have.
        to: QuoteState,
    },
    /// Items change in quotes that are in progress only.
    #[error("`quoteItem` cannot change while the quote is `{}`: make a new version", .0.as_str())]
    Fixed(QuoteState),
    /// A person must approve.
    #[error(
        "{0}: the quote must be `pending`, and `authorization` have an entry with an `approver` and \
         the state `approved`"
    )]
    Approval(String),
    /// It is not valid any more.
    #[error("`validFor` ended at {0}: make a new version")]
    Expired(Timestamp),
    /// Only accepted quotes are ordered.
    #[error("`state` is `{}`: accept the quote before it is ordered", .0.as_str())]
    NotAccepted(QuoteState),
}

/// Makes a quote of a request: its items complete and priced, with totals and a validity. A quote
/// that is wanted at once is approved at once, or waits for the person who must approve it.
pub fn create(
    request: &Value,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Value, QuoteError> {
    let mut quote = priced(request, rulebook, now)?;
    let until = now.plus_ms(u64::from(policy.valid_days) * DAY_MS);
    set(&mut quote, "quoteDate", json!(now.to_string()));
    if quote.get("version").is_none_or(|version| !version.is_string()) {
        set(&mut quote, "version", json!("1"));
    }
    set(
        &mut quote,
        "validFor",
        json!({ "startDateTime": now.to_string(), "endDateTime": until.to_string() }),
    );
    let is_instant = request.get("instantSyncQuote") == Some(&json!(true));
    let state = if !is_instant || orderable(&quote, rulebook, now).is_err() {
        QuoteState::InProgress
    } else if needs_approval(&quote, policy).is_empty() {
        QuoteState::Approved
    } else {
        QuoteState::Pending
    };
    enter(&mut quote, state, now);
    if let Some(fields) = quote.as_object_mut() {
        fields.entry("@type").or_insert_with(|| json!("Quote"));
    }
    Ok(quote)
}

/// A quote after a patch: `after` is the document as the patch would have it. Items that changed
/// are priced anew, and the state follows the table.
pub fn patched(
    before: &Value,
    after: &Value,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Value, QuoteError> {
    let (from, to) = (QuoteState::of(before)?, QuoteState::of(after)?);
    if from != to && !from.may_become(to) {
        return Err(QuoteError::Transition { from, to });
    }
    let items = Form::Quote.items();
    let mut quote = if before.get(items) == after.get(items) {
        after.clone()
    } else if from == QuoteState::InProgress {
        priced(after, rulebook, now)?
    } else {
        return Err(QuoteError::Fixed(from));
    };
    // Totals and versions follow, whatever the patch says.
    summed(&mut quote)?;
    set(&mut quote, "version", before.get("version").cloned().unwrap_or_else(|| json!("1")));
    if from == to {
        return Ok(quote);
    }
    match to {
        QuoteState::Approved => {
            orderable(&quote, rulebook, now)?;
            let reasons = needs_approval(&quote, policy);
            let is_approved = from == QuoteState::Pending && is_authorized(&quote);
            if !reasons.is_empty() && !is_approved {
                return Err(QuoteError::Approval(reasons_text(&reasons)));
            }
        }
        QuoteState::Accepted => {
            if let Some(until) = expiry(&quote).filter(|until| *until <= now) {
                return Err(QuoteError::Expired(until));
            }
        }
        QuoteState::Pending => orderable(&quote, rulebook, now)?,
        QuoteState::InProgress
        | QuoteState::Rejected
        | QuoteState::Declined
        | QuoteState::Cancelled => {}
    }
    enter(&mut quote, to, now);
    Ok(quote)
}

/// The version that follows a quote that was approved or rejected, priced anew, and linked to the
/// one that it supersedes.
pub fn next_version(
    quote: &Value,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Value, QuoteError> {
    let state = QuoteState::of(quote)?;
    if !matches!(state, QuoteState::Approved | QuoteState::Rejected | QuoteState::Declined) {
        return Err(QuoteError::Transition { from: state, to: QuoteState::InProgress });
    }
    let number = quote.get("version").and_then(|version| version.as_str()?.parse::<u32>().ok());
    let mut request = quote.clone();
    if let Some(fields) = request.as_object_mut() {
        for name in ["id", "href", "state", "authorization", "effectiveQuoteCompletionDate"] {
            fields.remove(name);
        }
        fields.insert("instantSyncQuote".into(), json!(false));
    }
    let mut next = create(&request, rulebook, policy, now)?;
    set(&mut next, "version", json!(number.unwrap_or(1).saturating_add(1).to_string()));
    let link = json!([{
        "relationshipType": "supersedes",
        "id": quote.get("id"),
        "href": quote.get("href"),
        "version": quote.get("version"),
        "@referredType": "Quote",
    }]);
    set(&mut next, "quoteRelationship", link);
    Ok(next)
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A quote may be begun while it is open what an item is to be; it cannot be approved then.
const UNDECIDED: FailureCode = FailureCode::ItemWithoutOffering;

/// Whether all items of a quote could be ordered now.
fn orderable(quote: &Value, rulebook: &Rulebook, now: Timestamp) -> Result<(), QuoteError> {
    let found = configure(Form::Quote, quote, rulebook.catalog(), now);
    let found = found.map_err(QuoteError::Items)?.mistakes;
    if found.is_empty() { Ok(()) } else { Err(QuoteError::Configuration(found)) }
}

/// The quote with its items complete and priced.
fn priced(request: &Value, rulebook: &Rulebook, now: Timestamp) -> Result<Value, QuoteError> {
    let configured = configure(Form::Quote, request, rulebook.catalog(), now);
    let Configuration { mut document, order, lines, mistakes } =
        configured.map_err(QuoteError::Items)?;
    if mistakes.iter().any(|mistake| mistake.code != UNDECIDED) {
        return Err(QuoteError::Configuration(mistakes));
    }
    let listed = charges(&order, &lines, rulebook);
    let mut all = Vec::new();
    let mut next = 0;
    write_prices(&mut document, &listed, &order.lines, &mut next, &mut all)?;
    summed(&mut document)?;
    Ok(document)
}

/// Writes the prices of each item, what was granted by hand taken off.
fn write_prices(
    holder: &mut Value,
    listed: &[Vec<Charge>],
    lines: &[model::order::Line],
    next: &mut usize,
    all: &mut Vec<Charge>,
) -> Result<(), QuoteError> {
    let items = holder.get_mut(Form::Quote.items()).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        let (charges, line) = (&listed[*next], &lines[*next]);
        *next += 1;
        let mut charges = charges.clone();
        for entry in item.get("quoteItemPrice").and_then(Value::as_array).into_iter().flatten() {
            document::read(entry)
                .and_then(|entry| grant(&entry, &mut charges))
                .map_err(|wrong| QuoteError::Price { item: line.id.clone(), wrong })?;
        }
        let prices = charges.iter().map(|charge| write(&charge.document("QuotePrice"))).collect();
        set(item, "quoteItemPrice", Value::Array(prices));
        all.extend(charges);
        write_prices(item, listed, lines, next, all)?;
    }
    Ok(())
}

/// Applies what was granted on one price: the one of the catalog that is named, else all of its
/// type. An amount is taken off once. What would alter no price is wrong.
fn grant(entry: &ItemPrice, charges: &mut [Charge]) -> Result<(), Malformed> {
    let id = entry.product_offering_price.as_ref().and_then(|price| price.id.as_deref());
    let changes = granted(entry)?;
    let kind = match &entry.price_type {
        Some(kind) if !changes.is_empty() => {
            let problem = "is one of `oneTime`, `recurring`, `usage`";
            let wrong = || Malformed::new("priceType", problem);
            Some(PriceKind::from_tmf(kind).ok_or_else(wrong)?)
        }
        Some(_) | None => None,
    };
    for change in changes {
        let is_meant = |charge: &Charge| match (id, kind) {
            (Some(id), _) => charge.price == id,
            (None, Some(kind)) => charge.kind == kind,
            (None, None) => true,
        };
        alters_some(&change, charges.iter().filter(|charge| is_meant(charge)))?;
        let meant = charges.iter_mut().filter(|charge| is_meant(charge));
        let mut change = change;
        for charge in meant {
            let left = charge.apply(&change);
            if let By::Amount(money) = &mut change.by {
                money.amount = left;
            }
        }
    }
    Ok(())
}

/// Whether what was granted can alter a price.
fn alters_some<'a>(
    change: &Change,
    mut meant: impl Iterator<Item = &'a Charge>,
) -> Result<(), Malformed> {
    let Some(first) = meant.next() else {
        let message = "alters no price: the item has none of that id or `priceType`";
        return Err(Malformed::new("priceAlteration", message));
    };
    let By::Amount(money) = &change.by else { return Ok(()) };
    let in_currency = |charge: &Charge| charge.list.currency == money.currency;
    let Some(like) = std::iter::once(first).chain(meant).find(|charge| in_currency(charge)) else {
        let message = "is in the currency of no price of the item that it alters";
        return Err(Malformed::new("priceAlteration.price.dutyFreeAmount.unit", message));
    };
    if is_too_fine(money, like.kind) {
        let message = "has more decimals than its currency";
        return Err(Malformed::new("priceAlteration.price.dutyFreeAmount.value", message));
    }
    Ok(())
}

/// Writes the totals that follow from the items.
fn summed(quote: &mut Value) -> Result<(), QuoteError> {
    let charges = all_charges(quote)?;
    let totals = totals(charges.iter().map(|(quantity, charge)| (*quantity, charge)));
    let totals = totals.iter().map(|total| write(&total.document("QuotePrice"))).collect();
    set(quote, "quoteTotalPrice", Value::Array(totals));
    Ok(())
}

/// The prices of all items, with how many are wanted.
fn all_charges(quote: &Value) -> Result<Vec<(u32, Charge)>, QuoteError> {
    let mut found = Vec::new();
    let mut open = vec![quote];
    while let Some(holder) = open.pop() {
        let items = holder.get(Form::Quote.items()).and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
            let quantity = item.get("quantity").and_then(Value::as_u64).unwrap_or(1);
            let quantity = u32::try_from(quantity).unwrap_or(u32::MAX);
            found.extend(charges_of(item, id)?.into_iter().map(|charge| (quantity, charge)));
            open.push(item);
        }
    }
    Ok(found)
}

/// Puts a quote and its items into a state.
fn enter(quote: &mut Value, state: QuoteState, now: Timestamp) {
    set(quote, "state", json!(state.as_str()));
    if state == QuoteState::Approved {
        set(quote, "effectiveQuoteCompletionDate", json!(now.to_string()));
    }
    item_states(quote, state.of_item());
}

fn item_states(holder: &mut Value, state: &str) {
    let items = holder.get_mut(Form::Quote.items()).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        set(item, "state", json!(state));
        item_states(item, state);
    }
}

fn expiry(quote: &Value) -> Option<Timestamp> {
    Timestamp::parse(quote.get("validFor")?.get("endDateTime")?.as_str()?)
}

fn set(document: &mut Value, name: &str, value: Value) {
    if let Some(fields) = document.as_object_mut() {
        fields.insert(name.into(), value);
    }
}

fn listed(mistakes: &[Mistake]) -> String {
    let texts = mistakes.iter().map(|found| format!("item `{}`: {}", found.item, found.message));
    texts.collect::<Vec<_>>().join("; ")
}

/// The prices that stand in an item of a quote.
pub(super) fn charges_of(item: &Value, id: &str) -> Result<Vec<Charge>, QuoteError> {
    let entries = item.get("quoteItemPrice").and_then(Value::as_array).into_iter().flatten();
    let charges = entries.map(|entry| document::read(entry).and_then(|entry| Charge::read(&entry)));
    charges.collect::<Result<_, _>>().map_err(|wrong| QuoteError::Price { item: id.into(), wrong })
}
