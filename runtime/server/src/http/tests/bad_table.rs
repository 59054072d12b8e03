//! What clients get wrong, for every resource of every API: the cases follow from the table. Each is
//! told what is wrong and where, and nothing has changed after it.

use axum::body::Body;
use serde_json::{Map, Value, json};
use tmf::resource::{Operation, Resource, Served};
use tmf::shape::{Kind, Shape, Type, shapes};
use tmf::table;

use super::bench::{BODY_BYTES_MAX, Bench, order};

const JSON: (&str, &str) = ("content-type", "application/json");
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const JSON_PATCH: (&str, &str) = ("content-type", "application/json-patch+json");

/// One resource under test, and what was found wrong with its answers.
struct Bad<'a> {
    bench: &'a Bench,
    resource: &'static Resource,
    path: String,
    findings: &'a mut Vec<String>,
    cases: usize,
}

/// What an answer must be like: its status, and what the attribute that it names begins with.
type Expected<'a> = (u16, &'a str);

#[tokio::test]
async fn every_resource_refuses_bad_documents() {
    each(async |bad| {
        if bad.resource.takes(Operation::Create) {
            bad.documents().await;
            bad.bodies("POST", &bad.path.clone(), JSON).await;
        }
    })
    .await;
}

#[tokio::test]
async fn every_resource_refuses_bad_questions() {
    each(async |bad| bad.questions().await).await;
}

#[tokio::test]
async fn every_resource_refuses_bad_changes() {
    each(async |bad| {
        if bad.resource.takes(Operation::Patch) {
            bad.changes().await;
        }
    })
    .await;
}

#[tokio::test]
async fn no_api_calls_an_address_inside() {
    let bench = Bench::new();
    let before = bench.facts();
    for api in table::APIS {
        let path = format!("/tmf-api/{}/v4/hub", api.base);
        for callback in
            ["http://169.254.169.254/in", "http://10.1.2.3/in", "file:///etc/passwd", "nowhere"]
        {
            let answer = bench.post(&path, &json!({ "callback": callback })).await;
            let status = answer.status.as_u16();
            assert!([400, 422].contains(&status), "{path} {callback}: {status} {}", answer.text);
            assert_eq!(answer.body["referenceError"], "callback", "{path} {callback}");
        }
    }
    assert_eq!(bench.facts(), before);
}

