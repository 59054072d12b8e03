//! Every operation of every resource of the API definitions, against the server: each answer
//! is validated by the definition's own schema. The definitions lie beside the repository; without
//! them the test is skipped, and in `.ci/run` it fails.

mod definition;
mod sample;

use serde_json::{Value, json};
use tmf::resource::Served;
use tmf::table;
use tmf::version::Version;
use tmf::version::View;

use crate::world::{World, eventually, pack_order, with_characteristic};
use definition::{Definition, Operation, Resource};

/// A service and a resource whose orders are held, and so stay open: a rule of the one reads a
/// characteristic that is not given, and no rule delivers the other.
const HELD_SERVICE: &str = "CFS-INTERNET-ACCESS";
const HELD_RESOURCE: &str = "RS-VLAN";

/// What went wrong, by operation: all of it is told at once.
#[derive(Default)]
struct Findings(Vec<String>);

/// A walk over one API.
struct Walk<'a> {
    world: &'a World,
    definition: &'a Definition,
    findings: Findings,
    operations: usize,
}

#[tokio::test]
async fn every_answer_is_as_the_definitions_say() {
    walk(Version::V4, 200).await;
}

#[tokio::test]
async fn every_answer_is_as_the_definitions_of_version_5_say() {
    walk(Version::V5, 120).await;
}

async fn walk(version: Version, operations_min: usize) {
    let Some(definitions) = definition::all(version) else { return };
    let world = World::start().await;
    let mut findings = Findings::default();
    let mut operations = 0;
    for definition in &definitions {
        let mut walk =
            Walk { world: &world, definition, findings: Findings::default(), operations: 0 };
        for resource in &definition.resources {
            walk.resource(resource).await;
        }
        operations += walk.operations;
        findings.0.extend(walk.findings.0);
    }
    assert!(findings.0.is_empty(), "{} findings:\n{}", findings.0.len(), findings.0.join("\n"));
    assert!(operations >= operations_min, "only {operations} operations were walked");
}

/// The check that the walk relies on: a document that deviates from the definition is found.
#[test]
fn deviations_from_the_definition_are_found() {
    let Some(definitions) = definition::all(Version::V5) else { return };
    let inventory = definitions.iter().find(|definition| definition.number == 637).unwrap();
    let party = json!({ "@type": "PartyRef", "id": "1" });
    let related = json!({ "@type": "RelatedPartyOrPartyRole", "partyOrPartyRole": party });
    let value = json!({ "@type": "StringCharacteristic", "name": "a", "value": "b" });
    let good = json!({ "@type": "Product", "id": "1", "status": "active",
        "relatedParty": [related], "productCharacteristic": [value] });
    inventory.check("Product", &good).unwrap();
    let changes = [
        ("", "@type", Value::Null),
        ("", "@type", json!("Service")),
        ("", "status", json!("gone")),
        ("", "creationDate", json!("yesterday")),
        ("", "isBundle", json!("true")),
        ("/relatedParty/0", "@type", json!("RelatedParty")),
        ("/relatedParty/0/partyOrPartyRole", "id", Value::Null),
        ("/relatedParty/0/partyOrPartyRole", "@type", Value::Null),
        ("/productCharacteristic/0", "value", json!(1)),
    ];
    for (at, name, value) in changes {
        let mut bad = good.clone();
        let fields = bad.pointer_mut(at).unwrap().as_object_mut().unwrap();
        fields.insert(name.into(), value);
        fields.retain(|_, value| !value.is_null());
        assert!(inventory.check("Product", &bad).is_err(), "{bad}");
    }
}

/// Whether what is created is activated in the network.
fn is_activated(resource: &Resource) -> bool {
    resource.path.contains("ActivationAndConfiguration")
}

