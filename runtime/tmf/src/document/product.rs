//! TMF637: products, with their prices.

use serde_json::Value;

use super::{Amount, DateTime, Number, Reference};
use crate::table::ProductStatus;

crate::document! {
    /// A product that a customer has.
    pub struct Product {
        id: String,
        name?: String,
        status: ProductStatus,
        start_date?: DateTime,
        termination_date?: DateTime,
        billing_account?: Reference,
        product_offering?: Reference,
        product_serial_number?: Value,
        product_characteristic*: Characteristic,
        product_price*: ProductPrice,
        related_party*: Reference,
    }
}

impl Product {
    /// The id of its billing account.
    pub fn account(&self) -> Option<&str> {
        self.billing_account.as_ref()?.id.as_deref()
    }
}

impl ProductStatus {
    /// Whether recurring charges run, after a time in which they did or did not. What is to end is
    /// what it was until then: what is suspended when its end is ordered is not charged again.
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
    /// A value by its name.
    #[derive(Eq)]
    pub struct Characteristic {
        name?: String,
        value?: Value,
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
        tariff?: Tariff,
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

crate::document! {
    /// What usage costs; an attribute of ours of usage prices.
    #[derive(Eq)]
    pub struct Tariff {
        usage_specification: String,
        rater?: String,
        quantity: String,
        round_to?: Number,
        per?: Number,
        allowance?: Number,
        tiers*: Tier,
        bands*: Band,
    }
}

crate::document! {
    /// What a unit costs up to a number of units.
    #[derive(Eq)]
    pub struct Tier {
        up_to?: Number,
        price: Number,
    }
}

crate::document! {
    /// A time of day at which units cost more or less.
    #[derive(Eq)]
    pub struct Band {
        name: String,
        from: String,
        until: String,
        percent: Number,
        days*: u32,
    }
}

crate::document! {
    /// A price of the catalog (TMF620), as far as usage is rated by it.
    #[derive(Eq)]
    pub struct OfferedPrice {
        price_type?: String,
        tariff?: Tariff,
    }
}
