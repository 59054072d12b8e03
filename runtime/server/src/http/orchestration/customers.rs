//! Customers: the complete view of one, notes on contacts, and the merge of duplicates.

use axum::http::{Method, StatusCode};
use engine::documents::{Document, Put};
use serde_json::{Map, Value, json};
use tmf::money::Money;

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::rights::readable;
use crate::http::{ServerState, answer, href};
use crate::policies::crm::{self, CustomerView, Customers};

/// Handles a request about a customer.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        ["duplicates"] => duplicates(server, &call).await,
        [id] => {
            let reader = call.admitted.reader.clone();
            let view = Customers::view(&server.documents, id, reader).await?;
            let view = view.ok_or_else(|| missing(id))?;
            let mut view = body_of(view);
            href::absolute(&mut view, &call.base);
            Ok(answer::json(StatusCode::OK, &view))
        }
        [id, "interactions"] => match call.method {
            Method::GET | Method::HEAD => {
                known(server, &call, id).await?;
                let notes = Customers::interactions(&server.documents, id).await?;
                Ok(answer::json(StatusCode::OK, &bodies(notes)))
            }
            Method::POST => talk(server, call, id).await,
            _ => Err(Problem::method("GET, HEAD, POST")),
        },
        [id, "merge"] => merge(server, call, id).await,
        _ => Err(nothing_here()),
    }
}

fn body_of(view: CustomerView) -> Value {
    let mut body = Map::new();
    body.insert("party".into(), view.party.map_or(Value::Null, |party| party.body));
    for (name, found) in view.found {
        body.insert(name.into(), bodies(found));
    }
    body.insert("owes".into(), view.owes.iter().map(Money::to_tmf).collect());
    body.insert("interaction".into(), bodies(view.interactions));
    body.insert("customer".into(), view.customer.body);
    Value::Object(body)
}

fn bodies(documents: Vec<Document>) -> Value {
    documents.into_iter().map(|document| document.body).collect()
}

/// Groups on a page: the default and the max.
const GROUPS: usize = 50;
const GROUPS_MAX: usize = 500;

/// Customers that are likely one, group by group; `next` is the beginning of the next page.
async fn duplicates(server: &ServerState, call: &Call) -> Answer {
    let limit = match call.query.get("limit") {
        None => GROUPS,
        Some(text) => {
            let limit = text.parse().ok().filter(|limit| (1..=GROUPS_MAX).contains(limit));
            let wrong = || Problem::bad(format!("is a number from 1 to {GROUPS_MAX}"));
            limit.ok_or_else(|| wrong().about("limit"))?
        }
    };
    let (groups, next) =
        Customers::duplicates(&server.documents, call.query.get("after"), limit).await?;
    let mut body = json!({ "group": groups, "next": next });
    href::absolute(&mut body, &call.base);
    Ok(answer::json(StatusCode::OK, &body))
}

/// Adds a note on a contact.
async fn talk(server: &ServerState, mut call: Call, id: &str) -> Answer {
    known(server, &call, id).await?;
    let mut body = call.json()?;
    let is_told =
        body.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !is_told {
        return Err(Problem::bad("is mandatory: what was it about?").about("description"));
    }
    let own = uuid::Uuid::now_v7().simple().to_string();
    body["id"] = json!(own);
    body["customer"] = json!({ "id": id, "@referredType": "Customer" });
    body["date"] = json!(server.engine.now().to_string());
    let put = Put::create(crm::INTERACTIONS, format!("{id}/{own}"), &body);
    server.documents.write(vec![put]).await?;
    Ok(answer::json(StatusCode::CREATED, &body))
}

/// Merges two customers.
async fn merge(server: &ServerState, mut call: Call, id: &str) -> Answer {
    known(server, &call, id).await?;
    let body = call.json()?;
    let Some(duplicate) = body.get("duplicate").and_then(Value::as_str) else {
        return Err(Problem::bad("is mandatory: the id of the duplicate").about("duplicate"));
    };
    let merged = Customers::merge(&server.documents, id, duplicate).await?;
    Ok(answer::json(StatusCode::OK, &tmf::document::write(&merged)))
}

async fn known(server: &ServerState, call: &Call, id: &str) -> Result<(), Problem> {
    readable(server, call, "customer", id).await?.map(drop).ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no customer `{id}`")).about("id")
}
