//! The TM Forum APIs: one set of handlers for every resource of the table.

mod activate;
mod change;
mod create;
mod flow;
mod list;
mod one;
mod order;

use axum::http::Method;
use tmf::resource::{Operation, Owner};

use super::ServerState;
use super::call::Call;
use super::problem::Answer;
use super::problem::Problem;
use super::resources::{Served, kind};

pub(super) use order::taken;

/// Handles a request about a resource: about the collection if the id is empty.
pub(super) async fn dispatch(
    server: &ServerState,
    call: Call,
    served: Served,
    rest: &[&str],
) -> Answer {
    // Errors below this path come from stored data; report them with the client's names. The
    // path of a query error has the client's names already.
    let is_question = matches!(call.method, Method::GET | Method::HEAD);
    asked(server, call, served, rest)
        .await
        .map_err(|problem| if is_question { problem } else { problem.seen_by(&served) })
}

async fn asked(server: &ServerState, call: Call, served: Served, rest: &[&str]) -> Answer {
    if served.resource.owner == Owner::Computed {
        return flow::get(server, call, &served, rest).await;
    }
    let id = &rest.join("/");
    let Some(operation) = operation(&call.method, id) else {
        return Err(Problem::method(allowed(&served, id)));
    };
    if !served.resource.takes(operation) {
        return Err(Problem::method(allowed(&served, id)));
    }
    match (operation, served.resource.owner) {
        (Operation::List, _) => list::get(server, call, served).await,
        (Operation::Get, _) => one::get(server, &call, &served, id).await,
        (Operation::Create, Owner::Order) => match kind(served.resource) {
            Some(kind) => order::create(server, call, &served, kind).await,
            None => order::cancel(server, call, &served).await,
        },
        (Operation::Patch, Owner::Order) => order::patch(server, call, &served, id).await,
        (Operation::Delete, Owner::Order) => order::delete(server, &call, &served, id).await,
        (Operation::Create, Owner::Activation) => activate::create(server, call, &served).await,
        (Operation::Patch, Owner::Activation) => activate::patch(server, call, &served, id).await,
        (Operation::Delete, Owner::Activation) => {
            activate::delete(server, &call, &served, id).await
        }
        (Operation::Create, Owner::Client | Owner::Computed) => {
            create::post(server, call, &served).await
        }
        (Operation::Patch, _) => change::patch(server, call, &served, id).await,
        (Operation::Replace, _) => change::replace(server, call, &served, id).await,
        (Operation::Delete, _) => change::delete(server, &call, &served, id).await,
    }
}

/// The operation of a method on the collection of a resource, or on one document.
fn operation(method: &Method, id: &str) -> Option<Operation> {
    match (method, id.is_empty()) {
        (&Method::GET | &Method::HEAD, true) => Some(Operation::List),
        (&Method::GET | &Method::HEAD, false) => Some(Operation::Get),
        (&Method::POST, true) => Some(Operation::Create),
        (&Method::PATCH, false) => Some(Operation::Patch),
        (&Method::PUT, false) => Some(Operation::Replace),
        (&Method::DELETE, false) => Some(Operation::Delete),
        _ => None,
    }
}

/// The methods of a path.
fn allowed(served: &Served, id: &str) -> String {
    let methods = [
        (Operation::List, true, "GET, HEAD"),
        (Operation::Get, false, "GET, HEAD"),
        (Operation::Create, true, "POST"),
        (Operation::Patch, false, "PATCH"),
        (Operation::Replace, false, "PUT"),
        (Operation::Delete, false, "DELETE"),
    ];
    let methods = methods
        .into_iter()
        .filter(|(operation, all, _)| *all == id.is_empty() && served.resource.takes(*operation));
    methods.map(|(_, _, name)| name).collect::<Vec<_>>().join(", ")
}
