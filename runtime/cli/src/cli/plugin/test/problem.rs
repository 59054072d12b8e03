//! What a cell finds wrong, and what to do about it.

use serde::Serialize;

/// A finding of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli::plugin) struct Problem {
    pub(super) kind: Kind,
    /// The finding in words.
    pub(super) what: String,
}

/// The rules that a plugin must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Kind {
    /// The effect is there exactly once.
    Once,
    /// The outputs are those of the undisturbed run.
    Outputs,
    /// The failure has the class of who must act.
    Class,
    /// A retry waits as long as the element asks.
    RetryAfter,
    /// The undo leaves the element as it was.
    Undo,
    /// The probe finds what is there.
    Probe,
    /// Nothing secret leaves the plugin.
    Secret,
    /// Each call stays within its limits, and answers.
    Limits,
    /// A call sends a changing request once.
    RetriesInside,
    /// The requests are those of the case.
    Exchange,
    /// The same task gives the same requests and outputs.
    Deterministic,
    /// The task ends, as the case expects.
    Ending,
    /// A callback is read.
    Callback,
    /// Bad input is refused.
    Input,
}

impl Problem {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

impl Kind {
    /// The advice.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Once => {
                "send the idempotency key with the request, or an id made of it, and take \
                 `it exists already, under my key` for success; claim success only for what the \
                 element confirmed"
            }
            Self::Outputs => {
                "take outputs from an answer that was checked, and give the same ones when the work \
                 is found done; fail if the answer cannot be read"
            }
            Self::Class => {
                "fail with `retry` if the same call may succeed later, with `reject` if the order \
                 asks for the impossible, with `operator` if something must be repaired"
            }
            Self::RetryAfter => "give the seconds of `Retry-After` to the failure: `after_ms`",
            Self::Undo => {
                "undo by the input, for the outputs may be missing; take `not there` for success, and \
                 nothing else"
            }
            Self::Probe => {
                "answer `applied` only for work under the task's own key, `not applied` only if the \
                 element has no such work, and fail if it does not answer"
            }
            Self::Secret => "leave secrets out of logs, failures and outputs",
            Self::Limits => {
                "bound every loop, read and wait: requests end before `deadline-ms`, bodies have a \
                 limit, and an answer that cannot be read is a failure and no panic"
            }
            Self::RetriesInside => {
                "send the request once and fail with `retry`: the host repeats the call, with a \
                 pause, and counts it"
            }
            Self::Exchange => "mend the plugin, or the exchange in the case",
            Self::Deterministic => {
                "make the answer of the task alone: no time, no random numbers, no order of a hash map"
            }
            Self::Ending => "look at the failure; mend the plugin, or what the case expects",
            Self::Callback => {
                "wait under the task's key, read every answer in `resume`, and fail if it cannot be read"
            }
            Self::Input => "read the input strictly, and fail by the name of the attribute",
        }
    }
}
