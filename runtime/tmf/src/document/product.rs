//! TMF637: the prices of products, and when a product is charged.

use super::{Amount, Number, Reference};
use crate::table::ProductStatus;

impl ProductStatus {
    /// Whether recurring charges run, after a time in which they did or did not. A product with an
    /// ordered end stays as it was: one that was suspended then is not charged again.
    pub fn is_charged_after(self, before: bool) -> bool {
        match self {
            Self::Active => true,
            Self::PendingTerminate => before,
            Self::Created
            | Self::PendingActive
            | Self::Suspended
            | Self::Terminated
            | Self::Aborted
            | Self::AbortedSpaced
            | Self::Cancelled => false,
        }
    }

    /// Whether no other status follows it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Terminated | Self::Aborted | Self::AbortedSpaced | Self::Cancelled => true,
            Self::Created
            | Self::PendingActive
            | Self::Active
            | Self::Suspended
            | Self::PendingTerminate => false,
        }
    }
}

crate::document! {
    /// A price of a product.
    #[derive(Default)]
    pub struct ProductPrice {
        name?: String,
        price_type?: String,
        recurring_charge_period?: String,
        /// Version 5 splits the period into a type and a length.
        recurring_charge_period_type?: String,
        recurring_charge_period_length?: u32,
        price?: Price,
        product_offering_price?: Reference,
        /// The account that pays it, if not that of the product. TM Forum knows one for all prices.
        billing_account?: Reference,
        /// Its taxes if there are several, which TM Forum has no attribute for.
        tax*: PriceTax,
        product_price_alteration*: PriceAlteration,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A change of a price.
    #[derive(Default)]
    pub struct PriceAlteration {
        name?: String,
        price_type?: String,
        recurring_charge_period?: String,
        recurring_charge_period_type?: String,
        recurring_charge_period_length?: u32,
        application_duration?: u32,
        priority?: u32,
        price?: Price,
        product_offering_price?: Reference,
        quote?: Reference,
    }
}

crate::document! {
    /// The amounts of a price.
    #[derive(Default, Eq)]
    pub struct Price {
        duty_free_amount?: Amount,
        tax_included_amount?: Amount,
        tax_rate?: Number,
        percentage?: Number,
    }
}

crate::document! {
    /// A tax of a price, in percent.
    #[derive(Eq)]
    pub struct PriceTax {
        tax_category?: String,
        tax_rate: Number,
    }
}
