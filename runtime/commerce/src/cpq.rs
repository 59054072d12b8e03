//! Configure, price, quote: what comes before an order. All of it is answered by the rules that the
//! order will go through: a configuration passes the checks of an order, a price is the one that the
//! order's products will have, and what qualifies has a plan.
//!
//! An amount is rounded once, where it is made: a percentage of an amount and the tax on a line to
//! the decimals of the currency, of usage to six; a tie goes away from zero. Totals are sums of
//! rounded lines and are not rounded again.

mod configure;
mod launch;
mod order;
mod qualify;
mod quote;
mod standing;

pub use configure::{Choice, Configuration, configure};
pub use launch::{Reason, deliverable};
pub use order::{is_from_elsewhere, order_of, quote_path, unbacked, unread};
pub use qualify::{
    Facts, Unanswered, qualify_offerings, qualify_services, query_offerings, query_services,
};
pub use quote::{Policy, QuoteError, create, needs_approval, next_version, patched};
pub use standing::Standing;

#[cfg(test)]
mod tests;
