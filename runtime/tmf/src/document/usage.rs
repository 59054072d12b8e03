//! TMF635: usage.

use super::product::{Characteristic, PriceTax};
use super::{Amount, DateTime, Number, Reference};
use crate::table::UsageStatus;

crate::document! {
    /// A record of usage.
    pub struct Usage {
        id: String,
        usage_date?: DateTime,
        status?: UsageStatus,
        usage_type?: String,
        usage_specification?: Reference,
        usage_characteristic*: Characteristic,
        related_party*: Reference,
        rated_product_usage*: RatedProductUsage,
        rejection?: Rejection,
        bill_run?: Reference,
    }
}

impl Usage {
    /// Its status; a usage without one was received.
    pub fn status(&self) -> UsageStatus {
        self.status.unwrap_or(UsageStatus::Received)
    }
}

crate::document! {
    /// What a usage costs, or the product that its sender names.
    pub struct RatedProductUsage {
        product_ref?: Reference,
        billing_account?: Reference,
        /// What its product was found by.
        guided_by?: String,
        rating_date?: DateTime,
        price?: String,
        price_name?: String,
        units?: Number,
        free_units?: Number,
        units_before?: Number,
        is_billed?: bool,
        is_tax_exempt?: bool,
        includes_tax?: bool,
        offer_tariff_type?: String,
        rating_amount_type?: String,
        usage_rating_tag?: String,
        tax_rate?: Number,
        tax?: Vec<PriceTax>,
        tax_excluded_rating_amount?: Amount,
        tax_included_rating_amount?: Amount,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// Why a usage was refused.
    #[derive(Eq)]
    pub struct Rejection {
        code?: String,
        reason?: String,
        attribute?: String,
    }
}
