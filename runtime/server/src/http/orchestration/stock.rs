//! The release of a reservation, which TMF687 has no request for.

use axum::http::StatusCode;

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::rights::readable;
use crate::http::{ServerState, answer, href};
use crate::policies::stock::Stocks;

/// Handles a request about stocks.
pub(super) async fn dispatch(server: &ServerState, call: &Call, path: &[&str]) -> Answer {
    let ["reservations", id, "release"] = path else { return Err(nothing_here()) };
    let missing = || Problem::not_found(format!("there is no reservation `{id}`")).about("id");
    readable(server, call, "reserveProductStock", id).await?.ok_or_else(missing)?;
    let reservation = Stocks::release(&server.documents, id).await?.ok_or_else(missing)?;
    let mut reservation = tmf::document::write(&reservation);
    href::absolute(&mut reservation, &call.base);
    Ok(answer::json(StatusCode::OK, &reservation))
}
