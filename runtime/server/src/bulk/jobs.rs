//! The import and export jobs of the catalogs (TMF620, 633, 634): from or to a file of the exchange
//! folder. One runs at a time; an interrupted job is restarted, or continued, at the start.
//!
//! A job's `url` is the name of a file in that folder (`offerings.ndjson`, or as
//! `file:offerings.ndjson`): nothing else on the machine and no other machine is read or written.
//! Its `path` names the collection, such as `/tmf-api/productCatalogManagement/v4/productOffering`.

use engine::documents::{Change, Document, Expected, Put};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tmf::resource::{Api, Owner, Resource};
use tmf::table;
use tokio::io::AsyncReadExt as _;

use tokio::sync::Notify;

use super::export::Export;
use super::import::{Import, ImportError, Importer, importable};
use super::lines::Lines;
use super::progress::{Existing, State, Wrong};
use crate::documents::{Documents, Session};
use crate::search::SearchError;

/// Max bytes of a file that are read at one time.
const PIECE_BYTES: usize = 256 << 10;

/// Max bytes of a line of a file.
const LINE_BYTES_MAX: usize = 10 << 20;

/// The prefixes of the shapes of import and export jobs.
const KINDS: [(&str, Way); 2] = [("ImportJob", Way::In), ("ExportJob", Way::Out)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// Why a job failed, as in its `errorLog`.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("`url` is the name of a file in the exchange folder, such as `file:offerings.ndjson`")]
    Place,
    #[error("`path` must name a collection, such as `{0}`")]
    Path(String),
    #[error("cannot {action} `{name}`: {source}")]
    File { action: &'static str, name: String, source: std::io::Error },
    #[error("`query`: {0}")]
    Query(#[from] SearchError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("the store failed")]
    Store(#[from] engine::documents::Error),
}

/// Carries out jobs.
pub(crate) struct Jobs {
    pub(crate) importer: Importer,
    /// Notified when there is a job to carry out.
    pub(crate) arrived: Arc<Notify>,
    /// The exchange folder.
    pub(crate) folder: PathBuf,
}

/// The resources of jobs.
fn resources() -> impl Iterator<Item = (&'static Api, &'static Resource, Way)> {
    table::APIS.iter().flat_map(|api| {
        api.resources.iter().filter_map(move |resource| {
            let way = KINDS.iter().find(|(shape, _)| resource.shape == *shape)?.1;
            Some((*api, resource, way))
        })
    })
}

/// Carries out jobs until `stopped` ends.
pub(crate) async fn run(jobs: Jobs, stopped: impl Future<Output = ()>) {
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let mut arrived = std::pin::pin!(jobs.arrived.notified());
        arrived.as_mut().enable();
        tokio::select! {
            () = &mut stopped => return,
            done = run_open(&jobs) => if let Err(error) = done {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "jobs cannot be carried out");
            },
        }
        tokio::select! {
            () = &mut stopped => return,
            () = arrived => {}
        }
    }
}

/// Carries out all open jobs.
async fn run_open(jobs: &Jobs) -> Result<(), engine::documents::Error> {
    for (api, resource, way) in resources() {
        for state in ["Running", "Not Started"] {
            let next = |session: &Session| session.documents_by(resource.key, "status", state, 1);
            while let Some(job) = jobs.importer.documents.read(next).await?.pop() {
                carry_out(jobs, (api, resource, way), &job).await?;
            }
        }
    }
    Ok(())
}

async fn carry_out(
    jobs: &Jobs,
    (api, resource, way): (&'static Api, &'static Resource, Way),
    job: &Document,
) -> Result<(), engine::documents::Error> {
    let text = |name: &str| job.body.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = text("id").to_string();
    let begun = json!({ "status": "Running" });
    let documents = &jobs.importer.documents;
    if !is_noted(documents, (resource, &id), job.revision, begun).await? {
        return Ok(());
    }
    let done = async {
        let of = of_what(api, text("path"))?;
        let file = jobs.folder.join(name_of(text("url"))?);
        match way {
            // Boxed: the future of an import is nested too deep for the compiler otherwise.
            Way::In => {
                let id = format!("{}/{id}", resource.key);
                Box::pin(bring_in(&jobs.importer, &id, of, &file)).await
            }
            Way::Out => take_out(documents, of, text("query"), file).await,
        }
    };
    let mut end = match done.await {
        Ok(()) => json!({ "status": "Succeeded" }),
        Err(error) => json!({ "status": "Failed", "errorLog": error.to_string() }),
    };
    end["completionDate"] = json!(jobs.importer.now().to_string());
    is_noted(documents, (resource, &id), job.revision + 1, end).await.map(drop)
}

/// Writes the progress of a job, unless it was removed meanwhile.
async fn is_noted(
    documents: &Documents,
    (resource, id): (&Resource, &str),
    revision: u64,
    change: Value,
) -> Result<bool, engine::documents::Error> {
    let expected = Expected::Revision(revision);
    match documents.write(vec![Put::new(resource.key, id, Change::Merge(change), expected)]).await {
        Ok(()) => Ok(true),
        Err(engine::documents::Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The resource of a path, by its last segment.
fn of_what(api: &Api, path: &str) -> Result<&'static Resource, JobError> {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let found = table::APIS.iter().filter(|known| known.number == api.number);
    let found = found.flat_map(|api| api.resources).find(|resource| {
        resource.name == name && resource.owner == Owner::Client && !resource.is_job()
    });
    found.ok_or_else(|| {
        let first = api.resources.first();
        JobError::Path(first.map(|resource| api.path(resource)).unwrap_or_default())
    })
}

/// The file of a URL: one in the exchange folder, and no other.
fn name_of(url: &str) -> Result<&str, JobError> {
    let name = url.strip_prefix("file:").unwrap_or(url);
    let name = name.strip_prefix("///").unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain);
    is_name.then_some(name).ok_or(JobError::Place)
}

async fn bring_in(
    importer: &Importer,
    id: &str,
    resource: &'static Resource,
    path: &Path,
) -> Result<(), JobError> {
    let resource = importable(resource.key)?;
    let mut file = tokio::fs::File::open(path).await.map_err(failed("read", path))?;
    let mut import = Import::open(importer, id, resource, (Existing::Replace, Wrong::Stop)).await?;
    if import.progress().state == State::Completed {
        return Ok(());
    }
    let mut lines = Lines::after(0, LINE_BYTES_MAX);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).await.map_err(failed("read", path))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        match lines.push(bytes) {
            Ok(whole) => import.add(whole).await?,
            Err(long) => import.stop_at(&long).await?,
        }
    }
    import.add(lines.finish().into_iter().collect()).await?;
    import.finish().await?;
    Ok(())
}

/// Writes a file, which is only visible when it is complete.
async fn take_out(
    documents: &Documents,
    resource: &'static Resource,
    query: &str,
    path: PathBuf,
) -> Result<(), JobError> {
    let export = Export::asked(documents, resource, query).await?;
    let write = move |session: &Session| {
        let failed = |source| failed("write", &path)(source);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let part = path.with_added_extension("part");
        let mut file = std::fs::File::create(&part).map_err(failed)?;
        let mut written = Ok(());
        export.write(session, |piece| {
            written = file.write_all(&piece);
            written.is_ok()
        })?;
        written.map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&part, &path).map_err(failed)
    };
    documents.read(write).await
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> JobError {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    move |source| JobError::File { action, name, source }
}

#[cfg(test)]
mod tests;
