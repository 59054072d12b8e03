//! Quotes (TMF648): their items are configured and priced. A person approves a large discount or total.
//! A quote is accepted while it is valid, and one that does not suit gets a new version.

mod approval;

use rust_decimal::Decimal;

pub use self::approval::needs_approval;
use super::configure::{Choice, Configuration, configure};
use model::FailureCode;
use model::decompose::charges::charges;
use model::decompose::{Mistake, check};
use model::order::OrderError;
use model::pricing::charge::{By, Change, Charge, granted};
use model::pricing::total::totals;
use model::rulebook::Rulebook;
use tmf::document::TimePeriod;
use tmf::document::item_price::ItemPrice;
use tmf::document::quote::{Authorization, Quote, QuoteItem, QuoteRelationship};
use tmf::money::{PriceKind, is_too_fine};
use tmf::time::Timestamp;
use tmf::{Malformed, QuoteState};

/// The rules for quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Max discount by hand without approval, in percent.
    pub discount_max: Decimal,
    /// Max total without approval, once or for one period.
    pub total_max: Decimal,
    /// The validity of a quote in days.
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
    /// It has no state.
    #[error("`state` is missing")]
    State,
    /// The transition is illegal.
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
    request: Quote,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Quote, QuoteError> {
    let mut quote = priced(request, rulebook, now)?;
    let until = now.plus_ms(u64::from(policy.valid_days) * DAY_MS);
    quote.quote_date = Some(now.into());
    quote.version.get_or_insert_with(|| "1".into());
    quote.valid_for = Some(TimePeriod::new(now, until));
    let is_instant = quote.instant_sync_quote == Some(true);
    let state = if !is_instant || orderable(&quote, rulebook, now).is_err() {
        QuoteState::InProgress
    } else if needs_approval(&quote, policy).is_empty() {
        QuoteState::Approved
    } else {
        QuoteState::Pending
    };
    enter(&mut quote, state, now);
    quote.kind.get_or_insert_with(|| "Quote".into());
    Ok(quote)
}

