//! Checks one instance: the questions, the answers, the findings.

use engine::core::{Unless, read_records};
use engine::worker::{Call, Operation, Worker as _};
use host::Role;
use model::reconcile::{Finding, Holder, Maker, Question, Reading, holder, questions};
use model::{
    Digest, End, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Phase, TaskId,
};
use tmf::document::instance::Instance;
use tmf::malformed::Malformed;

use super::Reconciler;
use super::orphan::is_orphan;
use crate::documents::Session;

/// Attempts at an instance that changes meanwhile.
const LOOKS_MAX: usize = 3;

/// Why an instance cannot be checked: a failure of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error("the store failed")]
    Store(#[from] engine::documents::Error),
    #[error(transparent)]
    Read(#[from] engine::handle::ReadError),
    #[error(transparent)]
    Ask(#[from] engine::handle::AskError),
    #[error("a document of the inventory cannot be read")]
    Document(#[from] Malformed),
}

/// The result of a check.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Number of questions to elements.
    pub(crate) asked: u64,
    pub(crate) findings: Vec<Finding>,
}

/// Checks an instance. Findings count only if the instance did not change meanwhile.
pub(super) async fn check(
    reconciler: &Reconciler,
    resource: &str,
    id: &str,
) -> Result<Checked, CheckError> {
    let mut checked = Checked::default();
    for _ in 0..LOOKS_MAX {
        let Some(document) = reconciler.documents.document(resource, id).await? else {
            return Ok(checked);
        };
        let instance = match Instance::read(resource, &document.body) {
            Ok(Some(instance)) => instance,
            Ok(None) => return Ok(checked),
            Err(malformed) => {
                let message = malformed.to_string();
                let failure =
                    Failure::new(FailureClass::Operator, FailureCode::InventoryDocument, message);
                checked.findings = vec![Finding::unknown(resource, id, failure)];
                return Ok(checked);
            }
        };
        let asked = match ask_about(reconciler, &instance).await? {
            Ok(asked) => asked,
            Err(failure) => {
                checked.findings = vec![Finding::unknown(resource, id, failure)];
                return Ok(checked);
            }
        };
        let mut findings = Vec::new();
        let is_orphan = is_orphan(reconciler, &instance).await?;
        if is_orphan {
            findings.push(Finding::orphaned(resource, id));
        }
        for question in &asked {
            if let Some(answer) = ask(reconciler, question).await? {
                checked.asked += 1;
                findings.extend(question.judge(resource, id, answer));
            }
        }
        if findings.is_empty() {
            return Ok(checked);
        }
        let keys = asked.into_iter().map(|question| question.key).collect();
        if let Some(by) = reconciler.engine().lock_holder(keys).await? {
            checked.findings = vec![Finding::busy(resource, id, &by)];
            return Ok(checked);
        }
        // An order may have begun to use it since, and have ended.
        if is_orphan && !self::is_orphan(reconciler, &instance).await? {
            continue;
        }
        let now = reconciler.documents.document(resource, id).await?;
        if now.is_some_and(|now| now.revision == document.revision) {
            checked.findings = findings;
            return Ok(checked);
        }
    }
    let message = "it changed each time that it was looked at: look again later";
    let failure = Failure::new(FailureClass::Retry, FailureCode::InstanceBusy, message);
    checked.findings = vec![Finding::unknown(resource, id, failure)];
    Ok(checked)
}

/// The open orders about an instance: those that its document names, and those that change the
/// prior work of it.
pub(crate) async fn orders_about(
    reconciler: &Reconciler,
    instance: &Instance,
) -> Result<Unless, CheckError> {
    let open = instance.orders().map(FulfilmentId::new).collect();
    let asked = ask_about(reconciler, instance).await?.unwrap_or_default();
    let locked = asked.into_iter().map(|question| question.key).collect();
    Ok(Unless { open, locked })
}

/// The questions about an instance; a failure if there is no plugin to ask.
pub(super) async fn ask_about(
    reconciler: &Reconciler,
    instance: &Instance,
) -> Result<Result<Vec<Question>, Failure>, CheckError> {
    let mut known = Vec::new();
    for id in instance.orders().map(FulfilmentId::new) {
        // An order that was removed, or belongs to another system, is no evidence.
        let Some(fulfilment) = reconciler.engine().get(&id).await? else { continue };
        let is_completed = matches!(fulfilment.phase(), Phase::Ended(End::Completed, _));
        let before_undo = if fulfilment.is_ended() && !is_completed {
            reconciler.documents.read(move |session| before_undo(session, id)).await?
        } else {
            None
        };
        known.push(Maker { fulfilment, before_undo });
    }
    Ok(questions(instance, &known))
}

/// A fulfilment as it was before it was rolled back; `None` if it was not.
fn before_undo(session: &Session, id: FulfilmentId) -> Result<Option<Fulfilment>, CheckError> {
    let records = read_records(session.store(), &id);
    let records = records.map_err(engine::handle::ReadError::Journal)?;
    Ok(Fulfilment::fold_before_undo(id, &records).ok())
}

/// The version of the plugin that answers a question; `None` if there is none.
pub(super) fn version(reconciler: &Reconciler, question: &Question) -> Option<Digest> {
    let current = reconciler.host.resolve(question.plugin()).map(|plugin| plugin.digest);
    current.or_else(|| question.pinned.clone())
}

/// Asks a plugin; `None` if its work leaves nothing at an element.
pub(super) async fn ask(
    reconciler: &Reconciler,
    question: &Question,
) -> Result<Option<Result<Reading, Failure>>, CheckError> {
    let Some(digest) = version(reconciler, question) else {
        let message = format!("no plugin `{}` is active: it cannot be asked", question.plugin());
        return Ok(Some(Err(Failure::new(
            FailureClass::Operator,
            FailureCode::PluginMissing,
            message,
        ))));
    };
    if reconciler.host.role(&digest).await.is_some_and(|role| role != Role::Activator) {
        return Ok(None);
    }
    let reading = match reconciler.host.probe(&digest, call(reconciler, question, &digest)).await {
        Ok(reading) => reading,
        Err(failure) => return Ok(Some(Err(failure))),
    };
    let other = match &reading {
        Reading::Held { holder: Holder::Other(key), .. } => holder(key),
        Reading::Held { .. } | Reading::Nothing | Reading::Pending => None,
    };
    let Some((other, _)) = other else {
        return Ok(Some(Ok(reading)));
    };
    let other = reconciler.engine().get(&other).await?;
    Ok(Some(Ok(match other {
        Some(other) => question.known(reading, &other),
        None => reading,
    })))
}

fn call(reconciler: &Reconciler, question: &Question, digest: &Digest) -> Call {
    Call {
        fulfilment: question.fulfilment.clone(),
        // A probe reserves nothing, so the task does not matter.
        task: TaskId(u32::MAX),
        name: question.work.clone(),
        attempt: 1,
        idempotency_key: question.key.clone(),
        // A probe needs no callback.
        callback: String::new(),
        operation: Operation::Recover,
        plugin: question.plugin().clone(),
        digest: digest.clone(),
        spec: question.spec.to_string(),
        action: question.action.as_str().into(),
        characteristics: question.characteristics.clone(),
        replaces: None,
        input: question.input.clone(),
        timeout_ms: question.step.timeout_ms,
        at: reconciler.now(),
        trace: None,
    }
}
