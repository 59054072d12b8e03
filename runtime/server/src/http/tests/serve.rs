use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::{router_at, serve};
use super::bench::{Bench, LIMITS};
use crate::access::Access;
use crate::config::EdgeSettings;

/// A server that listens.
struct Listening {
    bench: Bench,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    async fn begin() -> Self {
        let bench = Bench::new();
        let at = ("https://ferrule.example", Access::default());
        let router = router_at(bench.services.clone(), bench.events.clone(), LIMITS, at);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            serve(listener, router, &EdgeSettings::default(), async { stopped.await.unwrap() })
                .await
        });
        Self { bench, address, stop, server }
    }
}

/// Clients such as those of Java look for the answer only when they have sent all of a body.
#[tokio::test]
async fn who_sends_the_whole_body_of_a_refused_request_is_answered() {
    const BYTES: usize = 9 << 20;
    let listening = Listening::begin().await;
    let address = listening.address;
    for (path, status) in [
        ("/tmf-api/party/v4/individual", 413),
        ("/tmf-api/party/v4/nothing", 404),
        ("/healthz", 405),
        ("/tenants/none/healthz", 404),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {BYTES}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; BYTES]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_asks_whether_to_send_a_body_is_not_told_to_if_it_is_refused() {
    let listening = Listening::begin().await;
    let address = listening.address;
    for (length, begin) in [(9 << 20, "HTTP/1.1 413 "), (2, "HTTP/1.1 100 ")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /tmf-api/party/v4/individual HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; begin.len()];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), begin);
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_streams_and_idle_connections() {
    let Listening { bench, address, stop, server } = Listening::begin().await;
    let id = bench.run(1, "k").await;

    let idle = TcpStream::connect(address).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let path = format!("/orchestration/v1/fulfilments/{id}/events");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begun = String::new();
    while !begun.contains("\"waiting\"") {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the stream ended early: {begun}");
        begun.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }

    stop.send(()).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    // The end of a chunked body: the stream was ended, not cut.
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    server.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}
