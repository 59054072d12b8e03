//! TMF635: usage of products, and what it costs.

use super::{Amount, Characteristic, DateTime, Deferred, Number, Reference};
use crate::document::product::PriceTax;
use crate::table::UsageStatus;

crate::document! {
    /// A use of a product.
    pub struct Usage {
        id: String,
        href?: String,
        description?: String,
        usage_type?: String,
        /// A usage with a malformed date is kept, and rejected.
        usage_date?: Deferred<DateTime>,
        status?: UsageStatus,
        usage_specification?: Reference,
        usage_characteristic*: Characteristic,
        related_party*: Reference,
        rated_product_usage*: RatedProductUsage,
        /// Why it was rejected, which the standard has no attribute for.
        rejection?: UsageRejection,
        /// The bill run that billed it.
        bill_run?: Reference,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

impl Usage {
    /// Its status; a usage without one was received.
    pub fn state(&self) -> UsageStatus {
        self.status.unwrap_or(UsageStatus::Received)
    }
}

crate::document! {
    /// The product that was used, and what that costs.
    #[derive(Default)]
    pub struct RatedProductUsage {
        product_ref?: Reference,
        /// How the product was found.
        guided_by?: GuidedBy,
        /// The account that pays.
        billing_account?: Reference,
        is_billed?: bool,
        is_tax_exempt?: bool,
        offer_tariff_type?: String,
        rating_amount_type?: String,
        rating_date?: DateTime,
        usage_rating_tag?: String,
        tax_excluded_rating_amount?: Amount,
        tax_included_rating_amount?: Amount,
        /// Whether the price includes tax, so that the amount with tax is exact.
        includes_tax?: bool,
        tax_rate?: Number,
        /// Its taxes one by one.
        tax*: PriceTax,
        /// The id of the price that it was rated by.
        price?: String,
        price_name?: String,
        units?: Number,
        free_units?: Number,
        /// The units of its period that were used before it.
        units_before?: Number,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// Why a usage was rejected.
    #[derive(Eq)]
    pub struct UsageRejection {
        code?: String,
        reason?: String,
        /// The attribute that is wrong.
        attribute?: String,
    }
}

/// How the product of a usage was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GuidedBy {
    /// The usage names it.
    Product,
    /// They share a characteristic, or its serial number is a value of the usage.
    Characteristic,
    /// They share a party.
    Party,
}

impl GuidedBy {
    /// How documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Characteristic => "characteristic",
            Self::Party => "party",
        }
    }
}
