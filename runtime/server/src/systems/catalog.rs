//! The catalogs: a change is held against the rules of the packs before it is written, and counts
//! for the next order once it is. What cannot be delivered cannot be launched.

use engine::store::Error;
use model::Rulebook;
use model::catalog::{Lifecycle, PriceError, RESOURCES};
use model::cpq::deliverable;
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

/// Refuses a change with which orders could not be decomposed, and the launch of what cannot be
/// delivered. Drafts are nobody's business yet.
pub(super) fn settle(app: &App, draft: &Draft) -> Result<(), Refusal> {
    let key = draft.resource.key;
    if !is_catalog(key) {
        return Ok(());
    }
    if let Some(after) = &draft.after {
        let wrong = |message: String| Refusal::unprocessable("regex", message);
        model::catalog::check_patterns(after).map_err(wrong)?;
    }
    let before = draft.before.as_ref().map(|before| &before.body);
    let counts = |body: Option<&Value>| body.is_some_and(|body| !is_draft(body));
    if !counts(before) && !counts(draft.after.as_ref()) {
        return Ok(());
    }
    if let ("productOfferingPrice", Some(after)) = (key, &draft.after) {
        let wrong = |wrong: PriceError| Refusal::unprocessable(wrong.attribute, wrong.message);
        model::catalog::check_price(after).map_err(wrong)?;
    }
    let mut all = documents(app)?;
    all.retain(|(own, document)| *own != key || id_of(document) != Some(draft.id.as_str()));
    all.extend(draft.after.clone().map(|after| (key, after)));
    let trial = rulebook(app, &all).map_err(|reasons| match &draft.after {
        Some(_) => Refusal::unprocessable("lifecycleStatus", reasons),
        None => Refusal::conflict("id", reasons),
    })?;
    let Some(after) =
        draft.after.as_ref().filter(|after| key == "productOffering" && is_on_sale(after))
    else {
        return Ok(());
    };
    if before == Some(after) {
        return Ok(());
    }
    let reasons = deliverable(&trial, &SpecId::new(&draft.id), draft.at);
    if reasons.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let message = format!("it cannot be launched: {}", reasons.join("; "));
    Err(Refusal::unprocessable("lifecycleStatus", message))
}

/// Takes the catalogs into use as they stand in the store.
pub(crate) fn refresh(app: &App) -> Result<(), Error> {
    match rulebook(app, &documents(app)?) {
        Ok(rulebook) => app.use_rulebook(rulebook),
        // Changes are looked at before they are written, so packs have changed beneath them.
        Err(reasons) => {
            tracing::warn!(reasons, "the catalogs of the store do not go with the packs");
        }
    }
    Ok(())
}

/// Takes a change of a resource into use, where it is one of the catalogs.
pub(super) fn changed(app: &App, key: &str) -> Result<(), Error> {
    if is_catalog(key) { refresh(app) } else { Ok(()) }
}

fn rulebook(app: &App, documents: &[(&'static str, Value)]) -> Result<Rulebook, String> {
    let documents = documents.iter().map(|(key, document)| (*key, document));
    app.rulebook()
        .with_documents(documents)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// All documents of the catalogs. A price that was written before it was checked, and cannot be
/// billed, is left out: nothing is sold at it.
fn documents(app: &App) -> Result<Vec<(&'static str, Value)>, Error> {
    let mut all = Vec::new();
    for (key, _) in RESOURCES {
        app.each_document(key, |document| {
            if key == "productOfferingPrice"
                && !is_draft(&document.body)
                && let Err(wrong) = model::catalog::check_price(&document.body)
            {
                let id = id_of(&document.body);
                tracing::warn!(id, %wrong, "a price of the catalog cannot be billed");
                return Ok::<_, Error>(());
            }
            all.push((key, document.body));
            Ok::<_, Error>(())
        })?;
    }
    Ok(all)
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
