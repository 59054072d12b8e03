//! Each text of a party, a role, an account, and of references to them, is about a person or is left out on
//! purpose.

use std::collections::BTreeSet;

use super::super::{covers, is_personal};
use crate::shape::{Attribute, Type, TypeSet, shapes, shapes_v5};
use crate::table;

/// The resources of people.
const RESOURCES: [&str; 8] = [
    "individual",
    "organization",
    "customer",
    "partyRole",
    "partyAccount",
    "billingAccount",
    "settlementAccount",
    "financialAccount",
];

/// The shapes of references to them, and of places and notes, in any document.
const REFERENCES: [&str; 17] = [
    "AccountRef",
    "AgreementItemRef",
    "AgreementRef",
    "BillingAccountRef",
    "FinancialAccountRef",
    "Note",
    "PartyRef",
    "PartyRefOrPartyRoleRef",
    "PaymentMethodRef",
    "PaymentRef",
    "PlaceRef",
    "PlaceRefOrValue",
    "RelatedParty",
    "RelatedPartyOrPartyRole",
    "RelatedPartyRef",
    "RelatedPartyRefOrPartyRoleRef",
    "RelatedPlaceRefOrValue",
];

/// Texts that are not about a person, with the reason. Rows are those of the table.
const LEFT_OUT: &[(&str, &str)] = &[
    ("..id", "references hold"),
    ("..href", "references hold"),
    ("..agreementHref", "references hold"),
    ("..agreementId", "references hold"),
    ("..agreementItemId", "references hold"),
    ("..partyId", "references hold"),
    ("..externalIdentifier", "ids of places in other systems hold"),
    ("..place.code", "the id of a site in plans of a network"),
    ("..geographicSite.code", "the id of a site in plans of a network"),
    ("..accountBalance", "books hold"),
    ("creditLimit", "an amount"),
    ("paymentPlan.totalAmount", "an amount"),
    ("..status", "a state"),
    ("state", "a state"),
    ("paymentStatus", "a state"),
    ("..role", "a kind, not a value of the person"),
    ("..relationshipType", "a kind"),
    ("..nameType", "a kind"),
    ("..organizationType", "a kind"),
    ("..accountType", "a kind"),
    ("..ratingType", "a kind"),
    ("..geographicAddressType", "a kind"),
    ("..siteCategory", "a kind"),
    ("paymentPlan.paymentFrequency", "a kind"),
    ("paymentPlan.planType", "a kind"),
    ("..partyRoleSpecification.name", "an entry of a catalog"),
    ("billStructure", "entries of a catalog"),
    ("taxExemption.taxDefinition", "the tax, not the certificate"),
    ("taxExemption.issuingJurisdiction", "the authority, not the certificate"),
    ("..country", "many people live there, and taxes follow from it"),
    ("..countryCode", "many people live there, and taxes follow from it"),
    ("..stateOrProvince", "many people live there, and taxes follow from it"),
    ("..streetType", "a word such as `Street`, which would be masked in every text"),
    ("..streetSuffix", "a word such as `North`, which would be masked in every text"),
    ("..calendar", "opening hours"),
    ("..siteFeature", "the equipment of a site"),
    ("alternatePlace", "a place of a stock"),
];

/// A walk over the texts of a shape.
struct Walk {
    set: TypeSet,
    resource: &'static str,
    /// The shapes above the current one: a shape in itself is walked once.
    above: Vec<&'static str>,
    undecided: BTreeSet<String>,
    used: BTreeSet<&'static str>,
}

impl Walk {
    fn new(set: TypeSet, resource: &'static str) -> Self {
        let (undecided, used) = (BTreeSet::new(), BTreeSet::new());
        Self { set, resource, above: Vec::new(), undecided, used }
    }

    fn shape(&mut self, name: &'static str, path: &str) {
        for name in self.set.alternatives(name) {
            let shape = self.set.object(name).unwrap_or_else(|| panic!("no shape `{name}`"));
            if self.above.contains(&name) {
                continue;
            }
            self.above.push(name);
            for attribute in &shape.attributes {
                let path = match path {
                    "" => attribute.name.to_owned(),
                    path => format!("{path}.{}", attribute.name),
                };
                self.attribute(attribute, &path);
            }
            self.above.pop();
        }
    }

    fn attribute(&mut self, attribute: &Attribute, path: &str) {
        let is_text = |kind: &Type| {
            matches!(kind, Type::Any | Type::String | Type::Uri | Type::Base64 | Type::Fields)
        };
        let kinds: Vec<Type> = attribute.kinds.iter().map(|kind| kind.item()).collect();
        if is_personal(self.resource, path) {
            // It is not removed by an erasure, so that the document stays valid.
            let is_kept = !attribute.required || kinds.contains(&Type::String);
            assert!(is_kept, "{} `{path}` is mandatory", self.resource);
            return;
        }
        if let Some((row, _)) = LEFT_OUT.iter().find(|(row, _)| covers(row, path)) {
            self.used.insert(row);
        } else if kinds.iter().any(is_text) {
            self.undecided.insert(format!("{} {path}", self.resource));
        } else {
            for shape in kinds.into_iter().filter_map(Type::object) {
                self.shape(shape, path);
            }
        }
    }
}

#[test]
fn each_text_of_people_is_about_a_person_or_left_out_with_a_reason() {
    let (mut undecided, mut used) = (BTreeSet::new(), BTreeSet::new());
    let mut add = |walk: Walk| {
        undecided.extend(walk.undecided);
        used.extend(walk.used);
    };
    for key in RESOURCES {
        let (api, resource) = table::of_key(key).unwrap();
        let later = api.v5.as_ref().map(|_| TypeSet::V5(api.number));
        for set in [TypeSet::V4].into_iter().chain(later) {
            let mut walk = Walk::new(set, key);
            walk.shape(resource.shape, "");
            add(walk);
        }
    }
    for (set, shapes) in [(TypeSet::V4, shapes()), (TypeSet::V5(0), shapes_v5())] {
        let attributes = shapes.objects.values().flat_map(|shape| &shape.attributes);
        for attribute in attributes {
            let mut shapes = attribute.kinds.iter().filter_map(|kind| kind.item().object());
            if shapes.any(|shape| REFERENCES.contains(&shape)) {
                let mut walk = Walk::new(set, "product");
                walk.attribute(attribute, attribute.name);
                add(walk);
            }
        }
    }
    assert_eq!(undecided, BTreeSet::new());
    let rows: BTreeSet<&str> = LEFT_OUT.iter().map(|(row, _)| *row).collect();
    assert_eq!(used, rows, "what is left out is there");
}
