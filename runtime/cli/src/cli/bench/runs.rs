//! `ferrule bench runs`: a workflow, run again and again. Each request is answered when its run has ended.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use hyper::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Load;
use super::measure::sweep;
use crate::client::Client;

/// Characters of the text that a run is given, unless there is another input.
const TEXT_CHARS: usize = 1_000;

#[derive(Debug, Args)]
pub(super) struct Runs {
    #[command(flatten)]
    load: Load,
    /// The workflow to run; `order` and `fan` of the pack `bench` are those that other engines are measured with.
    #[arg(long, default_value = "order")]
    workflow: String,
    /// A file with the input of each run, instead of a text of 1,000 characters.
    #[arg(long)]
    input: Option<PathBuf>,
    /// How many runs, after as many tenths to warm up.
    #[arg(long, default_value_t = 2_000)]
    runs: usize,
}

/// A run of a workflow, as the server answers.
#[derive(Deserialize)]
struct Run {
    state: String,
}

/// What all requests share.
struct Target {
    client: Client,
    path: String,
    /// JSON, as it is sent.
    input: String,
}

impl Runs {
    pub(super) async fn run(self) -> Result<()> {
        let Self { load, workflow, input, runs } = &self;
        let client = load.client(*runs)?;
        let path = format!("/orchestration/v1/workflows/{workflow}/runs?wait=60s");
        let target =
            Arc::new(Target { client: client.clone(), path, input: read(input.as_ref())? });
        sweep(load, &client, *runs, |_| Arc::clone(&target), one).await
    }
}

async fn one(target: Arc<Target>, _: usize) -> Result<()> {
    let Target { client, path, input } = &*target;
    let headers = [("content-type", "application/json")];
    let input = input.to_owned().into_bytes();
    let answer = client.send_bytes(Method::POST, path, &headers, input).await?.success(path)?;
    if answer.json::<Run>()?.state != "completed" {
        bail!("a run answered {}", answer.text());
    }
    Ok(())
}

fn read(file: Option<&PathBuf>) -> Result<String> {
    let Some(file) = file else {
        return Ok(format!("{{\"text\":\"{}\"}}", "x".repeat(TEXT_CHARS)));
    };
    let named = || format!("{}", file.display());
    let text = std::fs::read_to_string(file).with_context(named)?;
    serde_json::from_str::<IgnoredAny>(&text).with_context(named)?;
    Ok(text)
}
