//! Connections of the server itself by TLS, such as to Vault.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{At, TargetFault, client, system_roots};

/// Whom the server trusts when it connects by TLS.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The CAs of a PEM file, or those of the system. `setting` is their place in the settings: a table and a key.
    pub fn read(setting: (&str, &'static str), ca: Option<&Path>) -> Result<Self, TargetFault> {
        let (at, key) = (At { table: setting.0.into() }, setting.1);
        let roots = match ca {
            Some(path) => at.roots(key, path, &mut Sha256::new())?,
            None => system_roots(),
        };
        let mut config = client().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// The settings of connections that agree on no protocol within TLS.
    pub fn without_protocols(&self) -> ClientConfig {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols.clear();
        config
    }

    /// Makes a connection to a host, whose certificate must have its name or address.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}
