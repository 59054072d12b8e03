//! References: what a document refers to must be there, and what is referred to stays.

use model::resource::{Reference, Resource, table};
use serde_json::Value;

use super::{Draft, Refusal};
use crate::app::App;

/// Holds a change against what it refers to, or what refers to it.
pub(super) fn check(app: &App, draft: &Draft) -> Result<(), Refusal> {
    match &draft.after {
        Some(after) => {
            let mut references = draft.resource.references.iter();
            references.try_for_each(|reference| leads_somewhere(app, reference, draft, after))
        }
        None => is_free(app, draft),
    }
}

/// What is referred to must be there, unless it was referred to before.
fn leads_somewhere(
    app: &App,
    reference: &Reference,
    draft: &Draft,
    after: &Value,
) -> Result<(), Refusal> {
    let known = draft.before.as_ref().map(|before| ids(&before.body, reference.path));
    let known = known.unwrap_or_default();
    for id in ids(after, reference.path).into_iter().filter(|id| !known.contains(id)) {
        let mut places = reference.to.iter();
        let found = places.try_fold(false, |found, key| {
            Ok::<_, engine::store::Error>(found || app.document(key, id)?.is_some())
        })?;
        if !found {
            let message = format!("there is no {} `{id}`", reference.to.join(" or "));
            return Err(Refusal::unprocessable(format!("{}.id", reference.path), message));
        }
    }
    Ok(())
}

/// What others refer to cannot be removed, as far as they are found by it.
fn is_free(app: &App, draft: &Draft) -> Result<(), Refusal> {
    let others = table::APIS.iter().flat_map(|api| api.resources);
    for other in others.filter(|other| other.operations.contains(&model::resource::Operation::Get))
    {
        for reference in other.references.iter().filter(|r| r.to.contains(&draft.resource.key)) {
            if let Some(by) = user(app, other, reference, &draft.id)? {
                let message = format!(
                    "the {} `{by}` refers to it by `{}`: remove or change that first",
                    other.name, reference.path
                );
                return Err(Refusal::conflict("id", message));
            }
        }
    }
    Ok(())
}

/// The id of a document that refers to another.
fn user(
    app: &App,
    other: &Resource,
    reference: &Reference,
    id: &str,
) -> Result<Option<String>, Refusal> {
    let path = format!("{}.id", reference.path);
    let Some(path) = other.indexes().find(|indexed| *indexed == path) else {
        return Ok(None);
    };
    let found = app.documents_by(other.key, path, id, 1)?;
    let id = found.first().and_then(|document| document.body.get("id")?.as_str());
    Ok(id.map(str::to_string))
}

/// The ids of what a path leads to.
fn ids<'a>(document: &'a Value, path: &str) -> Vec<&'a str> {
    let mut found = vec![document];
    for name in path.split('.') {
        let below = found.into_iter().filter_map(|value| value.get(name));
        found = below.flat_map(elements).collect();
    }
    found.into_iter().filter_map(|value| value.get("id")?.as_str()).collect()
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}
