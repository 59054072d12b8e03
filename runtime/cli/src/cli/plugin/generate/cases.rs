//! The test cases of an adapter: one file, which the tests of every language read.

use serde::Serialize;
use serde_json::json;

use super::api::{CallbackAt, Example, Method, Place};
use super::json::Json;
use super::kind::{Kind, Property};
use super::plan::{Accepted, Adapter, Answer, Given, Piece, Planned, Probe, Undo};

/// The address to call back in tests.
const CALLBACK: &str = "http://localhost/callback/key-1";

/// The address of the element in tests.
const ELEMENT: &str = "http://element.test";

/// A case of an operation.
#[derive(Serialize)]
struct Case<'a> {
    operation: &'a str,
    input: Json,
    request: Request,
    answer: Answered,
    outputs: Json,
    /// The request that undoes it; `null` if there is none.
    undo: Option<Request>,
    /// Why it cannot be undone.
    #[serde(rename = "undoUndecided")]
    undo_undecided: bool,
    /// What an answer 202 leads to: `done`, the code of a failure, or the key that is waited under.
    accepted: &'static str,
    probes: Vec<Probed>,
}

#[derive(Serialize)]
struct Request {
    method: &'static str,
    url: String,
    body: Option<Json>,
}

#[derive(Serialize)]
struct Answered {
    status: u16,
    body: Option<Json>,
}

#[derive(Serialize)]
struct Probed {
    /// The request that is sent; `null` if there is none.
    request: Option<Request>,
    answer: Option<Answered>,
    finding: &'static str,
}

/// The cases of all operations, as JSON.
pub(super) fn cases(adapter: &Adapter) -> String {
    let cases: Vec<Case<'_>> = adapter.operations.iter().flat_map(|one| of(adapter, one)).collect();
    Json(json!(cases)).pretty()
}

fn of<'a>(adapter: &Adapter, planned: &'a Planned) -> Vec<Case<'a>> {
    // An answer 202 is not the one that the work ends with.
    let is_whole = |example: &&Example| example.status != 202 || planned.method == Method::Get;
    let examples: Vec<&Example> = planned.examples.iter().filter(is_whole).collect();
    if examples.is_empty() {
        let body = planned.body.as_ref().map(|body| Json::sample("value", &body.kind));
        let answer = sample_answer(&planned.answer);
        let status = if planned.method == Method::Post { 201 } else { 200 };
        return vec![case(adapter, planned, body, status, answer)];
    }
    let cases = examples.into_iter().map(|example| {
        let body =
            planned.body.as_ref().map(|_| example.body.clone().unwrap_or_else(|| Json(json!({}))));
        case(adapter, planned, body, example.status, Some(example.answer.clone()))
    });
    cases.collect()
}

fn case<'a>(
    adapter: &Adapter,
    planned: &'a Planned,
    body: Option<Json>,
    status: u16,
    answer: Option<Json>,
) -> Case<'a> {
    let mut input = json!({ "element": "main" });
    for given in planned.given.iter().filter(|one| one.setting.is_none()) {
        input[&given.property.name] = value(given).0;
    }
    let mut sent = body.clone();
    if let Some(body) = body {
        input["body"] = body.0;
    }
    if let (Some(key), Some(sent)) = (&planned.key_property, &mut sent)
        && sent.0.get(key).is_none()
    {
        sent.0[key] = json!("key-1");
    }
    let asked = sent.clone();
    if let (Accepted::CalledBack(CallbackAt::Body(name)), Some(sent)) =
        (&planned.accepted, &mut sent)
    {
        sent.0[name] = json!(CALLBACK);
    }
    let url = format!("{}{}", address(planned, &planned.address, ""), query(adapter, planned));
    let outputs = outputs(&planned.answer, answer.as_ref());
    let id = |name: &str| match &outputs.0[name] {
        id if id.is_string() => id.as_str().unwrap_or_default().to_owned(),
        id => id.to_string(),
    };
    let undo = match &planned.undo {
        Undo::Delete(path) => {
            let name = path.iter().find_map(|piece| match piece {
                Piece::Id(name) => Some(id(name)),
                Piece::Text(_) | Piece::Given(_) => None,
            });
            let url = address(planned, path, &name.unwrap_or_default());
            Some(Request { method: "DELETE", url: url + &login(adapter), body: None })
        }
        Undo::Nothing | Undo::Undecided(_) => None,
    };
    Case {
        operation: &planned.key,
        probes: probes(adapter, planned, asked.as_ref(), answer.as_ref()),
        input: Json(json!({ &planned.key: input })),
        request: Request { method: planned.method.name(), url, body: sent },
        answer: Answered { status, body: answer },
        outputs,
        undo,
        undo_undecided: matches!(planned.undo, Undo::Undecided(_)),
        accepted: match planned.accepted {
            Accepted::Answer => "done",
            Accepted::Probed => "ELEMENT_ACCEPTED",
            Accepted::CalledBack(_) => "key-1",
            Accepted::Undecided => "ACCEPTED_UNDECIDED",
        },
    }
}

