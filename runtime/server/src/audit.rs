//! The audit of the server: whose act a request or a job is, and entries of what changes no fact, such as
//! refusals. The chain itself, and the entry of each change, are `engine::audit`.

mod alike;
mod follow;
mod prune;
pub mod syslog;
mod witness;

use std::sync::Arc;

use engine::Engine;
use engine::audit::{Act, Actor, Audited, Outcome};

use crate::config::Auditing;
use alike::Alike;
pub(crate) use follow::{Follower, Progress};
pub(crate) use prune::prune;
pub(crate) use witness::Witness;

/// How often counted refusals are looked after, in milliseconds.
const FLUSH_EVERY_MS: u64 = 5_000;

/// Makes entries; cheap to clone.
#[derive(Clone)]
pub(crate) struct Audit(Arc<Inner>);

struct Inner {
    engine: Engine,
    auditing: Auditing,
    alike: Alike,
    progress: Arc<Progress>,
}

impl Audit {
    pub(crate) fn new(engine: Engine, auditing: Auditing) -> Self {
        let progress = Arc::default();
        Self(Arc::new(Inner { engine, auditing, alike: Alike::default(), progress }))
    }

    pub(crate) fn is_on(&self) -> bool {
        match self.0.auditing {
            Auditing::On => true,
            Auditing::Off => false,
        }
    }

    /// How far the entries are sent.
    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.0.progress
    }

    /// The act of a job that the server does on its own; `None` if nothing is audited.
    pub(crate) fn job(&self, job: &str) -> Option<Arc<Act>> {
        let act = || Act { actor: Actor::system(job), action: job.into(), ..Act::default() };
        self.is_on().then(|| Arc::new(act()))
    }

    /// Adds an entry of an act that was done and changed no fact. It is on disk when this returns.
    pub(crate) async fn done(&self, act: &Arc<Act>) -> Result<(), engine::documents::Error> {
        let engine = &self.0.engine;
        engine.audit(Audited::done(Arc::clone(act), engine.now())).await
    }

    /// Adds an entry of an act that is about to change what is not in the store. It is on disk when this
    /// returns, so a crash leaves no change without an entry.
    pub(crate) async fn begun(&self, act: &Arc<Act>) -> Result<(), engine::documents::Error> {
        let engine = &self.0.engine;
        engine.audit(Audited::begun(Arc::clone(act), engine.now())).await
    }

    /// Adds an entry of an act that was refused or failed, or counts it with others alike: a flood of
    /// refusals makes few entries.
    pub(crate) fn not_done(&self, act: &Arc<Act>, outcome: Outcome, code: &str) {
        let engine = &self.0.engine;
        for audited in self.0.alike.take(act, outcome, code, engine.now()) {
            // Nothing rests on it, so nothing waits for it.
            drop(engine.audit(audited));
        }
    }

    /// Adds the entries of what was counted, until `stopped` ends.
    pub(crate) async fn run(self, stopped: impl Future<Output = ()>) {
        let mut stopped = std::pin::pin!(stopped);
        let engine = &self.0.engine;
        loop {
            let pause = tokio::time::sleep(std::time::Duration::from_millis(FLUSH_EVERY_MS));
            let is_over = tokio::select! {
                () = &mut stopped => true,
                () = pause => false,
            };
            let counted = match is_over {
                true => self.0.alike.all(engine.now()),
                false => self.0.alike.expired(engine.now()),
            };
            for audited in counted {
                if let Err(error) = engine.audit(audited).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "counted refusals cannot be added to the audit");
                }
            }
            if is_over {
                return;
            }
        }
    }
}
