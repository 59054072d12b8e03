//! The systems of the landscape: what they do about a document that a client creates, changes or
//! removes, before it is written. What is the same for all resources is said in the table; what is
//! here is the work of one system, and there is a module for each.

pub(crate) mod billing;
pub(crate) mod catalog;
pub(crate) mod cpq;
pub(crate) mod crm;
mod references;
pub(crate) mod stock;

use engine::documents::{Document, Put};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tmf::document::read;
use tmf::resource::Resource;
use tmf::time::Timestamp;

use crate::app::App;

/// A change that a client asks for, on its way to the store. What a system adds is written with it,
/// or not at all.
pub(crate) struct Draft {
    /// Of this resource.
    pub(crate) resource: &'static Resource,
    /// Its id.
    pub(crate) id: String,
    /// What is there; nothing where it is created.
    pub(crate) before: Option<Document>,
    /// What will be there; nothing where it is removed.
    pub(crate) after: Option<Value>,
    /// Other documents that change with it.
    pub(crate) more: Vec<Put>,
    /// When this is.
    pub(crate) at: Timestamp,
    /// What hrefs of this server begin with where the client is; empty if it is not known.
    pub(crate) base: String,
}

/// Why a system does not let a change through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The request is malformed: an attribute is wrong by itself.
    #[error("{message}")]
    Malformed {
        /// The attribute.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// The request can be read, and does not make sense as things are.
    #[error("{message}")]
    Unprocessable {
        /// The attribute.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Something else stands in the way.
    #[error("{message}")]
    Conflict {
        /// The attribute.
        path: String,
        /// What stands in the way.
        message: String,
    },
    /// A document that is kept cannot be read as what it is.
    #[error("{resource} `{id}`: {wrong}")]
    Row {
        /// Its resource.
        resource: &'static str,
        /// Its id.
        id: String,
        /// What is wrong.
        wrong: tmf::field::Malformed,
    },
    /// The store failed.
    #[error("the store cannot be read")]
    Store(#[from] engine::documents::Error),
    /// A plugin failed, or asked too much.
    #[error("{}", .0.message)]
    Failed(model::Failure),
    /// What it is about cannot be looked at.
    #[error(transparent)]
    Submit(Box<crate::app::SubmitError>),
}

impl Draft {
    /// A document that is not there yet, from a body that was checked.
    pub(crate) fn new(resource: &'static Resource, id: String, body: Value, at: Timestamp) -> Self {
        let place = format!("{}/{id}", tmf::table::path(resource.key));
        let after = resource.new_document(body, &id, at, &place);
        let (before, after) = (None, Some(after));
        Self { resource, id, before, after, more: Vec::new(), at, base: String::new() }
    }

    /// Reads the document that it writes. The client made it: a wrong attribute is its error.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let after = self.after.as_ref().unwrap_or(&Value::Null);
        read(after).map_err(|wrong| Refusal::Malformed {
            message: wrong.to_string(),
            path: wrong.attribute,
        })
    }
}

impl From<engine::store::Error> for Refusal {
    fn from(error: engine::store::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Refusal {
    /// The request can be read, and does not make sense as things are.
    pub(crate) fn unprocessable(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unprocessable { path: path.into(), message: message.into() }
    }

    /// The same, which tells the setting that it follows from.
    #[must_use]
    pub(crate) fn by_setting(mut self, section: &str, key: &str) -> Self {
        if let Self::Unprocessable { message, .. } = &mut self {
            *message = crate::settings::by_setting(&message, section, key);
        }
        self
    }

    /// Something else stands in the way.
    pub(crate) fn conflict(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Conflict { path: path.into(), message: message.into() }
    }
}

/// Reads a document from the store.
fn stored<T: DeserializeOwned>(resource: &'static str, found: &Document) -> Result<T, Refusal> {
    read(&found.body).map_err(|wrong| {
        let id = found.body.get("id").and_then(Value::as_str).unwrap_or_default().into();
        Refusal::Row { resource, id, wrong }
    })
}

/// Lets the systems do what follows from a change, or refuse it.
pub(crate) async fn settle(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    references::check(app, draft)?;
    catalog::settle(app, draft)?;
    cpq::settle(app, draft).await?;
    crm::settle(draft)?;
    stock::settle(app, draft).await?;
    billing::settle(app, draft).await
}

/// Does what follows once a change of a resource is written.
pub(crate) fn changed(app: &App, key: &str) -> Result<(), engine::documents::Error> {
    if tmf::table::of_key(key).is_some_and(|(_, resource)| resource.is_job()) {
        app.jobs().notify_waiters();
    }
    catalog::changed(app, key)
}
