//! Every error that reaches HTTP, sorted by who must act: the client gets 4xx for its own errors and
//! nothing else, so that it neither repeats a wrong request nor gives up a right one.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use engine::Denied;
use engine::core::RecoverError;
use engine::documents;
use engine::handle::{
    AmendError, AskError, CancelError, DecideError, QuarantineError, ReadError, Stopped,
};
use engine::store::{self, Epoch};
use model::fulfilment::{NotGivenUp, PatchError};
use model::order::{OrderError, OrderErrorKind};
use model::{Failure, FailureClass, FulfilmentId};
use tmf::malformed::Malformed;
use tmf::subscription::SubscriptionError;

use crate::bulk::import::ImportError;
use crate::bulk::progress::WrongLine;
use crate::events::SubscribeError;
use crate::http::problem::Problem;
use crate::orders::SubmitError;
use crate::policies::Refusal;
use crate::reconcile::{CheckError, RepairError};
use crate::retention::RetentionError;

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Whose {
    /// The server or its operator: 5xx.
    Ours,
    /// The client: 4xx.
    Client,
}

use Whose::{Client, Ours};

/// Checks a sample of each variant. The patterns are also the arms of one `match` without a wildcard, so
/// a new variant does not compile until it has a row here.
macro_rules! sorted {
    ($error:ty: $($pattern:pat => $whose:expr, $sample:expr;)+) => {{
        fn whose(error: &$error) -> Whose {
            match error { $($pattern => $whose),+ }
        }
        $({
            let sample: $error = $sample;
            assert!(matches!(&sample, $pattern), "{sample:?} is a sample of another row");
            let expected = whose(&sample);
            let name = format!("{sample:?}");
            let status = Problem::from(sample).into_response().status();
            assert_eq!(status.is_server_error(), expected == Ours, "{status} for {name}");
            assert_eq!(status.is_client_error(), expected == Client, "{status} for {name}");
        })+
    }};
}

fn id() -> FulfilmentId {
    FulfilmentId::new("f")
}

fn failed() -> store::Error {
    store::Error::Failed { action: "read", source: "the disk is full".into() }
}

fn unreadable() -> documents::Error {
    documents::Error::Unreadable { key: "d|x".into(), source: "it is cut off".into() }
}

fn missing() -> RecoverError {
    RecoverError::Missing { fulfilment: id(), number: 1 }
}

fn stopped() -> AskError {
    AskError::Stopped(Stopped)
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "CODE", "it failed")
}

fn malformed() -> Malformed {
    Malformed { attribute: "id".into(), problem: "is missing".into() }
}

/// The error of a task that panicked.
async fn panicked() -> tokio::task::JoinError {
    tokio::spawn(async { panic!("a bug") }).await.unwrap_err()
}

#[test]
fn errors_of_the_store_are_sorted() {
    sorted! { store::Error:
        store::Error::Fenced { .. } => Ours,
            store::Error::Fenced { owner: Epoch(2), batch: Epoch(1) };
        store::Error::KeyTooLong { .. } => Ours, store::Error::KeyTooLong { bytes: 400, max: 384 };
        store::Error::Refused(_) => Ours, store::Error::Refused("no".into());
        store::Error::Unsettled => Ours, store::Error::Unsettled;
        store::Error::Closed => Ours, store::Error::Closed;
        store::Error::Away(_) => Ours, store::Error::Away("the database is away".into());
        store::Error::Failed { .. } => Ours, failed();
    }
    sorted! { documents::Error:
        documents::Error::Conflict { .. } => Client, documents::Error::Conflict {
            resource: "product".into(), id: "1".into(), found: None,
        };
        documents::Error::Unreadable { .. } => Ours, unreadable();
        documents::Error::Store(_) => Ours, documents::Error::Store(failed());
    }
}

