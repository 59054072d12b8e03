//! References from one document to another.

use crate::malformed::Malformed;
use crate::resource::capitalised;

crate::document! {
    /// A reference to a document (TMF630 `EntityRef`): a related party, an offering, an account.
    #[derive(Default, Eq)]
    pub struct Reference {
        id?: String,
        href?: String,
        name?: String,
        role?: String,
        #[serde(rename = "@referredType")]
        referred_type?: String,
    }
}

impl Reference {
    /// A reference to a document that is kept here, by the key of its resource.
    pub fn to(resource: &str, id: &str) -> Self {
        Self {
            id: Some(id.into()),
            href: Some(crate::href::of(resource, id)),
            name: None,
            role: None,
            referred_type: Some(capitalised(resource)),
            rest: crate::document::Rest::new(),
        }
    }

    /// A reference without an address, to a document of a type.
    pub fn of(referred_type: &str, id: &str) -> Self {
        Self {
            id: Some(id.into()),
            href: None,
            name: None,
            role: None,
            referred_type: Some(referred_type.into()),
            rest: crate::document::Rest::new(),
        }
    }

    /// The same with the name of the document.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it leads to a document of this id.
    pub fn is_to(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }
}

/// The id of a reference that is an attribute of a document. A reference without one is an error.
pub fn id_of<'a>(
    reference: Option<&'a Reference>,
    attribute: &str,
) -> Result<Option<&'a str>, Malformed> {
    let missing =
        || Malformed { attribute: format!("{attribute}.id"), problem: "is missing".into() };
    reference.map(|one| one.id.as_deref().ok_or_else(missing)).transpose()
}
