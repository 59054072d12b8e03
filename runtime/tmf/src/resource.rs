//! The table of the TM Forum resources. An entry has the name of a resource, the shape of its
//! documents, the operations of clients, and the effects of a change; the engine, the store's
//! indexes, the HTTP server and the OpenAPI description all read it here.

use serde_json::Value;

/// An API of the TM Forum.
#[derive(Debug)]
pub struct Api {
    /// Its number, such as 622.
    pub number: u16,
    /// Its title, such as `Product Ordering`.
    pub title: &'static str,
    /// The version of the served v4 definition.
    pub version: &'static str,
    /// The name in its base path, `/tmf-api/{base}/v4`, used in hrefs.
    pub base: &'static str,
    /// Other names that clients use for it.
    pub aliases: &'static [&'static str],
    /// How it is served under `v5`; `None` if it is not.
    pub v5: Option<V5>,
    pub resources: &'static [Resource],
}

/// The later version of an API, over the same documents.
#[derive(Debug)]
pub struct V5 {
    /// The version of the definition.
    pub version: &'static str,
    /// The name in its base path.
    pub base: &'static str,
    /// Other names that clients use for it.
    pub aliases: &'static [&'static str],
}

/// A resource of an API.
#[derive(Debug)]
pub struct Resource {
    /// Its name in paths and events, such as `productOrder`.
    pub name: &'static str,
    /// The name under which its documents are stored; two APIs may serve the same documents.
    pub key: &'static str,
    /// Its name in version 5, if it differs.
    pub name_v5: Option<&'static str>,
    /// The shape of its documents, such as `ProductOrder`; the first letter of `@type`.
    pub shape: &'static str,
    /// The operations of clients.
    pub operations: &'static [Operation],
    /// Attributes that a client must give when it creates one.
    pub mandatory: &'static [&'static str],
    /// Attributes that only the server sets: they are removed from a client's new document.
    pub server: &'static [&'static str],
    /// Attributes that cannot be patched.
    pub fixed: &'static [&'static str],
    /// The states of its documents; `None` if they have none.
    pub lifecycle: Option<Lifecycle>,
    /// References that must lead to an existing document.
    pub references: &'static [Reference],
    /// Attributes (dotted paths) by which documents are found without a scan, besides the state.
    pub indexed: &'static [&'static str],
    /// Whether earlier versions of a document are stored.
    pub history: bool,
    /// The names of its events.
    pub naming: Naming,
    /// Who makes and changes its documents.
    pub owner: Owner,
    /// In which versions of the API it is served.
    pub served: Served,
    /// The `@type` or `@baseType` that a document must have to be seen here; `None` if all of the key
    /// are.
    pub only_type: Option<&'static str>,
    /// Dates that the server sets when a document is new, such as `orderDate`.
    pub dates: &'static [&'static str],
    /// The date that the server sets whenever a document changes, such as `lastUpdate`.
    pub stamp: Option<&'static str>,
}

/// The versions of its API that serve a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// All versions of the API.
    Always,
    /// Version 4 alone.
    V4,
    /// Version 5 alone; no href leads to version 4 of it.
    V5,
}

/// An operation of a client on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    List,
    Get,
    Create,
    Patch,
    Replace,
    Delete,
}

/// The operations of most resources.
pub const ALL: &[Operation] =
    &[Operation::List, Operation::Get, Operation::Create, Operation::Patch, Operation::Delete];

/// The states of a document and the legal transitions.
#[derive(Clone, Copy, Debug)]
pub struct Lifecycle {
    /// The attribute: `state`, `status` or `lifecycleStatus`.
    pub attribute: &'static str,
    /// The default state of a new document; empty if a client must send one.
    pub initial: &'static str,
    /// Each state with its next states. Without any, every text is a state and every transition is
    /// legal.
    pub next: &'static [(&'static str, &'static [&'static str])],
    /// Whether unlisted states are allowed.
    pub words: Words,
}

