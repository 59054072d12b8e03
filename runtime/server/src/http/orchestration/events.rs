//! The records of a fulfilment as server-sent events: all past ones, then each new one, until
//! the end. The id of an event is the number of the record, so a client that reconnects continues
//! where it was (`Last-Event-ID`).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use engine::Published;
use futures_util::stream;
use model::{Event, FulfilmentId, Record};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::find;
use super::journal::{self, Show};
use crate::access::{Admitted, Standing};
use crate::documents::{Documents, Session};
use crate::http::call::Call;
use crate::http::masked::Personal;
use crate::http::problem::{Answer, Problem};
use crate::http::rights;
use crate::http::serve::Closing;
use crate::http::{ServerState, addresses};

/// Interval of comments that keep proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers with the stream.
pub(super) async fn get(server: &ServerState, call: Call, id: &str) -> Answer {
    // It subscribes before it reads the past, so that no record is missed.
    let live = server.engine.watch();
    let fulfilment = find(server, &call, id).await?;
    let last = call.headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok());
    let next = last.map_or(0, |last: u32| last.saturating_add(1));
    if fulfilment.is_ended() && next >= fulfilment.records() {
        // The end was sent before; this tells a browser not to reconnect.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let follow = Follow {
        documents: server.documents.clone(),
        id: fulfilment.id().clone(),
        show: Show::with(fulfilment.plan()),
        next,
        ready: VecDeque::new(),
        in_past: true,
        live,
        closing: call.closing,
        standing: server.access.standing(call.admitted.identity.as_ref()),
        hidden: Personal::hidden(&server.documents, &call.admitted, &fulfilment).await?,
        admitted: call.admitted,
        is_over: false,
    };
    let messages = stream::unfold(follow, |mut follow| async move {
        let message = follow.message().await?;
        Some((Ok::<_, Infallible>(message), follow))
    });
    let stream = Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(stream.into_response())
}

/// One client's place in a journal.
struct Follow {
    documents: Documents,
    id: FulfilmentId,
    show: Show,
    /// The number of the record to send next.
    next: u32,
    /// Records that were read and not sent.
    ready: VecDeque<(u32, Arc<Record>)>,
    /// Whether the store may have records that were not sent.
    in_past: bool,
    live: Receiver<Published>,
    admitted: Admitted,
    /// What the client may not read in the records.
    hidden: Personal,
    closing: Closing,
    /// The credentials of the client: the stream ends with them.
    standing: Standing,
    is_over: bool,
}

impl Follow {
    /// The next event; `None` at the end.
    async fn message(&mut self) -> Option<Message> {
        if self.is_over || !self.standing.holds() {
            return None;
        }
        let (number, record) = self.record().await?;
        self.next = number.saturating_add(1);
        let last = |event: &Event| matches!(event, Event::Ended { .. } | Event::Rejected { .. });
        self.is_over = record.events.iter().any(last);
        // What was changed may not be for this client any more.
        if record.events.iter().any(|event| matches!(event, Event::Patched { .. })) {
            let now = self.documents.engine().get(&self.id).await.ok().flatten();
            let now = now.filter(|now| rights::covers(&self.admitted, now))?;
            self.hidden = Personal::hidden(&self.documents, &self.admitted, &now).await.ok()?;
        }
        let addresses = self.documents.engine().addresses();
        let shown = self.hidden.masked_contents(self.show.record(number, &record));
        let data = addresses::masked(addresses, &self.admitted, shown).to_string();
        Some(Message::default().id(number.to_string()).event("record").data(data))
    }

    async fn record(&mut self) -> Option<(u32, Arc<Record>)> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            if self.in_past {
                self.read_past().await?;
                // The last record may still be on its way to the disk.
                self.documents.settled().await.ok()?;
                continue;
            }
            let published = tokio::select! {
                published = self.live.recv() => published,
                () = self.closing.closed() => return None,
                () = self.standing.ended() => return None,
            };
            match published {
                Ok(published) if published.fulfilment == self.id => {
                    if published.number == self.next {
                        return Some((published.number, published.record));
                    }
                    // Less was sent already; more means that some were missed.
                    self.in_past = published.number > self.next;
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.in_past = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn read_past(&mut self) -> Option<()> {
        let (id, next) = (self.id.clone(), self.next);
        let past = self.documents.read(move |session| past(session, &id, next));
        // Unreadable records were logged; the client is disconnected and may reconnect.
        let (records, in_past) = past.await.ok()?;
        self.in_past = in_past;
        self.ready = records.into_iter().map(|(number, record)| (number, record.into())).collect();
        Some(())
    }
}

/// The next records from a number on, and whether there may be more.
fn past(
    session: &Session,
    id: &FulfilmentId,
    next: u32,
) -> Result<(Vec<(u32, Record)>, bool), Problem> {
    let mut records = journal::read(session.store(), id, next)?;
    let has_more = records.len() == journal::RECORDS_AT_ONCE;
    // While the effects of the last record are being written, it is left out: it is published after
    // that.
    if !has_more && session.get(&engine::keys::owed(id))?.is_some() {
        records.pop();
    }
    Ok((records, has_more))
}
