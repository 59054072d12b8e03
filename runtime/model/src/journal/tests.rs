//! Every written record stays readable: each variant of an event has a record of it in `golden/`, as
//! the version that introduced it wrote it.

mod plans;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::id::{ItemId, PoolId, SpecId};
use crate::outcome::FailureClass;
use crate::plan::Item;
use plans::{change, dated, moved, parted, plan};

/// Set to write the files that are missing.
const BLESS: &str = "FERRULE_BLESS";

/// An event of each variant. A new variant does not compile until it is named in `next`.
fn events() -> Vec<Event> {
    let mut events = Vec::new();
    let mut last = None;
    while let Some(event) = next(last.as_ref()) {
        events.push(event.clone());
        last = Some(event);
    }
    events.push(Event::Planned { plan: Arc::new(change()) });
    let mut timed = plan();
    timed.steps[0].milestone = Some("line lit".into());
    timed.steps[1].expected_ms = Some(60_000);
    events.push(Event::Planned { plan: Arc::new(timed) });
    events.push(Event::Planned { plan: Arc::new(Plan { optional: [ItemId(1)].into(), ..plan() }) });
    events.push(Event::Planned { plan: Arc::new(dated()) });
    events.push(Event::Planned { plan: Arc::new(parted()) });
    events.push(Event::Planned { plan: Arc::new(moved()) });
    let cause = Failure::new(FailureClass::Operator, "ELEMENT_REFUSED", "olt-1 refuses");
    let (task, decision) = (Some(TaskId(3)), Some(decision()));
    events.push(Event::RollingBack { cause, task, decision });
    events.push(Event::Submitted {
        kind: Kind::ServiceOrder,
        document: Arc::new(json!({ "serviceOrderItem": [{ "id": "1", "action": "add" }] })),
        activation: Some(Arc::new(Activation {
            method: "POST".into(),
            to: "http://127.0.0.1/service".into(),
            body: "{}".into(),
            content_type: "application/json".into(),
            attributes: json!({ "name": "bearer" }).as_object().cloned().unwrap_or_default(),
        })),
    });
    events
}

/// The event after this one, so that every variant has its turn.
fn next(last: Option<&Event>) -> Option<Event> {
    let (task, attempt, at) = (TaskId(3), 2, Timestamp(1_773_280_800_500));
    let failure = Failure::new(FailureClass::Retry, "ELEMENT_BUSY", "olt-1 answered 503");
    Some(match last {
        None => Event::Submitted {
            kind: Kind::Run { workflow: "bench".into() },
            document: Arc::new(json!({ "externalId": "e-1", "price": 89.5, "none": null })),
            activation: None,
        },
        Some(Event::Submitted { .. }) => Event::Awaiting {
            orders: vec![FulfilmentId::new("f-0"), FulfilmentId::new("f-1")],
            queued: false,
        },
        Some(Event::Awaiting { .. }) => Event::Planned { plan: Arc::new(plan()) },
        Some(Event::Planned { .. }) => Event::Held {
            failure: Failure::new(FailureClass::Operator, "DECOMP_NO_RULE", "add a rule"),
        },
        Some(Event::Held { .. }) => Event::Rejected {
            failure: Failure::new(FailureClass::Reject, "OFFERING_UNKNOWN", "no such offering"),
        },
        Some(Event::Rejected { .. }) => Event::Started { task, attempt },
        Some(Event::Started { .. }) => Event::Waiting {
            task,
            attempt,
            wait: Wait { keys: vec!["shipment-1".into()], timeout_ms: 60_000 },
            until: at,
        },
        Some(Event::Waiting { .. }) => {
            Event::CalledBack { task, attempt, payload: json!({ "state": "delivered" }) }
        }
        Some(Event::CalledBack { .. }) => Event::Succeeded {
            task,
            attempt,
            outputs: json!({ "vlan": "100.200" }).as_object().cloned().unwrap_or_default(),
            reservations: vec![Reservation {
                pool: PoolId::new("bng-1-vlan"),
                index: 100,
                value: "100.200".into(),
                resource: SpecId::new("RS-VLAN"),
                characteristic: "tags".into(),
                name: "vlan".into(),
            }],
        },
        Some(Event::Succeeded { .. }) => Event::Retrying {
            task,
            attempt,
            failure: Failure { retry_after_ms: Some(5_000), ..failure },
            at,
        },
        Some(Event::Retrying { .. }) => Event::Failed { task, attempt, failure },
        Some(Event::Failed { .. }) => Event::Retried { task },
        Some(event) => return ending(event),
    })
}

