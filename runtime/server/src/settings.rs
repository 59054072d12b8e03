//! The operator's settings of sales, billing and validation.

mod strictness;

use commerce::billing::bill_state::Release;
use commerce::cpq::Policy;
use tmf::money::Tax;
use tmf::zone::Zone;

pub(crate) use strictness::by_setting;
pub use strictness::{References, Strict, Strictness};

/// The settings of sales and billing.
#[derive(Clone, Debug, Default)]
pub struct BillingSettings {
    /// The tax on prices without a tax.
    pub tax: Option<Tax>,
    /// The default state of the bills of a run.
    pub release: Release,
    /// The time zone of billed days.
    pub zone: Zone,
    /// The settings of quotes.
    pub policy: Policy,
    /// How strictly documents of clients are checked.
    pub strictness: Strictness,
}
