//! The role of a plugin: the world of the contract that it implements.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The role of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Checks an order.
    Validator,
    /// Decomposes an item.
    Decomposer,
    /// Reserves values of pools.
    Allocator,
    /// Drives an element.
    Activator,
    /// Turns prices into charges.
    Rater,
    /// Does any other step.
    Step,
}

/// A capability that a plugin may be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Outbound HTTP.
    Http,
    /// Reading the inventories.
    Inventory,
    /// Reserving values of pools.
    Reservation,
    /// A scratch space of its own.
    Scratch,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 4] = [Self::Http, Self::Inventory, Self::Reservation, Self::Scratch];
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Validator,
        Self::Decomposer,
        Self::Allocator,
        Self::Activator,
        Self::Rater,
        Self::Step,
    ];

    /// The name of the world, as a manifest spells it.
    pub fn world(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Decomposer => "decomposer",
            Self::Allocator => "allocator",
            Self::Activator => "activator",
            Self::Rater => "rater",
            Self::Step => "step",
        }
    }

    /// The interface that a plugin of this role exports.
    pub fn interface(self) -> &'static str {
        match self {
            Self::Validator => "validation",
            Self::Decomposer => "decomposition",
            Self::Allocator => "allocation",
            Self::Activator => "activation",
            Self::Rater => "rating",
            Self::Step => "work",
        }
    }

    /// Whether plugins of this role may be granted a capability at all.
    pub fn may(self, capability: Capability) -> bool {
        match self {
            Self::Step => true,
            Self::Activator => capability != Capability::Reservation,
            Self::Allocator => {
                matches!(capability, Capability::Inventory | Capability::Reservation)
            }
            Self::Validator => capability == Capability::Inventory,
            Self::Decomposer | Self::Rater => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.world())
    }
}

impl Capability {
    /// The capability as people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "outbound HTTP",
            Self::Inventory => "inventory",
            Self::Reservation => "reservation",
            Self::Scratch => "a scratch space",
        }
    }
}
