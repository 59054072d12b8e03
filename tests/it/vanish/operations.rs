//! What clients ask for and vanish, and how to see that it happened once, or not at all.

use serde_json::{Value, json};

use crate::world::{
    Receiver, Request, World, eventually, fresh, pack_order, text, with_characteristic,
};

const BILLING: &str = "/orchestration/v1/billing";
const CATALOG: &str = "/tmf-api/productCatalogManagement/v4";
const HUB: &str = "/tmf-api/party/v4/hub";
const RECONCILIATIONS: &str = "/orchestration/v1/reconciliations";
const RUNS: &str = "/orchestration/v1/workflows/six-external/runs";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Hub,
    Retirement,
    ExportJob,
    ImportJob,
    Import,
    Reconciliation,
    Cancellation,
    Payment,
    KeyedRun,
    KeyedOrder,
    KeyedDocument,
}

/// A request, and what it is about.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) about: String,
}

impl Operation {
    pub(super) const ALL: [Self; 11] = [
        Self::Hub,
        Self::Retirement,
        Self::ExportJob,
        Self::ImportJob,
        Self::Import,
        Self::Reconciliation,
        Self::Cancellation,
        Self::Payment,
        Self::KeyedRun,
        Self::KeyedOrder,
        Self::KeyedDocument,
    ];

    /// Makes a subject, and the request about it.
    pub(super) async fn prepare(self, world: &World, subject: usize) -> Asked {
        let name = format!("{self:?}-{subject}");
        let (request, about) = match self {
            Self::Hub => {
                let callback = format!("http://127.0.0.1:9/{name}");
                (Request::post(HUB, &json!({ "callback": callback })), callback)
            }
            Self::Retirement => {
                let id = offering(world, &name).await;
                let path = format!("{CATALOG}/productOffering/{id}");
                (Request::patch(&path, &json!({ "lifecycleStatus": "Retired" })), id)
            }
            Self::ExportJob => {
                let body = json!({ "url": format!("file:{name}.ndjson"),
                    "path": format!("{CATALOG}/category") });
                (Request::post(&format!("{CATALOG}/exportJob"), &body), "exportJob".into())
            }
            Self::ImportJob => {
                let folder = world.data().join("exchange");
                std::fs::create_dir_all(&folder).unwrap();
                let row = json!({ "id": name, "name": name });
                std::fs::write(folder.join(format!("{name}.ndjson")), format!("{row}\n")).unwrap();
                let body = json!({ "url": format!("file:{name}.ndjson"),
                    "path": format!("{CATALOG}/category") });
                (Request::post(&format!("{CATALOG}/importJob"), &body), "importJob".into())
            }
            Self::Import => {
                let path = format!("/orchestration/v1/imports/{name}?resource=product");
                let row = json!({ "id": name, "name": name, "status": "active" });
                let mut request = Request::post(&path, &row);
                request.method = "PUT";
                request.headers = vec![("content-type", "application/x-ndjson".into())];
                (request, name)
            }
            Self::Reconciliation => {
                (Request::post(RECONCILIATIONS, &json!({ "service": {} })), String::new())
            }
            Self::Cancellation => {
                let id = waiting_order(world, &name).await;
                let body = json!({ "productOrder": { "id": id }, "cancellationReason": "moving" });
                (Request::post(tmf::table::path("cancelProductOrder"), &body), id)
            }
            Self::Payment => {
                let bill = world.bill(&name).await;
                let payment = json!({ "id": name, "bill": { "id": bill["id"] },
                    "amount": bill["remainingAmount"] });
                (Request::post(&format!("{BILLING}/payments"), &payment), text(&bill["id"]))
            }
            Self::KeyedRun => (Request::post(RUNS, &json!({ "name": name })).keyed(&name), name),
            Self::KeyedOrder => {
                let order = fresh(&pack_order("mobile-4g/new-number"), &name);
                let path = tmf::table::path("productOrder");
                (Request::post(path, &order).keyed(&name), name)
            }
            Self::KeyedDocument => {
                let body = json!({ "givenName": "Ann", "familyName": name });
                let path = tmf::table::path("individual");
                (Request::post(path, &body).keyed(&name), name)
            }
        };
        Asked { request, about }
    }

