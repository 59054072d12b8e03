//! What a node answers while another one leads: it lives, it is not ready, and whatever else is asked may be
//! asked again.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::sync::watch;

use super::answer;
use super::problem::Problem;

/// Answers for a node that stands by. `leading` has the name of the one that leads.
pub(crate) fn router(leading: watch::Receiver<String>) -> Router {
    Router::new().fallback(answered).with_state(Arc::new(leading))
}

async fn answered(
    axum::extract::State(leading): axum::extract::State<Arc<watch::Receiver<String>>>,
    uri: Uri,
) -> Response {
    if uri.path() == "/healthz" {
        return answer::json(StatusCode::OK, &json!({ "status": "standby" }));
    }
    let node = leading.borrow().to_owned();
    let message = format!("this node stands by: the node `{node}` leads");
    Problem::unavailable(message).into_response()
}
