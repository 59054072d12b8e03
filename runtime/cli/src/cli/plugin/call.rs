//! `ferrule plugin run`: one call of a plugin, without a server.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use engine::worker::{Call, Worker as _};
use host::{Decomposition, Installed, Manifest, Role};
use model::outcome::Outcome;
use model::plan::Action;
use model::pool::{Pool, Values};
use model::{Failure, FulfilmentId, Operation, PoolId, SpecId, TaskId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::{Inspector, read_file, secret};
use crate::cli::{Usage, say};
use server::config::Config;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The plugin.
    plugin: PathBuf,
    /// What it is called for.
    #[arg(long, value_enum, default_value = "run")]
    operation: Asked,
    /// The input of the step, or the order that a validator or decomposer is given: JSON, `@FILE`, or `-`
    /// for standard input.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    input: String,
    /// The outputs of the work that is undone.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    outputs: String,
    /// The specification of the item.
    #[arg(long, default_value = "EXAMPLE")]
    spec: String,
    /// What the order does to the item: `add`, `modify`, `delete` or `noChange`.
    #[arg(long, default_value = "add")]
    action: String,
    /// The characteristics of the item, name to value.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    characteristics: String,
    /// The idempotency key.
    #[arg(long, default_value = "key-1")]
    key: String,
    /// The key of the prior work that the task changes.
    #[arg(long, value_name = "KEY")]
    replaces: Option<String>,
    /// A pool, such as `vlans={100..199}`.
    #[arg(long = "pool", value_name = "NAME=PATTERN")]
    pools: Vec<String>,
    /// Call it this many times more, one after the other, and print how long a call takes.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeat: Option<u32>,
    /// A secret by the name that the plugin asks for, such as `password=VALUE` or `password=@FILE`; it may go
    /// where the plugin may send requests.
    #[arg(long = "secret", value_name = "NAME=VALUE")]
    secrets: Vec<String>,
    /// The settings with what the plugin is granted.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// To do the work, or what its role does.
    Run,
    /// To find out whether the work was applied, and to do it if not.
    Recover,
    /// To undo the work.
    Undo,
}

/// Calls the plugin and prints the answer as JSON, and its log to standard error. Fails if the call does.
pub(super) async fn run(run: Run) -> Result<()> {
    let bytes = read_file(&run.plugin)?;
    let mut config = Config::read(run.config.as_deref())?;
    let mut values = server::secrets::values(&config.secrets).await;
    let given: Vec<_> =
        run.secrets.iter().map(|given| secret::read(given)).collect::<Result<_>>()?;
    if !given.is_empty() {
        let id = Manifest::of(bytes.clone()).context("the file is no plugin")?.id;
        secret::grant(config.plugins.entry(id).or_default(), &mut values, given);
    }
    let inspector = Inspector::new(&config)?;
    for (name, value) in values {
        inspector.host.renew(&name, value);
    }
    for pool in &run.pools {
        inspector.pools.define(read_pool(pool)?);
    }
    let (size, began) = (bytes.len(), Instant::now());
    let plugin = inspector.host.install(bytes).await;
    let plugin = plugin.map_err(|error| anyhow::anyhow!(server::serve::reason(&error)))?;
    let installed = began.elapsed();
    let (answer, log) = answered(&inspector, &plugin, &run, &mut Measured::default()).await?;
    for line in log {
        crate::report::note(&line);
    }
    if let (Some(count), Ok(_)) = (run.repeat, &answer) {
        let mut measured = Measured::default();
        for _ in 0..count {
            answered(&inspector, &plugin, &run, &mut measured).await?.0.map_err(|failure| {
                anyhow::anyhow!("a repeated call failed: {}", failure.code.as_str())
            })?;
        }
        crate::report::note(&format!("{size} bytes, compiled in {:.1} s", installed.as_secs_f64()));
        crate::report::note(&measured.line());
    }
    match answer {
        Ok(answer) => say(&format!("{answer:#}")),
        Err(failure) => {
            say(&format!("{:#}", json!({ "failed": failure })))?;
            bail!("the call failed: {}", failure.code.as_str())
        }
    }
}

type Answer = (Result<Value, Failure>, Vec<String>);

async fn answered(
    inspector: &Inspector,
    plugin: &Installed,
    run: &Run,
    measured: &mut Measured,
) -> Result<Answer> {
    match plugin.role {
        Role::Decomposer => decompose(inspector, plugin, run, measured).await,
        Role::Validator | Role::Allocator | Role::Activator | Role::Rater | Role::Step => {
            carry_out(inspector, plugin, run, measured).await
        }
    }
}

