//! Conditions: where they apply, and what is no condition. On a route without a `document` a condition allows
//! nothing.

use model::expr::{Expr, Kinds};

use super::scope::VARIABLES;
use super::{ApiName, Permission};

/// What the variables are, and the members of `identity`, all of them.
const KINDS: Kinds<'static> = &[
    ("document", "an object"),
    ("identity", "an object"),
    ("identity.subject", "a text"),
    ("identity.roles", "a list"),
    ("identity.plugins", "a list"),
    ("identity.claims", "an object"),
];

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

/// Refuses a condition that is true for all documents or for none.
pub(super) fn check(when: &Expr) -> Result<(), String> {
    if let Some(what) = when.no_condition(KINDS) {
        return Err(format!("`when` is {what}: a condition is true or false"));
    }
    if !when.paths().iter().any(|path| VARIABLES.contains(&path.names[0])) {
        return Err("`when` names neither `document` nor `identity`, so it is the same for all: leave it out, or \
                    compare one of them"
            .into());
    }
    let members = || KINDS.iter().filter_map(|(path, _)| path.strip_prefix("identity."));
    match when
        .members("identity")
        .into_iter()
        .find(|member| !members().any(|known| known == *member))
    {
        None => Ok(()),
        Some(member) => {
            let known = members().collect::<Vec<_>>().join("`, `");
            Err(format!("`when`: there is no `identity.{member}`, but `{known}`"))
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
