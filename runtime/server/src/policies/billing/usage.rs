//! Usage that comes in: its product is found, a rater computes its cost, and it is stored with that.

use engine::documents::{Change, Document, Error, Expected, Put};
use std::collections::BTreeMap;

use commerce::billing::cycle::Cycle;
use commerce::billing::terms::Terms;
use commerce::billing::usage::{
    self, Candidate, Guided, History, Rated, Rating, Refused, Rejection, State, Versions, guide,
    stale, used_before,
};
use engine::worker::{Call, Operation, Worker as _};
use model::pricing::tariff;
use model::{FailureClass, FulfilmentId, Outcome, PluginId, TaskId};
use serde_json::{Map, Value, json};
use tmf::day::Days;
use tmf::field::Malformed;
use tmf::time::Timestamp;
use tmf::zone::Zone;

use super::{Books, DOCUMENTS_MAX, refused};
use crate::policies::{Draft, Refusal};

/// The rater of tariffs that name none.
const RATER: &str = "tariff-rater";

/// The timeout of a rater, in milliseconds.
const RATING_MS_MAX: u64 = 10_000;

/// Max times the usage of a product is looked at while others change it.
const LOOKS_MAX: usize = 16;

/// Max products of a party that a usage may belong to.
const CANDIDATES_MAX: usize = 1_000;

/// What a rater answers.
enum Answer {
    /// What the usage costs.
    Rated(Value),
    /// Why it cannot be rated.
    Refused(Rejection),
    /// There is no rater, or it failed for now, which is logged.
    Later,
}

/// Rates usage that is new, was corrected, or is to be tried again.
pub(super) async fn settle(books: &Books<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let before = draft.before.as_ref().map(|before| &before.body);
    let usage = match (before, &draft.after) {
        (None, Some(after)) => {
            usage::check_new(after, draft.at).map_err(invalid)?;
            after.clone()
        }
        (Some(before), Some(after)) => {
            match usage::follow(before, after, draft.at).map_err(not_changed)? {
                usage::Change::Rate(usage) => usage,
                usage::Change::Nothing => return Ok(()),
            }
        }
        (Some(before), None) => return usage::check_removal(before).map_err(not_changed),
        (None, None) => return Ok(()),
    };
    draft.after = Some(rated(books, &usage, draft.at).await?);
    Ok(())
}

/// Whether the tariffs of a product's prices, or of a price of the catalog, can be rated. What was
/// stored before stays until it is changed.
pub(super) fn check_tariffs(books: &Books<'_>, draft: &Draft) -> Result<(), Refusal> {
    let Some(after) = &draft.after else { return Ok(()) };
    let before = draft.before.as_ref().map(|before| &before.body);
    let is_same = |name: &str| before.is_some_and(|before| before.get(name) == after.get(name));
    if draft.resource.key == "productOfferingPrice" {
        if is_same("tariff") && is_same("priceType") {
            return Ok(());
        }
        return tariff::check_price(after).map_err(invalid);
    }
    if is_same("productPrice") {
        return Ok(());
    }
    let mut offered = BTreeMap::new();
    for price in after.get("productPrice").and_then(Value::as_array).into_iter().flatten() {
        let Some(id) = price.pointer("/productOfferingPrice/id").and_then(Value::as_str) else {
            continue;
        };
        if let Some(document) = books.session.document("productOfferingPrice", id)? {
            offered.insert(id, document.body);
        }
    }
    tariff::check_prices(after, |id| offered.get(id)).map_err(invalid)
}

