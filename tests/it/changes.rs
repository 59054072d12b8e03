//! What the shipped packs sell can be changed: each characteristic to each of its values and back,
//! suspended, resumed and ended, with the inventory, the network and reconciliations in agreement.

mod catalog;
mod executed;
mod picture;
mod rejected;
mod restored;
mod sold;
mod walk;
