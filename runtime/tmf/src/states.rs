//! Declares the states of a resource once: as an enum for logic, and as the rows of its lifecycle for
//! the table.

/// Declares states with their spelling and their next states.
macro_rules! states {
    ($(#[$meta:meta])* $name:ident {
        $($state:ident = $text:literal => [$($next:ident),* $(,)?]),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($state),* }

        impl $name {
            /// Every state, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$state),*];

            /// The next states of each state.
            pub(crate) const NEXT: &[(&str, &[&str])] =
                &[$((Self::$state.as_str(), &[$(Self::$next.as_str()),*])),*];

            /// Whether one state may follow another.
            pub fn may_become(self, next: Self) -> bool {
                match self { $(Self::$state => [$(Self::$next),*].contains(&next)),* }
            }

            /// The state as documents spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$state => $text),* }
            }

            /// Reads the spelling in documents.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == text)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str>>::deserialize(from)?;
                Self::parse(&text).ok_or_else(|| {
                    ::serde::de::Error::custom(format_args!("has no state `{text}`"))
                })
            }
        }
    };
}
