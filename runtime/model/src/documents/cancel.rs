//! The request to cancel an order, as a document of its own (TMF622, 641, 652).

use serde_json::{Value, json};

use super::{Changes, Document, capitalised, href};
use crate::fulfilment::Fulfilment;
use crate::journal::{CancelRequest, Kind, Refusal};

impl Fulfilment {
    /// The resource that a request to cancel this fulfilment's order is; nothing for a run.
    pub fn cancel_resource(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::ProductOrder => Some("cancelProductOrder"),
            Kind::ServiceOrder => Some("cancelServiceOrder"),
            Kind::ResourceOrder => Some("cancelResourceOrder"),
            Kind::Run { .. } => None,
        }
    }

    /// A request was assessed.
    pub(super) fn cancelling(
        &self,
        request: &CancelRequest,
        refusal: Option<&Refusal>,
        changes: &mut Changes,
    ) {
        changes.documents.extend(self.cancel_request(request, refusal));
    }

    /// The order is gone: the request says since when.
    pub(super) fn cancelled(&self, changes: &mut Changes) {
        let request = self.cancelled_by();
        changes.documents.extend(request.and_then(|request| self.cancel_request(request, None)));
    }

    fn cancel_request(
        &self,
        request: &CancelRequest,
        refusal: Option<&Refusal>,
    ) -> Option<Document> {
        let (resource, order) = (self.cancel_resource()?, self.root_resource()?);
        // `done` says that there is an answer, whichever; the order's state tells it. A second
        // request for the same order has none of its own.
        let state = match refusal {
            Some(Refusal::Cancelling { .. }) => "terminatedWithError",
            None
            | Some(
                Refusal::PastReturn { .. } | Refusal::RollingBack { .. } | Refusal::Final { .. },
            ) => "done",
        };
        let mut body = json!({
            "id": request.id,
            "href": href(resource, &request.id),
            "state": state,
            "@type": capitalised(resource),
        });
        let reference = json!({
            "id": self.id(),
            "href": href(order, self.id().as_str()),
            "@referredType": capitalised(order),
        });
        let mut set = |name: &str, value: Value| {
            if let Some(fields) = body.as_object_mut() {
                fields.insert(name.into(), value);
            }
        };
        set(order, reference);
        if let Some(reason) = &request.reason {
            set("cancellationReason", json!(reason));
        }
        if let Some(time) = request.requested {
            set("requestedCancellationDate", json!(time.to_string()));
        }
        if let Some(refusal) = refusal {
            set("refusalReason", json!(refusal.to_string()));
        } else if let Some(time) = self.ended_at() {
            set("effectiveCancellationDate", json!(time.to_string()));
        }
        Some(Document { resource, id: request.id.clone(), body })
    }
}
