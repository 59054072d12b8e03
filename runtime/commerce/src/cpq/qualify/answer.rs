//! Writes the answers to qualifications into the documents of TMF679 and TMF645.

use std::vec::IntoIter;

use tmf::TaskState;
use tmf::document::item::{Item, WantedProduct, WantedService};
use tmf::document::qualification::{
    AlternateOffering, AlternateService, CheckServiceQualification, OfferingQualification,
    OfferingQualificationItem, QueryOfferingQualification, QueryServiceQualification,
    ServiceQualificationItem, TerminationError, UnavailabilityReason,
};
use tmf::document::{Reference, Rest};
use tmf::time::Timestamp;

use super::{Obstacle, Weight};

/// The answer to one item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered<S> {
    pub id: String,
    pub obstacles: Vec<Obstacle>,
    pub proposals: Vec<Proposal<S>>,
}

/// An alternative to an item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proposal<S> {
    /// The offering, of a product.
    pub offering: Option<Reference>,
    /// The product or the service, with its characteristics.
    pub subject: S,
}

/// The result of an item, or of services as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QualificationResult {
    Qualified,
    /// Something else can be had instead.
    Alternate,
    Unqualified,
}

impl QualificationResult {
    fn as_str(self) -> &'static str {
        match self {
            Self::Qualified => "qualified",
            Self::Alternate => "alternate",
            Self::Unqualified => "unqualified",
        }
    }
}

impl<S> Answered<S> {
    fn has_failed(&self) -> bool {
        self.obstacles.iter().any(|obstacle| obstacle.weight == Weight::Error)
    }

    fn state(&self) -> TaskState {
        if self.has_failed() { TaskState::TerminatedWithError } else { TaskState::Done }
    }

    pub(super) fn result(&self) -> QualificationResult {
        match (self.obstacles.is_empty(), self.proposals.is_empty()) {
            (true, _) => QualificationResult::Qualified,
            (false, false) => QualificationResult::Alternate,
            (false, true) => QualificationResult::Unqualified,
        }
    }
}

/// An item that an answer is written into.
trait Answerable: Item {
    /// The attributes that have the result.
    fn results(&mut self) -> Results<'_>;

    fn propose(&mut self, proposals: Vec<Proposal<Self::Subject>>);

    /// Writes since when it is available; `None` if it is not.
    fn available_at(&mut self, at: Option<Timestamp>);
}

/// The attributes of an item that have its result.
struct Results<'a> {
    state: &'a mut Option<String>,
    result: &'a mut Option<String>,
    reasons: &'a mut Option<Vec<UnavailabilityReason>>,
    errors: &'a mut Option<Vec<TerminationError>>,
}

impl Answerable for OfferingQualificationItem {
    fn results(&mut self) -> Results<'_> {
        Results {
            state: &mut self.state,
            result: &mut self.qualification_item_result,
            reasons: &mut self.eligibility_unavailability_reason,
            errors: &mut self.termination_error,
        }
    }

    fn propose(&mut self, proposals: Vec<Proposal<WantedProduct>>) {
        let has_proposals = !proposals.is_empty();
        let proposals = numbered(proposals).map(|(id, proposal)| AlternateOffering {
            id: Some(id),
            alternate_product_offering: proposal.offering,
            alternate_product: Some(proposal.subject),
            rest: Rest::new(),
        });
        self.alternate_product_offering_proposal = has_proposals.then(|| proposals.collect());
    }

    // The standard has no attribute for it.
    fn available_at(&mut self, _at: Option<Timestamp>) {}
}

impl Answerable for ServiceQualificationItem {
    fn results(&mut self) -> Results<'_> {
        Results {
            state: &mut self.state,
            result: &mut self.qualification_result,
            reasons: &mut self.eligibility_unavailability_reason,
            errors: &mut self.termination_error,
        }
    }

    fn propose(&mut self, proposals: Vec<Proposal<WantedService>>) {
        let has_proposals = !proposals.is_empty();
        let proposals = numbered(proposals).map(|(id, proposal)| AlternateService {
            id: Some(id),
            alternate_service: Some(proposal.subject),
            rest: Rest::new(),
        });
        self.alternate_service_proposal = has_proposals.then(|| proposals.collect());
    }

    fn available_at(&mut self, at: Option<Timestamp>) {
        self.expected_service_availability_date = at.map(Into::into);
    }
}

/// Gives ids to the entries of a list: their positions, from 1.
fn numbered<T>(entries: Vec<T>) -> impl Iterator<Item = (String, T)> {
    entries.into_iter().zip(1..).map(|(entry, id): (T, u32)| (id.to_string(), entry))
}

