//! The documents of a service or resource that is activated directly (TMF640, 702): a monitor that
//! shows its progress, and the instance itself from the moment it is asked for.

use tmf::document::monitor::{
    ErrorBody, HeaderItem, Monitor, MonitorState, MonitoredRequest, MonitoredResponse,
};
use tmf::document::order::{Items, Written};
use tmf::document::ordered::OrderLink;
use tmf::document::resource::{Resource, UsageState};
use tmf::document::service::Service;
use tmf::document::{Attributes, DateTime, Overlay, Rest, write};
use tmf::table::{OrderState, ResourceStatus, ServiceState};

use super::{Changes, Document, href};
use crate::activation::LINE;
use crate::fulfilment::{Fault, Fulfilment, Phase};
use crate::id::ItemId;
use crate::journal::{Activation, End, Kind};
use crate::order::Form;
use crate::outcome::FailureClass;
use crate::plan::{Action, Item};

/// The kind of instance that is activated.
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
}

/// The life of a new instance that is not active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inactive {
    /// It is not active yet.
    Asked,
    /// It failed, and never was.
    Failed,
}

impl Fulfilment {
    /// The instance that is activated directly: its resource and its id. `None` if an order came in.
    pub fn activated(&self) -> Option<(&'static str, String)> {
        let (_, subject) = self.activating()?;
        let own = self.asked_for(subject.form()).subject.text("id");
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
    fn asked_for(&self, form: Form) -> Written<'_> {
        let items = Items::of(Attributes::of(self.document()), form.names());
        items.and_then(|items| items.first()).unwrap_or_default()
    }

    fn action(&self, form: Form) -> Option<Action> {
        Action::parse(self.asked_for(form).item.text("action")?)
    }

    /// Writes the attributes of an instance that the request sets, besides those that follow from the
    /// work.
    pub(super) fn as_asked(&self, item: &Item, document: &mut Document) {
        if let (Some((request, _)), true) = (self.activating(), self.is_line(item))
            && let Some(mut fields) = Overlay::on(&mut document.body)
        {
            fields.extend(&request.attributes);
        }
    }

    /// A new instance is in the inventory from the moment it is asked for.
    pub(super) fn asked(&self, changes: &mut Changes) {
        if let Some((_, subject)) = self.activating()
            && self.action(subject.form()) == Some(Action::Add)
        {
            changes.documents.extend(self.instance(subject, Inactive::Asked));
        }
    }

    /// The request has ended: an instance that never was active has failed, and one that was to be
    /// removed is removed.
    pub(super) fn finished(&self, changes: &mut Changes) {
        let (Some((request, subject)), Phase::Ended(end, _)) = (self.activating(), self.phase())
        else {
            return;
        };
        match (self.action(subject.form()), end) {
            (Some(Action::Add), End::Failed | End::Rejected | End::Cancelled) => {
                changes.documents.extend(self.instance(subject, Inactive::Failed));
            }
            (Some(Action::Delete), End::Completed | End::Partial) if request.method == "DELETE" => {
                changes.removed.extend(self.activated());
            }
            (Some(Action::Add | Action::Modify | Action::Delete | Action::NoChange) | None, _) => {}
        }
    }

    /// The new instance while it is not active.
    fn instance(&self, subject: Subject, life: Inactive) -> Option<Document> {
        let (resource, id) = self.activated()?;
        let (form, request) = (subject.form(), self.activating()?.0);
        let asked = self.asked_for(form).subject;
        let spec = asked.within(form.spec());
        let name = ["name", "id"].iter().find_map(|name| spec.text(name)).map(str::to_owned);
        let kind = Some(super::capitalised(resource));
        let mut document = match subject {
            Subject::Resource => {
                let own = Resource { name, kind, ..Resource::default() };
                Document::new(resource, &id, &own)
            }
            Subject::Service => {
                let own = Service { name, kind, ..Service::default() };
                Document::new(resource, &id, &own)
            }
        };
        let own = match subject {
            Subject::Resource => write(&self.inactive_resource(&id, life)),
            Subject::Service => write(&self.inactive_service(&id, life)),
        };
        if let Some(mut fields) = Overlay::on(&mut document.body) {
            fields.show(asked, |_| true);
            fields.extend(&request.attributes);
            fields.show(Attributes::of(&own), |_| true);
        }
        Some(document)
    }

    fn inactive_resource(&self, id: &str, life: Inactive) -> Resource {
        Resource {
            id: Some(id.into()),
            href: Some(href("resource", id)),
            resource_status: Some(match life {
                Inactive::Asked => ResourceStatus::Reserved,
                Inactive::Failed => ResourceStatus::Available,
            }),
            usage_state: Some(UsageState::Idle),
            resource_order_item: Some(vec![OrderLink::of_resource(self.id().as_str(), LINE)]),
            ..Resource::default()
        }
    }

