//! Who uses an instance now: what several products share, across lines, parts and orders, and what
//! their needs are when they change or cease.

use insta::assert_snapshot;

use super::played::Played;
use super::*;
use crate::plan::{Action, Work};

fn plan(played: &Played, order: &str) -> String {
    match played.plan(&document(order)) {
        Ok(plan) => lines(&plan),
        Err(Blocked::Failure(failure)) => refusal(&failure),
        Err(stop) => format!("{stop:?}"),
    }
}

/// Each item with its action, instance and needs, then what each task does, with its needs.
fn lines(plan: &Plan) -> String {
    let names = |ids: &[crate::ItemId]| {
        let names: Vec<_> = ids.iter().map(|id| plan.items[id.index()].name.as_str()).collect();
        names.join(" ")
    };
    let items = plan.items.iter().map(|item| {
        let instance = item.instance.as_deref().unwrap_or("new");
        let needs = names(&item.needs);
        format!("{} {} {instance} after [{needs}]", item.action.as_str(), item.name)
    });
    let tasks = plan.tasks.iter().enumerate().map(|(index, task)| {
        let work = match &task.work {
            Work::Do => "do",
            Work::Modify(_) => "redo",
            Work::Undo(_) => "undo",
        };
        let needs: Vec<_> = task.needs.iter().map(|need| plan.task_name(*need)).collect();
        let name = plan.task_name(crate::TaskId::at(index));
        format!("{work} {name} after [{}]", needs.join(" "))
    });
    items.chain(tasks).collect::<Vec<_>>().join("\n")
}

/// The services that are in use, by id.
pub(super) fn in_use(played: &Played) -> Vec<String> {
    let documents = played.documents.iter();
    let services = documents.filter(|((resource, _), document)| {
        *resource == "service" && document["state"] == "active"
    });
    let names = services.map(|((_, id), document)| {
        format!("{id} {}", document["serviceSpecification"]["id"].as_str().unwrap())
    });
    names.collect()
}

/// No instance is there without a user, and none has a user that is not there.
pub(super) fn assert_sound(played: &Played) {
    let installed: BTreeMap<_, _> = played
        .documents
        .iter()
        .filter(|((resource, _), _)| *resource == crate::installed::INSTALLED)
        .map(|((_, id), record)| (id.clone(), record.clone()))
        .collect();
    for (id, record) in &installed {
        let users = record["users"].as_object().cloned().unwrap_or_default();
        assert!(id.starts_with("product/") || !users.is_empty(), "{id} has no user");
        let needed = record["neededBy"].as_object().cloned().unwrap_or_default();
        for other in users.keys().chain(needed.keys()) {
            let is_there = other == crate::installed::ORDERED || installed.contains_key(other);
            assert!(is_there, "{id} is used or needed by {other}, which is gone");
        }
    }
    // An upgrade of an earlier version gives the same: ids here are in order of time.
    let mut rebuilt = crate::installed::Rebuilt::default();
    played.fulfilments.values().for_each(|fulfilment| rebuilt.take(fulfilment));
    let records = rebuilt.records().into_iter();
    let records = records.filter(|record| record.resource == crate::installed::INSTALLED);
    let records: BTreeMap<_, _> = records.map(|r| (r.id, r.patch.unwrap())).collect();
    assert_eq!(records, installed);
    for entry in in_use(played) {
        let id = format!("service/{}", entry.split(' ').next().unwrap());
        assert!(installed.contains_key(&id), "{id} is active and not installed");
    }
    let state = |id: &str| {
        let (resource, id) = id.split_once('/').unwrap();
        let mut found = played.documents.iter();
        let found = found.find(|((other, own), _)| *other == resource && own == id);
        let document = found.map(|(_, document)| document).unwrap();
        document
            .get("status")
            .or_else(|| document.get("state"))
            .unwrap()
            .as_str()
            .unwrap()
            .to_string()
    };
    for (id, record) in installed.iter().filter(|(id, _)| id.starts_with("service/")) {
        let users = record["users"].as_object().unwrap();
        let is_suspended = |id: &String| {
            id != crate::installed::ORDERED && ["suspended", "inactive"].contains(&&*state(id))
        };
        let expected = if users.keys().all(is_suspended) { "inactive" } else { "active" };
        assert_eq!(state(id), expected, "{id}, which {users:?} use");
    }
}

