//! Typed documents: a struct for each resource that logic touches, with what it knows as typed fields
//! and everything else in `rest`, so that a document is written back as it was read.
//!
//! [`document!`](crate::document!) declares one:
//!
//! ```
//! use tmf::document::{Reference, read};
//!
//! tmf::document! {
//!     /// Money that came in for an account.
//!     pub struct Deposit {
//!         id: String,
//!         name?: String,
//!         related_party*: Reference,
//!     }
//! }
//!
//! let deposit: Deposit = read(serde_json::json!({ "id": "d-1", "colour": "red" })).unwrap();
//! assert_eq!(deposit.name, None);
//! assert_eq!(deposit.rest["colour"], "red");
//! ```
//!
//! `name: T` must be there, `name?: T` is an `Option`, `name*: T` a `Vec`. Attributes are named in
//! camelCase; `#[serde(rename = "@type")]` names another. `null` counts as absent.

mod date;
mod quantity;
mod reference;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use date::{DateTime, TimePeriod};
pub use quantity::{Amount, Number, Quantity};
pub use reference::Reference;

use crate::field::Malformed;

/// The attributes of a document that its type does not know.
pub type Rest = Map<String, Value>;

/// Declares a typed document; see the [module](self).
#[macro_export]
macro_rules! document {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($fields:tt)* }) => {
        $crate::document!(@ [$(#[$meta])*] [$vis] $name [] $($fields)*);
    };
    (@ $metas:tt $vis:tt $name:ident [$($done:tt)*]
        $(#[$meta:meta])* $field:ident ? : $kind:ty $(, $($more:tt)*)?
    ) => {
        $crate::document!(@ $metas $vis $name [$($done)*
            $(#[$meta])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<$kind>,
        ] $($($more)*)?);
    };
    (@ $metas:tt $vis:tt $name:ident [$($done:tt)*]
        $(#[$meta:meta])* $field:ident * : $kind:ty $(, $($more:tt)*)?
    ) => {
        $crate::document!(@ $metas $vis $name [$($done)*
            $(#[$meta])*
            #[serde(
                default,
                skip_serializing_if = "Vec::is_empty",
                deserialize_with = "::tmf::document::list"
            )]
            pub $field: Vec<$kind>,
        ] $($($more)*)?);
    };
    (@ $metas:tt $vis:tt $name:ident [$($done:tt)*]
        $(#[$meta:meta])* $field:ident : $kind:ty $(, $($more:tt)*)?
    ) => {
        $crate::document!(@ $metas $vis $name [$($done)* $(#[$meta])* pub $field: $kind,]
            $($($more)*)?);
    };
    (@ [$($metas:tt)*] [$vis:vis] $name:ident [$($done:tt)*]) => {
        $($metas)*
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        $vis struct $name {
            $($done)*
            /// The attributes that this type does not know.
            #[serde(flatten)]
            pub rest: $crate::document::Rest,
        }
    };
}

/// Reads a document. The error names the first attribute that is missing or of the wrong type.
pub fn read<T: DeserializeOwned>(document: Value) -> Result<T, Malformed> {
    serde_path_to_error::deserialize(document).map_err(malformed)
}

/// Reads a document that stays where it is.
pub fn read_ref<T: DeserializeOwned>(document: &Value) -> Result<T, Malformed> {
    serde_path_to_error::deserialize(document).map_err(malformed)
}

/// Reads a document from JSON.
pub fn read_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(malformed)
}

/// Writes a document.
pub fn write<T: Serialize>(document: &T) -> Value {
    serde_json::to_value(document).expect("a document has text keys and finite numbers")
}

fn malformed(error: serde_path_to_error::Error<serde_json::Error>) -> Malformed {
    let path = error.path().to_string();
    // The document itself.
    let attribute = if path == "." { "$".into() } else { path };
    let message = error.into_inner().to_string();
    // A position in the text is of no use beside the path.
    let problem = message.split(" at line ").next().unwrap_or_default().to_owned();
    Malformed { attribute, problem: problem.into() }
}

/// Reads a list; `null` is an empty one.
#[doc(hidden)]
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests;
