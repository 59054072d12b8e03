use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// The URL of a server that answers each request with a head, then with a piece again and again.
async fn server(head: &'static str, piece: &'static [u8], times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..times {
                if stream.write_all(piece).await.is_err() {
                    break;
                }
            }
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn events_come_in_pieces_and_have_an_end() {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let base = server(head, b"id: 1\ndata: 7\n\ndata: \xc3\xa9", 1).await;
    let mut events = Client::local(&base).unwrap().events("1").await.unwrap();
    assert_eq!(events.next::<u8>().await.unwrap(), Some(7));
    assert_eq!(events.next::<u8>().await.unwrap(), None);
    let base = server(head, &[b'x'; 1 << 16], EVENT_BYTES_MAX >> 15).await;
    let mut events = Client::local(&base).unwrap().events("1").await.unwrap();
    let error = events.next::<u8>().await.unwrap_err().to_string();
    assert!(error.contains("an event of more than"), "{error}");
}

#[tokio::test]
async fn a_message_repeats_the_beginning_of_an_answer_alone() {
    let head = "HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n";
    let base = server(head, &[b'x'; 1 << 16], 16).await;
    let client = Client::local(&base).unwrap();
    let error = client.get::<u8>("/x").await.unwrap_err().to_string();
    assert!(error.contains("500") && error.len() < 2 * SHOWN_CHARS_MAX, "{}", error.len());
}

#[test]
fn a_password_in_the_url_of_a_server_is_refused_and_not_shown() {
    for url in ["http://joe:hunter2@host:8080", "joe:hunter2@host", "http://hunter2@host/path"] {
        let error = Client::local(url).err().unwrap().to_string();
        assert!(error.contains("a user or a password") && !error.contains("hunter2"), "{error}");
    }
    for url in ["http://127.0.0.1:8080", "http://[::1]:8080/", "http://host/a@b"] {
        assert!(Client::local(url).is_ok(), "{url}");
    }
}

#[derive(clap::Parser)]
struct Given {
    #[command(flatten)]
    login: Login,
}

#[test]
fn a_tenant_is_the_beginning_of_all_paths() {
    use clap::Parser as _;
    let base = |url: &str, tenant: &str| {
        let login = Given::parse_from(["ferrule", "--tenant", tenant]).login;
        Client::new(url, &login).map(|client| client.base).map_err(|error| error.to_string())
    };
    assert_eq!(base("http://localhost:1/", "acme").unwrap(), "http://localhost:1/tenants/acme");
    let said = base("http://localhost:1", "../x").unwrap_err();
    assert!(said.contains("is no name of a tenant"), "{said}");
    let said = base("http://localhost:1/tenants/b", "acme").unwrap_err();
    assert!(said.contains("names a tenant"), "{said}");
}
