//! Orders are played, with a network that holds what their tasks did; then both are compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::codes::FailureCode;
use crate::decompose::tests::played::Played;
use crate::decompose::tests::{document, rulebook};
use crate::journal::{CancelRequest, Event, Record, VERSION};
use crate::outcome::{Failure, FailureClass};
use crate::plan::Work;
use crate::{Due, Fulfilment, FulfilmentId};
use tmf::document::instance::Instance;
use tmf::time::Timestamp;

const CATALOG: &str = "
    O offers P
    P product: A; speed number 100 200..300 default 100; extra bool true default false
    A service: X, Y, Z; speed number; extra bool
    X network after W; speed number
    Y network after X
    Z network; extra bool
    W network
";

const RULES: &str = "
decompose:
  - { rule: only when asked for, from: A, to: Z, when: item.char.extra }
  - { rule: below, from: A, to: W }
deliver:
  - { spec: W, workflow: do, scope: order }
  - { spec: X, workflow: do }
  - { spec: Y, workflow: do }
  - { spec: Z, workflow: do }
";

/// What the elements hold: for each piece of work the key under which it stands.
type Network = BTreeMap<String, String>;

fn played() -> Played {
    Played::new(rulebook(CATALOG, RULES))
}

/// The network as the tasks that were carried out left it.
fn network(played: &Played) -> Network {
    let mut network = Network::new();
    for (id, event) in &played.journal {
        let fulfilment = &played.fulfilments[id.as_str()];
        if let Event::Succeeded { task, .. } = event {
            let own = fulfilment.idempotency_key(*task);
            match fulfilment.work(*task) {
                Work::Do => network.insert(own.clone(), own),
                Work::Modify(made) => {
                    network.remove(&made.key);
                    network.insert(own.clone(), own)
                }
                Work::Undo(made) => network.remove(&made.key),
            };
        }
        if let Event::Undone { task } = event {
            let own = fulfilment.idempotency_key(*task);
            network.remove(&own);
            if let Some(made) = fulfilment.work(*task).before() {
                network.insert(made.key.clone(), format!("{own}:undo"));
            }
        }
    }
    network
}

fn instance(resource: &str, document: &Value) -> Instance {
    Instance::read(resource, document).unwrap().unwrap()
}

fn makers_of(played: &Played, instance: &Instance) -> Vec<Maker> {
    let found = instance.orders().map(FulfilmentId::new);
    let found = found.map(|id| {
        let records: Vec<Record> = played
            .journal
            .iter()
            .filter(|(of, _)| *of == id)
            .map(|(_, event)| Record { v: VERSION, at: Timestamp(0), events: vec![event.clone()] })
            .collect();
        let before = Fulfilment::fold_before_undo(id.clone(), &records).unwrap();
        let fulfilment = Arc::clone(&played.fulfilments[id.as_str()]);
        Maker { fulfilment, before_undo: Some(before) }
    });
    found.collect()
}

/// What an element answers.
fn answer(played: &Played, network: &Network, question: &Question) -> Reading {
    let Some(key) = network.get(&question.key) else {
        return Reading::Nothing;
    };
    let outputs = question.outputs.clone();
    let is_ours = *key == question.key;
    let holder = if is_ours { Holder::Ours } else { Holder::Other(key.clone()) };
    let reading = Reading::Held { outputs, differences: Vec::new(), holder };
    match holder_of(played, key) {
        Some(other) => question.known(reading, other),
        None => reading,
    }
}

fn holder_of<'a>(played: &'a Played, key: &str) -> Option<&'a Arc<Fulfilment>> {
    played.fulfilments.get(holder(key)?.0.as_str())
}

/// Everything that is asked of the instances of a kind, with their ids.
fn asked(played: &Played, resource: &'static str) -> Vec<(String, Question)> {
    let documents = played.documents.iter().filter(|((kind, _), _)| *kind == resource);
    documents
        .flat_map(|((_, id), document)| {
            let instance = instance(resource, document);
            let asked = questions(&instance, &makers_of(played, &instance));
            let asked = asked.unwrap_or_else(|failure| panic!("{id}: {failure:?}"));
            asked.into_iter().map(|question| (id.clone(), question))
        })
        .collect()
}

