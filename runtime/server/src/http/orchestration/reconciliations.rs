//! Reconciliations: `POST reconciliations` chooses what to compare with the network; it runs in
//! the background, and its progress and findings can be read at any time.

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use engine::documents::{Change, Error, Expected, Put};
use serde_json::{Map, Value, json};

use crate::bulk::export::Export;
use crate::documents::Documents;
use crate::http::call::Call;
use crate::http::page::Page;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::{ServerState, answer};
use crate::reconcile::{
    self, CheckError, Inventory, RECONCILIATIONS, Reconciliation, RepairError, Scope,
};
use crate::search::{SearchError, literal};

/// Handles a request about reconciliations.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        [] => match call.method {
            Method::GET | Method::HEAD => list(server, &call).await,
            Method::POST => begin(server, call).await,
            _ => Err(Problem::method("GET, HEAD, POST")),
        },
        [id] => match call.method {
            Method::GET | Method::HEAD => {
                let found = server
                    .documents
                    .document(RECONCILIATIONS, id)
                    .await?
                    .ok_or_else(|| missing(id))?;
                Ok(answer::json(StatusCode::OK, &found.body))
            }
            Method::DELETE => forget(server, id).await,
            _ => Err(Problem::method("DELETE, GET, HEAD")),
        },
        [id, "findings", number, "repair"] => repair(server, &call, id, number).await,
        _ => Err(nothing_here()),
    }
}

/// Every reconciliation, without its findings.
async fn list(server: &ServerState, call: &Call) -> Answer {
    let page = Page::parse(&call.query)?;
    let (from, until) = (page.offset, page.end());
    let read = server.documents.read(move |session| {
        let (mut rows, mut total) = (Vec::new(), 0);
        session.each_document(RECONCILIATIONS, |document| {
            if (from..until).contains(&total) {
                let mut row = document.body;
                let fields = row.as_object_mut().ok_or_else(|| {
                    Error::from(engine::store::Error::Failed {
                        action: "read a reconciliation",
                        source: "the stored document is no object".into(),
                    })
                })?;
                fields.remove("findings");
                rows.push(row);
            }
            total += 1;
            Ok::<_, Error>(())
        })?;
        Ok::<_, Error>((rows, total))
    });
    let (rows, total) = read.await?;
    let url = format!("{}{}/reconciliations", call.base, super::BASE);
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    Ok(response)
}

/// Starts a reconciliation.
async fn begin(server: &ServerState, mut call: Call) -> Answer {
    let body = call.json()?;
    let scope = scope(&server.documents, &body).await?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let begun = Reconciliation::new(id, scope, server.engine.now());
    server.documents.write(vec![Put::create(RECONCILIATIONS, &begun.id, &begun)]).await?;
    server.reconciler.arrived.notify_waiters();
    Ok(answer::json(StatusCode::ACCEPTED, &json!(begun)))
}

/// Removes a reconciliation; one that runs ends.
async fn forget(server: &ServerState, id: &str) -> Answer {
    server.documents.document(RECONCILIATIONS, id).await?.ok_or_else(|| missing(id))?;
    let put = Put::new(RECONCILIATIONS, id, Change::Forget, Expected::Anything);
    server.documents.write(vec![put]).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Repeats the missing work of a finding.
async fn repair(server: &ServerState, call: &Call, id: &str, number: &str) -> Answer {
    let wrong = |_| Problem::not_found("a finding is named by its place, from 1").about("finding");
    let run = reconcile::repair(&server.reconciler, id, number.parse().map_err(wrong)?).await?;
    let href = format!("{}{}/runs/{run}", call.base, super::BASE);
    Ok(answer::json(StatusCode::ACCEPTED, &json!({ "run": { "id": run, "href": href } })))
}

/// The scope of a request: one instance, those with a specification, those that match a filter, or
/// all services.
async fn scope(documents: &Documents, body: &Value) -> Result<Scope, Problem> {
    let Value::Object(fields) = body else {
        return Err(Problem::bad("is an object, such as `{}` for all services").about("$"));
    };
    let known = ["service", "resource", "serviceSpecification", "resourceSpecification", "query"];
    if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Problem::bad(format!("is none of {}", known.join(", "))).about(name));
    }
    let is_resource =
        ["resource", "resourceSpecification"].iter().any(|name| fields.contains_key(*name));
    if is_resource
        && ["service", "serviceSpecification"].iter().any(|name| fields.contains_key(*name))
    {
        return Err(Problem::bad("is about services or about resources").about("resource"));
    }
    let (inventory, name, specification) = match is_resource {
        true => (Inventory::Resource, "resource", "resourceSpecification"),
        false => (Inventory::Service, "service", "serviceSpecification"),
    };
    let instance = id_in(fields, name)?;
    let mut query = match fields.get("query") {
        None => String::new(),
        Some(Value::String(query)) => query.clone(),
        Some(_) => return Err(Problem::bad("is a text such as `state=active`").about("query")),
    };
    if let Some(id) = id_in(fields, specification)? {
        let both = if query.is_empty() { "" } else { "&" };
        query.push_str(&format!("{both}{specification}.id={}", literal(id)));
    }
    if let Some(id) = instance {
        if !query.is_empty() {
            let message = format!("names one {name}: nothing else is asked for then");
            return Err(Problem::bad(message).about(name));
        }
        if documents.document(name, id).await?.is_none() {
            let message = format!("the inventory has no {name} `{id}`");
            return Err(Problem::unprocessable(message).about(format!("{name}.id")));
        }
    }
    let scope = Scope { inventory, instance: instance.map(str::to_owned), query };
    let asked = Export::asked(documents, scope.found(), &scope.query).await;
    asked.map_err(|error| match error {
        SearchError::Parameter { message, .. } => Problem::bad(message).about("query"),
        SearchError::Store(error) => error.into(),
    })?;
    Ok(scope)
}

/// The id of a reference; `None` if there is none, or an empty one.
fn id_in<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    let wrong =
        |about: String| Problem::bad("is a reference such as `{\"id\":\"1\"}`").about(about);
    match fields.get(name) {
        None => Ok(None),
        Some(Value::Object(reference)) => match reference.get("id") {
            None if reference.is_empty() => Ok(None),
            Some(Value::String(id)) if !id.is_empty() => Ok(Some(id)),
            _ => Err(wrong(format!("{name}.id"))),
        },
        Some(_) => Err(wrong(name.into())),
    }
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no reconciliation `{id}`")).about("id")
}

impl From<RepairError> for Problem {
    fn from(error: RepairError) -> Self {
        let message = error.to_string();
        match error {
            RepairError::Unknown(_) => Self::not_found(message).about("id"),
            RepairError::NoFinding(_) => Self::not_found(message).about("finding"),
            RepairError::Open | RepairError::NotNow | RepairError::Busy => {
                Self::conflict(message).about("finding")
            }
            RepairError::NotMissing | RepairError::Input(_) => {
                Self::unprocessable(message).about("finding")
            }
            RepairError::Check(CheckError::Store(error)) => error.into(),
            RepairError::Check(CheckError::Read(error)) => error.into(),
            RepairError::Check(CheckError::Ask(error)) => error.into(),
            RepairError::Check(CheckError::Document(error)) => Self::ours(&error),
        }
    }
}
