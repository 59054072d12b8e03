//! Reads collections of Postman, v2.1: requests become operations, variables become settings, saved answers
//! become test cases.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::api::{
    Api, Body, Call, Example, Login, Method, OWN_HEADERS, Operation, Parameter, Place, Problem,
    check_path, is_token, parameter, segments,
};
use super::infer;
use super::json::Json;
use super::kind::{Kind, Property, line};
use super::names::{Taken, camel};
use super::openapi::{is_address, json_problem};

/// Max folders within one another.
const LEVELS_MAX: usize = 16;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Collection {
    info: Info,
    item: Vec<Item>,
    variable: Vec<Pair>,
    auth: Option<Auth>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    name: String,
    schema: String,
}

/// A folder, or a request with its saved answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    name: String,
    item: Option<Vec<Item>>,
    request: Option<Request>,
    response: Vec<Saved>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    method: String,
    url: Option<Url>,
    header: Option<Vec<Pair>>,
    body: Option<Content>,
    auth: Option<Auth>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Url {
    Text(String),
    Parts { raw: String },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pair {
    key: String,
    value: Option<Json>,
    disabled: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    mode: String,
    raw: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Auth {
    #[serde(rename = "type")]
    kind: String,
    apikey: Vec<Pair>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Saved {
    original_request: Option<Request>,
    code: u16,
    body: Option<String>,
}

/// Reads a collection; fails if none of it can be used.
pub(super) fn read(text: &str) -> Result<Api, Problem> {
    let collection: Collection =
        serde_json::from_str(text).map_err(|error| json_problem(&error))?;
    let schema = &collection.info.schema;
    if !schema.contains("/v2.1") {
        let message =
            format!("`{schema}` is no collection of v2.1: export it as `Collection v2.1`");
        return Err(Problem::new("#/info/schema", message));
    }
    let mut reader = Reader {
        variables: collection.variable.iter().map(|one| one.key.as_str()).collect(),
        names: Taken::default(),
        server: None,
        login: collection.auth.as_ref().and_then(login),
        operations: Vec::new(),
    };
    reader.add(&collection.item, "#/item", 0)?;
    if reader.operations.is_empty() {
        return Err(Problem::new("#/item", "the collection has no requests"));
    }
    let value = |name: &str| {
        let found = collection.variable.iter().find(|one| one.key == name)?;
        Some(found.value.as_ref()?.text()?.to_owned())
    };
    let server = match reader.server {
        Some(Base::Variable(name)) => value(&name),
        Some(Base::Address(url)) => Some(url),
        None => None,
    };
    let server = server.filter(|url| is_address(url));
    Ok(Api {
        title: line(&collection.info.name).unwrap_or_else(|| "an API".into()),
        version: String::new(),
        server: server
            .unwrap_or_else(|| super::openapi::SERVER.into())
            .trim_end_matches('/')
            .into(),
        login: reader.login,
        operations: reader.operations,
    })
}

/// What stands before the paths of a collection.
#[derive(Debug)]
enum Base {
    Variable(String),
    Address(String),
}

struct Reader<'a> {
    variables: BTreeSet<&'a str>,
    names: Taken,
    server: Option<Base>,
    login: Option<Login>,
    operations: Vec<Operation>,
}

impl<'a> Reader<'a> {
    fn add(&mut self, items: &'a [Item], place: &str, level: usize) -> Result<(), Problem> {
        if level > LEVELS_MAX {
            let message = format!("folders are more than {LEVELS_MAX} levels deep");
            return Err(Problem::new(place, message));
        }
        for (number, item) in items.iter().enumerate() {
            let place = format!("{place}/{number}");
            if let Some(items) = &item.item {
                self.add(items, &format!("{place}/item"), level + 1)?;
            }
            if let Some(request) = &item.request {
                self.add_request(item, request, &place);
            }
        }
        Ok(())
    }

    fn add_request(&mut self, item: &'a Item, request: &'a Request, place: &str) {
        let mut name = camel(&item.name, "Request");
        name[..1].make_ascii_lowercase();
        let id = self.names.unique_type(&name);
        let raw = match &request.url {
            Some(Url::Text(raw) | Url::Parts { raw }) => raw,
            None => "",
        };
        let methods = [Method::Get, Method::Put, Method::Post, Method::Patch, Method::Delete];
        let method = methods.into_iter().find(|one| one.name() == request.method);
        let (base, path, query) = split(raw);
        if self.server.is_none() {
            self.server = base;
        }
        if self.login.is_none() {
            self.login = request.auth.as_ref().and_then(login);
        }
        let call = match method {
            Some(_) => self.call(item, request, &path, query),
            None => {
                Err(format!("the method `{}` is not one that an adapter sends", request.method))
            }
        };
        self.operations.push(Operation {
            id: Some(id),
            method: method.unwrap_or(Method::Get),
            path,
            call: call.map_err(|message| Problem::new(place, message)),
        });
    }

    fn call(
        &self,
        item: &Item,
        request: &Request,
        path: &str,
        query: &str,
    ) -> Result<Call, String> {
        check_path(path)?;
        let mut call = Call { about: line(&item.name), ..Call::default() };
        for name in segments(path).into_iter().filter_map(parameter) {
            let setting = self.variables.contains(name).then(|| name.to_owned());
            call.parameters.push(Parameter {
                place: Place::Path,
                property: text(name, true),
                setting,
            });
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.add_parameter(&mut call, Place::Query, name, value);
        }
        for header in request.header.iter().flatten().filter(|header| !header.disabled) {
            let value = header.value.as_ref().and_then(Json::text).unwrap_or_default();
            let name = header.key.to_ascii_lowercase();
            if is_token(&name) && !OWN_HEADERS.contains(&name.as_str()) {
                self.add_parameter(&mut call, Place::Header, &header.key, value);
            }
            call.takes_key |= name == "idempotency-key";
        }
        let own = request.body.as_ref().map(body).transpose()?.flatten();
        for saved in item.response.iter().filter(|saved| (200..300).contains(&saved.code)) {
            call.is_accepted |= saved.code == 202;
            let answer =
                saved.body.as_ref().and_then(|body| serde_json::from_str::<Json>(body).ok());
            let Some(answer) = answer else { continue };
            let sent = saved.original_request.as_ref().and_then(|request| request.body.as_ref());
            let sent = sent.and_then(|sent| body(sent).ok().flatten()).or_else(|| own.clone());
            let kind = infer::top(&answer);
            call.answer = Some(match call.answer.take() {
                Some(known) => infer::merged(known, kind),
                None => kind,
            });
            call.examples.push(Example { body: sent, status: saved.code, answer });
        }
        let sent = call.examples.iter().filter_map(|example| example.body.as_ref());
        let kinds = own.iter().chain(sent).map(|body| infer::kind("body", body));
        call.body = kinds.reduce(infer::merged).map(|kind| Body {
            kind,
            is_mandatory: true,
            media: "application/json".into(),
        });
        Ok(call)
    }

    /// Adds a parameter: one whose value is a variable of the collection is a setting.
    fn add_parameter(&self, call: &mut Call, place: Place, name: &str, value: &str) {
        let is_known = |one: &Parameter| one.place == place && one.property.name == name;
        if call.parameters.iter().any(is_known) {
            return;
        }
        let variable = variable(value).filter(|name| self.variables.contains(name));
        let setting = variable.map(str::to_owned);
        let is_mandatory = setting.is_some();
        call.parameters.push(Parameter { place, property: text(name, is_mandatory), setting });
    }
}

fn text(name: &str, is_mandatory: bool) -> Property {
    Property { name: name.into(), kind: Kind::Text, is_mandatory, about: None }
}

/// The base of an address, its path as a template, and its query.
fn split(raw: &str) -> (Option<Base>, String, &str) {
    let raw = raw.split('#').next().unwrap_or_default();
    let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
    let (base, path) = if let Some((name, rest)) =
        address.strip_prefix("{{").and_then(|rest| rest.split_once("}}"))
    {
        (Some(Base::Variable(name.into())), rest)
    } else if let Some((scheme, rest)) = address.split_once("://") {
        let end = rest.find('/').unwrap_or(rest.len());
        (Some(Base::Address(format!("{scheme}://{}", &rest[..end]))), &rest[end..])
    } else {
        (None, address)
    };
    let segment = |segment: &str| match segment.strip_prefix(':').or_else(|| variable(segment)) {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(segment).collect();
    (base, path.join("/"), query)
}

/// The name of a variable that is the whole text.
fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("{{")?.strip_suffix("}}")
}

/// The body of a request as JSON; variables in it are texts that the input gives.
fn body(content: &Content) -> Result<Option<Json>, String> {
    if content.mode.is_empty() || content.raw.trim().is_empty() && content.mode == "raw" {
        return Ok(None);
    }
    if content.mode != "raw" {
        return Err(format!("its body is no JSON but `{}`", content.mode));
    }
    let read = serde_json::from_str(&content.raw);
    let read = read.or_else(|_| serde_json::from_str(&quoted(&content.raw)));
    read.map(Some).map_err(|error| format!("its body is no JSON: {error}"))
}

/// Puts variables that stand for numbers or objects into quotes.
fn quoted(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    let mut is_text = false;
    while let Some(place) = rest.find("{{") {
        let (before, after) = rest.split_at(place);
        is_text ^= before.matches('"').count() % 2 == 1;
        let end = after.find("}}").map_or(after.len(), |end| end + 2);
        let mark = if is_text { "" } else { "\"" };
        text.push_str(before);
        text.push_str(&format!("{mark}{}{mark}", &after[..end]));
        rest = &after[end..];
    }
    text + rest
}

fn login(auth: &Auth) -> Option<Login> {
    let header = |setting: &str, prefix| Login {
        setting: setting.into(),
        place: Place::Header,
        name: "authorization".into(),
        prefix,
    };
    match auth.kind.as_str() {
        "bearer" | "oauth2" => Some(header("token", "Bearer ")),
        "basic" => Some(header("credentials", "Basic ")),
        "apikey" => {
            let value = |key: &str| {
                let found = auth.apikey.iter().find(|one| one.key == key)?;
                found.value.as_ref()?.text()
            };
            let name = value("key").filter(|name| is_token(name))?.to_owned();
            let place = if value("in") == Some("query") { Place::Query } else { Place::Header };
            Some(Login { setting: "api-key".into(), place, name, prefix: "" })
        }
        _ => None,
    }
}
