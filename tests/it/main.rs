//! The black-box tests: the program as it is shipped, over HTTP, with elements that fail on
//! purpose. See `tests/README.md`.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../runtime/store/tests/database/mod.rs"]
mod database;
mod world;

mod order;

mod kill;
mod linear;
mod lives;
mod oracle;
mod power;

mod access;
mod activation;
mod attempts;
mod attributes;
mod audit;
mod backup;
mod bad_input;
mod bench;
mod by_hand;
mod changes;
mod checks;
mod codes;
mod conformance;
mod contend;
mod contract;
mod dates;
mod decomposer;
mod ending;
mod events;
mod examples;
mod fences;
mod full;
mod generate;
mod guests;
mod hostile;
mod in_use;
mod installed;
mod kit;
mod milestones;
mod nodes;
mod pack;
mod plugin;
mod project;
mod reference;
mod registry;
mod relations;
mod rules;

mod bulk;
mod damage;
mod demo;
mod landscape;
mod left_out;
mod login;
mod memory;
mod reconcile;
mod run;
mod scratch;
mod sdk;
mod secrets;
mod shadow;
mod shared;
mod size;
mod slow;
mod tls;
mod traces;
mod trusted;
mod usage;
mod vanish;
mod versions;

mod layout;
mod tenants;
mod tidy;
