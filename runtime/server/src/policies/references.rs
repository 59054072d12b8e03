//! References: a document must exist while another refers to it.

use engine::documents::Document;
use tmf::references::{Referred, ids, referred};
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
                    let referred = referred(after, reference.path);
                    leads_somewhere(session, (reference, self.check), draft, referred)
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
    referred: Vec<Referred<'_>>,
) -> Result<(), Refusal> {
    let known = draft.before.as_ref().map(|before| ids(&before.body, reference.path));
    let known = known.unwrap_or_default();
    for named in referred {
        let Some(id) = named.id else { continue };
        let is_free = !reference.is_acted_on
            && match check {
                Check::All => false,
                Check::Local => named.leads_elsewhere(),
                Check::None => true,
            };
        if is_free || known.contains(&id) {
            continue;
        }
        let mut places = reference.to.iter();
        let found = places.try_fold(false, |found, key| {
            let document = draft.reader.seen(key, session.document(key, id)?);
            Ok::<_, engine::documents::Error>(found || document.is_some())
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
            return Err(Refusal::unprocessable(format!("{}.id", named.path), message));
        }
    }
    Ok(())
}

/// Refuses to remove a document that others refer to, or that is active and depends on active ones.
fn is_free(session: &Session, draft: &Draft) -> Result<(), Refusal> {
    let (resource, id) = (draft.resource, draft.id.as_str());
    let mut has_hidden = false;
    let others = table::APIS.iter().flat_map(|api| api.resources);
    for other in others.filter(|other| other.operations.contains(&Operation::Get)) {
        for reference in other.references.iter().filter(|r| r.to.contains(&resource.key)) {
            has_hidden |= is_unused(draft, (other, reference.path), |is_wanted| {
                referring(session, (other, reference), id, is_wanted)
            })?;
        }
    }
    for found in USES.iter().filter(|found| found.of.contains(&resource.key)) {
        let Some((_, other)) = of_key(found.by) else { continue };
        has_hidden |= is_unused(draft, (other, found.path), |is_wanted| {
            Ok(session.first_by(found.by, &found.indexed(), id, |document| {
                id_of(document) != Some(id)
                    && found.keeps(&document.body, resource, id)
                    && is_wanted(document)
            })?)
        })?;
    }
    if has_hidden {
        let message = "another document refers to it: that must end first";
        return Err(Refusal::conflict("id", message));
    }
    match &draft.before {
        Some(before) => is_ended(session, draft, before),
        None => Ok(()),
    }
}

/// Refuses to remove a document while another one that the client may see refers to it; returns whether
/// one does that it may not see.
fn is_unused(
    draft: &Draft,
    (of, path): (&Resource, &str),
    look: impl Fn(&dyn Fn(&Document) -> bool) -> Result<Option<Document>, Refusal>,
) -> Result<bool, Refusal> {
    let is_seen = |document: &Document| draft.reader.sees(of.key, &document.body);
    if let Some(by) = look(&is_seen)? {
        let id = id_of(&by).unwrap_or_default();
        let message = format!(
            "the {} `{id}` refers to it by `{path}`: end, remove or change that first",
            of.name
        );
        return Err(Refusal::conflict("id", message));
    }
    Ok(!draft.reader.is_all() && look(&|_| true)?.is_some())
}

/// Refuses to remove a delivered instance before an order has terminated it: only an order releases its
/// network resources.
fn is_ended(session: &Session, draft: &Draft, document: &Document) -> Result<(), Refusal> {
    let state = draft.resource.state_of(&document.body).unwrap_or_default();
    if is_over(draft.resource, state) {
        return Ok(());
    }
    for (_, path, key) in STANDS_ON.iter().filter(|(own, ..)| *own == draft.resource.key) {
        let Some((_, below)) = of_key(key) else { continue };
        for id in ids(&document.body, path) {
            let found = session.readable(key, id)?;
            let lives = found.as_ref().is_some_and(|found| {
                !is_over(below, below.state_of(&found.body).unwrap_or_default())
            });
            // Its id stands in the client's own document.
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

/// A document that has a reference to another.
fn referring(
    session: &Session,
    (other, reference): (&Resource, &Reference),
    id: &str,
    is_wanted: &dyn Fn(&Document) -> bool,
) -> Result<Option<Document>, Refusal> {
    let refers = |document: &Document| {
        ids(&document.body, reference.path).contains(&id) && is_wanted(document)
    };
    let path = format!("{}.id", reference.path);
    if other.indexes().any(|indexed| indexed == path) {
        return Ok(session.first_by(other.key, &path, id, refers)?);
    }
    let mut by = None;
    session.each_document::<Refusal>(other.key, |document| {
        if by.is_none() && refers(&document) {
            by = Some(document);
        }
        Ok(())
    })?;
    Ok(by)
}

fn id_of(document: &Document) -> Option<&str> {
    document.body.get("id")?.as_str()
}
