//! What is served, as a page for people and as JSON for programs: who opens the printed address
//! finds the way from here.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::Response;
use model::resource::{Api, Resource, Served, table};
use serde_json::{Value, json};

use super::answer;
use super::call::Call;

/// A link, with what is behind it.
type Link = (&'static str, &'static str);

/// The state of the server.
const STATE: [Link; 4] = [
    ("/healthz", "whether it lives"),
    ("/readyz", "whether it takes orders"),
    ("/metrics", "figures, for Prometheus"),
    ("/openapi.json", "every API, as OpenAPI"),
];

/// The lists of the orchestration API; what has an id is found from there.
const ORCHESTRATION: [Link; 10] = [
    ("/orchestration/v1/packs", "the packs: what can be ordered"),
    ("/orchestration/v1/workflows", "the workflows, and where they are run"),
    ("/orchestration/v1/plugins", "the plugins, taken and rejected"),
    ("/orchestration/v1/pools", "the pools, and who holds their values"),
    ("/orchestration/v1/quarantine", "fulfilments that were set aside"),
    ("/orchestration/v1/subscriptions", "subscriptions, and how far they are"),
    ("/orchestration/v1/imports", "imports"),
    ("/orchestration/v1/reconciliations", "reconciliations with the network"),
    ("/orchestration/v1/billing/assurance", "what is active and not billed"),
    ("/orchestration/v1/events", "the latest events"),
];

/// Pages to read, in the repository that the program was built from.
const DOCUMENTATION: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "workflows/README.md", "plugins/README.md", "wit/README.md"];

/// The index: a page for a browser, else JSON.
pub(super) fn render(call: &Call) -> Response {
    if call.wants_page() {
        answer::with_type(StatusCode::OK, "text/html; charset=utf-8", page())
    } else {
        answer::json(StatusCode::OK, &listed(&call.base))
    }
}

/// The lists that an API has, each with its path.
fn lists(api: &'static Api) -> impl Iterator<Item = (&'static Resource, String)> {
    let served = api.resources.iter().filter(|resource| resource.served != Served::V5);
    served.map(move |resource| (resource, api.path(resource)))
}

fn listed(base: &str) -> Value {
    let links = |links: &[Link]| {
        let link =
            |(path, title): &Link| json!({ "href": format!("{base}{path}"), "title": title });
        links.iter().map(link).collect::<Vec<_>>()
    };
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
        "state": links(&STATE),
        "orchestration": links(&ORCHESTRATION),
        "apis": apis.collect::<Vec<_>>(),
        "documentation": DOCUMENTATION,
    })
}

fn page() -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Ferrule</title>\n\
         <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;\
         padding:0 1em}code{font-size:.9em}td{padding:.1em 1em .1em 0;vertical-align:top}</style>\n\
         <h1>Ferrule</h1>\n<p>Orders come in here, over the APIs below. This page lists what is \
         served; with <code>Accept: application/json</code> it is JSON.</p>\n",
    );
    // Writing to a string cannot fail. Every text here is ours: nothing of a request is shown.
    page.push_str("<h2>State</h2>\n");
    table_of(&mut page, &STATE);
    page.push_str("<h2>Orchestration</h2>\n");
    table_of(&mut page, &ORCHESTRATION);
    page.push_str("<h2>TM Forum APIs</h2>\n<table>\n");
    for api in table::APIS {
        let links = lists(api)
            .map(|(resource, path)| format!("<a href=\"{path}\">{}</a>", resource.name))
            .collect::<Vec<_>>();
        let _ = writeln!(
            page,
            "<tr><td><a href=\"/tmf-api/{}/openapi.json\">TMF{}</a><td>{}<td>{}",
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

fn table_of(page: &mut String, links: &[Link]) {
    page.push_str("<table>\n");
    for (path, title) in links {
        let _ = writeln!(page, "<tr><td><a href=\"{path}\">{path}</a><td>{title}");
    }
    page.push_str("</table>\n");
}
