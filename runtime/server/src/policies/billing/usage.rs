//! Usage that comes in: its product is found, a rater computes its cost, and it is stored with that.

use std::collections::BTreeMap;

use commerce::billing::cycle::Cycle;
use commerce::billing::terms::Terms;
use commerce::billing::usage::{
    self, Guided, History, Rated, RaterCharges, Rating, Refused, Rejection, State, guide, stale,
    used_before,
};
use commerce::billing::versions::Versions;
use engine::documents::{Document, Error};
use engine::worker::{Call, Operation, Worker as _};
use model::pricing::tariff::{self, RatingInput};
use model::{FailureClass, FulfilmentId, Outcome, PluginId, TaskId};
use serde_json::Value;
use tmf::Malformed;
use tmf::day::Days;
use tmf::document::product::Product;
use tmf::document::tariff::OfferedTariff;
use tmf::document::usage::Usage;
use tmf::document::{self, Characteristic, Deferred, write};
use tmf::time::Timestamp;
use tmf::zone::Zone;

use super::Books;
use super::invalid;
use super::stored::{
    DOCUMENTS_MAX, Stored, cycle_of, id_of, read, refused, usages_of, versions_of,
};
use super::written::changed_usage;
use crate::policies::{Draft, Refusal};

/// The rater of tariffs that name none.
const RATER: &str = "tariff-rater";

/// The timeout of a rater, in milliseconds.
const RATING_MS_MAX: u64 = 10_000;

/// Max times the usage of a product is looked at while others change it.
const LOOKS_MAX: usize = 16;

/// Max products of a party that a usage may belong to.
const CANDIDATES_MAX: usize = 1_000;

/// The answer of a rater.
enum Answer {
    /// The cost of the usage.
    Rated(Rating),
    /// Why it cannot be rated.
    Rejected(Rejection),
    /// There is no rater, or it failed for now, which is logged.
    Later,
}

/// Rates usage that is new, was corrected, or is to be tried again.
pub(super) async fn settle(books: &Books<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let before: Option<Usage> =
        draft.before.as_ref().map(|before| read("usage", before)).transpose()?;
    let after: Option<Usage> =
        draft.after.as_ref().map(document::read).transpose().map_err(invalid)?;
    let usage = match (before, after) {
        (None, Some(after)) => {
            usage::check_new(&after, draft.at).map_err(invalid)?;
            after
        }
        (Some(before), Some(after)) => {
            match usage::follow(&before, after, draft.at).map_err(not_changed)? {
                usage::Change::Rate(usage) => *usage,
                usage::Change::Nothing => return Ok(()),
            }
        }
        (Some(before), None) => return usage::check_removal(&before).map_err(not_changed),
        (None, None) => return Ok(()),
    };
    draft.after = Some(write(&rated(books, usage, draft.at).await?));
    Ok(())
}

/// Whether the tariffs of a product's prices, or of a price of the catalog, can be rated. A stored tariff
/// stays until it is changed.
pub(super) fn check_tariffs(books: &Books<'_>, draft: &Draft) -> Result<(), Refusal> {
    let Some(after) = &draft.after else { return Ok(()) };
    let before = draft.before.as_ref().map(|before| &before.body);
    let is_same = |name: &str| before.is_some_and(|before| before.get(name) == after.get(name));
    if draft.resource.key == "productOfferingPrice" {
        if is_same("tariff") && is_same("priceType") {
            return Ok(());
        }
        let price = document::read::<OfferedTariff>(after).map_err(invalid)?;
        let (price_type, tariff) = (price.price_type.as_deref(), price.tariff.as_ref());
        return tariff::check_price(price_type, tariff).map_err(invalid);
    }
    if is_same("productPrice") {
        return Ok(());
    }
    let product: Product = document::read(after).map_err(invalid)?;
    let mut offered: BTreeMap<&str, OfferedTariff> = BTreeMap::new();
    for id in offered_prices(&product) {
        if let Some(price) = Stored::find(books, "productOfferingPrice", id)? {
            offered.insert(id, price.body);
        }
    }
    tariff::check_prices(&product, |id| offered.get(id)).map_err(invalid)
}

/// The prices of the catalog that a product has.
fn offered_prices(product: &Product) -> impl Iterator<Item = &str> {
    let prices = product.product_price.iter().filter_map(Deferred::ok);
    prices.filter_map(|price| price.product_offering_price.as_ref()?.id.as_deref())
}

fn not_changed(refused: Refused) -> Refusal {
    let message = refused.to_string();
    match refused {
        Refused::Invalid(wrong) => invalid(wrong),
        Refused::Billed { attribute } => Refusal::conflict(attribute, message),
    }
}

impl From<usage::IllegalStep> for Refusal {
    fn from(wrong: usage::IllegalStep) -> Self {
        Self::conflict("status", wrong.to_string())
    }
}

