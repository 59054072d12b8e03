//! A host for the tests of a plugin, which run natively: it answers what the plugin asks of it with
//! what the test gave it, and records the rest.
//!
//! ```
//! use ferrule_plugin::fake::{Answer, Host};
//! use ferrule_plugin::http::{Method, Request};
//! use serde_json::json;
//!
//! let url = "http://olt.test/ports/1";
//! let host = Host::new()
//!     .setting("element.olt-1", "http://olt.test")
//!     .answer(Method::Put, url, Answer::json(200, &json!({ "vlan": 100 })))
//!     .start();
//! let response = Request::new(Method::Put, url).json(&json!({ "vlan": 100 })).send().unwrap();
//! assert_eq!(response.json().unwrap()["vlan"], 100);
//! assert_eq!(host.requests()[0].url(), url);
//! ```

mod inventory;
pub(crate) mod scratch;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;

use serde_json::Value;

use crate::Failure;
use crate::http::{Error, Method, Request, Response};

pub(crate) use self::inventory::{find, get, search};
pub use crate::bindings::step::ferrule::plugin::log::Level;
use crate::bindings::step::ferrule::plugin::reservation;

thread_local! {
    static RUNNING: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// What the host of a test has. [`Host::start`] takes it into use.
#[derive(Default)]
pub struct Host {
    settings: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    /// Values with the number of the write that wrote them.
    scratch: BTreeMap<String, (Vec<u8>, u32)>,
    scratch_writes: u32,
    documents: BTreeMap<String, BTreeMap<String, Value>>,
    pools: BTreeMap<String, VecDeque<String>>,
    reserved: BTreeMap<(String, String), String>,
    answers: VecDeque<Expected>,
    element: Option<Element>,
    requests: Vec<Request>,
    log: Vec<(Level, String)>,
}

type Element = Box<dyn FnMut(&Request) -> Answer>;

struct Expected {
    method: Method,
    url: String,
    answer: Answer,
}

/// The answer to a request: of an element, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(pub Result<Response, Error>);

impl Answer {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self(Ok(Response { status, headers: Vec::new(), body: Vec::new() }))
    }

    /// An answer with this JSON as its body.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".into(), "application/json".into())];
        Self(Ok(Response { status, headers, body: body.to_string().into_bytes() }))
    }

    /// No answer: the request may have been carried out.
    pub fn lost() -> Self {
        Self(Err(Error::Broken { cause: "ConnectionTerminated".into() }))
    }

    /// No answer in time: the request may have been carried out.
    pub fn late() -> Self {
        Self(Err(Error::Timeout { cause: "ConnectionReadTimeout".into() }))
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response.headers.push((name.to_ascii_lowercase(), value.into()));
        }
        self
    }
}