#[test]
fn errors_of_the_engine_are_sorted() {
    sorted! { AskError:
        AskError::Stopped(_) => Ours, stopped();
        AskError::Denied(Denied::SetAside { .. }) => Ours,
            Denied::SetAside { fulfilment: id(), record: None, reason: "x".into() }.into_ask();
        AskError::Denied(Denied::NotSetAside(_)) => Client, Denied::NotSetAside(id()).into_ask();
        AskError::Denied(Denied::Open(_)) => Client, Denied::Open(id()).into_ask();
        AskError::Denied(Denied::BeingWritten(_)) => Client,
            Denied::BeingWritten(model::PluginId::new("p")).into_ask();
        AskError::Denied(Denied::Unsound(_)) => Ours, Denied::Unsound("x".into()).into_ask();
        AskError::Denied(Denied::TooManyOpen { .. }) => Ours,
            Denied::TooManyOpen { open: 1, max: 1 }.into_ask();
        AskError::Denied(Denied::TooMuchOpen { .. }) => Ours,
            Denied::TooMuchOpen { mib: 1, max_mib: 1 }.into_ask();
    }
    sorted! { ReadError:
        ReadError::Ask(_) => Ours, ReadError::Ask(stopped());
        ReadError::Journal(_) => Ours, ReadError::Journal(missing());
    }
    sorted! { CancelError:
        CancelError::Unknown(_) => Client, CancelError::Unknown(id());
        CancelError::Refused(_) => Client,
            CancelError::Refused(model::journal::Refusal::Final { state: "completed".into() });
        CancelError::Read(_) => Ours, CancelError::Read(ReadError::Journal(missing()));
    }
    sorted! { DecideError:
        DecideError::Unknown(_) => Client, DecideError::Unknown(id());
        DecideError::Refused(_) => Client, DecideError::Refused(NotGivenUp::NotPlanned);
        DecideError::Read(_) => Ours, DecideError::Read(stopped().into());
    }
    sorted! { AmendError:
        AmendError::Unknown(_) => Client, AmendError::Unknown(id());
        AmendError::Refused(_) => Client, AmendError::Refused(PatchError::Run);
        AmendError::Changed => Client, AmendError::Changed;
        AmendError::Read(_) => Ours, AmendError::Read(stopped().into());
    }
    sorted! { QuarantineError:
        QuarantineError::Ask(_) => Ours, QuarantineError::Ask(stopped());
        QuarantineError::Journal(RecoverError::Store(_)) => Ours,
            QuarantineError::Journal(RecoverError::Store(failed()));
        // An operator asked to continue it, and its state does not allow that.
        QuarantineError::Journal(_) => Client, QuarantineError::Journal(missing());
        QuarantineError::Store(_) => Ours, QuarantineError::Store(failed());
    }
}

#[tokio::test]
async fn errors_of_the_server_are_sorted() {
    sorted! { RetentionError:
        RetentionError::Store(_) => Ours, RetentionError::Store(unreadable());
        RetentionError::Ask(_) => Ours, RetentionError::Ask(stopped());
    }
    sorted! { CheckError:
        CheckError::Store(_) => Ours, CheckError::Store(unreadable());
        CheckError::Read(_) => Ours, CheckError::Read(stopped().into());
        CheckError::Ask(_) => Ours, CheckError::Ask(stopped());
        CheckError::Document(_) => Ours, CheckError::Document(tmf::malformed::Malformed::new("id", "is missing"));
    }
    sorted! { RepairError:
        RepairError::Unknown(_) => Client, RepairError::Unknown("r".into());
        RepairError::NoFinding(_) => Client, RepairError::NoFinding(1);
        RepairError::Open => Client, RepairError::Open;
        RepairError::NotMissing => Client, RepairError::NotMissing;
        RepairError::NotNow => Client, RepairError::NotNow;
        RepairError::Busy => Client, RepairError::Busy;
        RepairError::Input(_) => Client, RepairError::Input("s".into());
        RepairError::Check(_) => Ours, RepairError::Check(CheckError::Store(unreadable()));
    }
    sorted! { ImportError:
        ImportError::Unknown(_) => Client, ImportError::Unknown("x".into());
        ImportError::NotMade(_) => Client, ImportError::NotMade("x");
        ImportError::OfAnother { .. } => Client,
            ImportError::OfAnother { id: "i".into(), resource: "x".into() };
        ImportError::Stopped(_) => Client, ImportError::Stopped(WrongLine {
            line: 1, path: "id".into(), message: "is missing".into(),
        });
        ImportError::UnderWay(_) => Client, ImportError::UnderWay("i".into());
        ImportError::Store(_) => Ours, ImportError::Store(unreadable());
        ImportError::Ended(_) => Ours, ImportError::Ended(panicked().await);
    }
    sorted! { SubscribeError:
        SubscribeError::Subscription(_) => Client, SubscriptionError::NoCallback.into();
        SubscribeError::Forbidden(_) => Client, crate::events::Forbidden::Own.into();
        SubscribeError::Known { .. } => Client, SubscribeError::Known { id: "h".into() };
        SubscribeError::TooMany => Ours, SubscribeError::TooMany;
        SubscribeError::TooManyOfOne => Client, SubscribeError::TooManyOfOne;
        SubscribeError::Store(_) => Ours, SubscribeError::Store(unreadable());
    }
}

