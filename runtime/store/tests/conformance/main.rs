//! The conformance suite of all stores: [`Memory`] is the reference, `Sled` and `Postgres`
//! have to do the same and to keep it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backed_up;
mod compacted;
#[path = "../database/mod.rs"]
mod database;
mod disk;
mod entries;
mod harmed;
mod killed;
mod outages;
mod owners;
mod random;
mod restored;
mod subject;
mod suite;
mod tenants;
