//! Repeats: a client's key stands for the request that it was first used with, and for no other.

use model::Digest;
use serde_json::Value;

use super::problem::Problem;

/// What is sent under a client's key, to be compared with what was sent under it first.
pub(super) struct Repeat(Option<Digest>);

impl Repeat {
    /// Of a body; nothing is computed where there is no key.
    pub(super) fn of(submission: Option<&String>, body: &Value) -> Self {
        Self(submission.map(|_| digest(body)))
    }

    /// The digest to keep with the key.
    pub(super) fn digest(&self) -> Option<&Digest> {
        self.0.as_ref()
    }

    /// Refuses a body that is another than the first.
    pub(super) fn check(&self, first: &Value) -> Result<(), Problem> {
        match &self.0 {
            Some(own) => same(own, digest(first).as_str()),
            None => Ok(()),
        }
    }

    /// The same, where the digest of the first is known; what was kept without one is not compared.
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

/// The answer to a key that was used with another body.
pub(super) fn reused() -> Problem {
    let message = "this key was used with another body: send that one, or use another key";
    Problem::unprocessable(message).about("Idempotency-Key")
}

fn digest(body: &Value) -> Digest {
    Digest::of(body.to_string().as_bytes())
}