#[test]
fn errors_of_orders_and_policies_are_sorted() {
    let path = || "id".to_string();
    let message = || "is wrong".to_string();
    let order = |kind| OrderError { path: path(), message: message(), kind };
    sorted! { SubmitError:
        SubmitError::Order(_) => Client, SubmitError::Order(order(OrderErrorKind::Malformed));
        SubmitError::Reference { .. } => Client,
            SubmitError::Reference { path: path(), message: message() };
        SubmitError::Workflow { .. } => Client,
            SubmitError::Workflow { workflow: "w".into(), known: String::new() };
        SubmitError::Starting => Ours, SubmitError::Starting;
        SubmitError::Closed(_) => Ours, SubmitError::Closed(failure(FailureClass::Operator));
        // The client can change the input, whatever the class.
        SubmitError::Plan(_) => Client, SubmitError::Plan(failure(FailureClass::Operator));
        SubmitError::Refused(_) => Client, SubmitError::Refused(failure(FailureClass::Reject));
        SubmitError::Ask(_) => Ours, SubmitError::Ask(stopped());
        SubmitError::Read(_) => Ours, SubmitError::Read(stopped().into());
        SubmitError::Store(_) => Ours, SubmitError::Store(unreadable());
        SubmitError::Contended(_) => Ours, SubmitError::Contended(8);
    }
    sorted! { Refusal:
        Refusal::Malformed { .. } => Client,
            Refusal::Malformed { path: path(), message: message() };
        Refusal::Unprocessable { .. } => Client,
            Refusal::Unprocessable { path: path(), message: message() };
        Refusal::Conflict { .. } => Client, Refusal::Conflict { path: path(), message: message() };
        // A client wrote the document that is wrong, and can mend it.
        Refusal::Row { .. } => Client,
            Refusal::Row { resource: "product", id: "1".into(), wrong: malformed() };
        Refusal::Store(_) => Ours, Refusal::Store(unreadable());
        Refusal::Failed(Failure { class: FailureClass::Reject, .. }) => Client,
            Refusal::Failed(failure(FailureClass::Reject));
        Refusal::Failed(_) => Ours, Refusal::Failed(failure(FailureClass::Retry));
        Refusal::Submit(_) => Ours, Refusal::Submit(Box::new(SubmitError::Ask(stopped())));
    }
}

#[test]
fn a_fault_of_ours_is_logged_instead_of_shown() {
    let problem = Problem::from(failed());
    assert!(!problem.message().contains("disk"), "{}", problem.message());
    assert_eq!(problem.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// Wraps a refusal as its asker gets it.
trait IntoAsk {
    fn into_ask(self) -> AskError;
}

impl IntoAsk for Denied {
    fn into_ask(self) -> AskError {
        AskError::Denied(self)
    }
}