/// What repeated calls took.
#[derive(Default)]
struct Measured {
    took: Vec<Duration>,
    /// The most linear memory of a call.
    memory_kib: u32,
}

impl Measured {
    fn line(&mut self) -> String {
        self.took.sort_unstable();
        let count = self.took.len();
        let total: Duration = self.took.iter().sum();
        let us = |place: usize| self.took.get(place).map_or(0, Duration::as_micros);
        let (median, late) = (us(count / 2), us(count * 99 / 100));
        let rate = count as f64 / total.as_secs_f64().max(f64::EPSILON);
        let memory = match self.memory_kib {
            0 => String::new(),
            kib => format!(", {kib} KiB of memory each"),
        };
        format!(
            "{count} calls, each in an instance of its own: {rate:.0}/s, median {median} us, p99 {late} us{memory}"
        )
    }
}

async fn carry_out(
    inspector: &Inspector,
    plugin: &Installed,
    run: &Run,
    measured: &mut Measured,
) -> Result<Answer> {
    let call = Call {
        fulfilment: FulfilmentId::new("fulfilment-1"),
        task: TaskId(0),
        name: format!("{}.run", run.spec),
        attempt: 1,
        idempotency_key: run.key.clone(),
        callback: run.key.clone(),
        operation: match run.operation {
            Asked::Run => Operation::Run,
            Asked::Recover => Operation::Recover,
            Asked::Undo => Operation::Undo { outputs: read("outputs", &run.outputs)? },
        },
        plugin: plugin.id.clone(),
        digest: plugin.digest.clone(),
        spec: run.spec.clone(),
        action: action(&run.action)?.as_str().into(),
        characteristics: read("characteristics", &run.characteristics)?,
        replaces: run.replaces.clone(),
        input: read("input", &run.input)?,
        timeout_ms: u64::MAX,
        at: Timestamp(0),
        trace: None,
    };
    let began = Instant::now();
    let report = inspector.host.run(call).await;
    measured.took.push(began.elapsed());
    let memory_kib = report.telemetry.as_ref().map_or(0, |told| told.figures.memory_kib);
    measured.memory_kib = measured.memory_kib.max(memory_kib);
    let answer = match report.outcome {
        Outcome::Done(outputs) => Ok(json!({ "done": outputs })),
        Outcome::Waiting(wait) => Ok(json!({ "waiting": wait })),
        Outcome::Failed(failure) => Err(failure),
    };
    Ok((answer, report.log))
}

async fn decompose(
    inspector: &Inspector,
    plugin: &Installed,
    run: &Run,
    measured: &mut Measured,
) -> Result<Answer> {
    let item = Decomposition {
        spec: &SpecId::new(&run.spec),
        action: action(&run.action)?,
        characteristics: &read("characteristics", &run.characteristics)?,
        order: &read("input", &run.input)?,
    };
    let began = Instant::now();
    let (productions, log) = inspector.host.decompose(&plugin.digest, item).await;
    measured.took.push(began.elapsed());
    let made = productions.map(|made| {
        let parts = made.iter().map(
            |part| json!({ "spec": part.spec.as_str(), "characteristics": part.characteristics }),
        );
        json!({ "productions": parts.collect::<Vec<_>>() })
    });
    Ok((made, log))
}

fn action(text: &str) -> Result<Action> {
    let known = Action::parse(text);
    known.ok_or_else(|| {
        Usage(format!("the action `{text}` is none of `add`, `modify`, `delete`, `noChange`"))
            .into()
    })
}

/// Reads the JSON of an argument.
fn read<T: DeserializeOwned>(name: &str, argument: &str) -> Result<T> {
    let unreadable = |file: &str, error| Usage(format!("cannot read `{file}`: {error}"));
    let text = match argument.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?,
        None if argument == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            text
        }
        None => argument.into(),
    };
    let value = serde_json::from_str(&text);
    value.map_err(|error| Usage(format!("--{name} cannot be used: {error}")).into())
}

fn read_pool(argument: &str) -> Result<Pool> {
    let Some((name, pattern)) = argument.split_once('=') else {
        return Err(Usage(format!("--pool `{argument}` is no `NAME=PATTERN`")).into());
    };
    let values = Values::pattern(pattern)
        .map_err(|error| Usage(format!("--pool `{argument}` cannot be used: {error}")))?;
    Ok(Pool {
        id: PoolId::new(name),
        resource: SpecId::new(name),
        characteristic: "value".into(),
        values,
    })
}
