//! Reconciliation: what the inventory says held against what the elements hold. From a document and
//! the fulfilments that made it follows what to ask ([`questions`]); from each answer, what is
//! found ([`Question::judge`]). From the documents that lead to one another follows which of them is in
//! use by itself and which only as a part ([`rank`]). Nothing is changed by any of it.

mod judge;
mod orphan;
mod question;
mod reading;

pub use judge::{Finding, Kind};
pub use orphan::{Rank, User, leads_to, rank, users};
pub use question::{Expected, Maker, Question, holder, questions};
pub use reading::{Difference, Holder, Reading};

#[cfg(test)]
mod tests;
