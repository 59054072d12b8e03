//! Reads request bodies: within the limit, and only JSON.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::Instant;

use super::places::{Place, Places};
use super::problem::Problem;
use crate::aside::aside_of_bytes;
use tmf::json;

/// Timeout of a body.
pub(super) const BODY_WAIT: Duration = Duration::from_secs(60);

/// The required pace of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Timeout of the whole body.
    wait: Duration,
    /// Max time in all that it may be slow, or not move.
    slow: Duration,
    /// Fewer bytes a second than this are slow.
    bytes_a_second: u64,
}

/// The required pace of request bodies.
pub(super) const PACE: Pace =
    Pace { wait: BODY_WAIT, slow: Duration::from_secs(10), bytes_a_second: 16 << 10 };

/// Max bytes of a form, and of its parameters.
pub(super) const FORM_BYTES_MAX: usize = 32 << 10;

/// Max bytes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Max {
    /// As `body-bytes-max` sets it.
    Set(usize),
    Fixed(usize),
}

impl Max {
    fn bytes(self) -> usize {
        match self {
            Self::Set(bytes) | Self::Fixed(bytes) => bytes,
        }
    }
}

/// The unit of room for bodies.
const PIECE_BYTES: usize = 16 << 10;

/// Memory of a value beside its text, approximately.
const VALUE_BYTES: usize = 64;

/// The room of all bodies, and of each while its request is carried out.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    pieces: Places,
    mib: usize,
}

/// Reserved room, released when the request is done.
#[derive(Debug, Default)]
pub(super) struct Room(Option<Place>);

/// A body that has arrived.
#[derive(Debug)]
pub(super) struct Received {
    bytes: Vec<u8>,
    room: Room,
    bodies: Bodies,
}

impl Bodies {
    /// Room for this many MiB, of which one tenant may have a share beside others.
    pub(super) fn new(mib: usize, share_percent: u32) -> Self {
        let pieces = mib.saturating_mul((1 << 20) / PIECE_BYTES);
        Self { pieces: Places::new(pieces, share_percent), mib }
    }

    /// The same room for another tenant.
    pub(super) fn for_tenant(&self, share_percent: u32) -> Self {
        Self { pieces: self.pieces.for_tenant(share_percent), mib: self.mib }
    }

    /// Grows the room to this many bytes in all.
    fn grow(&self, room: &mut Room, bytes: usize) -> Result<(), Problem> {
        let held = room.0.as_ref().map_or(0, Place::count);
        let more = bytes.div_ceil(PIECE_BYTES).saturating_sub(held);
        let full = || {
            Problem::unavailable(format!(
                "the bodies of requests under way take all that there is of {} MiB for them: \
                 `[limits] bodies-mib` of ferrule.toml",
                self.mib
            ))
        };
        let more = self.pieces.try_take(more).ok_or_else(full)?;
        match &mut room.0 {
            Some(held) => held.merge(more),
            None => room.0 = Some(more),
        }
        Ok(())
    }
}

impl Received {
    /// The bytes of it. Their room stays reserved as long as that is kept.
    pub(super) fn bytes(self) -> (Vec<u8>, Room) {
        (self.bytes, self.room)
    }

    /// The document in it; `None` if it is empty. Its room stays reserved for the result.
    pub(super) fn json(mut self, headers: &HeaderMap) -> Result<(Option<Value>, Room), Problem> {
        if self.bytes.is_empty() {
            return Ok((None, self.room));
        }
        if !is_json(headers) {
            return Err(not_json());
        }
        let in_memory = self.bytes.len() + json::values(&self.bytes) * VALUE_BYTES;
        self.bodies.grow(&mut self.room, in_memory)?;
        Ok((Some(aside_of_bytes(&self.bytes, json::parse)?), self.room))
    }
}

/// The error for a missing body.
pub(super) fn missing(headers: &HeaderMap) -> Problem {
    match is_json(headers) {
        true => Problem::bad("the body is empty: send a JSON document"),
        false => not_json(),
    }
}

/// Waits for a body within the limit and the pace.
pub(super) async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    (limit, pace): (Max, Pace),
    bodies: &Bodies,
) -> Result<Received, Problem> {
    let max = limit.bytes();
    let too_large = || {
        let setting = if matches!(limit, Max::Set(_)) { ": `body-bytes-max`" } else { "" };
        Problem::too_large(format!("a body may have {max} bytes{setting}"))
    };
    let announced: Option<usize> =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let mut received =
        Received { bytes: Vec::new(), room: Room::default(), bodies: bodies.clone() };
    let begun = Instant::now();
    loop {
        let earned = received.bytes.len() as u64 * 1_000 / pace.bytes_a_second;
        let until = begun + pace.wait.min(pace.slow + Duration::from_millis(earned));
        let frame = tokio::time::timeout_at(until, body.frame()).await;
        let late = || {
            Problem::late(format!(
                "the body did not arrive in time: after {} s it must bring {} bytes a second, and \
                 all of it within {} s",
                pace.slow.as_secs(),
                pace.bytes_a_second,
                pace.wait.as_secs()
            ))
        };
        let Some(frame) = frame.map_err(|_elapsed| late())? else { break };
        let frame = frame.map_err(|_| Problem::bad("the body ended early"))?;
        let Ok(piece) = frame.into_data() else { continue };
        let length = received.bytes.len() + piece.len();
        if length > max {
            return Err(too_large());
        }
        received.bodies.grow(&mut received.room, length)?;
        received.bytes.extend_from_slice(&piece);
    }
    // A closed connection may look like the end of its body.
    if announced.is_some_and(|length| length != received.bytes.len()) {
        return Err(Problem::bad("the body ended early"));
    }
    Ok(received)
}

fn not_json() -> Problem {
    Problem::media_type("send JSON, as `application/json`")
}

/// Whether the body is a plugin.
pub(super) fn is_component(headers: &HeaderMap) -> bool {
    ["application/wasm", "application/octet-stream"].contains(&&*media_type(headers))
}

fn media_type(headers: &HeaderMap) -> String {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split(';').next()).unwrap_or_default();
    given.trim().to_ascii_lowercase()
}

fn is_json(headers: &HeaderMap) -> bool {
    let name = media_type(headers);
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

#[cfg(test)]
mod tests;
