//! Reconciliation: what the inventory says held against what the elements hold. From a document and
//! the fulfilments that made it follows what to ask ([`questions`]); from each answer, what is
//! found ([`Question::judge`]). Nothing is changed by any of it.

mod judge;
mod question;

pub use judge::{Difference, Finding, Holder, Kind, Reading};
pub use question::{Expected, Maker, Question, holder, questions};

#[cfg(test)]
mod tests;