    /// What is wrong with what became of it.
    pub(super) async fn check(self, world: &mut World, asked: &Asked) -> Result<(), String> {
        let about = asked.about.as_str();
        match self {
            Self::Hub => check_hub(world, about).await,
            Self::Retirement => {
                check_retirement(world, about).await;
                Ok(())
            }
            Self::ExportJob | Self::ImportJob => check_jobs(world, about).await,
            Self::Import => {
                polite(world, asked, 200).await?;
                let path = format!("{}?id={about}", tmf::table::path("product"));
                once(world.http.list_of(&path).await.len(), about)
            }
            Self::Reconciliation => check_reconciliations(world).await,
            Self::Cancellation => check_cancellation(world, asked).await,
            Self::Payment => check_payment(world, asked).await,
            Self::KeyedRun => {
                let id = polite(world, asked, 201).await?;
                world.completed(&id).await;
                let effects = world.network.effects().await;
                let runs = effects.iter().filter_map(|effect| effect.key.split(':').next());
                let runs: std::collections::BTreeSet<_> = runs.collect();
                let mut found = 0;
                for run in runs {
                    let path = format!("/orchestration/v1/runs/{run}");
                    let run = world.http.ask(&Request::get(&path)).await.unwrap();
                    found += usize::from(run.body["input"]["name"] == about);
                }
                once(found, about)
            }
            Self::KeyedOrder => {
                polite(world, asked, 201).await?;
                let path = format!("{}?externalId={about}", tmf::table::path("productOrder"));
                once(world.http.list_of(&path).await.len(), about)
            }
            Self::KeyedDocument => {
                polite(world, asked, 201).await?;
                let path = format!("{}?familyName={about}", tmf::table::path("individual"));
                once(world.http.list_of(&path).await.len(), about)
            }
        }
    }
}

fn once(found: usize, about: &str) -> Result<(), String> {
    if found == 1 { Ok(()) } else { Err(format!("{about} is there {found} times")) }
}

/// Asks again and stays; answers with the id that the answer names.
async fn polite(world: &World, asked: &Asked, status: u16) -> Result<String, String> {
    let answer = world.http.ask(&asked.request).await.unwrap();
    let is_right = answer.status == status;
    let told = format!("{}: asked again it is {} {}", asked.about, answer.status, answer.text);
    if is_right { Ok(text(&answer.body["id"])) } else { Err(told) }
}

async fn hubs(world: &World, callback: &str) -> usize {
    let all = world.http.get("/orchestration/v1/subscriptions").await;
    all.as_array().unwrap().iter().filter(|hub| hub["callback"] == callback).count()
}

/// Waits until the list has each subscription that was committed, as the audit tells. A request of
/// a client that vanished may be carried out late.
async fn list_is_complete(world: &World) {
    eventually("each subscription that was committed is listed", async || {
        let page = "/orchestration/v1/audit?action=POST%20hub&outcome=done&limit=1000";
        let committed = world.http.list_of(page).await.len();
        let listed = world.http.list_of("/orchestration/v1/subscriptions").await.len();
        (listed == committed).then_some(())
    })
    .await;
}

/// The list is complete, and stays so when the server starts again.
async fn check_hub(world: &mut World, callback: &str) -> Result<(), String> {
    list_is_complete(world).await;
    let listed = hubs(world, callback).await;
    world.kill().await;
    world.restart().await;
    list_is_complete(world).await;
    let after = hubs(world, callback).await;
    if listed <= after {
        return Ok(());
    }
    Err(format!("{callback} was listed {listed} times, and {after} times after a restart"))
}

/// A copy of an offering that is sold.
async fn offering(world: &World, name: &str) -> String {
    let path = format!("{CATALOG}/productOffering");
    let mut offering = world.http.get(&format!("{path}/PO-SF200H")).await;
    for field in ["id", "href", "lastUpdate"] {
        offering.as_object_mut().unwrap().remove(field);
    }
    offering["name"] = name.into();
    offering["lifecycleStatus"] = "In Study".into();
    let made = world.http.post(&path, &offering).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = text(&made.body["id"]);
    for status in ["In Design", "In Test", "Active"] {
        let patch = Request::patch(&format!("{path}/{id}"), &json!({ "lifecycleStatus": status }));
        let patched = world.http.ask(&patch).await.unwrap();
        assert_eq!(patched.status, 200, "{}", patched.text);
    }
    assert!(is_sold(world, &id).await, "{name} is not sold to begin with");
    id
}

async fn is_sold(world: &World, id: &str) -> bool {
    let mut order = pack_order("superfibre/gpon");
    order["productOrderItem"][0]["productOffering"]["id"] = id.into();
    let simulated = world.http.post("/orchestration/v1/simulate/productOrder", &order).await;
    simulated.body["state"] == "planned"
}

/// A retired offering is not sold any more, as soon as the server has followed its own commit.
async fn check_retirement(world: &World, id: &str) {
    let path = format!("{CATALOG}/productOffering/{id}");
    eventually("what is retired is not sold, and what is not retired is", async || {
        let status = world.http.get(&path).await["lifecycleStatus"].clone();
        ((status == "Retired") != is_sold(world, id).await).then_some(())
    })
    .await;
}