/// Does the same with every resource.
async fn each(look: impl AsyncFn(&mut Bad<'_>)) {
    let bench = Bench::new();
    let mut findings = Vec::new();
    let mut cases = 0;
    for api in table::APIS {
        for resource in api.resources {
            let path = api.path(resource);
            let mut bad = Bad { bench: &bench, resource, path, findings: &mut findings, cases: 0 };
            look(&mut bad).await;
            cases += bad.cases;
        }
    }
    assert!(findings.is_empty(), "{} of {cases}:\n{}", findings.len(), findings.join("\n"));
    assert!(cases > 100, "only {cases} cases");
}

impl Bad<'_> {
    /// Sends a request that must be refused and change nothing.
    async fn refused(
        &mut self,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
        (status, about): Expected<'_>,
    ) {
        self.cases += 1;
        let before = self.bench.facts();
        let answer = self.bench.send(line, headers, Body::from(body.to_string())).await;
        let named = answer.body["referenceError"].as_str().unwrap_or_default();
        let is_error = answer.body["code"] == answer.status.as_u16().to_string().as_str();
        let is_named = named.starts_with(about) || named.replace("[0]", "").starts_with(about);
        let is_place = match serde_json::from_str(body) {
            Ok(sent @ Value::Object(_)) if [400, 409, 422].contains(&status) => {
                named == "$" || leads(&sent, named)
            }
            _ => true,
        };
        if answer.status != status || !is_named || !is_error || !is_place {
            let body: String = body.chars().take(200).collect();
            let text = &answer.text;
            self.findings.push(format!("{line} {body}: not {status} {about}: {text}"));
        }
        if self.bench.facts() != before {
            self.findings.push(format!("{line} {body}: something changed"));
        }
    }

    async fn post(&mut self, body: &Value, expected: Expected<'_>) {
        let line = format!("POST {}", self.path);
        self.refused(&line, &[JSON], &body.to_string(), expected).await;
    }

    /// New documents, each a change of one that is right.
    async fn documents(&mut self) {
        let good = smallest(self.resource);
        for name in self.resource.mandatory {
            self.post(&without(&good, name), (400, name)).await;
        }
        let shape = shapes().object(self.resource.shape);
        for attribute in shape.into_iter().flat_map(|shape| &shape.attributes) {
            if self.resource.server.contains(&attribute.name) {
                continue;
            }
            let is_any = attribute.kinds.iter().any(|kind| kind.item() == Type::Any);
            if !is_any {
                // No attribute is an array of arrays.
                let body = with(&good, attribute.name, json!([[]]));
                self.post(&body, (400, attribute.name)).await;
            }
            for kind in &attribute.kinds {
                self.below(&good, attribute.name, *kind).await;
            }
            if let [Kind::One(Type::Choice(_))] = attribute.kinds.as_slice() {
                let body = with(&good, attribute.name, json!("no such value"));
                self.post(&body, (400, attribute.name)).await;
            }
        }
        if let Some(lifecycle) = self.resource.lifecycle
            && !self.resource.server.contains(&lifecycle.attribute)
            && !lifecycle.knows("no such state")
        {
            let body = with(&good, lifecycle.attribute, json!("no such state"));
            self.post(&body, (400, lifecycle.attribute)).await;
        }
        for reference in self.resource.references {
            let mut body = good.clone();
            refer(&mut body, self.resource.shape, reference.path, "no such thing");
            self.post(&body, (422, reference.path)).await;
        }
    }

    /// Documents with something wrong in one of their parts.
    async fn below(&mut self, good: &Value, name: &'static str, kind: Kind) {
        // What is in version 5 alone has parts with shapes of that version.
        let is_shared = self.resource.served != Served::V5;
        let shape = kind.item().object().and_then(|shape| shapes().object(shape));
        let Some(shape) = shape.filter(|_| is_shared) else { return };
        let is_many = matches!(kind, Kind::Many(_));
        for wrong in &shape.attributes {
            let holds = |kind: &Kind| matches!(kind.item(), Type::Any);
            if wrong.kinds.iter().any(holds) {
                continue;
            }
            let mut part = object(shape);
            part[wrong.name] = json!([[]]);
            let value = if is_many { json!([part]) } else { part };
            self.post(&with(good, name, value), (400, name)).await;
        }
    }

    /// What cannot be read at all.
    async fn bodies(&mut self, method: &str, path: &str, media: (&str, &str)) {
        let line = format!("{method} {path}");
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(60), "]".repeat(60));
        let deeper = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        let large = format!("{{\"x\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
        for (body, status) in [
            ("", 400),
            ("{", 400),
            ("[]", 400),
            ("7", 400),
            (&deep, 400),
            (&deeper, 400),
            (&large, 413),
        ] {
            self.refused(&line, &[media], body, (status, "")).await;
        }
        let text = ("content-type", "text/plain");
        self.refused(&line, &[text], "{}", (415, "Content-Type")).await;
    }

    /// Lists and documents that cannot be.
    async fn questions(&mut self) {
        let (path, resource) = (self.path.clone(), self.resource);
        let none = format!("{path}/no-such-thing");
        if resource.takes(Operation::List) {
            for (query, about) in [
                ("noSuchAttribute=1", "noSuchAttribute"),
                ("id.nosuchoperator=1", "id"),
                ("id.regex=((", "id"),
                ("id.regex=((a{1000}){1000}){1000}", "id"),
                ("filter=$[?(", "filter"),
                ("filter=$[?(@.id=~/((a{1000}){1000}){1000}/)]", "filter"),
                ("offset=-1", "offset"),
                ("limit=many", "limit"),
            ] {
                let query = query.replace('{', "%7B").replace('}', "%7D").replace('[', "%5B");
                self.refused(&format!("GET {path}?{query}"), &[], "", (400, about)).await;
            }
        }
        for (method, place, operation, body) in [
            ("GET", &path, Operation::List, ""),
            ("POST", &path, Operation::Create, "{}"),
            ("GET", &none, Operation::Get, ""),
            ("PATCH", &none, Operation::Patch, "{}"),
            ("DELETE", &none, Operation::Delete, ""),
        ] {
            let line = format!("{method} {place}");
            let is_one = std::ptr::eq(place, &none);
            match resource.takes(operation) {
                false => self.refused(&line, &[MERGE], body, (405, "")).await,
                true if is_one => self.refused(&line, &[MERGE], body, (404, "")).await,
                true => {}
            }
        }
    }

    /// Changes of a document that is there, none of which may be.
    async fn changes(&mut self) {
        let Some(there) = self.there().await else { return };
        let resource = self.resource;
        let id = there["id"].as_str().unwrap_or_default();
        let line = format!("PATCH {}/{id}", self.path);
        for name in resource.fixed {
            let patch = json!({ *name: "another" }).to_string();
            self.refused(&line, &[MERGE], &patch, (400, name)).await;
        }
        if let Some(lifecycle) = resource.lifecycle.filter(|lifecycle| !lifecycle.next.is_empty())
            && !resource.fixed.contains(&lifecycle.attribute)
            && let Some(now) = resource.state_of(&there)
        {
            if !lifecycle.knows("no such state") {
                let patch = json!({ lifecycle.attribute: "no such state" }).to_string();
                self.refused(&line, &[MERGE], &patch, (400, lifecycle.attribute)).await;
            }
            for (state, _) in
                lifecycle.next.iter().filter(|(state, _)| !lifecycle.allows(now, state))
            {
                let patch = json!({ lifecycle.attribute: state }).to_string();
                // A word of version 4 that version 5 does not know.
                let is_unknown = resource.served == Served::V5 && *state == "accepted";
                let status = if is_unknown { 400 } else { 422 };
                self.refused(&line, &[MERGE], &patch, (status, lifecycle.attribute)).await;
            }
        }
        let stale = [MERGE, ("if-match", "\"no such revision\"")];
        self.refused(&line, &stale, r#"{"description":"late"}"#, (412, "")).await;
        for (patch, status) in [
            (r#"{"op":"add"}"#, 400),
            (r#"[{"op":"fly","path":"/name"}]"#, 400),
            (r#"[{"op":"add","path":"name","value":1}]"#, 400),
            (r#"[{"op":"remove","path":"/no/such/place"}]"#, 422),
            (r#"[{"op":"test","path":"/id","value":"another"}]"#, 409),
            (r#"[{"op":"replace","path":"/id","value":"another"}]"#, 400),
        ] {
            self.refused(&line, &[JSON_PATCH], patch, (status, "")).await;
        }
        let path = format!("{}/{id}", self.path);
        self.bodies("PATCH", &path, MERGE).await;
    }

    /// A document of the resource: one that is there, or a new one.
    async fn there(&mut self) -> Option<Value> {
        if self.resource.takes(Operation::List) {
            let first = self.bench.get(&format!("{}?limit=1", self.path)).await;
            if let Some(there) = first.body.get(0) {
                return Some(there.clone());
            }
        }
        if !self.resource.takes(Operation::Create) {
            return None;
        }
        let mut body = smallest(self.resource);
        for reference in self.resource.references {
            let to = self.target(reference.to[0]).await;
            refer(&mut body, self.resource.shape, reference.path, &to);
        }
        let made = self.bench.post(&self.path, &body).await;
        if made.status != 201 {
            self.findings.push(format!("POST {} {body}: {}", self.path, made.text));
            return None;
        }
        Some(made.body)
    }

    /// The id of a new document that can be referred to.
    async fn target(&self, key: &str) -> String {
        let (_, resource) = tmf::table::of_key(key).unwrap();
        let made = self.bench.post(tmf::table::path(key), &smallest(resource)).await;
        assert_eq!(made.status, 201, "{key}: {}", made.text);
        made.body["id"].as_str().unwrap().to_string()
    }
}

/// Whether a path leads to a part of a document, or to one that it could have.
fn leads(document: &Value, path: &str) -> bool {
    let (piece, rest) =
        path.split_once('.').map_or((path, None), |(piece, rest)| (piece, Some(rest)));
    let mut indexes = piece.split('[');
    let name = indexes.next().unwrap_or_default();
    let is_name = !name.is_empty() && !name.contains([' ', '`', ':', '/']);
    let Some(fields) = document.as_object().filter(|_| is_name) else { return false };
    let Some(mut found) = fields.get(name) else { return rest.is_none() };
    for index in indexes {
        let index = index.strip_suffix(']').and_then(|index| index.parse::<usize>().ok());
        match index.and_then(|index| found.get(index)) {
            Some(entry) => found = entry,
            None => return false,
        }
    }
    match (rest, found) {
        (None, _) => true,
        (Some(rest), Value::Array(entries)) => entries.iter().any(|entry| leads(entry, rest)),
        (Some(rest), found) => leads(found, rest),
    }
}

/// The smallest document that a client may create.
pub(super) fn smallest(resource: &Resource) -> Value {
    match resource.key {
        "productOrder" => return order("A"),
        // No plugin allocates it here, so the order stays open.
        "resourceOrder" => {
            let port = json!({ "resourceSpecification": { "id": "RS-OLT-PORT" } });
            return json!({ "orderItem": [{ "id": "1", "action": "add", "resource": port }] });
        }
        // It is held: what its rules read is not given.
        "serviceOrder" => {
            let service = json!({ "serviceSpecification": { "id": "CFS-INTERNET-ACCESS" } });
            let item = json!({ "id": "1", "action": "add", "service": service });
            return json!({ "serviceOrderItem": [item] });
        }
        "checkServiceQualification" => {
            let service = json!({ "serviceSpecification": { "id": "RFS-VLAN" } });
            return json!({ "serviceQualificationItem": [{ "service": service }] });
        }
        "queryProductOfferingQualification" => {
            return json!({ "searchCriteria": { "id": "1", "@type": "QueryProductOfferingQualificationItem" } });
        }
        _ => {}
    }
    let mut body = Map::new();
    let shape = shapes().object(resource.shape);
    for attribute in shape.into_iter().flat_map(|shape| &shape.attributes) {
        let is_mandatory = resource.mandatory.contains(&attribute.name) || attribute.required;
        if is_mandatory && !resource.server.contains(&attribute.name) {
            body.insert(attribute.name.into(), value(attribute.kinds[0], attribute.name));
        }
    }
    if let Some(lifecycle) = resource.lifecycle
        && let Some(state) = body.get_mut(lifecycle.attribute)
        && let Some((first, _)) = lifecycle.next.first()
    {
        *state = json!(first);
    }
    Value::Object(body)
}

fn object(shape: &Shape) -> Value {
    let required = shape.attributes.iter().filter(|attribute| attribute.required);
    let fields = required
        .map(|attribute| (attribute.name.to_string(), value(attribute.kinds[0], attribute.name)));
    Value::Object(fields.collect())
}

/// Something that an attribute may hold.
fn value(kind: Kind, name: &str) -> Value {
    let item = match kind.item() {
        Type::Any | Type::String | Type::Base64 => json!(match name {
            "action" => "add",
            _ => "x",
        }),
        Type::Integer | Type::Number => json!(1),
        Type::Boolean => json!(true),
        Type::DateTime => json!("2026-03-10T10:00:00Z"),
        Type::Date => json!("2026-03-10"),
        Type::Uri => json!("http://example.com/x"),
        Type::Choice(list) => json!(shapes().choice(list)[0]),
        Type::Fields => json!({}),
        Type::Object(shape) => shapes().object(shape).map_or_else(|| json!({}), object),
    };
    match kind {
        Kind::One(_) => item,
        Kind::Many(_) => json!([item]),
    }
}

fn without(body: &Value, name: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove(name);
    body
}

fn with(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}

/// Makes what a path leads to a reference to an id, with all that is needed on the way there.
pub(super) fn refer(body: &mut Value, shape: &str, path: &str, id: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let attribute = shapes().at(shape, name).unwrap_or_else(|| panic!("{shape} has no {name}"));
    if body.get(name).is_none() {
        body[name] = value(attribute.kinds[0], name);
    }
    let Type::Object(below) = attribute.kinds[0].item() else { panic!("{shape}.{name}") };
    let place = match body[name].is_array() {
        true => &mut body[name][0],
        false => &mut body[name],
    };
    match rest {
        Some(rest) => refer(place, below, rest, id),
        None => place["id"] = json!(id),
    }
}
