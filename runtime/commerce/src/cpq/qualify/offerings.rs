//! Which offerings can be had (TMF679 version 5, `queryProductOfferingQualification`): each that is
//! on sale and meets the criteria is asked about by itself, as a check of it would be.

use serde_json::{Value, json};

use super::{Facts, ITEMS_MAX, Unanswered, answer, criteria, items};
use crate::cpq::configure::reference;
use model::catalog::Offering;
use model::id::SpecId;
use model::order::Form;

/// Answers a question for offerings: those that meet the criteria (an offering, a category, the
/// place and characteristics of a product) and could be ordered now.
pub fn query_offerings(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    let criteria = criteria(request)?;
    let named = |name: &str| criteria.get(name).and_then(|named| named.get("id")?.as_str());
    let (offering, category) = (named("productOffering"), named("category"));
    let wanted = on_sale(facts, |id, known| {
        let is_named = offering.is_none_or(|named| named == id.as_str());
        is_named && category.is_none_or(|named| known.categories.iter().any(|own| own == named))
    });
    let form = Form::OfferingQualification;
    let mut found = Vec::new();
    for item in wanted {
        let mut item = item;
        if let (Some(fields), Some(product)) = (item.as_object_mut(), criteria.get("product")) {
            fields.insert("product".into(), product.clone());
        }
        let mut question = json!({ (form.items()): [&item] });
        if let (Some(fields), Some(parties)) =
            (question.as_object_mut(), request.get("relatedParty"))
        {
            fields.insert("relatedParty".into(), parties.clone());
        }
        let answered = items(form, &question, facts).map_err(|unanswered| match unanswered {
            Unanswered::Request(mut error) => {
                error.path =
                    error.path.replacen(&format!("{}[0]", form.items()), "searchCriteria", 1);
                Unanswered::Request(error)
            }
            blocked @ Unanswered::Blocked(_) => blocked,
        })?;
        if answered.iter().all(|own| own.result() == "qualified") {
            found.push(item);
        }
    }
    Ok(answer::offered(request, found, facts.now))
}

/// Items that ask for each offering of a category.
pub(super) fn items_of_category(category: &Value, facts: Facts<'_>) -> Vec<Value> {
    on_sale(facts, |_, known| {
        known.categories.iter().any(|id| Some(id.as_str()) == category.as_str())
    })
}

/// Items that ask for each offering that is on sale and wanted.
fn on_sale(facts: Facts<'_>, is_wanted: impl Fn(&SpecId, &Offering) -> bool) -> Vec<Value> {
    let offerings = facts.rulebook.catalog().offerings.iter();
    let wanted =
        offerings.filter(|(id, known)| known.is_on_sale(Some(facts.now)) && is_wanted(id, known));
    let items = wanted.take(ITEMS_MAX).enumerate().map(|(index, (id, _))| {
        json!({
            "id": (index + 1).to_string(),
            "productOffering": reference("productOffering", Some(id)),
        })
    });
    items.collect()
}
