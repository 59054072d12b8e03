//! Qualification of services (TMF645): whether the named services can be delivered, and which services
//! can.

use serde_json::Value;

use super::answer::{QualificationResult, available, services};
use super::question::parties_of;
use super::{Facts, ITEMS_MAX, Question, Unanswered, answers, needed};
use crate::cpq::configure::reference;
use model::catalog::{Allowed, Spec, SpecKind};
use model::id::SpecId;
use tmf::document::item::WantedService;
use tmf::document::qualification::{
    CheckServiceQualification, QueryServiceQualification, ServiceQualificationItem,
};
use tmf::document::{self, Characteristics};

/// Answers a check (`checkServiceQualification`): the request with a result on each item.
pub fn qualify_services(
    request: CheckServiceQualification,
    facts: Facts<'_>,
) -> Result<CheckServiceQualification, Unanswered> {
    let answered = answers(&request, facts)?;
    Ok(services(request, answered, facts.now))
}

/// Answers a search (`queryServiceQualification`): the services that meet the criteria and can be
/// delivered, with their characteristics. A characteristic with listed values that the criteria leave
/// open is tried with each.
pub fn query_services(
    request: QueryServiceQualification,
    facts: Facts<'_>,
) -> Result<QueryServiceQualification, Unanswered> {
    let any = WantedService::default();
    let wanted = needed(request.search_criteria.as_ref())?.service.as_ref().unwrap_or(&any);
    let mut question = CheckServiceQualification {
        service_qualification_item: vec![asking(wanted.clone())],
        rest: parties_of(&request.rest),
        ..CheckServiceQualification::default()
    };
    // Read as an order is, so that errors have their path.
    let asked = question.order().map_err(|error| {
        let form = CheckServiceQualification::FORM;
        Unanswered::Request(error).about_criteria(form.items())
    })?;
    let line = &asked.lines[0];
    let specs = facts.rulebook.catalog().specs.iter().filter(|(id, spec)| {
        let is_named = line.spec.as_ref().is_none_or(|named| named == *id);
        is_named && spec.kind == SpecKind::CustomerService && spec.status.is_on_sale()
    });
    let candidates: Vec<WantedService> =
        specs.flat_map(|(id, spec)| variants(id, spec, wanted)).take(ITEMS_MAX).collect();
    let mut found = Vec::new();
    for service in candidates {
        question.service_qualification_item = vec![asking(service)];
        let answered = answers(&question, facts)?;
        if answered.iter().all(|own| own.result() == QualificationResult::Qualified) {
            let item = question.service_qualification_item.pop();
            found.extend(item.and_then(|item| item.service));
        }
    }
    Ok(available(request, found, facts.now))
}

fn asking(service: WantedService) -> ServiceQualificationItem {
    ServiceQualificationItem { service: Some(service), ..ServiceQualificationItem::default() }
}

/// The service with each combination of the listed values that the criteria leave open. Empty if the
/// specification lacks a characteristic of the criteria.
fn variants(id: &SpecId, spec: &Spec, wanted: &WantedService) -> Vec<WantedService> {
    let given = Characteristics::of_list(wanted.service_characteristic.iter().cloned());
    if given.names().any(|name| !spec.characteristics.contains_key(name)) {
        return Vec::new();
    }
    let mut made = vec![Vec::new()];
    for (name, known) in &spec.characteristics {
        let listed = || {
            known.values.iter().filter_map(|allowed| match allowed {
                Allowed::Value(value) => Some(value),
                Allowed::Range { .. } | Allowed::Pattern(_) => None,
            })
        };
        let values: Vec<&Value> = match given.get(name).or(known.default.as_ref()) {
            Some(value) => vec![value],
            None => listed().collect(),
        };
        if values.is_empty() {
            continue;
        }
        let pairs = made.iter().flat_map(|own| values.iter().map(move |value| (own, *value)));
        let extended = pairs.take(ITEMS_MAX).map(|(own, value)| {
            let own: &Vec<(&String, &Value)> = own;
            own.iter().copied().chain([(name, value)]).collect()
        });
        made = extended.collect::<Vec<_>>();
    }
    let service = |values: Vec<(&String, &Value)>| {
        let values = values.into_iter();
        let typed =
            values.map(|(name, value)| document::Characteristic::typed(name, value.clone()));
        WantedService {
            name: Some(spec.name.clone()),
            service_specification: Some(reference("serviceSpecification", id)),
            service_characteristic: typed.collect(),
            ..wanted.clone()
        }
    };
    made.into_iter().map(service).collect()
}
