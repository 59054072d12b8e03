//! What TMF687 has no request for: a reservation that is given back.

use axum::http::StatusCode;

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::{Door, answer, href};
use crate::systems::stock;

/// Takes a request about stocks.
pub(super) async fn take(door: &Door, call: &Call, path: &[&str]) -> Answer {
    let ["reservations", id, "release"] = path else { return Err(nothing_here()) };
    let missing = || Problem::not_found(format!("there is no reservation `{id}`")).about("id");
    let mut reservation = stock::give_back(&door.app, id).await?.ok_or_else(missing)?;
    href::absolute(&mut reservation, &call.base);
    Ok(answer::json(StatusCode::OK, &reservation))
}
