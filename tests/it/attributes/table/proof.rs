//! How it shows that an attribute is acted on. An attribute without a proof fails the test, so a new
//! row of the table has to come with one.

use model::order::Form;
use model::order::attributes::Part;
use serde_json::{Value, json};

use super::Asked;

/// A date that no test lives to see.
pub(super) const FAR: &str = "2999-01-01T00:00:00.000Z";

/// The evidence that an attribute has an effect.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// The instance shows this at a path, when this was sent.
    Shown(Value, &'static str, Value),
    /// A rule or a step read this customer, when this was sent.
    Read(Value, String),
    /// This cannot be, which is told at a path below what holds the attribute.
    Refused(Value, String),
    /// Nothing is done for now, and all of it can be cancelled.
    Waits(Value),
}

/// What is there to refer to.
pub(super) struct There {
    /// An order that does not begin for now.
    pub(super) waiting: String,
    /// An instance that nothing else is about.
    pub(super) other: String,
    /// A customer that nothing else names.
    pub(super) customer: String,
}

/// The proofs that an attribute is acted on.
pub(super) fn proofs(
    form: Form,
    part: Part,
    name: &str,
    asked: Asked,
    there: &There,
) -> Vec<Proof> {
    let found = match part {
        Part::Order => of_order(form, name, asked, there),
        Part::Item => of_item(form, name, asked),
        Part::Instance => of_instance(form, name, asked, there),
    };
    assert!(
        !found.is_empty(),
        "{form:?} {part:?} `{name}` {asked:?}: no proof that it is acted on"
    );
    found
}

fn shown(sent: Value, at: &'static str, is: impl Into<Value>) -> Proof {
    Proof::Shown(sent, at, is.into())
}

fn refused(sent: impl Into<Value>, at: &str) -> Proof {
    Proof::Refused(sent.into(), at.into())
}

fn of_order(form: Form, name: &str, asked: Asked, there: &There) -> Vec<Proof> {
    match name {
        "billingAccount" => vec![shown(account("ACC-ORDER"), "/billingAccount/id", "ACC-ORDER")],
        "orderRelationship" => {
            let to = |id: &str| json!([{ "relationshipType": "dependency", "id": id }]);
            vec![refused(to("NONE"), "orderRelationship[0].id"), Proof::Waits(to(&there.waiting))]
        }
        "quote" => vec![refused(json!([{ "id": "NONE" }]), "quote[0].id")],
        "relatedParty" => {
            let id = &there.customer;
            let sent = json!([{ "id": id, "role": "Customer", "@referredType": "Customer" }]);
            match asked {
                Asked::Add => vec![
                    shown(sent.clone(), "/relatedParty/0/id", id.as_str()),
                    Proof::Read(sent, id.clone()),
                ],
                Asked::Modify => vec![Proof::Read(sent, id.clone())],
                Asked::Suspend | Asked::Resume | Asked::Delete | Asked::NoChange => {
                    vec![refused("none", "relatedParty")]
                }
            }
        }
        "requestedCompletionDate" => vec![refused("soon", name)],
        "requestedInitialState" => vec![refused("draft", name)],
        "requestedStartDate" => vec![refused("soon", name), Proof::Waits(json!(FAR))],
        name if name == form.items() => vec![refused("none", name)],
        _ => Vec::new(),
    }
}

fn of_item(form: Form, name: &str, asked: Asked) -> Vec<Proof> {
    let is_new = asked == Asked::Add;
    match name {
        "id" => vec![refused("", name)],
        "action" => vec![refused("remove", name)],
        "billingAccount" => vec![shown(account("ACC-SENT"), "/billingAccount/id", "ACC-SENT")],
        // The catalog counts, where no quote was agreed.
        "itemPrice" => vec![shown(prices(), "/productPrice/0/price/dutyFreeAmount/value", 10.0)],
        "itemTerm" => {
            vec![shown(
                json!([{ "name": "12 months" }]),
                "/productTerm/name=12 months/name",
                "12 months",
            )]
        }
        "productOffering" => vec![
            shown(json!({ "id": "PO-LINE" }), "/productOffering/id", "PO-LINE"),
            refused(json!({ "id": "PO-NONE" }), name),
        ],
        "resourceSpecification" => vec![
            shown(json!({ "id": "RS-LINE" }), "/resourceSpecification/id", "RS-LINE"),
            refused(json!({ "id": "RS-NONE" }), "resource.resourceSpecification"),
        ],
        "quantity" if form == Form::ProductOrder => {
            vec![shown(json!(3), "/productPrice/0/price/dutyFreeAmount/value", 30.0)]
        }
        "quantity" => vec![refused(2, name)],
        "quoteItem" => {
            let none = json!({ "quoteId": "NONE", "quoteItemId": "1" });
            vec![refused(none, "quoteItem.quoteId")]
        }
        name if name == form.subject() => vec![refused("none", name)],
        name if name == form.relations() => {
            let to = match form {
                Form::ProductOrder => json!({ "id": "NONE" }),
                _ => json!({ "orderItem": { "itemId": "NONE" } }),
            };
            let mut relation = to;
            relation["relationshipType"] = json!("dependency");
            vec![refused(json!([relation]), &format!("{name}[0]"))]
        }
        name if name == form.items() => {
            let mut nested = json!({ "id": "1.1", "action": "add" });
            let mut proofs = Vec::new();
            if is_new && form == Form::ProductOrder {
                nested["productOffering"] = json!({ "id": "PO-PART" });
                let sent = json!([nested]);
                proofs.push(shown(sent, "/productRelationship/0/relationshipType", "bundles"));
            }
            nested["action"] = json!("remove");
            nested[form.subject()] = json!({ "name": "part" });
            proofs.push(refused(json!([nested]), &format!("{name}[0].action")));
            proofs
        }
        _ => Vec::new(),
    }
}

