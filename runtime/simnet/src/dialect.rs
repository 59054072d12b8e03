//! Reads calls in the dialect of the element that they go to, and writes the answers.

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::element::{Dialect, Element, Place, find};
use super::network::{Action, Call, Change, Reply, Request, Write};
use super::refusal::Refusal;

#[cfg(test)]
mod tests;

/// Limits on the texts that are kept for each call.
const TEXT_BYTES_MAX: usize = 512;

/// A call as it came over HTTP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) method: &'a Method,
    /// Still url-encoded: an id may contain slashes.
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// What goes around an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Envelope {
    Plain,
    /// JSON-RPC 2.0, with the id of the call.
    Rpc(Value),
}

/// Reads a call. A refusal comes with the envelope that the client understands.
pub(super) fn read(incoming: Incoming<'_>) -> Result<(Request, Envelope), (Refusal, Envelope)> {
    let path = incoming.path.strip_prefix('/').unwrap_or(incoming.path);
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let plain = |refusal| (refusal, Envelope::Plain);
    let element =
        find(name).ok_or_else(|| plain(Refusal::UnknownElement { name: name.to_owned() }))?;
    match element.dialect {
        Dialect::Restconf => {
            let request = read_restconf(element, rest, incoming).map_err(plain)?;
            Ok((request, Envelope::Plain))
        }
        Dialect::Rest => {
            let request = read_rest(element, rest, incoming).map_err(plain)?;
            Ok((request, Envelope::Plain))
        }
        Dialect::JsonRpc => read_rpc(element, rest, incoming),
    }
}

impl Envelope {
    /// The status and the body of an answer.
    pub(super) fn close(&self, reply: Reply) -> (u16, String) {
        match (self, reply) {
            (Self::Plain, Ok(success)) => (success.status, success.body),
            (Self::Plain, Err(refusal)) => (refusal.status(), error(&refusal).to_string()),
            // Put together as text: the body is JSON already.
            (Self::Rpc(id), Ok(success)) => {
                (200, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, success.body))
            }
            (Self::Rpc(id), Err(refusal)) => {
                let error = json!({"code": refusal.rpc_code(), "message": refusal.to_string()});
                let body = json!({"jsonrpc": "2.0", "id": id, "error": error});
                (refusal.rpc_status(), body.to_string())
            }
        }
    }
}

/// The error body of every dialect but JSON-RPC.
pub(super) fn error(refusal: &Refusal) -> Value {
    json!({"error": {"code": refusal.code(), "message": refusal.to_string()}})
}

fn read_restconf(
    element: &'static Element,
    rest: &str,
    incoming: Incoming<'_>,
) -> Result<Request, Refusal> {
    let segment = rest.strip_prefix("restconf/data/").unwrap_or_default();
    let (collection, id) = segment.split_once('=').unwrap_or((segment, ""));
    if collection.is_empty() || segment.contains('/') {
        return Err(unknown_path(element, rest));
    }
    let place = Place {
        element,
        collection: text("the collection", decode(collection)?)?,
        id: text("the id", decode(id)?)?,
    };
    let item = Item(place);
    match incoming.method.as_str() {
        "GET" => Ok(item.get()),
        "DELETE" => item.change("delete", Change::Delete, incoming),
        "PUT" => {
            let config = object(incoming.body)?.to_string();
            item.put(config, incoming)
        }
        "POST" => {
            let config = object(incoming.body)?.to_string();
            item.change("post", Change::Create(config), incoming)
        }
        _ => Err(wrong_method(element, incoming)),
    }
}

fn read_rest(
    element: &'static Element,
    rest: &str,
    incoming: Incoming<'_>,
) -> Result<Request, Refusal> {
    let path = rest.strip_prefix("api/").unwrap_or_default();
    let (collection, id) = match path.split_once('/') {
        Some((collection, id)) => (collection, Some(id)),
        None => (path, None),
    };
    if collection.is_empty() || id.is_some_and(|id| id.contains('/')) {
        return Err(unknown_path(element, rest));
    }
    let collection = text("the collection", decode(collection)?)?;
    let item = |id: String| {
        let id = text("the id", id)?;
        Ok(Item(Place { element, collection, id }))
    };
    match (incoming.method.as_str(), id) {
        ("POST", None) => {
            let body = object(incoming.body)?;
            let id = id_in("the body", &body)?;
            let config = body.to_string();
            item(id)?.change("post", Change::Create(config), incoming)
        }
        ("GET", Some(id)) => Ok(item(decode(id)?)?.get()),
        ("DELETE", Some(id)) => item(decode(id)?)?.change("delete", Change::Delete, incoming),
        ("PUT", Some(id)) => {
            let config = object(incoming.body)?.to_string();
            item(decode(id)?)?.put(config, incoming)
        }
        _ => Err(wrong_method(element, incoming)),
    }
}

