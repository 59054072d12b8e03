//! Answers a repeated call from what the other one exchanged. The call ends when it asks for something that is
//! not on the tape.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Request, Response};
use tokio::sync::Notify;
use wasmtime_wasi_http::{Error, WasiBody};

use super::chance::Source;
use super::recording::Taped;
use super::{Answer, Asked, Given, Names, NotTaped, Recording, TAPE_BYTES_MAX, Taking, add};
use crate::contract::reservation::Reserved;

/// A call that is answered from a tape.
#[derive(Debug)]
pub(crate) struct Replay {
    /// Its bytes are those of the budget until the call has ended.
    recording: Arc<Recording>,
    deadline_ms: Option<u32>,
    state: Mutex<State>,
    ended: Notify,
}

/// Why a repeated call was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It asked for something that the other did not ask for.
    Added,
    /// It waits for an answer that the other did not get, or did not read to its end.
    Unanswered,
}

#[derive(Debug, Default)]
struct State {
    /// What is on the tape, and the request that it answered.
    exchanges: Vec<(Asked, Answer, Option<Asked>)>,
    added: Vec<Asked>,
    takings: Vec<(Taking, Used)>,
    added_takings: Vec<(String, String)>,
    names: Names,
    own_names: Names,
    end: Option<End>,
    /// The bytes of requests that may still be kept.
    left: usize,
}

/// Whether something on a tape was asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Used {
    Yes,
    No,
}

/// The requests of both calls.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Each request of the version in use, and that of the other, if there was one.
    pub(crate) pairs: Vec<(Asked, Option<Asked>)>,
    /// What only the other asked for.
    pub(crate) added: Vec<Asked>,
    /// The pools and names of reservations that only the version in use made.
    pub(crate) takings_missing: Vec<(String, String)>,
    /// Those that only the other made.
    pub(crate) takings_added: Vec<(String, String)>,
    /// The names of secrets in both.
    pub(crate) names: (Names, Names),
    /// Why the other was ended, if it was.
    pub(crate) end: Option<End>,
}

impl Replay {
    /// The call that repeats a recorded one; `None` if the recording is not whole.
    pub(crate) fn of(recording: Arc<Recording>) -> Option<Arc<Self>> {
        let Taped { exchanges, takings, names, deadline_ms, .. } = recording.finish()?;
        let exchanges = exchanges.into_iter().map(|(asked, answer)| (asked, answer, None));
        let takings = takings.into_iter().map(|taking| (taking, Used::No));
        let state = State {
            exchanges: exchanges.collect(),
            takings: takings.collect(),
            names,
            left: TAPE_BYTES_MAX,
            ..State::default()
        };
        Some(Arc::new(Self {
            recording,
            deadline_ms,
            state: Mutex::new(state),
            ended: Notify::new(),
        }))
    }

    /// Waits until the call asks for something that is not on the tape.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }

    /// What both calls asked for.
    pub(crate) fn finish(&self) -> Requests {
        let state = std::mem::take(&mut *self.lock());
        let unused = state.takings.into_iter().filter(|(_, used)| *used == Used::No);
        let pairs = state.exchanges.into_iter().map(|(before, _, now)| (before, now));
        Requests {
            pairs: pairs.collect(),
            added: state.added,
            takings_missing: unused.map(|(taking, _)| (taking.pool, taking.name)).collect(),
            takings_added: state.added_takings,
            names: (state.names, state.own_names),
            end: state.end,
        }
    }

    pub(super) fn seed(&self) -> u128 {
        self.recording.seed
    }

    pub(super) fn deadline_ms(&self, left: u32) -> u32 {
        self.deadline_ms.unwrap_or(left)
    }

    pub(super) fn issued(&self, name: &str, placeholder: &str) {
        self.lock().own_names.add(name, placeholder);
    }

    pub(super) fn reserve(&self, pool: &str, name: &str) -> Result<Reserved, NotTaped> {
        let mut state = self.lock();
        let is_it = |taking: &Taking| taking.pool == pool && taking.name == name;
        if let Some((taking, used)) = state.takings.iter_mut().find(|(one, _)| is_it(one)) {
            *used = Used::Yes;
            return Ok(taking.value.clone());
        }
        state.added_takings.push((pool.to_owned(), name.to_owned()));
        drop(state);
        self.end(End::Added);
        Err(NotTaped)
    }

    /// The answer that the same request had; the call ends if there is none.
    pub(super) async fn play(
        self: Arc<Self>,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Error> {
        let asked = self.asked(request).await?;
        // The lock is not held when the call is ended.
        let answer = self.lock().answer(asked);
        match answer {
            Ok(Answer::Given(given)) => return Ok(Self::response(&self, given)),
            Ok(Answer::Failed(error)) => return Err(error),
            Ok(Answer::Open) => self.end(End::Unanswered),
            Err(end) => self.end(end),
        }
        std::future::pending().await
    }

    /// A request with its body, as far as there is room for it.
    async fn asked(&self, request: Request<WasiBody>) -> Result<Asked, Error> {
        let (head, mut body) = request.into_parts();
        let mut asked = Asked::of(&head);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            asked.is_cut |= !add(&mut asked.body, &data, &mut self.lock().left);
        }
        Ok(asked)
    }

    fn response(this: &Arc<Self>, given: Given) -> Response<WasiBody> {
        let Given { status, headers, body, trailers, is_whole } = given;
        let data = (!body.is_empty()).then(|| Frame::data(Bytes::from(body)));
        let frames = data.into_iter().chain(trailers.map(Frame::trailers));
        let frames = stream::iter(frames.map(Ok::<_, Infallible>));
        let this = Arc::clone(this);
        let rest = stream::once(async move {
            if !is_whole {
                this.end(End::Unanswered);
                std::future::pending::<()>().await;
            }
        });
        let rest = rest.filter_map(|()| std::future::ready(None));
        let body = StreamBody::new(frames.chain(rest)).map_err(|never| match never {});
        let mut response = Response::new(body.boxed_unsync());
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        response
    }

    fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.ended.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state consistent, so a poisoned lock is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Replay {
    fn time(&self) -> Duration {
        self.recording.chance.play_time()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.recording.chance.play(bytes);
    }
}

impl State {
    /// Takes the answer of the first request that is the same, or else of the first to the same place.
    fn answer(&mut self, asked: Asked) -> Result<Answer, End> {
        let open = self.exchanges.iter().enumerate().filter(|(_, (before, _, now))| {
            now.is_none() && before.method == asked.method && before.url == asked.url
        });
        let mut places = open.map(|(index, _)| index).collect::<Vec<_>>().into_iter();
        let is_same = |index: &usize| self.same_body(*index, &asked);
        let same = places.clone().find(is_same);
        let Some((_, answer, now)) =
            same.or_else(|| places.next()).and_then(|index| self.exchanges.get_mut(index))
        else {
            self.added.push(asked);
            return Err(End::Added);
        };
        *now = Some(asked);
        Ok(std::mem::take(answer))
    }

    fn same_body(&self, index: usize, asked: &Asked) -> bool {
        let text = |body: &[u8], names: &Names| names.put_into(&String::from_utf8_lossy(body));
        let now = text(&asked.body, &self.own_names);
        self.exchanges
            .get(index)
            .is_some_and(|(before, _, _)| text(&before.body, &self.names) == now)
    }
}
