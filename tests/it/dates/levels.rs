//! The same dates in service orders and in resource orders: nothing with an effect before the start,
//! nothing ends before its end, and what is cancelled in between leaves nothing.

use serde_json::{Value, json};

use super::{FAR, soon};
use crate::world::{World, text};

/// A kind of orders, and something that it can order.
struct Level {
    order: &'static str,
    items: &'static str,
    subject: &'static str,
    cancel: &'static str,
    /// The attributes of the subject that are its start and its end.
    dates: (&'static str, &'static str),
    /// The attribute that tells whether it is in use, with what it is in use and after.
    state: (&'static str, &'static str, &'static str),
    new: fn() -> Value,
}

const LEVELS: [Level; 2] = [
    Level {
        order: "serviceOrder",
        items: "serviceOrderItem",
        subject: "service",
        cancel: "cancelServiceOrder",
        dates: ("startDate", "endDate"),
        state: ("state", "active", "terminated"),
        new: || {
            json!({ "serviceSpecification": { "id": "RFS-CPE-PROVISION" },
                "serviceCharacteristic": [{ "name": "model", "value": "Nokia G-240W" }] })
        },
    },
    Level {
        order: "resourceOrder",
        items: "orderItem",
        subject: "resource",
        cancel: "cancelResourceOrder",
        dates: ("startOperatingDate", "endOperatingDate"),
        state: ("usageState", "busy", "idle"),
        new: || {
            json!({ "resourceSpecification": { "id": "RS-BW-POLICY" },
                "resourceCharacteristic": [
                    { "name": "down", "value": 900 }, { "name": "up", "value": 90 }] })
        },
    },
];

impl Level {
    /// An order of one item.
    fn order(&self, action: &str, subject: impl Into<Value>) -> Value {
        json!({ self.items: [{ "id": "1", "action": action, self.subject: subject.into() }] })
    }

    async fn submit(&self, world: &World, order: &Value) -> String {
        let answer = world.http.post(tmf::table::path(self.order), order).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        text(&answer.body["id"])
    }

    async fn state(&self, world: &World, id: &str) -> Value {
        world.order(self.order, id).await["state"].clone()
    }