fn read_rpc(
    element: &'static Element,
    rest: &str,
    incoming: Incoming<'_>,
) -> Result<(Request, Envelope), (Refusal, Envelope)> {
    if rest != "rpc" {
        return Err((unknown_path(element, rest), Envelope::Plain));
    }
    let anonymous = |refusal| (refusal, Envelope::Rpc(Value::Null));
    if incoming.method != Method::POST {
        return Err(anonymous(wrong_method(element, incoming)));
    }
    let mut body = object(incoming.body).map_err(anonymous)?;
    let id = match body.get_mut("id").map(Value::take) {
        Some(id) if id.is_string() || id.is_number() => id,
        Some(_) | None => {
            let why = "the call has no `id` that is a string or a number";
            return Err(anonymous(Refusal::malformed(why)));
        }
    };
    let envelope = Envelope::Rpc(id);
    match read_method(element, &body, incoming) {
        Ok(request) => Ok((request, envelope)),
        Err(refusal) => Err((refusal, envelope)),
    }
}

fn read_method(
    element: &'static Element,
    body: &Value,
    incoming: Incoming<'_>,
) -> Result<Request, Refusal> {
    if body.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(Refusal::malformed("`jsonrpc` is not \"2.0\""));
    }
    let Some(method) = body.get("method").and_then(Value::as_str) else {
        return Err(Refusal::malformed("the call has no `method`"));
    };
    let Some(params) = body.get("params").filter(|params| params.is_object()) else {
        return Err(Refusal::malformed("`params` is not an object"));
    };
    let unknown = || Refusal::UnknownMethod { method: method.to_owned() };
    let start = method.find(|letter: char| letter.is_ascii_uppercase()).ok_or_else(unknown)?;
    let (verb, thing) = method.split_at(start);
    let config = || params.to_string();
    let change = match verb {
        "get" => None,
        "create" => Some(Change::Create(config())),
        "update" => Some(Change::Update(config())),
        "delete" => Some(Change::Delete),
        _ => return Err(unknown()),
    };
    let id = id_in("`params`", params)?;
    let collection = text("the thing", thing.to_owned())?;
    let item = Item(Place { element, collection, id: text("the id", id)? });
    match change {
        None => Ok(item.read(method.to_owned())),
        Some(change) => item.write(method.to_owned(), change, incoming),
    }
}

/// The place that a call addresses.
struct Item(Place);

impl Item {
    fn get(self) -> Request {
        let operation = format!("get {}", self.0.collection);
        self.read(operation)
    }

    fn put(self, config: String, incoming: Incoming<'_>) -> Result<Request, Refusal> {
        let change = match header(incoming.headers, "x-replace")?.as_deref() {
            Some("true") => Change::Replace(config),
            None | Some("false") => Change::Create(config),
            Some(_) => return Err(Refusal::malformed("`X-Replace` is not true or false")),
        };
        self.change("put", change, incoming)
    }

    fn change(
        self,
        verb: &str,
        change: Change,
        incoming: Incoming<'_>,
    ) -> Result<Request, Refusal> {
        let operation = format!("{verb} {}", self.0.collection);
        self.write(operation, change, incoming)
    }

    fn read(self, operation: String) -> Request {
        Request { place: self.0, action: Action::Read(operation) }
    }

    fn write(
        self,
        operation: String,
        change: Change,
        incoming: Incoming<'_>,
    ) -> Result<Request, Refusal> {
        let key = header(incoming.headers, "idempotency-key")?
            .ok_or_else(|| Refusal::malformed("a write needs the header `Idempotency-Key`"))?;
        let key = text("`Idempotency-Key`", key)?;
        let write = Write {
            call: Call { element: self.0.element.name, operation, key },
            change,
            callback: header(incoming.headers, "x-callback-url")?,
        };
        Ok(Request { place: self.0, action: Action::Write(write) })
    }
}

fn object(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Err(Refusal::malformed("the body is empty"));
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Refusal::Json { why: error.to_string() })?;
    if !value.is_object() {
        return Err(Refusal::malformed("the body is not a JSON object"));
    }
    Ok(value)
}

fn id_in(place: &str, object: &Value) -> Result<String, Refusal> {
    match object.get("id") {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(Value::Number(id)) => Ok(id.to_string()),
        Some(_) => Err(Refusal::malformed(format!("`id` in {place} is not a string or a number"))),
        None => Err(Refusal::malformed(format!("{place} has no `id`"))),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let value = value
        .to_str()
        .map_err(|_| Refusal::malformed(format!("the header `{name}` is not plain ASCII")))?;
    Ok(Some(value.to_owned()))
}

fn text(what: &str, value: String) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(Refusal::malformed(format!("{what} is missing")));
    }
    if value.len() > TEXT_BYTES_MAX {
        return Err(Refusal::malformed(format!("{what} has more than {TEXT_BYTES_MAX} bytes")));
    }
    Ok(value)
}

/// Undoes url-encoding. A plus is a plus: this is a path and not a form.
fn decode(text: &str) -> Result<String, Refusal> {
    let wrong = || Refusal::malformed(format!("`{text}` is not url-encoded UTF-8"));
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            let letter = char::from(bytes.next()?);
            u8::try_from(letter.to_digit(16)?).ok()
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(wrong());
        };
        decoded.push(high << 4 | low);
    }
    String::from_utf8(decoded).map_err(|_| wrong())
}

fn unknown_path(element: &'static Element, path: &str) -> Refusal {
    Refusal::UnknownPath { element: element.name, path: path.to_owned(), dialect: element.dialect }
}

fn wrong_method(element: &'static Element, incoming: Incoming<'_>) -> Refusal {
    Refusal::Method { method: incoming.method.to_string(), dialect: element.dialect }
}
