//! Plays a history against a server and its elements, and looks after each trial.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::check::{Names, differences};
use super::observed::{Observed, Plan};
use super::order::Order;
use super::pack::Pack;
use super::state::{State, Verdict};
use super::wishes::Trial;
use super::work::Carried;
use super::written;
use crate::world::{Settings, World, eventually, items_of, kept_by, plugins_dir, text};

/// The plugins that the steps of random packs call.
const PLUGINS: [&str; 4] = ["jsonrpc-activator", "noop", "pool-allocator", "rest-activator"];

/// A person tries so often again before giving an order up.
const RETRIES_MAX: usize = 3;

/// A world that is being played in.
pub(super) struct Play {
    pub(super) pack: Pack,
    pub(super) state: State,
    pub(super) names: Names,
    /// The number of the next order.
    pub(super) number: usize,
    /// Whether something came of an order about which the rules say nothing: then it is over.
    pub(super) is_unclear: bool,
    pub(super) world: World,
    _packs: TempDir,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Completed,
    /// Some of its lines failed, by their ids, and the others are completed.
    Partial(BTreeSet<String>),
    /// It failed or was cancelled after it was planned.
    Dropped(String),
    /// It was refused, or held before it was planned, with this code.
    Refused(String),
    /// It does not end, whatever a person does.
    Stuck(String),
}

impl Play {
    /// A world with this pack.
    pub(super) async fn begin(pack: Pack) -> Self {
        let packs = tempfile::tempdir().unwrap();
        written::write(&pack, packs.path());
        let settings = Settings {
            workflows: Some(packs.path().into()),
            plugins: Some(plugins().await),
            compiled: compiled().await,
            ..Settings::default()
        };
        let world = World::with(settings).await;
        let (state, names) = (State::default(), Names::default());
        Self { pack, state, names, number: 0, is_unclear: false, world, _packs: packs }
    }

    /// Plays a trial; what is otherwise than it has to be then.
    pub(super) async fn trial(&mut self, trial: &Trial) -> Vec<String> {
        let mut found = Vec::new();
        self.world.network.fail(Value::Array(trial.faults.clone())).await;
        let numbers = trial.number..;
        self.number = trial.number + trial.orders.len();
        let begins: Vec<Option<String>> = trial.orders.iter().map(begins).collect();
        let both = trial.orders.iter().zip(&begins);
        let answers = both.map(|(order, begins)| self.submit(order, begins.as_ref()));
        let answers = futures_util::future::join_all(answers).await;
        let mut taken: Vec<(String, usize, &Order)> = Vec::new();
        for ((answer, number), order) in answers.into_iter().zip(numbers).zip(&trial.orders) {
            match answer {
                Ok(id) => taken.push((id, number, order)),
                Err(code) => found.extend(self.refused(trial, order, number, &code)),
            }
        }
        if let Some((id, _, _)) = taken.first() {
            self.trouble(trial, id).await;
        }
        let mut ends = Vec::new();
        for (id, number, order) in taken {
            let end = self.end(&id).await;
            ends.push((id, number, order, end));
        }
        self.world.network.heal().await;
        // Ids are in the order in which orders were taken.
        ends.sort_by(|one, other| one.0.cmp(&other.0));
        let mut carried = Vec::new();
        for (id, number, order, end) in ends {
            let before = self.state.clone();
            found.extend(self.follow(trial, &id, number, order, &end));
            if matches!(end, End::Completed | End::Partial(_)) {
                let plan = Plan::read(&self.world, &id).await;
                let begins = begins[number - trial.number].clone();
                carried.push((before, self.state.clone(), plan, begins, end));
            }
        }
        if self.is_unclear {
            return found;
        }
        found.extend(self.look().await);
        for (before, after, plan, begins, end) in &carried {
            let (names, begins) = (&self.names, begins.clone());
            let carried = Carried { pack: &self.pack, before, after, names, plan, begins };
            found.extend(match end {
                End::Completed => carried.differences(),
                End::Partial(_) | End::Dropped(_) | End::Refused(_) | End::Stuck(_) => {
                    let mut found = carried.disorder();
                    found.extend(carried.haste());
                    found
                }
            });
        }
        found
    }

