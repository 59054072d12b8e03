//! Imports documents. A group of rows is read and checked while the group before it is being
//! written; the progress is written with each group, so that an interrupted import
//! continues where it stopped, and no row is imported twice.
//!
//! A group is written as if its documents did not exist. If one does, the documents of the group
//! are read first, and if that does not help, the rows are written one by one: the existing
//! documents and the effects of earlier rows are then known.

mod draft;
mod row;

use engine::documents::{Change, Error, Expected, Put, Written};
use std::sync::Arc;

use tmf::resource::{Operation, Owner, Resource};
use tmf::table::named;
use tmf::time::Timestamp;

use self::draft::{Drafted, Drafting, not_permitted, refused_row};
use self::row::Row;
use super::lines::{Line, TooLong};
use super::progress::{Existing, Progress, RowResult, State, Wrong, WrongLine};
use crate::access::{Admitted, Identity, Reader, Verb};
use crate::documents::Documents;
use crate::policies::{Draft, Policies, catalog};

/// The progress of imports, as documents.
pub(crate) const IMPORTS: &str = "import";

/// Max rows written together.
const ROWS_AT_ONCE: usize = 500;

/// Max bytes of rows written together, approximately.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Attempts at a row whose document others change at the same time.
const ATTEMPTS_MAX: usize = 8;

