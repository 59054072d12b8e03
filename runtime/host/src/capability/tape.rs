//! The tape of a call that another version repeats in shadow: what the call of the version in use exchanged
//! with elements is recorded ([`recording`]), and the repeated call is answered from that ([`replay`]). So nothing
//! that it sends leaves the host, and nothing that it reserves is reserved.

use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap, PROXY_AUTHORIZATION};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi_http::{Error, WasiBody};

use self::recording::Reel;
pub(crate) use self::recording::{Budget, Recording};
pub(crate) use self::replay::{Replay, Requests};
use super::base64;
use crate::contract::reservation::Reserved;

mod chance;
mod recording;
mod replay;

/// Max bytes of the requests and answers of one call that are recorded. A call with more is not repeated.
const TAPE_BYTES_MAX: usize = 1 << 20;

/// Max requests and reservations of one call that are recorded.
const TAPED_MAX: usize = 256;

/// Whether another version repeats a call.
#[derive(Debug, Default)]
pub(crate) enum Tape {
    /// None does.
    #[default]
    Off,
    /// One will, so the call is recorded.
    Recorded(Arc<Recording>),
    /// The call is the repeated one.
    Replayed(Arc<Replay>),
}

/// The answer to a request of a repeated call.
type Played = Pin<Box<dyn Future<Output = Result<Response<WasiBody>, Error>> + Send>>;

/// What becomes of a request.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(super) enum Taken {
    /// It is sent.
    Sent(Request<WasiBody>, Reel),
    /// It is answered from the tape.
    Played(Played),
}

/// A request as the guest made it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether there was more of the body than is kept.
    pub(crate) is_cut: bool,
}

/// What was answered to a request.
#[derive(Debug, Default)]
enum Answer {
    /// The call ended first.
    #[default]
    Open,
    Failed(Error),
    Given(Given),
}

#[derive(Debug)]
struct Given {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    /// Whether the guest read all of it.
    is_whole: bool,
}

/// A value that was asked of a pool: its name, that of the reservation, and the value.
#[derive(Clone, Debug)]
pub(crate) struct Taking {
    pub(crate) pool: String,
    pub(crate) name: String,
    value: Reserved,
}

/// A value was asked of a pool that the other call did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotTaped;

/// The names of the secrets of a call, by their placeholders, which no other call has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Tape {
    /// Whether the call is a repeated one: it has no effect, and is not counted.
    pub(crate) fn is_replayed(&self) -> bool {
        matches!(self, Self::Replayed(_))
    }

    /// Decides what becomes of a request.
    pub(super) fn take(&self, request: Request<WasiBody>) -> Taken {
        match self {
            Self::Off => Taken::Sent(request, Reel::default()),
            Self::Recorded(recording) => {
                let (request, reel) = Recording::begin(recording, request);
                Taken::Sent(request, reel)
            }
            Self::Replayed(replay) => {
                let replay = Arc::clone(replay);
                Taken::Played(Box::pin(async move { replay.play(request).await }))
            }
        }
    }

    /// Notes the placeholder of a secret.
    pub(super) fn issued(&self, name: &str, placeholder: Option<&str>) {
        let Some(placeholder) = placeholder else { return };
        match self {
            Self::Off => {}
            Self::Recorded(recording) => recording.issued(name, placeholder),
            Self::Replayed(replay) => replay.issued(name, placeholder),
        }
    }

    /// Gives a guest the times and random numbers that are the same for both calls.
    pub(crate) fn set(&self, context: &mut WasiCtxBuilder) {
        match self {
            Self::Off => {}
            Self::Recorded(recording) => chance::set(context, recording, recording.seed),
            Self::Replayed(replay) => chance::set(context, replay, replay.seed()),
        }
    }

    /// The time that a guest is told it has: the same for both calls.
    pub(crate) fn deadline_ms(&self, left: u32) -> u32 {
        match self {
            Self::Off => left,
            Self::Recorded(recording) => recording.deadline_ms(left),
            Self::Replayed(replay) => replay.deadline_ms(left),
        }
    }

    /// The value that a repeated call gets of a pool: `None` if the call is no repeated one, and an error if
    /// the other did not ask for it.
    pub(super) fn reserved(&self, pool: &str, name: &str) -> Option<Result<Reserved, NotTaped>> {
        match self {
            Self::Off | Self::Recorded(_) => None,
            Self::Replayed(replay) => Some(replay.reserve(pool, name)),
        }
    }

    /// Records a value that was reserved.
    pub(super) fn reserve(&self, pool: &str, name: &str, value: &Reserved) {
        if let Self::Recorded(recording) = self {
            recording.reserve(pool, name, value);
        }
    }
}

impl Asked {
    fn of(head: &Parts) -> Self {
        Self {
            method: head.method.to_string(),
            url: head.uri.to_string(),
            headers: head.headers.clone(),
            body: Vec::new(),
            is_cut: false,
        }
    }

    fn bytes(&self) -> usize {
        self.url.len() + header_bytes(&self.headers)
    }

    /// Its headers as texts that two calls can be compared by: with the names of secrets, and without what
    /// follows from the rest.
    pub(crate) fn texts(&self, names: &Names) -> Vec<(String, String)> {
        let headers = self.headers.iter().map(|(name, value)| {
            let is_login = [AUTHORIZATION, PROXY_AUTHORIZATION].contains(name);
            let login = if is_login { basic(value.as_bytes()) } else { None };
            let text = String::from_utf8_lossy(login.as_deref().unwrap_or(value.as_bytes()));
            (name.as_str().to_owned(), names.put_into(&text))
        });
        headers.collect()
    }
}

impl Names {
    fn add(&mut self, name: &str, placeholder: &str) {
        if !self.0.iter().any(|(known, _)| known == placeholder) && self.0.len() < TAPED_MAX {
            self.0.push((placeholder.to_owned(), name.to_owned()));
        }
    }

    /// A text with the names of secrets in place of their placeholders.
    pub(crate) fn put_into(&self, text: &str) -> String {
        let named = |text: String, (placeholder, name): &(String, String)| {
            text.replace(placeholder, &format!("[secret {name}]"))
        };
        self.0.iter().fold(text.to_owned(), named)
    }
}

/// The user and the password of a login, whose base64 differs with the placeholder.
fn basic(value: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    Some([b"basic ".as_slice(), &base64::decode(rest)?].concat())
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Adds bytes to a body, as many as there is room for; returns whether that is all of them.
fn add(body: &mut Vec<u8>, bytes: &Bytes, left: &mut usize) -> bool {
    let room = bytes.len().min(*left);
    body.extend_from_slice(&bytes[..room]);
    *left -= room;
    room == bytes.len()
}

#[cfg(test)]
mod tests;
