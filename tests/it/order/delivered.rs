//! Orders that nothing goes wrong with.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{
    World, eventually, example, fresh, items_of, pack_order, price_of, repository, text,
    with_characteristic,
};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is one story, told in order")]
async fn a_fibre_order_becomes_orders_services_resources_a_product_and_charges() {
    let world = World::start().await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&id).await;
    let books = world.books().await;
    books.check_delivered(&id);
    books.check_once();
    books.check_outbox();
    insta::assert_snapshot!(books.summary(&id), @"
    productOrder completed
      1 completed
    serviceOrder completed
      1 completed
      2 completed
      3 completed
      4 completed
      5 completed
      6 completed
      7 completed
      8 completed
      9 completed
      10 completed
    resourceOrder completed
      2 completed
      3 completed
      4 completed
      5 completed
      7 completed
      9 completed
      10 completed
    Residential Broadband Access active
      realized by F-s1
      realized by F-s6
      realized by F-s8
      charged SuperFibre 200 monthly recurringCharge
      charged SuperFibre 200 install oneTimeCharge
    Internet-Access active
      supported by F-s2
      supported by F-s3
      supported by F-s4
      supported by F-s5
    TR069-Config active
      made of F-r10-1 reserved busy
    GPON-Bearer active
      made of olt-1-onu.olt-1-1-1-1-1 reserved busy
    VLAN-Service active
      made of bng-1-vlan.100.100 reserved busy
    IP-Profile active
      made of ipv4-dynamic.100.64.0.1 reserved busy
      made of ipv6-home.2001:db8::_56 reserved busy
    QoS-Profile active
      made of F-r5-1 reserved busy
    WiFi-Management active
      supported by F-s7
    Cloud-Controller active
      made of F-r7-1 reserved busy
    CPE-Management active
      supported by F-s9
      supported by F-s10
    CPE-Provision active
      made of ont-huawei.HWTC00000001 reserved busy
    ");
    for order in ["productOrder", "serviceOrder", "resourceOrder"] {
        let kind = order.replacen(['p', 's', 'r'], &order[..1].to_uppercase(), 1);
        let told = [
            format!("{kind}CreateEvent acknowledged"),
            format!("{kind}StateChangeEvent inProgress"),
            format!("{kind}StateChangeEvent completed"),
        ];
        let (milestones, others) = books
            .told(order, &id)
            .into_iter()
            .partition::<Vec<_>, _>(|told| told.starts_with(&format!("{kind}MilestoneEvent ")));
        assert_eq!(others, told);
        assert!((1..=3).contains(&milestones.len()), "{milestones:?}");
    }
}

/// Every order of every pack, and those of the examples that add something.
#[tokio::test]
async fn every_example_is_delivered() {
    let world = World::start().await;
    let mut orders = Vec::new();
    for pack in ["superfibre", "mobile-4g", "triple-play"] {
        let folder = repository().join(format!("workflows/{pack}/orders"));
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "json") {
                let name = path.file_stem().unwrap().to_str().unwrap();
                orders.push(pack_order(&format!("{pack}/{name}")));
            }
        }
    }
    let examples = [
        "01-superfibre-200/product-order.json",
        "01-superfibre-200/product-order-hfc.json",
        "01-superfibre-200/product-order-missing-mandatory.json",
        "03-mobile-4g-essential-plus/product-order.json",
        "03-mobile-4g-essential-plus/product-order-noport.json",
        "06-triple-play-bundle/product-order.json",
        "06-triple-play-bundle/product-order-flat.json",
    ];
    orders.extend(examples.iter().filter_map(|name| example(name)));
    assert!(orders.len() >= 12);
    let mut ids = Vec::new();
    for order in &orders {
        ids.push(world.submit(order).await);
    }
    for id in &ids {
        world.completed(id).await;
    }
    let books = world.books().await;
    ids.iter().for_each(|id| books.check_delivered(id));
    books.check_once();
    books.check_pools();
    books.check_outbox();
}

#[tokio::test]
async fn a_bundle_is_the_same_nested_and_flat() {
    let world = World::start().await;
    let nested = world.submit(&pack_order("triple-play/nested")).await;
    let flat = world.submit(&pack_order("triple-play/flat")).await;
    assert_eq!(world.plan(&nested).await, world.plan(&flat).await);
    world.completed(&nested).await;
    world.completed(&flat).await;
    let books = world.books().await;
    for id in [&nested, &flat] {
        let bundle = books.products(id).into_iter().find(|product| product["isBundle"] == true);
        let bundled = bundle.unwrap()["productRelationship"].as_array().unwrap();
        assert_eq!(bundled.len(), 3);
    }
    let (Some(nested), Some(flat)) = (
        example("06-triple-play-bundle/product-order.json"),
        example("06-triple-play-bundle/product-order-flat.json"),
    ) else {
        return;
    };
    let (nested, flat) = (world.submit(&nested).await, world.submit(&flat).await);
    assert_eq!(world.plan(&nested).await, world.plan(&flat).await);
}

#[tokio::test]
async fn cable_stands_in_for_fibre() {
    let world = World::start().await;
    let id = world.submit(&pack_order("superfibre/hfc")).await;
    world.completed(&id).await;
    let books = world.books().await;
    books.check_delivered(&id);
    let elements: BTreeSet<_> =
        books.effects_of(&id).iter().map(|effect| effect.element.clone()).collect();
    assert!(elements.contains("cmts-1") && !elements.contains("olt-1"), "{elements:?}");
}

