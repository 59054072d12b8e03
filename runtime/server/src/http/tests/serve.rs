use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::super::{router_at, serve};
use super::bench::{Bench, LIMITS};
use crate::access::Access;
use crate::config::EdgeSettings;

#[tokio::test]
async fn a_server_that_stops_ends_streams_and_idle_connections() {
    let bench = Bench::new();
    let id = bench.run(1, "k").await;
    let at = ("https://ferrule.example", Access::default());
    let router = router_at(bench.services.clone(), bench.events.clone(), LIMITS, at);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        serve(listener, router, &EdgeSettings::default(), async { stopped.await.unwrap() }).await
    });

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
