//! Qualification of services (TMF645): whether those that are named can be delivered, and which
//! can.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{available, services};
use super::{Facts, ITEMS_MAX, Unanswered, criteria, items};
use crate::cpq::configure::reference;
use model::catalog::{Allowed, Spec, SpecKind};
use model::id::SpecId;
use model::order::{Form, Order};

/// Answers a check (`checkServiceQualification`): the request with a result on each item.
pub fn qualify_services(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    let answered = items(Form::ServiceQualification, request, facts)?;
    Ok(services(request, answered, facts.now))
}

/// Answers a question (`queryServiceQualification`): the services that meet the criteria and can be
/// delivered, with the characteristics that they can be had with. A characteristic with listed
/// values that the criteria leave open is tried with each.
pub fn query_services(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    let criteria = criteria(request)?;
    let wanted = criteria.get("service").cloned().unwrap_or_else(|| json!({}));
    // Read by the door of orders, so that a wrong type is told.
    let asked = json!({ "serviceQualificationItem": [{ "service": wanted }] });
    let asked = Order::read(Form::ServiceQualification, &asked);
    let asked = asked.map_err(|mut error| {
        error.path = error.path.replacen("serviceQualificationItem[0]", "searchCriteria", 1);
        Unanswered::Request(error)
    })?;
    let line = &asked.lines[0];
    let specs = facts.rulebook.catalog().specs.iter().filter(|(id, spec)| {
        let is_named = line.spec.as_ref().is_none_or(|named| named == *id);
        is_named && spec.kind == SpecKind::CustomerService && spec.status.is_on_sale()
    });
    let candidates: Vec<Value> =
        specs.flat_map(|(id, spec)| variants(id, spec, &wanted)).take(ITEMS_MAX).collect();
    let mut found = Vec::new();
    for service in candidates {
        let question = json!({
            "relatedParty": request.get("relatedParty").cloned().unwrap_or_else(|| json!([])),
            "serviceQualificationItem": [{ "service": service }],
        });
        let answered = items(Form::ServiceQualification, &question, facts)?;
        if answered.iter().all(|own| own.result() == "qualified") {
            found.push(service);
        }
    }
    Ok(available(request, found, facts.now))
}

/// The service with each combination of the listed values that the criteria leave open. A
/// characteristic of the criteria that it does not have leaves it out.
fn variants(id: &SpecId, spec: &Spec, wanted: &Value) -> Vec<Value> {
    let given = wanted.get("serviceCharacteristic").and_then(Value::as_array);
    let given: BTreeMap<&str, &Value> = given
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.get("name")?.as_str()?, entry.get("value")?)))
        .collect();
    if given.keys().any(|name| !spec.characteristics.contains_key(*name)) {
        return Vec::new();
    }
    let mut made = vec![serde_json::Map::new()];
    for (name, known) in &spec.characteristics {
        let values: Vec<Value> = match (given.get(name.as_str()), &known.default) {
            (Some(value), _) => vec![(*value).clone()],
            (None, Some(default)) => vec![default.clone()],
            (None, None) => listed(&known.values),
        };
        if values.is_empty() {
            continue;
        }
        made = made
            .into_iter()
            .flat_map(|own| {
                values.iter().map(move |value| {
                    let mut own = own.clone();
                    own.insert(name.clone(), value.clone());
                    own
                })
            })
            .take(ITEMS_MAX)
            .collect();
    }
    let service = |values: serde_json::Map<String, Value>| {
        let mut service = wanted.clone();
        if let Some(fields) = service.as_object_mut() {
            fields.insert("name".into(), json!(spec.name));
            let named = reference("serviceSpecification", Some(id));
            fields.insert("serviceSpecification".into(), named);
            let written = model::documents::characteristics(&values);
            fields.insert("serviceCharacteristic".into(), Value::Array(written));
        }
        service
    };
    made.into_iter().map(service).collect()
}

fn listed(values: &[Allowed]) -> Vec<Value> {
    let listed = values.iter().filter_map(|allowed| match allowed {
        Allowed::Value(value) => Some(value.clone()),
        Allowed::Range { .. } | Allowed::Pattern(_) => None,
    });
    listed.collect()
}
