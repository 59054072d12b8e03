//! Sends orders in the words of a version, and reads what comes of them in those of the table.

use std::cell::Cell;

use model::order::Form;
use model::order::attributes::{Does, Part, attributes};
use model::plan::Action;
use serde_json::{Value, json};
use tmf::table;
use tmf::version::Version;
use tmf::version::View;

use super::Asked;
use super::check;
use super::proof::{FAR, Proof};
use crate::world::{Answer, World, text};

/// The result of an order that was carried out.
pub(super) struct Done {
    /// The order as it is read afterwards.
    pub(super) order: Value,
    /// What it was about.
    pub(super) instance: Value,
}

/// A client of one kind of orders.
pub(super) struct Sender<'a> {
    world: &'a World,
    pub(super) form: Form,
    pub(super) version: Version,
    view: View,
    speed: Cell<u8>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(world: &'a World, form: Form, version: Version) -> Self {
        let name = resource(form);
        let found = table::APIS.iter().find_map(|api| {
            let resource = api.resources.iter().find(|resource| resource.name == name)?;
            Some(View { api, resource, version })
        });
        let view = found.expect("orders are served");
        Self { world, form, version, view, speed: Cell::new(1) }
    }

    /// What the description of the API has otherwise than the table about attributes at the top.
    pub(super) async fn described(&self) -> Vec<String> {
        let version = if self.version == Version::V5 { "/v5" } else { "" };
        let path = format!("/tmf-api/{}{version}/openapi.json", self.view.api.number);
        let document = self.world.http.get(&path).await;
        let own = if self.version == Version::V5 { "v5" } else { "" };
        let (number, shape) = (self.view.api.number, self.view.resource.shape);
        let create = format!("TMF{number}{own}_{shape}_Create");
        let properties = &document["components"]["schemas"][create]["properties"];
        let mut faults = Vec::new();
        for row in attributes(self.form, Part::Order) {
            let described = &properties[self.view.shown_path(row.name)]["x-order"];
            let actions = [Action::Add, Action::Modify, Action::Delete, Action::NoChange];
            let is_told =
                actions.iter().all(|action| described[action.as_str()] == row.does(*action).word());
            // Attributes of the server are not sent, and one version may lack those of the other.
            let is_left_out = described.is_null()
                && (row.add == Does::Derived
                    || self
                        .view
                        .types()
                        .object(self.view.shape())
                        .is_none_or(|shape| shape.attribute(row.name).is_none()));
            if !is_told && !is_left_out {
                faults.push(format!("{path} `{}`: {described}", row.name));
            }
        }
        faults
    }

    /// An order of one item that asks for nothing else.
    pub(super) fn order(&self, asked: Asked, instance: &str) -> Value {
        let (form, subject) = (self.form, self.form.subject());
        let mut item = json!({ "id": "1", "action": asked.action().as_str() });
        if asked == Asked::Add {
            let speed = json!([{ "name": "speed", "valueType": "number", "value": 1 }]);
            item[subject] = json!({ form.characteristics(): speed });
            match form {
                Form::ProductOrder => item["productOffering"] = json!({ "id": "PO-LINE" }),
                Form::ServiceOrder => item[subject][form.spec()] = json!({ "id": "CFS-LINE" }),
                _ => item[subject][form.spec()] = json!({ "id": "RS-LINE" }),
            }
        } else {
            item[subject] = json!({ "id": instance });
        }
        let state = match (asked, form) {
            (Asked::Suspend, Form::ProductOrder) => Some("suspended"),
            (Asked::Suspend, _) => Some("inactive"),
            (Asked::Resume, _) => Some("active"),
            (Asked::Add | Asked::Modify | Asked::NoChange | Asked::Delete, _) => None,
        };
        if let (Some(name), Some(state)) = (form.state(), state) {
            item[subject][name] = json!(state);
        }
        let customer = json!({ "id": "C-1", "role": "Customer", "@referredType": "Customer" });
        let mut order = json!({ "relatedParty": [customer], form.items(): [item] });
        if form == Form::ProductOrder && asked == Asked::Add {
            order["billingAccount"] = json!({ "id": "ACC-1" });
        }
        order
    }

    /// Gives an attribute of an order a value.
    pub(super) fn set(&self, order: &mut Value, part: Part, name: &str, value: Value) {
        let (items, subject) = (self.form.items(), self.form.subject());
        match part {
            Part::Order => order[name] = value,
            // A resource names its specification once.
            Part::Item
                if name == "resourceSpecification" && !order[items][0][subject].is_null() =>
            {
                order[items][0][name] = value;
                if let Some(fields) = order[items][0][subject].as_object_mut() {
                    fields.remove(name);
                }
            }
            Part::Item => order[items][0][name] = value,
            Part::Instance => order[items][0][subject][name] = value,
        }
    }

    /// Asks for another speed than the instance has.
    pub(super) fn faster(&self, order: &mut Value) {
        self.speed.set(self.speed.get() % 3 + 1);
        let speed = json!([{ "name": "speed", "valueType": "number", "value": self.speed.get() }]);
        self.set(order, Part::Instance, self.form.characteristics(), speed);
    }

    /// The path in this version of a path below a part of the one item.
    pub(super) fn path(&self, part: Part, at: &str) -> String {
        let (items, subject) = (self.form.items(), self.form.subject());
        let path = match part {
            Part::Order => at.to_string(),
            Part::Item => format!("{items}[0].{at}"),
            Part::Instance => format!("{items}[0].{subject}.{at}"),
        };
        self.view.shown_path(&path)
    }

    async fn post(&self, order: &Value) -> Answer {
        let body = self.view.shown(order.clone());
        self.world.http.post(&self.view.path(), &body).await
    }

    /// The order as it is read in this version, in the words of the table.
    async fn order_of(&self, id: &str) -> Value {
        let seen = self.world.http.get(&format!("{}/{id}", self.view.path())).await;
        self.view.kept(seen)
    }

    /// Holds that an order is refused by a path: at the door, or when its items are looked at.
    pub(super) async fn refused(&self, order: &Value, path: &str) -> Result<(), String> {
        let answer = self.post(order).await;
        if matches!(answer.status, 400 | 422) {
            let told = &answer.body;
            let is_told = told["referenceError"] == path && told["message"].is_string();
            return if is_told { Ok(()) } else { Err(format!("not `{path}`: {}", answer.text)) };
        }
        let id = text(&answer.body["id"]);
        self.world.settled(&id).await;
        let order = self.order_of(&id).await;
        let errors = ["productOrderErrorMessage", "errorMessage"].map(|name| &order[name][0]);
        let is_told = errors.iter().any(|error| error["referenceError"] == path);
        if order["state"] == "rejected" && is_told {
            return Ok(());
        }
        Err(format!("not refused at `{path}`: {} {errors:?} {answer:?}", order["state"]))
    }

    /// Has an order carried out.
    pub(super) async fn done(&self, order: &Value) -> Result<Done, String> {
        let answer = self.post(order).await;
        if answer.status != 201 {
            return Err(format!("not taken: {} of {order}", answer.text));
        }
        let id = text(&answer.body["id"]);
        let settled = self.world.settled(&id).await;
        if settled["state"] != "completed" {
            return Err(format!("not completed: {settled}"));
        }
        let order = self.order_of(&id).await;
        let instance = text(&order[self.form.items()][0][self.form.subject()]["id"]);
        let instance = self.read(&instance).await;
        Ok(Done { order, instance })
    }

    /// Has an order carried out that shows an effect.
    pub(super) async fn effect(&self, order: &Value, proof: &Proof) -> Result<(), String> {
        let done = self.done(order).await?;
        let Proof::Read(_, by) = proof else { return check::shown(proof, &done.instance) };
        let (resource, list) = match self.form {
            Form::ResourceOrder => ("resource", "resourceCharacteristic"),
            _ => ("service", "serviceCharacteristic"),
        };
        let read = |row: &Value| {
            let all = row[list].as_array();
            all.into_iter().flatten().any(|one| one["name"] == "by" && one["value"] == *by)
        };
        let rows = self.world.http.list(tmf::table::path(resource)).await;
        match rows.iter().any(read) {
            true => Ok(()),
            false => Err(format!("no {resource} is of `{by}`")),
        }
    }

    /// Holds that nothing is done for an order, and that nothing stays of it when it is cancelled.
    pub(super) async fn waits(
        &self,
        order: &Value,
        instance: &str,
        asked: Asked,
    ) -> Result<(), String> {
        let (made, before) = (self.made().await, self.read(instance).await);
        let answer = self.post(order).await;
        if answer.status != 201 {
            return Err(answer.text);
        }
        let id = text(&answer.body["id"]);
        let waiting = self.order_of(&id).await;
        if waiting["state"] != "pending" {
            return Err(format!("is `{}`: {}", waiting["state"], answer.text));
        }
        let now = self.read(instance).await;
        let state = self.form.state().unwrap_or("resourceStatus");
        let is_as_before = now[state] == before[state]
            || (asked == Asked::Delete && now[state] == "pendingTerminate");
        if self.made().await != made || !is_as_before {
            return Err(format!("something is done: {now}"));
        }
        self.cancel(&id).await;
        let now = self.read(instance).await;
        match check::differs(&before, &now, &[]) {
            None if self.made().await == made => Ok(()),
            found => Err(format!("cancelled, and something stays: {found:?}")),
        }
    }

    async fn cancel(&self, id: &str) {
        let (task, order) = match self.form {
            Form::ServiceOrder => ("cancelServiceOrder", "serviceOrder"),
            Form::ResourceOrder => ("cancelResourceOrder", "resourceOrder"),
            _ => ("cancelProductOrder", "productOrder"),
        };
        let body = json!({ order: { "id": id } });
        let answer = self.world.http.post(tmf::table::path(task), &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let story = self.world.ended(id).await;
        assert_eq!(story.end, "cancelled", "{story}");
    }

    /// Instances that exist as an effect of an order.
    async fn made(&self) -> Vec<String> {
        let mut made = Vec::new();
        for resource in ["service", "resource"] {
            let rows = self.world.http.list(tmf::table::path(resource)).await;
            made.extend(rows.iter().map(|row| text(&row["id"])));
        }
        made
    }

    /// A new order that does not begin for now.
    pub(super) async fn waiting(&self) -> String {
        let mut order = self.order(Asked::Add, "");
        order["requestedStartDate"] = json!(FAR);
        let answer = self.post(&order).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        text(&answer.body["id"])
    }

    pub(super) async fn instance(&self) -> String {
        let done = self.done(&self.order(Asked::Add, "")).await;
        text(&done.unwrap_or_else(|fault| panic!("{fault}")).instance["id"])
    }

    /// An instance as the inventory has it.
    pub(super) async fn read(&self, id: &str) -> Value {
        let path = tmf::table::path(self.form.subject());
        self.world.http.get(&format!("{path}/{id}")).await
    }

    pub(super) async fn inventories(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for resource in ["product", "service", "resource"] {
            all.extend(self.world.http.list(tmf::table::path(resource)).await);
        }
        all
    }
}

fn resource(form: Form) -> &'static str {
    match form {
        Form::ServiceOrder => "serviceOrder",
        Form::ResourceOrder => "resourceOrder",
        _ => "productOrder",
    }
}
