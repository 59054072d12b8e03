//! Sends one event to one callback. Connections go only to addresses that the guard allows;
//! redirects are not followed, since they could lead past it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::causes::chain;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tmf::subscription::Answer;
use tokio::net::TcpStream;

use super::allow::{is_outside, target};
use super::{Forbidden, Guard};

/// Max bytes of a response that are read, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The error of every failed exchange with an internal address.
const UNTOLD: &str = "no answer from the callback, which is an address inside";

/// Max time that an unused connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Max idle connections to one host.
const IDLE_CONNECTIONS_MAX: usize = 8;

pub(super) struct Client {
    pooled: Pooled<Connector, Full<Bytes>>,
    wait: Duration,
}

/// Connects to addresses that the guard allows.
#[derive(Clone)]
struct Connector(Arc<Guard>);

impl Client {
    /// A client with this timeout.
    pub(super) fn new(guard: Arc<Guard>, wait: Duration) -> Self {
        let pooled = Pooled::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(Connector(guard));
        Self { pooled, wait }
    }

    /// Sends a document and returns the result.
    pub(super) async fn post(&self, url: &str, body: Bytes) -> Answer {
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "ferrule")
            .body(Full::new(body));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Answer::Never(format!("the callback cannot be called: {error}")),
        };
        let exchange = async {
            let response = self.pooled.request(request).await?;
            let answer = judged(response.status());
            drain(response).await;
            Ok::<_, hyper_util::client::legacy::Error>(answer)
        };
        match tokio::time::timeout(self.wait, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if is_forbidden(&error) => Answer::NotNow(chain(&error)),
            Ok(Err(error)) => Answer::NotNow(why(url, chain(&error)).await),
            Err(_elapsed) => {
                let text = format!("no answer within {} s", self.wait.as_secs_f32());
                Answer::NotNow(why(url, text).await)
            }
        }
    }
}

/// The error that a subscription's owner sees. It is always the same for addresses inside
/// the network: it must not reveal which ports are open there. The log has the details.
async fn why(url: &str, text: String) -> String {
    tracing::debug!(url, error = text, "a callback could not be called");
    let is_told = match url.parse() {
        Ok(uri) => is_outside(&uri).await,
        Err(_) => false,
    };
    if is_told { text } else { UNTOLD.into() }
}

/// Whether the guard refused it: then no connection was made.
fn is_forbidden(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<Forbidden>() || inner.is_some_and(|inner| inner.is::<Forbidden>()) {
            return true;
        }
        next = error.source();
    }
    false
}

/// The meaning of a status: any 2xx is a delivery, 410 means that none will ever succeed.
fn judged(status: StatusCode) -> Answer {
    if status.is_success() {
        Answer::Taken
    } else if status == StatusCode::GONE {
        Answer::Never(format!("answered {status}"))
    } else {
        Answer::NotNow(format!("answered {status}"))
    }
}

async fn drain(response: Response<Incoming>) {
    // A body that is not read to its end ends with its connection, which is as good.
    Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.ok();
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let (host, port) = target(&uri);
            let found = tokio::net::lookup_host((host, port)).await?;
            let admitted = guard.admitted(host, found).map_err(io::Error::other)?;
            let stream = TcpStream::connect(admitted.as_slice()).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}
