//! Exports: the documents of a resource that match a query, one on each line (NDJSON), in the order of
//! their ids, each as it is when it is read.

use hyper::body::Bytes;
use serde_json::Value;
use tmf::resource::Resource;

use crate::access::Scope;
use crate::documents::{Documents, Session, Turn};
use crate::search::{Candidates, Filter, Query, SearchError, as_kept, check_known};

/// Bytes of one piece, approximately.
const PIECE_BYTES: usize = 64 << 10;

/// Max documents read for one piece.
const SLICE: usize = 1_024;

/// The documents of an export.
pub(crate) struct Export {
    pub(crate) resource: &'static Resource,
    /// Which of them may be read.
    pub(crate) scope: Scope,
    pub(crate) filter: Filter,
    /// The id after which it begins.
    pub(crate) after: Option<String>,
}

impl Export {
    /// All documents that match a query, for the server itself, such as `status=active`. It may
    /// ask for attributes that no definition knows.
    pub(crate) fn of(resource: &'static Resource, query: &str) -> Result<Self, SearchError> {
        let filter = Filter::parse(&Query::parse(query)?, "", &as_kept(resource))?;
        Ok(Self { resource, scope: Scope::All, filter, after: None })
    }

    /// The same, with a query from a client: some document must have each attribute.
    pub(crate) async fn asked(
        documents: &Documents,
        resource: &'static Resource,
        query: &str,
    ) -> Result<Self, SearchError> {
        let mut export = Self::of(resource, query)?;
        let unknown = export.filter.take_unknown();
        check_known(documents, (as_kept(resource), &Scope::All), unknown).await?;
        Ok(export)
    }

    /// The ids of the next documents after one, at most `limit`.
    pub(crate) fn ids(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, engine::documents::Error> {
        let mut candidates = Candidates::of(session, (self.resource, &self.scope), &self.filter)?;
        if let Some(after) = after {
            candidates.begin_after(session, after)?;
        }
        let mut ids = Vec::new();
        while ids.len() < limit {
            let Some(document) = candidates.next(session)? else { break };
            if self.resource.shows(&document.body) && self.filter.matches(&document.body) {
                let id = document.body.get("id").and_then(Value::as_str);
                ids.extend(id.map(str::to_string));
            }
        }
        Ok(ids)
    }

    /// Writes all lines, some at a time, until the receiver is dropped.
    pub(crate) fn write(
        mut self,
        session: &Session,
        mut give: impl FnMut(Bytes) -> bool,
    ) -> Result<(), engine::documents::Error> {
        loop {
            let (piece, is_last) = self.piece(session)?;
            if !give(piece) || is_last {
                return Ok(());
            }
        }
    }

    /// The next lines, which may be none, and whether they are the last.
    pub(crate) fn piece(
        &mut self,
        session: &Session,
    ) -> Result<(Bytes, bool), engine::documents::Error> {
        let mut candidates = Candidates::of(session, (self.resource, &self.scope), &self.filter)?;
        if let Some(after) = &self.after {
            candidates.begin_after(session, after)?;
        }
        let mut piece = Vec::new();
        let mut turn = Turn::of(SLICE);
        while turn.goes_on() {
            let Some(document) = candidates.next(session)? else { return Ok((piece.into(), true)) };
            let id = document.body.get("id").and_then(Value::as_str);
            self.after = id.map(str::to_string).or_else(|| self.after.take());
            if self.resource.shows(&document.body) && self.filter.matches(&document.body) {
                piece.extend(document.body.to_string().into_bytes());
                piece.push(b'\n');
            }
            if piece.len() >= PIECE_BYTES {
                break;
            }
        }
        Ok((piece.into(), false))
    }
}