    async fn cancel(&self, world: &World, id: &str) {
        let path = tmf::table::path(self.cancel);
        let answer = world.http.post(path, &json!({ self.order: { "id": id } })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(world.ended(id).await.end, "cancelled");
    }

    /// The instance that an order is about.
    async fn instance(&self, world: &World, order: &str) -> Value {
        let order = world.order(self.order, order).await;
        let id = text(&order[self.items][0][self.subject]["id"]);
        world.http.get(&format!("{}/{id}", tmf::table::path(self.subject))).await
    }

    /// Something that is in use, its id.
    async fn delivered(&self, world: &World) -> Value {
        let id = self.submit(world, &self.order("add", (self.new)())).await;
        world.completed(&id).await;
        let instance = self.instance(world, &id).await;
        let (name, in_use, _) = self.state;
        assert_eq!(instance[name], in_use, "{instance:#}");
        instance
    }

    /// The two ways to date an order: at the top, and at what it is about.
    fn dated(&self, action: &str, subject: &Value, date: &str) -> [Value; 2] {
        let mut whole = self.order(action, subject.clone());
        whole["requestedStartDate"] = json!(date);
        whole["requestedCompletionDate"] = json!(FAR);
        let mut own = subject.clone();
        let (from, until) = self.dates;
        own[if action == "delete" { until } else { from }] = json!(date);
        [whole, self.order(action, own)]
    }
}

#[tokio::test]
async fn nothing_is_done_for_a_service_or_a_resource_before_its_start() {
    let mut world = World::start().await;
    for level in LEVELS {
        for order in level.dated("add", &(level.new)(), FAR) {
            let before = world.books().await;
            let id = level.submit(&world, &order).await;
            for _ in 0..2 {
                assert_eq!(level.state(&world, &id).await, "pending", "{order}");
                let books = world.books().await;
                assert_eq!(books.effects, before.effects, "{order}");
                for resource in ["service", "resource"] {
                    assert_eq!(books.of(resource), before.of(resource), "{order}");
                }
                world.kill().await;
                world.restart().await;
            }
            level.cancel(&world, &id).await;
            assert_eq!(world.books().await.effects, before.effects, "{order}");
        }
        let (date, mut waiting) = (soon(), Vec::new());
        for order in level.dated("add", &(level.new)(), &date) {
            waiting.push(level.submit(&world, &order).await);
        }
        for id in waiting {
            world.completed(&id).await;
            assert!(!world.books().await.effects_of(&id).is_empty());
            let instance = level.instance(&world, &id).await;
            let (from, _) = level.dates;
            assert!(instance[from].as_str().unwrap() >= date.as_str(), "{instance:#}");
        }
    }
}

#[tokio::test]
async fn a_service_or_a_resource_is_there_until_its_end() {
    let world = World::start().await;
    for level in LEVELS {
        let (name, in_use, after) = level.state;
        let before = level.delivered(&world).await;
        let subject = json!({ "id": before["id"] });
        let books = world.books().await;
        let path = format!("{}/{}", tmf::table::path(level.subject), text(&before["id"]));
        for order in level.dated("delete", &subject, FAR) {
            let id = level.submit(&world, &order).await;
            assert_eq!(level.state(&world, &id).await, "pending", "{order}");
            assert_eq!(world.http.get(&path).await[name], in_use, "{order}");
            assert_eq!(world.books().await.state, books.state, "{order}");
            level.cancel(&world, &id).await;
            let instance = world.http.get(&path).await;
            assert_eq!(instance[name], in_use, "{instance:#}");
            assert_eq!(world.books().await.effects, books.effects, "{order}");
        }
        for which in 0..2 {
            let own = level.delivered(&world).await;
            let subject = json!({ "id": own["id"] });
            let (date, before) = (soon(), world.network.state().await.len());
            let order = level.dated("delete", &subject, &date)[which].clone();
            let id = level.submit(&world, &order).await;
            let path = format!("{}/{}", tmf::table::path(level.subject), text(&own["id"]));
            world.completed(&id).await;
            let instance = world.http.get(&path).await;
            assert_eq!(instance[name], after, "{instance:#}");
            let ended = world.order(level.order, &id).await;
            assert!(ended["completionDate"].as_str().unwrap() >= date.as_str(), "{ended:#}");
            assert_eq!(world.network.state().await.len(), before - 1);
        }
    }
}

#[tokio::test]
async fn dates_that_passed_or_contradict_each_other_are_refused_with_their_path() {
    let world = World::start().await;
    for level in LEVELS {
        let own = level.delivered(&world).await;
        let books = world.books().await;
        let (subject, (from, until)) = (json!({ "id": own["id"] }), level.dates);
        let at = |name: &str| format!("{}[0].{}.{name}", level.items, level.subject);
        let past = "2020-01-01T00:00:00Z";
        let (soon, late) = ("2998-01-01T00:00:00Z", FAR);
        let dated = |action: &str, subject: &Value, name: &str, date: &str| {
            let mut subject = subject.clone();
            subject[name] = json!(date);
            level.order(action, subject)
        };
        let whole = |mut order: Value, start: Option<&str>, completion: Option<&str>| {
            for (name, date) in
                [("requestedStartDate", start), ("requestedCompletionDate", completion)]
            {
                if let Some(date) = date {
                    order[name] = json!(date);
                }
            }
            order
        };
        let (new, plain) = ((level.new)(), level.order("delete", subject.clone()));
        let rows = [
            (whole(level.order("add", new.clone()), Some(past), None), "requestedStartDate".into()),
            (whole(plain.clone(), Some(past), None), "requestedStartDate".into()),
            (dated("add", &new, from, past), at(from)),
            (dated("delete", &subject, until, past), at(until)),
            (
                whole(level.order("add", new.clone()), Some(late), Some(soon)),
                "requestedCompletionDate".into(),
            ),
            (whole(plain, Some(late), Some(soon)), "requestedCompletionDate".into()),
            (whole(dated("add", &new, from, late), None, Some(soon)), at(from)),
            (whole(dated("delete", &subject, until, late), None, Some(soon)), at(until)),
            (whole(dated("delete", &subject, until, soon), Some(late), None), at(until)),
            (dated("add", &new, until, late), at(until)),
            (dated("modify", &subject, until, late), at(until)),
            (dated("modify", &subject, from, late), at(from)),
        ];
        for (order, path) in rows {
            let answer = world.http.post(tmf::table::path(level.order), &order).await;
            let told = match answer.status {
                201 => {
                    let id = text(&answer.body["id"]);
                    assert_eq!(world.ended(&id).await.end, "rejected", "{order}");
                    world.order(level.order, &id).await["errorMessage"][0].clone()
                }
                status => {
                    assert_eq!(status, 422, "{order}: {}", answer.text);
                    answer.body
                }
            };
            assert_eq!(told["referenceError"], path.as_str(), "{order}: {told}");
        }
        let after = world.books().await;
        assert_eq!(after.effects, books.effects);
        assert_eq!(after.state, books.state);
        for resource in ["service", "resource"] {
            assert_eq!(after.of(resource), books.of(resource));
        }
    }
}
