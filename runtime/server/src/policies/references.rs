//! References: a document must exist while another refers to it.

use serde_json::Value;
use tmf::resource::{Operation, Reference, Resource};
use tmf::table;
use tmf::table::of_key;
use tmf::uses::{STANDS_ON, USES, is_over};

use super::{Draft, Policy, Refusal};
use crate::documents::Session;
use crate::settings::{References as Check, by_setting};

/// The policy of references.
pub(crate) struct References {
    /// Which references must lead to a document of this server.
    pub(crate) check: Check,
}

impl Policy for References {
    fn governs(&self, _: &Resource) -> bool {
        true
    }

    fn check(&self, session: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        match &draft.after {
            Some(after) => {
                let mut references = draft.resource.references.iter();
                references.try_for_each(|reference| {
                    leads_somewhere(session, (reference, self.check), draft, after)
                })
            }
            None => is_free(session, draft),
        }
    }
}

/// Refuses a new reference that leads nowhere, unless the operator accepts references to other systems.
fn leads_somewhere(
    session: &Session,
    (reference, check): (&Reference, Check),
    draft: &Draft,
    after: &Value,
) -> Result<(), Refusal> {
    let known = draft.before.as_ref().map(|before| ids(&before.body, reference.path));
    let known = known.unwrap_or_default();
    for (position, named) in referring_in(after, reference.path) {
        let Some(id) = named.get("id").and_then(Value::as_str) else { continue };
        let is_free = !reference.is_acted_on
            && match check {
                Check::All => false,
                Check::Local => leads_elsewhere(named, &draft.base),
                Check::None => true,
            };
        if is_free || known.contains(&id) {
            continue;
        }
        let mut places = reference.to.iter();
        let found = places.try_fold(false, |found, key| {
            Ok::<_, engine::documents::Error>(found || session.document(key, id)?.is_some())
        })?;
        if !found {
            let message = format!("there is no {} `{id}` here", reference.to.join(" or "));
            let message = match (reference.is_acted_on, check) {
                (true, _) => message,
                (false, Check::Local) => {
                    let message = format!("{message}, and no absolute `href` leads elsewhere");
                    by_setting(message, "references", "check")
                }
                (false, Check::All | Check::None) => by_setting(message, "references", "check"),
            };
            return Err(Refusal::unprocessable(format!("{position}.id"), message));
        }
    }
    Ok(())
}

/// Whether a reference has an absolute href that leads to another system.
fn leads_elsewhere(reference: &Value, base: &str) -> bool {
    let href = reference.get("href").and_then(Value::as_str).unwrap_or_default();
    // With a scheme (RFC 3986, 3.1): a sample of the standard has `https:/host`.
    let scheme = href.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let is_absolute = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let own = href.strip_prefix(base).filter(|_| !base.is_empty());
    is_absolute && !own.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Refuses to remove a document that others refer to, or that is active and depends on active ones.
fn is_free(session: &Session, draft: &Draft) -> Result<(), Refusal> {
    let (resource, id) = (draft.resource, draft.id.as_str());
    let others = table::APIS.iter().flat_map(|api| api.resources);
    for other in others.filter(|other| other.operations.contains(&Operation::Get)) {
        for reference in other.references.iter().filter(|r| r.to.contains(&resource.key)) {
            if let Some(by) = referring(session, other, reference, id)? {
                return Err(in_use(other, &by, reference.path));
            }
        }
    }
    for found in USES.iter().filter(|found| found.of.contains(&resource.key)) {
        let by = session.first_by(found.by, &found.indexed(), id, |document| {
            id_of(&document.body) != Some(id) && found.keeps(&document.body, resource, id)
        })?;
        if let (Some(by), Some((_, other))) = (by, of_key(found.by)) {
            return Err(in_use(other, id_of(&by.body).unwrap_or_default(), found.path));
        }
    }
    match &draft.before {
        Some(before) => is_ended(session, draft, &before.body),
        None => Ok(()),
    }
}

/// The document that has to be changed before another one is removed.
fn in_use(by: &Resource, id: &str, path: &str) -> Refusal {
    let message = format!(
        "the {} `{id}` refers to it by `{path}`: end, remove or change that first",
        by.name
    );
    Refusal::conflict("id", message)
}

/// Refuses to remove a delivered instance before an order has terminated it: only an order releases its
/// network resources.
fn is_ended(session: &Session, draft: &Draft, document: &Value) -> Result<(), Refusal> {
    let state = draft.resource.state_of(document).unwrap_or_default();
    if is_over(draft.resource, state) {
        return Ok(());
    }
    for (_, path, key) in STANDS_ON.iter().filter(|(own, ..)| *own == draft.resource.key) {
        let Some((_, below)) = of_key(key) else { continue };
        for id in ids(document, path) {
            let found = session.readable(key, id)?;
            let lives = found.is_some_and(|found| {
                !is_over(below, below.state_of(&found.body).unwrap_or_default())
            });
            if lives {
                let message = format!(
                    "it is {state} and has the {} `{id}` by `{path}`: order its `delete`, or set \
                     its `{}` to what it is, first",
                    below.name,
                    draft.resource.lifecycle.map_or("state", |lifecycle| lifecycle.attribute),
                );
                return Err(Refusal::conflict("id", message));
            }
        }
    }
    Ok(())
}

/// The id of a document that has a reference to another.
fn referring(
    session: &Session,
    other: &Resource,
    reference: &Reference,
    id: &str,
) -> Result<Option<String>, Refusal> {
    let refers = |body: &Value| ids(body, reference.path).contains(&id);
    let path = format!("{}.id", reference.path);
    if other.indexes().any(|indexed| indexed == path) {
        let found = session.first_by(other.key, &path, id, |document| refers(&document.body))?;
        return Ok(found.and_then(|found| id_of(&found.body).map(str::to_string)));
    }
    let mut by = None;
    session.each_document::<Refusal>(other.key, |document| {
        if by.is_none() && refers(&document.body) {
            by = id_of(&document.body).map(str::to_string);
        }
        Ok(())
    })?;
    Ok(by)
}

fn id_of(document: &Value) -> Option<&str> {
    document.get("id")?.as_str()
}

/// The ids of the values at a path.
fn ids<'a>(document: &'a Value, path: &str) -> Vec<&'a str> {
    let found = referring_in(document, path).into_iter();
    found.filter_map(|(_, value)| value.get("id")?.as_str()).collect()
}

/// The values at a path, each with its own path.
fn referring_in<'a>(document: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let mut found = vec![(String::new(), document)];
    for name in path.split('.') {
        let below = found.into_iter().filter_map(|(at, value)| {
            let at = if at.is_empty() { name.to_string() } else { format!("{at}.{name}") };
            Some((at, value.get(name)?))
        });
        found = below.flat_map(|(at, value)| elements(at, value)).collect();
    }
    found
}

fn elements(at: String, value: &Value) -> Vec<(String, &Value)> {
    let Some(entries) = value.as_array() else { return vec![(at, value)] };
    let entries = entries.iter().enumerate();
    entries.map(|(position, entry)| (format!("{at}[{position}]"), entry)).collect()
}
