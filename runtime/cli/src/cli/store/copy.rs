//! `ferrule store copy`: from a folder into a database, or back.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use server::config::Config;
use server::serve::STORE;
use store::copy::{self, Copied, put_in_place};
use store::postgres::Purpose;
use store::private;

use super::place::{in_folder, is_there, led, located};
use crate::cli::say;

/// The folder beside the store that a copy is made in.
const UNFINISHED: &str = "store.copy";

#[derive(Debug, Args)]
pub(in crate::cli) struct Copy {
    /// The settings, for `[encryption]`, and for the password and the schema of `[postgres]`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder, or the URL of the database, that has the store.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// The data folder, or the URL of the database, to copy to. There must be no store.
    #[arg(long, value_name = "DIR|URL")]
    to: String,
}

/// Copies, compares the copy with the original, and only then lets it be used.
pub(super) async fn run(arguments: Copy) -> Result<()> {
    let Copy { config, from, to } = arguments;
    let config = Config::read(config.as_deref())?;
    if from == to {
        bail!("`--from` and `--to` are the same");
    }
    let original = match is_url(&from) {
        true => {
            Copied::Database(in_database(&config, &from, Purpose::Look).await.context("`--from`")?)
        }
        false => {
            let (path, keys) = located(&config, Some(from.into())).await.context("`--from`")?;
            Copied::Folder(in_folder(&path, keys).context("`--from`")?)
        }
    };
    let bar = ProgressBar::new_spinner();
    let told = |done, facts| bar.set_message(format!("{facts} facts {done}"));
    let sum = match is_url(&to) {
        true => {
            let store = in_database(&config, &to, Purpose::Copy).await.context("`--to`")?;
            let copy = Copied::Database(store);
            let sum = copy::copy(&original, &copy, told).await?;
            if let Copied::Database(store) = &copy {
                tokio::task::block_in_place(|| store.finish_copy())?;
            }
            sum
        }
        false => into_folder(&config, &original, to.into(), told).await?,
    };
    bar.finish_and_clear();
    say(&format!("{} facts are copied, and the copy was compared with the original", sum.facts))
}

fn is_url(place: &str) -> bool {
    place.contains("://")
}

async fn in_database(config: &Config, url: &str, purpose: Purpose) -> Result<store::Postgres> {
    let config = Config { store: Some(url.into()), ..config.clone() };
    let database = config.database().await?.context("it is no database")?;
    led(&config, database, purpose).await
}

async fn into_folder(
    config: &Config,
    original: &Copied,
    data: PathBuf,
    told: impl FnMut(&'static str, u64),
) -> Result<copy::Sum> {
    let (place, unfinished) = (data.join(STORE), data.join(UNFINISHED));
    if is_there(&place) {
        bail!("`--to`: there is a store in `{}`: move it away", place.display());
    }
    let cannot = || format!("`--to`: cannot use the folder `{}`", data.display());
    private::make_folder(&data).with_context(cannot)?;
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).with_context(cannot)?;
    }
    let keys = config.encryption.keys(&config.secrets).await?;
    let copy = Copied::Folder(in_folder(&unfinished, keys)?);
    let sum = copy::copy(original, &copy, told).await?;
    drop(copy);
    put_in_place(&unfinished, &place).with_context(cannot)?;
    Ok(sum)
}
