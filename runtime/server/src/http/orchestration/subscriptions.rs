//! The delivery of events: the state of each subscription, its dead letters, and the
//! operator's actions.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tmf::subscription::{Pause, Payload, Standing};

use crate::events::{Retried, Subscriber};
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::{ServerState, answer};

/// Max dead letters in an answer, or sent again at once.
const LETTERS_MAX: usize = 1_000;

/// Handles a request about subscriptions.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    let Some((id, rest)) = path.split_first() else {
        let end = server.events.end().await?;
        let all = server.events.all();
        let rows = all.iter().map(|subscriber| view(subscriber, end)).collect();
        return Ok(answer::json(StatusCode::OK, &Value::Array(rows)));
    };
    let found = server.events.get(id);
    let missing = || Problem::not_found(format!("there is no subscription `{id}`")).about("id");
    let subscriber = found.ok_or_else(missing)?;
    match rest {
        [] => shown(server, &subscriber).await,
        ["dead-letters"] => letters(server, &call, id).await,
        ["dead-letters", "retry"] => retry_all(server, &subscriber).await,
        ["dead-letters", sequence] => match call.method {
            Method::DELETE => {
                let sequence = number(sequence)?;
                match server.events.forget(&subscriber, sequence).await? {
                    true => Ok(StatusCode::NO_CONTENT.into_response()),
                    false => Err(no_letter(sequence)),
                }
            }
            _ => Err(Problem::method("DELETE")),
        },
        ["dead-letters", sequence, "retry"] => retry(server, &subscriber, number(sequence)?).await,
        [action @ ("pause" | "resume" | "replay")] => act(server, &call, &subscriber, action).await,
        _ => Err(nothing_here()),
    }
}

async fn act(
    server: &ServerState,
    call: &Call,
    subscriber: &Arc<Subscriber>,
    action: &str,
) -> Answer {
    match action {
        "pause" => server.events.pause(subscriber).await?,
        "resume" => server.events.resume(subscriber).await?,
        _ => {
            let (from, after) = (call.query.number("from")?, call.query.number("after")?);
            let Some(next) = from.or_else(|| after?.checked_add(1)) else {
                let message = "say from or after which event: `?after=<sequence>`";
                return Err(Problem::bad(message).about("after"));
            };
            let (next, end) = (next as u64, server.events.end().await?);
            if next > end {
                let message = format!("the next event has the number {end}");
                return Err(Problem::bad(message).about("after"));
            }
            server.events.replay(subscriber, next).await?;
        }
    }
    shown(server, subscriber).await
}

async fn shown(server: &ServerState, subscriber: &Subscriber) -> Answer {
    let end = server.events.end().await?;
    Ok(answer::json(StatusCode::OK, &view(subscriber, end)))
}

fn view(subscriber: &Subscriber, end: u64) -> Value {
    let (subscription, progress) = (&subscriber.subscription, subscriber.progress());
    let (state, paused) = match progress.standing {
        Standing::Active => ("active", None),
        Standing::Paused(Pause::Asked) => ("paused", Some("a client paused it")),
        Standing::Paused(Pause::Silent) => ("paused", Some("nothing was taken for too long")),
        Standing::Paused(Pause::Full) => ("paused", Some("it has too many dead letters")),
    };
    let payload = match subscription.payload {
        Payload::Slim => "slim",
        Payload::Full => "full",
    };
    json!({
        "id": subscription.id,
        "source": subscription.source.kept(),
        "callback": subscription.callback.url(),
        "query": subscription.answer().get("query"),
        "payload": payload,
        "since": subscription.since.to_string(),
        "state": state,
        "pausedBecause": paused,
        "next": progress.next,
        "lag": end.saturating_sub(progress.next),
        "attempts": progress.attempts,
        "failingSince": progress.failing_since.map(|since| since.to_string()),
        "lastError": progress.error.map(|error| json!({
            "at": error.at.to_string(),
            "message": error.message,
        })),
        "delivered": progress.delivered,
        "deadLetters": progress.dead,
        "missed": progress.missed,
    })
}

async fn letters(server: &ServerState, call: &Call, id: &str) -> Answer {
    let limit = call.query.number("limit")?.unwrap_or(LETTERS_MAX).clamp(1, LETTERS_MAX);
    let after = call.query.number("after")?.map(|after| after as u64);
    let letters = server.events.dead_letters(id, after, limit).await?;
    let rows = letters.into_iter().map(|letter| {
        json!({
            "sequence": letter.sequence,
            "since": letter.since.to_string(),
            "reason": letter.reason,
            "eventType": letter.event_type,
            "event": letter.body,
        })
    });
    Ok(answer::json(StatusCode::OK, &rows.collect()))
}

async fn retry(server: &ServerState, subscriber: &Subscriber, sequence: u64) -> Answer {
    let body = match server.events.retry(subscriber, sequence).await? {
        Retried::Taken => json!({ "sequence": sequence, "taken": true }),
        Retried::Refused(reason) => {
            json!({ "sequence": sequence, "taken": false, "reason": reason })
        }
        Retried::Unknown => return Err(no_letter(sequence)),
    };
    Ok(answer::json(StatusCode::OK, &body))
}

/// Sends dead letters, the oldest first, until one is refused again.
async fn retry_all(server: &ServerState, subscriber: &Subscriber) -> Answer {
    let mut taken = 0;
    let mut refused = None;
    let id = &subscriber.subscription.id;
    for letter in server.events.dead_letters(id, None, LETTERS_MAX).await? {
        match server.events.retry(subscriber, letter.sequence).await? {
            Retried::Taken => taken += 1,
            Retried::Unknown => {}
            Retried::Refused(reason) => {
                refused = Some(json!({ "sequence": letter.sequence, "reason": reason }));
                break;
            }
        }
    }
    Ok(answer::json(StatusCode::OK, &json!({ "taken": taken, "refused": refused })))
}

fn number(text: &str) -> Result<u64, Problem> {
    let wrong = |_| Problem::bad("a dead letter has the number of its event").about("sequence");
    text.parse().map_err(wrong)
}

fn no_letter(sequence: u64) -> Problem {
    Problem::not_found(format!("there is no dead letter `{sequence}`")).about("sequence")
}
