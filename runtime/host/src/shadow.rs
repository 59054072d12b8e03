//! Versions in shadow: what became of the calls that they repeated. It is kept in memory, so a restart starts
//! it anew.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Digest, PluginId};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::candidate::Candidate;
use crate::capability::tape::Budget;
use crate::provenance::Moment;

/// Max calls of a version that are kept with how they differed.
pub const KEPT_MAX: usize = 200;

/// Max differences that are kept of one call.
pub const DIFFERENCES_MAX: usize = 50;

/// Max bytes of a value that a difference shows.
pub const VALUE_BYTES_MAX: usize = 200;

/// Max calls that are repeated at one time.
const RUNNING_MAX: usize = 2;

/// Max calls that are repeated or wait for it.
const WAITING_MAX: usize = 64;

/// Max bytes of what is recorded, of all calls together.
const TAPES_BYTES_MAX: usize = 64 << 20;

/// A version in shadow, and what became of the calls that it repeated since the server started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shadow {
    /// The version.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// How many calls it repeated, by what became of them.
    pub counts: Counts,
    /// The calls that were not the same, the latest first.
    pub calls: Vec<Repeated>,
}

/// How many calls were repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Both versions asked for the same and answered the same.
    pub same: u64,
    /// They did not.
    pub different: u64,
    /// The version in shadow crashed, or took too long or too much.
    pub failed: u64,
    /// The call was not repeated: too much waited already, or it exchanged too much to record.
    pub skipped: u64,
}

/// The result of repeating a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Both versions asked for the same and answered the same.
    Same,
    /// They did not.
    Different,
    /// The version in shadow crashed, or took too long or too much.
    Failed,
    /// The call was not repeated.
    Skipped,
}

/// A call of which the version in shadow made something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeated {
    /// When it was repeated.
    pub at: Moment,
    /// The call.
    #[serde(flatten)]
    pub about: About,
    /// The version that did the work.
    pub beside: Digest,
    /// What became of it.
    pub verdict: Verdict,
    /// How they differ.
    pub differences: Vec<Difference>,
    /// How many more differences there are.
    #[serde(default)]
    pub more: usize,
}

/// A call of a plugin, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The fulfilment.
    pub fulfilment: String,
    /// The task, such as `RFS-VLAN.activate`, or the specification that was decomposed.
    pub task: String,
    /// The number of the attempt.
    pub attempt: u32,
    /// Which function was called, such as `run`.
    pub operation: String,
}

/// One difference between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// What differs.
    pub of: Of,
    /// In what way.
    pub change: Change,
    /// Of a request: its method and URL; of a reservation: the pool and the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The place: a JSON pointer, or the name of a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What the version in use has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What the version in shadow has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Of {
    /// How the call ended: done, waiting, or failed with a class and a code.
    Outcome,
    /// A value of its answer.
    Output,
    /// A request as a whole.
    Request,
    /// A header of a request.
    Header,
    /// A value of the body of a request.
    Body,
    /// A value that was asked of a pool.
    Reservation,
}

/// In what way something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Only the version in shadow has it. If it is a request, the call was ended there.
    Added,
    /// Only the version in use has it.
    Missing,
    /// They have different values.
    Changed,
}

/// The versions in shadow of a host.
#[derive(Debug)]
pub(crate) struct Shadows {
    /// In whose name they have instances; no plugin can have this id.
    pub(crate) id: PluginId,
    /// What recordings may take.
    pub(crate) budget: Budget,
    waiting: Arc<Semaphore>,
    pub(crate) running: Semaphore,
    kept: Mutex<BTreeMap<PluginId, Kept>>,
}

/// What is kept of one version.
#[derive(Debug)]
struct Kept {
    digest: Digest,
    counts: Counts,
    calls: VecDeque<Repeated>,
}

impl Default for Shadows {
    fn default() -> Self {
        Self {
            id: PluginId::new("(shadows)"),
            budget: Budget::new(TAPES_BYTES_MAX),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            running: Semaphore::new(RUNNING_MAX),
            kept: Mutex::default(),
        }
    }
}

impl Shadows {
    /// A place among the calls that wait to be repeated; `None` if there is none.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok()
    }

    /// Counts a call, and keeps it if it is given with differences.
    pub(crate) fn count(
        &self,
        id: &PluginId,
        digest: &Digest,
        verdict: Verdict,
        call: Option<Repeated>,
    ) {
        let mut all = self.lock();
        let kept = all.entry(PluginId::new(id.as_str())).or_insert_with(|| Kept::new(digest));
        if kept.digest != *digest {
            *kept = Kept::new(digest);
        }
        kept.counts.add(verdict);
        let Some(call) = call else { return };
        kept.calls.truncate(KEPT_MAX - 1);
        kept.calls.push_front(call);
    }

    /// What is kept of a version.
    pub(crate) fn of(&self, id: &PluginId, candidate: Candidate) -> Shadow {
        let all = self.lock();
        let kept = all.get(id).filter(|kept| kept.digest == candidate.digest);
        let counts = kept.map(|kept| kept.counts).unwrap_or_default();
        let calls = kept.map(|kept| kept.calls.iter().cloned().collect()).unwrap_or_default();
        Shadow { candidate, counts, calls }
    }

    /// Forgets what is kept of a plugin.
    pub(crate) fn forget(&self, id: &PluginId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PluginId, Kept>> {
        // Every change leaves the map consistent, so a poisoned lock is still good.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn new(digest: &Digest) -> Self {
        let digest = Digest::new(digest.as_str());
        Self { digest, counts: Counts::default(), calls: VecDeque::new() }
    }
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Same => &mut self.same,
            Verdict::Different => &mut self.different,
            Verdict::Failed => &mut self.failed,
            Verdict::Skipped => &mut self.skipped,
        } += 1;
    }
}

impl Verdict {
    /// Its name, for metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}
