//! Writes the answers of qualifications into the documents of TMF679 and TMF645.

use serde_json::{Map, Value, json};

use super::other::Proposal;
use super::{Obstacle, Weight};
use model::order::Form;
use tmf::time::Timestamp;

/// The states of a qualification. It is answered at once, so it is seen in the last two only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It was received.
    Acknowledged,
    /// It is being answered.
    InProgress,
    /// It has an answer.
    Done,
    /// It could not be answered.
    TerminatedWithError,
}

impl TaskState {
    /// The standard's word; TMF645 has one of its own for the first.
    pub fn as_str(self, form: Form) -> &'static str {
        match self {
            Self::Acknowledged if form == Form::ServiceQualification => "accepted",
            Self::Acknowledged => "acknowledged",
            Self::InProgress => "inProgress",
            Self::Done => "done",
            Self::TerminatedWithError => "terminatedWithError",
        }
    }

    /// What may follow; what is not listed is refused.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Acknowledged => &[Self::InProgress, Self::TerminatedWithError],
            Self::InProgress => &[Self::Done, Self::TerminatedWithError],
            Self::Done | Self::TerminatedWithError => &[],
        }
    }
}

/// The answer to one item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub id: String,
    pub obstacles: Vec<Obstacle>,
    pub proposals: Vec<Proposal>,
}

impl Answered {
    pub(super) fn state(&self) -> TaskState {
        match self.obstacles.iter().any(|obstacle| obstacle.weight == Weight::Error) {
            true => TaskState::TerminatedWithError,
            false => TaskState::Done,
        }
    }

    pub(super) fn result(&self) -> &'static str {
        match (self.obstacles.is_empty(), self.proposals.is_empty()) {
            (true, _) => "qualified",
            (false, false) => "alternate",
            (false, true) => "unqualified",
        }
    }
}

/// The answer to a product offering qualification.
pub(super) fn offerings(request: &Value, answered: Vec<Answered>, now: Timestamp) -> Value {
    let form = Form::OfferingQualification;
    let mut answer = head(request, form, &answered, now);
    set(&mut answer, "productOfferingQualificationDate", json!(now.to_string()));
    set(&mut answer, "qualificationResult", json!(light(&answered)));
    let with_reasons = request.get("provideUnavailabilityReason") != Some(&json!(false));
    let mut left = answered.into_iter();
    items(&mut answer, form, &mut |item| {
        let Some(own) = left.next() else {
            return;
        };
        set(item, "id", json!(own.id));
        set(item, "state", json!(own.state().as_str(form)));
        set(item, "qualificationItemResult", json!(own.result()));
        reasons(item, &own, with_reasons);
        let proposals = own.proposals.iter().enumerate().map(|(index, proposal)| {
            json!({
                "id": (index + 1).to_string(),
                "alternateProductOffering": proposal.offering,
                "alternateProduct": proposal.subject,
            })
        });
        let proposals: Vec<Value> = proposals.collect();
        if !proposals.is_empty() {
            set(item, "alternateProductOfferingProposal", Value::Array(proposals));
        }
    });
    if request.get("provideOnlyAvailable") == Some(&json!(true)) {
        let items = answer.get_mut(form.items()).and_then(Value::as_array_mut);
        if let Some(items) = items {
            items.retain(|item| item.get("qualificationItemResult") == Some(&json!("qualified")));
        }
    }
    answer
}

/// The answer to a question about a category that offers nothing.
pub(super) fn nothing_offered(request: &Value, now: Timestamp) -> Value {
    let mut answer = offerings(request, Vec::new(), now);
    set(&mut answer, "qualificationResult", json!("red"));
    answer
}

/// The answer to a check of services.
pub(super) fn services(request: &Value, answered: Vec<Answered>, now: Timestamp) -> Value {
    let form = Form::ServiceQualification;
    let mut answer = head(request, form, &answered, now);
    set(&mut answer, "checkServiceQualificationDate", json!(now.to_string()));
    let result = match light(&answered) {
        "green" => "qualified",
        "yellow" if answered.iter().any(|own| own.result() == "alternate") => "alternate",
        _ => "unqualified",
    };
    set(&mut answer, "qualificationResult", json!(result));
    let with_reasons = request.get("provideUnavailabilityReason") != Some(&json!(false));
    let mut left = answered.into_iter();
    items(&mut answer, form, &mut |item| {
        let Some(own) = left.next() else {
            return;
        };
        set(item, "id", json!(own.id));
        set(item, "state", json!(own.state().as_str(form)));
        set(item, "qualificationResult", json!(own.result()));
        if own.obstacles.is_empty() {
            set(item, "expectedServiceAvailabilityDate", json!(now.to_string()));
        }
        reasons(item, &own, with_reasons);
        let proposals = own.proposals.iter().enumerate().map(|(index, proposal)| {
            json!({ "id": (index + 1).to_string(), "alternateService": proposal.subject })
        });
        let proposals: Vec<Value> = proposals.collect();
        if !proposals.is_empty() {
            set(item, "alternateServiceProposal", Value::Array(proposals));
        }
    });
    answer
}

