//! What follows from a service or resource that is activated directly (TMF640, 702): a monitor
//! that shows how far it is, and the instance itself from the moment it is asked for.

use serde_json::{Value, json};

use super::{Changes, Document, href};
use crate::activation::LINE;
use crate::fulfilment::{Fault, Fulfilment, Phase};
use crate::id::ItemId;
use crate::journal::{Activation, End, Kind};
use crate::order::Form;
use crate::outcome::FailureClass;
use crate::plan::{Action, Item};

/// What is activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Service,
    Resource,
}

impl Subject {
    fn form(self) -> Form {
        match self {
            Self::Service => Form::ServiceOrder,
            Self::Resource => Form::ResourceOrder,
        }
    }

    fn monitor(self) -> &'static str {
        match self {
            Self::Service => "serviceMonitor",
            Self::Resource => "resourceMonitor",
        }
    }

    /// The attribute that is its state, with what it is before it is active and when it never was.
    fn states(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Service => ("state", "designed", "terminated"),
            Self::Resource => ("resourceStatus", "reserved", "available"),
        }
    }
}

impl Fulfilment {
    /// The instance that is activated directly: its resource and its id; nothing where an order
    /// came in.
    pub fn activated(&self) -> Option<(&'static str, String)> {
        let (_, subject) = self.activating()?;
        let own = self.asked_for(subject.form()).get("id").and_then(Value::as_str);
        let id = own.map(str::to_string).unwrap_or_else(|| match subject {
            Subject::Resource => self.resource_id(LINE, 0),
            Subject::Service => format!("{}-s{LINE}", self.id()),
        });
        Some((subject.form().subject(), id))
    }

    fn activating(&self) -> Option<(&Activation, Subject)> {
        let subject = match self.kind() {
            Kind::ServiceOrder => Subject::Service,
            Kind::ResourceOrder => Subject::Resource,
            Kind::ProductOrder | Kind::Run { .. } => return None,
        };
        Some((self.activation().map(|activation| &**activation)?, subject))
    }

    /// The instance as the request describes it.
    fn asked_for(&self, form: Form) -> &Value {
        const NOTHING: &Value = &Value::Null;
        let item = self.document().get(form.items()).and_then(|items| items.get(0));
        item.and_then(|item| item.get(form.subject())).unwrap_or(NOTHING)
    }

    fn action(&self, form: Form) -> Option<Action> {
        let item = self.document().get(form.items()).and_then(|items| items.get(0));
        Action::parse(item?.get("action")?.as_str()?)
    }

    /// The attributes of an instance that the request sets, besides those that follow from the work.
    pub(super) fn as_asked(&self, item: &Item, body: &mut Value) {
        if let (Some((request, _)), true) = (self.activating(), self.is_line(item))
            && let Some(fields) = body.as_object_mut()
        {
            fields.extend(request.attributes.clone());
        }
    }

    /// A new instance stands in the inventory from the moment it is asked for.
    pub(super) fn asked(&self, changes: &mut Changes) {
        if let Some((_, subject)) = self.activating()
            && self.action(subject.form()) == Some(Action::Add)
        {
            let (_, state, _) = subject.states();
            changes.documents.extend(self.instance(subject, state));
        }
    }

    /// The request has come to an end: what was never activated is no more, and what was to be
    /// removed is.
    pub(super) fn settled(&self, changes: &mut Changes) {
        let (Some((request, subject)), Phase::Ended(end, _)) = (self.activating(), self.phase())
        else {
            return;
        };
        match (self.action(subject.form()), end) {
            (Some(Action::Add), End::Failed | End::Rejected | End::Cancelled) => {
                let (_, _, state) = subject.states();
                changes.documents.extend(self.instance(subject, state));
            }
            (Some(Action::Delete), End::Completed | End::Partial) if request.method == "DELETE" => {
                changes.removed.extend(self.activated());
            }
            (Some(Action::Add | Action::Modify | Action::Delete | Action::NoChange) | None, _) => {}
        }
    }

