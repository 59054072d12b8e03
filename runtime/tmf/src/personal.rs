//! Which attributes of documents are about a person. The table is the only place that knows it: what is
//! masked in the audit, and what an export or an erasure of a person covers, follows from it. A test demands
//! a decision on each text of a party, a role, an account, and a reference to one.

/// Rows of a resource, or of all (`*`), and a path below it. A path names attributes with dots, without
/// positions in lists; what lies below a personal attribute is personal too. A path that begins with `..`
/// is found at any depth.
const TABLE: &[(&str, &str)] = &[
    ("individual", "aristocraticTitle"),
    ("individual", "birthDate"),
    ("individual", "countryOfBirth"),
    ("individual", "creditRating"),
    ("individual", "deathDate"),
    ("individual", "disability"),
    ("individual", "externalReference"),
    ("individual", "familyNamePrefix"),
    ("individual", "formattedName"),
    ("individual", "fullName"),
    ("individual", "gender"),
    ("individual", "generation"),
    ("individual", "individualIdentification"),
    ("individual", "languageAbility"),
    ("individual", "legalName"),
    ("individual", "location"),
    ("individual", "maritalStatus"),
    ("individual", "middleName"),
    ("individual", "name"),
    ("individual", "nationality"),
    ("individual", "otherName"),
    ("individual", "partyCharacteristic"),
    ("individual", "placeOfBirth"),
    ("individual", "skill"),
    ("individual", "taxExemptionCertificate"),
    ("individual", "title"),
    ("organization", "creditRating"),
    ("organization", "externalReference"),
    ("organization", "name"),
    ("organization", "organizationIdentification"),
    ("organization", "otherName"),
    ("organization", "partyCharacteristic"),
    ("organization", "taxExemptionCertificate"),
    ("organization", "tradingName"),
    ("customer", "characteristic"),
    ("customer", "creditProfile"),
    ("customer", "description"),
    ("customer", "name"),
    ("customer", "statusReason"),
    ("partyRole", "characteristic"),
    ("partyRole", "creditProfile"),
    ("partyRole", "name"),
    ("partyRole", "statusReason"),
    ("billingAccount", "description"),
    ("billingAccount", "name"),
    ("financialAccount", "description"),
    ("financialAccount", "name"),
    ("partyAccount", "description"),
    ("partyAccount", "name"),
    ("settlementAccount", "description"),
    ("settlementAccount", "name"),
    ("interaction", "description"),
    ("*", "contact"),
    ("*", "contactMedium"),
    ("*", "..account.description"),
    ("*", "..account.name"),
    ("*", "..agreement.name"),
    ("*", "..agreementItem.name"),
    ("*", "..agreementName"),
    ("*", "..approver.name"),
    ("*", "..bbox"),
    ("*", "..billingAccount.name"),
    ("*", "..birthDate"),
    ("*", "..city"),
    ("*", "..contactMedium"),
    ("*", "..defaultPaymentMethod.name"),
    ("*", "..emailAddress"),
    ("*", "..engagedParty.name"),
    ("*", "..familyName"),
    ("*", "..faxNumber"),
    ("*", "..financialAccount.name"),
    ("*", "..geographicAddressRelationship.name"),
    ("*", "..geographicLocation.name"),
    ("*", "..geographicSite.description"),
    ("*", "..geographicSite.name"),
    ("*", "..geographicSubAddress"),
    ("*", "..givenName"),
    ("*", "..locality"),
    ("*", "..note.author"),
    ("*", "..note.text"),
    ("*", "..organization.name"),
    ("*", "..partyName"),
    ("*", "..payment.name"),
    ("*", "..paymentMethod.name"),
    ("*", "..phoneNumber"),
    ("*", "..place.description"),
    ("*", "..place.name"),
    ("*", "..postCode"),
    ("*", "..postcode"),
    ("*", "..preferredGivenName"),
    ("*", "..relatedParty.name"),
    ("*", "..socialNetworkId"),
    ("*", "..street"),
    ("*", "..street1"),
    ("*", "..street2"),
    ("*", "..streetName"),
    ("*", "..streetNr"),
    ("*", "..streetNrLast"),
    ("*", "..streetNrLastSuffix"),
    ("*", "..streetNrSuffix"),
    ("*", "..taxExemption.attachment"),
    ("*", "..taxExemption.certificateNumber"),
    ("*", "..taxExemption.reason"),
];

/// The attribute that holds a party or a role as a value, with the attributes of any of [`PARTIES`].
pub(crate) const PARTY: &str = "partyOrPartyRole";

const PARTIES: [&str; 4] = ["individual", "organization", "customer", "partyRole"];

/// Whether an attribute of a resource is about a person, by the key of the resource and the path of the
/// attribute, such as `contactMedium.characteristic.emailAddress`.
pub fn is_personal(resource: &str, path: &str) -> bool {
    let in_party = below(path, PARTY);
    TABLE.iter().any(|(of, row)| {
        let is_of_party = || in_party.is_some_and(|path| PARTIES.contains(of) && covers(row, path));
        ((*of == "*" || *of == resource) && covers(row, path)) || is_of_party()
    })
}

/// Whether the ids of the documents of a resource have personal values in them: those by which
/// duplicates of parties are found.
pub fn has_personal_ids(resource: &str) -> bool {
    resource == "partyKey"
}

/// Whether a row of the table is about a path, or about what it lies below.
fn covers(row: &str, path: &str) -> bool {
    let begins = |path: &str, row: &str| {
        path.strip_prefix(row).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let Some(row) = row.strip_prefix("..") else { return begins(path, row) };
    let below = path.match_indices('.').filter_map(|(dot, _)| path.get(dot + 1..));
    std::iter::once(path).chain(below).any(|end| begins(end, row))
}

/// The path below the last attribute of a name.
fn below<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let mut ends = path.rmatch_indices('.').map(|(dot, _)| path.split_at(dot));
    let (_, below) = ends.find(|(above, _)| above.rsplit('.').next() == Some(name))?;
    below.strip_prefix('.')
}

#[cfg(test)]
mod tests;
