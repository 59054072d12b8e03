//! Idempotency: a client's key belongs to the request that used it first, and to no other.

use model::Digest;
use serde_json::Value;

use super::problem::Problem;

/// The digest of the body under a client's key, to be compared with that of the first request.
pub(super) struct Repeat(Option<Digest>);

impl Repeat {
    /// The digest of a body; nothing is computed without a key.
    pub(super) fn of(submission: Option<&String>, body: &Value) -> Self {
        Self(submission.map(|_| digest(body)))
    }

    /// The digest to store with the key.
    pub(super) fn digest(&self) -> Option<&Digest> {
        self.0.as_ref()
    }

    /// Refuses a body that differs from the first.
    pub(super) fn check(&self, first: &Value) -> Result<(), Problem> {
        match &self.0 {
            Some(own) => same(own, digest(first).as_str()),
            None => Ok(()),
        }
    }

    /// The same, by the stored digest of the first; a key without a digest is not compared.
    pub(super) fn check_known(&self, first: Option<&str>) -> Result<(), Problem> {
        match (&self.0, first) {
            (Some(own), Some(first)) => same(own, first),
            (None, _) | (_, None) => Ok(()),
        }
    }
}

/// Whether a digest is that of the first body.
fn same(own: &Digest, first: &str) -> Result<(), Problem> {
    if own.as_str() == first { Ok(()) } else { Err(reused()) }
}

/// The error for a key that was used with another body.
pub(super) fn reused() -> Problem {
    let message = "this key was used with another body: send that one, or use another key";
    Problem::unprocessable(message).about("Idempotency-Key")
}

fn digest(body: &Value) -> Digest {
    Digest::of(body.to_string().as_bytes())
}