fn invalid(wrong: Malformed) -> Refusal {
    let message = wrong.to_string();
    Refusal::unprocessable(wrong.attribute, message)
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

/// A usage with what came of rating it: rated, rejected, or waiting for a rater.
async fn rated(books: &Books<'_>, usage: &Value, at: Timestamp) -> Result<Value, Refusal> {
    let id = usage.get("id").and_then(Value::as_str).unwrap_or_default();
    let candidates = candidates(books, usage)?;
    let views: Vec<_> = candidates
        .iter()
        .map(|(product, history)| Candidate { product: &product.body, history })
        .collect();
    let guided = match guide(usage, &views, &catalog(books, &candidates)?, books.settings.zone) {
        Ok(guided) => guided,
        Err(rejection) => return Ok(usage::rejected(usage, &rejection)?),
    };
    let others = used(books, &guided.product)?;
    let cycles = Cycles::new(books, guided.account.as_deref())?.with(books, &others)?;
    let period = cycles.usual.around(guided.zone.day_of(guided.at));
    let used = used_before(&guided, &others, period, |one| cycles.period_of(one));
    let product = candidates.iter().find(|(one, _)| one.body["id"] == json!(guided.product));
    let then = product.map_or(&Value::Null, |(_, history)| history.at(guided.at));
    let taxes =
        Terms::of_product(then, &books.rulebooks.current(), cycles.usual).taxes_on(&guided.price);
    let percent = taxes.iter().map(|tax| tax.rate).sum();
    let outputs = match ask(books, &guided, &guided.rating_input(used, percent), at).await {
        Answer::Rated(outputs) => outputs,
        Answer::Refused(rejection) => {
            return Ok(usage::rejected(usage, &rejection)?);
        }
        Answer::Later => return Ok(usage::reopened(usage)?),
    };
    let rating = Rating::read(&outputs).map_err(|wrong| refused("usage", id, &wrong))?;
    Ok(usage::rated(usage, &guided, &rating, used, &taxes, at)?)
}

/// Brings the usage of a product up to date before it is billed: what was rated in another order
/// than it counts, or before the product became what it is, is rated again.
pub(super) async fn settled(
    books: &Books<'_>,
    product: &str,
    at: Timestamp,
) -> Result<(), Refusal> {
    'look: for _ in 0..LOOKS_MAX {
        let document = books.session.document("product", product)?;
        let since = document.as_ref().map_or(Timestamp(0), |document| document.since);
        let account = document.as_ref().and_then(|document| account_of(&document.body));
        let used = used(books, product)?;
        let cycles = Cycles::new(books, account)?.with(books, &used)?;
        // Later than what it is rated by, so that it is not rated again for that.
        let at = at.max(since.plus_ms(1));
        let stale = stale(&used, |one| cycles.period_of(one), since, at);
        if stale.is_empty() {
            return Ok(());
        }
        for id in stale {
            let Some(kept) = books.session.document("usage", &id)? else { continue 'look };
            // Another run billed it since it was looked at: the order may have changed.
            if is_billed(&kept) {
                continue 'look;
            }
            let again = rated(books, &kept.body, at).await?;
            match books.session.write(vec![changed(&id, again, kept.revision)]).await {
                Ok(()) => {}
                Err(Error::Conflict { .. }) => continue 'look,
                Err(error) => return Err(error.into()),
            }
        }
    }
    let message = format!("its usage was changed each of {LOOKS_MAX} times: run again");
    Err(Refusal::conflict("usage", message))
}

/// The cycles of those who pay for the usage of a product.
struct Cycles {
    usual: Cycle,
    zone: Zone,
    others: BTreeMap<String, Cycle>,
}

impl Cycles {
    fn new(books: &Books<'_>, account: Option<&str>) -> Result<Self, Refusal> {
        let usual = account.map_or(Ok(Cycle::default()), |id| super::run::cycle_of(books, id))?;
        Ok(Self { usual, zone: books.settings.zone, others: BTreeMap::new() })
    }

    fn with(mut self, books: &Books<'_>, used: &[Rated]) -> Result<Self, Refusal> {
        for account in used.iter().filter_map(|one| one.account.as_deref()) {
            if !self.others.contains_key(account) {
                self.others.insert(account.to_owned(), super::run::cycle_of(books, account)?);
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

fn account_of(product: &Value) -> Option<&str> {
    product.pointer("/billingAccount/id").and_then(Value::as_str)
}

fn is_billed(usage: &Document) -> bool {
    usage::status_of(&usage.body).is_ok_and(|state| state == State::Billed)
}

/// Rates usage that came in while there was no rater. Returns what cannot be read, which delays nothing
/// else.
pub(super) async fn waiting(
    books: &Books<'_>,
    at: Timestamp,
) -> Result<Vec<(Option<String>, Refusal)>, Refusal> {
    let mut failed = Vec::new();
    for state in [State::Received, State::Recycled] {
        for kept in books.session.documents_by("usage", "status", state.as_str(), DOCUMENTS_MAX)? {
            let id = kept.body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            // It was found by the state that it had: another run may have billed it since.
            if usage::status_of(&kept.body) != Ok(state) {
                continue;
            }
            let now = match rated(books, &kept.body, at).await {
                Ok(now) if now == kept.body => continue,
                Ok(now) => now,
                Err(Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) => {
                    failed.push((None, refusal));
                    continue;
                }
            };
            match books.session.write(vec![changed(&id, now, kept.revision)]).await {
                // It was changed meanwhile, and is read again when it is billed.
                Ok(()) | Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(failed)
}

/// Writes a usage unless it was changed meanwhile.
pub(super) fn changed(id: &str, body: Value, revision: u64) -> Put {
    Put::new("usage", id, Change::Set(body), Expected::Revision(revision))
}

/// The usage of a product, as it is kept.
pub(super) fn documents(books: &Books<'_>, product: &str) -> Result<Vec<Document>, Refusal> {
    let path = "ratedProductUsage.productRef.id";
    Ok(books.session.documents_by("usage", path, product, DOCUMENTS_MAX)?)
}

fn used(books: &Books<'_>, product: &str) -> Result<Vec<Rated>, Refusal> {
    let mut used = Vec::new();
    for usage in documents(books, product)? {
        let id = usage.body.get("id").and_then(Value::as_str).unwrap_or_default();
        let rated = Rated::read(&usage.body);
        used.extend(rated.map_err(|wrong| refused("usage", id, &wrong))?);
    }
    Ok(used)
}

/// The products that a usage may belong to: the one that it names, those of its parties, and those
/// with a value of it as their serial number.
fn candidates(books: &Books<'_>, usage: &Value) -> Result<Vec<(Document, History)>, Refusal> {
    let mut found: BTreeMap<String, Document> = BTreeMap::new();
    let mut add = |documents: Vec<Document>| {
        for document in documents {
            if let Some(id) = document.body.get("id").and_then(Value::as_str) {
                found.insert(id.to_owned(), document.clone());
            }
        }
    };
    let list = |name: &str| usage.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for rated in list("ratedProductUsage") {
        if let Some(id) = rated.pointer("/productRef/id").and_then(Value::as_str) {
            add(books.session.document("product", id)?.into_iter().collect());
        }
    }
    for party in list("relatedParty") {
        if let Some(id) = party.get("id").and_then(Value::as_str) {
            add(books.session.documents_by("product", "relatedParty.id", id, CANDIDATES_MAX)?);
        }
    }
    for one in list("usageCharacteristic") {
        if let Some(value) = one.get("value").and_then(Value::as_str) {
            add(books.session.documents_by(
                "product",
                "productSerialNumber",
                value,
                CANDIDATES_MAX,
            )?);
        }
    }
    let mut with_history = Vec::with_capacity(found.len());
    for (id, product) in found {
        let history = History::of(&product.body, kept_versions(books, "product", &id, &product)?);
        let history = history.map_err(|wrong| refused("product", &id, &wrong))?;
        with_history.push((product, history));
    }
    Ok(with_history)
}

/// All versions of a document, the present one among them, with the time since which each was so.
fn kept_versions(
    books: &Books<'_>,
    resource: &str,
    id: &str,
    document: &Document,
) -> Result<Vec<(Timestamp, Value)>, Refusal> {
    let earlier = books.session.versions(resource, id, DOCUMENTS_MAX)?;
    let mut all: Vec<_> =
        earlier.into_iter().map(|version| (version.since, version.body)).collect();
    all.push((document.since, document.body.clone()));
    Ok(all)
}

/// The prices of the catalog that some products have or had, by id.
fn catalog(
    books: &Books<'_>,
    products: &[(Document, History)],
) -> Result<BTreeMap<String, Versions>, Refusal> {
    let mut catalog = BTreeMap::new();
    let versions = products.iter().flat_map(|(_, history)| history.versions());
    let prices = versions.filter_map(|version| version.get("productPrice")?.as_array()).flatten();
    for price in prices {
        let id = price.pointer("/productOfferingPrice/id").and_then(Value::as_str);
        let Some(id) = id.filter(|id| !catalog.contains_key(*id)) else { continue };
        if let Some(document) = books.session.document("productOfferingPrice", id)? {
            let all = kept_versions(books, "productOfferingPrice", id, &document)?;
            catalog.insert(id.to_owned(), Versions::new(all));
        }
    }
    Ok(catalog)
}

/// Asks the rater of a tariff.
async fn ask(books: &Books<'_>, guided: &Guided, input: &Value, at: Timestamp) -> Answer {
    let plugin = PluginId::new(guided.tariff.rater.as_deref().unwrap_or(RATER));
    let Some(resolved) = books.host.resolve(&plugin) else {
        tracing::warn!(%plugin, usage = guided.usage, "no such rater is active");
        return Answer::Later;
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
        characteristics: Map::new(),
        replaces: None,
        input: input.as_object().cloned().unwrap_or_default(),
        timeout_ms: RATING_MS_MAX,
        at,
    };
    match books.host.run(call).await.outcome {
        Outcome::Done(outputs) => Answer::Rated(Value::Object(outputs)),
        Outcome::Failed(failure) => {
            tracing::warn!(usage = guided.usage, failure.code = %failure.code, failure.message, "was not rated");
            match failure.class {
                FailureClass::Retry => Answer::Later,
                FailureClass::Reject | FailureClass::Operator => {
                    Answer::Refused(Rejection::NotRated {
                        usage: guided.usage.clone(),
                        cause: failure.message,
                    })
                }
            }
        }
        Outcome::Waiting(_) => Answer::Later,
    }
}