/// A quote after a patch: `after` is the document as the patch would have it. Items that changed
/// are priced anew, and the state follows the table.
pub fn patched(
    before: Quote,
    after: Quote,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Quote, QuoteError> {
    let from = before.state.ok_or(QuoteError::State)?;
    let to = after.state.ok_or(QuoteError::State)?;
    if from != to && !from.may_become(to) {
        return Err(QuoteError::Transition { from, to });
    }
    let mut quote = if before.quote_item == after.quote_item {
        after
    } else if from == QuoteState::InProgress {
        priced(after, rulebook, now)?
    } else {
        return Err(QuoteError::Fixed(from));
    };
    // Totals and versions are derived: the patch cannot set them.
    summed(&mut quote)?;
    quote.version = Some(before.version.unwrap_or_else(|| "1".into()));
    if from == to {
        return Ok(quote);
    }
    match to {
        QuoteState::Approved => {
            orderable(&quote, rulebook, now)?;
            let reasons = needs_approval(&quote, policy);
            let is_granted = quote.authorization.iter().any(Authorization::is_granted);
            let is_approved = from == QuoteState::Pending && is_granted;
            if !reasons.is_empty() && !is_approved {
                return Err(QuoteError::Approval(reasons.join("; ")));
            }
        }
        QuoteState::Accepted => {
            if let Some(until) = expiry(&quote).filter(|until| *until <= now) {
                return Err(QuoteError::Expired(until));
            }
        }
        QuoteState::Pending => orderable(&quote, rulebook, now)?,
        QuoteState::Acknowledged
        | QuoteState::InProgress
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
    quote: &Quote,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Quote, QuoteError> {
    let state = quote.state.ok_or(QuoteError::State)?;
    if !matches!(state, QuoteState::Approved | QuoteState::Rejected | QuoteState::Declined) {
        return Err(QuoteError::Transition { from: state, to: QuoteState::InProgress });
    }
    let number = quote.version.as_ref().and_then(|version| version.parse::<u32>().ok());
    let number = number.unwrap_or(1).saturating_add(1);
    let request = Quote {
        id: None,
        href: None,
        state: None,
        authorization: Vec::new(),
        effective_quote_completion_date: None,
        instant_sync_quote: Some(false),
        version: Some(number.to_string()),
        quote_relationship: vec![QuoteRelationship::to(quote, "supersedes")],
        ..quote.clone()
    };
    create(request, rulebook, policy, now)
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The code of an item without an offering. A quote can begin with such items, but it is not approved.
const UNDECIDED: FailureCode = FailureCode::ItemWithoutOffering;

/// Whether all items of a quote could be ordered now.
fn orderable(quote: &Quote, rulebook: &Rulebook, now: Timestamp) -> Result<(), QuoteError> {
    let order = quote.order().map_err(QuoteError::Items)?.at(now);
    let found = check(&order, rulebook.catalog()).mistakes;
    if found.is_empty() { Ok(()) } else { Err(QuoteError::Configuration(found)) }
}

/// The quote with its items complete and priced.
fn priced(request: Quote, rulebook: &Rulebook, now: Timestamp) -> Result<Quote, QuoteError> {
    let configured = configure(request, rulebook.catalog(), now);
    let Configuration { mut document, order, lines, mistakes } =
        configured.map_err(QuoteError::Items)?;
    if mistakes.iter().any(|mistake| mistake.code != UNDECIDED) {
        return Err(QuoteError::Configuration(mistakes));
    }
    let mut listed = charges(&order, &lines, rulebook).into_iter();
    write_prices(&mut document.quote_item, &mut listed)?;
    summed(&mut document)?;
    Ok(document)
}

/// Writes the prices of each item, less the discounts that were granted by hand.
fn write_prices(
    items: &mut [QuoteItem],
    listed: &mut impl Iterator<Item = Vec<Charge>>,
) -> Result<(), QuoteError> {
    for item in items {
        let mut charges = listed.next().unwrap_or_default();
        for entry in item.quote_item_price.iter().flatten() {
            grant(entry, &mut charges).map_err(|wrong| price_of(item, wrong))?;
        }
        let prices = charges.into_iter().map(|charge| charge.into_document("QuotePrice"));
        item.quote_item_price = Some(prices.collect());
        write_prices(&mut item.quote_item, listed)?;
    }
    Ok(())
}

/// A price of an item is wrong.
fn price_of(item: &QuoteItem, wrong: Malformed) -> QuoteError {
    QuoteError::Price { item: item.id.clone().unwrap_or_default(), wrong }
}

/// Applies the changes that were granted on one price: the one of the catalog that is named, else all
/// of its type. An amount is taken off once. A change that alters no price is an error.
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
        alters_some(change, charges.iter().filter(|charge| is_meant(charge)))?;
        let meant = charges.iter_mut().filter(|charge| is_meant(charge));
        let mut change = change;
        for charge in meant {
            let left = charge.apply(change);
            if let By::Amount(money) = &mut change.by {
                money.amount = left;
            }
        }
    }
    Ok(())
}

/// Whether a change can alter a price.
fn alters_some<'a>(
    change: Change<'_>,
    mut meant: impl Iterator<Item = &'a Charge>,
) -> Result<(), Malformed> {
    let Some(first) = meant.next() else {
        let message = "alters no price: the item has none of that id or `priceType`";
        return Err(Malformed::new("priceAlteration", message));
    };
    let By::Amount(money) = change.by else { return Ok(()) };
    let in_currency = |charge: &Charge| charge.list.currency == money.currency;
    let Some(like) = std::iter::once(first).chain(meant).find(|charge| in_currency(charge)) else {
        let message = "is in the currency of no price of the item that it alters";
        return Err(Malformed::new("priceAlteration.price.dutyFreeAmount.unit", message));
    };
    if is_too_fine(&money, like.kind) {
        let message = "has more decimals than its currency";
        return Err(Malformed::new("priceAlteration.price.dutyFreeAmount.value", message));
    }
    Ok(())
}

/// Writes the totals that follow from the items.
fn summed(quote: &mut Quote) -> Result<(), QuoteError> {
    let charges = all_charges(quote)?;
    let totals = totals(charges.iter().map(|(quantity, charge)| (*quantity, charge)));
    let totals = totals.iter().map(|total| total.document("QuotePrice"));
    quote.quote_total_price = totals.collect();
    Ok(())
}

/// The prices of all items, with the quantity of each.
fn all_charges(quote: &Quote) -> Result<Vec<(u32, Charge)>, QuoteError> {
    let mut found = Vec::new();
    let mut open = vec![quote.quote_item.as_slice()];
    while let Some(items) = open.pop() {
        for item in items {
            let quantity = item.quantity.unwrap_or(1);
            found.extend(charges_of(item)?.into_iter().map(|charge| (quantity, charge)));
            open.push(&item.quote_item);
        }
    }
    Ok(found)
}

/// Puts a quote and its items into a state.
fn enter(quote: &mut Quote, state: QuoteState, now: Timestamp) {
    quote.state = Some(state);
    if state == QuoteState::Approved {
        quote.effective_quote_completion_date = Some(now.into());
    }
    set_states(&mut quote.quote_item, state.of_item());
}

fn set_states(items: &mut [QuoteItem], state: &str) {
    for item in items {
        item.state = Some(state.into());
        set_states(&mut item.quote_item, state);
    }
}

fn expiry(quote: &Quote) -> Option<Timestamp> {
    Some(quote.valid_for.as_ref()?.end_date_time.as_ref()?.at())
}

fn listed(mistakes: &[Mistake]) -> String {
    let texts = mistakes.iter().map(|found| format!("item `{}`: {}", found.item, found.message));
    texts.collect::<Vec<_>>().join("; ")
}

/// The prices of an item.
pub(super) fn charges_of(item: &QuoteItem) -> Result<Vec<Charge>, QuoteError> {
    let charges = item.quote_item_price.iter().flatten().map(Charge::read);
    charges.collect::<Result<_, _>>().map_err(|wrong| price_of(item, wrong))
}
