//! The catalogs: what can be sold (TMF620), and the services (TMF633) and resources (TMF634) that
//! it is made of. A pack brings them as TM Forum documents; what decomposition needs of them is
//! read out once, when the pack is loaded.

mod documents;
mod lifecycle;
mod pattern;
mod price;
mod read;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

pub use self::documents::Dangling;
pub use self::lifecycle::{Lifecycle, Validity};
pub use self::pattern::Pattern;
pub use self::price::{OfferingPrice, PriceError, PriceRole, read_price};
pub use self::read::{WrongPattern, check_patterns};
use self::read::{complete, offering, specification};
use crate::id::SpecId;
pub use crate::pricing::effect::Effect;
use tmf::document;
use tmf::number::same_value;
use tmf::time::Timestamp;

/// The entities of the catalogs, by kind and id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// What can be ordered.
    pub offerings: BTreeMap<SpecId, Offering>,
    /// Product, service and resource specifications.
    pub specs: BTreeMap<SpecId, Spec>,
    /// Prices.
    pub prices: BTreeMap<String, OfferingPrice>,
    /// The documents, by resource (such as `productOffering`) and id.
    pub documents: BTreeMap<String, BTreeMap<String, Value>>,
    /// What cannot be used as it is, by kind and id, with the reason; see
    /// [`of_documents`](Self::of_documents).
    pub unready: BTreeMap<(&'static str, String), String>,
}

/// A product offering.
#[derive(Clone, Debug, PartialEq)]
pub struct Offering {
    /// Its name.
    pub name: String,
    /// The specification that it offers; `None` for a bundle.
    pub spec: Option<SpecId>,
    /// The ids of its prices.
    pub prices: Vec<String>,
    /// What it bundles.
    pub bundles: Vec<Bundled>,
    /// Where it stands.
    pub status: Lifecycle,
    /// When it can be ordered.
    pub valid: Validity,
    /// What it goes with and what it does not.
    pub relations: Vec<Relation>,
    /// The ids of the categories that it is in.
    pub categories: Vec<String>,
    /// The places where it is sold, by id or name; anywhere where none is listed.
    pub places: Vec<String>,
    /// The values of characteristics that it offers, where they are fewer than the specification's.
    pub values: BTreeMap<String, Vec<Allowed>>,
}

/// An offering within a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundled {
    /// The offering.
    pub offering: SpecId,
    /// The least number of it.
    pub min: u64,
    /// Whether the bundle can do without it, by the catalog.
    pub is_optional: bool,
    /// The greatest number of it.
    pub max: u64,
    /// The number if the customer does not choose one.
    pub default: u64,
}

/// A relation of an offering or a product to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub kind: RelationKind,
    /// The other one.
    pub to: SpecId,
}

/// Whether two things go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// One cannot be without the other.
    Requires,
    /// One cannot be with the other.
    Excludes,
}

/// A specification of any of the three catalogs.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Which catalog and kind it is of.
    pub kind: SpecKind,
    /// Its name.
    pub name: String,
    /// Its characteristics.
    pub characteristics: BTreeMap<String, Characteristic>,
    /// What it is made of: services of a product, services below a service.
    pub relies_on: Vec<SpecId>,
    /// What must be delivered before it.
    pub depends_on: Vec<SpecId>,
    /// The resources that it is made of.
    pub resources: Vec<SpecId>,
    /// Where it stands.
    pub status: Lifecycle,
    /// When it can be used.
    pub valid: Validity,
    /// What it goes with and what it does not, of a product.
    pub relations: Vec<Relation>,
}

/// Which catalog and kind a specification is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecKind {
    /// A product.
    Product,
    /// A service that a customer knows.
    CustomerService,
    /// A service that the network knows.
    ResourceService,
    /// A resource.
    Resource,
}

impl SpecKind {
    /// The resources of their documents.
    pub const RESOURCES: [&'static str; 3] =
        ["productSpecification", "serviceSpecification", "resourceSpecification"];

    /// The resource of its documents.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Product => "productSpecification",
            Self::CustomerService | Self::ResourceService => "serviceSpecification",
            Self::Resource => "resourceSpecification",
        }
    }
}

/// A characteristic that instances of a specification have.
#[derive(Clone, Debug, PartialEq)]
pub struct Characteristic {
    /// TM Forum's name of the type: `string`, `number`, `boolean`, `dateTime`…
    pub value_type: String,
    /// Whether every instance must have it.
    pub required: bool,
    /// How many values it may have; several stand in an array.
    pub most: u64,
    /// The values it may have; any where none is listed.
    pub values: Vec<Allowed>,
    /// What every value of it must match.
    pub pattern: Option<Pattern>,
    /// What it is where the order does not say.
    pub default: Option<Value>,
}

/// A value, or a range of values, that a characteristic may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowed {
    /// Exactly this.
    Value(Value),
    /// A number from here to there.
    Range {
        /// The lower end.
        from: f64,
        /// The upper end.
        to: f64,
        /// Which ends belong to it.
        ends: Ends,
    },
    /// What matches.
    Pattern(Pattern),
}

