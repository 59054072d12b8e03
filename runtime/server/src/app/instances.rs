//! What an order names of the inventories, validated at the door: what is to change or cease must be
//! there, what is new must not be, and what an instance cannot become is refused.

use model::Order;
use model::order::attributes::fixed;
use model::order::{Form, Line};
use model::plan::Action;
use serde_json::Value;
use tmf::document::Attributes;
use tmf::document::order::{Items, Written};

use super::{App, SubmitError};

impl App {
    /// Checks the instance that each line names, and those that it relates to (the validation
    /// matrix: 422).
    pub(super) fn check_instances(
        &self,
        order: &Order,
        document: &Value,
    ) -> Result<(), SubmitError> {
        let form = Form::of(order.level);
        let items = Items::of(Attributes::of(document), form.names());
        let items = items.map(|items| items.all()).unwrap_or_default();
        for (line, item) in order.lines.iter().zip(items) {
            self.check_instance(form, line, item)?;
            self.check_relations(form, line, item)?;
        }
        Ok(())
    }

    fn check_instance(
        &self,
        form: Form,
        line: &Line,
        item: Written<'_>,
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
        match (self.document(resource, instance).map_err(SubmitError::Store)?, line.action) {
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

    /// What an instance relates to is there, and is another.
    fn check_relations(
        &self,
        form: Form,
        line: &Line,
        item: Written<'_>,
    ) -> Result<(), SubmitError> {
        let resource = form.subject();
        let name = format!("{resource}Relationship");
        if !matches!(line.action, Action::Add | Action::Modify) {
            return Ok(());
        }
        let relations = item.subject.entries(&name).map(Attributes::of);
        for (position, relation) in relations.enumerate() {
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
            if self.document(resource, id).map_err(SubmitError::Store)?.is_none() {
                let message = format!("the inventory has no {resource} `{id}`");
                return Err(SubmitError::Reference { path, message });
            }
        }
        Ok(())
    }
}

fn is_absolute(href: &str) -> bool {
    href.starts_with("http://") || href.starts_with("https://")
}

fn must_exist(line: &Line) -> bool {
    match line.action {
        Action::Modify | Action::Delete => true,
        Action::Add | Action::NoChange => false,
    }
}
