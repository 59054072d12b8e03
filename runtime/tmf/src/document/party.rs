//! TMF632 and TMF629: the parties behind customers, by the attributes that identify them.

use super::{Date, Reference};

crate::document! {
    /// An individual or an organization; each has attributes that the other lacks.
    pub struct Party {
        id?: String,
        href?: String,
        given_name?: String,
        family_name?: String,
        birth_date?: Date,
        trading_name?: String,
        name?: String,
        individual_identification*: PartyIdentification,
        organization_identification*: PartyIdentification,
        contact_medium*: ContactMedium,
    }
}

crate::document! {
    /// An identity card, a passport, or the entry in a register.
    pub struct PartyIdentification {
        identification_id?: String,
        identification_type?: String,
    }
}

crate::document! {
    /// A way to contact a party.
    pub struct ContactMedium {
        characteristic?: MediumCharacteristic,
    }
}

crate::document! {
    /// The address or the number of a contact medium.
    pub struct MediumCharacteristic {
        email_address?: String,
        phone_number?: String,
    }
}

crate::document! {
    /// A customer (TMF629): the role of a party.
    pub struct Customer {
        id: String,
        href?: String,
        name?: String,
        engaged_party?: Reference,
        /// The duplicates that were merged into it, which TM Forum has no attribute for.
        merged_customer*: Reference,
    }
}

impl Customer {
    /// The id of its party.
    pub fn party(&self) -> Option<&str> {
        self.engaged_party.as_ref()?.id.as_deref()
    }

    /// The ids of the duplicates that were merged into it.
    pub fn merged(&self) -> impl Iterator<Item = &str> {
        self.merged_customer.iter().filter_map(|merged| merged.id.as_deref())
    }
}

crate::document! {
    /// The parties of a document of any resource.
    pub struct WithParties {
        id?: String,
        related_party*: Reference,
    }
}