/// Every job that is listed is carried out without a further request.
async fn check_jobs(world: &World, kind: &str) -> Result<(), String> {
    let path = format!("{CATALOG}/{kind}");
    let open = async || {
        let jobs = world.http.list(&path).await;
        jobs.iter().filter(|job| !job["completionDate"].is_string()).count()
    };
    all_carried_out(kind, open).await
}

async fn check_reconciliations(world: &World) -> Result<(), String> {
    let open = async || {
        let all = world.http.get(RECONCILIATIONS).await;
        let all = all.as_array().unwrap();
        all.iter().filter(|one| one["state"] != "completed").count()
    };
    all_carried_out("reconciliation", open).await
}

async fn all_carried_out(what: &str, open: impl AsyncFn() -> usize) -> Result<(), String> {
    let ended = eventually_within_reason(async || open().await == 0).await;
    if ended { Ok(()) } else { Err(format!("{} of {what} never begin", open().await)) }
}

/// Whether something becomes true in a time in which idle servers do far more.
async fn eventually_within_reason(holds: impl AsyncFn() -> bool) -> bool {
    let waiting = eventually("it holds", async || holds().await.then_some(()));
    tokio::time::timeout(std::time::Duration::from_secs(8), waiting).await.is_ok()
}

/// An order that waits for a date, with some of it done.
async fn waiting_order(world: &World, name: &str) -> String {
    let mut order = fresh(&pack_order("mobile-4g/port-in"), name);
    with_characteristic(&mut order, "portWindow", &"2099-01-01T00:00:00Z".into());
    let id = world.submit(&order).await;
    let some = |now: &Value| now["tasksDone"].as_u64() >= Some(3);
    world.until(&id, "something is done", some).await;
    id
}

/// A cancellation that was noted is carried out; one that was not can be asked for again.
async fn check_cancellation(world: &World, asked: &Asked) -> Result<(), String> {
    let id = asked.about.as_str();
    let path = format!("{}?productOrder.id={id}", tmf::table::path("cancelProductOrder"));
    let noted = world.http.list_of(&path).await;
    if noted.is_empty() {
        polite(world, asked, 201).await?;
    }
    let story = world.ended(id).await;
    let state = world.order("productOrder", id).await["state"].clone();
    let done = world.http.list_of(&path).await.iter().filter(|one| one["state"] == "done").count();
    if story.end == "cancelled" && state == "cancelled" && done >= 1 {
        return Ok(());
    }
    Err(format!("{id} ended {}, is {state}, and {done} cancellations are done", story.end))
}

/// The bill is paid once, and the books say the same.
async fn check_payment(world: &World, asked: &Asked) -> Result<(), String> {
    polite(world, asked, 201).await?;
    let path = format!("{}/{}", tmf::table::path("customerBill"), asked.about);
    let bill = world.http.get(&path).await;
    let payments = bill["appliedPayment"].as_array().map_or(0, Vec::len);
    let ledger = world.http.get(&format!("{BILLING}/ledger")).await;
    let is_even = |one: &Value| one["value"].as_f64() == Some(0.0);
    let even = ledger["difference"].as_array().unwrap().iter().all(is_even);
    let account = format!("receivable:{}", text(&bill["billingAccount"]["id"]));
    let owed = ledger["account"].as_array().unwrap().iter().any(|one| one["account"] == account);
    if bill["state"] == "settled" && payments == 1 && even && !owed {
        return Ok(());
    }
    Err(format!("{payments} payments of {bill}, and the books are {ledger}"))
}

/// Delivered events are exactly the listed ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_listed_is_told_of_each_event_once() {
    let settings = crate::world::Settings {
        disk: crate::world::Disk::Forgetful,
        ..crate::world::Settings::default()
    };
    let mut world = World::with(settings).await;
    let receiver = Receiver::start().await;
    let callback = receiver.url("/told");
    let request = Request::post(HUB, &json!({ "callback": callback }));
    let asked = [Asked { request, about: callback.clone() }];
    super::vanish(&world, &asked, &crate::world::Vanish::ALL).await;
    for round in 0..2 {
        list_is_complete(&world).await;
        let listed = hubs(&world, &callback).await;
        assert!(listed > 0, "of those who stayed long enough none subscribed");
        let (first, last) = (world.person().await, world.person().await);
        let count = |taken: &[(String, Value)], id: &str| {
            taken.iter().filter(|(_, event)| event["event"]["individual"]["id"] == id).count()
        };
        let what = "the last one is told";
        let taken = receiver.until(what, |taken| count(taken, &last) >= listed).await;
        assert_eq!(count(&taken, &first), listed, "round {round}");
        world.kill().await;
        world.restart().await;
        assert_eq!(hubs(&world, &callback).await, listed, "after restart {round}");
    }
}