/// Whether the definitions list the states of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// They do: other states are refused.
    Listed,
    /// Any text is a state; transitions are checked between listed states, regardless of case and
    /// spaces.
    Free,
}

/// A reference that must lead to an existing document.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The path of the reference, such as `productSpecification`: its `id` is looked up.
    pub path: &'static str,
    /// The keys of the resources it may lead to; one of them must have the id.
    pub to: &'static [&'static str],
    /// Whether the request acts on the target, which must be here then. If not, the operator
    /// may allow references to other systems.
    pub is_acted_on: bool,
}

/// The names of the events of a resource (TMF630 and the definitions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `Create`, `AttributeValueChange`, `StateChange`, `Delete`.
    Usual,
    /// `Create`, `Change`, `Delete` (633, 634, topics of 688).
    Change,
    /// No events.
    Silent,
}

/// Who creates and changes the documents of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Clients, within the policies of the resource.
    Client,
    /// The engine: the resource is an order, which is carried out.
    Order,
    /// The engine, at a client's request: the resource is activated directly.
    Activation,
    /// Computed when they are read.
    Computed,
}

impl Lifecycle {
    /// Whether a state is one of its states.
    pub fn knows(&self, state: &str) -> bool {
        self.next.is_empty() || self.words == Words::Free || self.listed(state).is_some()
    }

    /// Whether a transition is legal; a state may follow itself. An unlisted state may
    /// follow any, and any may follow it.
    pub fn allows(&self, from: &str, to: &str) -> bool {
        if from == to || self.next.is_empty() {
            return true;
        }
        match (self.words, self.listed(from), self.listed(to)) {
            (Words::Free, None, _) | (Words::Free, _, None) => true,
            (_, Some((from, after)), Some((to, _))) => from == to || after.contains(to),
            (Words::Listed, None, _) | (Words::Listed, _, None) => false,
        }
    }

    /// The next states of a state.
    pub fn after(&self, from: &str) -> &'static [&'static str] {
        self.listed(from).map(|(_, next)| *next).unwrap_or_default()
    }

    /// Whether a state is final.
    pub fn is_final(&self, state: &str) -> bool {
        self.listed(state).is_some_and(|(_, after)| after.is_empty())
    }

    fn listed(&self, state: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect()
        };
        self.next.iter().find(|(known, _)| match self.words {
            Words::Listed => *known == state,
            Words::Free => plain(known) == plain(state),
        })
    }
}

impl Resource {
    /// Whether its documents are jobs: imports or exports.
    pub fn is_job(&self) -> bool {
        self.shape.starts_with("ImportJob") || self.shape.starts_with("ExportJob")
    }

    /// Whether a client may do this.
    pub fn takes(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether its documents may have an attribute, by its dotted path.
    pub fn knows(&self, path: &str) -> bool {
        crate::shape::TypeSet::V4.may_have(self.shape, path)
    }

    /// Whether a document is visible under this resource.
    pub fn shows(&self, document: &Value) -> bool {
        let has = |name, wanted| document.get(name).and_then(Value::as_str) == Some(wanted);
        self.only_type.is_none_or(|wanted| has("@type", wanted) || has("@baseType", wanted))
    }

    /// The state of a document, if it has one.
    pub fn state_of<'a>(&self, document: &'a Value) -> Option<&'a str> {
        document.get(self.lifecycle?.attribute)?.as_str()
    }
}

impl Api {
    /// The path of a resource in hrefs, without an id.
    pub fn path(&self, resource: &Resource) -> String {
        match (resource.served, &self.v5) {
            (Served::V5, Some(later)) => format!("/tmf-api/{}/v5/{}", later.base, resource.name),
            (Served::Always | Served::V4 | Served::V5, _) => {
                format!("/tmf-api/{}/v4/{}", self.base, resource.name)
            }
        }
    }
}

/// The name of a resource with a capital letter: how types and events are called.
pub fn capitalised(name: &str) -> String {
    let mut name = name.to_string();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

#[cfg(test)]
mod tests;
