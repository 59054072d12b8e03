//! Submissions, and the look that may come before one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::{Event, Fulfilment, FulfilmentId};

use super::{AskError, Engine, ReadError, unexpected};
use crate::core::{Answer, Input, RecoverError, Seen, read_fulfilment};
use crate::trace::Trace;

/// Why nothing was submitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSubmitted {
    /// The engine has stopped, or refuses.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The instances of the order were changed since the look: look again.
    #[error("the instances of the order were changed since they were read")]
    Stale,
    /// Its quote is ordered already.
    #[error("the quote is ordered already: see the order `{0}`")]
    Ordered(FulfilmentId),
}

/// The result of a submission.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// It is on disk.
    New(Arc<Fulfilment>),
    /// The client's key was used before, for this fulfilment.
    Before(FulfilmentId),
}

impl Engine {
    /// Submits an order or a run. When this returns it is on disk. `seen` is the moment before its
    /// instances were read.
    pub async fn submit(
        &self,
        fulfilment: Fulfilment,
        events: Vec<Event>,
        submission: Option<String>,
        seen: Option<Seen>,
    ) -> Result<Submitted, NotSubmitted> {
        self.submit_traced(fulfilment, events, (submission, seen), None).await
    }

    /// The same as a part of a trace.
    pub async fn submit_traced(
        &self,
        fulfilment: Fulfilment,
        events: Vec<Event>,
        (submission, seen): (Option<String>, Option<Seen>),
        trace: Option<Trace>,
    ) -> Result<Submitted, NotSubmitted> {
        let fulfilment = Box::new(fulfilment);
        let submit = |reply| Input::Submit { fulfilment, events, submission, seen, trace, reply };
        match self.ask(submit).await? {
            Answer::Fulfilment(Some(fulfilment)) => {
                self.counters.submitted.fetch_add(1, Ordering::Relaxed);
                Ok(Submitted::New(fulfilment))
            }
            Answer::Submitted(id) => Ok(Submitted::Before(id)),
            Answer::Stale => Err(NotSubmitted::Stale),
            Answer::Ordered(id) => Err(NotSubmitted::Ordered(id)),
            other => Err(unexpected(&other).into()),
        }
    }

    /// The moment now, for a submission about instances that are read next. All earlier decisions are
    /// on disk.
    pub async fn look(&self) -> Result<Seen, AskError> {
        match self.ask(|reply| Input::Look { reply }).await? {
            Answer::Seen(seen) => Ok(seen),
            other => Err(unexpected(&other)),
        }
    }

    /// Gives a fulfilment without a plan the result of planning it again. When this returns it is on
    /// disk. `None` if it is not open any more.
    pub async fn replan(
        &self,
        id: &FulfilmentId,
        event: Event,
        seen: Seen,
    ) -> Result<Option<Arc<Fulfilment>>, NotSubmitted> {
        let replan = |fulfilment, reply| Input::Replan { fulfilment, event, seen, reply };
        match self.ask_about(id, replan).await? {
            Answer::Fulfilment(fulfilment) => Ok(fulfilment),
            Answer::Stale => Err(NotSubmitted::Stale),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Shows each open fulfilment to `visit`. What it shows may not be on disk yet. Those that have left
    /// memory are read one after the other.
    pub async fn each_open(
        &self,
        mut visit: impl FnMut(&Arc<Fulfilment>),
    ) -> Result<(), ReadError> {
        let (here, asleep) = match self.ask(|reply| Input::All { reply }).await? {
            Answer::Open(here, asleep) => (here, asleep),
            other => return Err(unexpected(&other).into()),
        };
        here.iter().for_each(&mut visit);
        drop(here);
        for id in asleep {
            match self.read(&id, read_fulfilment, RecoverError::Store).await {
                Ok(Some(open)) if !open.is_ended() => visit(&Arc::new(open)),
                Ok(_) => {}
                // It is set aside when something concerns it.
                Err(error) if !error.is_of_whole_store() => {
                    tracing::error!(fulfilment = %id, error = &error as &dyn std::error::Error,
                        "an open fulfilment cannot be read");
                }
                Err(error) => return Err(ReadError::Journal(error)),
            }
        }
        Ok(())
    }

    /// The open fulfilments that have no plan: they wait for others, or could not be planned.
    pub async fn unplanned(&self) -> Result<Vec<Arc<Fulfilment>>, AskError> {
        match self.ask(|reply| Input::Unplanned { reply }).await? {
            Answer::Open(found, _) => Ok(found),
            other => Err(unexpected(&other)),
        }
    }
}
