//! The catalogs: what is written counts for the next order, as far as it can be used. What cannot be
//! is kept as it is and not ordered; the operator's settings say what of it is refused.

use commerce::cpq::{Reason, Standing, deliverable};
use engine::documents::Error;
use model::Rulebook;
use model::catalog::{Lifecycle, PriceError, RESOURCES, WrongPattern};
use model::id::SpecId;
use serde_json::Value;

use super::{Draft, Refusal};
use crate::app::App;

/// Whether a resource is of a catalog that orders are decomposed with.
pub(crate) fn is_catalog(key: &str) -> bool {
    RESOURCES.iter().any(|(known, _)| *known == key)
}

/// Whether others must wait while a document of a resource is looked at and written.
pub(crate) async fn turn(app: &App, key: &str) -> Option<tokio::sync::OwnedMutexGuard<()>> {
    if is_catalog(key) { Some(app.catalogs().await) } else { None }
}

/// Refuses a change that takes away what can be ordered, and, where the operator wants it, the launch
/// of what cannot be delivered. What is new takes nothing away: it is kept as it is.
pub(super) fn settle(app: &App, draft: &Draft) -> Result<(), Refusal> {
    let (key, strictness) = (draft.resource.key, app.commerce.strictness);
    if !is_catalog(key) {
        return Ok(());
    }
    let after = draft.after.as_ref();
    if let Some(after) = after.filter(|_| strictness.patterns.refuses()) {
        let wrong = |wrong: WrongPattern| {
            let refusal = Refusal::unprocessable(wrong.path, wrong.message);
            refusal.by_setting("catalog", "patterns")
        };
        model::catalog::check_patterns(after).map_err(wrong)?;
    }
    if let Some(after) = after.filter(|after| key == "productOfferingPrice" && !is_draft(after))
        && strictness.offering_prices.refuses()
    {
        let wrong = |wrong: PriceError| {
            let refusal = Refusal::unprocessable(wrong.attribute, wrong.message);
            refusal.by_setting("catalog", "prices")
        };
        model::catalog::read_price(after).map_err(wrong)?;
    }
    let now = app.rulebook();
    let is_new = draft.before.is_none();
    // Another specification of the same id may be one that is ordered.
    if is_new && !now.catalog().specs.contains_key(&SpecId::new(&draft.id)) {
        return Ok(());
    }
    let is_launch = after.is_some_and(is_on_sale)
        && draft.before.as_ref().is_some_and(|before| !is_on_sale(&before.body));
    let is_launch = is_launch && key == "productOffering" && strictness.launch.refuses();
    if !is_launch && !strictness.changes.refuses() {
        return Ok(());
    }
    let trial = trial(app, draft)?;
    if strictness.changes.refuses() {
        keeps_usable(draft, &now, &trial)?;
    }
    let reasons = match is_launch {
        true => deliverable(&trial, &SpecId::new(&draft.id), draft.at),
        false => Vec::new(),
    };
    if reasons.is_empty() {
        return Ok(());
    }
    let message = format!("it cannot be launched: {}", joined(&reasons));
    let refusal = Refusal::unprocessable("lifecycleStatus", message);
    Err(refusal.by_setting("catalog", "launch"))
}

/// The rules and catalogs as they would be after a change.
fn trial(app: &App, draft: &Draft) -> Result<Rulebook, Error> {
    let key = draft.resource.key;
    let mut all = documents(app)?;
    all.retain(|(own, document)| *own != key || id_of(document) != Some(draft.id.as_str()));
    all.extend(draft.after.clone().map(|after| (key, after)));
    Ok(rulebook(app, &all))
}

/// Refuses a change after which what can be ordered now cannot be, or a rule leads nowhere.
fn keeps_usable(draft: &Draft, now: &Rulebook, then: &Rulebook) -> Result<(), Refusal> {
    let unready = then.catalog().unready.iter();
    let lost = unready.filter(|((resource, id), _)| now.catalog().is_usable(resource, id));
    let mut reasons: Vec<String> = lost
        .map(|((resource, id), why)| format!("{resource} `{id}` could not be ordered: {why}"))
        .collect();
    let known = now.without_specs();
    let rules = then.without_specs().into_iter().filter(|error| !known.contains(error));
    reasons.extend(rules.map(|error| error.to_string()));
    if reasons.is_empty() {
        return Ok(());
    }
    let refusal = match (&draft.before, &draft.after) {
        (Some(before), Some(after)) => {
            Refusal::unprocessable(first_change(&before.body, after), reasons.join("; "))
        }
        (None, Some(_)) => Refusal::unprocessable("id", reasons.join("; ")),
        (_, None) => Refusal::conflict("id", reasons.join("; ")),
    };
    Err(refusal.by_setting("catalog", "changes"))
}

/// The first attribute that a change is about.
fn first_change(before: &Value, after: &Value) -> String {
    let names = [before, after].map(|document| document.as_object());
    let mut names = names.into_iter().flatten().flat_map(serde_json::Map::keys);
    let changed = names.find(|name| before.get(*name) != after.get(*name) && *name != "lastUpdate");
    changed.cloned().unwrap_or_else(|| "id".into())
}

/// Takes the catalogs into use as they stand in the store.
pub(crate) fn refresh(app: &App) -> Result<(), Error> {
    let rulebook = rulebook(app, &documents(app)?);
    // Packs may have changed beneath the catalogs.
    for error in rulebook.without_specs() {
        tracing::warn!(%error, "a rule leads to what no catalog has ready");
    }
    app.use_rulebook(rulebook);
    Ok(())
}

/// Takes a change of a resource into use, where it is one of the catalogs.
pub(super) fn changed(app: &App, key: &str) -> Result<(), Error> {
    if is_catalog(key) { refresh(app) } else { Ok(()) }
}

/// What its owner is told about a document of the catalogs that was written and cannot be ordered.
pub(crate) fn told(app: &App, key: &str, id: &str) -> Vec<String> {
    let Some((resource, _)) = RESOURCES.iter().find(|(known, _)| *known == key) else {
        return Vec::new();
    };
    let standing = Standing::of(&app.rulebook(), resource, id, app.now());
    let reasons = standing.filter(|standing| !standing.is_ready).map(|standing| standing.reasons);
    let reasons = reasons.into_iter().flatten();
    reasons.map(|reason| format!("cannot be ordered yet: {reason}")).collect()
}

fn rulebook(app: &App, documents: &[(&'static str, Value)]) -> Rulebook {
    let documents = documents.iter().map(|(key, document)| (*key, document));
    app.rulebook().with_documents(documents)
}

/// All documents of the catalogs.
fn documents(app: &App) -> Result<Vec<(&'static str, Value)>, Error> {
    let mut all = Vec::new();
    for (key, _) in RESOURCES {
        app.each_document(key, |document| {
            all.push((key, document.body));
            Ok::<_, Error>(())
        })?;
    }
    Ok(all)
}

fn joined(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn id_of(document: &Value) -> Option<&str> {
    document.get("id").and_then(Value::as_str)
}

fn status(document: &Value) -> Option<Lifecycle> {
    Lifecycle::parse(document.get("lifecycleStatus").and_then(Value::as_str)?)
}

fn is_draft(document: &Value) -> bool {
    status(document).is_none_or(Lifecycle::is_draft)
}

fn is_on_sale(document: &Value) -> bool {
    status(document).is_some_and(Lifecycle::is_on_sale)
}
