//! The products and deliveries of a random world, as data. The generator makes it, `written` turns
//! it into the files of a pack, and the oracle reads it: the oracle never sees the files.

use std::collections::BTreeMap;

/// Characteristics by name. All values are whole numbers: what matters is which are equal.
pub(super) type Chars = BTreeMap<String, i64>;

/// A pack. Products and services refer to one another by position; a service leads to later ones only.
#[derive(Clone, Debug, Default)]
pub(super) struct Pack {
    pub(super) products: Vec<Product>,
    pub(super) services: Vec<Service>,
    /// How many pools there are.
    pub(super) pools: usize,
    /// Whether a step runs before and after each order of new products.
    pub(super) has_hooks: bool,
}

/// A product specification, with the one offering of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) chars: Vec<Char>,
    pub(super) edges: Vec<Edge>,
    /// The products that it bundles.
    pub(super) parts: Vec<usize>,
}

/// A characteristic of a product: one of these values, the first by default.
#[derive(Clone, Debug)]
pub(super) struct Char {
    pub(super) name: String,
    pub(super) values: Vec<i64>,
}

/// What an item becomes: a service, when a condition holds, once or several times.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The position of the service.
    pub(super) to: usize,
    pub(super) when: When,
    /// How many; one without a number where there is none.
    pub(super) quantity: Option<Quantity>,
    /// Each characteristic of the service that is not copied from the parent.
    pub(super) maps: Vec<(String, Source)>,
}

/// How many instances there are, and what each has that tells it apart.
#[derive(Clone, Debug)]
pub(super) enum Quantity {
    /// This many, with their `number`.
    Times(Source),
    /// One for each of `SITES` but this one, with its `site`.
    SitesBut(Source),
}

/// What a list has: with `Quantity::SitesBut`, instances in the midst of others come and go.
pub(super) const SITES: [i64; 3] = [1, 2, 4];

impl Quantity {
    /// The characteristic that tells the instances apart.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Times(_) => "number",
            Self::SitesBut(_) => SITE,
        }
    }
}

pub(super) const SITE: &str = "site";

#[derive(Clone, Debug)]
pub(super) enum When {
    Always,
    Equals(Source, i64),
}

/// Where a number comes from. `Item` is the parent in an edge, the item itself in a step.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Fixed(i64),
    Item(String),
    Product(String),
}

/// A service specification with its delivery.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) is_customer_facing: bool,
    pub(super) chars: Vec<String>,
    pub(super) edges: Vec<Edge>,
    /// Services that must be delivered first, by the catalog's `dependsOn`.
    pub(super) depends: Vec<usize>,
    /// The same, by the rules' `needs`.
    pub(super) needs: Vec<usize>,
    pub(super) scope: Scope,
    /// Whether it is made of a resource that is from no pool.
    pub(super) has_resource: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Item,
    Bundle,
    Order,
    Place,
    Customer,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) act: Act,
    pub(super) when: When,
    /// Whether it starts with the workflow instead of after the step before it.
    pub(super) starts_at_once: bool,
    /// Whether the order is unwound when it fails for good; else it is held.
    pub(super) rolls_back: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Takes a value out of a pool, under the name `v`.
    Take { pool: usize },
    /// Passes `v` on to the tasks that need the item.
    Note { v: Source },
    /// Has an element hold an entry.
    Tell { element: usize, body: Vec<(String, Read)> },
}

/// The source of a field of a body.
#[derive(Clone, Debug)]
pub(super) enum Read {
    Number(Source),
    /// The place of the product, or nothing.
    Place,
    /// What a step of the same item took, by the position of the step.
    Own(usize),
    /// What the item of another specification gave on or took, where this one needs such an item.
    Upstream(usize),
}

/// An element and how its entries are addressed.
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) speech: Speech,
}

/// What an element understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// Any `PUT`, at this path with a separator before the id.
    Put(&'static str, &'static str),
    /// Methods of JSON-RPC that create, update, get and delete any kind of thing.
    JsonRpc,
}

const RESTCONF: Speech = Speech::Put("/restconf/data/", "=");
const REST: Speech = Speech::Put("/api/", "/");

pub(super) const ELEMENTS: [Element; 7] = [
    Element { name: "olt-1", speech: RESTCONF },
    Element { name: "bng-1", speech: RESTCONF },
    Element { name: "hlr", speech: Speech::JsonRpc },
    Element { name: "cmts-1", speech: RESTCONF },
    Element { name: "ipam", speech: REST },
    Element { name: "iptv", speech: REST },
    Element { name: "pcrf", speech: Speech::JsonRpc },
];

impl Pack {
    /// The name of a step's entries at its element.
    pub(super) fn collection(&self, service: usize, step: usize, element: usize) -> String {
        let (service, step) = (&self.services[service], &self.services[service].steps[step]);
        match ELEMENTS[element].speech {
            Speech::Put(..) => format!("{}-{}", service.name.to_lowercase(), step.name),
            // After a verb such as `create`, so it begins with a capital.
            Speech::JsonRpc => format!("{}{}", service.name, step.name),
        }
    }

    /// Whether every way from a product to a service goes through scope `item`, so that it is clear
    /// which product it comes from.
    pub(super) fn is_exclusive(&self, service: usize) -> bool {
        let above = (0..service)
            .filter(|above| self.services[*above].edges.iter().any(|edge| edge.to == service));
        self.services[service].scope == Scope::Item
            && above.into_iter().all(|above| self.is_exclusive(above))
    }

    /// A service with all that it may be made of.
    pub(super) fn within(&self, service: usize) -> Vec<usize> {
        let mut found = vec![service];
        let mut next = 0;
        while let Some(one) = found.get(next).copied() {
            next += 1;
            for edge in &self.services[one].edges {
                if !found.contains(&edge.to) {
                    found.push(edge.to);
                }
            }
        }
        found
    }

    /// All that a service needs, by either way of saying so.
    pub(super) fn needed(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        let service = &self.services[service];
        service.depends.iter().chain(&service.needs).copied()
    }
}

/// The name of a pool, and of the specification of its values.
pub(super) fn pool(number: usize) -> (String, String) {
    (format!("pool-{number}"), format!("RS-POOL-{number}"))
}
