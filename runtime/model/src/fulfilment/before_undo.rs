//! A fulfilment as it was before it took back what it did: what it had made can be read there, which
//! its end does not tell any more.

use super::{ApplyError, Fulfilment};
use crate::id::FulfilmentId;
use crate::journal::{Event, Record};

impl Fulfilment {
    /// Folds a journal without what was taken back.
    pub fn fold_before_undo(id: FulfilmentId, records: &[Record]) -> Result<Self, ApplyError> {
        let mut is_unwinding = false;
        let mut stays = |event: &Event| {
            is_unwinding |= matches!(event, Event::Unwinding { .. } | Event::Cancelling { .. });
            match event {
                Event::Undone { .. }
                | Event::UndoRetrying { .. }
                | Event::UndoFailed { .. }
                | Event::Ended { .. } => false,
                // What was stuck is not, here.
                Event::Reopened { .. } => !is_unwinding,
                Event::Submitted { .. }
                | Event::Planned { .. }
                | Event::Held { .. }
                | Event::Rejected { .. }
                | Event::Started { .. }
                | Event::Waiting { .. }
                | Event::CalledBack { .. }
                | Event::Succeeded { .. }
                | Event::Retrying { .. }
                | Event::Failed { .. }
                | Event::Unwinding { .. }
                | Event::Cancelling { .. }
                | Event::CancelRefused { .. }
                | Event::Patched { .. }
                | Event::Endangered { .. } => true,
            }
        };
        let records: Vec<Record> = records
            .iter()
            .map(|record| Record {
                events: record.events.iter().filter(|event| stays(event)).cloned().collect(),
                ..record.clone()
            })
            .collect();
        Self::fold(id, &records)
    }
}
