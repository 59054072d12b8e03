//! No element at all: a price is worked out.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrule_plugin::{Failure, Outcome};
use serde_json::{Value, json};

use crate::job::Job;

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    if job.has("calc-panics-later") && job.context.attempt() > 1 {
        panic!("attempt {}", job.context.attempt());
    }
    let mbps = job.speed().as_u64().unwrap_or_default();
    let cents = mbps * 10 + 20;
    let price = match job.has("calc-rounds-as-float") {
        true => json!(mbps as f64 * 0.1 + 0.2),
        false => json!(format!("{}.{:02}", cents / 100, cents % 100)),
    };
    let mut outputs = json!({ "price": price });
    if job.has("calc-time-in-outputs") {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        outputs["at"] = json!(now.as_nanos().to_string());
    }
    if job.has("calc-attempt-in-outputs") {
        outputs["attempt"] = json!(job.context.attempt());
    }
    Ok(Outcome::Done(outputs))
}
