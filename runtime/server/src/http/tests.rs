//! The router, asked as a client asks it. Behind it are an engine in memory and a host without
//! plugins: orders are held for want of them, which is fine for the door.

mod bench;
mod off_thread;

mod access;
mod activation;
mod assurance;
mod attempts;
mod bad_input;
mod bad_table;
mod billing;
mod bills;
mod books;
mod bulk;
mod contention;
mod cpq;
mod customers;
mod disconnect;
mod documents;
mod durable;
mod faults;
mod filters;
mod foreign;
mod full;
mod hub;
mod index;
mod kept;
mod keys;
mod kits;
mod limits;
mod orchestration;
mod own;
mod persons;
mod prices;
mod quarantine;
mod reconciliations;
mod retention;
mod runs;
mod serve;
mod standard;
mod stock;
mod tenants;
mod usage;
mod uses;
mod v5;
mod warnings;
