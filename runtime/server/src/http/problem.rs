//! Error responses: the TM Forum error body, on every path.

mod login;
mod rate;

use axum::http::header::{ALLOW, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::Denied;
use engine::core::RecoverError;
use engine::handle::{AmendError, AskError, CancelError, DecideError, QuarantineError, ReadError};
use model::fulfilment::{NotGivenUp, PatchError as PatchRefusal};
use model::order::OrderErrorKind;
use model::{Failure, FailureClass};
use serde_json::json;
use tmf::check::Invalid;
use tmf::patch::PatchError;
use tmf::version::{Refused, View};

use super::answer;
use crate::orders::SubmitError;
use crate::policies::Refusal;
use crate::reconcile::CheckError;
use crate::retention::RetentionError;
use crate::search::SearchError;
use tmf::json::NotJson;

/// Seconds after which a client may try again when the engine is full.
const RETRY_AFTER_S: u64 = 5;

/// The path of the whole body.
const WHOLE: &str = "$";

/// An error response. Boxed, since every handler's result has room for one.
#[derive(Debug)]
pub(super) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    reason: &'static str,
    message: String,
    /// The wrong attribute, parameter or header.
    about: Option<String>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The challenge to a client without an identity: it sent no credentials, or wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Credentials,
    Others,
}

/// What a handler answers with.
pub(super) type Answer = Result<Response, Problem>;

/// Nothing is served at this path.
pub(super) fn nothing_here() -> Problem {
    Problem::not_found("nothing is served at this path")
}

impl Problem {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts { status, reason, message, about: None, header: None }))
    }

    /// Names the wrong attribute, parameter or header.
    pub(super) fn about(mut self, name: impl Into<String>) -> Self {
        self.0.about = Some(name.into());
        self
    }

    /// Names the attribute as in a view.
    pub(super) fn seen_by(mut self, view: &View) -> Self {
        if let Some(name) = self.0.about.take() {
            let seen = view.shown_path(&name);
            self.0.message = self.0.message.replace(&format!("`{name}`"), &format!("`{seen}`"));
            self.0.about = Some(seen);
        }
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    /// A malformed request.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad request", message)
    }

    /// There is no such document or path.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", message)
    }

    /// The path does not know the method.
    pub(super) fn method(allowed: impl Into<String>) -> Self {
        let allowed = allowed.into();
        let message = match allowed.as_str() {
            "" => "this path takes nothing".to_string(),
            methods => format!("this path takes {methods}"),
        };
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", message);
        problem.0.header = HeaderValue::from_str(&allowed).ok().map(|allowed| (ALLOW, allowed));
        problem
    }

    /// The document is not the revision that the client read.
    pub(super) fn precondition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "precondition failed", message)
    }

    /// A timeout.
    pub(super) fn late(message: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request timeout", message)
    }

    /// The settings do not allow it.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// No identity is proven. The same for every reason (RFC 6750, 3.1).
    pub(super) fn unauthenticated(challenge: Challenge) -> Self {
        let message = "send credentials that are valid here";
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
        let value = match challenge {
            Challenge::Credentials => "Bearer realm=\"ferrule\"",
            Challenge::Others => "Bearer realm=\"ferrule\", error=\"invalid_token\"",
        };
        problem.0.header = Some((WWW_AUTHENTICATE, HeaderValue::from_static(value)));
        problem
    }

    /// No role of the client allows it.
    pub(super) fn not_permitted() -> Self {
        Self::forbidden("no role of yours allows this")
    }

    /// It conflicts with stored data.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// It exceeds a limit. The rest of it is not read, so the connection ends.
    pub(super) fn too_large(message: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload too large", message);
        problem.0.header = Some((CONNECTION, HeaderValue::from_static("close")));
        problem
    }

    /// The body is not JSON.
    pub(super) fn media_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type", message)
            .about("Content-Type")
    }

    /// It is meant for another host.
    pub(super) fn misdirected(message: impl Into<String>) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "misdirected request", message)
    }

    /// It is well formed, but breaks a rule.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", message)
    }

    /// Too many requests at one time.
    pub(super) fn too_many(message: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", message);
        problem.0.header = Some((RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S)));
        problem
    }

    /// Temporarily unavailable.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "service unavailable", message);
        problem.0.header = Some((RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S)));
        problem
    }

    /// A plugin or a pack failed: the status depends on who must act.
    pub(super) fn failed(failure: &Failure) -> Self {
        let message = failure.message.as_str();
        match failure.class {
            FailureClass::Reject => Self::unprocessable(message),
            FailureClass::Retry | FailureClass::Operator => {
                tracing::warn!(failure.code = %failure.code, failure.message, "a request cannot be answered");
                Self::unavailable(message)
            }
        }
    }

    /// An internal error: it is logged, not shown.
    pub(super) fn ours(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        let message = "the server failed; see its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error", message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Parts { status, reason, message, mut about, header } = *self.0;
        let is_about_request =
            [StatusCode::BAD_REQUEST, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
        if is_about_request.contains(&status) {
            about.get_or_insert_with(|| WHOLE.into());
        }
        let mut body = json!({
            "code": status.as_u16().to_string(),
            "reason": reason,
            "message": message,
            "status": status.as_u16().to_string(),
            "@type": "Error",
        });
        if let Some(about) = about {
            body["referenceError"] = json!(about);
        }
        let mut response = answer::json(status, &body);
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        let Invalid { path, message, kind } = invalid;
        let path = if path.is_empty() { WHOLE.to_string() } else { path };
        match kind.is_against_a_rule() {
            true => Self::unprocessable(message).about(path),
            false => Self::bad(message).about(path),
        }
    }
}

