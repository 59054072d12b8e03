//! The catalogs: a written document counts for the next order, if it is usable. An unusable one is kept
//! as it is and cannot be ordered; the operator's settings decide which of them are refused.

use commerce::cpq::{Reason, Standing, deliverable};
use engine::documents::Error;
use futures_util::future::BoxFuture;
use model::Rulebook;
use model::catalog::{Lifecycle, PriceError, RESOURCES, WrongPattern};
use model::id::SpecId;
use serde_json::Value;

use tmf::resource::Resource;
use tmf::time::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::{Draft, Policy, Refusal};
use crate::access::Reader;
use crate::documents::{Documents, Session};
use crate::rulebooks::Rulebooks;
use crate::settings::Strictness;

/// Stands for reasons that tell of documents which a client may not read.
const UNTOLD: &str = "catalogs that are not all yours to read say why";

/// The policy of the catalogs.
pub(crate) struct Catalog {
    pub(crate) rulebooks: Rulebooks,
    pub(crate) strictness: Strictness,
}

impl Policy for Catalog {
    fn governs(&self, resource: &Resource) -> bool {
        is_catalog(resource.key)
    }

    /// Refuses a change that makes an orderable entity unusable, and, if the operator wants it, the
    /// launch of an entity that cannot be delivered. A new entity breaks nothing: it is kept as it is.
    fn check(&self, session: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        self.check_document(draft)?;
        self.check_catalogs(session, draft)
    }

    fn written<'a>(&'a self, documents: &'a Documents) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.refreshed(documents))
    }
}

/// Whether a resource is of a catalog that orders are decomposed with.
pub(crate) fn is_catalog(key: &str) -> bool {
    RESOURCES.iter().any(|(known, _)| *known == key)
}

impl Catalog {
    /// Locks the catalogs, if a change of a resource must be checked and written alone.
    pub(crate) async fn turn(&self, key: &str) -> Option<OwnedMutexGuard<()>> {
        if is_catalog(key) { Some(self.rulebooks.turn().await) } else { None }
    }

    /// Takes the stored catalogs into use.
    pub(crate) async fn refreshed(&self, documents: &Documents) -> Result<(), Error> {
        let rulebooks = self.rulebooks.clone();
        documents.read(move |session| refresh(session, &rulebooks)).await
    }

    /// The reasons why a written document of the catalogs cannot be ordered, as a reader may know them.
    pub(crate) fn unusable(
        &self,
        reader: &Reader,
        (key, id): (&str, &str),
        at: Timestamp,
    ) -> Vec<String> {
        let Some((resource, _)) = RESOURCES.iter().find(|(known, _)| *known == key) else {
            return Vec::new();
        };
        let standing = Standing::of(&self.rulebooks.current(), resource, id, at);
        let Some(found) = standing.filter(|standing| !standing.is_ready) else {
            return Vec::new();
        };
        if !sees_catalogs(reader) {
            return vec![format!("cannot be ordered yet: {UNTOLD}")];
        }
        found.reasons.iter().map(|reason| format!("cannot be ordered yet: {reason}")).collect()
    }

    fn check_document(&self, draft: &Draft) -> Result<(), Refusal> {
        let Some(after) = draft.after.as_ref() else { return Ok(()) };
        if self.strictness.patterns.refuses() {
            let wrong = |wrong: WrongPattern| {
                let refusal = Refusal::unprocessable(wrong.path, wrong.message);
                refusal.by_setting("catalog", "patterns")
            };
            model::catalog::check_patterns(after).map_err(wrong)?;
        }
        let is_price = draft.resource.key == "productOfferingPrice";
        let is_draft = status(after).is_none_or(Lifecycle::is_draft);
        if is_price && !is_draft && self.strictness.offering_prices.refuses() {
            let wrong = |wrong: PriceError| {
                let refusal = Refusal::unprocessable(wrong.attribute, wrong.message);
                refusal.by_setting("catalog", "prices")
            };
            model::catalog::read_price(after).map_err(wrong)?;
        }
        Ok(())
    }