/// What is found of all services, a line each.
fn found(played: &Played, network: &Network) -> Vec<String> {
    let found = asked(played, "service").into_iter().filter_map(|(id, question)| {
        let answer = answer(played, network, &question);
        let finding = question.judge("service", &id, Ok(answer))?;
        Some(format!("{id} {:?} {} {}", finding.kind, finding.work, finding.key))
    });
    found.collect()
}

fn cancel(played: &mut Played, open: &mut Fulfilment) {
    let request = CancelRequest { id: "c".into(), reason: None, requested: None };
    played.commit(open, Event::Cancelling { request });
    played.finish(open);
}

/// A number of tasks of an order succeed.
fn some(played: &mut Played, open: &mut Fulfilment, count: usize) {
    for _ in 0..count {
        let due = open.due_at(Timestamp(i64::MAX)).into_iter().next();
        let Some(Due::Call { task, attempt, .. } | Due::Conclude { task, attempt, .. }) = due
        else {
            return;
        };
        let (outputs, reservations) = (Map::new(), Vec::new());
        played.commit(open, Event::Succeeded { task, attempt, outputs, reservations });
    }
}

#[test]
fn only_the_work_that_stands_is_asked_about() {
    let mut played = played();
    played.complete("f", &document("1 add O extra=true"));
    played.complete("g", &document("1 modify O id:f-1 speed=200"));
    played.complete("h", &document("1 modify O id:f-1 extra=false"));
    let asked: Vec<_> = asked(&played, "service")
        .iter()
        .map(|(id, asked)| format!("{id} {} {} {:?}", asked.work, asked.key, asked.expected))
        .collect();
    insta::assert_snapshot!(asked.join("\n"), @r"
    f-s2 X.do g:0 There
    f-s3 Y.do f:3 There
    f-s4 Z.do f:0 Gone
    f-s5 W.do f:1 There
    ");
    assert_eq!(found(&played, &network(&played)), [""; 0]);
}

#[test]
fn remains_of_a_cancelled_order_are_found() {
    let mut played = played();
    let mut open = played.submit("f", &document("1 add O"));
    some(&mut played, &mut open, 3);
    cancel(&mut played, &mut open);
    let mut network = network(&played);
    assert!(network.is_empty());
    let asked = asked(&played, "service");
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|(_, question)| question.expected == Expected::Gone));
    network.insert("f:1".into(), "f:1".into());
    assert_eq!(found(&played, &network), ["f-s2 LeftInNetwork X.do f:1"]);
    // Another order has its place by now.
    network.insert("f:1".into(), "g:1".into());
    assert_eq!(found(&played, &network), [""; 0]);
}

#[test]
fn a_change_that_was_undone_has_another_key() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    let mut open = played.submit("g", &document("1 modify O id:f-1 speed=200"));
    some(&mut played, &mut open, 1);
    cancel(&mut played, &mut open);
    let mut network = network(&played);
    assert_eq!(network["f:1"], "g:0:undo");
    assert_eq!(found(&played, &network), [""; 0]);
    network.insert("f:1".into(), "g:7:undo".into());
    assert_eq!(found(&played, &network), ["f-s2 Differs X.do f:1"]);
}

#[test]
fn an_instance_that_is_being_changed_or_is_not_ours_cannot_be_asked_about() {
    let mut played = played();
    let mut open = played.submit("f", &document("1 add O"));
    some(&mut played, &mut open, 3);
    let code = |played: &Played, id: &str| {
        let instance = instance("service", &played.documents[&("service", id.to_string())]);
        questions(&instance, &makers_of(played, &instance)).unwrap_err().code
    };
    assert_eq!(code(&played, "f-s2"), FailureCode::InstanceBusy);
    played.documents.insert(("service", "x".into()), json!({ "id": "x", "state": "active" }));
    assert_eq!(code(&played, "x"), FailureCode::InstanceForeign);
    let planned = json!({ "id": "x", "state": "designed" });
    assert_eq!(questions(&instance("service", &planned), &[]).unwrap(), []);
}

