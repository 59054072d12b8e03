//! Where a condition applies: what its `document` is on a route. On a route without one, a condition
//! allows nothing.

use super::{ApiName, Permission};

/// What `document` is in a condition on a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The document of the standard, as it is kept: in the words of version 4.
    Document,
    /// The order that a fulfilment began with; of a run as in [`Subject::Run`].
    Order,
    /// The order that a fulfilment began with, with `plugin`: the plugin of the attempt.
    Attempt,
    /// `workflow`, `input`, and `id` if there is one yet.
    Run,
    /// `id`.
    Plugin,
    /// `id` and `pack`.
    Pool,
}

impl Subject {
    /// What it is, for people.
    pub fn described(self) -> &'static str {
        match self {
            Self::Document => "the document, in the words of version 4",
            Self::Order => "the order that the fulfilment began with",
            Self::Attempt => "the same with `plugin`, the id of the plugin of the attempt",
            Self::Run => "`id`, `workflow` and `input` of the run",
            Self::Plugin => "`id` of the plugin",
            Self::Pool => "`id` and `pack` of the pool",
        }
    }
}

impl Permission {
    /// What `document` is in conditions on it; `None` where no condition applies.
    pub fn subject(&self) -> Option<Subject> {
        match self.api {
            ApiName::Standard(_) => standard(&self.resource),
            ApiName::Orchestration => own(&self.resource),
            ApiName::Server => None,
        }
    }
}

/// Subscriptions belong to those who made them, and jobs read or write files of the server.
fn standard(resource: &str) -> Option<Subject> {
    let is_other = resource == "hub"
        || resource.ends_with("/hub")
        || ["importJob", "exportJob"].contains(&resource);
    (!is_other).then_some(Subject::Document)
}

fn own(resource: &str) -> Option<Subject> {
    match resource {
        "fulfilments/attempts" | "fulfilments/tasks/attempts" => Some(Subject::Attempt),
        "runs" | "runs/cancel" | "workflows/runs" => Some(Subject::Run),
        "pools" | "pools/values" | "pools/release" => Some(Subject::Pool),
        "fulfilments" => Some(Subject::Order),
        "plugins" => Some(Subject::Plugin),
        below if below.starts_with("fulfilments/") => Some(Subject::Order),
        below if below.starts_with("plugins/") => Some(Subject::Plugin),
        _ => None,
    }
}
