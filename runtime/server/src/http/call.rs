//! A parsed request: its path in pieces, its query, the beginning of hrefs.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Method};
use serde_json::Value;
use tmf::time::Timestamp;

use super::body;
use super::origin::{Named, Origins};
use super::places::Place;
use super::problem::Problem;
use super::proxies::Proxies;
use super::serve::{Arrival, Closing};
use crate::access::Admitted;
use crate::search::Query;
use crate::tls::seen::ClientCertificate;
use body::{Bodies, Max, Received, Room};
use tokio::sync::oneshot;

/// The header with a client's key for a submission, to repeat it safely.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header with the reason of a request, for the audit.
pub(super) const REASON: &str = "audit-reason";

/// Max characters of a reason.
pub(super) const REASON_CHARS_MAX: usize = 500;

/// Max length of a client's key for a submission.
const IDEMPOTENCY_KEY_MAX: usize = 255;

/// Max length of the key with its scope: it becomes a key of the store, behind a prefix.
const SUBMISSION_BYTES_MAX: usize = engine::store::KEY_BYTES_MAX - 16;

pub(super) struct Call {
    pub(super) method: Method,
    /// The decoded pieces of the path, without empty ones.
    pub(super) path: Vec<String>,
    pub(super) query: Query,
    /// The path and the query, as they came.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    /// The beginning of hrefs.
    pub(super) base: Arc<str>,
    /// The certificate that the client showed, if its chain is right and it has not expired.
    pub(super) client: Option<Arc<ClientCertificate>>,
    /// Who makes it, and on which documents it may act.
    pub(super) admitted: Admitted,
    /// The address of the client, as trusted proxies name it.
    pub(super) peer: Option<IpAddr>,
    /// Told when the server shuts down.
    pub(super) closing: Closing,
    /// Told when the client has gone.
    pub(super) gone: Gone,
    /// The place among requests under way, if it has one.
    place: Option<Place>,
    content: Content,
    room: Room,
}

/// The body of a request.
enum Content {
    /// Not read yet. Behind a lock that is never contended: a body alone cannot be shared
    /// between threads.
    Coming(Mutex<Body>),
    /// Received, or failed.
    Arrived(Result<Received, Problem>),
    /// Parsed, and still to be taken by the handler.
    Read(Option<Value>),
    /// Taken by the handler.
    Taken,
}

/// The headers that may come once.
const ONCE: [&str; 6] = [
    "Audit-Reason",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Plugin-Signature",
    "Plugin-Certificate",
];

/// Tells a long-running handler that the client has gone.
#[derive(Default)]
pub(super) struct Gone(Option<oneshot::Receiver<()>>);

impl Gone {
    /// A client that is connected until the sender is dropped.
    pub(super) fn new() -> (oneshot::Sender<()>, Self) {
        let (here, gone) = oneshot::channel();
        (here, Self(Some(gone)))
    }

    /// Ends when the client has gone; never if that ends the handler itself.
    pub(super) async fn left(&mut self) {
        match &mut self.0 {
            // An error means that the sender was dropped, and so the client has gone.
            Some(gone) => drop(gone.await),
            None => std::future::pending().await,
        }
    }
}

impl Call {
    /// Rejects methods that do not only read.
    pub(super) fn must_only_read(&self) -> Result<(), Problem> {
        match self.method {
            Method::GET | Method::HEAD => Ok(()),
            _ => Err(Problem::method("GET, HEAD")),
        }
    }

