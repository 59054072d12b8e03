//! The table of all routes with what each demands: the routes of the standard follow from the table
//! of resources, those of our own API from the table of operations, and the few others are listed
//! here. The gate decides by it, the OpenAPI description shows it, and a test walks it.

use axum::http::Method;
use serde_json::{Value, json};
use tmf::openapi;
use tmf::resource::{Owner, Resource};
use tmf::table;
use tmf::version::{Version, View};

use super::demand::{Applies, Demand, unhidden_catalogs};
use super::orchestration::operation::{Operation, Reaches};
use super::orchestration::{self, OPERATIONS};
use super::{masked, metrics, resources};
use crate::access::{ApiName, Permission, Verb};

/// What a route demands of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it tells no more than that the server is there.
    Nothing,
    /// An identity, with any role or none.
    Identity,
    /// All of these; that of the route itself is the first.
    Permissions(Vec<Demand>),
}

/// A route with what it demands.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the walk over all routes reads them"))]
pub(crate) struct Route {
    /// `GET` stands for `HEAD` too.
    pub(crate) method: &'static str,
    /// With names in braces.
    pub(crate) path: String,
    pub(crate) needs: Needs,
}

/// The routes that are neither of the standard nor of our own API.
const OTHERS: [(&str, &[&str], Other); 15] = [
    ("/", &[], Other::Identity),
    // They prove themselves: a login has no identity yet.
    ("/login", &["login"], Other::Nothing),
    ("/login/style.css", &["login", "style.css"], Other::Nothing),
    ("/login/provider", &["login", "provider"], Other::Nothing),
    ("/login/callback", &["login", "callback"], Other::Nothing),
    ("/login/backchannel", &["login", "backchannel"], Other::Nothing),
    ("/logout", &["logout"], Other::Nothing),
    ("/session", &["session"], Other::Identity),
    ("/orchestration/v1", &["orchestration", "v1"], Other::Identity),
    ("/healthz", &["healthz"], Other::Nothing),
    ("/readyz", &["readyz"], Other::Nothing),
    ("/metrics", &["metrics"], Other::Server("metrics")),
    ("/openapi.json", &["openapi.json"], Other::Identity),
    ("/orchestration/v1/openapi.json", &["orchestration", "v1", "openapi.json"], Other::Identity),
    ("/tmf-api/{number}/openapi.json", &["tmf-api", "{number}", "openapi.json"], Other::Identity),
];