/// The event after one with which work ends otherwise than well, or of the whole order.
fn ending(last: &Event) -> Option<Event> {
    let (task, attempt, at) = (TaskId(3), 2, Timestamp(1_773_280_800_500));
    let failure = Failure::new(FailureClass::Retry, "ELEMENT_BUSY", "olt-1 answered 503");
    Some(match last {
        Event::Retried { .. } => Event::RollingBack { cause: failure, task: None, decision: None },
        Event::RollingBack { .. } => Event::RollingBackLines {
            lines: vec![ItemId(0), ItemId(4)],
            cause: failure,
            task: Some(task),
            decision: Some(decision()),
        },
        Event::RollingBackLines { .. } => Event::Cancelling { request: request() },
        Event::Cancelling { .. } => Event::CancelRefused {
            request: CancelRequest { id: "c-2".into(), reason: None, requested: None },
            refusal: Refusal::PastReturn { task: "RFS-1.ship".into() },
        },
        Event::CancelRefused { .. } => Event::Patched {
            patch: json!({ "priority": "1", "note": [{ "text": "hurry" }], "category": null })
                .as_object()
                .cloned()
                .unwrap_or_default(),
        },
        Event::Patched { .. } => {
            Event::Alerted { risk: SlaRisk { level: RiskLevel::AtRisk, at, wanted: at } }
        }
        Event::Alerted { .. } => Event::UndoWaiting {
            task,
            attempt,
            wait: Wait { keys: vec!["removal-1".into()], timeout_ms: 60_000 },
            until: at,
        },
        Event::UndoWaiting { .. } => Event::UndoRetrying { task, attempt, failure, at },
        Event::UndoRetrying { .. } => Event::UndoFailed { task, attempt, failure },
        Event::UndoFailed { .. } => Event::Undone { task },
        Event::Undone { .. } => {
            Event::GivenUp { task, failure, released: true, decision: decision() }
        }
        Event::GivenUp { .. } => Event::CompletedByHand {
            task,
            outputs: json!({ "port": "1/1/3" }).as_object().cloned().unwrap_or_default(),
            decision: Decision::default(),
        },
        Event::CompletedByHand { .. } => Event::Moved {
            plugin: PluginId::new("olt"),
            from: Digest::of(b"1.0.0"),
            to: Digest::of(b"1.0.1"),
            decision: decision(),
        },
        Event::Moved { .. } => Event::Ended { end: End::Completed },
        Event::Ended { .. }
        | Event::Submitted { .. }
        | Event::Awaiting { .. }
        | Event::Planned { .. }
        | Event::Held { .. }
        | Event::Rejected { .. }
        | Event::Started { .. }
        | Event::Waiting { .. }
        | Event::CalledBack { .. }
        | Event::Succeeded { .. }
        | Event::Retrying { .. }
        | Event::Failed { .. } => return None,
    })
}

fn decision() -> Decision {
    Decision { by: Some("ops".into()), reason: Some("the element is scrapped".into()) }
}

fn request() -> CancelRequest {
    CancelRequest {
        id: "c-1".into(),
        reason: Some("moving house".into()),
        requested: Some(Timestamp(1_773_280_800_500)),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden")
}

fn golden(event: &Event) -> PathBuf {
    let name = if let Event::Planned { plan } = event {
        planned(plan)
    } else if matches!(event, Event::Submitted { activation: Some(_), .. }) {
        "submittedActivation"
    } else if matches!(event, Event::RollingBack { task: Some(_), .. }) {
        "rollingBackTask"
    } else {
        event.name()
    };
    folder().join(format!("v{VERSION}-{name}.json"))
}

/// Each plan of [`events`] by what the others do not have.
fn planned(plan: &Plan) -> &'static str {
    let is_moved =
        plan.tasks.iter().filter_map(|task| task.work.before()).any(|made| made.if_moved);
    let has = |is: fn(&Item) -> bool| plan.items.iter().any(is);
    match plan {
        _ if is_moved => "plannedMoved",
        _ if has(|item| item.origin.is_some()) => "plannedDropped",
        _ if has(|item| item.part.is_some()) => "plannedParts",
        _ if plan.begins.is_some() => "plannedDates",
        _ if plan.steps[0].milestone.is_some() => "plannedTimes",
        _ if !plan.optional.is_empty() => "plannedOptional",
        _ => "planned",
    }
}

/// What earlier versions wrote and this one does not: it is read all the same.
fn earlier() -> Vec<(PathBuf, Event)> {
    // Plans named the products that share an instance (`sharedWith`) until instances had records.
    let mut change = change();
    if let Some(origin) = &mut change.items[0].origin {
        origin.dropped.clear();
    }
    let change = Event::Planned { plan: Arc::new(change) };
    vec![(folder().join("v1-plannedChange.json"), change)]
}

