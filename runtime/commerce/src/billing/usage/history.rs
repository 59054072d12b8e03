//! What a product, or a price of the catalog, was at an instant. Usage goes by instants, where
//! recurring prices go by days.

use serde_json::Value;

use crate::billing::timeline::Status;
use model::pricing::product_price::{AlterationKey, ProductPrice};
use tmf::field::{Field, Malformed};
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// The versions of a document, each with the time since which it is so.
#[derive(Clone, Debug, PartialEq)]
pub struct Versions(Vec<(Timestamp, Value)>);

impl Versions {
    /// The versions of a document, in any order; of two with the same time the later one counts.
    pub fn new(mut versions: Vec<(Timestamp, Value)>) -> Self {
        versions.sort_by_key(|(since, _)| *since);
        Self(versions)
    }

    /// The version at a time. The first one counts back as far as there is need.
    pub fn at(&self, time: Timestamp) -> Option<&Value> {
        Some(&self.0.get(self.index_at(time))?.1)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, version)| version)
    }

    fn index_at(&self, time: Timestamp) -> usize {
        self.0.partition_point(|(since, _)| *since <= time).saturating_sub(1)
    }
}

/// What a product was at each instant.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    versions: Versions,
    statuses: Vec<(Timestamp, Status)>,
    /// The place of the first version in which it is charged.
    first: Option<usize>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl History {
    /// The history of a product with all versions of its document, the present one among them. When
    /// it begins and ends is what the present one has.
    pub fn of(product: &Value, versions: Vec<(Timestamp, Value)>) -> Result<Self, Malformed> {
        let versions = Versions::new(versions);
        let root = Field::root(product);
        let time = |name: &str| root.get(name).map(|field| field.time()).transpose();
        let mut is_charged = true;
        let mut first = None;
        let mut statuses = Vec::with_capacity(versions.0.len());
        for (index, (since, version)) in versions.0.iter().enumerate() {
            let status = version.get("status").and_then(Value::as_str).and_then(Status::parse);
            let Some(status) = status else { continue };
            if status.is_final() {
                statuses.push((*since, status));
                break;
            }
            is_charged = status.is_charged_after(is_charged);
            if is_charged && first.is_none() {
                first = Some(index);
            }
            statuses.push((*since, if is_charged { Status::Active } else { status }));
        }
        Ok(Self {
            statuses,
            first,
            start: time("startDate")?,
            end: time("terminationDate")?,
            versions,
        })
    }

    /// What the product showed at a time. Its first version in which it is charged counts back to its
    /// start.
    pub fn at(&self, time: Timestamp) -> &Value {
        let index = self.versions.index_at(time).max(self.first.unwrap_or_default());
        self.versions.0.get(index).map_or(&Value::Null, |(_, version)| version)
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = &Value> {
        self.versions.all()
    }

    /// Whether usage at a time is charged: from the start on, up to the end, and not while the product
    /// is suspended.
    pub fn is_charged_at(&self, time: Timestamp) -> bool {
        let Some((began, _)) = self.first.and_then(|index| self.versions.0.get(index)) else {
            return false;
        };
        if self.start.is_some_and(|start| time < start) || self.end.is_some_and(|end| time >= end) {
            return false;
        }
        if time < *began {
            // It runs from its start, whenever that was written down.
            return self.start.is_some();
        }
        let now = self.statuses.iter().rev().find(|(since, _)| *since <= time);
        now.is_some_and(|(_, status)| *status == Status::Active)
    }

    /// The ids of the alterations of a price that apply at a time. How long one lasts counts from the
    /// day on which the product first had it, or from the day on which it began.
    pub fn alterations_at(
        &self,
        price: &ProductPrice,
        time: Timestamp,
        zone: Zone,
    ) -> Vec<AlterationKey> {
        let day = zone.day_of(time);
        let applies = price.alterations().iter().filter(|alteration| {
            let begin = zone.day_of(self.first_with(&price.id, &alteration.key));
            day < alteration.end(begin)
        });
        applies.map(|alteration| alteration.key.clone()).collect()
    }

    /// Since when the product is charged and has had an alteration of a price.
    fn first_with(&self, price: &str, alteration: &AlterationKey) -> Timestamp {
        let first = self.first.unwrap_or_default();
        let has = |version: &Value| {
            let prices = ProductPrice::all(version).unwrap_or_default();
            let mut own = prices.iter().filter(|one| one.id == price);
            own.any(|one| one.alterations().iter().any(|other| other.key == *alteration))
        };
        let found = self.versions.0.iter().position(|(_, version)| has(version));
        let index = found.unwrap_or(first).max(first);
        let since = self.versions.0.get(index).map_or(Timestamp(0), |(since, _)| *since);
        if index == first { self.start.unwrap_or(since) } else { since }
    }
}
