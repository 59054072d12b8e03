//! `ferrule bench documents`: products by the million, read by id, listed by what they are found by,
//! and created. The same requests run first against a thousandth of the rows, in the same
//! run: a list that uses an index costs the same.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use axum::body::{Body, Bytes};
use clap::Args;
use futures_util::stream;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::measure::{Pace, measure};
use super::process::resident_mib;
use super::{Load, print};
use crate::client::{Answer, Client};

/// Rows created and sent in one batch.
const ROWS_AT_ONCE: usize = 1_000;

/// Products of each party, on average.
const PRODUCTS_EACH: usize = 3;

#[derive(Debug, Args)]
pub(super) struct Documents {
    #[command(flatten)]
    load: Load,
    /// How many products there are to be; they are imported where they are not there.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// How many requests of each kind are made.
    #[arg(long, default_value_t = 5_000)]
    requests: usize,
}

/// The figures of a question or a transfer, with the number of rows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<Figures> {
    #[serde(flatten)]
    figures: Figures,
    what: &'static str,
    rows: usize,
}

#[derive(Deserialize)]
struct Imported {
    created: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Import {
    created: u64,
    seconds: f64,
    per_second: f64,
    #[serde(rename = "residentMiB")]
    resident_mib: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    seconds: f64,
    per_second: f64,
    mebibytes_per_second: f64,
    #[serde(rename = "residentMiB")]
    resident_mib: Option<u64>,
}

/// What is asked, by name: a path in which `{}` is the number of a row.
const QUESTIONS: [(&str, &str); 5] = [
    ("getById", "/tmf-api/productInventory/v4/product/bench-{}"),
    ("listByParty", "/tmf-api/productInventory/v4/product?relatedParty.id=bench-party-{}&limit=20"),
    ("listBySerial", "/tmf-api/productInventory/v4/product?productSerialNumber=SN{}&limit=20"),
    ("listByState", "/tmf-api/productInventory/v4/product?status=active&limit=20"),
    ("firstPage", "/tmf-api/productInventory/v4/product?limit=20"),
];

impl Documents {
    pub(super) async fn run(self) -> Result<()> {
        self.load.only_in_flight()?;
        let client = Arc::new(self.load.client(self.requests.max(self.rows))?);
        for rows in [(self.rows / 1_000).max(1), self.rows] {
            self.fill(&client, rows).await?;
            for (name, path) in QUESTIONS {
                self.ask(&client, rows, name, path).await?;
            }
        }
        self.create(&client).await?;
        self.take_out(&client).await
    }

    /// Imports the rows that are not there.
    async fn fill(&self, client: &Client, rows: usize) -> Result<()> {
        let path = format!("/orchestration/v1/imports/bench-{rows}?resource=product&existing=keep");
        let began = Instant::now();
        let lines = stream::iter((0..rows).step_by(ROWS_AT_ONCE).map(move |first| {
            let lines: String = (first..rows.min(first + ROWS_AT_ONCE)).map(line).collect();
            Ok::<_, std::convert::Infallible>(Bytes::from(lines))
        }));
        let body = Body::from_stream(lines);
        let answer = client.open(Method::PUT, &path, "application/x-ndjson", body).await?;
        let Imported { created } = Answer::read(answer).await?.success(&path)?.json()?;
        let took = began.elapsed().as_secs_f64();
        let resident_mib = self.load.pid.and_then(resident_mib);
        let figures =
            Import { created, seconds: took, per_second: rows as f64 / took, resident_mib };
        self.tell("import", rows, figures)
    }

    async fn ask(
        &self,
        client: &Arc<Client>,
        rows: usize,
        name: &'static str,
        path: &'static str,
    ) -> Result<()> {
        let one = move |client: Arc<Client>, number: usize| async move {
            let path = path.replace("{}", &scattered(number, rows).to_string());
            let answer = client.look(&path).await?.success(&path)?;
            if answer.text() == "[]" {
                bail!("{path} answered without a document");
            }
            Ok(())
        };
        let pace = self.pace()?;
        let warm = Pace { requests: self.requests.div_ceil(10), ..pace };
        measure(client, None, warm, client, one).await?;
        let measured = measure(client, self.load.pid, pace, client, one).await?;
        self.tell(name, rows, measured.report())
    }

    fn pace(&self) -> Result<Pace> {
        let (in_flight, requests) = (self.load.only_in_flight()?, self.requests);
        Ok(Pace { in_flight, requests, rate: None })
    }

    async fn create(&self, client: &Arc<Client>) -> Result<()> {
        let path = tmf::table::path("product");
        let one = move |client: Arc<Client>, number: usize| async move {
            client.send(Method::POST, path, &row(number)).await?.success(path).map(drop)
        };
        let measured = measure(client, self.load.pid, self.pace()?, client, one).await?;
        self.tell("create", self.rows, measured.report())
    }

    /// Exports everything, and forgets it.
    async fn take_out(&self, client: &Client) -> Result<()> {
        use http_body_util::BodyExt as _;
        let began = Instant::now();
        let path = "/orchestration/v1/exports/product";
        let answer = client.open(Method::GET, path, "", Body::empty()).await?;
        let (mut body, mut rows, mut bytes) = (answer.into_body(), 0, 0);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                bytes += data.len();
                rows += data.iter().filter(|byte| **byte == b'\n').count();
            }
        }
        let took = began.elapsed().as_secs_f64();
        let figures = Export {
            seconds: took,
            per_second: rows as f64 / took,
            mebibytes_per_second: bytes as f64 / took / f64::from(1 << 20),
            resident_mib: self.load.pid.and_then(resident_mib),
        };
        self.tell("export", rows, figures)
    }

    fn tell(&self, what: &'static str, rows: usize, figures: impl Serialize) -> Result<()> {
        print(&Row { figures, what, rows }, self.load.json)
    }
}

/// A row on a line, with the id of its number.
fn line(number: usize) -> String {
    let mut row = row(number);
    row["id"] = json!(format!("bench-{number}"));
    format!("{row}\n")
}

fn row(number: usize) -> Value {
    json!({
        "name": "SuperFibre 200 Home",
        "status": if number % 50 == 49 { "suspended" } else { "active" },
        "productSerialNumber": format!("SN{number}"),
        "startDate": "2026-03-10T10:00:00Z",
        "productOffering": { "id": "PO-SF200H", "name": "SuperFibre 200 Home" },
        "productCharacteristic": [
            { "name": "downstreamSpeed", "value": 200 }, { "name": "upstreamSpeed", "value": 50 },
        ],
        "relatedParty": [{
            "id": format!("bench-party-{}", number - number % PRODUCTS_EACH),
            "role": "Customer", "@referredType": "Customer",
        }],
    })
}

/// A row far from the one before, and one that a party is named after.
fn scattered(number: usize, rows: usize) -> usize {
    // A prime: every row comes once before any comes again.
    let row = number.wrapping_mul(7_919) % rows;
    row - row % PRODUCTS_EACH
}