impl Host {
    /// A host with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a setting of the plugin.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// The same with a secret of the plugin, whose placeholder is `secret-<name>`.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        self.secrets.insert(name.into());
        self
    }

    /// The same with a value in the scratch space of the plugin.
    #[must_use]
    pub fn kept(mut self, key: &str, value: &str) -> Self {
        self.scratch.insert(key.into(), (value.into(), 0));
        self
    }

    /// The same with a document of a kind, such as `service`, in the inventory.
    ///
    /// # Panics
    ///
    /// If the document has no `id`.
    #[must_use]
    pub fn document(mut self, kind: &str, document: Value) -> Self {
        let id = document.get("id").and_then(Value::as_str);
        let id = id.expect("a document of the inventory has an `id`").to_owned();
        self.documents.entry(kind.into()).or_default().insert(id, document);
        self
    }

    /// The same with a pool of these values.
    #[must_use]
    pub fn pool(mut self, name: &str, values: &[&str]) -> Self {
        self.pools.insert(name.into(), values.iter().map(|value| (*value).into()).collect());
        self
    }

    /// The same with an answer to the next request of this method and address. It is given once.
    #[must_use]
    pub fn answer(mut self, method: Method, url: &str, answer: Answer) -> Self {
        self.answers.push_back(Expected { method, url: url.into(), answer });
        self
    }

    /// The same with an element that answers the requests that [`answer`](Self::answer) has no
    /// answer to.
    #[must_use]
    pub fn element(mut self, element: impl FnMut(&Request) -> Answer + 'static) -> Self {
        self.element = Some(Box::new(element));
        self
    }

    /// Makes it the host of the plugins that run on this thread, until what it returns is dropped.
    ///
    /// # Panics
    ///
    /// If another host is running on this thread.
    #[must_use = "the host stops when this is dropped"]
    pub fn start(self) -> Running {
        let before = RUNNING.replace(Some(self));
        assert!(before.is_none(), "another host is running on this thread");
        Running(PhantomData)
    }

    /// Records a request and takes its answer; the element, if it is the one to answer.
    fn take_answer(&mut self, request: &Request) -> Result<Answer, Element> {
        self.requests.push(request.clone());
        let is_it = |one: &Expected| one.method == *request.method() && one.url == request.url();
        let place = self.answers.iter().position(is_it);
        if let Some(expected) = place.and_then(|place| self.answers.remove(place)) {
            return Ok(expected.answer);
        }
        let (method, url) = (request.method(), request.url());
        Err(self
            .element
            .take()
            .unwrap_or_else(|| panic!("there is no answer to {} {url}", method.as_str())))
    }

    fn reserve(&mut self, request: &reservation::Request) -> Result<String, Failure> {
        let reservation::Request { pool, name, .. } = request;
        let place = (pool.clone(), name.clone());
        if let Some(value) = self.reserved.get(&place) {
            return Ok(value.clone());
        }
        let Some(values) = self.pools.get_mut(pool) else {
            return Err(Failure::operator("UNKNOWN_POOL", format!("there is no pool `{pool}`")));
        };
        let Some(value) = values.pop_front() else {
            let message = format!("pool `{pool}` has no free value");
            return Err(Failure::operator("POOL_EXHAUSTED", message));
        };
        self.reserved.insert(place, value.clone());
        Ok(value)
    }
}

/// The host that is running on this thread. It stops when this is dropped.
#[derive(Debug)]
pub struct Running(PhantomData<*const ()>);

impl Running {
    /// The requests that were sent, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        with(|host| host.requests.clone())
    }

    /// The value of a key of the scratch space, as text.
    pub fn scratch(&self, key: &str) -> Option<String> {
        with(|host| host.scratch.get(key).map(|(value, _)| String::from_utf8_lossy(value).into()))
    }

    /// The lines that were logged.
    pub fn log(&self) -> Vec<(Level, String)> {
        with(|host| host.log.clone())
    }

    /// The number of answers that no request has taken.
    pub fn answers_left(&self) -> usize {
        with(|host| host.answers.len())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.take();
    }
}

/// Works on the running host.
fn with<T>(act: impl FnOnce(&mut Host) -> T) -> T {
    RUNNING.with_borrow_mut(|host| {
        let host = host.as_mut();
        act(host.expect("a test starts a host first: `fake::Host::new().start()`"))
    })
}

pub(crate) fn setting(name: &str) -> Option<String> {
    with(|host| host.settings.get(name).cloned())
}

pub(crate) fn secret(name: &str) -> Option<String> {
    with(|host| host.secrets.contains(name).then(|| format!("secret-{name}")))
}

/// Without a running host a line goes nowhere.
pub(crate) fn write(level: Level, message: &str) {
    RUNNING.with_borrow_mut(|host| {
        if let Some(host) = host {
            host.log.push((level, message.to_owned()));
        }
    });
}

pub(crate) fn reserve(request: &reservation::Request) -> Result<reservation::Reserved, Failure> {
    let value = with(|host| host.reserve(request))?;
    Ok(reservation::Reserved { pool: request.pool.clone(), value, attributes: Vec::new() })
}

pub(crate) fn send(request: &Request) -> Result<Response, Error> {
    request.check()?;
    // An element may itself ask the host for something, so it is called without it.
    match with(|host| host.take_answer(request)) {
        Ok(answer) => answer.0,
        Err(mut element) => {
            let answer = element(request);
            with(|host| host.element = Some(element));
            answer.0
        }
    }
}

#[cfg(test)]
mod tests;
