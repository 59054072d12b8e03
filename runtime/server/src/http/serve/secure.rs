//! The beginning of a connection by TLS. A client that speaks plain HTTP is told so.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::WRITE_WAIT;
use super::written::Written;
use crate::tls::seen::ClientCertificate;
use crate::tls::{H2, Loaded, Serving};

/// Max bytes of a plain request that are read before the connection is closed: a client that is still sending would
/// lose the answer.
const PLAIN_BYTES_MAX: u64 = 64 << 10;

/// What a client gets that speaks plain HTTP.
const PLAIN_ANSWER: &str =
    r#"{"code":"400","reason":"bad request","message":"this port speaks TLS only: use https://"}"#;

/// A connection by TLS.
pub(super) struct Secured {
    pub(super) stream: TlsStream<Written<TcpStream>>,
    /// What it was accepted by.
    pub(super) loaded: Arc<Loaded>,
    /// The verified certificate of the client, if it showed one.
    pub(super) client: Option<Arc<ClientCertificate>>,
    pub(super) is_http2: bool,
}

/// Makes a TLS connection; `None` if the client left or was told that this is no plain port.
pub(super) async fn greet(mut stream: TcpStream, tls: &Serving) -> io::Result<Option<Secured>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    // A handshake begins with 22, a request with the name of its method.
    if first[0].is_ascii_uppercase() {
        refuse(&mut stream).await?;
        return Ok(None);
    }
    let loaded = tls.now();
    let acceptor = TlsAcceptor::from(Arc::clone(&loaded.config));
    let stream = acceptor.accept(Written::new(stream, WRITE_WAIT)).await?;
    let (_, session) = stream.get_ref();
    let is_http2 = session.alpn_protocol() == Some(H2);
    let client = match session.peer_certificates().and_then(<[_]>::first) {
        None => None,
        Some(shown) => Some(Arc::new(ClientCertificate::read(shown).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "the certificate of the client has no readable subject",
            )
        })?)),
    };
    Ok(Some(Secured { stream, loaded, client, is_http2 }))
}

async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    let length = PLAIN_ANSWER.len();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(PLAIN_ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(PLAIN_BYTES_MAX), &mut tokio::io::sink()).await?;
    Ok(())
}
