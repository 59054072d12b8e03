//! Opens the store of a server: a folder, or a database that several nodes share, of which one leads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::store::Store;
use store::Sled;
use store::postgres::{self, Led, Postgres, Purpose};
use store::private::{self, Depth, tighten};
use store::seal::MasterKeys;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::listener::Listener;
use super::{HANDOVER_WAIT, STORE, ServeError};
use crate::config::{Config, ConfigError, Database};

/// How often a node that stands by asks for the lease.
const ASKING_PAUSE: Duration = Duration::from_secs(1);

/// What a node that stood by still answers may take this long.
const STANDBY_WAIT: Duration = Duration::from_secs(1);

/// Bytes of recent commits in memory, at least.
const RECENT_BYTES_MIN: u64 = 4 << 20;

/// The file of the data folder with the name of the store that it belongs to.
const NAME: &str = "store-name";

/// The store of a server that leads it.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    /// Turns to `true` when another node leads; never for a folder.
    pub(super) lost: Option<watch::Receiver<bool>>,
}

/// Opens the store with the keys that it is sealed by, if it is. Returns once this node leads; until then it
/// answers clients that it stands by.
pub(super) async fn open(config: &Config, listener: &Listener) -> Result<Opened, ServeError> {
    let keys = config.encryption.keys(&config.secrets).await.map_err(ConfigError::Encryption)?;
    let cache_mib = config.limits.store_cache_mib;
    make_folder(&config.data)?;
    match config.database().await.map_err(ConfigError::Database)? {
        None if config.data.join(NAME).exists() => {
            Err(ServeError::NoDatabase { path: config.data.to_owned() })
        }
        None => {
            let store = open_folder(&config.data, cache_mib, keys)?;
            Ok(Opened { store: Arc::new(store), lost: None })
        }
        Some(reached) => {
            let store = open_database(reached, config, (cache_mib, keys), listener).await?;
            Ok(Opened { lost: Some(store.lost()), store: Arc::new(store) })
        }
    }
}

pub(super) fn make_folder(data: &Path) -> Result<(), ServeError> {
    let folder = |source| ServeError::Folder { path: data.into(), source };
    private::make_folder(data).map_err(folder)?;
    tighten(data, Depth::Folder);
    tighten(&data.join("plugins"), Depth::Whole);
    Ok(())
}

pub(super) fn open_folder(
    data: &Path,
    cache_mib: u64,
    keys: Option<MasterKeys>,
) -> Result<Sled, ServeError> {
    let usual = store::Options::default();
    let options = store::Options {
        lock_wait: HANDOVER_WAIT,
        cache_bytes: cache_mib << 20,
        recent_bytes: (cache_mib << 20).clamp(RECENT_BYTES_MIN, usual.recent_bytes),
        keys,
    };
    Sled::open(data.join(STORE), &options).map_err(ServeError::Store)
}

async fn open_database(
    reached: Database,
    config: &Config,
    (cache_mib, keys): (u64, Option<MasterKeys>),
    listener: &Listener,
) -> Result<Postgres, ServeError> {
    let Database { address, tls, node } = reached;
    // Before anything is made in the database.
    if !config.data.join(NAME).exists() && config.data.join(STORE).exists() {
        return Err(ServeError::BothStores { path: config.data.join(STORE) });
    }
    let options =
        postgres::Options { cache_bytes: cache_mib << 20, keys, tls, purpose: Purpose::Use };
    let opened = tokio::task::spawn_blocking(move || Postgres::open(address, options));
    let mut store = joined(opened.await)?.map_err(ServeError::Database)?;
    check_name(&config.data, store.name())?;
    let mut standby = None;
    loop {
        let asking = node.clone();
        let (asked, led) = joined(
            tokio::task::spawn_blocking(move || {
                let led = store.lead(&asking);
                (store, led)
            })
            .await,
        )?;
        store = asked;
        match led.map_err(ServeError::Lead)? {
            Led::Here => break,
            Led::There { node: leading } => match &standby {
                None => standby = Some(Standby::begin(listener, config.clone(), leading)?),
                Some(standby) => standby.note(leading),
            },
        }
        tokio::time::sleep(ASKING_PAUSE).await;
    }
    if let Some(standby) = standby {
        standby.end().await;
    }
    tracing::info!(node, "this node leads");
    Ok(store)
}

/// Refuses a data folder that belongs to another store: its packs and files would not fit.
fn check_name(data: &Path, name: &str) -> Result<(), ServeError> {
    let path = data.join(NAME);
    let folder = |source| ServeError::Folder { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(of) if of.trim() == name => Ok(()),
        Ok(of) => {
            let of = of.trim().to_owned();
            Err(ServeError::OtherStore { path: data.into(), of, name: name.to_owned() })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Whole or not there: a power loss in the middle would leave the name of no store.
            let draft = path.with_extension("new");
            let written = std::fs::write(&draft, name)
                .and_then(|()| std::fs::File::open(&draft)?.sync_all())
                .and_then(|()| std::fs::rename(&draft, &path))
                .and_then(|()| std::fs::File::open(data)?.sync_all());
            written.map_err(folder)
        }
        Err(error) => Err(folder(error)),
    }
}

/// A node that answers that it is not ready.
struct Standby {
    leading: watch::Sender<String>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
    /// Compiles the plugins, which takes longer than all else when a node takes over.
    compiling: JoinHandle<()>,
}

impl Standby {
    fn begin(listener: &Listener, config: Config, leading: String) -> Result<Self, ServeError> {
        tracing::info!(leading, "another node leads; this one stands by");
        let (leading, stop) = (watch::Sender::new(leading), watch::Sender::new(false));
        let router = crate::http::standby(leading.subscribe());
        let stopped = stop.subscribe();
        let serving = listener.serve_beside(router, super::until(stopped));
        let serving = serving.map_err(ServeError::Http)?;
        let compiling = tokio::spawn(async move { super::tenant::compiled_ahead(&config).await });
        Ok(Self { leading, stop, serving, compiling })
    }

    fn note(&self, leading: String) {
        self.leading.send_if_modified(|known| {
            let is_other = *known != leading;
            *known = leading;
            is_other
        });
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.compiling.abort();
        // It has released the folder by then.
        drop(self.compiling.await);
        let ended = tokio::time::timeout(STANDBY_WAIT, self.serving).await;
        if ended.is_err() {
            tracing::debug!("a request to the node that stood by is still being answered");
        }
    }
}

fn joined<T>(result: Result<T, JoinError>) -> Result<T, ServeError> {
    result.map_err(ServeError::Ended)
}
