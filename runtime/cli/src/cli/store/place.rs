//! The store that a command works on while no server does: in a folder, or in a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use engine::store::Store;
use server::config::{Config, Database};
use server::serve::STORE;
use store::postgres::{Led, Postgres, Purpose};
use store::seal::MasterKeys;
use store::{OpenError, Options, Sled, postgres};

/// Memory for facts of a database, in bytes.
const CACHE_BYTES: u64 = 32 << 20;

/// Whether a store is made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Missing {
    Refused,
    Made,
}

/// Where the settings have a store in a folder, or where it is in the folder that is named.
pub(super) fn in_settings(config: &Config, data: Option<PathBuf>) -> Result<PathBuf> {
    if data.is_none() && config.store.is_some() {
        bail!(
            "the settings keep the store in a database, which this command does not work on: name a folder with \
             `--data`, or use the tools of PostgreSQL"
        );
    }
    Ok(data.unwrap_or_else(|| config.data.clone()).join(STORE))
}

/// The folder of a store, and the keys that it is sealed under by the settings.
pub(in crate::cli) async fn located(
    config: &Config,
    data: Option<PathBuf>,
) -> Result<(PathBuf, Option<MasterKeys>)> {
    let path = in_settings(config, data)?;
    if !is_there(&path) {
        bail!("there is no store in `{}`", path.display());
    }
    Ok((path, config.encryption.keys(&config.secrets).await?))
}

/// Whether a folder has files. A store that is opened in an empty one would be made there.
pub(super) fn is_there(path: &Path) -> bool {
    path.read_dir().is_ok_and(|mut files| files.next().is_some())
}

/// The store of some settings, or of a folder if one is named. No server has it meanwhile.
pub(in crate::cli) async fn opened(
    config: &Config,
    data: Option<PathBuf>,
    missing: Missing,
) -> Result<Arc<dyn Store>> {
    let database = if data.is_some() { None } else { config.database().await? };
    if let Some(database) = database {
        let purpose = match missing {
            Missing::Refused => Purpose::Look,
            Missing::Made => Purpose::Use,
        };
        return Ok(Arc::new(led(config, database, purpose).await?));
    }
    let (path, keys) = match missing {
        Missing::Refused => located(config, data).await?,
        Missing::Made => {
            let data = data.unwrap_or_else(|| config.data.clone());
            store::private::make_folder(&data)
                .with_context(|| format!("cannot use the folder `{}`", data.display()))?;
            (data.join(STORE), config.encryption.keys(&config.secrets).await?)
        }
    };
    Ok(Arc::new(in_folder(&path, keys)?))
}

/// The store in a folder.
pub(super) fn in_folder(path: &Path, keys: Option<MasterKeys>) -> Result<Sled> {
    match Sled::open(path, &Options { keys, ..Options::default() }) {
        Err(OpenError::InUse { .. }) => bail!(
            "a server runs on `{}`: stop it for the time of this command, or ask it with `--server URL` if the \
             command has that",
            path.display()
        ),
        opened => opened.context("the store cannot be opened"),
    }
}

/// The store in a database, which this process leads from now on.
pub(super) async fn led(config: &Config, database: Database, purpose: Purpose) -> Result<Postgres> {
    let keys = config.encryption.keys(&config.secrets).await?;
    let Database { address, tls, node } = database;
    let options = postgres::Options { cache_bytes: CACHE_BYTES, keys, tls, purpose };
    tokio::task::block_in_place(|| {
        let mut store = Postgres::open(address, options).context("the store cannot be opened")?;
        match store.lead(&format!("{node}, by a command")) {
            Ok(Led::Here) => Ok(store),
            Ok(Led::There { node }) => {
                bail!(
                    "the node `{node}` leads the store: stop all of its nodes for the time of this command"
                )
            }
            Err(error) => Err(error).context("the lease of the store cannot be asked for"),
        }
    })
}
