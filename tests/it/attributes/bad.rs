//! Bad orders of all three levels: each is refused with the attribute that is wrong and what would be
//! right, and nothing changes in the inventories or the pools.
#![expect(clippy::wildcard_enum_match_arm, reason = "orders are sent, and no other form")]

use model::order::Form;
use serde_json::{Value, json};
use tmf::table::path;

use super::table::pack;
use crate::world::{Settings, World, text};

const FAR: &str = "2999-01-01T00:00:00Z";
const NEAR: &str = "2998-01-01T00:00:00Z";
const PAST: &str = "2020-01-01T00:00:00Z";

/// What is wrong, the order, the attribute that is told, and a word of what would be right.
type Row = (&'static str, Value, String, &'static str);

/// A kind of orders, with what there is for bad ones to be about.
struct Bad<'a> {
    world: &'a World,
    form: Form,
    order: &'static str,
    /// An instance of the customer who orders.
    mine: String,
    /// One of another customer.
    theirs: String,
    /// One that has ended.
    ended: String,
    /// One that another stands on.
    needed: String,
}

#[tokio::test]
async fn bad_orders_are_refused_with_their_path_and_change_nothing() {
    let packs = pack::folder();
    let workflows = Some(packs.path().into());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let mut faults = Vec::new();
    for (form, order) in [
        (Form::ProductOrder, "productOrder"),
        (Form::ServiceOrder, "serviceOrder"),
        (Form::ResourceOrder, "resourceOrder"),
    ] {
        let bad = Bad::new(&world, form, order).await;
        let before = bad.everything().await;
        for (what, order, path, advice) in bad.rows() {
            if let Err(fault) = bad.refused(&order, &path, advice).await {
                faults.push(format!("{form:?}: {what}: {fault}"));
            }
            if bad.everything().await != before {
                faults.push(format!("{form:?}: {what}: something changed"));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

impl<'a> Bad<'a> {
    async fn new(world: &'a World, form: Form, order: &'static str) -> Self {
        let none = String::new;
        let mut bad = Self {
            world,
            form,
            order,
            mine: none(),
            theirs: none(),
            ended: none(),
            needed: none(),
        };
        bad.mine = bad.delivered("C-1").await;
        bad.theirs = bad.delivered("C-2").await;
        bad.ended = bad.delivered("C-1").await;
        let end = bad.of(&[bad.item("1", "delete", json!({ "id": bad.ended }))]);
        bad.done(&end).await;
        // A second item relies on the first.
        let (mut first, mut second) = (bad.add("1"), bad.add("2"));
        if form == Form::ProductOrder {
            second = json!({ "id": "2", "action": "add", "productOffering": { "id": "PO-PART" } });
        }
        second[form.relations()] = bad.relation("1");
        first["id"] = json!("1");
        let both = bad.done(&bad.of(&[first, second])).await;
        bad.needed = text(&both[form.items()][0][form.subject()]["id"]);
        bad
    }

    fn of(&self, items: &[Value]) -> Value {
        let customer = json!({ "id": "C-1", "role": "Customer", "@referredType": "Customer" });
        json!({ "relatedParty": [customer], self.form.items(): items })
    }

    /// A new instance of what the pack has.
    fn new_subject(&self) -> Value {
        let speed = json!([{ "name": "speed", "valueType": "number", "value": 1 }]);
        let spec = match self.form {
            Form::ServiceOrder => "CFS-LINE",
            Form::ResourceOrder => "RS-LINE",
            _ => "PS-LINE",
        };
        json!({ self.form.spec(): { "id": spec }, self.form.characteristics(): speed })
    }

    fn item(&self, id: &str, action: &str, subject: impl Into<Value>) -> Value {
        json!({ "id": id, "action": action, self.form.subject(): subject.into() })
    }

    fn add(&self, id: &str) -> Value {
        let mut item = self.item(id, "add", self.new_subject());
        if self.form == Form::ProductOrder {
            item["productOffering"] = json!({ "id": "PO-LINE" });
            item["billingAccount"] = json!({ "id": "ACC-1" });
        }
        item
    }

    /// A relation to an item of the same order.
    fn relation(&self, to: &str) -> Value {
        match self.form {
            Form::ProductOrder => json!([{ "relationshipType": "reliesOn", "id": to }]),
            _ => json!([{ "relationshipType": "dependency", "orderItem": { "itemId": to } }]),
        }
    }

    /// One item with something else in what it is about.
    fn with(&self, action: &str, name: &str, value: Value) -> Value {
        let mut item = match action {
            "add" => self.add("1"),
            _ => self.item("1", action, json!({ "id": self.mine })),
        };
        item[self.form.subject()][name] = value;
        self.of(&[item])
    }

    /// An order with dates of its own.
    fn dated(&self, mut order: Value, start: Option<&str>, completion: Option<&str>) -> Value {
        let dates = [("requestedStartDate", start), ("requestedCompletionDate", completion)];
        for (name, date) in dates {
            if let Some(date) = date {
                order[name] = json!(date);
            }
        }
        order
    }

    fn rows(&self) -> Vec<Row> {
        [self.identities(), self.relations(), self.dates(), self.values(), self.states()].concat()
    }

    /// Ids that are in use, said twice, or of nothing.
    fn identities(&self) -> Vec<Row> {
        let (items, subject) = (self.form.items(), self.form.subject());
        let at = |item: usize| format!("{items}[{item}].{subject}.id");
        let about = |line: &str, action: &str| self.item(line, action, json!({ "id": self.mine }));
        let named = |line: &str| {
            let mut item = self.add(line);
            item[subject]["id"] = json!("NEW");
            item
        };
        vec![
            (
                "an id of one's own",
                self.with("add", "id", json!(self.mine)),
                at(0),
                "leave the id out",
            ),
            (
                "an id of another",
                self.with("add", "id", json!(self.theirs)),
                at(0),
                "leave the id out",
            ),
            (
                "an id of what ended",
                self.with("add", "id", json!(self.ended)),
                at(0),
                "leave the id out",
            ),
            ("one new id twice", self.of(&[named("1"), named("2")]), at(1), "one item"),
            (
                "delete and modify",
                self.of(&[about("1", "delete"), about("2", "modify")]),
                at(1),
                "one item",
            ),
            (
                "modify twice",
                self.of(&[about("1", "modify"), about("2", "modify")]),
                at(1),
                "one item",
            ),
            (
                "noChange and delete",
                self.of(&[about("1", "noChange"), about("2", "delete")]),
                at(1),
                "one item",
            ),
            (
                "modify of nothing",
                self.of(&[self.item("1", "modify", json!({ "id": "NONE" }))]),
                at(0),
                "has no",
            ),
            (
                "delete of nothing",
                self.of(&[self.item("1", "delete", json!({ "id": "NONE" }))]),
                at(0),
                "has no",
            ),
            (
                "delete without an id",
                self.of(&[self.item("1", "delete", json!({}))]),
                at(0),
                "mandatory",
            ),
        ]
    }

    /// Relations to oneself and to nothing, at each level.
    fn relations(&self) -> Vec<Row> {
        let (items, subject) = (self.form.items(), self.form.subject());
        let between = |to: &str| {
            let mut item = self.add("1");
            item[self.form.relations()] = self.relation(to);
            self.of(&[item])
        };
        let name = format!("{subject}Relationship");
        let to = |id: &str| json!([{ "relationshipType": "reliesOn", subject: { "id": id } }]);
        let of_items = format!("{items}[0].{}[0]", self.form.relations());
        let of_instances = format!("{items}[0].{subject}.{name}[0].{subject}.id");
        let mut rows = vec![
            ("an item on itself", between("1"), of_items.clone(), "another item"),
            ("an item on no item", between("7"), of_items, "no item"),
            (
                "an instance on itself",
                self.with("modify", &name, to(&self.mine)),
                of_instances.clone(),
                "name another",
            ),
            (
                "an instance on nothing",
                self.with("modify", &name, to("NONE")),
                of_instances.clone(),
                "has no",
            ),
            ("a new one on nothing", self.with("add", &name, to("NONE")), of_instances, "has no"),
        ];
        let (mut one, mut other) = (self.add("1"), self.add("2"));
        one[self.form.relations()] = self.relation("2");
        other[self.form.relations()] = self.relation("1");
        let circle = format!("{items}[0].{}", self.form.relations());
        rows.push(("items in a circle", self.of(&[one, other]), circle, "circle"));
        if self.form != Form::ResourceOrder {
            let mut order = self.of(&[self.add("1")]);
            order["orderRelationship"] =
                json!([{ "relationshipType": "dependency", "id": "NONE" }]);
            rows.push(("an order on no order", order, "orderRelationship[0].id".into(), "NONE"));
        }
        rows
    }

    /// Dates that passed, and that contradict each other.
    fn dates(&self) -> Vec<Row> {
        let (from, until) = match self.form {
            Form::ServiceOrder => ("startDate", "endDate"),
            Form::ResourceOrder => ("startOperatingDate", "endOperatingDate"),
            _ => ("startDate", "terminationDate"),
        };
        let at = |name: &str| format!("{}[0].{}.{name}", self.form.items(), self.form.subject());
        let add = || self.of(&[self.add("1")]);
        let end = |date: &str| self.with("delete", until, json!(date));
        let start = |date: &str| self.with("add", from, json!(date));
        vec![
            (
                "a start that passed",
                self.dated(add(), Some(PAST), None),
                "requestedStartDate".into(),
                "leave it out",
            ),
            ("a start of its own that passed", start(PAST), at(from), "leave it out"),
            ("an end that passed", end(PAST), at(until), "date to come"),
            (
                "complete before it starts",
                self.dated(add(), Some(FAR), Some(NEAR)),
                "requestedCompletionDate".into(),
                "later date",
            ),
            (
                "complete before its own start",
                self.dated(start(FAR), None, Some(NEAR)),
                at(from),
                "earlier date",
            ),
            (
                "complete before its end",
                self.dated(end(FAR), None, Some(NEAR)),
                at(until),
                "earlier date",
            ),
            (
                "end before it starts",
                self.dated(end(NEAR), Some(FAR), None),
                at(until),
                "name a date",
            ),
            ("an end by modify", self.with("modify", until, json!(FAR)), at(until), "`delete`"),
            ("no date", start("soon"), at(from), "date-time"),
        ]
    }

    /// Specifications and values that cannot be.
    fn values(&self) -> Vec<Row> {
        let (items, subject) = (self.form.items(), self.form.subject());
        let at = |name: &str| format!("{items}[0].{subject}.{name}");
        let (spec, values) = (self.form.spec(), self.form.characteristics());
        let value = |name: &str, value: Value| json!([{ "name": name, "value": value }]);
        let mut unknown = self.item("1", "add", json!({ spec: { "id": "NONE" } }));
        unknown[subject][values] = json!([]);
        let mut many = self.add("1");
        many["quantity"] = json!(0);
        let mut rows = vec![
            ("an unknown specification", self.of(&[unknown]), at(spec), "name one"),
            (
                "another specification",
                self.with("modify", spec, json!({ "id": "NONE" })),
                at(spec),
                "`add` the other",
            ),
            (
                "a forbidden value",
                self.with("modify", values, value("speed", json!(99))),
                at(values),
                "allowed are",
            ),
            (
                "a forbidden value at first",
                self.with("add", values, value("speed", json!(99))),
                at(values),
                "allowed are",
            ),
            (
                "a value of another type",
                self.with("modify", values, value("speed", json!("fast"))),
                at(values),
                "type",
            ),
            (
                "an unknown characteristic",
                self.with("modify", values, value("colour", json!(1))),
                at(values),
                "colour",
            ),
            ("none of it", self.of(&[many]), format!("{items}[0].quantity"), "from 1"),
        ];
        if self.form == Form::ProductOrder {
            let mut item = self.add("1");
            item["productOffering"] = json!({ "id": "NONE" });
            rows.push((
                "an unknown offering",
                self.of(&[item]),
                format!("{items}[0].productOffering"),
                "no productOffering",
            ));
        }
        rows
    }

    /// What cannot be asked of an instance in its state, or while others need it.
    fn states(&self) -> Vec<Row> {
        let at = format!("{}[0].{}.id", self.form.items(), self.form.subject());
        let about =
            |action: &str, id: &str| self.of(&[self.item("1", action, json!({ "id": id }))]);
        let mut rows = vec![
            ("modify of what ended", about("modify", &self.ended), at.clone(), "order"),
            ("delete of what ended", about("delete", &self.ended), at.clone(), "order"),
            ("delete of what others need", about("delete", &self.needed), at, "end that"),
        ];
        if let Some(state) = self.form.state() {
            let path = format!("{}[0].{}.{state}", self.form.items(), self.form.subject());
            rows.push((
                "an end by its state",
                self.with("modify", state, json!("terminated")),
                path,
                "`delete`",
            ));
        }
        rows
    }

    async fn delivered(&self, customer: &str) -> String {
        let mut order = self.of(&[self.add("1")]);
        order["relatedParty"][0]["id"] = json!(customer);
        let done = self.done(&order).await;
        text(&done[self.form.items()][0][self.form.subject()]["id"])
    }

    async fn done(&self, order: &Value) -> Value {
        let answer = self.world.http.post(path(self.order), order).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let id = text(&answer.body["id"]);
        self.world.completed(&id).await;
        self.world.order(self.order, &id).await
    }

    /// Holds that an order is refused, at the door or when it is planned.
    async fn refused(&self, order: &Value, at: &str, advice: &str) -> Result<(), String> {
        let answer = self.world.http.post(path(self.order), order).await;
        let told = match answer.status {
            201 => {
                let id = text(&answer.body["id"]);
                let settled = self.world.settled(&id).await;
                let order = self.world.order(self.order, &id).await;
                if order["state"] != "rejected" {
                    return Err(format!("is {}: {settled}", order["state"]));
                }
                let errors = ["productOrderErrorMessage", "errorMessage"];
                errors.map(|name| order[name][0].clone()).into_iter().find(Value::is_object)
            }
            _ => Some(answer.body),
        };
        let told = told.ok_or("no error is told")?;
        let message = told["message"].as_str().unwrap_or_default();
        if told["referenceError"] == at && message.contains(advice) {
            return Ok(());
        }
        Err(format!("not `{at}` with `{advice}`: {told}"))
    }

    /// The inventories, with the values of pools, and the charges.
    async fn everything(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for resource in ["product", "service", "resource", "appliedCustomerBillingRate"] {
            all.extend(self.world.http.list(path(resource)).await);
        }
        all
    }
}