/// What one of [`OTHERS`] demands.
#[derive(Clone, Copy)]
enum Other {
    Nothing,
    Identity,
    Server(&'static str),
}

impl Other {
    fn needs(self) -> Needs {
        match self {
            Self::Nothing => Needs::Nothing,
            Self::Identity => Needs::Identity,
            Self::Server(resource) => Needs::Permissions(vec![Demand::own(Permission {
                api: ApiName::Server,
                resource: resource.into(),
                verb: Verb::Read,
            })]),
        }
    }
}

/// All routes.
pub(crate) fn routes() -> Vec<Route> {
    let others = OTHERS.iter().map(|(path, _, other)| Route {
        method: "GET",
        path: (*path).into(),
        needs: other.needs(),
    });
    let own = OPERATIONS.iter().map(|operation| Route {
        method: operation.method,
        path: format!("{}{}", orchestration::BASE, operation.path),
        needs: demanded(operation, &[], None),
    });
    let standard = openapi::views().flat_map(|view| {
        view.resource.operations.iter().map(move |operation| {
            let (path, method) = openapi::place(&view, *operation);
            let verb = Verb::from(*operation);
            let permission = Permission::standard(view.api.number, view.resource.name, verb);
            let demands = std::iter::once(Demand::own(permission)).chain(besides(&view, verb));
            Route { method, path, needs: Needs::Permissions(demands.collect()) }
        })
    });
    others.chain(own).chain(standard).collect()
}

/// All permissions that some route demands, the one that lifts the masks of personal values, and the one to
/// read the figures of all tenants.
pub(crate) fn permissions() -> Vec<Permission> {
    let all = routes().into_iter().flat_map(|route| match route.needs {
        Needs::Nothing | Needs::Identity => Vec::new(),
        Needs::Permissions(demands) => demands,
    });
    // Subscriptions can be read, though no definition lists it.
    let hubs = table::APIS.iter().map(|api| Permission::standard(api.number, "hub", Verb::Read));
    let mut all: Vec<Permission> = all.map(|demand| demand.permission).chain(hubs).collect();
    all.extend([masked::permission(), metrics::permission()]);
    all.sort();
    all.dedup();
    all
}

/// What a request demands, by its method, its path, and the resource that its query names. A path that is
/// not served demands an identity, so that only those who have one learn that nothing is there.
pub(crate) fn needs(method: &Method, path: &[&str], queried: Option<&str>) -> Needs {
    let is_template = |piece: &str| piece == "{number}";
    let found = OTHERS.iter().find(|(_, pieces, _)| {
        pieces.len() == path.len()
            && pieces.iter().zip(path).all(|(known, given)| known == given || is_template(known))
    });
    if let Some((_, _, other)) = found {
        return other.needs();
    }
    match path {
        ["orchestration", "v1", rest @ ..] => own(method, rest, queried),
        ["tmf-api", api, version, rest @ ..] => match Version::parse(version) {
            Some(version) => standard(method, (api, version), rest),
            None => Needs::Identity,
        },
        _ => Needs::Identity,
    }
}

fn own(method: &Method, path: &[&str], queried: Option<&str>) -> Needs {
    let Ok(operation) = orchestration::operation_at(method, path) else { return Needs::Identity };
    demanded(operation, path, queried)
}

/// What an operation of our own API demands.
fn demanded(operation: &Operation, path: &[&str], queried: Option<&str>) -> Needs {
    if operation.is_proven_by_path {
        return Needs::Nothing;
    }
    if operation.reaches.contains(&Reaches::OwnIdentity) {
        return Needs::Identity;
    }
    let mut own = Demand::own(operation.permission());
    if operation.reaches.contains(&Reaches::Everything) {
        own.applies = Applies::Everything;
    }
    let own = std::iter::once(own);
    Needs::Permissions(own.chain(operation.reached(path, queried)).collect())
}

fn standard(method: &Method, (api, version): (&str, Version), path: &[&str]) -> Needs {
    let Some(verb) = verb(method) else { return Needs::Identity };
    if let (["hub", ..], Some(api)) = (path, resources::apis(api, version).next()) {
        return Needs::Permissions(vec![Demand::own(Permission::standard(
            api.number, "hub", verb,
        ))]);
    }
    let found = path.split_first();
    let found = found.and_then(|(name, rest)| Some((resources::find(api, version, name)?, rest)));
    let Some((view, rest)) = found else { return Needs::Identity };
    let own = std::iter::once(Demand::own(below(&view, rest, verb)));
    Needs::Permissions(own.chain(besides(&view, verb)).collect())
}

/// The resources whose new and changed documents are answers from the catalogs.
const OF_CATALOGS: [&str; 10] = [
    "productOrder",
    "serviceOrder",
    "resourceOrder",
    "quote",
    "productOfferingQualification",
    "queryProductOfferingQualification",
    "checkServiceQualification",
    "queryServiceQualification",
    "service",
    "resource",
];

/// The tasks that look into stocks.
const OF_STOCKS: [&str; 4] =
    ["reserveProductStock", "adjustProductStock", "checkProductStock", "queryProductStock"];

/// What a route of the standard demands besides its own permission, for what its answer follows from.
fn besides(view: &View, verb: Verb) -> Vec<Demand> {
    let resource = view.resource;
    let writes = matches!(verb, Verb::Create | Verb::Change);
    if resource.is_job() {
        return of_job(view, verb);
    }
    if writes && OF_STOCKS.contains(&resource.key) {
        return Demand::about("productStock", &[Verb::Read], Applies::Whole).collect();
    }
    if writes && OF_CATALOGS.contains(&resource.key) {
        return unhidden_catalogs().collect();
    }
    Vec::new()
}

/// A job reads or writes all documents of a resource of its API.
fn of_job(view: &View, verb: Verb) -> Vec<Demand> {
    let is_import = view.resource.shape.starts_with("ImportJob");
    let verbs: &[Verb] = match (verb, is_import) {
        (Verb::Create | Verb::Change, true) => &[Verb::Read, Verb::Create, Verb::Change],
        (Verb::Create | Verb::Change, false) | (Verb::Read | Verb::Delete | Verb::Act, _) => {
            &[Verb::Read]
        }
    };
    let is_reached = |resource: &&Resource| resource.owner == Owner::Client && !resource.is_job();
    let reached = view.api.resources.iter().filter(is_reached);
    let reached = reached.flat_map(|resource| Demand::about(resource.key, verbs, Applies::Whole));
    reached.collect()
}

/// The permission about what a path leads to. Resources below others are few, and the ids of others
/// may have a `/`.
fn below(view: &View, rest: &[&str], verb: Verb) -> Permission {
    let (number, name) = (view.api.number, view.resource.name);
    let one = Permission::standard(number, name, verb);
    let Some(piece) = rest.get(1) else { return one };
    let below = Permission::standard(number, &format!("{name}/{piece}"), verb);
    let is_it = |other: View| {
        other.api.number == number
            && Permission::standard(number, other.resource.name, verb) == below
    };
    if openapi::views().any(is_it) { below } else { one }
}

fn verb(method: &Method) -> Option<Verb> {
    match *method {
        Method::GET | Method::HEAD => Some(Verb::Read),
        Method::POST => Some(Verb::Create),
        Method::PATCH | Method::PUT => Some(Verb::Change),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

/// The statuses with which the gate refuses.
fn refusals(needs: &Needs) -> &'static [&'static str] {
    match needs {
        Needs::Nothing => &[],
        Needs::Identity => &["401"],
        Needs::Permissions(_) => &["401", "403"],
    }
}

/// Adds what each operation demands to an OpenAPI description.
pub(super) fn describe(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        let pieces: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(operation) = item.get_mut(method) else { continue };
            let method = method.to_uppercase();
            let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
            let needs = needs(&method, &pieces, None);
            for status in refusals(&needs) {
                let to = format!("#/components/responses/Error{status}");
                operation["responses"][status] = json!({ "$ref": to });
            }
            match needs {
                Needs::Nothing => operation["security"] = json!([]),
                Needs::Identity => {}
                Needs::Permissions(permissions) => {
                    let names = permissions.iter().map(ToString::to_string);
                    operation["x-permissions"] = names.collect();
                }
            }
        }
    }
    document["security"] = json!([{ "bearer": [] }, { "basic": [] }]);
    document["components"]["securitySchemes"] = json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "A JWT of an issuer, or an API key" },
        "basic": { "type": "http", "scheme": "basic", "description": "A local user with a password" },
    });
}

#[cfg(test)]
mod tests;
