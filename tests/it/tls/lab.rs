//! CAs, certificates, a server with one, and clients that trust it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, RevokedCertParams, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::{Process, next_port};

pub(super) struct Ca {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

/// A certificate with its key, in PEM.
pub(super) struct Pair(pub(super) String, pub(super) String);

/// How long a certificate is valid from now.
pub(super) struct Days(pub(super) i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

const DAY: Duration = Duration::from_secs(86_400);

/// The time in a certificate, this far from now.
macro_rules! from_now {
    ($sign:tt $distance:expr) => {{
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        date_time_ymd(1970, 1, 1) + now $sign $distance
    }};
}

impl Ca {
    pub(super) fn new(name: &str) -> Self {
        let (mut params, key) = (params(name, &[]), KeyPair::generate().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        Pair(params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Issues a client certificate.
    pub(super) fn issue(&self, name: &str, Days(days): Days) -> Pair {
        let mut params = params(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let age = DAY * u32::try_from(days.abs()).unwrap();
        params.not_after = if days < 0 { from_now!(-age) } else { from_now!(+age) };
        self.sign(&params)
    }

    /// Issues a client certificate with alternative names.
    pub(super) fn issue_named(&self, name: &str, sans: &[&str]) -> Pair {
        let mut params = params(name, sans);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    /// Issues a client certificate with a serial number.
    pub(super) fn issue_numbered(&self, name: &str, serial: u64) -> Pair {
        let mut params = params(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(serial.into());
        self.sign(&params)
    }

    /// A list that revokes certificates by their serial numbers.
    pub(super) fn list(&self, revoked: &[u64]) -> String {
        let day = from_now!(-DAY);
        let revoked = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: day,
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: day,
            next_update: from_now!(+DAY),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&issuer).unwrap().pem().unwrap()
    }

    /// Issues a client certificate that soon expires.
    pub(super) fn issue_for_seconds(&self, name: &str, seconds: u64) -> Pair {
        let mut params = params(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_after = from_now!(+Duration::from_secs(seconds));
        self.sign(&params)
    }

    /// A client that trusts the CA, and shows a certificate.
    pub(super) fn client(&self, shown: Option<Pair>) -> Arc<ClientConfig> {
        client(&[&self.pem], shown)
    }

    pub(super) fn client_of_both(&self, other: &Self) -> Arc<ClientConfig> {
        client(&[&self.pem, &other.pem], None)
    }
}

fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = from_now!(-2 * DAY);
    params.not_after = from_now!(+ 30 * DAY);
    params
}

/// A certificate for a server on this machine, with its key.
pub(super) fn server_certificate(ca: &Ca) -> (String, String) {
    let mut params = params("server", &["localhost", "127.0.0.1"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let Pair(certificate, key) = ca.sign(&params);
    (certificate, key)
}

fn client(cas: &[&String], shown: Option<Pair>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for ca in cas {
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some(Pair(certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    Arc::new(config)
}

/// A server with a certificate of a CA, without packs and plugins.
pub(super) struct Server {
    pub(super) port: u16,
    folder: TempDir,
    _process: Process,
}

impl Server {
    /// Starts a server; `rest` is more of its `[tls]`, and what follows that.
    pub(super) async fn start(ca: &Ca, rest: &str) -> Self {
        Self::start_in(Self::folder(ca), rest).await
    }

    /// A folder with the files of a server.
    pub(super) fn folder(ca: &Ca) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = server_certificate(ca);
        for (name, text) in
            [("server.pem", &certificate), ("server.key", &key), ("ca.pem", &ca.pem)]
        {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        folder
    }

    /// Starts a server with `server.pem`, `server.key` and `ca.pem` of a folder.
    pub(super) async fn start_in(folder: TempDir, rest: &str) -> Self {
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
        let rest = rest.replace("ca.pem", &path("ca.pem"));
        let settings = format!(
            "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n{rest}\n",
            path("server.pem"),
            path("server.key")
        );
        std::fs::write(path("ferrule.toml"), settings).unwrap();
        for name in ["plugins", "workflows"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        let port = next_port();
        let arguments = [
            "serve".into(),
            "--config".into(),
            path("ferrule.toml"),
            "--listen".into(),
            format!("127.0.0.1:{port}"),
            "--data".into(),
            path("data"),
            "--plugins".into(),
            path("plugins"),
            "--workflows".into(),
            path("workflows"),
        ];
        let started = Process::start("serve", &arguments, folder.path()).await;
        let (process, url) = started.unwrap_or_else(|said| panic!("it does not start: {said}"));
        assert_eq!(url, format!("https://127.0.0.1:{port}"));
        Self { port, folder, _process: process }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A TLS connection.
    pub(super) async fn secure(
        &self,
        config: &Arc<ClientConfig>,
        protocol: Protocol,
    ) -> Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::clone(config);
        config.alpn_protocols = vec![match protocol {
            Protocol::Http1 => b"http/1.1".to_vec(),
            Protocol::Http2 => b"h2".to_vec(),
        }];
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let name = ServerName::try_from("localhost")?;
        Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    }

    pub(super) async fn connect(
        &self,
        config: &Arc<ClientConfig>,
        protocol: Protocol,
    ) -> Result<Connection> {
        let stream = TokioIo::new(self.secure(config, protocol).await?);
        let sender = match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(async move { connection.await.ok() });
                Sender::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(async move { connection.await.ok() });
                Sender::Http2(sender)
            }
        };
        Ok(Connection { sender, port: self.port })
    }
}

enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

/// A connection that requests are sent on.
pub(super) struct Connection {
    sender: Sender,
    port: u16,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: hyper::HeaderMap,
    pub(super) text: String,
}

impl Connection {
    pub(super) async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        self.send(Method::GET, path, headers).await
    }

    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let authority = format!("localhost:{}", self.port);
        let request = Request::builder().method(method);
        let mut request = match self.sender {
            Sender::Http1(_) => request.uri(path).header("host", &authority),
            Sender::Http2(_) => request.uri(format!("https://{authority}{path}")),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new())?;
        let answer = match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(request).await?,
            Sender::Http2(sender) => sender.send_request(request).await?,
        };
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8(body.collect().await?.to_bytes().into())
            .map_err(|_| anyhow!("it is no text"))?;
        Ok(Answer { status: parts.status, headers: parts.headers, text })
    }
}