/// Which ends belong to a range (TMF620 `rangeInterval`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Both.
    Closed,
    /// The lower one.
    ClosedBottom,
    /// The upper one.
    ClosedTop,
    /// Neither.
    Open,
}

/// An entity that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{resource} `{id}`: {message}")]
pub struct CatalogError {
    /// The kind of entity, such as `productOffering`.
    pub resource: &'static str,
    /// Its id, or its position where it has none.
    pub id: String,
    /// What is wrong.
    pub message: String,
}

/// The kinds of entities a catalog file may have, in the order in which they are read, with the
/// base path that serves them.
pub const RESOURCES: [(&str, &str); 5] = [
    ("resourceSpecification", "/tmf-api/resourceCatalog/v4/resourceSpecification"),
    ("serviceSpecification", "/tmf-api/serviceCatalogManagement/v4/serviceSpecification"),
    ("productSpecification", "/tmf-api/productCatalogManagement/v4/productSpecification"),
    ("productOfferingPrice", "/tmf-api/productCatalogManagement/v4/productOfferingPrice"),
    ("productOffering", "/tmf-api/productCatalogManagement/v4/productOffering"),
];

tmf::document! {
    /// The attributes of every entity.
    struct Named {
        id?: String,
        name?: String,
    }
}

impl Catalog {
    /// Reads the entities of a catalog file: an object of arrays, named as in [`RESOURCES`]. All
    /// errors are reported, not just the first.
    pub fn parse(file: &Value) -> Result<Self, Vec<CatalogError>> {
        let mut catalog = Self::default();
        let mut errors = Vec::new();
        for (resource, path) in RESOURCES {
            let entities = file.get(resource).and_then(Value::as_array);
            for (position, entity) in entities.into_iter().flatten().enumerate() {
                if let Err(message) = catalog.add(resource, path, entity) {
                    let id = entity.get("id").and_then(Value::as_str);
                    let id = id.map_or_else(|| format!("#{position}"), Into::into);
                    errors.push(CatalogError { resource, id, message });
                }
            }
        }
        let known = RESOURCES.map(|(resource, _)| resource);
        for name in file.as_object().into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                let message = format!("not a kind of entity; known are {}", known.join(", "));
                errors.push(CatalogError { resource: "catalog", id: name.clone(), message });
            }
        }
        if errors.is_empty() { Ok(catalog) } else { Err(errors) }
    }

    fn add(&mut self, resource: &str, path: &str, entity: &Value) -> Result<(), String> {
        let Named { id, name, .. } = document::read(entity).map_err(|wrong| wrong.to_string())?;
        let id = id.ok_or("`id` is missing")?;
        let name = name.ok_or("`name` is missing")?;
        let spec = SpecId::new(&id);
        match resource {
            "productOffering" => {
                let document = document::read(entity).map_err(|wrong| wrong.to_string())?;
                self.offerings.insert(spec, offering(document, name)?);
            }
            "productOfferingPrice" => {
                self.prices.insert(id.clone(), read_price(entity)?);
            }
            _ => {
                let document = document::read(entity).map_err(|wrong| wrong.to_string())?;
                self.specs.insert(spec, specification(resource, document, name)?);
            }
        }
        let document = complete(entity, resource, path, &id);
        let documents = self.documents.entry(resource.into()).or_default();
        match documents.insert(id, document) {
            None => Ok(()),
            Some(_) => Err("the id occurs twice".into()),
        }
    }

    /// Whether it has an entity of this id.
    pub fn has(&self, id: &SpecId) -> bool {
        self.documents.values().any(|documents| documents.contains_key(id.as_str()))
    }

    /// Takes in another catalog. Ids that both have are answered.
    pub fn merge(&mut self, other: &Self) -> Vec<String> {
        let mut twice = Vec::new();
        for (resource, documents) in &other.documents {
            let own = self.documents.entry(resource.clone()).or_default();
            for (id, document) in documents {
                if own.insert(id.clone(), document.clone()).is_some() {
                    twice.push(format!("{resource} `{id}`"));
                }
            }
        }
        self.offerings.extend(other.offerings.clone());
        self.specs.extend(other.specs.clone());
        self.prices.extend(other.prices.clone());
        twice
    }
}

impl Offering {
    /// Whether it can be ordered at a time.
    pub fn is_on_sale(&self, at: Option<Timestamp>) -> bool {
        self.status.is_on_sale() && self.valid.holds(at)
    }

    /// A characteristic of its specification as this offering has it: the values that it offers,
    /// and the default where that is among them.
    pub fn offers<'a>(
        &self,
        name: &str,
        characteristic: &'a Characteristic,
    ) -> Cow<'a, Characteristic> {
        let Some(values) = self.values.get(name).filter(|values| !values.is_empty()) else {
            return Cow::Borrowed(characteristic);
        };
        let default = characteristic.default.as_ref();
        let default = default.filter(|default| values.iter().any(|v| v.contains(default)));
        let only = match values.as_slice() {
            [Allowed::Value(only)] => Some(only),
            _ => None,
        };
        Cow::Owned(Characteristic {
            values: values.clone(),
            default: default.or(only).cloned(),
            ..characteristic.clone()
        })
    }
}

