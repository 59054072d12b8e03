//! Reconciliation compares the inventories with the elements. From an instance and the fulfilments that
//! made it follow the questions to the elements ([`questions`]), and from each answer a finding
//! ([`Question::judge`]). From the documents that lead to one another follows which of them is in use
//! by itself and which only as a part ([`rank`]). None of it changes anything.

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
