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
//! let deposit: Deposit = read(&serde_json::json!({ "id": "d-1", "colour": "red" })).unwrap();
//! assert_eq!(deposit.name, None);
//! assert_eq!(deposit.rest["colour"], "red");
//! ```
//!
//! `name: T` must be there, `name?: T` is an `Option`, `name*: T` a `Vec`. Attributes are named in
//! camelCase; `#[serde(rename = "@type")]` names another. `null` counts as absent.

pub mod account;
mod attributes;
mod characteristic;
pub mod customer_bill;
mod date;
mod deferred;
pub mod instance;
pub mod item;
pub mod item_price;
pub mod monitor;
pub mod offering;
pub mod order;
pub mod order_request;
pub mod ordered;
pub mod party;
pub mod process_flow;
pub mod product;
pub mod qualification;
mod quantity;
pub mod quote;
mod reference;
pub mod resource;
pub mod service;
pub mod specification;
pub mod stock;
pub mod tariff;
pub mod usage;

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use attributes::{Attributes, LISTS, List, Overlay};
pub use characteristic::{Characteristic, Characteristics};
pub use date::{Date, DateTime, DayPeriod, TimePeriod};
pub use deferred::Deferred;
pub use quantity::{Amount, Number, Quantity, WrittenNumber};
pub use reference::{Reference, id_of};

use crate::malformed::Malformed;

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

/// Reads a document. The error names the first attribute that is missing or of the wrong type. It goes
/// through text: a flattened field refuses whole numbers of more than 64 bits when it is read from a
/// value, and keeps them when it is read from text.
pub fn read<T: DeserializeOwned>(document: &Value) -> Result<T, Malformed> {
    read_slice(document.to_string().as_bytes())
}

/// Reads a document from JSON.
pub fn read_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(malformed)
}

pub fn write<T: Serialize>(document: &T) -> Value {
    serde_json::to_value(document).expect("a document has text keys and finite numbers")
}

fn malformed(error: serde_path_to_error::Error<serde_json::Error>) -> Malformed {
    let path = error.path().to_string();
    let mut attribute = if path == "." { String::new() } else { path };
    let message = error.into_inner().to_string();
    // A position in the text is of no use beside the path.
    let message = message.split(" at line ").next().unwrap_or_default();
    if let Some(name) = message.strip_prefix("missing field `") {
        if !attribute.is_empty() {
            attribute.push('.');
        }
        attribute.push_str(name.trim_end_matches('`'));
        return Malformed { attribute, problem: "is missing".into() };
    }
    // The document itself.
    if attribute.is_empty() {
        attribute.push('$');
    }
    Malformed { attribute, problem: problem(message) }
}

/// The message for a value that serde refuses: ours for a wrong type, else that of the type itself.
fn problem(message: &str) -> Cow<'static, str> {
    if message.contains("invalid number") {
        return "is not a whole number".into();
    }
    let wrong = message.strip_prefix("invalid type: ");
    let Some(found) = wrong.or_else(|| message.strip_prefix("invalid value: ")) else {
        return message.to_owned().into();
    };
    let (found, expected) = found.rsplit_once(", expected ").unwrap_or((found, ""));
    match expected {
        _ if found == "null" => "is missing",
        "a string" | "a borrowed string" => "is not a text",
        "a sequence" => "is not a list",
        "a boolean" => "is not `true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "usize" => "is not a whole number",
        _ => "is not an object",
    }
    .into()
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
