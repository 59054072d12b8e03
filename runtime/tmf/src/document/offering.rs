//! TMF620: product offerings and their prices.

use serde_json::Value;

use super::specification::{AllowedValue, Relationship};
use super::tariff::Tariff;
use super::{Amount, Deferred, Number, Quantity, Reference, TimePeriod};

crate::document! {
    /// A product offering.
    pub struct ProductOffering {
        id?: String,
        name?: String,
        lifecycle_status?: String,
        valid_for?: TimePeriod,
        product_specification?: Reference,
        product_offering_price*: Reference,
        bundled_product_offering*: BundledOffering,
        product_offering_relationship*: Relationship,
        category*: Reference,
        place*: Reference,
        prod_spec_char_value_use*: ValueUse,
    }
}

crate::document! {
    /// An offering within a bundle.
    pub struct BundledOffering {
        id?: String,
        bundled_product_offering_option?: BundleOption,
    }
}

crate::document! {
    /// How many of an offering a bundle can have.
    #[derive(Default)]
    pub struct BundleOption {
        number_rel_offer_lower_limit?: u64,
        number_rel_offer_upper_limit?: u64,
        number_rel_offer_default?: u64,
    }
}

crate::document! {
    /// The values of a characteristic that an offering or a price is for.
    pub struct ValueUse {
        name?: String,
        product_spec_characteristic_value*: AllowedValue,
    }
}

crate::document! {
    /// A price of the catalog.
    pub struct ProductOfferingPrice {
        id?: String,
        name?: String,
        lifecycle_status?: String,
        valid_for?: TimePeriod,
        price_type?: String,
        price?: Amount,
        percentage?: Number,
        priority?: i64,
        application_duration?: u32,
        recurring_charge_period_type?: String,
        recurring_charge_period_length?: u32,
        unit_of_measure?: Deferred<Quantity>,
        tax*: OfferedTax,
        bundled_pop_relationship*: Reference,
        pop_relationship*: Relationship,
        prod_spec_char_value_use*: ValueUse,
        product_offering_term*: OfferingTerm,
        tariff?: Deferred<Tariff>,
    }
}

crate::document! {
    /// A tax on a price, in percent.
    pub struct OfferedTax {
        tax_category?: String,
        tax_rate?: Number,
    }
}

crate::document! {
    /// A condition of an offering or a price that lasts for some time.
    pub struct OfferingTerm {
        duration?: TermDuration,
    }
}

crate::document! {
    /// How long a term lasts, such as three months.
    pub struct TermDuration {
        /// A number, which is checked where it is used.
        amount?: Value,
        units?: String,
    }
}