fn of_instance(form: Form, name: &str, asked: Asked, there: &There) -> Vec<Proof> {
    let is_new = asked == Asked::Add;
    match name {
        "id" if is_new => vec![shown(json!(there.own(form)), "/id", there.own(form))],
        "id" => vec![refused("NONE", name)],
        "billingAccount" => vec![shown(account("ACC-SENT"), "/billingAccount/id", "ACC-SENT")],
        "place" => {
            let place = json!({ "id": "HOME-SENT", "role": "installation", "name": "1 Oak Lane" });
            match form {
                Form::ResourceOrder => vec![shown(place, "/place/id", "HOME-SENT")],
                _ => vec![shown(json!([place]), "/place/0/id", "HOME-SENT")],
            }
        }
        "relatedParty" => {
            let sent = json!([{ "id": "U-SENT", "role": "user", "@referredType": "Individual" }]);
            vec![shown(sent, "/relatedParty/0/id", "U-SENT")]
        }
        "productOffering" => {
            vec![shown(json!({ "id": "PO-LINE" }), "/productOffering/id", "PO-LINE")]
        }
        "startDate" | "startOperatingDate" => vec![refused("soon", name), Proof::Waits(json!(FAR))],
        "terminationDate" | "endDate" | "endOperatingDate" => {
            vec![refused("soon", name), Proof::Waits(json!(FAR))]
        }
        "status" | "state" => vec![refused("terminated", name)],
        name if name == form.characteristics() => {
            let sent =
                |value: u8| json!([{ "name": "speed", "valueType": "number", "value": value }]);
            let at = match form {
                Form::ProductOrder => "/productCharacteristic/name=speed/value",
                Form::ServiceOrder => "/serviceCharacteristic/name=speed/value",
                _ => "/resourceCharacteristic/name=speed/value",
            };
            let mut proofs = vec![shown(sent(2), at, 2), refused("none", name)];
            if form == Form::ProductOrder {
                proofs.push(refused(sent(99), name));
            }
            proofs
        }
        name if name == form.spec() => {
            let (sent, at) = match form {
                Form::ProductOrder => ("PS-LINE", "/productSpecification/id"),
                Form::ServiceOrder => ("CFS-LINE", "/serviceSpecification/id"),
                _ => ("RS-LINE", "/resourceSpecification/id"),
            };
            vec![shown(json!({ "id": sent }), at, sent), refused(json!({ "id": "NONE" }), name)]
        }
        "productRelationship" | "serviceRelationship" | "resourceRelationship" => {
            let subject = form.subject();
            let to = |id: &str| {
                let mut relation = json!({ "relationshipType": "reliesOn" });
                relation[subject] = json!({ "id": id });
                json!([relation])
            };
            let at = match form {
                Form::ProductOrder => "/productRelationship/relationshipType=reliesOn/product/id",
                Form::ServiceOrder => "/serviceRelationship/relationshipType=reliesOn/service/id",
                _ => "/resourceRelationship/relationshipType=reliesOn/resource/id",
            };
            vec![
                shown(to(&there.other), at, there.other.clone()),
                refused(to("NONE"), &format!("{name}[0].{subject}.id")),
            ]
        }
        _ => Vec::new(),
    }
}

impl There {
    /// An id that a client gives a new instance.
    fn own(&self, form: Form) -> String {
        format!("{}-of-{}", form.subject(), self.waiting)
    }
}

fn account(id: &str) -> Value {
    json!({ "id": id, "@referredType": "BillingAccount" })
}

fn prices() -> Value {
    json!([{ "name": "wished", "priceType": "recurring", "recurringChargePeriod": "month",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1.0 } } }])
}