impl Walk<'_> {
    /// Creates, reads, lists, changes and removes one, as far as the definition has it.
    async fn resource(&mut self, resource: &Resource) {
        let id = match resource.find(Operation::Create) {
            Some(_) => self.create(resource).await,
            None => self.first(resource).await,
        };
        self.list(resource).await;
        let Some(id) = id else { return };
        self.get(resource, &id).await;
        self.patch(resource, &id).await;
        self.delete(resource, &id).await;
        self.missing(resource).await;
    }

    async fn create(&mut self, resource: &Resource) -> Option<String> {
        let body = self.body(resource).await?;
        let answer = self.world.http.post(&resource.path, &body).await;
        if answer.status != 201 && answer.status != 200 {
            self.found(resource, "POST", &format!("{} {} for {body}", answer.status, answer.text));
            return None;
        }
        self.valid(resource, Operation::Create, &answer.body);
        for name in ["id", "href"] {
            if answer.body[name].as_str().is_none_or(str::is_empty) {
                self.found(resource, "POST", &format!("no {name} in {}", answer.body));
            }
        }
        Some(answer.body["id"].as_str().unwrap_or_default().to_string())
    }

    /// What is sent to create one: for an order one that is real, else what the schema allows, with
    /// references to what is there.
    async fn body(&self, resource: &Resource) -> Option<Value> {
        let schema = resource.create_schema.as_ref()?;
        let view = self.view(resource);
        let mut body = sample::of(self.definition, &view, schema);
        let real = match view.resource.key {
            "productOrder" => return Some(view.shown(pack_order("superfibre/gpon"))),
            "serviceOrder" => {
                let service = json!({ "serviceSpecification": { "id": HELD_SERVICE } });
                let item = json!({ "id": "1", "action": "add", "service": service });
                return Some(view.shown(json!({ "serviceOrderItem": [item] })));
            }
            "resourceOrder" => {
                let resource = json!({ "resourceSpecification": { "id": HELD_RESOURCE } });
                let item = json!({ "id": "1", "action": "add", "resource": resource });
                return Some(json!({ "orderItem": [item] }));
            }
            "quote" => {
                let offering = json!({ "id": "PO-SF200H", "@referredType": "ProductOffering" });
                json!({ "quoteItem": [{ "id": "1", "action": "add", "quantity": 1,
                    "productOffering": offering, "product": {} }] })
            }
            "productOfferingQualification" => {
                let offering = json!({ "id": "PO-SF200H", "@referredType": "ProductOffering" });
                let item = json!({ "id": "1", "productOffering": offering });
                json!({ "productOfferingQualificationItem": [item] })
            }
            // Criteria are half of what is looked for: what is sent whole is wanted whole below them.
            "queryProductOfferingQualification" => json!({ "searchCriteria": { "id": "1" } }),
            "checkServiceQualification" => {
                let service = json!({ "serviceSpecification": { "id": "CFS-Internet" } });
                json!({ "serviceQualificationItem": [{ "id": "1", "service": service }] })
            }
            "processFlow" => json!({ "processFlowSpecification": "six-steps" }),
            // Only specifications that a pack delivers can be activated.
            "service" if is_activated(resource) => json!({
                "state": "active",
                "serviceSpecification": { "id": "RFS-GPON-BEARER" },
                "serviceCharacteristic": [
                    { "name": "downMbps", "value": 200 }, { "name": "upMbps", "value": 20 },
                ],
            }),
            "resource" if is_activated(resource) => json!({
                "resourceSpecification": { "id": "RS-BW-POLICY" },
                "resourceCharacteristic": [
                    { "name": "down", "value": 200 }, { "name": "up", "value": 20 },
                ],
            }),
            _ => json!({}),
        };
        for (name, value) in view.shown(real).as_object().unwrap() {
            body[name] = value.clone();
        }
        for reference in view.resource.references {
            let id = self.target(reference.to[0]).await;
            sample::refer(&mut body, &view.shown_path(reference.path), &id);
        }
        Some(body)
    }

    /// The resource as the server has it.
    fn view(&self, resource: &Resource) -> View {
        let api = table::APIS.iter().find(|api| api.number == self.definition.number).unwrap();
        let other = match self.definition.version {
            Version::V4 => Served::V5,
            Version::V5 => Served::V4,
        };
        let views = api
            .resources
            .iter()
            .filter(|resource| resource.served != other)
            .map(|resource| View { api, resource, version: self.definition.version });
        let name = resource.path.rsplit('/').next().unwrap_or_default();
        views.into_iter().find(|view| view.name() == name).unwrap()
    }

    /// The id of a document that can be referred to.
    async fn target(&self, key: &str) -> String {
        let order = json!({ "id": "1", "action": "add", "service": {
            "serviceSpecification": { "id": HELD_SERVICE },
        }});
        let body = match key {
            "individual" => json!({ "givenName": "Ann", "familyName": "Walker" }),
            "productOrder" => {
                let mut order = pack_order("mobile-4g/port-in");
                with_characteristic(&mut order, "portWindow", &json!("2031-12-01T02:00:00Z"));
                order
            }
            "serviceOrder" => json!({ "serviceOrderItem": [order] }),
            "resourceOrder" => {
                let resource = json!({ "resourceSpecification": { "id": HELD_RESOURCE } });
                json!({ "orderItem": [{ "id": "1", "action": "add", "resource": resource }] })
            }
            "productStock" => json!({
                "productStockStatusType": "available",
                "productStockLevel": { "amount": 5.0, "units": "units walked" },
                "stockedProduct": { "name": "router" },
            }),
            _ => json!({
                "name": "walked",
                "relatedParty": [{ "id": "p", "name": "Ann", "role": "owner" }],
            }),
        };
        let answer = self.world.http.post(tmf::table::path(key), &body).await;
        assert_eq!(answer.status, 201, "{key}: {}", answer.text);
        answer.body["id"].as_str().unwrap().to_string()
    }

    /// The id of a document that is there already.
    async fn first(&mut self, resource: &Resource) -> Option<String> {
        let answer = self.send("GET", &format!("{}?limit=1", resource.path), None).await;
        answer.body[0]["id"].as_str().map(str::to_string)
    }

    async fn list(&mut self, resource: &Resource) {
        if resource.find(Operation::List).is_none() {
            return;
        }
        for query in ["", "?limit=1&offset=0", "?fields=id,href", "?sort=-id"] {
            let answer = self.send("GET", &format!("{}{query}", resource.path), None).await;
            if answer.status != 200 || !answer.headers.contains_key("x-total-count") {
                self.found(resource, "GET all", &format!("{query}: {}", answer.status));
            }
            if query.is_empty() {
                self.valid(resource, Operation::List, &answer.body);
            }
        }
    }

    async fn get(&mut self, resource: &Resource, id: &str) {
        if resource.find(Operation::Get).is_none() {
            return;
        }
        let answer = self.send("GET", &format!("{}/{id}", resource.path), None).await;
        if answer.status != 200 || !answer.headers.contains_key("etag") {
            self.found(resource, "GET", &format!("{}: {}", answer.status, answer.text));
        }
        self.valid(resource, Operation::Get, &answer.body);
        let few = self.send("GET", &format!("{}/{id}?fields=href", resource.path), None).await;
        let names: Vec<String> =
            few.body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
        if !names.iter().all(|name| ["id", "href", "@type"].contains(&name.as_str())) {
            self.found(resource, "GET", &format!("`fields=href` answers {names:?}"));
        }
    }

    async fn patch(&mut self, resource: &Resource, id: &str) {
        if resource.find(Operation::Patch).is_none() {
            return;
        }
        let patch = json!({ "description": "walked" });
        let answer = self.send("PATCH", &format!("{}/{id}", resource.path), Some(&patch)).await;
        if answer.status != 200 {
            self.found(resource, "PATCH", &format!("{}: {}", answer.status, answer.text));
            return;
        }
        self.valid(resource, Operation::Patch, &answer.body);
    }

    async fn delete(&mut self, resource: &Resource, id: &str) {
        if resource.find(Operation::Delete).is_none() {
            return;
        }
        let path = format!("{}/{id}", resource.path);
        let mut answer = self.send("DELETE", &path, None).await;
        if answer.status == 409 {
            // A running request is cancelled first, and removed when it has ended.
            self.send("PATCH", &path, Some(&json!({ "state": "cancelled" }))).await;
            let http = &self.world.http;
            answer = eventually("it can be removed", async || {
                let answer = http.send("DELETE", &path, &[], "").await.unwrap();
                (answer.status != 409).then_some(answer)
            })
            .await;
        }
        if answer.status != 204 {
            self.found(resource, "DELETE", &format!("{}: {}", answer.status, answer.text));
            return;
        }
        if is_activated(resource) {
            // It is removed when the network has let it go.
            let http = &self.world.http;
            return eventually("it is gone", async || {
                let answer = http.send("GET", &path, &[], "").await.unwrap();
                (answer.status == 404).then_some(())
            })
            .await;
        }
        let gone = self.send("GET", &path, None).await;
        if gone.status != 404 {
            self.found(resource, "DELETE", &format!("it is still there: {}", gone.status));
        }
    }

    /// An unknown id is not found, with an error body that matches the definition.
    async fn missing(&mut self, resource: &Resource) {
        if resource.find(Operation::Get).is_none() {
            return;
        }
        let answer = self.send("GET", &format!("{}/no-such-id", resource.path), None).await;
        if answer.status != 404 {
            self.found(resource, "GET none", &answer.status.to_string());
        }
        if let Err(wrong) = self.definition.check("Error", &answer.body) {
            self.found(resource, "GET none", &wrong);
        }
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> crate::world::Answer {
        let headers: &[(&str, &str)] = match body {
            Some(_) => &[("content-type", "application/merge-patch+json")],
            None => &[],
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        self.world.http.send(method, path, headers, body).await.unwrap()
    }

    fn valid(&mut self, resource: &Resource, operation: Operation, body: &Value) {
        self.operations += 1;
        let Some(schema) = resource.find(operation).and_then(|found| found.as_ref()) else {
            return;
        };
        if let Err(wrong) = self.definition.check_against(schema, body) {
            self.found(resource, &format!("{operation:?}"), &wrong);
        }
    }

    fn found(&mut self, resource: &Resource, what: &str, wrong: &str) {
        let wrong: String = wrong.chars().take(600).collect();
        let (file, path) = (&self.definition.file, &resource.path);
        self.findings.0.push(format!("{file} {what} {path}: {wrong}"));
    }
}
