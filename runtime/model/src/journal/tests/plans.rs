//! Plans in which every field of a plan is set once and left out once.

use serde_json::{Map, Value, json};
use tmf::document::Characteristics;

use crate::PoolId;
use crate::id::{Digest, ItemId, PluginId, SpecId, TaskId};
use crate::outcome::Reservation;
use crate::plan::{
    Action, Item, Level, OnFailure, Part, Plan, PriorWork, Provenance, Retry, Step, Task, Work,
};
use crate::pricing::sold::Price;
use tmf::money::{Currency, Money, PriceKind};
use tmf::time::Timestamp;

fn items() -> Vec<Item> {
    let product = Item {
        name: "PS-1".into(),
        level: Level::Product,
        line: "1".into(),
        spec: SpecId::new("PS-1"),
        title: "Broadband".into(),
        action: Action::Add,
        parents: Vec::new(),
        needs: Vec::new(),
        characteristics: Characteristics::from_iter([("speed", json!(200))]),
        resources: Vec::new(),
        adapter: None,
        offering: Some(SpecId::new("PO-1")),
        quantity: 2,
        prices: vec![Price {
            id: "PR-1".into(),
            name: "Monthly".into(),
            kind: PriceKind::Recurring,
            amount: Money {
                currency: Currency::parse("USD").unwrap(),
                amount: "89.00".parse().unwrap_or_default(),
            },
            includes_tax: false,
            period: Some(tmf::period::Period::Months(1)),
            alterations: Vec::new(),
            tax: None,
            taxes: Vec::new(),
            quote: None,
        }],
        instance: Some("p-1".into()),
        not_before: None,
        place: Some("home".into()),
        part: None,
        serves: None,
        origin: None,
    };
    let service = Item {
        name: "RFS-1".into(),
        level: Level::ResourceService,
        line: "2".into(),
        spec: SpecId::new("RFS-1"),
        title: "Bearer".into(),
        parents: vec![ItemId(0)],
        needs: vec![ItemId(0)],
        characteristics: Characteristics::new(),
        resources: vec![SpecId::new("RS-1")],
        adapter: Some("OLT".into()),
        offering: None,
        quantity: 1,
        prices: Vec::new(),
        instance: None,
        not_before: Some(Timestamp(1_773_280_800_000)),
        place: None,
        part: None,
        serves: None,
        origin: None,
        action: Action::Add,
    };
    vec![product, service]
}

/// A plan with every field set once and left out once.
pub(super) fn plan() -> Plan {
    let step = Step {
        workflow: "bearer".into(),
        step: "activate".into(),
        plugin: PluginId::new("rest-activator"),
        input: json!({ "path": "=item.char.port" }),
        timeout_ms: 10_000,
        retry: Retry { attempts: 6, first_ms: 200, max_ms: 5_000 },
        on_failure: OnFailure::RollBack,
        undo: true,
        point_of_no_return: true,
        milestone: None,
        expected_ms: None,
    };
    let bare = Step {
        input: Value::Null,
        on_failure: OnFailure::Hold,
        undo: false,
        point_of_no_return: false,
        ..step.clone()
    };
    let task = Task {
        item: Some(ItemId(1)),
        step: 0,
        needs: Vec::new(),
        not_before: Some(Timestamp(1_773_280_800_000)),
        work: Work::Do,
    };
    let last =
        Task { item: None, step: 1, needs: vec![TaskId(0)], not_before: None, work: Work::Do };
    Plan {
        packs: [("superfibre".to_string(), Digest::of(b"pack"))].into(),
        plugins: [(PluginId::new("rest-activator"), Digest::of(b"plugin"))].into(),
        steps: vec![step, bare],
        items: items(),
        tasks: vec![task, last],
        ..Plan::default()
    }
}

/// A plan that keeps, changes and undoes prior work.
pub(super) fn change() -> Plan {
    let made = |key: &str| PriorWork {
        step: 0,
        key: key.into(),
        input: json!({ "path": "/onus=7" }).as_object().cloned().unwrap_or_default(),
        outputs: json!({ "port": "7" }).as_object().cloned().unwrap_or_default(),
        reservations: vec![Reservation {
            pool: PoolId::new("olt-1-onu"),
            index: 7,
            value: "7".into(),
            resource: SpecId::new("RS-1"),
            characteristic: "port".into(),
            name: "port".into(),
        }],
        ..PriorWork::default()
    };
    let origin = Provenance {
        fulfilment: crate::FulfilmentId::new("f-0"),
        line: "4".into(),
        since: Timestamp(1_773_280_000_000),
        stays: false,
        dropped: vec![crate::InstanceId::new("product/p-2")],
        state: "active".into(),
        wanted: Some("suspended".into()),
        links: vec![tmf::document::ordered::OrderLink {
            product_order_id: Some("f-0".into()),
            order_item_id: Some("1".into()),
            ..Default::default()
        }],
        shown: Map::new(),
        made: vec![made("f-0:1")],
    };
    let mut plan = plan();
    plan.items[0].action = Action::Modify;
    plan.items[0].origin = Some(Box::new(origin));
    plan.tasks[0].work = Work::Modify(Box::new(made("f-0:2")));
    plan.tasks[1].work = Work::Undo(Box::new(made("f-0:3")));
    plan
}

/// A plan that begins and completes at dates, with the names of what it sells.
pub(super) fn dated() -> Plan {
    Plan {
        titles: [(SpecId::new("PO-1"), "Broadband 200".to_string())].into(),
        begins: Some(Timestamp(1_773_280_800_000)),
        completes: Some(Timestamp(1_773_367_200_000)),
        ..plan()
    }
}

/// A plan with several instances of a specification, and one that serves a customer.
pub(super) fn parted() -> Plan {
    let mut plan = plan();
    let parts = [Part::Number(2), Part::Each("site-7".into()), Part::Rule("backup".into())];
    for part in parts {
        let part = Some(part);
        plan.items.push(Item {
            part,
            serves: Some("CUST-1 RFS-1".into()),
            ..plan.items[1].clone()
        });
    }
    plan
}

/// A plan that does work again only if it changes or is about something else by then.
pub(super) fn moved() -> Plan {
    let mut plan = change();
    let input = || json!({ "path": "/onus=8" }).as_object().cloned();
    for task in &mut plan.tasks {
        let (Work::Modify(made) | Work::Undo(made)) = &mut task.work else { continue };
        made.change = input();
        made.characteristics = Some(Characteristics::from_iter([("speed", json!(100))]));
        made.if_changed = true;
        made.if_moved = true;
    }
    if let Some(origin) = &mut plan.items[0].origin {
        origin.stays = true;
        origin.shown = json!({ "note": [{ "text": "by the door" }] }).as_object().cloned().unwrap();
    }
    plan
}