    /// Compares everything with the state.
    pub(super) async fn look(&mut self) -> Vec<String> {
        let seen = Observed::read(&self.world).await;
        differences(&self.pack, &self.state, &mut self.names, &seen)
    }

    /// What a reconciliation finds of services and resources.
    pub(super) async fn reconcile(&self) -> Vec<String> {
        let mut found = Vec::new();
        for scope in [json!({}), json!({ "resource": {} })] {
            let path = "/orchestration/v1/reconciliations";
            let asked = self.world.http.post(path, &scope).await;
            assert_eq!(asked.status, 202, "{}", asked.text);
            let path = format!("{path}/{}", text(&asked.body["id"]));
            let ended = eventually("the reconciliation has ended", async || {
                let now = self.world.http.get(&path).await;
                (now["state"] == "completed" || now["state"] == "failed").then_some(now)
            })
            .await;
            let findings = ended["findings"].as_array().into_iter().flatten();
            found.extend(findings.map(|finding| format!("reconciliation finds {finding}")));
        }
        found
    }

    async fn submit(&self, order: &Order, begins: Option<&String>) -> Result<String, String> {
        let document = order.document(&self.pack, &self.names.orders, begins);
        let path = tmf::table::path("productOrder");
        let answer = self.world.http.post(path, &document).await;
        if answer.status == 201 {
            return Ok(text(&answer.body["id"]));
        }
        Err(format!(
            "{} {} {}",
            answer.status,
            text(&answer.body["code"]),
            text(&answer.body["message"])
        ))
    }

    /// After this many records the server is killed, or the order is cancelled.
    async fn trouble(&mut self, trial: &Trial, id: &str) {
        let Some(records) = trial.kill.or(trial.cancel) else { return };
        let path = format!("/orchestration/v1/fulfilments/{id}");
        eventually("the order has enough records, or does not go on", async || {
            let now = self.world.http.get(&path).await;
            let is_far = now["records"].as_u64() >= Some(records);
            (is_far || !is_open(&now)).then_some(())
        })
        .await;
        if trial.kill.is_some() {
            self.world.kill().await;
            self.world.restart().await;
        }
        if trial.cancel.is_some() {
            self.cancel(id).await;
        }
    }

    async fn cancel(&self, id: &str) {
        let path = tmf::table::path("cancelProductOrder");
        let body = json!({ "productOrder": { "id": id }, "cancellationReason": "no use" });
        // If the request is refused the order goes on, as its end shows.
        self.world.http.post(path, &body).await;
    }

    /// Follows an order to its end, as a person who mends the elements, tries again, and gives up.
    async fn end(&self, id: &str) -> End {
        let path = format!("/orchestration/v1/fulfilments/{id}");
        let mut tries = 0;
        loop {
            let now = eventually("the order ends or is held", async || {
                let answer = self.world.http.send("GET", &path, &[], "").await.ok()?;
                (answer.status == 200 && !is_open(&answer.body)).then_some(answer.body)
            })
            .await;
            let state = text(&now["state"]);
            let code = text(&now["failures"][0]["code"]);
            let is_planned = now["tasks"].as_array().is_some_and(|tasks| !tasks.is_empty());
            if state != "held" {
                return self.ended(id, &code).await;
            }
            self.world.network.heal().await;
            tries += 1;
            if tries <= RETRIES_MAX && is_planned {
                self.world.retry(id).await;
                continue;
            }
            if tries > RETRIES_MAX + 1 {
                return End::Stuck(now["failures"].to_string());
            }
            self.cancel(id).await;
            if !is_planned {
                return End::Refused(code);
            }
            tries = RETRIES_MAX + 1;
        }
    }

    async fn ended(&self, id: &str, code: &str) -> End {
        let order = self.world.order("productOrder", id).await;
        match text(&order["state"]).as_str() {
            "completed" => End::Completed,
            "partial" => {
                let items = items_of(&order, "productOrderItem").into_iter();
                let failed = items.filter(|item| item["state"] != "completed");
                End::Partial(failed.map(|item| text(&item["id"])).collect())
            }
            "rejected" => End::Refused(code.into()),
            other => End::Dropped(format!("{other}: {code}")),
        }
    }

