//! Unary calls of gRPC: HTTP/2, with the status in the trailers of the answer.

use std::convert::Infallible;

use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::support::{Bench, grants, guest, outputs, with_world};

/// A message of five bytes, with its prefix.
const MESSAGE: &str = "\0\0\0\0\u{5}hello";

/// A server that answers `Set` with the message that it is sent, and any other method with a status alone.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    port
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let is_grpc = request.version() == Version::HTTP_2
        && request.headers()["content-type"] == "application/grpc"
        && request.headers().get("te").is_some_and(|te| te == "trailers");
    let response = Response::builder().header("content-type", "application/grpc");
    let mut trailers = HeaderMap::new();
    let status = if is_grpc { "0" } else { "3" };
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    trailers.insert("grpc-message", HeaderValue::from_static("it was value-of-one"));
    let is_set = request.uri().path() == "/nms.Lines/Set";
    let sent = request.into_body().collect().await.unwrap().to_bytes();
    let frames = [Frame::data(sent), Frame::trailers(trailers)].map(Ok);
    let frames = frames.into_iter().take(if is_set { 2 } else { 0 });
    let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
    let response = if is_set { response } else { response.header("grpc-status", "12") };
    Ok(response.body(body).unwrap())
}

#[tokio::test]
async fn a_unary_call_of_grpc_has_its_status_from_the_trailers() {
    let port = server().await;
    let target = format!("127.0.0.1:{port}");
    let rule = format!(
        "http = [\"http://{target}/nms.Lines POST\"]\nconfig = {{ one = \"value-of-one\" }}\n\
         [targets.\"{target}\"]\nhttp2 = \"always\""
    );
    let bench = Bench::new(grants("sender", &rule));
    let plugin = with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    let call = async |method: &str, headers: Value| {
        let url = format!("http://{target}/nms.Lines/{method}");
        let input = json!({ "method": "POST", "url": url, "headers": headers, "body": MESSAGE });
        bench.run(&installed.digest, input).await
    };
    let asks = json!({ "content-type": "application/grpc", "te": "trailers" });
    let header = |outputs: &Value, name: &str| {
        let headers = outputs["headers"].as_array().unwrap().iter();
        headers.filter(|one| one[0] == name).map(|one| one[1].clone()).collect::<Vec<_>>()
    };

    let report = call("Set", asks.clone()).await;
    let answer = outputs(&report);
    assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!(MESSAGE)));
    assert_eq!(header(&answer, "grpc-status"), ["0"], "{answer}");
    // Trailers are kept with the exchange, and masked as headers are.
    let telemetry = report.telemetry.unwrap();
    let kept = &telemetry.exchanges.kept[0];
    let headers = &kept.answer.as_ref().unwrap().headers;
    for (name, value) in [("grpc-status", "0"), ("grpc-message", "it was [setting one]")] {
        assert!(headers.contains(&(name.into(), value.into())), "{headers:?}");
    }
    assert_eq!(kept.failure, None);

    // A status without a message is a header of the answer.
    let answer = outputs(&call("Get", asks).await);
    assert_eq!(header(&answer, "grpc-status"), ["12"], "{answer}");
    // A plugin that does not ask for trailers gets the headers alone.
    let answer = outputs(&call("Set", json!({ "content-type": "application/grpc" })).await);
    assert_eq!(header(&answer, "grpc-status"), Vec::<Value>::new(), "{answer}");
}