/// A usage after it was rated: rated, rejected, or waiting for a rater.
async fn rated(books: &Books<'_>, usage: Usage, at: Timestamp) -> Result<Usage, Refusal> {
    let candidates = candidates(books, &usage)?;
    let guided =
        match guide(&usage, &candidates, &catalog(books, &candidates)?, books.settings.zone) {
            Ok(guided) => guided,
            Err(rejection) => return Ok(usage::rejected(usage, &rejection)?),
        };
    let others = used(books, &guided.product)?;
    let cycles = Cycles::new(books, guided.account.as_deref())?.with(books, &others)?;
    let period = cycles.usual.around(guided.zone.day_of(guided.at));
    let used = used_before(&guided, &others, period, |one| cycles.period_of(one));
    let product = candidates.iter().find(|one| one.product().id == guided.product);
    let terms = match product {
        Some(product) => {
            Terms::of_product(product.at(guided.at), &books.rulebooks.current(), cycles.usual)
        }
        None => Terms::general(&books.rulebooks.current(), cycles.usual),
    };
    let taxes = terms.taxes_on(&guided.price);
    let percent = taxes.iter().map(|tax| tax.rate).sum();
    match ask(books, &guided, &guided.rating_input(used, percent), at).await? {
        Answer::Rated(rating) => Ok(usage::rated(usage, guided, rating, used, &taxes, at)?),
        Answer::Rejected(rejection) => Ok(usage::rejected(usage, &rejection)?),
        Answer::Later => Ok(usage::awaiting_rating(usage)?),
    }
}

/// Brings the usage of a product up to date before it is billed: usage that was rated in another order
/// than it counts, or before the present version of the product, is rated again.
pub(super) async fn rated_again(
    books: &Books<'_>,
    product: &str,
    at: Timestamp,
) -> Result<(), Refusal> {
    'look: for _ in 0..LOOKS_MAX {
        let document = Stored::<Product>::find(books, "product", product)?;
        let since = document.as_ref().map_or(Timestamp(0), |document| document.since);
        let account = document.as_ref().and_then(|document| document.body.account());
        let used = used(books, product)?;
        let cycles = Cycles::new(books, account)?.with(books, &used)?;
        // Later than the version that it is rated by, so that it is not rated again for that.
        let at = at.max(since.plus_ms(1));
        let stale = stale(&used, |one| cycles.period_of(one), since, at);
        if stale.is_empty() {
            return Ok(());
        }
        for id in stale {
            let Some(kept) = Stored::<Usage>::find(books, "usage", id)? else { continue 'look };
            // Another run billed it since it was looked at: the order may have changed.
            if kept.body.state() == State::Billed {
                continue 'look;
            }
            let again = rated(books, kept.body, at).await?;
            match books.session.write(vec![changed_usage(&again, kept.revision)]).await {
                Ok(()) => {}
                Err(Error::Conflict { .. }) => continue 'look,
                Err(error) => return Err(error.into()),
            }
        }
    }
    let message = format!("its usage was changed each of {LOOKS_MAX} times: run again");
    Err(Refusal::conflict("usage", message))
}

/// The cycles of the accounts that pay for the usage of a product.
struct Cycles {
    usual: Cycle,
    zone: Zone,
    others: BTreeMap<String, Cycle>,
}

impl Cycles {
    fn new(books: &Books<'_>, account: Option<&str>) -> Result<Self, Refusal> {
        let usual = account.map_or(Ok(Cycle::default()), |id| cycle_of(books, id))?;
        Ok(Self { usual, zone: books.settings.zone, others: BTreeMap::new() })
    }

    fn with(mut self, books: &Books<'_>, used: &[Rated]) -> Result<Self, Refusal> {
        for account in used.iter().filter_map(|one| one.account.as_deref()) {
            if !self.others.contains_key(account) {
                self.others.insert(account.to_owned(), cycle_of(books, account)?);
            }
        }
        Ok(self)
    }

    /// The time between two bills that a usage is in.
    fn period_of(&self, rated: &Rated) -> Days {
        let account = rated.account.as_deref();
        let cycle = account.and_then(|id| self.others.get(id)).unwrap_or(&self.usual);
        cycle.around(self.zone.day_of(rated.at))
    }
}

/// Rates usage that came in while there was no rater. Returns the errors of malformed usage, which
/// delays nothing else.
pub(super) async fn waiting(
    books: &Books<'_>,
    at: Timestamp,
) -> Result<Vec<(Option<String>, Refusal)>, Refusal> {
    let mut failed = Vec::new();
    for state in [State::Received, State::Recycled] {
        for kept in books.session.documents_by("usage", "status", state.as_str(), DOCUMENTS_MAX)? {
            match rate_waiting(books, &kept, state, at).await {
                Ok(()) => {}
                Err(Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) => failed.push((None, refusal)),
            }
        }
    }
    Ok(failed)
}