const SHARED: &str = "
    O offers P
    P product: A; opt bool false default true; speed number 1 2 3 default 1
    A service: OWN, SHARED; opt bool; speed number
    OWN network after SHARED; speed number
    SHARED network
";

const SHARED_RULES: &str = "
decompose:
  - { rule: optional, from: A, to: SHARED, when: item.char.opt }
deliver:
  - { spec: OWN, workflow: do }
  - { spec: SHARED, workflow: do, scope: order }
";

pub(super) fn shared() -> Played {
    let mut played = Played::new(rulebook(SHARED, SHARED_RULES));
    played.complete("f", &document("1 add O\n2 add O"));
    assert_sound(&played);
    played
}

#[test]
fn a_shared_instance_ceases_when_each_product_has_given_it_up_by_itself() {
    let ways: [&[&str]; 4] = [
        &["1 modify O id:f-1 opt=false", "1 modify O id:f-2 opt=false"],
        &["1 modify O id:f-1 opt=false", "1 delete O id:f-2"],
        &["1 delete O id:f-2", "1 modify O id:f-1 opt=false"],
        &["1 modify O id:f-1 opt=false", "1 modify O id:f-1 speed=2", "1 delete O id:f-2"],
    ];
    for way in ways {
        let mut played = shared();
        for (index, order) in way.iter().enumerate() {
            assert!(in_use(&played).iter().any(|entry| entry.ends_with("SHARED")), "{way:?}");
            played.complete(&format!("g{index}"), &document(order));
            assert_sound(&played);
        }
        assert!(!in_use(&played).iter().any(|entry| entry.ends_with("SHARED")), "{way:?}");
    }
}

