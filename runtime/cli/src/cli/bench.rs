//! `ferrule bench`: load against a server that runs, and what it took.

mod documents;
mod measure;
mod orders;
mod process;
mod runs;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::say;
use crate::client::{Client, Login};

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run a workflow, again and again.
    Runs(runs::Runs),
    /// Send product orders, and wait until each is completed.
    Orders(orders::Orders),
    /// Read, list and create documents among many.
    Documents(documents::Documents),
}

/// What every load has.
#[derive(Debug, Args)]
struct Load {
    /// The server; load goes to this machine only.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
    /// How many requests are in flight at one time. Several, with commas, are measured one after the other.
    #[arg(long, default_value = "64", value_delimiter = ',')]
    in_flight: Vec<usize>,
    /// How many requests begin in a second, evenly, as far as `--in-flight` allows; by default
    /// each begins when the one before it ends. Latency counts from when a request is due.
    #[arg(long)]
    rate: Option<f64>,
    /// How often each measurement is made, one after the other on the same server: to see growth.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// The process id of the server, to measure its CPU time, its memory and what it writes.
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON, one line for each measurement.
    #[arg(long)]
    json: bool,
}

/// No more than this many requests at one go, in flight, and in a second; and of a measurement.
const REQUESTS_MAX: usize = 10_000_000;
const IN_FLIGHT_MAX: usize = 4_096;
const RATE_MAX: f64 = 1e6;
const ROUNDS_MAX: usize = 100_000;

pub(crate) async fn run(bench: Bench) -> Result<()> {
    match bench.what {
        What::Runs(runs) => runs.run().await,
        What::Orders(orders) => orders.run().await,
        What::Documents(documents) => documents.run().await,
    }
}

impl Load {
    /// A client of the server, where the load is one that may be.
    fn client(&self, requests: usize) -> Result<Client> {
        let client = Client::new(&self.server, &self.login)?;
        let place = self.server.split_once("://").map_or("", |(_, place)| place);
        let local = ["127.0.0.1", "localhost", "[::1]"];
        if !local.iter().any(|prefix| place.starts_with(prefix)) {
            bail!("`{}` is not on this machine; load goes to loopback only", self.server);
        }
        if requests == 0 || requests > REQUESTS_MAX {
            bail!("there are 1 to {REQUESTS_MAX} requests");
        }
        if self.in_flight.iter().any(|count| !(1..=IN_FLIGHT_MAX).contains(count)) {
            bail!("`--in-flight` is a number from 1 to {IN_FLIGHT_MAX}, or several with commas");
        }
        // Not a number is in no range.
        if self.rate.is_some_and(|rate| !(0.001..=RATE_MAX).contains(&rate)) {
            bail!("`--rate` is a number from 0.001 to {RATE_MAX}");
        }
        if self.rounds == 0 || self.rounds > ROUNDS_MAX {
            bail!("`--rounds` is a number from 1 to {ROUNDS_MAX}");
        }
        Ok(client)
    }

    /// The only number of requests in flight, for loads that are not measured with several, at a rate or
    /// in rounds.
    fn only_in_flight(&self) -> Result<usize> {
        if self.rate.is_some() || self.rounds != 1 {
            bail!("documents are measured without `--rate` and `--rounds`");
        }
        match self.in_flight.as_slice() {
            [count] => Ok(*count),
            _ => bail!("`--in-flight` is one number here"),
        }
    }
}

/// Prints a report as JSON, or as a line for each figure.
fn print(report: &impl Serialize, as_json: bool) -> Result<()> {
    let report = serde_json::to_value(report)?;
    if as_json {
        return say(&report.to_string());
    }
    for (name, value) in report.as_object().into_iter().flatten() {
        match value.as_f64() {
            Some(number) if value.is_f64() => say(&format!("{name:14} {number:.3}"))?,
            _ => say(&format!("{name:14} {value}"))?,
        }
    }
    Ok(())
}
