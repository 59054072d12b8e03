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
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tmf::document::{self, Characteristics, Reference};

use super::Created;
use crate::client::{Answer, Client};
use crate::repository::Repository;

const SCRIPT: &str = include_str!("operator.json");

/// The interval of polls of a document.
const POLL: Duration = Duration::from_millis(50);

/// Max polls of a document.
const POLLS_MAX: u32 = 1_200;

/// A step of the script, with the names of ids replaced.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    Say {
        say: String,
    },
    Post {
        post: String,
        body: Value,
        #[serde(rename = "as")]
        name: Option<String>,
    },
    Patch {
        patch: String,
        id: String,
        body: Value,
    },
    Order(OrderStep),
    Faults {
        faults: Value,
    },
    Wait {
        wait: String,
        id: String,
        until: Characteristics,
    },
}

/// An order of a pack, for a customer of the script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderStep {
    order: String,
    customer: String,
    account: Option<String>,
    #[serde(default)]
    characteristic: Characteristics,
    #[serde(rename = "as")]
    name: Option<String>,
}

tmf::document! {
    /// The order of a pack, as far as the script sets it.
    struct PackOrder {
        external_id?: String,
        related_party*: Reference,
        billing_account?: Reference,
    }
}

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
    let network = Client::local(simnet)?;
    let mut operator = Operator { client, network, repository, names: BTreeMap::new() };
    for step in script {
        let text = step.to_string();
        // No object of JSON looks like `{name}`, and ids need no escapes.
        let step = serde_json::from_str(&operator.with_names(&text));
        let step: Step = step.with_context(|| format!("the step {text}"))?;
        operator.play(step, out).await.with_context(|| format!("the step {text}"))?;
    }
    Ok(())
}

impl Operator<'_> {
    async fn play(&mut self, step: Step, out: &mut impl Write) -> Result<()> {
        match step {
            Step::Say { say } => Ok(writeln!(out, "  {say}.")?),
            Step::Post { post, body, name } => {
                let made = self.send(Method::POST, place(&post), &body).await?;
                self.name(name, &made)
            }
            Step::Patch { patch, id, body } => {
                let path = format!("{}/{id}", place(&patch));
                self.send(Method::PATCH, &path, &body).await.map(drop)
            }
            Step::Order(step) => {
                let made = self.order(&step).await?;
                self.name(step.name, &made)
            }
            Step::Faults { faults } => {
                let armed = self.network.send(Method::PUT, "/_faults", &faults).await?;
                armed.success("/_faults").map(drop)
            }
            Step::Wait { wait, id, until } => {
                self.wait(&format!("{}/{id}", place(&wait)), &until).await
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Answer> {
        self.client.send(method, path, body).await?.success(path)
    }

    /// Keeps the id of a created document under a name.
    fn name(&mut self, name: Option<String>, made: &Answer) -> Result<()> {
        if let Some(name) = name {
            let Created { id } = made.json()?;
            self.names.insert(name, id);
        }
        Ok(())
    }

    async fn order(&self, step: &OrderStep) -> Result<Answer> {
        let mut order = self.repository.order(&step.order)?;
        for (name, value) in step.characteristic.iter() {
            set_characteristic(&mut order, name, value);
        }
        let mut order: PackOrder = document::read(&order)?;
        order.external_id = None;
        let customer = Reference::of("Customer", &step.customer);
        order.related_party = vec![Reference { role: Some("Customer".into()), ..customer }];
        if let Some(account) = &step.account {
            order.billing_account = Some(Reference::of("BillingAccount", account));
        }
        self.send(Method::POST, tmf::table::path("productOrder"), &order).await
    }

    /// Polls a document until its attributes have these values.
    async fn wait(&self, path: &str, until: &Characteristics) -> Result<()> {
        for _ in 0..POLLS_MAX {
            let last: Characteristics = self.client.get(path).await?;
            if until.iter().all(|(name, value)| last.get(name) == Some(value)) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("{path} does not reach the state of the script in time")
    }

    /// The text of a step with ids for names.
    fn with_names(&self, text: &str) -> String {
        let now = System::default().now().to_string();
        self.names.iter().fold(text.replace("{now}", &now), |text, (name, id)| {
            text.replace(&format!("{{{name}}}"), id)
        })
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