    /// The new instance while it is not active.
    fn instance(&self, subject: Subject, state: &str) -> Option<Document> {
        let (resource, id) = self.activated()?;
        let (form, (attribute, ..)) = (subject.form(), subject.states());
        let (request, asked) = (self.activating()?.0, self.asked_for(form));
        let spec = &asked[form.spec()];
        let name = ["name", "id"].iter().find_map(|name| spec.get(*name)?.as_str());
        let mut body = json!({ "name": name, "@type": super::capitalised(resource) });
        if let (Some(fields), Some(asked)) = (body.as_object_mut(), asked.as_object()) {
            fields.extend(asked.iter().map(|(name, value)| (name.clone(), value.clone())));
            fields.extend(request.attributes.clone());
            fields.insert("id".into(), json!(id));
            fields.insert("href".into(), json!(href(resource, &id)));
            fields.insert(attribute.into(), json!(state));
            let own = match subject {
                Subject::Resource => json!({
                    "usageState": "idle",
                    "resourceOrderItem": [{
                        "resourceOrderId": self.id(),
                        "resourceOrderHref": href("resourceOrder", self.id().as_str()),
                        "itemId": LINE,
                    }],
                }),
                Subject::Service => json!({
                    "isServiceEnabled": false,
                    "serviceDate": self.submitted_at().to_string(),
                    "serviceOrderItem": [{
                        "serviceOrderId": self.id(),
                        "serviceOrderHref": href("serviceOrder", self.id().as_str()),
                        "itemId": LINE,
                        "itemAction": Action::Add.as_str(),
                        "@referredType": "ServiceOrderItem",
                    }],
                }),
            };
            fields.extend(own.as_object().cloned().unwrap_or_default());
        }
        Some(Document { resource, id, body })
    }

    /// The monitor of a request, as it stands now; it has the fulfilment's id.
    pub fn monitor(&self) -> Option<Document> {
        let (request, subject) = self.activating()?;
        let (instance, id) = self.activated()?;
        let resource = subject.monitor();
        let state = match self.order_state() {
            "completed" => "Completed",
            "held" | "failed" | "rejected" | "cancelled" | "partial" => "InError",
            _ => "InProgress",
        };
        let mut body = json!({
            "id": self.id(),
            "href": href(resource, self.id().as_str()),
            "sourceHref": href(instance, &id),
            "state": state,
            "request": {
                "method": request.method,
                "to": request.to,
                "body": request.body,
                "header": header(&request.content_type),
            },
            "@type": "Monitor",
        });
        if let Phase::Ended(end, _) = self.phase() {
            let (status, answer) = match end {
                End::Completed | End::Partial => (done(&request.method), self.delivered(&id)),
                End::Failed | End::Rejected | End::Cancelled => self.refused(),
            };
            body["response"] = json!({
                "statusCode": status,
                "body": answer.map(|answer| answer.to_string()).unwrap_or_default(),
                "header": header("application/json"),
            });
        }
        Some(Document { resource, id: self.id().to_string(), body })
    }

    /// The instance as it was delivered; nothing where it is no more.
    fn delivered(&self, id: &str) -> Option<Value> {
        let index = self.plan().items.iter().position(|item| self.is_line(item))?;
        let (item, line) = (&self.plan().items[index], ItemId::at(index));
        match (item.action, self.activating()?.1) {
            (Action::Delete, _) => None,
            (_, Subject::Resource) => {
                let mut own = self.active_resources(line).into_iter();
                own.find(|document| document.id == id).map(|document| document.body)
            }
            (_, Subject::Service) => Some(self.service(line, self.delivered_state(line)).body),
        }
    }

    /// The error that a request came to.
    fn refused(&self) -> (&'static str, Option<Value>) {
        let failures = self.failures();
        let Some(Fault { failure, .. }) = failures.first() else {
            let message = "the order was cancelled";
            return (
                "409",
                Some(json!({ "code": "409", "reason": "conflict", "message": message })),
            );
        };
        let status = match failure.class {
            FailureClass::Reject => "422",
            FailureClass::Retry | FailureClass::Operator => "500",
        };
        let error = json!({
            "code": failure.code,
            "reason": failure.code,
            "message": failure.message,
            "status": status,
            "@type": "Error",
        });
        (status, Some(error))
    }
}

/// The status of what was done.
fn done(method: &str) -> &'static str {
    match method {
        "POST" => "201",
        "DELETE" => "204",
        _ => "200",
    }
}

fn header(content_type: &str) -> Value {
    json!([{ "name": "content-type", "value": content_type }])
}
