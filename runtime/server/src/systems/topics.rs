//! Topics (TMF688): what they say of the events that they take can be understood, or nothing would
//! ever be taken.

use model::subscription::topic_filter;
use serde_json::Value;

use super::{Draft, Refusal};

/// The attributes of a topic that say which events it takes.
pub(crate) const QUERIES: [&str; 2] = ["headerQuery", "contentQuery"];

/// Refuses a topic with a query that is no filter.
pub(super) fn settle(draft: &Draft) -> Result<(), Refusal> {
    let Some(topic) = draft.after.as_ref().filter(|_| draft.resource.key == "topic") else {
        return Ok(());
    };
    for name in QUERIES {
        let query = topic.get(name).and_then(Value::as_str).unwrap_or_default();
        topic_filter(name, query).map_err(|error| Refusal::Malformed {
            path: name.into(),
            message: error.to_string(),
        })?;
    }
    Ok(())
}
