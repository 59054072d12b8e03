//! What an operator decides about selling, billing and what clients may write.

mod strictness;

use commerce::billing::bill_state::Release;
use commerce::cpq::Policy;
use tmf::money::Tax;
use tmf::zone::Zone;

pub(crate) use strictness::by_setting;
pub use strictness::{References, Strict, Strictness};

/// How an operator sells and bills.
#[derive(Clone, Debug, Default)]
pub struct BillingSettings {
    /// The tax on what says no other.
    pub tax: Option<Tax>,
    /// How far a bill run takes its bills, where it does not say.
    pub release: Release,
    /// The zone of the days that are billed.
    pub zone: Zone,
    /// What quotes are made by.
    pub policy: Policy,
    /// How strictly what clients write is checked.
    pub strictness: Strictness,
}