    fn inactive_service(&self, id: &str, life: Inactive) -> Service {
        let add = Action::Add.as_str();
        Service {
            id: Some(id.into()),
            href: Some(href("service", id)),
            state: Some(match life {
                Inactive::Asked => ServiceState::Designed,
                Inactive::Failed => ServiceState::Terminated,
            }),
            is_service_enabled: Some(false),
            service_date: Some(DateTime::from(self.submitted_at())),
            service_order_item: Some(vec![OrderLink::of_service(self.id().as_str(), LINE, add)]),
            ..Service::default()
        }
    }

    /// The monitor of a request, as it is now. It has the fulfilment's id.
    pub fn monitor(&self) -> Option<Document> {
        let (request, subject) = self.activating()?;
        let (instance, id) = self.activated()?;
        let resource = subject.monitor();
        let response = match self.phase() {
            Phase::Ended(end, _) => Some(self.response(request, *end, &id)),
            Phase::Submitted | Phase::Held(_) | Phase::Running | Phase::RollingBack(_) => None,
        };
        let body = Monitor {
            id: self.id().to_string(),
            href: Some(href(resource, self.id().as_str())),
            source_href: Some(href(instance, &id)),
            state: self.monitor_state(),
            request: MonitoredRequest {
                method: request.method.clone(),
                to: request.to.clone(),
                body: request.body.clone(),
                header: vec![HeaderItem::content_type(&request.content_type)],
                rest: Rest::new(),
            },
            response,
            kind: Some("Monitor".into()),
            rest: Rest::new(),
        };
        Some(Document::new(resource, self.id().as_str(), &body))
    }

    fn monitor_state(&self) -> MonitorState {
        match self.order_state() {
            OrderState::Completed => MonitorState::Completed,
            OrderState::Held
            | OrderState::Failed
            | OrderState::Rejected
            | OrderState::Cancelled
            | OrderState::Partial => MonitorState::InError,
            OrderState::Acknowledged
            | OrderState::InProgress
            | OrderState::Pending
            | OrderState::AssessingCancellation
            | OrderState::PendingCancellation => MonitorState::InProgress,
        }
    }

    /// The response that a request would have had.
    fn response(&self, request: &Activation, end: End, instance: &str) -> MonitoredResponse {
        let (status_code, body) = match end {
            End::Completed | End::Partial => {
                let body = self.delivered(instance).map(|delivered| delivered.body.to_string());
                (done(&request.method), body.unwrap_or_default())
            }
            End::Failed | End::Rejected | End::Cancelled => {
                let (status, error) = self.refused();
                (status, write(&error).to_string())
            }
        };
        MonitoredResponse {
            status_code: status_code.into(),
            body,
            header: vec![HeaderItem::content_type("application/json")],
            rest: Rest::new(),
        }
    }

    /// The instance as it was delivered; `None` if it is removed.
    fn delivered(&self, id: &str) -> Option<Document> {
        let index = self.plan().items.iter().position(|item| self.is_line(item))?;
        let (item, line) = (&self.plan().items[index], ItemId::at(index));
        match (item.action, self.activating()?.1) {
            (Action::Delete, _) => None,
            (_, Subject::Resource) => {
                self.active_resources(line).into_iter().find(|document| document.id == id)
            }
            (_, Subject::Service) => Some(self.service(line, self.delivered_state(line))),
        }
    }

    /// The error of a request that failed, with its status.
    fn refused(&self) -> (&'static str, ErrorBody) {
        let failures = self.failures();
        let Some(Fault { failure, .. }) = failures.first() else {
            let error = ErrorBody {
                code: "409".into(),
                reason: "conflict".into(),
                message: "the order was cancelled".into(),
                status: None,
                kind: None,
                rest: Rest::new(),
            };
            return ("409", error);
        };
        let status = match failure.class {
            FailureClass::Reject => "422",
            FailureClass::Retry | FailureClass::Operator => "500",
        };
        let error = ErrorBody {
            code: failure.code.to_string(),
            reason: failure.code.to_string(),
            message: failure.message.clone(),
            status: Some(status.into()),
            kind: Some("Error".into()),
            rest: Rest::new(),
        };
        (status, error)
    }
}

/// The status of a response without errors.
fn done(method: &str) -> &'static str {
    match method {
        "POST" => "201",
        "DELETE" => "204",
        _ => "200",
    }
}
