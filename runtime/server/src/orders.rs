//! Orders and runs on their way to the engine: they are checked, decomposed, planned and submitted.

mod decide;
mod existing;
mod instances;
mod pools;
mod quotes;
mod replan;
mod requested;
mod submission;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::worker::Effects;
use engine::{Engine, Submitted};
use model::decompose::{Answers, Decision, Production, Question, decompose, plan_run};
use model::journal::Activation;
use model::order::OrderError;
use model::plan::{Plan, Step};
use model::{Event, Failure, FailureClass, FailureCode, Kind, Order, PluginId, Rulebook};
use serde_json::Value;
use tokio::sync::Notify;

use crate::access::Reader;
use crate::documents::Documents;
use crate::plugins::Plugins;
use crate::rulebooks::Rulebooks;
pub(crate) use pools::Use;
pub(crate) use replan::{Retried, Wanted};
use requested::Content;
pub use requested::Requested;
pub(crate) use versions::For;

/// Takes orders and runs.
pub struct Orders {
    plugins: Plugins,
    rulebooks: Rulebooks,
    documents: Documents,
}

/// Why an order or a run was not submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The order is malformed or contradicts itself.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The order refers to an instance, a quote or an order that cannot be used.
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
        /// The requested workflow.
        workflow: String,
        /// The known ones.
        known: String,
    },
    /// The plugins folder was not read yet.
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
    /// The instance cannot be activated directly.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// The engine has stopped, or is full.
    #[error(transparent)]
    Ask(#[from] engine::handle::AskError),
    /// An earlier fulfilment cannot be read.
    #[error(transparent)]
    Read(#[from] engine::handle::ReadError),
    #[error("the store cannot be read")]
    Store(#[from] engine::documents::Error),
    /// The instances of the order changed each time that it was planned.
    #[error("others changed what the order is about each of the {0} times it was planned")]
    Contended(usize),
}

impl From<engine::store::Error> for SubmitError {
    fn from(error: engine::store::Error) -> Self {
        Self::Store(error.into())
    }
}

fn there_are(known: &str) -> String {
    match known {
        "" => "no pack has any".into(),
        known => format!("there are: {known}"),
    }
}

impl Orders {
    /// Takes orders for the engine of some documents.
    pub fn new(plugins: Plugins, rulebooks: Rulebooks, documents: Documents) -> Self {
        Self { plugins, rulebooks, documents }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.documents.engine()
    }

    /// Waits until orders can be planned.
    pub(crate) async fn ready(&self) {
        self.plugins.ready().await;
    }

    /// Notified when an order that could not be planned may be planned now.
    pub(crate) fn replanning(&self) -> Arc<Notify> {
        self.rulebooks.changed()
    }

    /// Submits an order or a run; its result is on disk. `submission` is the client's idempotency key.
    pub(crate) async fn submit(
        &self,
        reader: &Reader,
        kind: Kind,
        document: Value,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        self.submit_or_find(reader, kind, document, None, submission).await
    }

    /// Submits the order of a request that activates an instance directly. An order that cannot be
    /// planned is refused: it is not kept as a rejected one.
    pub(crate) async fn activate(
        &self,
        reader: &Reader,
        kind: Kind,
        document: Value,
        activation: Arc<Activation>,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        self.submit_or_find(reader, kind, document, Some(activation), submission).await
    }

    /// Plans an order or a run without submitting it: the event is `planned`, `held` or `rejected`.
    pub async fn plan(&self, requested: Requested) -> Result<Event, SubmitError> {
        // Orders that it waits for must be there.
        self.awaited(&requested).await?;
        self.plan_event(&Arc::new(requested)).await
    }

    /// Plans an order or a run.
    async fn plan_event(&self, requested: &Arc<Requested>) -> Result<Event, SubmitError> {
        if !self.plugins.are_ready() {
            return Err(SubmitError::Starting);
        }
        if let Content::Run { workflow } = &requested.content {
            let rulebook = self.rulebooks.current();
            if let Some(failure) = rulebook.closed_workflow(workflow) {
                return Err(SubmitError::Closed(failure));
            }
            if rulebook.workflow(workflow).is_none() {
                let known = rulebook.packs().flat_map(|pack| pack.workflows.keys().cloned());
                let known = known.collect::<Vec<_>>().join(", ");
                return Err(SubmitError::Workflow { workflow: workflow.clone(), known });
            }
        }
        let planned = self.decomposed(requested).await?;
        Ok(match planned.and_then(|plan| self.pinned(plan, requested.chooser())) {
            Ok(plan) => Event::Planned { plan: Arc::new(plan) },
            Err(failure) if failure.class == FailureClass::Reject => Event::Rejected { failure },
            Err(failure) => Event::Held { failure },
        })
    }

    /// The plan of an order or a run, without the versions of its plugins.
    pub async fn decomposed(
        &self,
        requested: &Arc<Requested>,
    ) -> Result<Result<Plan, Failure>, SubmitError> {
        let rulebook = self.rulebooks.current();
        let document = &requested.document;
        match &requested.content {
            Content::Run { workflow } => {
                Ok(Ok(plan_run(workflow, document, &rulebook).map_err(SubmitError::Plan)?))
            }
            Content::Order(order) => self.decompose(order, requested, &rulebook).await,
        }
    }

    async fn decompose(
        &self,
        order: &Order,
        requested: &Arc<Requested>,
        rulebook: &Rulebook,
    ) -> Result<Result<Plan, Failure>, SubmitError> {
        order.check_dates()?;
        self.check_references(requested).await?;
        let document = &requested.document;
        // Only a dated order needs to know which checks may run before its date.
        let is_dated = order.dates.start.is_some();
        let pure = if is_dated {
            self.pure_checks(rulebook, requested.chooser())
        } else {
            BTreeSet::new()
        };
        let decide = |answers: &Answers| decompose(order, document, rulebook, answers);
        let decision = Decision::new(Answers::new().with_pure(pure), decide);
        self.decided(decision, (document, requested.chooser()), order.lines.len()).await
    }

    /// Checks the instances and quotes that an order names against the store, in one read. An order
    /// that names none is not read for.
    async fn check_references(&self, requested: &Arc<Requested>) -> Result<(), SubmitError> {
        if requested.quotes().is_empty() && !instances::are_named(requested) {
            return Ok(());
        }
        let requested = Arc::clone(requested);
        let check = self.documents.read(move |session| {
            instances::check(session, &requested)?;
            quotes::check(session, &requested)
        });
        check.await
    }

    /// The plugins of the steps before an order that cannot reach outside, as they are granted now.
    fn pure_checks(&self, rulebook: &Rulebook, order: For<'_>) -> BTreeSet<PluginId> {
        let names = rulebook.packs().filter_map(|pack| pack.hooks.before.as_deref());
        let workflows = names.filter_map(|name| rulebook.workflow(name));
        let plugins = workflows
            .flat_map(|(_, workflow)| workflow.steps.iter().map(|entry| entry.step.plugin.clone()));
        let is_pure = |plugin: &PluginId| {
            self.version(plugin, order).is_some_and(|found| found.effects == Effects::Pure)
        };
        plugins.filter(is_pure).collect()
    }

    /// Asks a decomposer plugin.
    async fn ask(
        &self,
        question: &Question,
        (order, of): (&Value, For<'_>),
    ) -> Result<Vec<Production>, Failure> {
        let Some(plugin) = self.version(&question.plugin, of) else {
            return Err(missing(&question.plugin));
        };
        let item = host::Decomposition {
            spec: &question.spec,
            action: question.action,
            characteristics: &question.characteristics,
            order,
        };
        let host = &self.plugins.host;
        let (productions, _log) = host.decompose_for(&plugin.digest, item, of.order()).await;
        let ours = |made: host::Production| Production {
            spec: made.spec,
            characteristics: made.characteristics,
        };
        Ok(productions?.into_iter().map(ours).collect())
    }

    /// Pins the version of each plugin that a plan calls.
    fn pinned(&self, mut plan: Plan, order: For<'_>) -> Result<Plan, Failure> {
        let mut plugins = BTreeMap::new();
        for step in &plan.steps {
            let chosen = self.version(&step.plugin, order);
            let chosen = chosen.ok_or_else(|| missing(&step.plugin))?;
            if step.undo && !chosen.can_undo {
                return Err(no_undo(step));
            }
            plugins.insert(step.plugin.clone(), chosen.digest);
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