async fn rate_waiting(
    books: &Books<'_>,
    kept: &Document,
    state: State,
    at: Timestamp,
) -> Result<(), Refusal> {
    let usage: Usage = read("usage", kept)?;
    // It was found by the state that it had: another run may have billed it since.
    if usage.state() != state {
        return Ok(());
    }
    let now = rated(books, usage.clone(), at).await?;
    if now == usage {
        return Ok(());
    }
    match books.session.write(vec![changed_usage(&now, kept.revision)]).await {
        // It was changed meanwhile, and is read again when it is billed.
        Ok(()) | Err(Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn used(books: &Books<'_>, product: &str) -> Result<Vec<Rated>, Refusal> {
    let mut used = Vec::new();
    for usage in usages_of(books, product)? {
        let rated = Rated::read(&usage.body);
        used.extend(rated.map_err(|wrong| refused("usage", &usage.body.id, wrong))?);
    }
    Ok(used)
}

/// The products that a usage may belong to: the one that it names, those of its parties, and those
/// with a value of it as their serial number.
fn candidates(books: &Books<'_>, usage: &Usage) -> Result<Vec<History>, Refusal> {
    let mut found: BTreeMap<String, Document> = BTreeMap::new();
    let mut add = |documents: Vec<Document>| {
        let named = documents.into_iter().map(|document| (id_of(&document).to_owned(), document));
        found.extend(named);
    };
    let lines = usage.rated_product_usage.iter();
    for id in lines.filter_map(|line| line.product_ref.as_ref()?.id.as_deref()) {
        add(books.session.document("product", id)?.into_iter().collect());
    }
    for id in usage.related_party.iter().filter_map(|party| party.id.as_deref()) {
        add(books.session.documents_by("product", "relatedParty.id", id, CANDIDATES_MAX)?);
    }
    let value = |one: &'_ Characteristic| one.value.as_ref()?.as_str().map(str::to_owned);
    for value in usage.usage_characteristic.iter().filter_map(value) {
        add(books.session.documents_by(
            "product",
            "productSerialNumber",
            &value,
            CANDIDATES_MAX,
        )?);
    }
    let history = |(id, product): (&String, &Document)| {
        let product: Stored<Product> = Stored::read("product", product)?;
        Ok(History::of(versions_of(books, "product", id, product)?))
    };
    found.iter().map(history).collect()
}

/// The tariffs of the prices of the catalog that some products have or had, by id.
fn catalog(
    books: &Books<'_>,
    products: &[History],
) -> Result<BTreeMap<String, Versions<OfferedTariff>>, Refusal> {
    let mut catalog = BTreeMap::new();
    for id in products.iter().flat_map(History::versions).flat_map(offered_prices) {
        if catalog.contains_key(id) {
            continue;
        }
        if let Some(price) = Stored::find(books, "productOfferingPrice", id)? {
            catalog.insert(id.to_owned(), versions_of(books, "productOfferingPrice", id, price)?);
        }
    }
    Ok(catalog)
}

/// Asks the rater of a tariff.
async fn ask(
    books: &Books<'_>,
    guided: &Guided,
    input: &RatingInput<'_>,
    at: Timestamp,
) -> Result<Answer, Refusal> {
    let plugin = PluginId::new(guided.tariff.rater.as_deref().unwrap_or(RATER));
    let Some(resolved) = books.host.resolve(&plugin) else {
        tracing::warn!(%plugin, usage = guided.usage, "no such rater is active");
        return Ok(Answer::Later);
    };
    let call = Call {
        fulfilment: FulfilmentId::new(format!("usage-{}", guided.usage)),
        task: TaskId(0),
        name: "rate".into(),
        attempt: 1,
        idempotency_key: format!("usage:{}", guided.usage),
        // A rater does not wait.
        callback: String::new(),
        operation: Operation::Run,
        plugin,
        digest: resolved.digest,
        spec: guided.tariff.specification.clone(),
        action: "add".into(),
        characteristics: tmf::document::Characteristics::new(),
        replaces: None,
        input: write(input).as_object_mut().map(std::mem::take).unwrap_or_default(),
        timeout_ms: RATING_MS_MAX,
        at,
        trace: None,
    };
    match books.host.run(call).await.outcome {
        Outcome::Done(outputs) => {
            let charges = document::read::<RaterCharges>(&Value::Object(outputs));
            let rating = charges.and_then(Rating::of);
            let wrong = |wrong: Malformed| refused("usage", &guided.usage, wrong);
            Ok(Answer::Rated(rating.map_err(wrong)?))
        }
        Outcome::Failed(failure) => {
            tracing::warn!(usage = guided.usage, failure.code = %failure.code, failure.message, "was not rated");
            match failure.class {
                FailureClass::Retry => Ok(Answer::Later),
                FailureClass::Reject | FailureClass::Operator => {
                    let (usage, cause) = (guided.usage.clone(), failure.message);
                    Ok(Answer::Rejected(Rejection::NotRated { usage, cause }))
                }
            }
        }
        Outcome::Waiting(_) => Ok(Answer::Later),
    }
}
