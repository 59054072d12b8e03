//! Usage that comes in: its product is found, a rater says what it costs, and it is kept with that.

use std::collections::BTreeMap;

use engine::store::documents::{Change, Expected};
use engine::store::{Document, Error, Put};
use engine::worker::{Call, Manner, Worker as _};
use model::billing::cycle::Cycle;
use model::billing::terms::Terms;
use model::billing::timeline::Timeline;
use model::billing::usage::{
    self, Candidate, Guided, Rated, Rating, State, guide, out_of_order, used_before,
};
use model::{FulfilmentId, Outcome, PluginId, TaskId, Timestamp};
use serde_json::{Map, Value, json};

use super::{DOCUMENTS_MAX, refused, timeline};
use crate::app::App;
use crate::systems::{Draft, Refusal};

/// The rater of tariffs that name none.
const RATER: &str = "tariff-rater";

/// A rater may take so long, in milliseconds.
const RATING_MS_MAX: u64 = 10_000;

/// Max times the usage of a product is looked at while others change it.
const LOOKS_MAX: usize = 16;

/// A usage may belong to one of so many products of its party.
const CANDIDATES_MAX: usize = 1_000;

/// Rates usage that is new, or is to be tried again.
pub(super) async fn settle(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    let Some(after) = draft.after.as_mut() else { return Ok(()) };
    let state = State::of(after).map_err(|wrong| refused("usage", &draft.id, &wrong))?;
    let before = draft.before.as_ref().map(|before| State::of(&before.body));
    match (before, state) {
        (None, State::Received) | (Some(_), State::Recycled) => {}
        (Some(Ok(State::Rated)), State::Rerated) => {
            after["status"] = json!(State::Rated.as_str());
        }
        _ => return Ok(()),
    }
    *after = rated(app, after, draft.at).await?;
    Ok(())
}

/// A usage as it is when it was rated: rated, rejected, or as it was where no rater is at hand.
async fn rated(app: &App, usage: &Value, at: Timestamp) -> Result<Value, Refusal> {
    let id = usage.get("id").and_then(Value::as_str).unwrap_or_default();
    let illegal = |wrong: usage::IllegalStep| Refusal::conflict("status", wrong.to_string());
    let candidates = candidates(app, usage)?;
    let views: Vec<_> = candidates
        .iter()
        .map(|(product, timeline)| Candidate { product: &product.body, timeline })
        .collect();
    let guided = match guide(usage, &views, &catalog(app, &candidates)?) {
        Ok(guided) => guided,
        Err(rejection) => return usage::rejected(usage, &rejection).map_err(illegal),
    };
    let product = candidates.iter().find(|(one, _)| one.body["id"] == json!(guided.product));
    let cycle = product.map_or(Ok(Cycle::default()), |(one, _)| cycle_of(app, &one.body))?;
    let others = used(app, &guided.product)?;
    let used = used_before(&guided, &others, cycle.around(guided.zone.day_of(guided.at)));
    let product = product.map_or(&Value::Null, |(one, _)| &one.body);
    let taxes = Terms::of_product(product, &app.rulebook(), cycle).taxes_on(&guided.price);
    let tax = taxes.iter().map(|tax| tax.rate).sum();
    let Some(outputs) = ask(app, &guided, &guided.rating_input(used, tax), at).await else {
        return Ok(usage.clone());
    };
    let rating = Rating::read(&outputs).map_err(|wrong| refused("usage", id, &wrong))?;
    usage::rated(usage, &guided, &rating, used, tax, at).map_err(illegal)
}

