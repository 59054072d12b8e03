//! The prices of lines of quotes (TMF648 `QuotePrice`) and of orders (TMF622 `OrderPrice`), which are
//! alike.

use super::Reference;
use super::product::{Price, PriceTax};

crate::document! {
    /// A price of one of the product of a line.
    #[derive(Default)]
    pub struct ItemPrice {
        name?: String,
        description?: String,
        price_type?: String,
        recurring_charge_period?: String,
        unit_of_measure?: String,
        price?: Price,
        product_offering_price?: Reference,
        /// Its taxes if there are several, which TM Forum has no attribute for.
        tax*: PriceTax,
        price_alteration*: ItemPriceAlteration,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A change of such a price.
    #[derive(Default)]
    pub struct ItemPriceAlteration {
        name?: String,
        price_type?: String,
        recurring_charge_period?: String,
        application_duration?: u32,
        priority?: i64,
        price?: Price,
        product_offering_price?: Reference,
    }
}
