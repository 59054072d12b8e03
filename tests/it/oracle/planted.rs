//! The oracle's own test: errors that are planted into what was observed are noticed.

use serde_json::{Value, json};

use super::check::differences;
use super::observed::{Observed, Plan};
use super::order::{Added, Key, Line, Order};
use super::pack::{
    Act, Char, Chars, Edge, Pack, Product, Read, Scope, Service, Source, Step, When,
};
use super::play::Play;
use super::state::State;
use super::wishes::Trial;
use super::work::Carried;

type Error<T> = (&'static str, fn(&mut T));

const INVENTORY: [Error<Observed>; 16] = [
    ("a product is suspended", |seen| {
        set(first(&mut seen.products), "status", "suspended");
    }),
    ("a product is not there", |seen| {
        seen.products.pop_first();
    }),
    ("a product without an order", |seen| {
        let (id, copy) = seen.products.first_key_value().unwrap();
        seen.products.insert(format!("{id}x"), copy.clone());
    }),
    ("a product has another value", |seen| {
        first(&mut seen.products)["productCharacteristic"][0]["value"] = json!(9);
    }),
    ("a product lists no service", |seen| {
        first(&mut seen.products)["realizingService"] = json!([]);
    }),
    ("a service has ended", |seen| {
        set(first(&mut seen.services), "state", "terminated");
    }),
    ("a service is inactive", |seen| {
        set(first(&mut seen.services), "state", "inactive");
    }),
    ("an unused service", |seen| {
        let (id, copy) = seen.services.first_key_value().unwrap();
        seen.services.insert(format!("{id}x"), copy.clone());
    }),
    ("a service has another value", |seen| {
        service(seen, "R1")["serviceCharacteristic"][0]["value"] = json!(9);
    }),
    ("two products share what is not shared", |seen| {
        let mut own = seen.products.values_mut();
        let (one, two) = (own.next().unwrap(), own.next().unwrap());
        two["realizingService"] = one["realizingService"].clone();
    }),
    ("a value is free while it is in use", |seen| {
        let row = first(&mut seen.resources);
        set(row, "resourceStatus", "available");
        set(row, "usageState", "idle");
    }),
    ("an unused value is reserved", |seen| {
        let (id, copy) = seen.resources.first_key_value().unwrap();
        seen.resources.insert(format!("{id}x"), copy.clone());
    }),
    ("an element has lost an entry", |seen| {
        seen.network.pop();
    }),
    ("an element has an entry more", |seen| {
        let mut copy = seen.network[0].clone();
        set(&mut copy, "id", "left");
        seen.network.push(copy);
    }),
    ("an entry is another", |seen| {
        let entry = seen.network.iter_mut().find(|entry| entry["config"].get("own").is_some());
        set(&mut entry.unwrap()["config"], "own", "p0-59");
    }),
    ("a write was carried out twice", |seen| seen.repeated.push("put olt-1".into())),
];

const PLAN: [Error<Plan>; 7] = [
    ("an order is not completed", |plan| plan.states[0].1 = "failed".into()),
    ("an item is not there", |plan| {
        plan.items.retain(|item| item.service.is_empty());
    }),
    ("an item stands there twice", |plan| {
        let copy = plan.items.iter().find(|item| !item.service.is_empty()).unwrap().clone();
        plan.items.push(copy);
    }),
    ("an unrequested item", |plan| {
        let mut copy = plan.items.last().unwrap().clone();
        copy.service.push('x');
        plan.items.push(copy);
    }),
    ("an item has another action", |plan| {
        plan.items.last_mut().unwrap().action = "modify".into();
    }),
    ("an item has another value", |plan| {
        let item = plan.items.iter_mut().find(|item| item.name.starts_with("R1")).unwrap();
        item.chars.insert("a".into(), json!(9));
    }),
    ("a task began before what it needs was done", |plan| {
        let task = plan.tasks.iter_mut().find(|task| task.name.starts_with("R1")).unwrap();
        task.began = 0;
    }),
];

/// `P` is made of the port `R0`, shared within an order, and of `R1`, which needs the port.
fn pack() -> Pack {
    let tell = |body: Vec<(String, Read)>| Act::Tell { element: 0, body };
    let step = |name: &str, act: Act| Step {
        name: name.into(),
        act,
        when: When::Always,
        starts_at_once: false,
        rolls_back: true,
    };
    let service = |name: &str, steps: Vec<Step>| Service {
        name: name.into(),
        is_customer_facing: false,
        chars: Vec::new(),
        edges: Vec::new(),
        depends: Vec::new(),
        needs: Vec::new(),
        scope: Scope::Item,
        has_resource: false,
        steps,
    };
    let mut port = service("R0", vec![step("t0", Act::Take { pool: 0 })]);
    port.steps.push(step("t1", tell(vec![("own".into(), Read::Own(0))])));
    port.scope = Scope::Order;
    let mut line = service("R1", vec![step("t0", tell(vec![("up0".into(), Read::Upstream(0))]))]);
    line.chars = vec!["a".into()];
    line.depends = vec![0];
    let edge = |to| Edge { to, when: When::Always, quantity: None, maps: Vec::new() };
    let mapped = Edge { maps: vec![("a".into(), Source::Item("a".into()))], ..edge(1) };
    let product = Product {
        name: "P".into(),
        chars: vec![Char { name: "a".into(), values: vec![0, 1] }],
        edges: vec![edge(0), mapped],
        parts: Vec::new(),
    };
    Pack { products: vec![product], services: vec![port, line], pools: 1, has_hooks: false }
}

fn add() -> Line {
    let (chars, parts) = (Chars::new(), Vec::new());
    Line::Add(Added { product: 0, chars, place: None, parts, relies_on: None })
}

fn order(lines: Vec<Line>) -> Order {
    Order { customer: "CUST-1".into(), lines, begins_in_ms: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_that_are_planted_are_noticed() {
    let mut play = Play::begin(pack()).await;
    for number in 0..2 {
        let order = order(vec![add(), add()]);
        let trial = Trial { number, orders: vec![order], ..Trial::default() };
        assert_eq!(play.trial(&trial).await, [""; 0]);
    }
    let seen = Observed::read(&play.world).await;
    for (what, plant) in INVENTORY {
        let (mut seen, mut names) = (seen.clone(), play.names.clone());
        plant(&mut seen);
        let found = differences(&play.pack, &play.state, &mut names, &seen);
        assert!(!found.is_empty(), "not noticed: {what}");
    }
    let before = without(&play.state, 1);
    let plan = Plan::read(&play.world, &play.names.orders[&1]).await;
    let carried = |plan: &Plan| {
        let (pack, after, names) = (&play.pack, &play.state, &play.names);
        let begins = None;
        Carried { pack, before: &before, after, names, plan, begins }.differences()
    };
    assert_eq!(carried(&plan), [""; 0]);
    let late = Carried {
        pack: &play.pack,
        before: &before,
        after: &play.state,
        names: &play.names,
        plan: &plan,
        begins: Some("2999-01-01T00:00:00Z".into()),
    };
    assert!(!late.haste().is_empty(), "not noticed: a task began before the date");
    for (what, plant) in PLAN {
        let mut plan = plan.clone();
        plant(&mut plan);
        assert!(!carried(&plan).is_empty(), "not noticed: {what}");
    }
}

/// The state before an order of adds.
fn without(state: &State, number: usize) -> State {
    let mut before = state.clone();
    before.products.retain(|key, _| key.0 != number);
    let used: Vec<u32> =
        before.products.values().flat_map(|product| product.tree.values().copied()).collect();
    before.instances.retain(|id, _| used.contains(id));
    before
}

/// What is shared ends with the last who has it, and what a product has stays its own.
#[test]
fn the_oracle_knows_who_uses_what() {
    let pack = pack();
    let next = |state: &State, order: &Order, number: usize| match state.after(&pack, order, number)
    {
        super::state::Verdict::Completes(next) => *next,
        other @ (super::state::Verdict::Refused(_) | super::state::Verdict::Unclear(_)) => {
            panic!("{other:?}")
        }
    };
    let product = |order: usize, line: &str| -> Key { (order, line.into()) };
    let state = next(&State::default(), &order(vec![add(), add()]), 0);
    let state = next(&state, &order(vec![add()]), 1);
    let services: Vec<usize> = state.instances.values().map(|one| one.service).collect();
    assert_eq!(services, [0, 1, 1, 0, 1]);
    // R1 of line 1 needs the one port of its order.
    assert_eq!(state.instances[&2].needs, [1].into());
    let chars = Chars::from([("a".into(), 1)]);
    let both = [product(0, "1"), product(1, "1")];
    let lines = both.map(|product| Line::Modify { product, chars: chars.clone(), place: None });
    let changed = next(&state, &order(lines.to_vec()), 2);
    assert_eq!(
        changed.instances.keys().collect::<Vec<_>>(),
        state.instances.keys().collect::<Vec<_>>()
    );
    let one = next(&changed, &order(vec![Line::Delete { product: product(0, "1") }]), 3);
    assert_eq!(one.instances.keys().copied().collect::<Vec<_>>(), [1, 3, 4, 5]);
    let none = next(&one, &order(vec![Line::Delete { product: product(0, "2") }]), 4);
    assert_eq!(none.instances.keys().copied().collect::<Vec<_>>(), [4, 5]);
}

fn first(rows: &mut std::collections::BTreeMap<String, Value>) -> &mut Value {
    rows.values_mut().next().expect("there is one")
}

fn service<'a>(seen: &'a mut Observed, spec: &str) -> &'a mut Value {
    let mut rows = seen.services.values_mut();
    rows.find(|row| row["serviceSpecification"]["id"] == spec).expect("there is one")
}

fn set(document: &mut Value, name: &str, value: &str) {
    document[name] = value.into();
}