    /// Takes a request apart.
    pub(super) fn read(
        request: Request,
        (origins, proxies): (&Origins, &Proxies),
    ) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        check_once(&parts.headers)?;
        check_reason(&parts.headers)?;
        let arrival = parts.extensions.get::<Arrival>();
        if arrival.is_some_and(|arrival| arrival.is_expired) {
            return Err(Problem::forbidden("a valid client certificate is mandatory"));
        }
        let named = Named {
            headers: &parts.headers,
            version: parts.version,
            uri: &parts.uri,
            is_secure: arrival.is_some_and(|arrival| arrival.is_secure),
        };
        let base = origins.base_of(&named)?.into();
        let peer = arrival.map(|arrival| proxies.client(arrival.peer, &parts.headers));
        let path = parts.uri.path().split('/').filter(|piece| !piece.is_empty());
        let path = path.map(decode_piece).collect::<Result<_, _>>()?;
        Ok(Self {
            method: parts.method,
            path,
            query: Query::parse(parts.uri.query().unwrap_or_default())?,
            target: parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            headers: parts.headers,
            base,
            client: parts.extensions.remove(),
            admitted: Admitted::default(),
            peer,
            closing: parts.extensions.remove().unwrap_or_default(),
            gone: Gone::default(),
            place: None,
            content: Content::Coming(Mutex::new(body)),
            room: Room::default(),
        })
    }

    /// Waits for the body, so that the handler needs no client any more.
    pub(super) async fn receive(&mut self, max: Max, bodies: &Bodies) {
        let body = self.take_body();
        let received = body::receive(&self.headers, body, (max, body::PACE), bodies).await;
        self.content = Content::Arrived(received);
    }

    /// The address that its rates are counted by: without a connection the request was made here.
    pub(super) fn address(&self) -> IpAddr {
        self.peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Assigns a place, and a receiver that tells when the client has gone.
    pub(super) fn hand_over(&mut self, place: Option<Place>, gone: Gone) {
        self.place = place;
        self.gone = gone;
    }

    /// Releases the place: the rest of the handler changes nothing.
    pub(super) fn leave_place(&mut self) {
        self.place = None;
    }

    /// The body: any JSON.
    pub(super) fn json(&mut self) -> Result<Value, Problem> {
        match self.json_or_nothing()? {
            Some(value) => Ok(value),
            None => Err(body::missing(&self.headers)),
        }
    }

    /// The body as it came.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, Problem> {
        match std::mem::replace(&mut self.content, Content::Taken) {
            Content::Arrived(received) => {
                let (bytes, room) = received?.bytes();
                self.room = room;
                Ok(bytes)
            }
            Content::Coming(_) | Content::Read(_) | Content::Taken => Ok(Vec::new()),
        }
    }

    /// The body, if there is one.
    pub(super) fn json_or_nothing(&mut self) -> Result<Option<Value>, Problem> {
        match std::mem::replace(&mut self.content, Content::Taken) {
            Content::Arrived(received) => {
                let (mut value, room) = received?.json(&self.headers)?;
                self.room = room;
                if let Some(value) = &mut value {
                    tmf::href::relative(value, &self.base);
                }
                Ok(value)
            }
            Content::Read(value) => Ok(value),
            // Requests that only read ignore their body.
            Content::Coming(_) | Content::Taken => Ok(None),
        }
    }

    /// The body, without taking it.
    pub(super) fn peeked(&mut self) -> Result<Option<&Value>, Problem> {
        if !matches!(self.content, Content::Coming(_)) {
            self.content = Content::Read(self.json_or_nothing()?);
        }
        match &self.content {
            Content::Read(value) => Ok(value.as_ref()),
            Content::Coming(_) | Content::Arrived(_) | Content::Taken => Ok(None),
        }
    }

    /// A text of the body, without taking the body; `None` if it has none, or cannot be read: then the
    /// handler finds that too.
    pub(super) fn text_of(&mut self, name: &str) -> Option<&str> {
        if let Err(problem) = self.peeked() {
            self.content = Content::Arrived(Err(problem));
        }
        match &self.content {
            Content::Read(value) => value.as_ref()?.get(name)?.as_str(),
            Content::Coming(_) | Content::Arrived(_) | Content::Taken => None,
        }
    }

    /// The body as a stream.
    pub(super) fn take_body(&mut self) -> Body {
        match std::mem::replace(&mut self.content, Content::Taken) {
            Content::Coming(body) => body.into_inner().unwrap_or_else(PoisonError::into_inner),
            Content::Arrived(_) | Content::Read(_) | Content::Taken => Body::empty(),
        }
    }

    /// The client's key for this submission, with its scope: two resources never share a key, and no two
    /// identities do.
    pub(super) fn submission(&self, scope: &str) -> Result<Option<String>, Problem> {
        let Some(key) = self.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        let key = key.to_str().unwrap_or_default().trim();
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX || !is_visible {
            let message = format!("is 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters");
            return Err(Problem::bad(message).about("Idempotency-Key"));
        }
        let identity = self.admitted.identity.as_ref();
        let submission = match identity.and_then(|identity| identity.namespace()) {
            Some(namespace) => format!("{namespace}/{scope}/{key}"),
            None => format!("{scope}/{key}"),
        };
        if submission.len() > SUBMISSION_BYTES_MAX {
            let message = format!("together with `{scope}` it is longer than can be kept");
            return Err(Problem::bad(message).about("Idempotency-Key"));
        }
        Ok(Some(submission))
    }

    /// Whether the client is a browser.
    pub(super) fn wants_page(&self) -> bool {
        let accept = self.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    }

    /// Whether the client prefers one media type to another, by its
    /// weights (RFC 9110, 12.5.1).
    pub(super) fn prefers(&self, one: &str, other: &str) -> bool {
        let accept = self.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let accept = accept.unwrap_or_default();
        weight(accept, one) > weight(accept, other)
    }

    /// Whether the client prefers text to JSON.
    pub(super) fn wants_text(&self) -> bool {
        let accept = self.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.trim_start().starts_with("text/plain"))
    }
}