#[test]
fn an_instance_is_in_a_plan_once_whatever_was_ordered_before() {
    let mut played = shared();
    played.complete("g", &document("1 modify O id:f-2 status:suspended"));
    let plan = played.plan(&document("1 delete O id:f-1\n2 delete O id:f-2")).unwrap();
    let instances: Vec<_> = plan.items.iter().filter_map(|item| item.instance.as_ref()).collect();
    let once: std::collections::BTreeSet<_> = instances.iter().collect();
    assert_eq!(once.len(), instances.len());
    let keys: Vec<_> = plan.tasks.iter().filter_map(|task| task.work.before()).collect();
    let once: std::collections::BTreeSet<_> = keys.iter().map(|made| &made.key).collect();
    assert_eq!(once.len(), keys.len(), "nothing is undone twice");
    assert_snapshot!(lines(&plan), @r"
    delete P f-1 after []
    delete P#2 f-2 after []
    delete A f-s1 after []
    delete OWN f-s2 after []
    delete A#2 f-s4 after []
    delete SHARED f-s3 after [OWN OWN#2]
    delete OWN#2 f-s5 after []
    undo OWN.do after []
    undo OWN#2.do after []
    undo SHARED.do after [OWN.do OWN#2.do]
    ");
}

#[test]
fn products_of_two_orders_keep_what_is_their_own() {
    let mut played = Played::new(rulebook(SHARED, SHARED_RULES));
    played.complete("a", &document("1 add O\n2 add O"));
    played.complete("b", &document("1 add O\n2 add O"));
    let before = in_use(&played);
    played.complete("c", &document("1 modify O id:a-1 speed=2\n2 modify O id:b-1 speed=2"));
    assert_eq!(in_use(&played), before);
    assert_sound(&played);
    let all = "1 delete O id:a-1\n2 delete O id:a-2\n3 delete O id:b-1\n4 delete O id:b-2";
    played.complete("d", &document(all));
    assert_eq!(in_use(&played), Vec::<String>::new());
    assert_sound(&played);
}

/// A bundle of an access and of a voice line that stands on it.
const BUNDLE: &str = "
    B bundles O-ACC 1..1, O-VOI 0..1
    O-ACC offers P-ACC
    O-VOI offers P-VOI
    P-ACC product: ACC; speed number 1 2 default 1
    P-VOI product: VOI; lines number 1 2 default 1
    ACC network; speed number
    VOI network after ACC; lines number
";

const BUNDLE_RULES: &str = "
deliver:
  - { spec: ACC, workflow: do }
  - { spec: VOI, workflow: do }
";

fn bundle() -> Played {
    let mut played = Played::new(rulebook(BUNDLE, BUNDLE_RULES));
    played.complete("f", &document("1 add B\n1.1 add O-ACC in:1\n1.2 add O-VOI in:1"));
    assert_sound(&played);
    played
}

#[test]
fn parts_of_a_bundle_cease_in_the_reverse_of_their_needs() {
    assert_snapshot!(plan(&bundle(), "1 delete B id:f-1"), @r"
    delete B f-1 after []
    delete P-ACC f-1.1 after []
    delete P-VOI f-1.2 after []
    delete ACC f-s1 after [VOI]
    delete VOI f-s2 after []
    undo VOI.do after []
    undo ACC.do after [VOI.do]
    ");
    assert_snapshot!(plan(&bundle(), "1 delete O-ACC id:f-1.1\n2 delete O-VOI id:f-1.2"), @"Reject BUNDLE_CARDINALITY: item `1`: the bundle `f-1` would have 0 of `O-ACC` and must have 1: end the bundle, or add another part");
}

#[test]
fn work_after_a_bundle_has_the_date_of_its_line() {
    let date = tmf::time::Timestamp(32_472_144_000_000);
    for order in [
        "1 delete B id:f-1",
        "1 modify B id:f-1 status:suspended",
        "1 modify O-VOI id:f-1.2 lines=2",
    ] {
        let mut order = document(order);
        order["requestedStartDate"] = json!(date.to_string());
        let plan = bundle().plan(&order).unwrap();
        assert_eq!(plan.begins, Some(date), "{order}");
        assert_eq!(plan.completes, Some(date), "{order}");
        assert!(plan.tasks.iter().all(|task| task.not_before == Some(date)), "{order}: {plan:#?}");
    }
}

#[test]
fn a_part_that_needs_another_is_changed_with_what_it_needs_in_the_plan() {
    assert_snapshot!(plan(&bundle(), "1 modify O-VOI id:f-1.2 lines=2"), @r"
    modify P-VOI f-1.2 after []
    modify VOI f-s2 after [ACC]
    noChange ACC f-s1 after []
    redo VOI.do after []
    ");
}

#[test]
fn an_instance_that_another_part_needs_is_not_ended() {
    let catalog = BUNDLE.replace("O-ACC 1..1", "O-ACC 0..1");
    let mut played = Played::new(rulebook(&catalog, BUNDLE_RULES));
    played.complete("f", &document("1 add B\n1.1 add O-ACC in:1\n1.2 add O-VOI in:1"));
    assert_snapshot!(plan(&played, "1 delete O-ACC id:f-1.1"), @"Reject INSTANCE_NEEDED: the service `f-s1` would cease, and the service `f-s2` stands on it: end that too, or first");
    assert_snapshot!(plan(&bundle(), "1 delete O-ACC id:f-1.1"), @"Reject BUNDLE_CARDINALITY: item `1`: the bundle `f-1` would have 0 of `O-ACC` and must have 1: end the bundle, or add another part");
}

#[test]
fn a_bundle_that_was_changed_is_ended_with_all_of_its_parts() {
    let mut played = bundle();
    played.complete("g", &document("1 modify B id:f-1 status:suspended"));
    assert_eq!(in_use(&played), Vec::<String>::new());
    for part in ["f-1", "f-1.1", "f-1.2"] {
        assert_eq!(played.documents[&("product", part.to_string())]["status"], "suspended");
    }
    played.complete("h", &document("1 modify B id:f-1 status:active"));
    assert_eq!(in_use(&played).len(), 2);
    played.complete("i", &document("1 modify O-ACC id:f-1.1 speed=2"));
    played.complete("j", &document("1 delete B id:f-1"));
    for part in ["f-1", "f-1.1", "f-1.2"] {
        assert_eq!(played.documents[&("product", part.to_string())]["status"], "terminated");
    }
    assert_sound(&played);
}

#[test]
fn needs_between_lines_hold_in_reverse() {
    let catalog = "
        O offers P
        P product: LINE, TOP
        LINE network
        TOP network after LINE
    ";
    let rules = "
deliver:
  - { spec: LINE, workflow: do }
  - { spec: TOP, workflow: do, scope: order }
";
    let mut played = Played::new(rulebook(catalog, rules));
    played.complete("f", &document("1 add O\n2 add O"));
    assert_snapshot!(plan(&played, "1 delete O id:f-1\n2 delete O id:f-2"), @r"
    delete P f-1 after []
    delete P#2 f-2 after []
    delete LINE f-s1 after [TOP]
    delete TOP f-s2 after []
    delete LINE#2 f-s3 after [TOP]
    undo TOP.do after []
    undo LINE.do after [TOP.do]
    undo LINE#2.do after [TOP.do]
    ");
}

/// Steps that read the product, an output, and what is upstream.
const READS: &str = "
    O offers P
    P product: MODEM, VOICE; speed number 1 2 default 1; lines number 1 2 default 1; note string
    MODEM network
    VOICE network after MODEM
";

fn reads() -> Rulebook {
    let rules = "
deliver:
  - { spec: MODEM, workflow: modem }
  - { spec: VOICE, workflow: voice }
";
    let workflows = r#"
workflows:
  - workflow: modem
    steps:
      - { step: port, plugin: pool, input: { pool: '=product.char.speed > 1 ? "fast" : "slow"', name: port } }
      - { step: set, plugin: noop, input: { down: =product.char.speed, port: =steps.port.port } }
  - workflow: voice
    steps:
      - { step: first, plugin: noop, input: { on: '=upstream["MODEM"].port' } }
      - { step: second, plugin: noop, when: product.char.lines > 1, input: { a: 1 } }
"#;
    rulebook_with(READS, rules, workflows)
}

#[test]
fn a_step_is_done_again_if_what_it_reads_of_the_product_is_another() {
    let mut played = Played::new(reads());
    played.complete("f", &document("1 add O"));
    assert_snapshot!(plan(&played, "1 modify O id:f-1 lines=2"), @r"
    modify P f-1 after []
    noChange MODEM f-s1 after []
    modify VOICE f-s2 after [MODEM]
    do VOICE.second after []
    ");
    assert_snapshot!(plan(&played, "1 modify O id:f-1 speed=2"), @r"
    modify P f-1 after []
    modify MODEM f-s1 after []
    modify VOICE f-s2 after [MODEM]
    redo MODEM.port after []
    redo MODEM.set after [MODEM.port]
    redo VOICE.first after [MODEM.set]
    ");
    assert_snapshot!(plan(&played, "1 modify O id:f-1 note=x"), @r"
    modify P f-1 after []
    noChange MODEM f-s1 after []
    noChange VOICE f-s2 after [MODEM]
    ");
    played.complete("g", &document("1 modify O id:f-1 lines=2"));
    assert_snapshot!(plan(&played, "1 modify O id:f-1 lines=1"), @r"
    modify P f-1 after []
    noChange MODEM f-s1 after []
    modify VOICE f-s2 after [MODEM]
    undo VOICE.second after []
    ");
    let steps = played.complete("h", &document("1 modify O id:f-1 lines=1"));
    let second = steps.plan().items.iter().find(|item| item.name == "VOICE").unwrap();
    assert_eq!(second.action, Action::Modify);
}

#[test]
fn a_suspended_instance_stays_suspended_when_its_steps_are_repeated() {
    let mut played = Played::new(reads());
    played.complete("f", &document("1 add O"));
    played.complete("g", &document("1 modify O id:f-1 status:suspended"));
    let changed = played.complete("h", &document("1 modify O id:f-1 speed=2"));
    assert!(!changed.plan().tasks.is_empty());
    assert_eq!(in_use(&played), Vec::<String>::new());
}

/// A line that reads the outputs of another that it relies on, and of a service made of others.
#[test]
fn the_needs_of_a_changed_line_can_be_read_with_all_their_parts() {
    let catalog = "
        H offers PH
        O offers P
        PH product: A
        P product: Y; speed number 1 2 default 1; note string
        A service: X
        X network
        Y network
    ";
    let rules = "
deliver:
  - { spec: X, workflow: gives }
  - { spec: Y, workflow: reads }
";
    let workflows = r#"
workflows:
  - workflow: gives
    steps:
      - { step: give, plugin: noop, input: { port: 1 } }
  - workflow: reads
    steps:
      - { step: read, plugin: noop, input: { port: '=upstream["X"].port', speed: =product.char.speed } }
"#;
    let mut played = Played::new(rulebook_with(catalog, rules, workflows));
    played.complete("f", &document("1 add O on:2\n2 add H"));
    assert_sound(&played);
    assert_snapshot!(plan(&played, "1 modify O id:f-1 note=x"), @r"
    modify P f-1 after [PH]
    noChange Y f-s1 after []
    noChange PH f-2 after []
    noChange A f-s2 after []
    noChange X f-s3 after []
    ");
    assert_snapshot!(plan(&played, "1 modify O id:f-1 speed=2"), @r"
    modify P f-1 after [PH]
    modify Y f-s1 after []
    noChange PH f-2 after []
    noChange A f-s2 after []
    noChange X f-s3 after []
    redo Y.read after []
    ");
    let changed = played.complete("g", &document("1 modify O id:f-1 speed=2"));
    let input = changed.input(crate::TaskId(0), &mut crate::expr::Expressions::default());
    let input = input.unwrap().into_owned();
    assert_eq!(Value::Object(input), json!({ "port": 1, "speed": 2 }));
    assert_sound(&played);
    assert_snapshot!(plan(&played, "1 delete H id:f-2"), @"Reject INSTANCE_NEEDED: the product `f-2` would cease, and the product `f-1` stands on it: end that too, or first");
}

#[test]
fn one_instance_serves_a_customer_across_orders_until_its_last_user_goes() {
    let catalog = "
        O offers P
        P product: OWN, ROUTER
        OWN network after ROUTER
        ROUTER network
    ";
    let rules = "
deliver:
  - { spec: OWN, workflow: do }
  - { spec: ROUTER, workflow: do, scope: customer }
";
    let mut played = Played::new(rulebook(catalog, rules));
    let of = |customer: &str, order: &str| {
        let mut document = document(order);
        document["relatedParty"] = json!([{ "id": customer, "role": "Customer" }]);
        document
    };
    let routers =
        |played: &Played| in_use(played).iter().filter(|entry| entry.ends_with("ROUTER")).count();
    played.complete("f", &of("ann", "1 add O"));
    played.complete("g", &of("ann", "1 add O"));
    assert_eq!(routers(&played), 1);
    played.complete("h", &of("bob", "1 add O"));
    assert_eq!(routers(&played), 2);
    played.complete("i", &of("ann", "1 delete O id:f-1"));
    assert_eq!(routers(&played), 2);
    played.complete("j", &of("ann", "1 delete O id:g-1"));
    assert_eq!(routers(&played), 1);
    played.complete("k", &of("ann", "1 add O"));
    assert_eq!(routers(&played), 2);
    assert_sound(&played);
}
