//! A small operator, living: customers, accounts, catalogs, quotes, orders in several states, stock,
//! a bill. Everything comes in over HTTP, as from the systems of an operator; what is said is a
//! script (`operator.json`).
//!
//! A step is one of: `say` a heading; `post` to a resource's key, or to a path; `patch` a document;
//! send an `order` of a pack; arm `faults` of the simulated network; `wait` until a document has a
//! value. `as` gives the id of what came back a name, and `{name}` stands for it later; `{now}` is
//! the time.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use engine::clock::{Clock as _, System};
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Client, expect_ok};
use crate::repository::Repository;

const SCRIPT: &str = include_str!("operator.json");

/// A document is looked at again after this time.
const LOOK: Duration = Duration::from_millis(50);

/// So often it is looked at.
const LOOKS_MAX: u32 = 1_200;

struct Operator<'a> {
    client: &'a Client,
    network: Client,
    repository: &'a Repository,
    /// The ids of what was made, by the names that the script gives them.
    names: BTreeMap<String, String>,
}

/// Plays the script against a server.
pub(super) async fn live(
    client: &Client,
    simnet: &str,
    repository: &Repository,
    out: &mut impl Write,
) -> Result<()> {
    let script: Vec<Value> = serde_json::from_str(SCRIPT).context("operator.json")?;
    let network = Client::new(simnet);
    let mut operator = Operator { client, network, repository, names: BTreeMap::new() };
    for step in &script {
        match step.get("say").and_then(Value::as_str) {
            Some(heading) => writeln!(out, "  {heading}.")?,
            None => operator.play(step).await.with_context(|| format!("the step {step}"))?,
        }
    }
    Ok(())
}

impl Operator<'_> {
    async fn play(&mut self, step: &Value) -> Result<()> {
        let step = self.with_names(step)?;
        let text = |name: &str| step.get(name).and_then(Value::as_str);
        let body = step.get("body").cloned().unwrap_or_default();
        let made = if let Some(to) = text("post") {
            Some(self.client.post(place(to), &body).await?)
        } else if let (Some(key), Some(id)) = (text("patch"), text("id")) {
            self.patch(&format!("{}/{id}", place(key)), &body).await?;
            None
        } else if let Some(order) = text("order") {
            Some(self.order(order, &step).await?)
        } else if let Some(faults) = step.get("faults") {
            let (status, body) = self.network.send(Method::PUT, "/_faults", Some(faults)).await?;
            expect_ok("/_faults", status, body)?;
            None
        } else if let (Some(key), Some(id), Some(until)) =
            (text("wait"), text("id"), step.get("until"))
        {
            self.wait(&format!("{}/{id}", place(key)), until).await?;
            None
        } else {
            bail!("nothing to do");
        };
        if let (Some(name), Some(made)) = (text("as"), made) {
            let id = made.get("id").and_then(Value::as_str).context("what came has no id")?;
            self.names.insert(name.to_string(), id.to_string());
        }
        Ok(())
    }

    async fn patch(&self, path: &str, body: &Value) -> Result<()> {
        let (status, body) = self.client.send(Method::PATCH, path, Some(body)).await?;
        expect_ok(path, status, body).map(drop)
    }

    /// Sends an order of a pack for a customer of ours.
    async fn order(&self, name: &str, step: &Value) -> Result<Value> {
        let mut order = self.repository.order(name)?;
        for (name, value) in
            step.get("characteristic").and_then(Value::as_object).into_iter().flatten()
        {
            set_characteristic(&mut order, name, value);
        }
        {
            let fields = order.as_object_mut().with_context(|| format!("`{name}` is no object"))?;
            fields.remove("externalId");
            let customer = json!({
                "id": step.get("customer"), "role": "Customer", "@referredType": "Customer",
            });
            fields.insert("relatedParty".into(), json!([customer]));
            if let Some(account) = step.get("account") {
                fields.insert("billingAccount".into(), json!({ "id": account }));
            }
        }
        self.client.post(tmf::table::path("productOrder"), &order).await
    }

    async fn wait(&self, path: &str, until: &Value) -> Result<()> {
        let wanted = until.as_object().context("`until` names attributes")?;
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            last = self.client.get(path).await?;
            if wanted.iter().all(|(name, value)| last.get(name) == Some(value)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("{path} does not come to {until}: {last}")
    }

    /// The same with ids for names.
    fn with_names(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(entries) => {
                Value::Array(entries.iter().map(|one| self.with_names(one)).collect::<Result<_>>()?)
            }
            Value::Object(fields) => {
                let fields =
                    fields.iter().map(|(name, value)| Ok((name.clone(), self.with_names(value)?)));
                Value::Object(fields.collect::<Result<_>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<String> {
        let mut parts = text.split('{');
        let mut whole = parts.next().unwrap_or_default().to_string();
        for part in parts {
            let (name, rest) = part.split_once('}').context("a name has no end")?;
            match (name, self.names.get(name)) {
                ("now", _) => whole.push_str(&System::default().now().to_string()),
                (_, Some(id)) => whole.push_str(id),
                (_, None) => bail!("nothing is `{name}`"),
            }
            whole.push_str(rest);
        }
        Ok(whole)
    }
}

/// A path, or that of a resource by its key.
fn place(to: &str) -> &str {
    if to.starts_with('/') { to } else { tmf::table::path(to) }
}

/// Gives a characteristic another value, wherever the order has it.
fn set_characteristic(order: &mut Value, name: &str, to: &Value) {
    match order {
        Value::Object(fields) if fields.get("name").and_then(Value::as_str) == Some(name) => {
            fields.insert("value".into(), to.clone());
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| set_characteristic(field, name, to));
        }
        Value::Array(entries) => {
            entries.iter_mut().for_each(|entry| set_characteristic(entry, name, to));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