/// What every answer has: the request, its state and when it was answered.
fn head(request: &Value, form: Form, answered: &[Answered], now: Timestamp) -> Value {
    let mut answer = request.clone();
    let failed = answered.iter().filter(|own| own.state() == TaskState::TerminatedWithError);
    let state = if !answered.is_empty() && failed.count() == answered.len() {
        TaskState::TerminatedWithError
    } else {
        TaskState::Done
    };
    set(&mut answer, "state", json!(state.as_str(form)));
    set(&mut answer, "effectiveQualificationDate", json!(now.to_string()));
    answer
}

/// Green where all items qualify, red where none does and nothing is proposed.
fn light(answered: &[Answered]) -> &'static str {
    let qualified = answered.iter().filter(|own| own.result() == "qualified").count();
    let proposed = answered.iter().any(|own| own.result() == "alternate");
    match (qualified == answered.len(), qualified > 0 || proposed) {
        (true, _) => "green",
        (false, true) => "yellow",
        (false, false) => "red",
    }
}

fn reasons(item: &mut Value, own: &Answered, wanted: bool) {
    let (errors, reasons): (Vec<&Obstacle>, Vec<&Obstacle>) =
        own.obstacles.iter().partition(|obstacle| obstacle.weight == Weight::Error);
    if !errors.is_empty() {
        let errors =
            errors.iter().map(|own| json!({ "id": own.code.as_str(), "value": own.label }));
        set(item, "terminationError", errors.collect());
    }
    if !reasons.is_empty() && wanted {
        let reasons =
            reasons.iter().map(|own| json!({ "code": own.code.as_str(), "label": own.label }));
        set(item, "eligibilityUnavailabilityReason", reasons.collect());
    }
}

/// Goes through all items of a document in the order in which they are read.
fn items(holder: &mut Value, form: Form, each: &mut impl FnMut(&mut Value)) {
    let items = holder.get_mut(form.items()).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        each(item);
        items_within(item, form, each);
    }
}

fn items_within(item: &mut Value, form: Form, each: &mut dyn FnMut(&mut Value)) {
    let inner = item.get_mut(form.items()).and_then(Value::as_array_mut);
    for inner in inner.into_iter().flatten() {
        each(inner);
        items_within(inner, form, each);
    }
}

fn set(document: &mut Value, name: &str, value: Value) {
    if let Some(fields) = document.as_object_mut() {
        fields.insert(name.into(), value);
    }
}

/// The answer to a question for offerings: each that can be had.
pub(super) fn offered(request: &Value, found: Vec<Value>, now: Timestamp) -> Value {
    let mut answer = request.clone();
    set(&mut answer, "state", json!(TaskState::Done.as_str(Form::OfferingQualification)));
    set(&mut answer, "effectiveQualificationDate", json!(now.to_string()));
    let items = found.into_iter().enumerate().map(|(index, mut item)| {
        set(&mut item, "id", json!((index + 1).to_string()));
        item
    });
    set(&mut answer, "qualifiedProductOfferingItem", items.collect());
    answer
}

/// The answer to a question for services: each that is available.
pub(super) fn available(request: &Value, services: Vec<Value>, now: Timestamp) -> Value {
    let mut answer = request.clone();
    let state = TaskState::Done.as_str(Form::ServiceQualification);
    set(&mut answer, "state", json!(state));
    set(&mut answer, "effectiveQualificationDate", json!(now.to_string()));
    set(&mut answer, "queryServiceQualificationDate", json!(now.to_string()));
    let items = services.into_iter().enumerate().map(|(index, service)| {
        let mut item = Map::new();
        item.insert("id".into(), json!((index + 1).to_string()));
        item.insert("service".into(), service);
        item.insert("expectedServiceAvailabilityDate".into(), json!(now.to_string()));
        Value::Object(item)
    });
    set(&mut answer, "serviceQualificationItem", items.collect());
    answer
}
