//! How fast a client of HTTP/2 takes responses. It may stop to take one while it goes on with others, so no write of the
//! connection waits: each response is watched. A connection ends when one waited for too long, and is asked to leave
//! when it has had no request for a while.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use super::WRITE_WAIT;

/// Max bytes that are given away at once. The last part of a response waits unwatched, and is no larger.
const PART_BYTES_MAX: usize = 16 << 10;

/// Time without a request after which a client is asked to leave.
const IDLE_WAIT: Duration = Duration::from_secs(120);

/// The interval of looks.
const LOOK: Duration = Duration::from_secs(5);

/// The responses of one connection.
pub(super) struct Pace(Mutex<State>);

struct State {
    next: u64,
    open: usize,
    /// Responses of which a part waits to be taken, with the time since when.
    waiting: BTreeMap<u64, Instant>,
    /// When the last request ended, if none is open.
    idle: Option<Instant>,
}

/// A request, until its response was given away or dropped.
pub(super) struct Turn {
    pace: Arc<Pace>,
    id: u64,
}

/// A response whose progress is watched.
pub(super) struct Measured {
    body: Body,
    rest: Bytes,
    turn: Turn,
}

impl Pace {
    pub(super) fn new() -> Self {
        let idle = Some(Instant::now());
        Self(Mutex::new(State { next: 0, open: 0, waiting: BTreeMap::new(), idle }))
    }

    pub(super) fn begin(self: &Arc<Self>) -> Turn {
        let mut state = self.state();
        state.open += 1;
        state.idle = None;
        let id = state.next;
        state.next += 1;
        Turn { pace: Arc::clone(self), id }
    }

    /// Ends when there was no request for a while.
    pub(super) async fn is_idle(&self) {
        self.until(State::is_idle).await;
    }

    /// Ends when the client took nothing of a response for too long, or did not leave when asked.
    pub(super) async fn is_stalled(&self) {
        self.until(State::is_stalled).await;
    }

    async fn until(&self, holds: fn(&State, Instant) -> bool) {
        loop {
            tokio::time::sleep(LOOK).await;
            if holds(&self.state(), Instant::now()) {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_idle(&self, now: Instant) -> bool {
        self.idle_for(now) >= IDLE_WAIT
    }

    fn is_stalled(&self, now: Instant) -> bool {
        let longest = self.waiting.values().map(|since| now - *since).max();
        longest.unwrap_or_default() >= WRITE_WAIT || self.idle_for(now) >= IDLE_WAIT + WRITE_WAIT
    }

    fn idle_for(&self, now: Instant) -> Duration {
        self.idle.map(|since| now - since).unwrap_or_default()
    }
}

impl Turn {
    /// A part was given away: until the next is wanted, the client has yet to take it.
    fn gave(&self) {
        self.pace.state().waiting.insert(self.id, Instant::now());
    }

    fn is_wanted(&self) {
        self.pace.state().waiting.remove(&self.id);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.waiting.remove(&self.id);
        state.open -= 1;
        if state.open == 0 {
            state.idle = Some(Instant::now());
        }
    }
}

impl Measured {
    pub(super) fn new(body: Body, turn: Turn) -> Self {
        Self { body, rest: Bytes::new(), turn }
    }

    /// The next part of the data that is here.
    fn part(&mut self) -> Bytes {
        let part = self.rest.split_to(self.rest.len().min(PART_BYTES_MAX));
        self.turn.gave();
        part
    }
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.turn.is_wanted();
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(self.part()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, hint) = (self.rest.len() as u64, self.body.size_hint());
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt as _;

    use super::*;

    async fn next(body: &mut Measured) -> Option<Bytes> {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        frame.map(|frame| frame.unwrap().into_data().unwrap())
    }

    /// Whether the client is idle, and stalled, after this time.
    fn after(pace: &Pace, wait: Duration) -> (bool, bool) {
        let (state, then) = (pace.state(), Instant::now() + wait);
        (state.is_idle(then), state.is_stalled(then))
    }

    #[tokio::test]
    async fn a_response_that_is_not_taken_stalls_its_connection() {
        let pace = Arc::new(Pace::new());
        let whole = vec![7; 3 * PART_BYTES_MAX - 1];
        let mut body = Measured::new(Body::from(whole), pace.begin());
        assert_eq!(body.size_hint().exact(), Some(3 * PART_BYTES_MAX as u64 - 1));
        assert_eq!(after(&pace, 10 * IDLE_WAIT), (false, false), "nothing was given away");
        for size in [PART_BYTES_MAX, PART_BYTES_MAX, PART_BYTES_MAX - 1] {
            assert_eq!(next(&mut body).await.unwrap().len(), size);
            assert_eq!(after(&pace, WRITE_WAIT - LOOK), (false, false));
            assert_eq!(after(&pace, WRITE_WAIT), (false, true));
        }
        assert!(body.is_end_stream());
        drop(body);
        assert_eq!(after(&pace, WRITE_WAIT), (false, false));
    }

    #[tokio::test]
    async fn a_response_that_has_nothing_to_send_yet_stalls_nothing() {
        let pace = Arc::new(Pace::new());
        let never = futures_util::stream::pending::<Result<Bytes, axum::Error>>();
        let mut body = Measured::new(Body::from_stream(never), pace.begin());
        assert!(next(&mut body).now_or_never().is_none());
        assert_eq!(after(&pace, 10 * IDLE_WAIT), (false, false));
    }

    #[test]
    fn a_connection_without_requests_is_asked_to_leave_and_then_dropped() {
        let pace = Arc::new(Pace::new());
        let turns = [pace.begin(), pace.begin()];
        let [one, other] = turns;
        drop(one);
        assert_eq!(after(&pace, 10 * IDLE_WAIT), (false, false));
        drop(other);
        assert_eq!(after(&pace, IDLE_WAIT - LOOK), (false, false));
        assert_eq!(after(&pace, IDLE_WAIT), (true, false));
        assert_eq!(after(&pace, IDLE_WAIT + WRITE_WAIT), (true, true));
    }
}
