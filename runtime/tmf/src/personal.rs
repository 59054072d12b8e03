//! Which attributes of documents are about a person. The table is the only place that knows it: what is
//! masked in the audit, and what an export or an erasure of a person covers, follows from it.

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
    ("individual", "formattedName"),
    ("individual", "fullName"),
    ("individual", "gender"),
    ("individual", "generation"),
    ("individual", "individualIdentification"),
    ("individual", "legalName"),
    ("individual", "location"),
    ("individual", "maritalStatus"),
    ("individual", "middleName"),
    ("individual", "name"),
    ("individual", "nationality"),
    ("individual", "otherName"),
    ("individual", "partyCharacteristic"),
    ("individual", "placeOfBirth"),
    ("individual", "taxExemptionCertificate"),
    ("individual", "title"),
    ("organization", "organizationIdentification"),
    ("customer", "characteristic"),
    ("customer", "creditProfile"),
    ("customer", "name"),
    ("interaction", "description"),
    ("partyRole", "characteristic"),
    ("partyRole", "name"),
    ("*", "contact"),
    ("*", "contactMedium"),
    ("*", "..birthDate"),
    ("*", "..city"),
    ("*", "..contactMedium"),
    ("*", "..emailAddress"),
    ("*", "..engagedParty.name"),
    ("*", "..familyName"),
    ("*", "..faxNumber"),
    ("*", "..givenName"),
    ("*", "..note.author"),
    ("*", "..note.text"),
    ("*", "..phoneNumber"),
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
];

/// Whether an attribute of a resource is about a person, by the key of the resource and the path of the
/// attribute, such as `contactMedium.characteristic.emailAddress`.
pub fn is_personal(resource: &str, path: &str) -> bool {
    TABLE.iter().any(|(of, row)| (*of == "*" || *of == resource) && covers(row, path))
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

#[cfg(test)]
mod tests;
