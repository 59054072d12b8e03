//! The import and export jobs of the catalogs: a new one is carried out at once.

use engine::documents::Error;
use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use tmf::resource::Resource;
use tokio::sync::Notify;

use super::Policy;
use crate::documents::Documents;

/// The policy of jobs.
pub(crate) struct Jobs {
    /// Notified when there is a job to carry out.
    pub(crate) arrived: Arc<Notify>,
}

impl Policy for Jobs {
    fn governs(&self, resource: &Resource) -> bool {
        resource.is_job()
    }

    fn written<'a>(&'a self, _: &'a Documents) -> BoxFuture<'a, Result<(), Error>> {
        self.arrived.notify_waiters();
        Box::pin(ready(Ok(())))
    }
}
