//! The application: what every door (HTTP, command line, demo) calls. It decomposes what comes in
//! and hands it to the engine.

mod decide;
mod documents;
mod existing;
mod instances;
mod looked;
mod pools;
mod reading;
mod removed;
mod replan;
mod requested;
mod take;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use engine::clock::Clock;
use engine::worker::{Effects, Worker as _};
use engine::{Engine, Submitted};
use host::Host;
use model::decompose::{Answers, Decision, Production, Question, decompose, plan_run};
use model::journal::Activation;
use model::order::OrderError;
use model::plan::{Level, Plan, Step};
use model::{Event, Failure, FailureClass, FailureCode, Kind, Order, PluginId, Rulebook};
use serde_json::Value;
use tmf::time::Timestamp;

use crate::settings::BillingSettings;
pub(crate) use documents::Ids;
pub(crate) use looked::{Look, Looked, looked};
pub(crate) use pools::Use;
use reading::Readers;
pub(crate) use reading::{aside, aside_of_bytes, aside_of_lines};
pub(crate) use removed::Removed;
pub(crate) use replan::{Retried, Wanted};
pub use requested::Requested;

/// Everything that a door needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Carries plans out.
    pub engine: Engine,
    /// Runs plugins.
    pub host: Host,
    clock: Arc<dyn Clock>,
    rulebook: Arc<RwLock<Arc<Rulebook>>>,
    plugins_dir: Option<Arc<PathBuf>>,
    /// How the operator sells and bills.
    pub(crate) commerce: BillingSettings,
    /// Held while a change of the catalogs is looked at, written and taken into use.
    catalogs: Arc<tokio::sync::Mutex<()>>,
    /// Told when there is a job to carry out.
    jobs: Arc<tokio::sync::Notify>,
    /// Told when there is a reconciliation to carry out.
    reconciling: Arc<tokio::sync::Notify>,
    /// Told when orders that could not be planned may be planned now.
    replanning: Arc<tokio::sync::Notify>,
    /// Reads that may take long.
    readers: Readers,
    /// What was removed since it had been kept for long enough.
    removed: Arc<Removed>,
    /// Told when the plugins folder was looked at; `None` if there is none to wait for.
    looked: Option<Looked>,
}

