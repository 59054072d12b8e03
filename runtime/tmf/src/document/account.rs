//! TMF666: accounts, and when they are billed.

use super::Reference;

crate::document! {
    /// A billing account.
    pub struct BillingAccount {
        id: String,
        bill_structure?: BillStructure,
        related_party*: Reference,
        financial_account?: Reference,
        default_payment_method?: Reference,
    }
}

impl BillingAccount {
    /// An account of which only the id is known.
    pub fn unknown(id: &str) -> Self {
        Self {
            id: id.into(),
            bill_structure: None,
            related_party: Vec::new(),
            financial_account: None,
            default_payment_method: None,
            rest: super::Rest::new(),
        }
    }

    /// The copy of a cycle that it has, which may refer to a specification.
    pub fn cycle(&self) -> Option<&BillingCycleSpecification> {
        self.bill_structure.as_ref()?.cycle_specification.as_ref()
    }
}

crate::document! {
    /// How an account is billed.
    pub struct BillStructure {
        cycle_specification?: BillingCycleSpecification,
    }
}

crate::document! {
    /// When bills are cut: the specification, or the part of it that an account repeats.
    #[derive(Default, Eq)]
    pub struct BillingCycleSpecification {
        id?: String,
        frequency?: String,
        billing_period?: String,
        billing_date_shift?: u32,
        date_shift?: u32,
        payment_due_date_offset?: u32,
    }
}
