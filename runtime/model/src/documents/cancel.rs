//! The request to cancel an order, as a document of its own (TMF622, 641, 652).

use tmf::document::ordered::CancelOrder;
use tmf::document::{DateTime, Reference};
use tmf::table::TaskState;

use super::{Changes, Document, capitalised, href};
use crate::fulfilment::Fulfilment;
use crate::journal::{CancelRequest, Kind, Refusal};

impl Fulfilment {
    /// The resource of a request to cancel this fulfilment's order; `None` for a run.
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

    /// The order is cancelled: the request has the time of it.
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
        // `done` means that the request is answered. The order's state has the answer. A second
        // request for the same order is not answered.
        let state = match refusal {
            Some(Refusal::Cancelling { .. }) => TaskState::TerminatedWithError,
            None
            | Some(
                Refusal::PastReturn { .. } | Refusal::RollingBack { .. } | Refusal::Final { .. },
            ) => TaskState::Done,
        };
        let mut body = CancelOrder {
            id: Some(request.id.clone()),
            href: Some(href(resource, &request.id)),
            state: Some(state),
            cancellation_reason: request.reason.clone(),
            requested_cancellation_date: request.requested.map(DateTime::from),
            refusal_reason: refusal.map(ToString::to_string),
            kind: Some(capitalised(resource)),
            ..CancelOrder::default()
        };
        let reference = Some(Reference::to(order, self.id().as_str()));
        match self.kind() {
            Kind::ServiceOrder => body.service_order = reference,
            Kind::ResourceOrder => body.resource_order = reference,
            Kind::ProductOrder | Kind::Run { .. } => body.product_order = reference,
        }
        if refusal.is_none() {
            body.effective_cancellation_date = self.ended_at().map(DateTime::from);
        }
        Some(Document::new(resource, &request.id, &body))
    }
}
