//! The policies: the rules of one domain on a document that a client creates, changes or removes. The
//! table of resources has the rules that all resources share; a policy has those of its resources, in
//! a module of its own, and [`Policies::of`] lists them.

pub(crate) mod billing;
pub(crate) mod catalog;
pub(crate) mod cpq;
pub(crate) mod crm;
mod jobs;
mod references;
pub(crate) mod stock;

use engine::documents::{Document, Error, Put};
use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tmf::document::read;
use tmf::resource::Resource;
use tmf::time::Timestamp;

use crate::access::Reader;
use crate::documents::{Documents, Session};
use crate::orders::SubmitError;

use self::billing::Billing;
use self::catalog::Catalog;
use self::cpq::Cpq;
use self::crm::Customers;
pub(crate) use self::jobs::Jobs;
pub(crate) use self::references::References;
use self::stock::Stocks;

/// A change that a client asks for, on its way to the store. Documents that a policy adds are written
/// with it, or not at all.
pub(crate) struct Draft {
    pub(crate) resource: &'static Resource,
    pub(crate) id: String,
    /// The stored document; `None` if it is created.
    pub(crate) before: Option<Document>,
    /// The document to be stored; `None` if it is removed.
    pub(crate) after: Option<Value>,
    /// Other documents that change with it.
    pub(crate) more: Vec<Put>,
    /// The time of the change.
    pub(crate) at: Timestamp,
    /// The documents that its client may read.
    pub(crate) reader: Reader,
}

impl Draft {
    /// A change that erases what is about a person.
    pub(crate) fn erasing(
        resource: &'static Resource,
        id: &str,
        [before, after]: [Document; 2],
        at: Timestamp,
    ) -> Self {
        let (id, before, after) = (id.to_owned(), Some(before), Some(after.body));
        Self { resource, id, before, after, more: Vec::new(), at, reader: Reader::All }
    }
}

/// Why a policy refuses a change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The request is malformed: an attribute is wrong by itself.
    #[error("{message}")]
    Malformed {
        /// The attribute.
        path: String,
        /// Why.
        message: String,
    },
    /// The request can be read, and does not make sense as things are.
    #[error("{message}")]
    Unprocessable {
        /// The attribute.
        path: String,
        /// Why.
        message: String,
    },
    /// It conflicts with stored documents.
    #[error("{message}")]
    Conflict {
        /// The attribute.
        path: String,
        /// The conflict.
        message: String,
    },
    /// A stored document cannot be read.
    #[error("{resource} `{id}`: {wrong}")]
    Row {
        resource: &'static str,
        id: String,
        /// Why.
        wrong: tmf::malformed::Malformed,
    },
    #[error("the store cannot be read")]
    Store(#[from] engine::documents::Error),
    /// A plugin failed.
    #[error("{}", .0.message)]
    Failed(model::Failure),
    /// The decision cannot be made now.
    #[error(transparent)]
    Submit(Box<SubmitError>),
}

impl Draft {
    /// A new document, from a validated body.
    pub(crate) fn new(resource: &'static Resource, id: String, body: Value, at: Timestamp) -> Self {
        let place = format!("{}/{id}", tmf::table::path(resource.key));
        let after = resource.new_document(body, &id, at, &place);
        let (before, after) = (None, Some(after));
        Self { resource, id, before, after, more: Vec::new(), at, reader: Reader::All }
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

/// Reads a document from the store.
fn stored<T: DeserializeOwned>(resource: &'static str, found: &Document) -> Result<T, Refusal> {
    read(&found.body).map_err(|wrong| {
        let id = found.body.get("id").and_then(Value::as_str).unwrap_or_default().into();
        Refusal::Row { resource, id, wrong }
    })
}

impl Refusal {
    /// The request can be read, and does not make sense as things are.
    pub(crate) fn unprocessable(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unprocessable { path: path.into(), message: message.into() }
    }

    /// The same, with the setting that it follows from.
    #[must_use]
    pub(crate) fn by_setting(mut self, section: &str, key: &str) -> Self {
        if let Self::Unprocessable { message, .. } = &mut self {
            *message = crate::settings::by_setting(&message, section, key);
        }
        self
    }

    /// It conflicts with stored documents.
    pub(crate) fn conflict(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Conflict { path: path.into(), message: message.into() }
    }
}

/// The rules of one domain.
pub(crate) trait Policy: Send + Sync {
    /// Whether it has rules for the documents of a resource.
    fn governs(&self, resource: &Resource) -> bool;

    /// Checks a change before it is written, and may complete its document or add others, from what
    /// the store has.
    fn check(&self, _: &Session, _: &mut Draft) -> Result<(), Refusal> {
        Ok(())
    }

    /// Completes a change that passed all checks, if that takes plugins or writes of its own.
    fn prepare<'a>(
        &'a self,
        _: &'a Documents,
        draft: Draft,
    ) -> BoxFuture<'a, Result<Draft, Refusal>> {
        Box::pin(ready(Ok(draft)))
    }

    /// Takes a written change into use.
    fn written<'a>(&'a self, _: &'a Documents) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }
}

/// All policies, shared by the requests and jobs that change documents.
pub(crate) struct Policies {
    pub(crate) documents: Documents,
    pub(crate) references: References,
    pub(crate) catalog: Catalog,
    pub(crate) cpq: Cpq,
    pub(crate) billing: Billing,
    pub(crate) jobs: Jobs,
}

impl Policies {
    /// The policies of a resource, in the order in which they are applied.
    fn of(&self, resource: &'static Resource) -> impl Iterator<Item = &dyn Policy> {
        let Self { references, catalog, cpq, billing, jobs, .. } = self;
        let all: [&dyn Policy; 7] = [references, catalog, cpq, &Customers, &Stocks, billing, jobs];
        all.into_iter().filter(move |policy| policy.governs(resource))
    }

    /// Applies the policies to a change before it is written.
    pub(crate) async fn before_write(self: &Arc<Self>, mut draft: Draft) -> Result<Draft, Refusal> {
        let own = Arc::clone(self);
        let checked = self.documents.read(move |session| {
            own.check(session, &mut draft)?;
            Ok::<_, Refusal>(draft)
        });
        self.prepare(checked.await?).await
    }

    /// The first part of [`before_write`](Self::before_write), on a thread that may wait for the disk.
    pub(crate) fn check(&self, session: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        self.of(draft.resource).try_for_each(|policy| policy.check(session, draft))
    }

    /// The second part of [`before_write`](Self::before_write).
    pub(crate) async fn prepare(&self, mut draft: Draft) -> Result<Draft, Refusal> {
        for policy in self.of(draft.resource) {
            draft = policy.prepare(&self.documents, draft).await?;
        }
        Ok(draft)
    }

    /// Takes a change of a resource into use once it is written.
    pub(crate) async fn after_write(&self, resource: &'static Resource) -> Result<(), Error> {
        for policy in self.of(resource) {
            policy.written(&self.documents).await?;
        }
        Ok(())
    }
}