/// Refuses a header that comes several times, of those that have one value (RFC 9110, 5.3).
fn check_once(headers: &HeaderMap) -> Result<(), Problem> {
    let is_repeated = |name: &&str| headers.get_all(*name).iter().nth(1).is_some();
    match ONCE.into_iter().find(is_repeated) {
        Some(name) => Err(Problem::bad("comes more than once: send it once").about(name)),
        None => Ok(()),
    }
}

/// Refuses a reason that is too long, or is no text.
fn check_reason(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(reason) = headers.get(REASON) else { return Ok(()) };
    let text = std::str::from_utf8(reason.as_bytes()).ok();
    match text.filter(|text| text.chars().count() <= REASON_CHARS_MAX) {
        Some(_) => Ok(()),
        None => {
            let message = format!("is a text of at most {REASON_CHARS_MAX} characters");
            Err(Problem::bad(message).about("Audit-Reason"))
        }
    }
}

/// The weight of a media type in an `Accept`, in thousandths: that of the closest range.
fn weight(accept: &str, media_type: &str) -> u32 {
    let kind = media_type.split('/').next().unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let closeness = match name.as_str() {
            name if name == media_type => 3,
            "*/*" => 1,
            name => name.strip_suffix("/*").filter(|name| *name == kind).map(|_| 2)?,
        };
        let q = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
        // Thousandths are whole, and a weight is at most one.
        Some((closeness, (q.unwrap_or(1.0).clamp(0.0, 1.0) * 1_000.0) as u32))
    });
    ranges.max_by_key(|(closeness, _)| *closeness).map_or(0, |(_, weight)| weight)
}

/// A decoded piece of a path.
fn decode_piece(piece: &str) -> Result<String, Problem> {
    match percent_encoding::percent_decode_str(piece).decode_utf8() {
        Ok(Cow::Borrowed(text)) => Ok(text.to_string()),
        Ok(Cow::Owned(text)) => Ok(text),
        Err(_) => Err(Problem::bad("the path is no UTF-8")),
    }
}

/// A time in a response.
pub(super) fn time(at: Timestamp) -> Value {
    Value::String(at.to_string())
}
