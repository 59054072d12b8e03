//! Tariffs of usage prices: an attribute `tariff` of a price of a product or of the catalog, which TM
//! Forum has no attribute for.

use super::{Deferred, Number};

crate::document! {
    /// What usage costs.
    pub struct Tariff {
        /// The id or the name of the specification of the usage that it is for.
        usage_specification: String,
        /// The plugin that rates it, if not the usual one.
        rater?: String,
        /// The characteristic of the usage that is counted.
        quantity: String,
        round_to?: Number,
        per?: Number,
        allowance?: Number,
        tiers*: Tier,
        bands*: Band,
    }
}

crate::document! {
    /// A price of units up to a count.
    pub struct Tier {
        up_to?: Number,
        price: Number,
    }
}

crate::document! {
    /// A time of day with a price of its own.
    pub struct Band {
        name: String,
        from: String,
        until: String,
        percent: Number,
        /// Days of the week, from 1 for Monday; every day if there are none.
        days*: u32,
    }
}

crate::document! {
    /// The part of a price of the catalog (TMF620) that rates usage.
    pub struct OfferedTariff {
        price_type?: String,
        tariff?: Deferred<Tariff>,
    }
}
