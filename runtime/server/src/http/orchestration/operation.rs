//! One operation of our own API, with its request and its response. The table of operations
//! validates requests, and is the source of the OpenAPI description and of the page.

use tmf::table::named;

use crate::access::{Permission, Verb};
use crate::http::demand::{Applies, Demand, all_work, unhidden_catalogs};

#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Operation {
    /// `GET` stands for `HEAD` too.
    pub(in crate::http) method: &'static str,
    /// Below the base: pieces, and names in braces for parameters. A name with dots, such as
    /// `{key...}`, stands for all remaining pieces.
    pub(in crate::http) path: &'static str,
    /// Its name in metrics.
    pub(in crate::http) route: &'static str,
    pub(in crate::http) summary: &'static str,
    /// The parameters of its query.
    pub(in crate::http) query: &'static [Parameter],
    /// Whether attributes of documents may be parameters too, as in lists of the standard.
    pub(in crate::http) is_filtered: bool,
    /// Whether a repeated request with the same key has one effect.
    pub(in crate::http) is_keyed: bool,
    pub(in crate::http) body: Body,
    /// The response of a success.
    pub(in crate::http) answer: (u16, Content),
    /// Other responses that are no errors.
    pub(in crate::http) others: &'static [(u16, &'static str)],
    /// Whether its path is proof enough of who sends a request, so that no identity is needed.
    pub(in crate::http) is_proven_by_path: bool,
    /// Which documents of the standard it reads or writes, besides those in its path.
    pub(in crate::http) reaches: &'static [Reaches],
}

/// The documents of the standard that an operation reaches: what the standard's own routes demand for
/// them is demanded of it too. That of a fulfilment is demanded where it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Reaches {
    /// No documents: it tells clients about themselves, and demands no permission.
    OwnIdentity,
    /// Those of the resource that is the second piece of its path. The handler applies conditions.
    InPath(&'static [Verb]),
    /// Those of the resource that its query names. The handler applies conditions.
    InQuery(&'static [Verb]),
    /// Those of a resource. The handler applies conditions.
    Each(&'static str, &'static [Verb]),
    /// All of some resources: none may be hidden from the client.
    Whole(&'static [&'static str], &'static [Verb]),
    /// All orders and runs: none may be hidden from the client.
    Work,
    /// Documents of any resource: the client must be able to read all of them.
    Everything,
    /// The catalogs: what follows from them is told, unless some of them are hidden from the client.
    Catalogs,
}

/// A parameter of a query.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Parameter {
    pub(in crate::http) name: &'static str,
    pub(in crate::http) kind: Kind,
    /// Its description.
    pub(in crate::http) what: &'static str,
}

/// An attribute of a body.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Attribute {
    pub(in crate::http) name: &'static str,
    pub(in crate::http) kind: Kind,
    /// Whether it is mandatory.
    pub(in crate::http) is_mandatory: bool,
    pub(in crate::http) what: &'static str,
}

/// The type of a parameter or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    Text,
    /// A list of texts.
    Texts,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number from 0.
    Number,
    Boolean,
    /// A day such as `2026-04-01`.
    Day,
    /// A time such as `2026-03-12T02:00:00Z`.
    Time,
    /// An object with an `id`.
    Reference,
    /// An object with `unit`, a currency, and `value`.
    Money,
    Object,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Body {
    None,
    /// Any JSON object, or no body.
    Any,
    /// An order of its standard.
    Order,
    /// A document on each line.
    Lines,
    /// The bytes of a plugin.
    Component,
    /// An object with these attributes.
    Attributes {
        /// Its attributes.
        known: &'static [Attribute],
        /// Whether the body may be missing.
        may_be_empty: bool,
        /// Whether other attributes are stored.
        is_open: bool,
    },
}

impl Body {
    /// The attributes that it lists.
    pub(in crate::http) const fn attributes(&self) -> &'static [Attribute] {
        match self {
            Self::Attributes { known, .. } => known,
            Self::None | Self::Any | Self::Order | Self::Lines | Self::Component => &[],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Content {
    Object,
    /// An array of objects.
    Array,
    /// An array of objects, or one of them.
    ArrayOrObject,
    Text,
    Document,
    Pdf,
    /// A document on each line.
    Lines,
    Events,
    /// A file of bytes.
    File,
    /// An object, or a text if the client prefers it.
    ObjectOrText,
    Nothing,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    route: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        route,
        summary,
        query: &[],
        is_filtered: false,
        is_keyed: false,
        body: Body::None,
        answer: (200, Content::Object),
        others: &[],
        is_proven_by_path: false,
        reaches: &[],
    }
}

pub(super) const fn get(
    path: &'static str,
    route: &'static str,
    summary: &'static str,
) -> Operation {
    operation("GET", path, route, summary)
}

pub(super) const fn post(
    path: &'static str,
    route: &'static str,
    summary: &'static str,
) -> Operation {
    operation("POST", path, route, summary)
}

pub(super) const fn put(
    path: &'static str,
    route: &'static str,
    summary: &'static str,
) -> Operation {
    operation("PUT", path, route, summary)
}

/// A `DELETE` without a response body.
pub(super) const fn delete(
    path: &'static str,
    route: &'static str,
    summary: &'static str,
) -> Operation {
    operation("DELETE", path, route, summary).answers(204, Content::Nothing)
}

impl Operation {
    pub(in crate::http) const fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    pub(in crate::http) const fn filtered(self) -> Self {
        Self { is_filtered: true, ..self }
    }