/// Why nothing was submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The order is refused at the door.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// An item is about an instance that no inventory has.
    #[error("{path}: {message}")]
    Reference {
        /// The attribute.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// No pack has the workflow.
    #[error("no pack has a workflow `{workflow}`; {}", there_are(.known))]
    Workflow {
        /// What was asked for.
        workflow: String,
        /// What there is.
        known: String,
    },
    /// The plugins folder was not looked at yet.
    #[error(
        "the server has just started and still takes in plugins: send the request again in a moment"
    )]
    Starting,
    /// The pack of the workflow has a mistake, and is left out until its author mends it.
    #[error("{}", .0.message)]
    Closed(Failure),
    /// The workflow cannot be planned.
    #[error("{}", .0.message)]
    Plan(Failure),
    /// What is to be activated directly cannot be.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// The engine has stopped, or takes nothing more now.
    #[error(transparent)]
    Ask(#[from] engine::handle::AskError),
    /// What made an instance cannot be read.
    #[error(transparent)]
    Read(#[from] engine::handle::ReadError),
    /// What was stored cannot be read.
    #[error("the store cannot be read")]
    Store(#[source] engine::documents::Error),
    /// Others change what it is about all the time.
    #[error("others changed what the order is about each of the {0} times it was planned")]
    Contended(usize),
}

impl SubmitError {
    pub(crate) fn of_store(error: engine::store::Error) -> Self {
        Self::Store(error.into())
    }
}

fn there_are(known: &str) -> String {
    match known {
        "" => "no pack has any".into(),
        known => format!("there are: {known}"),
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(
        engine: Engine,
        host: Host,
        clock: Arc<dyn Clock>,
        rulebook: Rulebook,
        plugins_dir: Option<PathBuf>,
    ) -> Self {
        let rulebook = Arc::new(RwLock::new(Arc::new(rulebook)));
        let plugins_dir = plugins_dir.map(Arc::new);
        Self {
            engine,
            host,
            clock,
            rulebook,
            plugins_dir,
            commerce: BillingSettings::default(),
            catalogs: Arc::default(),
            jobs: Arc::default(),
            reconciling: Arc::default(),
            replanning: Arc::default(),
            readers: Readers::default(),
            removed: Arc::default(),
            looked: None,
        }
    }

    /// The same, which takes no order before the plugins folder was looked at.
    #[must_use]
    pub fn ready_after(self, looked: Looked) -> Self {
        Self { looked: Some(looked), ..self }
    }

    /// Whether the plugins folder was looked at: before, orders would be held for want of plugins.
    pub fn is_ready(&self) -> bool {
        self.looked.as_ref().is_none_or(Looked::is_done)
    }

    /// The same with an operator's own ways to sell and bill.
    #[must_use]
    pub fn with_commerce(self, commerce: BillingSettings) -> Self {
        let rulebook = (*self.rulebook()).clone().with_usual_tax(commerce.tax.clone());
        let rulebook = rulebook.with_zone(commerce.zone);
        self.use_rulebook(rulebook);
        Self { commerce, ..self }
    }

    /// Takes other rules or catalogs into use, for what comes next.
    pub(crate) fn use_rulebook(&self, rulebook: Rulebook) {
        *self.rulebook.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rulebook);
        self.replanning.notify_one();
    }

    /// Keeps others from changing the catalogs while it is held.
    pub(crate) async fn catalogs(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.catalogs).lock_owned().await
    }

    /// Told when there is a job to carry out.
    pub(crate) fn jobs(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.jobs)
    }

    /// What was removed since it had been kept for long enough.
    pub(crate) fn removed(&self) -> &Removed {
        &self.removed
    }

    /// Told when there is a reconciliation to carry out.
    pub(crate) fn reconciling(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.reconciling)
    }

    /// Told when orders that could not be planned may be planned now.
    pub(crate) fn replanning(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.replanning)
    }

    /// Waits until the plugins folder was looked at.
    pub(crate) async fn ready(&self) {
        if let Some(looked) = &self.looked {
            looked.clone().wait().await;
        }
    }

    /// The packs in use.
    pub fn rulebook(&self) -> Arc<Rulebook> {
        Arc::clone(&self.rulebook.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The folder that plugins are dropped into.
    pub fn plugins_dir(&self) -> Option<&Path> {
        self.plugins_dir.as_deref().map(PathBuf::as_path)
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Submits an order or a run. What it answers with is on disk. `submission` is the client's
    /// idempotency key.
    pub async fn submit(
        &self,
        kind: Kind,
        document: Value,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        self.take(kind, document, None, submission).await
    }

    /// Submits the order that a request to activate something directly is carried out by. One that
    /// makes no sense is no order at all.
    pub(crate) async fn activate(
        &self,
        kind: Kind,
        document: Value,
        activation: Activation,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        self.take(kind, document, Some(activation), submission).await
    }

    /// What would become of an order or a run: `planned`, `held` or `rejected`.
    pub async fn plan(&self, kind: &Kind, document: &Value) -> Result<Event, SubmitError> {
        let requested = Requested::read(kind, document)?;
        // Orders that it waits for must be there.
        self.awaited(&requested).await?;
        self.plan_at(requested, document, self.now()).await
    }

    /// What would become of what was requested at a time.
    async fn plan_at(
        &self,
        requested: Requested<'_>,
        document: &Value,
        at: Timestamp,
    ) -> Result<Event, SubmitError> {
        if !self.is_ready() {
            return Err(SubmitError::Starting);
        }
        if let Requested::Run(workflow) = requested {
            let rulebook = self.rulebook();
            if let Some(failure) = rulebook.closed_workflow(workflow) {
                return Err(SubmitError::Closed(failure));
            }
            if rulebook.workflow(workflow).is_none() {
                let known = rulebook.packs().flat_map(|pack| pack.workflows.keys().cloned());
                let known = known.collect::<Vec<_>>().join(", ");
                return Err(SubmitError::Workflow { workflow: workflow.into(), known });
            }
        }
        let planned = self.decomposed(requested, document, at).await?;
        Ok(match planned.and_then(|plan| self.pinned(plan)) {
            Ok(plan) => Event::Planned { plan: Arc::new(plan) },
            Err(failure) if failure.class == FailureClass::Reject => Event::Rejected { failure },
            Err(failure) => Event::Held { failure },
        })
    }

    /// The plan of what was requested, whichever plugins there are.
    pub async fn decomposed(
        &self,
        requested: Requested<'_>,
        document: &Value,
        at: Timestamp,
    ) -> Result<Result<Plan, Failure>, SubmitError> {
        let rulebook = self.rulebook();
        match requested {
            Requested::Run(workflow) => {
                Ok(Ok(plan_run(workflow, document, &rulebook).map_err(SubmitError::Plan)?))
            }
            Requested::Order(order) => self.decompose(order.at(at), document, &rulebook).await,
        }
    }

    async fn decompose(
        &self,
        order: Order,
        document: &Value,
        rulebook: &Rulebook,
    ) -> Result<Result<Plan, Failure>, SubmitError> {
        order.check_dates()?;
        self.check_instances(&order, document)?;
        if order.level == Level::Product {
            crate::systems::cpq::check_quotes(self, document)?;
        }
        // Only what is dated asks which checks may be made before its date.
        let is_dated = order.dates.start.is_some();
        let pure = if is_dated { self.pure_checks(rulebook) } else { BTreeSet::new() };
        let decide = |answers: &Answers| decompose(&order, document, rulebook, answers);
        let decision = Decision::new(Answers::new().with_pure(pure), decide);
        self.decided(decision, document, order.lines.len()).await
    }

    /// The plugins of the steps before an order that cannot reach outside, as they are granted now.
    fn pure_checks(&self, rulebook: &Rulebook) -> BTreeSet<PluginId> {
        let names = rulebook.packs().filter_map(|pack| pack.hooks.before.as_deref());
        let workflows = names.filter_map(|name| rulebook.workflow(name));
        let plugins = workflows
            .flat_map(|(_, workflow)| workflow.steps.iter().map(|entry| entry.step.plugin.clone()));
        let is_pure = |plugin: &PluginId| {
            self.host.resolve(plugin).is_some_and(|found| found.effects == Effects::Pure)
        };
        plugins.filter(is_pure).collect()
    }

    /// Asks a decomposer plugin.
    async fn ask(&self, question: &Question, order: &Value) -> Result<Vec<Production>, Failure> {
        let Some(plugin) = self.host.resolve(&question.plugin) else {
            return Err(missing(&question.plugin));
        };
        let item = host::Decomposition {
            spec: question.spec.clone(),
            action: question.action,
            characteristics: question.characteristics.clone(),
            order: order.clone(),
        };
        let (productions, _log) = self.host.decompose(&plugin.digest, &item).await;
        let ours = |made: host::Production| Production {
            spec: made.spec,
            characteristics: made.characteristics,
        };
        Ok(productions?.into_iter().map(ours).collect())
    }

    /// Pins the version of each plugin that a plan calls.
    fn pinned(&self, mut plan: Plan) -> Result<Plan, Failure> {
        let mut plugins = BTreeMap::new();
        for step in &plan.steps {
            let resolved = self.host.resolve(&step.plugin).ok_or_else(|| missing(&step.plugin))?;
            if step.undo && self.host.can_undo(&step.plugin) == Some(false) {
                return Err(no_undo(step));
            }
            plugins.insert(step.plugin.clone(), resolved.digest);
        }
        plan.plugins = plugins;
        Ok(plan)
    }
}

fn no_undo(step: &Step) -> Failure {
    let Step { workflow, step, plugin, .. } = step;
    let message = format!(
        "step `{step}` of workflow `{workflow}` is to be undone, and plugin `{plugin}` of world \
         `step` cannot undo its work outside: write `undo: false`, or use a plugin that exports `undo`, \
         then retry the order"
    );
    Failure::new(FailureClass::Operator, FailureCode::PlanNoUndo, message)
}

fn missing(plugin: &PluginId) -> Failure {
    let message = format!(
        "no plugin `{plugin}` is active: put its .wasm into the plugins folder, see why it is not \
         taken with `ferrule plugin list`; the order is planned again when the plugin is there"
    );
    Failure::new(FailureClass::Operator, FailureCode::PluginMissing, message)
}
