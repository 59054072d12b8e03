//! Hubs: where clients subscribe to the events of an API or of a topic.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tmf::resource::Api;
use tmf::subscription::Source;

use super::call::Call;
use super::fields::Fields;
use super::page::Page;
use super::problem::Answer;
use super::problem::Problem;
use super::problem::nothing_here;
use super::resources::Version;
use super::{ServerState, answer};
use crate::access::{Admitted, Permission, Verb};
use crate::events::{SubscribeError, Subscriber};

/// Whether a client may see a subscription: its own, or any if it may see all subscriptions.
fn is_shown(admitted: &Admitted, subscriber: &Subscriber) -> bool {
    let reader = &admitted.reader;
    let is_own = admitted.identity.as_deref().is_some_and(|identity| subscriber.is_of(identity));
    let sees_all = || {
        reader.may(&Permission::own("/subscriptions", Verb::Read)).is_all()
            && reader.sees_everything()
    };
    admitted.shows(is_own || reader.is_all() || sees_all())
}

pub(super) struct Hub {
    /// The source of its events.
    pub(super) source: Source,
    /// Its path.
    pub(super) path: String,
}

/// Handles a request to the hub of an API.
pub(super) async fn dispatch(
    server: &ServerState,
    call: Call,
    api: &Api,
    version: Version,
    rest: &[&str],
) -> Answer {
    let base = match (version, &api.v5) {
        (Version::V5, Some(later)) => later.base,
        (Version::V4 | Version::V5, _) => api.base,
    };
    let path = format!("/tmf-api/{base}/{version}/hub");
    let hub = Hub { source: Source::Api { number: api.number, version }, path };
    hub.dispatch(server, call, rest).await
}

impl Hub {
    /// Handles a request to this hub, or to one of its subscriptions.
    pub(super) async fn dispatch(&self, server: &ServerState, call: Call, rest: &[&str]) -> Answer {
        match (&call.method, rest) {
            (&Method::GET | &Method::HEAD, []) => self.list(server, &call),
            (&Method::POST, []) => self.subscribe(server, call).await,
            (_, []) => Err(Problem::method("GET, HEAD, POST")),
            (&Method::GET | &Method::HEAD, [id]) => {
                let subscriber = self.find(server, &call, id)?;
                Ok(answer::json(StatusCode::OK, &self.view(&subscriber, &call)))
            }
            (&Method::DELETE, [id]) => {
                self.find(server, &call, id)?;
                server.events.unsubscribe(id).await?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            (_, [_]) => Err(Problem::method("GET, HEAD, DELETE")),
            (_, [_, _, ..]) => Err(nothing_here()),
        }
    }

    fn list(&self, server: &ServerState, call: &Call) -> Answer {
        let all = server.events.of(&self.source);
        let all = all.iter().filter(|subscriber| is_shown(&call.admitted, subscriber));
        let rows = all.map(|subscriber| self.view(subscriber, call)).collect();
        listed(rows, &self.path, call)
    }

    async fn subscribe(&self, server: &ServerState, mut call: Call) -> Answer {
        let input = call.json()?;
        let maker = call.admitted.identity.as_ref();
        let subscriber = server.events.subscribe(self.source.clone(), &input, maker).await?;
        let location = self.location(&subscriber, &call);
        Ok(answer::located(StatusCode::CREATED, &location, &self.view(&subscriber, &call)))
    }

    fn find(
        &self,
        server: &ServerState,
        call: &Call,
        id: &str,
    ) -> Result<Arc<Subscriber>, Problem> {
        let found = server.events.get(id);
        let found = found.filter(|subscriber| is_shown(&call.admitted, subscriber));
        let found = found.filter(|subscriber| subscriber.subscription.source == self.source);
        found.ok_or_else(|| Problem::not_found(format!("there is no hub `{id}`")).about("id"))
    }

    fn view(&self, subscriber: &Subscriber, call: &Call) -> Value {
        let mut view = subscriber.subscription.answer();
        if self.source.version() == Version::V5 {
            let fields = view.as_object_mut().expect("the answer to a subscription is an object");
            fields.insert("href".into(), self.location(subscriber, call).into());
        }
        view
    }

    fn location(&self, subscriber: &Subscriber, call: &Call) -> String {
        format!("{}{}/{}", call.base, self.path, subscriber.subscription.id)
    }
}

/// A page of a complete list.
pub(super) fn listed(rows: Vec<Value>, path: &str, call: &Call) -> Result<Response, Problem> {
    let page = Page::parse(&call.query)?;
    let fields = Fields::parse(call.query.get("fields"))?;
    let total = rows.len();
    let rows = rows.into_iter().skip(page.offset).take(page.limit);
    let rows: Vec<Value> = rows.map(|row| fields.of(row)).collect();
    let url = format!("{}{path}", call.base);
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    Ok(response)
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Subscription(wrong) => {
                Self::bad(wrong.to_string()).about(wrong.attribute())
            }
            SubscribeError::Forbidden(forbidden) => {
                Self::unprocessable(forbidden.to_string()).about("callback")
            }
            SubscribeError::Known { .. } | SubscribeError::TooManyOfOne => {
                Self::conflict(error.to_string()).about("callback")
            }
            SubscribeError::TooMany => Self::unavailable(error.to_string()),
            SubscribeError::Store(error) => error.into(),
        }
    }
}
