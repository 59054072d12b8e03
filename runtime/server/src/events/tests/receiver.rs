//! A subscriber that answers as a test tells it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::DEADLINE;

/// A path and what was sent there.
type Seen = (String, Value);

pub(super) struct Receiver {
    address: SocketAddr,
    desk: Arc<Desk>,
}

struct Desk {
    seen: watch::Sender<Vec<Seen>>,
    next: Mutex<VecDeque<u16>>,
    all: Mutex<u16>,
    is_held: watch::Sender<bool>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk {
            seen: watch::Sender::default(),
            next: Mutex::default(),
            all: Mutex::new(201),
            is_held: watch::Sender::new(false),
        });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, desk }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next ones so, and all others as before.
    pub(super) fn answer_next(&self, statuses: &[u16]) {
        self.desk.next.lock().unwrap().extend(statuses);
    }

    pub(super) fn answer_all(&self, status: u16) {
        *self.desk.all.lock().unwrap() = status;
    }

    /// Answers nothing until it is released; what is held is not seen yet.
    pub(super) fn hold(&self) {
        self.desk.is_held.send_replace(true);
    }

    pub(super) fn release(&self) {
        self.desk.is_held.send_replace(false);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.desk.seen.borrow().clone()
    }

    /// Waits until it has seen `count` events; returns them.
    pub(super) async fn until(&self, count: usize) -> Vec<Seen> {
        let mut seen = self.desk.seen.subscribe();
        let waiting = seen.wait_for(|seen| seen.len() >= count);
        let seen = tokio::time::timeout(DEADLINE, waiting).await;
        seen.expect("events come in time").unwrap().clone()
    }

    /// Waits until it has accepted events about `count` customers; returns their ids.
    pub(super) async fn customers(&self, count: usize) -> Vec<String> {
        let seen = self.until(count).await;
        let ids = seen.iter().map(|(_, body)| body["event"]["customer"]["id"].as_str().unwrap());
        ids.map(str::to_string).collect()
    }
}

async fn receive(State(desk): State<Arc<Desk>>, request: Request) -> StatusCode {
    desk.is_held.subscribe().wait_for(|is_held| !is_held).await.unwrap();
    let path = request.uri().path().trim_end_matches('/').to_string();
    let bytes = request.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap();
    let status = desk.next.lock().unwrap().pop_front();
    let status = status.unwrap_or_else(|| *desk.all.lock().unwrap());
    desk.seen.send_modify(|seen| seen.push((path, body)));
    StatusCode::from_u16(status).unwrap()
}