    /// Takes the end of an order over into the state; what is wrong about it.
    fn follow(
        &mut self,
        trial: &Trial,
        id: &str,
        number: usize,
        order: &Order,
        end: &End,
    ) -> Vec<String> {
        self.names.orders.insert(number, id.into());
        if let End::Partial(failed) = end {
            return self.follow_some(trial, number, order, failed);
        }
        self.follow_whole(trial, number, order, end).into_iter().collect()
    }

    /// Takes over what is left of an order some lines of which failed.
    fn follow_some(
        &mut self,
        trial: &Trial,
        number: usize,
        order: &Order,
        failed: &BTreeSet<String>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if trial.faults.is_empty() {
            found.push(format!("order {number} is partial, and nothing went wrong"));
        }
        if failed.is_empty() {
            found.push(format!("order {number} is partial, and no line failed"));
        }
        if let Verdict::Completes(whole) = self.state.after(&self.pack, order, number) {
            found.extend(whole.without_needs(number, failed));
        }
        match self.state.after_some(&self.pack, order, number, failed) {
            Verdict::Completes(next) => self.state = *next,
            Verdict::Refused(_) | Verdict::Unclear(_) => self.is_unclear = true,
        }
        found
    }

    fn follow_whole(
        &mut self,
        trial: &Trial,
        number: usize,
        order: &Order,
        end: &End,
    ) -> Option<String> {
        match (end, self.state.after(&self.pack, order, number)) {
            (End::Completed, Verdict::Completes(next)) => {
                self.state = *next;
                None
            }
            (End::Completed, Verdict::Refused(code)) => {
                Some(format!("order {number} is completed, and has to be refused: {code}"))
            }
            (End::Completed, Verdict::Unclear(why)) => Some(format!(
                "order {number} is completed, and it is not clear what that is: {why}"
            )),
            (End::Partial(_), _) => None,
            (End::Dropped(how), _) => {
                let may_drop = trial.cancel.is_some() || !trial.faults.is_empty();
                (!may_drop).then(|| format!("order {number} is {how}, and nothing went wrong"))
            }
            (End::Refused(code), _) => self.refused(trial, order, number, code),
            (End::Stuck(why), _) => Some(format!("order {number} does not end: {why}")),
        }
    }

    /// What is wrong about the refusal of an order.
    fn refused(&self, trial: &Trial, order: &Order, number: usize, code: &str) -> Option<String> {
        if trial.orders.len() > 1 && code.contains("INSTANCE_") {
            // The other order was faster.
            return None;
        }
        match self.state.after(&self.pack, order, number) {
            Verdict::Refused(expected) if code.contains(expected) => None,
            Verdict::Refused(expected) => {
                Some(format!("order {number} is refused with {code}, not {expected}"))
            }
            Verdict::Completes(_) => Some(format!("order {number} is refused: {code}")),
            Verdict::Unclear(_) => None,
        }
    }
}

/// The date on which an order that is sent now is to begin.
fn begins(order: &Order) -> Option<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = tmf::time::Timestamp(i64::try_from(now.as_millis()).unwrap());
    order.begins_in_ms.map(|wait| now.plus_ms(wait).to_string())
}

/// Whether a fulfilment goes on by itself.
fn is_open(fulfilment: &Value) -> bool {
    matches!(fulfilment["state"].as_str(), Some("submitted" | "running" | "rollingBack"))
}

/// A folder with the plugins that are needed, so that a server need not compile the others.
async fn plugins() -> PathBuf {
    static FOLDER: OnceCell<TempDir> = OnceCell::const_new();
    let folder = FOLDER.get_or_init(|| async {
        let folder = tempfile::tempdir().unwrap();
        let built = plugins_dir().await;
        for name in PLUGINS {
            let file = format!("{name}.wasm");
            std::fs::copy(built.join(&file), folder.path().join(&file)).unwrap();
        }
        folder
    });
    folder.await.path().into()
}

/// What a first server compiled of the plugins, for all others.
async fn compiled() -> Option<PathBuf> {
    static FOLDER: OnceCell<TempDir> = OnceCell::const_new();
    let folder = FOLDER.get_or_init(|| async {
        let packs = tempfile::tempdir().unwrap();
        let settings = Settings {
            workflows: Some(packs.path().into()),
            plugins: Some(plugins().await),
            ..Settings::default()
        };
        kept_by(World::with(settings).await, PLUGINS.len()).await
    });
    Some(folder.await.path().join("plugins"))
}