/// Writes the answers into items, in the order in which they were read.
fn write_answers<I: Answerable>(
    items: &mut [I],
    answers: &mut IntoIter<Answered<I::Subject>>,
    with_reasons: bool,
    now: Timestamp,
) {
    for item in items {
        let Some(answer) = answers.next() else { return };
        let results = item.results();
        *results.state = Some(answer.state().as_str().into());
        *results.result = Some(answer.result().as_str().into());
        let (errors, reasons): (Vec<&Obstacle>, Vec<&Obstacle>) =
            answer.obstacles.iter().partition(|obstacle| obstacle.weight == Weight::Error);
        // Each attribute of the answer is written, so that none is the client's.
        *results.errors = (!errors.is_empty()).then(|| {
            let error = |own: &Obstacle| TerminationError::new(own.code.as_str(), &own.label);
            errors.into_iter().map(error).collect()
        });
        *results.reasons = (!reasons.is_empty() && with_reasons).then(|| {
            let reason = |own: &Obstacle| UnavailabilityReason::new(own.code.as_str(), &own.label);
            reasons.into_iter().map(reason).collect()
        });
        item.available_at(answer.obstacles.is_empty().then_some(now));
        item.propose(answer.proposals);
        *item.parts().id = Some(answer.id);
        write_answers(item.parts().items, answers, with_reasons, now);
    }
}

/// The answer to a product offering qualification.
pub(super) fn offerings(
    mut request: OfferingQualification,
    answered: Vec<Answered<WantedProduct>>,
    now: Timestamp,
) -> OfferingQualification {
    request.state = Some(state(&answered));
    request.effective_qualification_date = Some(now.into());
    request.product_offering_qualification_date = Some(now.into());
    request.qualification_result = Some(Light::of(&answered).as_str().into());
    let with_reasons = request.provide_unavailability_reason != Some(false);
    if let Some(items) = &mut request.product_offering_qualification_item {
        write_answers(items, &mut answered.into_iter(), with_reasons, now);
        if request.provide_only_available == Some(true) {
            let qualified = Some(QualificationResult::Qualified.as_str());
            items.retain(|item| item.qualification_item_result.as_deref() == qualified);
        }
    }
    request
}

/// The answer to a question about a category that offers nothing.
pub(super) fn nothing_offered(
    request: OfferingQualification,
    now: Timestamp,
) -> OfferingQualification {
    let mut answer = offerings(request, Vec::new(), now);
    answer.qualification_result = Some(Light::Red.as_str().into());
    answer
}

/// The answer to a check of services.
pub(super) fn services(
    mut request: CheckServiceQualification,
    answered: Vec<Answered<WantedService>>,
    now: Timestamp,
) -> CheckServiceQualification {
    request.state = Some(state(&answered));
    request.effective_qualification_date = Some(now.into());
    request.check_service_qualification_date = Some(now.into());
    let is_alternate =
        |own: &Answered<WantedService>| own.result() == QualificationResult::Alternate;
    let result = match Light::of(&answered) {
        Light::Green => QualificationResult::Qualified,
        Light::Yellow if answered.iter().any(is_alternate) => QualificationResult::Alternate,
        Light::Yellow | Light::Red => QualificationResult::Unqualified,
    };
    request.qualification_result = Some(result.as_str().into());
    let with_reasons = request.provide_unavailability_reason != Some(false);
    let items = &mut request.service_qualification_item;
    write_answers(items, &mut answered.into_iter(), with_reasons, now);
    request
}

/// The state of an answer: an error if no item has one.
fn state<S>(answered: &[Answered<S>]) -> TaskState {
    if !answered.is_empty() && answered.iter().all(Answered::has_failed) {
        TaskState::TerminatedWithError
    } else {
        TaskState::Done
    }
}

/// The result of all items (TMF679).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Light {
    /// All items qualify.
    Green,
    /// Some qualify, or have alternatives.
    Yellow,
    Red,
}

impl Light {
    fn of<S>(answered: &[Answered<S>]) -> Self {
        let count = |result| answered.iter().filter(|own| own.result() == result).count();
        let qualified = count(QualificationResult::Qualified);
        if qualified == answered.len() {
            Self::Green
        } else if qualified + count(QualificationResult::Alternate) > 0 {
            Self::Yellow
        } else {
            Self::Red
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// The answer to a search for offerings: each that can be ordered.
pub(super) fn offered(
    mut request: QueryOfferingQualification,
    found: Vec<OfferingQualificationItem>,
    now: Timestamp,
) -> QueryOfferingQualification {
    request.state = Some(TaskState::Done);
    request.effective_qualification_date = Some(now.into());
    let items =
        numbered(found).map(|(id, item)| OfferingQualificationItem { id: Some(id), ..item });
    request.qualified_product_offering_item = Some(items.collect());
    request
}

/// The answer to a search for services: each that can be delivered.
pub(super) fn available(
    mut request: QueryServiceQualification,
    services: Vec<WantedService>,
    now: Timestamp,
) -> QueryServiceQualification {
    request.state = Some(TaskState::Done);
    request.effective_qualification_date = Some(now.into());
    request.query_service_qualification_date = Some(now.into());
    let items = numbered(services).map(|(id, service)| ServiceQualificationItem {
        id: Some(id),
        service: Some(service),
        expected_service_availability_date: Some(now.into()),
        ..ServiceQualificationItem::default()
    });
    request.service_qualification_item = Some(items.collect());
    request
}