#[tokio::test]
async fn charges_are_right_to_the_cent() {
    let world = World::start().await;
    let fibre = world.submit(&pack_order("superfibre/gpon")).await;
    let bundle = world.submit(&pack_order("triple-play/nested")).await;
    for id in [&fibre, &bundle] {
        world.completed(id).await;
    }
    let books = world.books().await;
    let day = text(&books.of("productOrder")[&fibre]["orderDate"]);
    let charged = |id: &str| -> BTreeSet<(String, i64, i64)> {
        let products = books.products(id).into_iter().map(|product| text(&product["id"]));
        products
            .flat_map(|product| books.charges(&product))
            .map(|charge| {
                assert_eq!(charge["isBilled"], false);
                let (net, gross) =
                    (cents(&charge["taxExcludedAmount"]), cents(&charge["taxIncludedAmount"]));
                assert_eq!(cents(&charge["appliedTax"][0]["taxAmount"]), gross - net);
                (price_of(charge), net, gross)
            })
            .collect()
    };
    let charge = |price: &str, net: i64, percent: i64| {
        (price.to_string(), net, net + rounded(net * percent, 100))
    };
    let rest_of_month = |month: i64| {
        let (left, days) = days_left(&day);
        rounded(month * left, days)
    };
    let fibre_expected =
        [charge("POP-SF200-MRC", rest_of_month(8_900), 10), charge("POP-SF200-NRC", 0, 10)];
    assert_eq!(charged(&fibre), fibre_expected.into());
    let bundle_expected = [
        charge("POP-TP-ACT", 4_900, 19),
        charge("POP-TP-BB", rest_of_month(4_000), 19),
        charge("POP-TP-VOIP", rest_of_month(1_000), 19),
        charge("POP-TP-TV", rest_of_month(1_500), 19),
    ];
    assert_eq!(charged(&bundle), bundle_expected.into());
}

fn cents(money: &Value) -> i64 {
    let text = format!("{:.2}", money["value"].as_f64().unwrap());
    text.replace('.', "").parse().unwrap()
}

/// Divides, and rounds half up.
fn rounded(number: i64, by: i64) -> i64 {
    (2 * number + by) / (2 * by)
}

/// The days from this one to the end of its month, and the days of the month.
fn days_left(date: &str) -> (i64, i64) {
    let number = |range: std::ops::Range<usize>| date[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (days - day + 1, days)
}

#[tokio::test]
async fn a_number_is_ported_at_the_agreed_time_and_not_before() {
    let world = World::start().await;
    let mut order = pack_order("mobile-4g/port-in");
    with_characteristic(&mut order, "portWindow", &json!("2099-01-01T02:00:00Z"));
    let id = world.submit(&order).await;
    let is_port = |task: &Value| task["plugin"] == "rest-activator" && task["step"] == "port";
    let now = world
        .until(&id, "all but the port is done", |now| {
            let tasks = now["tasks"].as_array().unwrap();
            let voicemail = tasks.iter().find(|task| task["workflow"] == "voicemail-box").unwrap();
            let before_port = tasks.iter().find(|task| is_port(task)).unwrap()["needs"].clone();
            let needed = before_port.as_array().unwrap().iter();
            let mut needed = needed.map(|name| tasks.iter().find(|task| task["name"] == *name));
            voicemail["state"] == "done" && needed.all(|task| task.unwrap()["state"] == "done")
        })
        .await;
    assert_eq!(now["state"], "running");
    let tasks = now["tasks"].as_array().unwrap();
    let port = tasks.iter().find(|task| is_port(task)).unwrap();
    assert_eq!(port["state"], "pending");
    assert!(text(&port["notBefore"]).starts_with("2099-01-01T02:00:00"), "{port:#}");
    let open: Vec<_> = tasks.iter().filter(|task| task["state"] != "done").collect();
    let after_port = |name: &str| ["rate", "notify", "port"].contains(&name);
    assert!(open.iter().all(|task| after_port(task["step"].as_str().unwrap())), "{open:#?}");
    let effects = world.network.effects().await;
    assert!(effects.iter().all(|effect| effect.element != "mnp"), "{effects:?}");
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "inProgress");
    let item = items_of(&order, "productOrderItem")[0];
    assert_eq!(item["state"], "inProgress");
}

#[tokio::test]
async fn one_key_makes_one_order() {
    let world = World::start().await;
    let path = tmf::table::path("productOrder");
    let order = pack_order("mobile-4g/new-number");
    let key = [("idempotency-key", "crm-4711")];
    let first = world.http.post_with(path, &key, &order).await.unwrap();
    let again = world.http.post_with(path, &key, &order).await.unwrap();
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(first.headers["location"], again.headers["location"]);
    // Under another key it is another order.
    let other = [("idempotency-key", "crm-4712")];
    let other = world.http.post_with(path, &other, &order).await.unwrap();
    assert_ne!(other.body["id"], first.body["id"]);
    for answer in [&first, &other] {
        world.completed(answer.body["id"].as_str().unwrap()).await;
    }
    let late = world.http.post_with(path, &key, &order).await.unwrap();
    assert_eq!(late.body["id"], first.body["id"]);
    assert_eq!(world.books().await.of("productOrder").len(), 2);
}

#[tokio::test]
async fn acknowledged_orders_are_carried_on_by_the_next_server() {
    let mut world = World::start().await;
    world.network.fail(json!([{ "fault": "slow", "delayMs": 300 }])).await;
    let order = fresh(&pack_order("superfibre/gpon"), "next-server");
    let id = world.submit(&order).await;
    world.kill().await;
    world.restart().await;
    world.network.heal().await;
    world.completed(&id).await;
    let kept = eventually("the order is listed", async || {
        let path = format!("{}?externalId=next-server", tmf::table::path("productOrder"));
        let rows = world.http.get(&path).await;
        (rows.as_array().unwrap().len() == 1).then(|| rows[0].clone())
    });
    assert_eq!(kept.await["id"], id);
    let books = world.books().await;
    books.check_delivered(&id);
    books.check_once();
}
