//! The instances that an order names, validated against the inventories: those that it changes or
//! terminates exist, those that it adds do not, and a change that an instance cannot make is refused.

use model::order::attributes::fixed;
use model::order::{Form, Line};
use model::plan::Action;
use tmf::document::Attributes;
use tmf::document::order::Written;
use tmf::href::is_absolute;

use super::{Requested, SubmitError};
use crate::access::{Reader, Scope, Verb};
use crate::documents::Session;

/// Whether an order names instances, or lacks one that it must name, or a customer that its client must be able to read.
pub(super) fn are_named(requested: &Requested) -> bool {
    let Some(order) = requested.order() else { return false };
    if own_customers(requested).is_some() {
        return true;
    }
    let form = Form::of(order.level);
    order
        .lines
        .iter()
        .zip(requested.items(form))
        .any(|(line, item)| line.instance.is_some() || must_exist(line) || relates(form, item))
}

/// Checks the instance that each line names, and those that it relates to (the validation
/// matrix: 422).
pub(super) fn check(session: &Session, requested: &Requested) -> Result<(), SubmitError> {
    let Some(order) = requested.order() else { return Ok(()) };
    check_customer(session, requested)?;
    let form = Form::of(order.level);
    for (line, item) in order.lines.iter().zip(requested.items(form)) {
        check_instance(session, &requested.reader, form, (line, item))?;
        check_relations(session, &requested.reader, form, (line, item))?;
    }
    Ok(())
}

/// The customers that a client may read, if a condition limits them: it orders for those only, since what an order makes is
/// shared with others of its customer.
fn own_customers(requested: &Requested) -> Option<Scope> {
    let scope = requested.reader.scope("customer", Verb::Read);
    (!scope.is_all() && !scope.is_nothing()).then_some(scope)
}

fn check_customer(session: &Session, requested: &Requested) -> Result<(), SubmitError> {
    let named = requested.order().and_then(|order| order.customer.as_deref());
    let (Some(id), Some(scope)) = (named, own_customers(requested)) else { return Ok(()) };
    let found = session.document("customer", id)?;
    if found.is_some_and(|found| scope.covers(&found.body)) {
        return Ok(());
    }
    let message = format!("there is no customer `{id}` that you may order for");
    Err(SubmitError::Reference { path: "relatedParty".into(), message })
}

fn check_instance(
    session: &Session,
    reader: &Reader,
    form: Form,
    (line, item): (&Line, Written<'_>),
) -> Result<(), SubmitError> {
    let resource = form.subject();
    let refused = |message: String| {
        let path = format!("{}.{resource}.id", line.path);
        Err(SubmitError::Reference { path, message })
    };
    let Some(instance) = &line.instance else {
        if must_exist(line) {
            let action = line.action.as_str();
            return refused(format!("is mandatory for `{action}`: what is it about?"));
        }
        return Ok(());
    };
    let found = session.document(resource, instance)?;
    // An id is taken, even if the client may not see by what.
    let found = if line.action == Action::Add { found } else { reader.seen(resource, found) };
    match (found, line.action) {
        (None, Action::Add) => Ok(()),
        (None, Action::Modify | Action::Delete | Action::NoChange) => {
            refused(format!("the inventory has no {resource} `{instance}`"))
        }
        (Some(_), Action::Add) => refused(format!(
            "the inventory has a {resource} `{instance}` already: leave the id out, or \
             order a `modify` of that {resource}"
        )),
        (Some(found), Action::Modify | Action::Delete | Action::NoChange) => {
            match fixed(form, line, item, Attributes::of(&found.body)) {
                Some((path, message)) => Err(SubmitError::Reference { path, message }),
                None => Ok(()),
            }
        }
    }
}

/// Checks that the instances that an instance relates to exist, and are not the instance itself.
fn check_relations(
    session: &Session,
    reader: &Reader,
    form: Form,
    (line, item): (&Line, Written<'_>),
) -> Result<(), SubmitError> {
    let resource = form.subject();
    let name = relationship(form);
    if !matches!(line.action, Action::Add | Action::Modify) {
        return Ok(());
    }
    for (position, relation) in relations(form, item).enumerate() {
        let nested = relation.object(resource);
        let other = nested.unwrap_or(relation);
        let is_elsewhere = other.text("href").is_some_and(is_absolute);
        let Some(id) = other.text("id").filter(|_| !is_elsewhere) else { continue };
        let within = if nested.is_some() { format!(".{resource}") } else { String::new() };
        let path = format!("{}.{resource}.{name}[{position}]{within}.id", line.path);
        if line.instance.as_deref() == Some(id) {
            let message = "relates to itself: name another, or leave it out".into();
            return Err(SubmitError::Reference { path, message });
        }
        if reader.seen(resource, session.document(resource, id)?).is_none() {
            let message = format!("the inventory has no {resource} `{id}`");
            return Err(SubmitError::Reference { path, message });
        }
    }
    Ok(())
}

fn relationship(form: Form) -> String {
    format!("{}Relationship", form.subject())
}

fn relates(form: Form, item: Written<'_>) -> bool {
    relations(form, item).next().is_some()
}

fn relations<'a>(form: Form, item: Written<'a>) -> impl Iterator<Item = Attributes<'a>> {
    item.subject.entries(&relationship(form)).map(Attributes::of).collect::<Vec<_>>().into_iter()
}

fn must_exist(line: &Line) -> bool {
    match line.action {
        Action::Modify | Action::Delete => true,
        Action::Add | Action::NoChange => false,
    }
}