    pub(in crate::http) const fn keyed(self) -> Self {
        Self { is_keyed: true, ..self }
    }

    pub(in crate::http) const fn sends(self, body: Body) -> Self {
        Self { body, ..self }
    }

    pub(in crate::http) const fn answers(self, status: u16, content: Content) -> Self {
        Self { answer: (status, content), ..self }
    }

    pub(in crate::http) const fn or(self, others: &'static [(u16, &'static str)]) -> Self {
        Self { others, ..self }
    }

    pub(in crate::http) const fn proven_by_path(self) -> Self {
        Self { is_proven_by_path: true, ..self }
    }

    pub(in crate::http) const fn reaches(self, reaches: &'static [Reaches]) -> Self {
        Self { reaches, ..self }
    }

    /// What it demands of a client.
    pub(in crate::http) fn permission(&self) -> Permission {
        let verb = match self.method {
            "GET" => Verb::Read,
            "PUT" | "PATCH" => Verb::Change,
            "DELETE" => Verb::Delete,
            _ => Verb::Act,
        };
        Permission::own(self.path, verb)
    }

    /// What it demands besides, for the documents that it reaches.
    pub(in crate::http) fn reached(&self, path: &[&str], queried: Option<&str>) -> Vec<Demand> {
        // Documents are named by key or, as in paths, by name.
        let each = |name: Option<&str>, verbs| {
            let key = name.and_then(named).map_or("", |(_, resource)| resource.key);
            Demand::about(key, verbs, Applies::Each).collect::<Vec<_>>()
        };
        let reached = self.reaches.iter().flat_map(|reaches| match reaches {
            // Everything is demanded with the permission of the operation itself.
            Reaches::OwnIdentity | Reaches::Everything => Vec::new(),
            Reaches::InPath(verbs) => each(path.get(1).copied(), verbs),
            Reaches::InQuery(verbs) => each(queried, verbs),
            Reaches::Each(key, verbs) => each(Some(key), verbs),
            Reaches::Whole(keys, verbs) => {
                keys.iter().flat_map(|key| Demand::about(key, verbs, Applies::Whole)).collect()
            }
            Reaches::Work => all_work().collect(),
            Reaches::Catalogs => unhidden_catalogs().collect(),
        });
        reached.collect()
    }

    /// Whether a path below the base is its path.
    pub(in crate::http) fn is_at(&self, path: &[&str]) -> bool {
        let mut own = self.path.split('/').filter(|piece| !piece.is_empty());
        let mut pieces = path.iter();
        loop {
            match (own.next(), pieces.next()) {
                (None, None) => return true,
                (Some(name), Some(_)) if name.ends_with("...}") => return true,
                (Some(name), Some(_)) if name.starts_with('{') => {}
                (Some(name), Some(piece)) if name == *piece => {}
                _ => return false,
            }
        }
    }

    /// Whether it has a method.
    pub(in crate::http) fn takes(&self, method: &str) -> bool {
        self.method == method || (self.method == "GET" && method == "HEAD")
    }

    /// The names in its path.
    pub(in crate::http) fn names(&self) -> impl Iterator<Item = &'static str> {
        let names = self.path.split('/').filter_map(|piece| piece.strip_prefix('{'));
        names.map(|name| name.trim_end_matches('}').trim_end_matches("..."))
    }

    /// Its path in OpenAPI.
    pub(in crate::http) fn template(&self) -> String {
        self.path.replace("...}", "}")
    }
}

pub(super) const fn parameter(name: &'static str, kind: Kind, what: &'static str) -> Parameter {
    Parameter { name, kind, what }
}

/// An object with these attributes and no others.
pub(super) const fn object(known: &'static [Attribute]) -> Body {
    Body::Attributes { known, may_be_empty: false, is_open: false }
}

/// The same, or no body.
pub(super) const fn object_or_nothing(known: &'static [Attribute]) -> Body {
    Body::Attributes { known, may_be_empty: true, is_open: false }
}

/// An object with these attributes, and others that are stored.
pub(super) const fn open_object(known: &'static [Attribute]) -> Body {
    Body::Attributes { known, may_be_empty: false, is_open: true }
}

/// An optional attribute.
pub(super) const fn may(name: &'static str, kind: Kind, what: &'static str) -> Attribute {
    Attribute { name, kind, is_mandatory: false, what }
}

/// A mandatory attribute.
pub(super) const fn must(name: &'static str, kind: Kind, what: &'static str) -> Attribute {
    Attribute { name, kind, is_mandatory: true, what }
}