/// Why an import stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// There is no resource with this key.
    #[error("there is no resource `{0}`: it is named as in paths, such as `product`")]
    Unknown(String),
    /// Clients cannot create its documents.
    #[error("a {0} cannot be imported: it is made by what it follows from")]
    NotMade(&'static str),
    /// The import was started for another resource.
    #[error("the import `{id}` is one of `{resource}`")]
    OfAnother {
        id: String,
        /// The resource of the import.
        resource: String,
    },
    /// A line is wrong; the lines before it are imported.
    #[error("line {}: {}", .0.line, .0.message)]
    Stopped(WrongLine),
    /// Another request continues the same import.
    #[error("the import `{0}` is under way already")]
    UnderWay(String),
    #[error("the store failed")]
    Store(#[from] Error),
    /// A part of the server panicked: a bug of ours.
    #[error("a part of the server ended unexpectedly")]
    Ended(#[from] tokio::task::JoinError),
}

/// The parts of the server that imports need.
pub(crate) struct Importer {
    pub(crate) documents: Documents,
    pub(crate) policies: Arc<Policies>,
}

impl Importer {
    /// The progress of an import; `None` if there is no such import.
    pub(crate) async fn progress(&self, id: &str) -> Result<Option<(Progress, u64)>, Error> {
        let Some(document) = self.documents.document(IMPORTS, id).await? else { return Ok(None) };
        let progress = serde_json::from_value(document.body)
            .map_err(engine::store::Error::failed("read an import"))?;
        Ok(Some((progress, document.revision)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.documents.engine().now()
    }
}

/// A running import.
pub(crate) struct Import<'a> {
    importer: &'a Importer,
    /// The client's base URL for hrefs; empty if it is not known.
    base: Arc<str>,
    /// What its client may do.
    reader: Reader,
    resource: &'static Resource,
    /// Its progress, including the group that is being written.
    progress: Progress,
    expected: Expected,
    group: Vec<Line>,
    group_bytes: usize,
    under_way: Option<UnderWay>,
    /// Whether documents existed already: then they are read before each write.
    looks: bool,
}

/// A group that is being written.
struct UnderWay {
    appended: Written,
    rows: Arc<[Row]>,
    /// The progress before it.
    before: Progress,
}

/// The resource with a key, if it can be imported.
pub(crate) fn importable(key: &str) -> Result<&'static Resource, ImportError> {
    let (_, resource) = named(key).ok_or_else(|| ImportError::Unknown(key.into()))?;
    match resource.owner == Owner::Client && resource.takes(Operation::Create) {
        true => Ok(resource),
        false => Err(ImportError::NotMade(resource.name)),
    }
}

impl<'a> Import<'a> {
    /// Starts or continues an import.
    pub(crate) async fn open(
        importer: &'a Importer,
        id: &str,
        resource: &'static Resource,
        (existing, wrong): (Existing, Wrong),
    ) -> Result<Self, ImportError> {
        let (mut progress, expected) = match importer.progress(id).await? {
            Some((progress, revision)) => (progress, Expected::Revision(revision)),
            None => {
                let at = importer.now().to_string();
                let progress = Progress::new(id, resource.key, (existing, wrong), at);
                (progress, Expected::Absent)
            }
        };
        if progress.resource != resource.key {
            return Err(ImportError::OfAnother { id: id.into(), resource: progress.resource });
        }
        if progress.state != State::Completed {
            progress.resume(existing, wrong);
        }
        Ok(Self {
            importer,
            base: Arc::default(),
            reader: Reader::All,
            resource,
            progress,
            expected,
            group: Vec::new(),
            group_bytes: 0,
            under_way: None,
            looks: false,
        })
    }

    /// The same for a client with a base URL.
    pub(crate) fn under(self, base: Arc<str>) -> Self {
        Self { base, ..self }
    }

    /// The same for a client that may read and write these documents only.
    pub(crate) fn by(mut self, client: &Admitted) -> Self {
        self.reader = client.reader.clone();
        let identity = client.identity.as_deref();
        self.progress.owner = identity.and_then(Identity::namespace).or(self.progress.owner);
        self
    }

    /// Its progress.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Adds lines; those that are done are skipped.
    pub(crate) async fn add(&mut self, lines: Vec<Line>) -> Result<(), ImportError> {
        for line in lines {
            if line.number <= self.progress.lines {
                continue;
            }
            self.group_bytes += line.bytes.len();
            self.group.push(line);
            if self.group.len() >= self.rows_at_once() || self.group_bytes >= BYTES_AT_ONCE {
                self.write_group().await?;
            }
        }
        Ok(())
    }

    /// Writes all added rows and waits until they are on disk.
    pub(crate) async fn flush(&mut self) -> Result<(), ImportError> {
        self.write_group().await?;
        self.settle().await
    }

    /// Stops at a line that is too long; the lines before it are imported.
    pub(crate) async fn stop_at(&mut self, long: &TooLong) -> Result<(), ImportError> {
        self.flush().await?;
        self.stop(WrongLine { line: long.number, path: "$".into(), message: long.to_string() })
            .await
    }

    /// Completes the import: the last line was added.
    pub(crate) async fn finish(mut self) -> Result<Progress, ImportError> {
        self.flush().await?;
        self.progress.state = State::Completed;
        self.append(Vec::new()).await.map_err(|error| self.refused(error))?;
        Ok(self.progress)
    }

    /// Documents that refer to their own kind, and changes of the catalogs, which are checked with
    /// the rules, must see the row before them. A new catalog document changes nothing that exists.
    fn rows_at_once(&self) -> usize {
        let refers_to_itself = |to: &[&str]| to.contains(&self.resource.key);
        let is_alone = self.looks && catalog::is_catalog(self.resource.key)
            || self.resource.references.iter().any(|reference| refers_to_itself(reference.to));
        if is_alone { 1 } else { ROWS_AT_ONCE }
    }

    async fn write_group(&mut self) -> Result<(), ImportError> {
        let group = std::mem::take(&mut self.group);
        self.group_bytes = 0;
        if group.is_empty() {
            return Ok(());
        }
        if self.rows_at_once() == 1 {
            self.settle().await?;
        }
        let (resource, base) = (self.resource, Arc::clone(&self.base));
        let read = move || group.iter().map(|line| Row::read(resource, line, &base)).collect();
        let rows: Arc<[Row]> = tokio::task::spawn_blocking(read).await?;
        let turn = self.importer.policies.catalog.turn(self.resource.key).await;
        let drafted = self.draft(&rows).await;
        // The group before this one must be on disk before this one is written.
        self.settle().await?;
        let (puts, results, stop) = drafted?;
        let before = self.progress.clone();
        self.count(results);
        let appended = self.append(puts);
        self.under_way = Some(UnderWay { appended, rows, before });
        if self.rows_at_once() == 1 || turn.is_some() {
            self.settle().await?;
            self.importer.policies.after_write(self.resource).await?;
        }
        drop(turn);
        match stop {
            Some(wrong) => {
                self.settle().await?;
                self.stop(wrong).await
            }
            None => Ok(()),
        }
    }

    /// Waits for the group that is being written; if its documents were not as expected, imports
    /// its rows one by one.
    async fn settle(&mut self) -> Result<(), ImportError> {
        let Some(UnderWay { appended, rows, before }) = self.under_way.take() else {
            return Ok(());
        };
        match appended.await {
            Ok(()) => Ok(()),
            Err(Error::Conflict { resource, .. }) if resource != IMPORTS => {
                self.back_to(before);
                self.looks = true;
                self.write_looking(&rows).await
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Reads the documents of rows and writes the rows, together if possible, else one by one.
    async fn write_looking(&mut self, rows: &Arc<[Row]>) -> Result<(), ImportError> {
        let is_catalog = catalog::is_catalog(self.resource.key);
        if !is_catalog && self.try_rows(rows).await? {
            return Ok(());
        }
        for row in rows.iter() {
            let mut attempts = 0..ATTEMPTS_MAX;
            let alone = Arc::from(vec![row.clone()]);
            while !self.try_rows(&alone).await? {
                if attempts.next().is_none() {
                    let message =
                        "its document was changed each time that it was written".to_string();
                    let wrong = WrongLine { line: row.line, path: "id".into(), message };
                    return self.stop(wrong).await;
                }
            }
            if is_catalog {
                self.importer.policies.after_write(self.resource).await?;
            }
        }
        Ok(())
    }

    /// Writes rows; false if their documents changed since they were read.
    async fn try_rows(&mut self, rows: &Arc<[Row]>) -> Result<bool, ImportError> {
        let before = self.progress.clone();
        let (puts, results, stop) = self.draft(rows).await?;
        self.count(results);
        match self.append(puts).await {
            Ok(()) => {}
            Err(Error::Conflict { resource, .. }) if resource != IMPORTS => {
                self.back_to(before);
                return Ok(false);
            }
            Err(error) => return Err(self.refused(error)),
        }
        match stop {
            Some(wrong) => self.stop(wrong).await.map(|()| true),
            None => Ok(true),
        }
    }

    /// The writes of rows, the result of each row, and the line to stop at. The store is read once for
    /// all rows.
    async fn draft(
        &self,
        rows: &Arc<[Row]>,
    ) -> Result<(Vec<Put>, Vec<(u64, RowResult)>, Option<WrongLine>), ImportError> {
        let (drafting, own) = (self.drafting(), Arc::clone(rows));
        let drafted = self.importer.documents.read(move |session| {
            let drafted = own.iter().map(|row| drafting.draft(session, row));
            drafted.collect::<Result<Vec<_>, ImportError>>()
        });
        let (mut puts, mut results) = (Vec::new(), Vec::new());
        for (row, drafted) in rows.iter().zip(drafted.await?) {
            let (result, more) = match drafted {
                Drafted::Done(result) => (result, Vec::new()),
                Drafted::Draft(draft) => self.prepared(draft, row.line).await?,
            };
            match (result, self.progress.wrong) {
                (RowResult::Refused(wrong), Wrong::Stop) => {
                    return Ok((puts, results, Some(wrong)));
                }
                (result, _) => results.push((row.line, result)),
            }
            puts.extend(more.into_iter().map(Put::quiet));
        }
        Ok((puts, results, None))
    }

    fn drafting(&self) -> Drafting {
        Drafting {
            policies: Arc::clone(&self.importer.policies),
            reader: self.reader.clone(),
            resource: self.resource,
            existing: self.progress.existing,
            looks: self.looks,
            at: self.importer.now(),
        }
    }

    /// The writes of a checked row.
    async fn prepared(
        &self,
        draft: Draft,
        line: u64,
    ) -> Result<(RowResult, Vec<Put>), ImportError> {
        let draft = match self.importer.policies.prepare(draft).await {
            Ok(draft) => draft,
            Err(refusal) => return Ok((refused_row(refusal, line)?, Vec::new())),
        };
        let (key, body) = (self.resource.key, draft.after.unwrap_or_default());
        let verb = if draft.before.is_none() { Verb::Create } else { Verb::Change };
        if !self.reader.scope(key, verb).covers(&body) {
            return Ok((RowResult::Refused(not_permitted(line)), Vec::new()));
        }
        let (put, result) = match draft.before {
            None => (Put::create(key, draft.id, body), RowResult::Created),
            Some(before) => {
                let expected = Expected::Revision(before.revision);
                (Put::new(key, draft.id, Change::Set(body), expected), RowResult::Replaced)
            }
        };
        let mut puts = vec![put];
        puts.extend(draft.more);
        Ok((result, puts))
    }

    fn count(&mut self, results: Vec<(u64, RowResult)>) {
        for (line, result) in results {
            self.progress.count(line, result);
        }
        self.progress.at = self.importer.now().to_string();
    }

    /// Starts to write documents, together with the progress.
    fn append(&mut self, mut puts: Vec<Put>) -> Written {
        let body = serde_json::to_value(&self.progress).unwrap_or_default();
        puts.push(Put::new(IMPORTS, &self.progress.id, Change::Set(body), self.expected));
        self.expected = match self.expected {
            Expected::Revision(revision) => Expected::Revision(revision + 1),
            Expected::Absent | Expected::Anything => Expected::Revision(1),
        };
        self.importer.documents.engine().append(Vec::new(), puts)
    }

    /// Reverts the progress of a group that was not written.
    fn back_to(&mut self, before: Progress) {
        self.progress = before;
        self.expected = match self.expected {
            Expected::Revision(revision @ 2..) => Expected::Revision(revision - 1),
            Expected::Revision(_) | Expected::Absent | Expected::Anything => Expected::Absent,
        };
    }

    async fn stop(&mut self, wrong: WrongLine) -> Result<(), ImportError> {
        self.progress.stop(wrong.clone());
        self.append(Vec::new()).await.map_err(|error| self.refused(error))?;
        Err(ImportError::Stopped(wrong))
    }

    fn refused(&self, error: Error) -> ImportError {
        let is_under_way =
            matches!(&error, Error::Conflict { resource, .. } if resource == IMPORTS);
        if is_under_way { ImportError::UnderWay(self.progress.id.clone()) } else { error.into() }
    }
}