#[test]
fn records_of_earlier_versions_are_read() {
    for (path, event) in earlier() {
        let bytes = std::fs::read(&path).unwrap();
        let record = Record::new(Timestamp(1_773_280_800_000), vec![event]);
        assert_eq!(Record::decode(&bytes).unwrap(), record, "{}", path.display());
    }
}

#[test]
fn each_event_is_read_and_written_as_in_its_golden_file() {
    for event in events() {
        let path = golden(&event);
        let record = Record::new(Timestamp(1_773_280_800_000), vec![event]);
        if std::env::var_os(BLESS).is_some() && !path.exists() {
            let mut text = serde_json::to_string_pretty(&record).unwrap();
            text.push('\n');
            std::fs::write(&path, text).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; {BLESS}=1 writes what is missing", path.display())
        });
        assert_eq!(Record::decode(&bytes).unwrap(), record, "{}", path.display());
        let written: Value = serde_json::from_slice(&bytes).unwrap();
        let encoded: Value = serde_json::from_slice(&record.encode().unwrap()).unwrap();
        assert_eq!(encoded, written, "{}", path.display());
    }
}

#[test]
fn every_file_is_of_an_event() {
    let earlier = earlier().into_iter().map(|(path, _)| path);
    let known: Vec<PathBuf> = events().iter().map(golden).chain(earlier).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(known.contains(&path), "{} is of no event", path.display());
    }
}

#[test]
fn every_kind_and_every_end_is_read_as_it_was_written() {
    let kinds = [Kind::ProductOrder, Kind::ServiceOrder, Kind::ResourceOrder];
    let names = ["productOrder", "serviceOrder", "resourceOrder"];
    for (kind, name) in kinds.iter().zip(names) {
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(name));
        assert_eq!(&serde_json::from_value::<Kind>(json!(name)).unwrap(), kind);
    }
    let ends = [End::Completed, End::Partial, End::Failed, End::Rejected, End::Cancelled];
    let names = ["completed", "partial", "failed", "rejected", "cancelled"];
    for (end, name) in ends.iter().zip(names) {
        assert_eq!(serde_json::to_value(end).unwrap(), json!(name));
        assert_eq!(&serde_json::from_value::<End>(json!(name)).unwrap(), end);
    }
}

#[test]
fn a_record_of_a_newer_version_is_refused() {
    let newer = json!({ "v": VERSION + 1, "at": 0, "events": [] }).to_string();
    let error = Record::decode(newer.as_bytes()).unwrap_err();
    insta::assert_snapshot!(error, @"a journal record of version 2, this Ferrule reads up to 1: use a newer one");
}

#[test]
fn a_newer_record_is_refused_for_its_version_even_where_its_shape_is_new() {
    let newer = json!({ "v": VERSION + 1, "at": 0, "events": [{ "teleported": {} }] }).to_string();
    let error = Record::decode(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::Version(_)), "{error}");
}

#[test]
fn malformed_records_are_refused() {
    for bytes in [&b""[..], b"{}", b"null", b"{\"v\":1,\"at\":0,\"events\":[{\"none\":{}}]}"] {
        let error = Record::decode(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Shape(_)), "{error}");
    }
}

/// Values that nest as deep as any that comes in may.
#[test]
fn every_record_with_values_at_the_bounds_is_read_back() {
    let deep = |levels: usize| (1..levels).fold(json!({}), |inside, _| json!({ "a": [inside] }));
    let at = deep(32);
    let map = || at.as_object().cloned().unwrap();
    let events = [
        Event::Submitted {
            kind: Kind::ProductOrder,
            document: Arc::new(at.clone()),
            activation: None,
        },
        Event::Succeeded { task: TaskId(0), attempt: 1, outputs: map(), reservations: Vec::new() },
        Event::CalledBack { task: TaskId(0), attempt: 1, payload: at.clone() },
        Event::Patched { patch: map() },
    ];
    for event in events {
        let record = Record::new(Timestamp(1), vec![event]);
        let read = Record::decode(&record.encode().unwrap()).unwrap();
        assert_eq!(read, record);
    }
    let mut written = 0;
    for levels in 60..140 {
        let payload = (1..levels).fold(json!([]), |inside, _| json!([inside]));
        let event = Event::CalledBack { task: TaskId(0), attempt: 1, payload };
        match Record::new(Timestamp(1), vec![event]).encode() {
            Ok(bytes) => {
                written = levels;
                assert!(Record::decode(&bytes).is_ok(), "{levels} levels");
            }
            Err(error) => assert!(matches!(error, EncodeError::TooDeep { .. }), "{error}"),
        }
    }
    assert!((100..127).contains(&written), "{written} levels are written");
}
