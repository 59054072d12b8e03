use serde_json::{Map, Value, json};

use super::*;
use crate::Due;
use crate::id::{FulfilmentId, PluginId};
use crate::journal::{Event, Kind};
use crate::plan::{OnFailure, Plan, Retry, Step, Task, Work};

/// Two steps, of ten seconds and five, one after the other.
fn plan() -> Plan {
    let step = |name: &str, expected_ms| Step {
        workflow: "w".into(),
        step: name.into(),
        plugin: PluginId::new("p"),
        input: Value::Null,
        timeout_ms: 1,
        retry: Retry { attempts: 1, first_ms: 1, max_ms: 1 },
        on_failure: OnFailure::Hold,
        undo: true,
        point_of_no_return: false,
        milestone: Some(format!("{name} is done")),
        expected_ms,
    };
    let task = |step: u32, needs: &[u32]| Task {
        item: None,
        step,
        needs: needs.iter().map(|need| TaskId(*need)).collect(),
        not_before: None,
        work: Work::Do,
    };
    Plan {
        steps: vec![step("dig", Some(10_000)), step("light", Some(5_000))],
        tasks: vec![task(0, &[]), task(1, &[0])],
        ..Plan::default()
    }
}

/// An order that is wanted at 20 seconds past midnight.
fn order(plan: Plan) -> Fulfilment {
    let document = json!({ "requestedCompletionDate": "1970-01-01T00:00:20Z" });
    let id = FulfilmentId::new("f-1");
    let mut order = Fulfilment::new(id, Kind::ProductOrder, document, Timestamp(0));
    order.apply(Timestamp(0), &Event::Planned { plan: plan.into() }).unwrap();
    order
}

fn succeeded(task: u32) -> Event {
    Event::Succeeded {
        task: TaskId(task),
        attempt: 1,
        outputs: Map::new(),
        reservations: Vec::new(),
    }
}

fn alert(order: &Fulfilment, at: i64) -> Option<RiskLevel> {
    match order.due_at(Timestamp(at)).first() {
        Some(Due::Alert(risk)) => Some(risk.level),
        _ => None,
    }
}

#[test]
fn an_order_is_at_risk_when_what_is_left_takes_longer_than_there_is_time() {
    let mut order = order(plan());
    assert_eq!(alert(&order, 4_999), None);
    assert_eq!(order.wake_at(Timestamp(0)), Some(Timestamp(5_000)));
    assert_eq!(alert(&order, 5_000), Some(RiskLevel::AtRisk));
    // Once begun it may be in time yet.
    order.apply(Timestamp(1), &Event::Started { task: TaskId(0), attempt: 1 }).unwrap();
    assert_eq!(alert(&order, 14_999), None);
    order.apply(Timestamp(2), &succeeded(0)).unwrap();
    assert_eq!((alert(&order, 14_999), alert(&order, 15_000)), (None, Some(RiskLevel::AtRisk)));
}

#[test]
fn each_thing_is_noted_once() {
    let mut order = order(plan());
    for (at, level) in [(6_000, RiskLevel::AtRisk), (20_000, RiskLevel::Missed)] {
        let at = Timestamp(at);
        let Some(Due::Alert(risk)) = order.due_at(at).into_iter().next() else {
            panic!("no alert")
        };
        assert_eq!((risk.level, risk.at), (level, at));
        order.apply(at, &Event::Alerted { risk }).unwrap();
        assert!(!matches!(order.due_at(at).first(), Some(Due::Alert(_))));
    }
    assert_eq!(order.wake_at(Timestamp(20_000)), None);
    let orders = order.orders();
    let alerts = orders[0].body["productOrderJeopardyAlert"].as_array().unwrap();
    let types: Vec<_> =
        alerts.iter().map(|alert| alert["jeopardyType"].as_str().unwrap()).collect();
    assert_eq!(types, ["Hazard", "Critical"]);
}

#[test]
fn an_order_without_expected_durations_is_never_late() {
    let mut plan = plan();
    plan.steps.iter_mut().for_each(|step| step.expected_ms = None);
    let order = order(plan);
    assert_eq!(alert(&order, 50_000), None);
    assert_eq!(order.wake_at(Timestamp(0)), None);
}

#[test]
fn a_milestone_is_reached_when_its_task_is_done_and_not_when_it_is_undone() {
    let mut order = order(plan());
    order.apply(Timestamp(7), &succeeded(0)).unwrap();
    order.recorded(Timestamp(8), &[succeeded(0)]);
    let shown = |order: &Fulfilment| order.orders()[0].body["productOrderMilestone"].clone();
    assert_eq!(
        shown(&order),
        json!([
            { "id": "1", "name": "dig is done", "status": "reached",
              "milestoneDate": "1970-01-01T00:00:00.008Z", "productOrderItem": [],
              "@type": "ProductOrderMilestone" },
            { "id": "2", "name": "light is done", "status": "planned", "productOrderItem": [],
              "@type": "ProductOrderMilestone" },
        ])
    );
    let cause = crate::Failure::new(crate::FailureClass::Operator, "X", "x");
    order.apply(Timestamp(9), &Event::RollingBack { cause, task: None, decision: None }).unwrap();
    order.apply(Timestamp(9), &Event::Undone { task: TaskId(0) }).unwrap();
    let statuses: Vec<Value> =
        shown(&order).as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, ["notReached", "notReached"]);
}