/// The answers to a probe, and what each means.
fn probes(
    adapter: &Adapter,
    planned: &Planned,
    sent: Option<&Json>,
    answer: Option<&Json>,
) -> Vec<Probed> {
    let get = |path: &[Piece], query: String| {
        let url = format!("{}{query}{}", address(planned, path, ""), login_after(adapter, &query));
        Some(Request { method: "GET", url, body: None })
    };
    let probed = |request, status, body: Option<Json>, finding| Probed {
        request,
        answer: Some(Answered { status, body }),
        finding,
    };
    let none = |finding| vec![Probed { request: None, answer: None, finding }];
    match &planned.probe {
        Probe::Again(_) => none("not-applied"),
        Probe::Undecided(_) => none("undecided"),
        Probe::Gone(path) => vec![
            probed(get(path, String::new()), 404, None, "applied"),
            probed(get(path, String::new()), 200, Some(Json(json!({}))), "not-applied"),
        ],
        Probe::Compare(path) => {
            let mut there = finished(planned, object(answer)).0;
            let asked = sent.and_then(|sent| sent.0.as_object());
            for (name, value) in asked.into_iter().flatten() {
                there[name] = value.clone();
            }
            vec![
                probed(get(path, String::new()), 200, Some(Json(there)), "applied"),
                probed(get(path, String::new()), 404, None, "not-applied"),
            ]
        }
        Probe::Listed(path, key) => {
            let mut entry = finished(planned, object(answer)).0;
            entry[key] = sent.map_or_else(|| json!("key-1"), |sent| sent.0[key].clone());
            let query = || format!("?{key}={}", escaped(entry[key].as_str().unwrap_or_default()));
            vec![
                probed(get(path, query()), 200, Some(Json(json!([entry]))), "applied"),
                probed(get(path, query()), 200, Some(Json(json!([]))), "not-applied"),
            ]
        }
    }
}

/// The document of work that is done, where it may go on after its answer.
fn finished(planned: &Planned, mut document: Json) -> Json {
    for name in ["state", "status"] {
        if planned.is_accepted && document.0[name].is_string() {
            document.0[name] = json!("done");
        }
    }
    document
}

/// An answer, or an empty object if it is none.
fn object(answer: Option<&Json>) -> Json {
    let object = answer.filter(|answer| answer.0.is_object());
    object.cloned().unwrap_or_else(|| Json(json!({})))
}

/// An answer that has the properties by which work is found.
fn sample_answer(answer: &Answer) -> Option<Json> {
    match answer {
        Answer::None => None,
        Answer::Whole("items") => Some(Json(json!([]))),
        Answer::Whole(_) => Some(Json(json!("value"))),
        Answer::Object(properties) => {
            let mut sample = json!({});
            let scalars = properties.iter().filter(|one| one.kind.is_scalar());
            for property in scalars {
                sample[&property.name] = Json::sample(&property.name, &property.kind).0;
            }
            Some(Json(sample))
        }
    }
}

/// The outputs that an answer gives: those of its properties that the adapter knows.
fn outputs(kind: &Answer, answer: Option<&Json>) -> Json {
    let answer = match (kind, answer) {
        (Answer::Whole(name), Some(answer)) => return Json(json!({ *name: answer })),
        (Answer::Object(_), Some(answer)) => answer,
        (Answer::None, _) | (_, None) => return Json(json!({})),
    };
    let mut outputs = json!({});
    for Property { name, .. } in kind.properties() {
        if let Some(value) = answer.0.get(&name).filter(|value| !value.is_null()) {
            outputs[name] = value.clone();
        }
    }
    Json(outputs)
}

fn value(given: &Given) -> Json {
    match given.setting {
        Some(_) => Json(json!("secret")),
        None => Json::sample(&given.property.name, &given.property.kind),
    }
}

fn address(planned: &Planned, pieces: &[Piece], id: &str) -> String {
    let mut url = ELEMENT.to_owned();
    for piece in pieces {
        match piece {
            Piece::Text(text) => url.push_str(text),
            Piece::Given(place) => {
                url = format!("{url}/{}", escaped(&plain(&value(&planned.given[*place]))));
            }
            Piece::Id(_) => url = format!("{url}/{}", escaped(id)),
        }
    }
    url
}

fn query(adapter: &Adapter, planned: &Planned) -> String {
    let mut parts = Vec::new();
    for given in planned.given.iter().filter(|one| one.place == Place::Query) {
        let value = value(given);
        let is_list = matches!(given.property.kind, Kind::List(_));
        let one = if is_list { plain(&Json(value.0[0].clone())) } else { plain(&value) };
        parts.push(format!("{}={}", escaped(&given.wire), escaped(&one)));
    }
    if let Accepted::CalledBack(CallbackAt::Query(name)) = &planned.accepted {
        parts.push(format!("{}={}", escaped(name), escaped(CALLBACK)));
    }
    let query = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
    let login = login_after(adapter, &query);
    query + &login
}

/// The parameter that authorises a request, after a query.
fn login_after(adapter: &Adapter, query: &str) -> String {
    let is_query = |login: &&super::api::Login| login.place == Place::Query;
    let Some(login) = adapter.login.as_ref().filter(is_query) else { return String::new() };
    let mark = if query.is_empty() { '?' } else { '&' };
    format!("{mark}{}=secret", escaped(&login.name))
}

fn login(adapter: &Adapter) -> String {
    login_after(adapter, "")
}

fn plain(value: &Json) -> String {
    value.text().map_or_else(|| value.0.to_string(), str::to_owned)
}

/// A text as a part of an address.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