/// Brings the usage of a product up to date before it is billed: what waits is rated, and what
/// was rated in another order than it counts is rated again.
pub(super) async fn settled(
    app: &App,
    product: &str,
    cycle: Cycle,
    at: Timestamp,
) -> Result<(), Refusal> {
    'look: for _ in 0..LOOKS_MAX {
        for id in out_of_order(&used(app, product)?, cycle, app.commerce.zone) {
            let Some(kept) = app.document("usage", &id)? else { continue 'look };
            // Another run billed it since it was looked at: what is out of order is another now.
            if is_billed(&kept) {
                continue 'look;
            }
            let again = rated(app, &kept.body, at).await?;
            match app.write(vec![changed(&id, again, kept.revision)]).await {
                Ok(()) => {}
                Err(Error::Conflict { .. }) => continue 'look,
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(());
    }
    let message = format!("its usage was changed each of {LOOKS_MAX} times: run again");
    Err(Refusal::conflict("usage", message))
}

fn is_billed(usage: &Document) -> bool {
    State::of(&usage.body).is_ok_and(|state| state == State::Billed)
}

/// Rates what came in while no rater was at hand.
pub(super) async fn waiting(app: &App, at: Timestamp) -> Result<(), Refusal> {
    for state in [State::Received, State::Recycled] {
        for kept in app.documents_by("usage", "status", state.as_str(), DOCUMENTS_MAX)? {
            let id = kept.body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            // It was found by the state that it had: another run may have billed it since.
            let still = State::of(&kept.body).map_err(|wrong| refused("usage", &id, &wrong))?;
            if still != state {
                continue;
            }
            let now = rated(app, &kept.body, at).await?;
            if now == kept.body {
                continue;
            }
            match app.write(vec![changed(&id, now, kept.revision)]).await {
                // Somebody else changed it, and what it is now is looked at when it is billed.
                Ok(()) | Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// A usage that is another now, if nobody changed it meanwhile.
pub(super) fn changed(id: &str, body: Value, revision: u64) -> Put {
    Put::new("usage", id, Change::Set(body), Expected::Revision(revision))
}

/// The usage of a product, as it is kept.
pub(super) fn documents(app: &App, product: &str) -> Result<Vec<Document>, Refusal> {
    let path = "ratedProductUsage.productRef.id";
    Ok(app.documents_by("usage", path, product, DOCUMENTS_MAX)?)
}

fn used(app: &App, product: &str) -> Result<Vec<Rated>, Refusal> {
    let mut used = Vec::new();
    for usage in documents(app, product)? {
        let rated = Rated::read(&usage.body);
        used.extend(rated.map_err(|wrong| refused("usage of product", product, &wrong))?);
    }
    Ok(used)
}

/// The cycle by which a product is billed.
fn cycle_of(app: &App, product: &Value) -> Result<Cycle, Refusal> {
    match product.pointer("/billingAccount/id").and_then(Value::as_str) {
        Some(account) => super::run::cycle_of(app, account),
        None => Ok(Cycle::default()),
    }
}

/// The products that a usage may belong to: the one that it names, those of its parties, and those
/// with a value of it as their serial number.
fn candidates(app: &App, usage: &Value) -> Result<Vec<(Document, Timeline)>, Refusal> {
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
            add(app.document("product", id)?.into_iter().collect());
        }
    }
    for party in list("relatedParty") {
        if let Some(id) = party.get("id").and_then(Value::as_str) {
            add(app.documents_by("product", "relatedParty.id", id, CANDIDATES_MAX)?);
        }
    }
    for one in list("usageCharacteristic") {
        if let Some(value) = one.get("value").and_then(Value::as_str) {
            add(app.documents_by("product", "productSerialNumber", value, CANDIDATES_MAX)?);
        }
    }
    let with_timeline = |product: Document| Ok((product.clone(), timeline(app, &product)?));
    found.into_values().map(with_timeline).collect()
}

/// The catalog's prices of some products, by id.
fn catalog(
    app: &App,
    products: &[(Document, Timeline)],
) -> Result<BTreeMap<String, Value>, Refusal> {
    let mut catalog = BTreeMap::new();
    for (product, _) in products {
        let prices = product.body.get("productPrice").and_then(Value::as_array);
        for price in prices.into_iter().flatten() {
            let id = price.pointer("/productOfferingPrice/id").and_then(Value::as_str);
            let Some(id) = id.filter(|_| price.get("tariff").is_none()) else { continue };
            if let Some(document) = app.document("productOfferingPrice", id)? {
                catalog.insert(id.to_owned(), document.body);
            }
        }
    }
    Ok(catalog)
}

/// What a rater says; nothing where there is none, or it failed, which the log says.
async fn ask(app: &App, guided: &Guided, input: &Value, at: Timestamp) -> Option<Value> {
    let plugin = PluginId::new(guided.tariff.rater.as_deref().unwrap_or(RATER));
    let Some(resolved) = app.host.resolve(&plugin) else {
        tracing::warn!(%plugin, usage = guided.usage, "no such rater is active");
        return None;
    };
    let call = Call {
        fulfilment: FulfilmentId::new(format!("usage-{}", guided.usage)),
        task: TaskId(0),
        name: "rate".into(),
        attempt: 1,
        idempotency_key: format!("usage:{}", guided.usage),
        // A rater does not wait.
        callback: String::new(),
        manner: Manner::Run,
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
    match app.host.run(call).await.outcome {
        Outcome::Done(outputs) => Some(Value::Object(outputs)),
        Outcome::Failed(failure) => {
            tracing::warn!(usage = guided.usage, failure.code, failure.message, "was not rated");
            None
        }
        Outcome::Waiting(_) => None,
    }
}
