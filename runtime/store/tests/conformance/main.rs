//! The conformance suite of all stores: [`Memory`] is the reference, `Sled` has to do
//! the same and to keep it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backed_up;
mod compacted;
mod disk;
mod entries;
mod harmed;
mod killed;
mod random;
mod restored;
mod subject;
mod suite;
mod tenants;
