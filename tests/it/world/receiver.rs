//! A subscriber in the process of the tests: it writes down what it is sent, and answers as it is
//! told.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::DEADLINE;

pub(crate) struct Receiver {
    url: String,
    desk: Arc<Desk>,
}

struct Desk {
    /// What was taken, in the order in which it came.
    taken: watch::Sender<Vec<(String, Value)>>,
    /// How many came, taken or not.
    count: watch::Sender<usize>,
    /// One of this many messages is refused; none if it is 0.
    refuse_every: usize,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::refusing(0).await
    }

    /// Refuses the first of every `refuse_every` messages.
    pub(crate) async fn refusing(refuse_every: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (taken, count) = (watch::Sender::default(), watch::Sender::default());
        let desk = Arc::new(Desk { taken, count, refuse_every });
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, desk }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What it has taken, with the paths where it came, once something holds of it.
    pub(crate) async fn until(
        &self,
        what: &str,
        holds: impl FnMut(&Vec<(String, Value)>) -> bool,
    ) -> Vec<(String, Value)> {
        let mut taken = self.desk.taken.subscribe();
        let waiting = tokio::time::timeout(DEADLINE, taken.wait_for(holds)).await;
        let found = waiting.map(|found| found.unwrap().clone());
        found.unwrap_or_else(|_| panic!("waited too long until {what}"))
    }
}

async fn take(State(desk): State<Arc<Desk>>, request: Request) -> StatusCode {
    let path = request.uri().path().to_string();
    // A server that is killed leaves half a request.
    let Ok(body) = request.into_body().collect().await else { return StatusCode::BAD_REQUEST };
    let Ok(body) = serde_json::from_slice(&body.to_bytes()) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut number = 0;
    desk.count.send_modify(|count| {
        number = *count;
        *count += 1;
    });
    if desk.refuse_every > 0 && number % desk.refuse_every == 0 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    desk.taken.send_modify(|taken| taken.push((path, body)));
    StatusCode::CREATED
}