impl RelationKind {
    /// Reads a relationship's type; `None` if it does not bind an order.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_lowercase().as_str() {
            "requires" | "dependency" | "dependson" | "relieson" => Some(Self::Requires),
            "excludes" | "exclusivity" | "incompatible" | "incompatiblewith" => {
                Some(Self::Excludes)
            }
            _ => None,
        }
    }
}

impl Ends {
    fn parse(text: &str) -> Self {
        match text.to_lowercase().as_str() {
            "open" => Self::Open,
            "closedbottom" => Self::ClosedBottom,
            "closedtop" => Self::ClosedTop,
            _ => Self::Closed,
        }
    }

    fn hold(self, from: f64, to: f64, number: f64) -> bool {
        match self {
            Self::Closed => number >= from && number <= to,
            Self::ClosedBottom => number >= from && number < to,
            Self::ClosedTop => number > from && number <= to,
            Self::Open => number > from && number < to,
        }
    }
}

impl Characteristic {
    /// Whether it may have this value; a number is the same whole or with a zero fraction. The value is
    /// any JSON, as the specification declares it.
    pub fn allows(&self, value: &Value) -> bool {
        self.each(value).iter().all(|value| {
            let matches = self.pattern.as_ref().is_none_or(|pattern| pattern.matches(value));
            let mut listed = self.values.iter();
            matches && (self.values.is_empty() || listed.any(|allowed| allowed.contains(value)))
        })
    }

    /// Whether a value is of its type.
    pub fn fits(&self, value: &Value) -> bool {
        let each = self.each(value);
        let count = u64::try_from(each.len()).unwrap_or(u64::MAX);
        count <= self.most.max(1) && each.iter().all(|value| self.fits_one(value))
    }

    /// Whether a single value is of its type.
    pub fn fits_one(&self, value: &Value) -> bool {
        match self.value_type.as_str() {
            "number" | "integer" | "float" | "decimal" => value.is_number(),
            "boolean" => value.is_boolean(),
            "string" | "dateTime" | "date" => value.is_string(),
            _ => true,
        }
    }

    /// The single values of a value: the elements of a list, if it may have several.
    fn each<'a>(&self, value: &'a Value) -> &'a [Value] {
        match value.as_array().filter(|_| self.most > 1) {
            Some(values) => values,
            None => std::slice::from_ref(value),
        }
    }

    /// A value that it may have.
    pub fn example(&self) -> Option<Value> {
        let listed = self.values.iter().find_map(|allowed| match allowed {
            Allowed::Value(value) => Some(value.clone()),
            Allowed::Range { from, to, .. } if from.is_finite() && to.is_finite() => {
                Some(json!(from.midpoint(*to)))
            }
            Allowed::Range { from, .. } if from.is_finite() => Some(json!(from + 1.0)),
            Allowed::Range { to, .. } => Some(json!(to - 1.0)),
            Allowed::Pattern(_) => None,
        });
        listed.or_else(|| match self.value_type.as_str() {
            "number" | "integer" | "float" | "decimal" => Some(json!(1)),
            "boolean" => Some(json!(false)),
            "string" => Some(json!("example")),
            "dateTime" | "date" => Some(json!("2030-01-01T00:00:00Z")),
            _ => None,
        })
    }

    /// Why a value cannot be the characteristic of this name; `None` if it can.
    pub fn mistake(&self, name: &str, value: &Value) -> Option<String> {
        if !self.fits(value) {
            let wanted = &self.value_type;
            return Some(format!("`{name}` is of type {wanted}, not `{value}`"));
        }
        (!self.allows(value))
            .then(|| format!("`{name}` cannot be {value}; allowed are {}", self.describe()))
    }

    /// The allowed values, for a message.
    pub fn describe(&self) -> String {
        let listed = self.values.iter().map(ToString::to_string);
        let all: Vec<_> = listed.chain(self.pattern.iter().map(ToString::to_string)).collect();
        all.join(", ")
    }

    /// Drops the patterns, for a trial with made-up values.
    pub fn forget_patterns(&mut self) {
        self.pattern = None;
        self.values.retain(|allowed| !matches!(allowed, Allowed::Pattern(_)));
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Range { from, to, .. } if to.is_infinite() => write!(f, "from {from}"),
            Self::Range { from, to, .. } if from.is_infinite() => write!(f, "up to {to}"),
            Self::Range { from, to, .. } => write!(f, "{from} to {to}"),
            Self::Pattern(pattern) => pattern.fmt(f),
        }
    }
}

impl Allowed {
    /// Whether a value is this one, or is in this range.
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Value(allowed) => same_value(allowed, value),
            Self::Range { from, to, ends } => {
                value.as_f64().is_some_and(|number| ends.hold(*from, *to, number))
            }
            Self::Pattern(pattern) => pattern.matches(value),
        }
    }
}
