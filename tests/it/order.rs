//! Orders from the door to the elements and back: what must exist when they are done, and what
//! must not when they are not.

mod changed;
mod delivered;
mod repaired;
mod unwound;
