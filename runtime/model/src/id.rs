//! Names of things. Each kind of name is a type of its own, so that one cannot be passed for
//! another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a name: a text that is compared, ordered and stored as it is.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as this kind of name.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A fulfilment: a root order with all that was decomposed from it. The orders of all three
    /// levels carry the same text as their id, so a link needs no look-up.
    FulfilmentId
}
text_id! {
    /// A specification of one of the catalogs, such as `CFS-INTERNET-ACCESS`.
    SpecId
}
text_id! {
    /// A plugin, by the id of its manifest, such as `rest-activator`.
    PluginId
}
text_id! {
    /// A pool of numbered resources, such as `bng-1-vlan`.
    PoolId
}
text_id! {
    /// An instance of an inventory: its resource and its id, such as `service/7a1-s3`.
    InstanceId
}
text_id! {
    /// A SHA-256 in lower-case hex: the identity of a pack or a plugin's bytes.
    Digest
}

impl InstanceId {
    /// The instance of a resource, such as `product`, with an id.
    pub fn of(resource: &str, id: &str) -> Self {
        Self(format!("{resource}/{id}"))
    }

    /// The resource, such as `product`.
    pub fn resource(&self) -> &str {
        self.0.split_once('/').map_or("", |(resource, _)| resource)
    }

    /// The id in the inventory.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, id)| id)
    }
}

impl Digest {
    /// Digests bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// The first twelve characters, enough for a person.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// Declares a position in one of a plan's lists.
macro_rules! index_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The position as an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The name of the thing at this index.
            ///
            /// # Panics
            /// When the index does not fit 32 bits; plans are bounded far below that.
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("a plan has fewer than 2^32 entries"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

index_id! {
    /// An item of a plan: its position in [`crate::Plan::items`].
    ItemId
}
index_id! {
    /// A task of a plan: its position in [`crate::Plan::tasks`].
    TaskId
}
