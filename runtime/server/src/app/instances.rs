//! The ids that an order names, validated at the door: what is to change or cease must be there, and
//! what is new must not be.

use model::Order;
use model::order::{Form, Line};
use model::plan::Action;

use super::{App, SubmitError};

impl App {
    /// Checks the instance that each line names (the validation matrix: 422).
    pub(super) fn check_instances(&self, order: &Order) -> Result<(), SubmitError> {
        let resource = Form::of(order.level).subject();
        for line in &order.lines {
            let refused = |message: String| {
                let path = format!("{}.{resource}.id", line.path);
                Err(SubmitError::Reference { path, message })
            };
            let Some(instance) = &line.instance else {
                if must_exist(line) {
                    let action = line.action.as_str();
                    return refused(format!("is mandatory for `{action}`: what is it about?"));
                }
                continue;
            };
            let found = self.document(resource, instance).map_err(SubmitError::Store)?;
            if found.is_none() && line.action != Action::Add {
                return refused(format!("the inventory has no {resource} `{instance}`"));
            }
            if found.is_some() && line.action == Action::Add {
                return refused(format!(
                    "the inventory has a {resource} `{instance}` already: leave the id out, or \
                     order a `modify` of that {resource}"
                ));
            }
        }
        Ok(())
    }
}

fn must_exist(line: &Line) -> bool {
    match line.action {
        Action::Modify | Action::Delete => true,
        Action::Add | Action::NoChange => false,
    }
}
