//! Missing work in the network is done again, as a run of its own: under a new key, with the
//! journal, the retries and the fallout of any other. The inventory stays unchanged all along.

use std::sync::Arc;

use engine::{NotSubmitted, Seen, Submitted};
use model::reconcile::{Kind, Question, Reading};
use model::{End, Event, Fulfilment, FulfilmentId, Phase};
use serde_json::json;
use tmf::document::instance::Instance;

use super::check::{ask, ask_about, version};
use super::{CheckError, Reconciler, find, put};

/// Why a repair is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepairError {
    #[error("there is no reconciliation `{0}`")]
    Unknown(String),
    #[error("the reconciliation lists no finding {0}")]
    NoFinding(usize),
    #[error("the reconciliation goes on: repair when it has ended")]
    Open,
    #[error("only what is missing in the network can be done again")]
    NotMissing,
    #[error("it is not missing any more, or cannot be asked about: reconcile again")]
    NotNow,
    #[error("an order is changing it: reconcile again when that has ended")]
    Busy,
    #[error("the input of `{0}` cannot be given to a run: order a change of the instance")]
    Input(String),
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// Repeats the missing work of a finding; returns the run. A repeated request gets
/// the same run.
pub(crate) async fn repair(
    reconciler: &Reconciler,
    id: &str,
    number: usize,
) -> Result<FulfilmentId, RepairError> {
    let found = find(&reconciler.documents, id).await.map_err(CheckError::Store)?;
    let (mut reconciliation, revision) =
        found.ok_or_else(|| RepairError::Unknown(id.to_string()))?;
    let is_open = reconciliation.state.is_open();
    let finding = number.checked_sub(1).and_then(|index| reconciliation.findings.get_mut(index));
    let finding = finding.ok_or(RepairError::NoFinding(number))?;
    if let Some(run) = finding.repair.take() {
        return Ok(run);
    }
    if finding.kind != Kind::MissingInNetwork {
        return Err(RepairError::NotMissing);
    }
    if is_open {
        return Err(RepairError::Open);
    }
    let seen = reconciler.engine().look().await.map_err(CheckError::Ask)?;
    let question = missing(reconciler, &finding.resource, &finding.id, &finding.key).await?;
    let question = question.ok_or(RepairError::NotNow)?;
    let run = submit(reconciler, question, seen).await?;
    finding.repair = Some(run.clone());
    reconciler
        .documents
        .write(vec![put(&reconciliation, revision)])
        .await
        .map_err(CheckError::Store)?;
    Ok(run)
}

/// The work under a key, if the inventory has it and the network lacks it now.
async fn missing(
    reconciler: &Reconciler,
    resource: &str,
    id: &str,
    key: &str,
) -> Result<Option<Question>, CheckError> {
    let Some(document) = reconciler.documents.document(resource, id).await? else {
        return Ok(None);
    };
    let instance = Instance::read(resource, &document.body).map_err(CheckError::Document)?;
    let Some(instance) = instance else { return Ok(None) };
    let asked = ask_about(reconciler, &instance).await?.unwrap_or_default();
    let Some(question) = asked.into_iter().find(|question| question.key == key) else {
        return Ok(None);
    };
    let answer = ask(reconciler, &question).await?;
    Ok(matches!(answer, Some(Ok(Reading::Nothing))).then_some(question))
}

async fn submit(
    reconciler: &Reconciler,
    question: Question,
    seen: Seen,
) -> Result<FulfilmentId, RepairError> {
    let version = version(reconciler, &question).ok_or(RepairError::NotNow)?;
    let id = FulfilmentId::new(uuid::Uuid::now_v7().simple().to_string());
    let kind = model::Kind::Run { workflow: question.step.workflow.clone() };
    let document = json!({ "repairs": { "work": question.work, "key": question.key } });
    let work = question.work.clone();
    let plan = question.repair(version).ok_or(RepairError::Input(work))?;
    let fulfilment = Fulfilment::new(id, kind, document, reconciler.now());
    let planned = vec![Event::Planned { plan: Arc::new(plan) }];
    let submitted = reconciler.engine().submit(fulfilment, planned, None, Some(seen)).await;
    match submitted {
        Ok(Submitted::New(run)) if matches!(run.phase(), Phase::Ended(End::Rejected, _)) => {
            Err(RepairError::Busy)
        }
        Ok(Submitted::New(run)) => Ok(run.id().clone()),
        Ok(Submitted::Before(run)) => Ok(run),
        Err(NotSubmitted::Stale | NotSubmitted::Ordered(_)) => Err(RepairError::Busy),
        Err(NotSubmitted::Ask(error)) => Err(CheckError::Ask(error).into()),
    }
}
