//! The rows of an import on their way to the store: compared with what is there, checked by the policies,
//! and refused if the client may not write them.

use std::sync::Arc;

use engine::documents::Document;
use tmf::resource::Resource;
use tmf::time::Timestamp;

use super::ImportError;
use super::row::Row;
use crate::access::{Reader, Verb};
use crate::bulk::progress::{Existing, RowResult, WrongLine};
use crate::documents::Session;
use crate::policies::{Draft, Policies, Refusal};

/// Makes the drafts of rows.
pub(super) struct Drafting {
    pub(super) policies: Arc<Policies>,
    pub(super) reader: Reader,
    pub(super) resource: &'static Resource,
    pub(super) existing: Existing,
    /// Whether existing documents are read.
    pub(super) looks: bool,
    pub(super) at: Timestamp,
}

/// A row on its way to the store.
pub(super) enum Drafted {
    Draft(Draft),
    /// It is not written.
    Done(RowResult),
}

impl Drafting {
    pub(super) fn draft(&self, session: &Session, row: &Row) -> Result<Drafted, ImportError> {
        let body = match &row.body {
            Ok(body) => body,
            Err(wrong) => return Ok(Drafted::Done(RowResult::Refused(wrong.clone()))),
        };
        let key = self.resource.key;
        let before = if self.looks { session.document(key, &row.id)? } else { None };
        let mut draft = Draft::new(self.resource, row.id.clone(), body.clone(), self.at);
        draft.reader = self.reader.clone();
        // A hidden document is not compared: the answer would tell of it.
        let may_replace = |before: &Document| {
            let covers = |verb| self.reader.scope(key, verb).covers(&before.body);
            covers(Verb::Read) && covers(Verb::Change)
        };
        if before.as_ref().is_some_and(|before| !may_replace(before)) {
            return Ok(Drafted::Done(RowResult::Refused(not_permitted(row.line))));
        }
        if let Some(after) = &mut draft.after {
            self.resource.keep_own_dates(body, after);
        }
        if let Some(before) = before {
            match self.compare(&before, &mut draft, row) {
                RowResult::Replaced => draft.before = Some(before),
                result @ (RowResult::Created | RowResult::Kept | RowResult::Refused(_)) => {
                    return Ok(Drafted::Done(result));
                }
            }
        }
        match self.policies.check(session, &mut draft) {
            Ok(()) => Ok(Drafted::Draft(draft)),
            Err(refusal) => Ok(Drafted::Done(refused_row(refusal, row.line)?)),
        }
    }

    /// Decides about a row whose document exists.
    fn compare(&self, before: &Document, draft: &mut Draft, row: &Row) -> RowResult {
        let Some(after) = &mut draft.after else { return RowResult::Kept };
        self.resource.keep_dates(&before.body, after);
        if before.body == *after {
            return RowResult::Kept;
        }
        let wrong = |path: &str, message| {
            RowResult::Refused(WrongLine { line: row.line, path: path.into(), message })
        };
        match self.existing {
            Existing::Keep => RowResult::Kept,
            Existing::Refuse => {
                let name = self.resource.name;
                let message = format!("there is a {name} `{}` already, and it differs", row.id);
                wrong("id", message)
            }
            Existing::Replace => match self.resource.check_patched(&before.body, after) {
                Ok(()) => {
                    self.resource.stamp(after, draft.at);
                    RowResult::Replaced
                }
                Err(invalid) => wrong(&invalid.path, invalid.message),
            },
        }
    }
}

/// Why a row is not taken: the client may not write its document.
pub(super) fn not_permitted(line: u64) -> WrongLine {
    let message = "no role of yours allows this document".into();
    WrongLine { line, path: "id".into(), message }
}

/// The result of a row that a policy refuses.
pub(super) fn refused_row(refusal: Refusal, line: u64) -> Result<RowResult, ImportError> {
    let (path, message) = match refusal {
        Refusal::Store(error) => return Err(error.into()),
        Refusal::Malformed { path, message }
        | Refusal::Unprocessable { path, message }
        | Refusal::Conflict { path, message } => (path, message),
        refusal @ (Refusal::Failed(_) | Refusal::Submit(_) | Refusal::Row { .. }) => {
            ("$".into(), refusal.to_string())
        }
    };
    Ok(RowResult::Refused(WrongLine { line, path, message }))
}
