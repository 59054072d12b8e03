//! A product at each instant. Usage goes by instants, recurring prices by days.

use crate::billing::timeline::Status;
use crate::billing::versions::Versions;
use model::pricing::product_price::{AlterationKey, ProductPrice};
use tmf::document::DateTime;
use tmf::document::product::Product;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// A product at each instant.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    versions: Versions<Product>,
    statuses: Vec<(Timestamp, Status)>,
    /// The place of the first version in which it is charged.
    first: Option<usize>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl History {
    /// The history of a product with all versions of its document. It begins and ends when the present
    /// one does.
    pub fn of(versions: Versions<Product>) -> Self {
        let mut is_charged = true;
        let mut first = None;
        let mut statuses = Vec::new();
        for (index, (since, version)) in versions.iter().enumerate() {
            let Some(status) = version.status else { continue };
            if status.is_final() {
                statuses.push((since, status));
                break;
            }
            is_charged = status.is_charged_after(is_charged);
            if is_charged && first.is_none() {
                first = Some(index);
            }
            statuses.push((since, if is_charged { Status::Active } else { status }));
        }
        let product = versions.last();
        Self {
            start: product.start_date.as_ref().map(DateTime::at),
            end: product.termination_date.as_ref().map(DateTime::at),
            statuses,
            first,
            versions,
        }
    }

    /// The product now.
    pub fn product(&self) -> &Product {
        self.versions.last()
    }

    /// The product at a time. Its first version in which it is charged counts back to its start.
    pub fn at(&self, time: Timestamp) -> &Product {
        let index = self.versions.index_at(time).max(self.first.unwrap_or_default());
        self.versions.get(index).1
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = &Product> {
        self.versions.iter().map(|(_, version)| version)
    }

    /// Whether usage at a time is charged: from the start on, up to the end, and not while the product
    /// is suspended.
    pub fn is_charged_at(&self, time: Timestamp) -> bool {
        let Some(first) = self.first else { return false };
        let (began, _) = self.versions.get(first);
        if self.start.is_some_and(|start| time < start) || self.end.is_some_and(|end| time >= end) {
            return false;
        }
        if time < began {
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
        let has = |version: &Product| {
            let prices = ProductPrice::all(version).unwrap_or_default();
            let mut own = prices.iter().filter(|one| one.id == price);
            own.any(|one| one.alterations().iter().any(|other| other.key == *alteration))
        };
        let found = self.versions.iter().position(|(_, version)| has(version));
        let index = found.unwrap_or(first).max(first);
        let (since, _) = self.versions.get(index);
        if index == first { self.start.unwrap_or(since) } else { since }
    }
}
