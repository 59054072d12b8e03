//! The index of the server, as a page for people and as JSON for programs: it links everything
//! else.

use std::fmt::Write as _;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tmf::resource::{Api, Resource, Served};
use tmf::table;

use super::call::Call;
use super::login::{self, Form};
use super::orchestration::OPERATIONS;
use super::problem::Answer;
use super::{ServerState, answer, csrf};
use crate::access::secret::code_of;

/// The state of the server, each path with its content.
const STATE: [(&str, &str); 4] = [
    ("/healthz", "whether it lives"),
    ("/readyz", "whether it takes orders"),
    ("/metrics", "figures, for Prometheus"),
    ("/openapi.json", "every API and version, as OpenAPI"),
];

/// The paths of our own API without an id; those with an id are found from there.
fn orchestration() -> Vec<(String, &'static str)> {
    let operations = OPERATIONS.iter().filter(|operation| operation.method == "GET");
    let whole = operations.filter(|operation| operation.names().next().is_none());
    let paths = whole.map(|operation| (operation.path, operation.summary));
    paths.map(|(path, what)| (format!("/orchestration/v1{path}"), what)).collect()
}

/// Documentation in the repository of the program.
const DOCUMENTATION: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/orchestration-api.md",
    "workflows/README.md",
    "plugins/README.md",
    "wit/README.md",
];

/// The index: a page for a browser, else JSON. The page shows who is logged in.
pub(super) async fn get(server: &ServerState, call: &Call) -> Answer {
    call.must_only_read()?;
    if !call.wants_page() {
        return Ok(answer::json(StatusCode::OK, &listed(&call.base)));
    }
    let people = server.access.people();
    let known = people.and_then(|people| Some((people, login::session_of(people, call)?)));
    let (who, forms_to) = match known {
        None => (String::new(), None),
        Some((people, (secret, record))) => {
            let form = Form { name: &record.name, token: code_of(secret, csrf::PURPOSE) };
            (form.html(server.outside(&call.base)), login::logout_origin(people, &record).await)
        }
    };
    let page = answer::with_type(
        StatusCode::OK,
        "text/html; charset=utf-8",
        page(&call.base, server.outside(&call.base), &who),
    );
    let page = login::with_policy(page, forms_to.as_deref());
    Ok(if who.is_empty() { page } else { login::not_stored(page) })
}

/// The lists of an API, each with its path.
fn lists(api: &'static Api) -> impl Iterator<Item = (&'static Resource, String)> {
    let served = api.resources.iter().filter(|resource| resource.served != Served::V5);
    served.map(move |resource| (resource, api.path(resource)))
}

fn listed(base: &str) -> Value {
    let link = |path: &str, title: &str| json!({ "href": format!("{base}{path}"), "title": title });
    let state = STATE.iter().map(|(path, title)| link(path, title));
    let own = orchestration();
    let own = own.iter().map(|(path, title)| link(path, title));
    let apis = table::APIS.iter().map(|api| {
        let resources = lists(api).map(
            |(resource, path)| json!({ "name": resource.name, "href": format!("{base}{path}") }),
        );
        json!({
            "number": api.number,
            "title": api.title,
            "version": api.version,
            "openapi": format!("{base}/tmf-api/{}/openapi.json", api.number),
            "resources": resources.collect::<Vec<_>>(),
        })
    });
    json!({
        "name": "ferrule",
        "version": env!("CARGO_PKG_VERSION"),
        "state": state.collect::<Vec<_>>(),
        "orchestration": own.collect::<Vec<_>>(),
        "apis": apis.collect::<Vec<_>>(),
        "documentation": DOCUMENTATION,
    })
}

/// The path that links to this tenant of this server begin with.
fn prefix(base: &str) -> &str {
    let place = base.split_once("://").map_or(base, |(_, place)| place);
    place.find('/').map_or("", |at| &place[at..])
}

fn page(base: &str, outside: &str, who: &str) -> String {
    let (prefix, root) = (prefix(base), prefix(outside));
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Ferrule</title>\n\
         <link rel=\"stylesheet\" href=\"",
    );
    page.push_str(root);
    page.push_str("/login/style.css\">\n<h1>Ferrule</h1>\n");
    page.push_str(who);
    page.push_str(
        "<p>Orders come in here, over the APIs below. This page lists what is \
         served; with <code>Accept: application/json</code> it is JSON.</p>\n",
    );
    // Writing to a string cannot fail. Every text here is ours or of the settings: no part of a request is shown.
    page.push_str("<h2>State</h2>\n");
    table_of(&mut page, prefix, STATE);
    page.push_str("<h2>Orchestration</h2>\n");
    table_of(&mut page, prefix, orchestration());
    page.push_str("<h2>TM Forum APIs</h2>\n<table>\n");
    for api in table::APIS {
        let links = lists(api)
            .map(|(resource, path)| format!("<a href=\"{prefix}{path}\">{}</a>", resource.name))
            .collect::<Vec<_>>();
        let _ = writeln!(
            page,
            "<tr><td><a href=\"{prefix}/tmf-api/{}/openapi.json\">TMF{}</a><td>{}<td>{}",
            api.number,
            api.number,
            api.title,
            links.join(", ")
        );
    }
    page.push_str("</table>\n<h2>Documentation</h2>\n<p>In the repository: ");
    let pages = DOCUMENTATION.map(|page| format!("<code>{page}</code>"));
    page.push_str(&pages.join(", "));
    page.push_str(".\n");
    page
}

fn table_of(
    page: &mut String,
    prefix: &str,
    links: impl IntoIterator<Item = (impl AsRef<str>, &'static str)>,
) {
    page.push_str("<table>\n");
    for (path, title) in links {
        let path = path.as_ref();
        let _ = writeln!(page, "<tr><td><a href=\"{prefix}{path}\">{path}</a><td>{title}");
    }
    page.push_str("</table>\n");
}