#[test]
fn an_answer_is_compared_with_the_outputs_and_the_request() {
    let mut played = played();
    played.complete("f", &document("1 add O"));
    let (id, mut question) = asked(&played, "service").remove(0);
    question.outputs = Map::from_iter([("onu".into(), json!("ONU-1")), ("x".into(), json!(1))]);
    let judge = |question: &Question, answer| question.judge("service", &id, answer);
    let speed = Difference { name: "down".into(), expected: json!(200), found: json!(50) };
    let held = |holder| Reading::Held {
        outputs: Map::from_iter([("onu".into(), json!("ONU-2"))]),
        differences: vec![speed.clone()],
        holder,
    };
    let differs = judge(&question, Ok(held(Holder::Other("k".into())))).unwrap();
    let names: Vec<_> = differs.differences.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((differs.kind, names), (Kind::Differs, vec!["idempotencyKey", "onu", "down"]));
    assert!(differs.message.ends_with("is another in `idempotencyKey`, `onu`, `down`"));
    assert_eq!(judge(&question, Ok(held(Holder::Unknown))).unwrap().differences.len(), 2);

    let down = Failure::new(FailureClass::Retry, "ELEMENT_503", "`olt-1` is busy");
    let unknown = judge(&question, Err(down)).unwrap();
    assert_eq!((unknown.kind, unknown.code), (Kind::Unknown, Some("ELEMENT_503".into())));
    let pending = judge(&question, Ok(Reading::Pending)).unwrap();
    assert_eq!(pending.code, Some(FailureCode::ElementPending));
    question.expected = Expected::Gone;
    let left = judge(&question, Ok(held(Holder::Ours))).unwrap();
    assert_eq!(left.kind, Kind::LeftInNetwork);
    let unclear = judge(&question, Ok(held(Holder::Unknown))).unwrap();
    assert_eq!((unclear.kind, unclear.code), (Kind::Unknown, Some(FailureCode::HolderUnknown)));
    assert_eq!(judge(&question, Ok(held(Holder::Other("k".into())))), None);
    assert_eq!(judge(&question, Ok(Reading::Nothing)), None);
}

fn rank_of(played: &Played, resource: &'static str, id: &str) -> Rank {
    let instance = instance(resource, &played.documents[&(resource, id.to_string())]);
    let known = makers_of(played, &instance).into_iter().map(|maker| maker.fulfilment);
    rank(&instance, &known.collect::<Vec<_>>())
}

#[test]
fn an_instance_is_a_root_or_a_part_or_has_ended() {
    let mut played = played();
    played.complete("f", &document("1 add O extra=true"));
    assert_eq!(rank_of(&played, "product", "f-1"), Rank::Root);
    for service in ["f-s1", "f-s2", "f-s4"] {
        assert_eq!(rank_of(&played, "service", service), Rank::Part, "{service}");
    }
    played.complete("g", &document("1 modify O id:f-1 extra=false"));
    assert_eq!(rank_of(&played, "service", "f-s4"), Rank::Ended);
    // While an order is at work on it, it is in use.
    let mut open = played.submit("h", &document("1 add O"));
    some(&mut played, &mut open, 3);
    assert_eq!(rank_of(&played, "service", "h-s2"), Rank::Root);
    played.finish(&mut open);
    assert_eq!(rank_of(&played, "service", "h-s2"), Rank::Part);
    // No order of ours made it, or an order that is not kept any more.
    let document = json!({ "id": "x", "state": "active" });
    assert_eq!(rank(&instance("service", &document), &[]), Rank::Root);
    let known = &played.documents[&("service", "f-s1".to_string())];
    assert_eq!(rank(&instance("service", known), &[]), Rank::Root);
    // A service that was ordered directly.
    let planned = &played.fulfilments["h"];
    let items = planned.plan().items.iter().skip(1);
    let items = items.map(|item| crate::plan::Item { parents: Vec::new(), ..item.clone() });
    let plan = crate::plan::Plan { items: items.collect(), ..crate::plan::Plan::default() };
    let (id, at) = (planned.id().clone(), planned.submitted_at());
    let kind = crate::journal::Kind::ServiceOrder;
    let mut direct = Fulfilment::new(id, kind, planned.document().clone(), at);
    direct.apply(at, &Event::Planned { plan: Arc::new(plan) }).unwrap();
    direct.apply(at, &Event::Ended { end: crate::journal::End::Completed }).unwrap();
    let known = &played.documents[&("service", "h-s1".to_string())];
    assert_eq!(rank(&instance("service", known), &[Arc::new(direct)]), Rank::Root);
}