impl From<NotJson> for Problem {
    fn from(error: NotJson) -> Self {
        let message = error.to_string();
        match error {
            NotJson::Twice(path) => Self::bad(message).about(path),
            NotJson::TooDeep
            | NotJson::TooLong(_)
            | NotJson::Reserved
            | NotJson::TooMany
            | NotJson::Malformed(_) => Self::bad(message),
        }
    }
}

impl From<PatchError> for Problem {
    fn from(error: PatchError) -> Self {
        match &error {
            PatchError::Malformed(_) | PatchError::TooDeep { .. } => Self::bad(error.to_string()),
            PatchError::Path { source, .. } => {
                Self::bad(format!("{error}: {source}")).about("path")
            }
            PatchError::TestFailed { path, .. } => Self::conflict(error.to_string()).about(path),
            PatchError::NoTarget { path, .. } => Self::unprocessable(error.to_string()).about(path),
            PatchError::TooLarge => Self::too_large(error.to_string()),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Patch(error) => error.into(),
            Refused::Invalid(invalid) => invalid.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed { path, message } => Self::bad(message).about(path),
            Refusal::Unprocessable { path, message } => Self::unprocessable(message).about(path),
            Refusal::Conflict { path, message } => Self::conflict(message).about(path),
            Refusal::Row { resource, ref wrong, .. } => {
                let path = format!("{resource}.{}", wrong.attribute);
                Self::unprocessable(refusal.to_string()).about(&path)
            }
            Refusal::Store(error) => error.into(),
            Refusal::Failed(failure) => Self::failed(&failure),
            Refusal::Submit(error) => (*error).into(),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Unknown(_) => Self::not_found(error.to_string()).about("id"),
            CancelError::Refused(refusal) => {
                Self::unprocessable(refusal.to_string()).about("state")
            }
            CancelError::Read(error) => error.into(),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let message = error.to_string();
        match error {
            DecideError::Unknown(_) => Self::not_found(message).about("id"),
            DecideError::Refused(NotGivenUp::NoTask(_)) => {
                Self::unprocessable(message).about("task")
            }
            DecideError::Refused(NotGivenUp::NoItem(_)) => {
                Self::unprocessable(message).about("item")
            }
            DecideError::Refused(
                NotGivenUp::Ended { .. }
                | NotGivenUp::NotPlanned
                | NotGivenUp::RollingBack
                | NotGivenUp::State { .. }
                | NotGivenUp::PastReturn { .. },
            ) => Self::conflict(message).about("$"),
            DecideError::Read(error) => error.into(),
        }
    }
}

impl From<AmendError> for Problem {
    fn from(error: AmendError) -> Self {
        let message = error.to_string();
        match error {
            AmendError::Unknown(_) => Self::not_found(message).about("id"),
            AmendError::Refused(PatchRefusal::Fixed(name)) => {
                Self::bad(format!("`{name}` cannot be changed")).about(name)
            }
            AmendError::Refused(PatchRefusal::Decided(name)) => {
                Self::unprocessable(message).about(name)
            }
            AmendError::Refused(PatchRefusal::TooEarly { .. }) => {
                Self::unprocessable(message).about("requestedCompletionDate")
            }
            AmendError::Refused(PatchRefusal::NotRoot(_) | PatchRefusal::Run) => {
                Self::unprocessable(message).about("id")
            }
            AmendError::Refused(PatchRefusal::TooDeep) => {
                Self::bad("objects and arrays may nest 64 deep").about("$")
            }
            AmendError::Changed => Self::precondition(message).about("If-Match"),
            AmendError::Read(error) => error.into(),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let denied = match error {
            AskError::Denied(denied) => denied,
            AskError::Stopped(_) => {
                let message = "the engine has stopped; the server must be started again";
                return Self::unavailable(message);
            }
        };
        let message = denied.to_string();
        match denied {
            Denied::SetAside { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "set aside", message).about("id")
            }
            Denied::NotSetAside(_) => Self::not_found(message).about("id"),
            Denied::Open(_) | Denied::BeingWritten(_) => Self::conflict(message).about("id"),
            Denied::Unsound(_) => Self::ours(&AskError::Denied(denied)),
            Denied::TooManyOpen { .. } => Self::unavailable(message).about("limits.open-orders"),
            Denied::TooMuchOpen { .. } => {
                Self::unavailable(message).about("limits.open-orders-mib")
            }
        }
    }
}

impl From<RetentionError> for Problem {
    fn from(error: RetentionError) -> Self {
        match error {
            RetentionError::Ask(error) => error.into(),
            RetentionError::Store(_) => Self::ours(&error),
        }
    }
}

impl From<QuarantineError> for Problem {
    fn from(error: QuarantineError) -> Self {
        match error {
            QuarantineError::Ask(error) => error.into(),
            QuarantineError::Journal(RecoverError::Store(error)) => error.into(),
            QuarantineError::Journal(error) => {
                Self::conflict(format!("it stays set aside: {error}")).about("id")
            }
            QuarantineError::Store(_) => Self::ours(&error),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Ask(error) => error.into(),
            ReadError::Journal(ref cause) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a journal is damaged");
                let message = format!("{cause}; see the log");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "journal damaged", message)
            }
        }
    }
}

