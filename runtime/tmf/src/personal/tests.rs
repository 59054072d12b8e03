mod decided;

use super::*;
use crate::shape;
use crate::table;

#[test]
fn attributes_about_a_person_are_known_by_resource_with_their_path() {
    for (resource, path) in [
        ("individual", "givenName"),
        ("individual", "birthDate"),
        ("individual", "individualIdentification.identificationId"),
        ("individual", "contactMedium.characteristic.emailAddress"),
        ("customer", "name"),
        ("customer", "contactMedium"),
        ("organization", "contactMedium.characteristic.phoneNumber"),
        ("productOrder", "relatedParty.name"),
        ("productOrder", "productOrderItem.product.relatedParty.name"),
        ("productOrder", "productOrderItem.product.place.streetName"),
        ("billingAccount", "contact.contactMedium.characteristic.street1"),
        ("billingAccount", "name"),
        ("customer", "account.name"),
        ("organization", "tradingName"),
        ("productOrder", "billingAccount.name"),
        ("productOrder", "productOrderItem.product.place.name"),
        ("quote", "relatedParty.partyOrPartyRole.legalName"),
        ("quote", "relatedParty.partyOrPartyRole.externalReference.id"),
    ] {
        assert!(is_personal(resource, path), "{resource} {path}");
    }
}

#[test]
fn other_attributes_are_not_about_a_person() {
    for (resource, path) in [
        ("productOffering", "name"),
        ("productOrder", "productOrderItem.product.name"),
        ("productOrder", "productOrderItem.product.productSpecification.name"),
        ("quote", "legalName"),
        ("quote", "relatedParty.partyOrPartyRole.partyRoleSpecification.name"),
        ("individual", "status"),
        ("individual", "names"),
        ("customer", "status"),
        ("customer", "relatedParty.id"),
        ("productOrder", "relatedParty"),
        ("productOrder", "productOrderItem.product.place.id"),
    ] {
        assert!(!is_personal(resource, path), "{resource} {path}");
    }
}

#[test]
fn rows_of_a_resource_name_its_attributes() {
    // Notes on contacts are documents of ours.
    let is_standard = |(resource, _): &&(&str, &str)| !["*", "interaction"].contains(resource);
    for (resource, path) in TABLE.iter().filter(is_standard) {
        let (_, resource) = table::of_key(resource).expect("it is in the table");
        let name = path.split('.').next().unwrap();
        let attribute = shape::shapes().at(resource.shape, name);
        assert!(attribute.is_some(), "{} has no `{name}`", resource.key);
    }
}
