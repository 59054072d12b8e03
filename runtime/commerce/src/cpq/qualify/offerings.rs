//! Searches for offerings (TMF679 version 5, `queryProductOfferingQualification`): each offering that is
//! on sale and meets the criteria is checked by itself.

use tmf::document::qualification::{
    OfferingQualification, OfferingQualificationItem, QueryOfferingQualification,
};

use super::answer::{QualificationResult, offered};
use super::question::parties_of;
use super::{Facts, ITEMS_MAX, Question, Unanswered, answers, needed};
use crate::cpq::configure::reference;
use model::catalog::Offering;
use model::id::SpecId;

/// Answers a search for offerings: those that meet the criteria (an offering, a category, the place and
/// the characteristics of a product) and could be ordered now.
pub fn query_offerings(
    request: QueryOfferingQualification,
    facts: Facts<'_>,
) -> Result<QueryOfferingQualification, Unanswered> {
    let criteria = needed(request.search_criteria.as_ref())?;
    let offering = criteria.product_offering.as_ref().and_then(|named| named.id.as_deref());
    let category = criteria.category.as_ref().and_then(|named| named.id.as_deref());
    let wanted = on_sale(facts, |id, known| {
        let is_named = offering.is_none_or(|named| named == id.as_str());
        is_named && category.is_none_or(|named| known.categories.iter().any(|own| own == named))
    });
    let mut question = OfferingQualification {
        rest: parties_of(&request.rest),
        ..OfferingQualification::default()
    };
    let mut found = Vec::new();
    for mut item in wanted {
        item.product.clone_from(&criteria.product);
        question.product_offering_qualification_item = Some(vec![item]);
        let answered = answers(&question, facts)
            .map_err(|unanswered| unanswered.about_criteria(OfferingQualification::FORM.items()))?;
        if answered.iter().all(|own| own.result() == QualificationResult::Qualified) {
            found.extend(question.product_offering_qualification_item.take().into_iter().flatten());
        }
    }
    Ok(offered(request, found, facts.now))
}

/// Items that ask for each offering of a category.
pub(super) fn items_of_category(
    category: &str,
    facts: Facts<'_>,
) -> Vec<OfferingQualificationItem> {
    on_sale(facts, |_, known| known.categories.iter().any(|id| id == category))
}

/// Items that ask for each offering that is on sale and wanted.
fn on_sale(
    facts: Facts<'_>,
    is_wanted: impl Fn(&SpecId, &Offering) -> bool,
) -> Vec<OfferingQualificationItem> {
    let offerings = facts.rulebook.catalog().offerings.iter();
    let wanted =
        offerings.filter(|(id, known)| known.is_on_sale(Some(facts.now)) && is_wanted(id, known));
    let items =
        wanted.take(ITEMS_MAX).enumerate().map(|(index, (id, _))| OfferingQualificationItem {
            id: Some((index + 1).to_string()),
            product_offering: Some(reference("productOffering", id)),
            ..OfferingQualificationItem::default()
        });
    items.collect()
}