    fn check_catalogs(&self, session: &Session, draft: &Draft) -> Result<(), Refusal> {
        let strictness = &self.strictness;
        let now = self.rulebooks.current();
        let is_new = draft.before.is_none();
        // Another specification of the same id may be one that is ordered.
        if is_new && !now.catalog().specs.contains_key(&SpecId::new(&draft.id)) {
            return Ok(());
        }
        let is_launch = draft.after.as_ref().is_some_and(is_on_sale)
            && draft.before.as_ref().is_some_and(|before| !is_on_sale(&before.body));
        let is_launch =
            is_launch && draft.resource.key == "productOffering" && strictness.launch.refuses();
        if !is_launch && !strictness.changes.refuses() {
            return Ok(());
        }
        let trial = self.trial(session, draft)?;
        let is_told = sees_catalogs(&draft.reader);
        if strictness.changes.refuses() {
            keeps_usable(draft, is_told, &now, &trial)?;
        }
        let reasons = match is_launch {
            true => deliverable(&trial, &SpecId::new(&draft.id), draft.at),
            false => Vec::new(),
        };
        if reasons.is_empty() {
            return Ok(());
        }
        let reasons = if is_told { joined(&reasons) } else { UNTOLD.into() };
        let message = format!("it cannot be launched: {reasons}");
        let refusal = Refusal::unprocessable("lifecycleStatus", message);
        Err(refusal.by_setting("catalog", "launch"))
    }

    /// The rules and catalogs as they would be after a change.
    fn trial(&self, session: &Session, draft: &Draft) -> Result<Rulebook, Error> {
        let key = draft.resource.key;
        let all = documents(session)?;
        let others = all
            .iter()
            .map(|(own, document)| (*own, document))
            .filter(|(own, document)| *own != key || id_of(document) != Some(draft.id.as_str()));
        let documents = others.chain(draft.after.as_ref().map(|after| (key, after)));
        Ok(self.rulebooks.current().with_documents(documents))
    }
}

fn refresh(session: &Session, rulebooks: &Rulebooks) -> Result<(), Error> {
    let documents = documents(session)?;
    let documents = documents.iter().map(|(key, document)| (*key, document));
    let rulebook = rulebooks.current().with_documents(documents);
    // Packs may have changed without their catalogs.
    for error in rulebook.without_specs() {
        tracing::warn!(%error, "a rule names a specification that no catalog has ready");
    }
    rulebooks.replace(rulebook);
    Ok(())
}

/// Refuses a change that makes an orderable entity unusable, or breaks a rule.
fn keeps_usable(
    draft: &Draft,
    is_told: bool,
    now: &Rulebook,
    then: &Rulebook,
) -> Result<(), Refusal> {
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
    let reasons = if is_told { reasons.join("; ") } else { UNTOLD.into() };
    let refusal = match (&draft.before, &draft.after) {
        (Some(before), Some(after)) => {
            Refusal::unprocessable(first_change(&before.body, after), reasons)
        }
        (None, Some(_)) => Refusal::unprocessable("id", reasons),
        (_, None) => Refusal::conflict("id", reasons),
    };
    Err(refusal.by_setting("catalog", "changes"))
}

/// The first changed attribute.
fn first_change(before: &Value, after: &Value) -> String {
    let names = [before, after].map(|document| document.as_object());
    let mut names = names.into_iter().flatten().flat_map(serde_json::Map::keys);
    let changed = names.find(|name| before.get(*name) != after.get(*name) && *name != "lastUpdate");
    changed.cloned().unwrap_or_else(|| "id".into())
}

/// All documents of the catalogs.
fn documents(session: &Session) -> Result<Vec<(&'static str, Value)>, Error> {
    let mut all = Vec::new();
    for (key, _) in RESOURCES {
        session.each_document(key, |document| {
            all.push((key, document.body));
            Ok::<_, Error>(())
        })?;
    }
    Ok(all)
}

fn joined(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Whether no reason tells a reader of a document that is hidden from it.
fn sees_catalogs(reader: &Reader) -> bool {
    reader.sees_all(&RESOURCES.map(|(key, _)| key))
}

fn id_of(document: &Value) -> Option<&str> {
    document.get("id").and_then(Value::as_str)
}

fn status(document: &Value) -> Option<Lifecycle> {
    Lifecycle::parse(document.get("lifecycleStatus").and_then(Value::as_str)?)
}

fn is_on_sale(document: &Value) -> bool {
    status(document).is_some_and(Lifecycle::is_on_sale)
}
