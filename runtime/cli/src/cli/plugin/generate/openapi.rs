//! Reads OpenAPI 3.0 and 3.1 and Swagger 2.0, as JSON or YAML.

use std::collections::BTreeMap;

use super::api::{
    Api, Body, Call, CallbackAt, Login, Method, Operation, Parameter, Place, Problem, check_path,
};
use super::api::{OWN_HEADERS, is_token, parameter, segments};
use super::document::{self, Document, Media, Schema, Scheme};
use super::kind::{Kind, Property, line};
use super::schema::{Reader, Way, find};

/// The address of a description that has none.
pub(super) const SERVER: &str = "http://10.0.0.7:8080";

/// Max levels of a file.
const DEPTH_MAX: usize = 100;

/// Reads a description; fails if none of it can be used.
pub(super) fn read(text: &str) -> Result<Api, Problem> {
    let document = parse(text)?;
    check_version(&document)?;
    if document.paths.is_empty() {
        return Err(Problem::new("#/paths", "the description has no operations"));
    }
    let reader = Description { document: &document };
    Ok(Api {
        title: document.info.title.as_deref().and_then(line).unwrap_or_else(|| "an API".into()),
        version: document.info.version.as_deref().and_then(line).unwrap_or_default(),
        server: reader.server(),
        login: reader.login(),
        operations: reader.operations(),
    })
}

/// Max nodes of a file in YAML, those behind aliases included: a file of 8 MiB has fewer without aliases.
const NODES_MAX: usize = 2_000_000;

/// Bytes of the stack that a file is read on: one with many levels takes more than a thread usually has.
const STACK_BYTES: usize = 64 << 20;

fn parse(text: &str) -> Result<Document, Problem> {
    let unread = || Problem::new("the file", "it cannot be read on this machine");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, || parse_here(text)).map_err(|_| unread())?;
        thread.join().unwrap_or_else(|_| Err(unread()))
    })
}

fn parse_here(text: &str) -> Result<Document, Problem> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| json_problem(&error));
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 2 * NODES_MAX,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place =
            error.location().map(|at| format!("line {}, column {}", at.line(), at.column()));
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default().to_owned();
        Problem::new(place.unwrap_or_else(|| "the file".into()), message)
    })
}

/// A mistake in JSON with its place.
pub(super) fn json_problem(error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Problem::new(format!("line {}, column {}", error.line(), error.column()), message)
}

fn check_version(document: &Document) -> Result<(), Problem> {
    let known = "it must be `openapi: 3.0.x` or `3.1.x`, or `swagger: \"2.0\"`";
    match (document.openapi.as_deref(), document.swagger.as_deref()) {
        (Some(version), None) if version.starts_with("3.0") || version.starts_with("3.1") => Ok(()),
        (None, Some("2.0" | "2")) => Ok(()),
        (Some(version), None) => {
            Err(Problem::new("#/openapi", format!("version `{version}` is not known: {known}")))
        }
        (None, Some(version)) => {
            Err(Problem::new("#/swagger", format!("version `{version}` is not known: {known}")))
        }
        (None, None) => {
            Err(Problem::new("#", format!("this is no description of an API: {known}")))
        }
        (Some(_), Some(_)) => Err(Problem::new("#", "it is both OpenAPI and Swagger")),
    }
}

/// A description that could be parsed.
struct Description<'a> {
    document: &'a Document,
}

impl<'a> Description<'a> {
    /// The first server that is an address, with the defaults of its variables.
    fn server(&self) -> String {
        let document = self.document;
        let path = document.base_path.as_deref().unwrap_or_default();
        let scheme =
            if document.schemes.iter().any(|one| one == "https") { "https" } else { "http" };
        let own = document.host.iter().map(|host| format!("{scheme}://{host}{path}"));
        let listed = document.servers.iter().map(|server| {
            let variables = server.variables.iter();
            variables.fold(server.url.to_owned(), |url, (name, variable)| {
                url.replace(&format!("{{{name}}}"), &variable.default)
            })
        });
        let mut servers = listed.chain(own).map(|url| match url.starts_with('/') {
            true => format!("{SERVER}{url}"),
            false => url,
        });
        let found = servers.find(|url| is_address(url));
        let server = found.unwrap_or_else(|| format!("{SERVER}{path}"));
        server.trim_end_matches('/').to_owned()
    }

    /// The first way to log in that the description asks for and that a setting can fill.
    fn login(&self) -> Option<Login> {
        let document = self.document;
        let asked = document.security.iter().flat_map(BTreeMap::keys);
        let all =
            document.components.security_schemes.keys().chain(document.security_definitions.keys());
        let mut names = asked.chain(all);
        names.find_map(|name| {
            let schemes = &document.components.security_schemes;
            let scheme = schemes.get(name).or_else(|| document.security_definitions.get(name))?;
            login(scheme)
        })
    }

    fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in &self.document.paths {
            let of_path = [
                (Method::Get, &item.get),
                (Method::Put, &item.put),
                (Method::Post, &item.post),
                (Method::Patch, &item.patch),
                (Method::Delete, &item.delete),
            ];
            for (method, operation) in of_path {
                let Some(operation) = operation else { continue };
                let pointer = path.replace('~', "~0").replace('/', "~1");
                let place = format!("#/paths/{pointer}/{}", method.name().to_ascii_lowercase());
                let call = self.call(path, item, operation);
                operations.push(Operation {
                    id: operation
                        .operation_id
                        .as_deref()
                        .filter(|id| !id.is_empty())
                        .map(Into::into),
                    method,
                    path: path.into(),
                    call: call.map_err(|message| Problem::new(place, message)),
                });
            }
        }
        operations
    }

    fn call(
        &self,
        path: &str,
        item: &'a document::Path,
        operation: &'a document::Operation,
    ) -> Result<Call, String> {
        check_path(path)?;
        if item.reference.is_some() {
            return Err("a path that is a `$ref` is not read: write it out".into());
        }
        let mut call =
            Call { about: operation.summary.as_deref().and_then(line), ..Call::default() };
        let mut listed: BTreeMap<(&str, &str), &document::Parameter> = BTreeMap::new();
        for parameter in item.parameters.iter().chain(&operation.parameters) {
            let parameter = self.parameter(parameter)?;
            listed.insert((&parameter.place, &parameter.name), parameter);
        }
        for parameter in listed.into_values() {
            self.add_parameter(parameter, &mut call)?;
        }
        let is_named = |call: &Call, name: &str| {
            call.parameters.iter().any(|one| one.place == Place::Path && one.property.name == name)
        };
        call.parameters.retain(|one| {
            one.place != Place::Path
                || segments(path)
                    .into_iter()
                    .any(|part| parameter(part) == Some(&one.property.name))
        });
        for name in segments(path).into_iter().filter_map(parameter) {
            if !is_named(&call, name) {
                let kind = Kind::Text;
                let property =
                    Property { name: name.into(), kind, is_mandatory: true, about: None };
                call.parameters.push(Parameter { place: Place::Path, property, setting: None });
            }
        }
        if let Some(body) = &operation.request_body {
            call.body = self.body(body)?;
        }
        self.add_answer(operation, &mut call)?;
        Ok(call)
    }

    fn parameter(
        &self,
        parameter: &'a document::Parameter,
    ) -> Result<&'a document::Parameter, String> {
        let Some(reference) = &parameter.reference else { return Ok(parameter) };
        let folders = [
            ("#/components/parameters/", &self.document.components.parameters),
            ("#/parameters/", &self.document.parameters),
        ];
        let (found, _) = find(reference, &folders)?;
        match found.reference {
            None => Ok(found),
            Some(_) => Err(format!("`$ref` `{reference}` leads to another `$ref`")),
        }
    }

    fn add_parameter(
        &self,
        parameter: &'a document::Parameter,
        call: &mut Call,
    ) -> Result<(), String> {
        let name = &parameter.name;
        let place = match parameter.place.as_str() {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => {
                call.takes_key |= name.eq_ignore_ascii_case("idempotency-key");
                return Ok(());
            }
            "header" => Place::Header,
            "body" => {
                let kind = match &parameter.schema {
                    Some(schema) => {
                        Reader::new(self.document, Way::Request).kind(schema, "body")?
                    }
                    None => Kind::Any,
                };
                let media = "application/json".into();
                call.body = Some(Body { kind, is_mandatory: parameter.required, media });
                return Ok(());
            }
            other if !parameter.required => {
                call.left_out.push(format!("{other} parameter `{name}`"));
                return Ok(());
            }
            other => {
                return Err(format!(
                    "the mandatory parameter `{name}` in `{other}` cannot be sent"
                ));
            }
        };
        let kind = match (&parameter.schema, parameter.kind.as_deref()) {
            (Some(schema), _) => Reader::new(self.document, Way::Request).top(schema)?,
            (None, Some("integer")) => Kind::Integer,
            (None, Some("number")) => Kind::Number,
            (None, Some("boolean")) => Kind::Boolean,
            (None, Some("array")) => Kind::List(Box::new(Kind::Text)),
            (None, _) => Kind::Text,
        };
        let kind = kind.into_parameter();
        let is_sent = kind.is_scalar() || kind.is_scalars() && place == Place::Query;
        let is_sent = is_sent && (place != Place::Header || is_token(name));
        if !is_sent && !parameter.required && place != Place::Path {
            call.left_out.push(format!("{} parameter `{name}`", place.name()));
            return Ok(());
        }
        if !is_sent {
            return Err(format!(
                "the mandatory {} parameter `{name}` cannot be sent",
                place.name()
            ));
        }
        let is_mandatory = parameter.required || place == Place::Path;
        let about = parameter.description.as_deref().and_then(line);
        let property = Property { name: name.into(), kind, is_mandatory, about };
        call.parameters.push(Parameter { place, property, setting: None });
        Ok(())
    }

    fn body(&self, body: &'a document::Body) -> Result<Option<Body>, String> {
        let body = match &body.reference {
            Some(reference) => {
                let bodies = &self.document.components.request_bodies;
                find(reference, &[("#/components/requestBodies/", bodies)])?.0
            }
            None => body,
        };
        let Some((media, content)) = json(&body.content) else {
            if body.content.is_empty() || !body.required {
                return Ok(None);
            }
            let media: Vec<&str> = body.content.keys().map(String::as_str).collect();
            return Err(format!("its body is no JSON but `{}`", media.join("`, `")));
        };
        let kind = match &content.schema {
            Some(schema) => Reader::new(self.document, Way::Request).kind(schema, "body")?,
            None => Kind::Any,
        };
        Ok(Some(Body { kind, is_mandatory: body.required, media: media.into() }))
    }

    fn add_answer(
        &self,
        operation: &'a document::Operation,
        call: &mut Call,
    ) -> Result<(), String> {
        call.is_accepted = operation.responses.contains_key("202");
        let expressions = operation.callbacks.values().flat_map(BTreeMap::keys);
        let mut known = expressions.filter_map(|expression| CallbackAt::read(expression));
        call.callback = known.next();
        if let Some(callback) = &call.callback {
            call.parameters.retain(|parameter| !callback.is(parameter));
        }
        let is_success = |status: &str| status.starts_with('2') || status == "default";
        // The text order has `200` before `2XX` and `default`.
        for (status, response) in
            operation.responses.iter().filter(|(status, _)| is_success(status))
        {
            let response = match &response.reference {
                Some(reference) => {
                    let folders = [
                        ("#/components/responses/", &self.document.components.responses),
                        ("#/responses/", &self.document.responses),
                    ];
                    find(reference, &folders)?.0
                }
                None => response,
            };
            let of_media = json(&response.content).and_then(|(_, media)| media.schema.as_ref());
            let schema: Option<&Schema> = of_media.or(response.schema.as_ref());
            if let Some(schema) = schema.filter(|_| status != "default") {
                call.answer = Some(Reader::new(self.document, Way::Answer).top(schema)?);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The first medium that is JSON; one that names no other is sent as such.
fn json(content: &BTreeMap<String, Media>) -> Option<(&str, &Media)> {
    let mut media = content.iter().filter_map(|(name, media)| {
        let base = name.split(';').next().unwrap_or_default().trim();
        match base {
            "*/*" => Some(("application/json", media)),
            "application/json" => Some((base, media)),
            _ if base.ends_with("+json") && base.chars().all(|char| char.is_ascii_graphic()) => {
                Some((base, media))
            }
            _ => None,
        }
    });
    let first = media.next()?;
    Some(media.find(|(name, _)| *name == "application/json").unwrap_or(first))
}

fn login(scheme: &Scheme) -> Option<Login> {
    let header = |setting: &str, prefix| {
        let (place, name) = (Place::Header, "authorization".to_owned());
        Some(Login { setting: setting.into(), place, name, prefix })
    };
    let kind = scheme.kind.as_str();
    let basic = scheme.scheme.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("basic"));
    match kind {
        "basic" => header("credentials", "Basic "),
        "http" if basic => header("credentials", "Basic "),
        "http" | "oauth2" | "openIdConnect" => header("token", "Bearer "),
        "apiKey" => {
            let name = scheme.name.as_deref().filter(|name| is_token(name))?.to_owned();
            let place = match scheme.place.as_deref()? {
                "header" => Place::Header,
                "query" => Place::Query,
                _ => return None,
            };
            Some(Login { setting: "api-key".into(), place, name, prefix: "" })
        }
        _ => None,
    }
}

/// Whether a text is an address that a grant can name.
pub(super) fn is_address(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._~:/%".contains(char);
    let is_host =
        host.starts_with(|char: char| char.is_ascii_alphanumeric()) && !host.ends_with(':');
    ["http", "https"].contains(&scheme)
        && is_host
        && rest.chars().all(is_plain)
        && !rest.contains("//")
}