impl From<engine::store::Error> for Problem {
    fn from(error: engine::store::Error) -> Self {
        use engine::store::Error as E;
        match &error {
            E::Unsettled | E::Closed | E::Fenced { .. } | E::Away(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
                Self::unavailable("the store failed; the server must be started again")
            }
            E::KeyTooLong { .. } | E::Refused(_) | E::Failed { .. } => Self::ours(&error),
        }
    }
}

impl From<engine::documents::Error> for Problem {
    fn from(error: engine::documents::Error) -> Self {
        use engine::documents::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Unreadable { ref key, .. } => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
                let message = format!(
                    "the document `{key}` is damaged: run `ferrule store verify` for details, a backup \
                     has it as it was"
                );
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error", message)
            }
            // Handlers that can try again did so before.
            E::Conflict { resource, id, .. } => {
                let message = format!("the {resource} `{id}` was changed meanwhile: try again");
                Self::conflict(message).about("id")
            }
        }
    }
}

impl From<CheckError> for Problem {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Store(error) => error.into(),
            CheckError::Read(error) => error.into(),
            CheckError::Ask(error) => error.into(),
            CheckError::Document(error) => Self::ours(&error),
        }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Parameter { name, message } => Self::bad(message).about(name),
            SearchError::Store(error) => error.into(),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let message = error.to_string();
        match error {
            SubmitError::Order(wrong) => {
                let problem = match wrong.kind {
                    OrderErrorKind::Malformed => Self::bad(message),
                    OrderErrorKind::Inconsistent => Self::unprocessable(message),
                };
                problem.about(wrong.path)
            }
            SubmitError::Reference { path, .. } => Self::unprocessable(message).about(path),
            SubmitError::Workflow { .. } => Self::not_found(message).about("workflow"),
            SubmitError::Closed(failure) => Self::failed(&failure),
            // The client can change the input or the request, whatever the class.
            SubmitError::Plan(_) | SubmitError::Refused(_) => Self::unprocessable(message),
            SubmitError::Contended(_) | SubmitError::Starting => Self::unavailable(message),
            SubmitError::Ask(error) => error.into(),
            SubmitError::Read(error) => error.into(),
            SubmitError::Store(error) => error.into(),
        }
    }
}
