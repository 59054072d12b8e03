//! The spans of fulfilments and tasks, which end with a record of the journal.

use engine::Published;
use model::{Direction, End, Event, Failure};
use tmf::time::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Kind, Span, Tracer, text};

/// Follows the records of the engine until it ends.
pub(super) async fn follow(mut published: Receiver<Published>, tracer: Tracer) {
    loop {
        match published.recv().await {
            Ok(published) => look(&tracer, &published),
            // Spans that were missed are lost, like those that the collector does not take.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Takes the spans that end with a record.
fn look(tracer: &Tracer, published: &Published) {
    let Some((trace, submitted_at)) = published.traced else { return };
    let id = &published.fulfilment;
    let own = trace.fulfilment(id);
    let ended = nanos(published.record.at);
    for event in &published.record.events {
        if let Event::Ended { end } = event {
            tracer.forget(id);
            tracer.take(Span {
                trace: own,
                parent: Some(trace.span),
                kind: Kind::Internal,
                name: "fulfilment".into(),
                began: nanos(submitted_at),
                ended,
                attributes: vec![("ferrule.fulfilment", text(id.as_str()))],
                failure: (*end != End::Completed).then(|| format!("{end:?}")),
            });
        }
        let Some((task, (direction, failure))) = event.task().zip(ends(event)) else { continue };
        let Some((began, mut name)) = tracer.begun(&(id.clone(), task)) else { continue };
        if direction == Direction::Backward {
            name.push_str(" undo");
        }
        tracer.take(Span {
            trace: trace.task(id, task, direction),
            parent: Some(own.span),
            kind: Kind::Internal,
            name,
            began,
            ended,
            attributes: vec![("ferrule.fulfilment", text(id.as_str()))],
            failure,
        });
    }
}

/// If an event ends a task or its undo: which of both, and why it failed, if it did.
fn ends(event: &Event) -> Option<(Direction, Option<String>)> {
    let code = |failure: &Failure| Some(failure.code.to_string());
    match event {
        Event::Succeeded { .. } => Some((Direction::Forward, None)),
        Event::Failed { failure, .. } => Some((Direction::Forward, code(failure))),
        Event::Undone { .. } => Some((Direction::Backward, None)),
        Event::UndoFailed { failure, .. } => Some((Direction::Backward, code(failure))),
        Event::Submitted { .. }
        | Event::Awaiting { .. }
        | Event::Planned { .. }
        | Event::Held { .. }
        | Event::Rejected { .. }
        | Event::Started { .. }
        | Event::Waiting { .. }
        | Event::CalledBack { .. }
        | Event::Retrying { .. }
        | Event::Retried { .. }
        | Event::RollingBack { .. }
        | Event::RollingBackLines { .. }
        | Event::Cancelling { .. }
        | Event::CancelRefused { .. }
        | Event::Patched { .. }
        | Event::Alerted { .. }
        | Event::Moved { .. }
        | Event::UndoWaiting { .. }
        | Event::UndoRetrying { .. }
        | Event::CompletedByHand { .. }
        | Event::GivenUp { .. }
        | Event::Ended { .. } => None,
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(1_000_000)
}