#[test]
fn a_reference_leads_to_an_instance_by_its_whole_id() {
    let played = {
        let mut played = played();
        played.complete("f", &document("1 add O"));
        played
    };
    let product = &instance("product", &played.documents[&("product", "f-1".to_string())]);
    let service = &instance("service", &played.documents[&("service", "f-s1".to_string())]);
    let [by_product, by_service] = users("service") else { panic!("two inventories") };
    assert!(leads_to(by_product, product, "f-s1") && !leads_to(by_product, product, "f-s"));
    assert!(leads_to(by_service, service, "f-s2") && !leads_to(by_service, service, "f-s1"));
    let found = |user: &User| tmf::table::of_key(user.resource).unwrap().1.indexed;
    for user in users("service").iter().chain(users("resource")) {
        assert!(found(user).contains(&user.path), "{user:?}");
    }
}

/// The next act of a customer.
#[derive(Clone, Debug)]
enum Next {
    Order,
    Speed(u32),
    Extra,
    Cease,
}

fn next() -> impl Strategy<Value = (Next, Option<usize>)> {
    let what = prop_oneof![
        2 => Just(Next::Order),
        3 => (1..3_u32).prop_map(|speed| Next::Speed(speed * 100)),
        2 => Just(Next::Extra),
        1 => Just(Next::Cease),
    ];
    // Some orders are cancelled after a number of tasks.
    (what, prop::option::weighted(0.3, 0..4_usize))
}

/// Plays a customer's wishes, for his first product that is there.
fn play(wishes: &[(Next, Option<usize>)]) -> Played {
    let mut played = played();
    let mut extra = false;
    for (number, (wish, cancelled)) in wishes.iter().enumerate() {
        let active = played.documents.iter().find(|((resource, _), document)| {
            *resource == "product" && document["status"] == "active"
        });
        let order = match (wish, active.map(|((_, id), _)| id)) {
            (Next::Order, _) | (_, None) => "1 add O".to_string(),
            (Next::Speed(speed), Some(id)) => format!("1 modify O id:{id} speed={speed}"),
            (Next::Extra, Some(id)) => {
                extra = !extra;
                format!("1 modify O id:{id} extra={extra}")
            }
            (Next::Cease, Some(id)) => format!("1 delete O id:{id}"),
        };
        let mut open = played.submit(&format!("f{number}"), &document(&order));
        if let Some(count) = cancelled {
            some(&mut played, &mut open, *count);
            if open.may_be_cancelled().is_ok() {
                cancel(&mut played, &mut open);
            }
        }
        if !open.is_ended() {
            played.finish(&mut open);
        }
    }
    played
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Without drift there is no finding, and each single drift is found by its key.
    #[test]
    fn drift_is_found_and_nothing_else(wishes in prop::collection::vec(next(), 1..7)) {
        let played = play(&wishes);
        let network = network(&played);
        prop_assert_eq!(found(&played, &network), Vec::<String>::new());
        let asked = asked(&played, "service");
        for (id, question) in &asked {
            let mut drifted = network.clone();
            let what = match question.expected {
                Expected::There => {
                    prop_assert!(drifted.remove(&question.key).is_some(), "{}", question.key);
                    "MissingInNetwork"
                }
                Expected::Gone => {
                    drifted.insert(question.key.clone(), question.key.clone());
                    "LeftInNetwork"
                }
            };
            let line = format!("{id} {what} {} {}", question.work, question.key);
            let found = found(&played, &drifted);
            prop_assert!(found.contains(&line), "{line}: {found:?}");
            prop_assert!(found.iter().all(|line| line.contains(&question.key)), "{found:?}");
        }
        // Everything in the network is asked about.
        for key in network.keys() {
            prop_assert!(asked.iter().any(|(_, question)| question.key == *key), "{key}");
        }
    }
}

#[test]
fn a_key_names_its_fulfilment_and_task() {
    let named = |key| holder(key).map(|(id, task)| (id.to_string(), task.0));
    assert_eq!(named("f:3"), Some(("f".into(), 3)));
    assert_eq!(named("f:3:undo"), Some(("f".into(), 3)));
    assert_eq!(named("by hand"), None);
    assert_eq!(holder("f:3").unwrap().0, FulfilmentId::new("f"));
}
