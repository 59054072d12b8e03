//! Rating and billing as functions of documents and dates: the cost of products and usage, the bills
//! made of it, payments, and the books. Nothing here knows the present day or where documents are
//! stored.
//!
//! The days of a product that are charged follow from its status ([`timeline`]); the prices that it
//! had on them ([`spans`]) give rates ([`charge`]), which are TMF678 applied billing rates ([`rate`](model::pricing::rate)). Usage is
//! guided to a tariff ([`tariff`](model::pricing::tariff)), rated by a plugin, and becomes rates when it is billed
//! ([`usage`]). A bill run takes what is not billed yet ([`bill`], by [`cycle`]). Rates, payments
//! and write-offs are journal entries ([`ledger`](model::pricing::ledger)). [`assurance`] compares products with rates.
//!
//! Days are those of the operator's [`zone`](tmf::zone), and all ranges of days are half open: they end before
//! their last day.

pub mod left;
mod periods;
pub mod spans;
pub mod timeline;
pub mod versions;

pub mod charge;
pub mod terms;
pub mod usage;

pub mod adjustment;
pub mod bill;
pub mod bill_state;
pub mod cycle;
pub mod owed;
pub mod payment;
pub mod requested;
pub mod statement;

pub mod assurance;

#[cfg(test)]
mod tests;
