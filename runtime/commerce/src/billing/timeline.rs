//! The days on which a product is charged.
//!
//! A day is charged when the product is charged at the end of it: the day on which it becomes
//! active or is resumed counts, the day on which it is suspended, terminated or replaced does not.
//! So a product and the one that takes its place are never both charged for a day.

use crate::billing::spans::{Span, spans};
use crate::billing::versions::Versions;
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::document::DateTime;
use tmf::document::product::Product;
use tmf::time::Timestamp;
use tmf::zone::Zone;

pub use tmf::ProductStatus as Status;

/// The statuses and the prices of a product by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    changes: Vec<(Timestamp, Status)>,
    spans: Vec<Span>,
    zone: Zone,
    start: Option<Day>,
    end: Option<Day>,
}

impl Timeline {
    /// The timeline of a product with its history: since when it had which status, in any order.
    ///
    /// Without a history it had its present status from its `startDate` on, and one that is
    /// terminated was active before.
    pub fn of(
        product: &Product,
        history: Vec<(Timestamp, Status)>,
        zone: Zone,
    ) -> Result<Self, Malformed> {
        let spans = spans([(Timestamp(0), product)].into_iter(), zone)?;
        Self::with(product, history, spans, zone)
    }

    fn with(
        product: &Product,
        history: Vec<(Timestamp, Status)>,
        spans: Vec<Span>,
        zone: Zone,
    ) -> Result<Self, Malformed> {
        let status = product.status.ok_or_else(|| Malformed::new("status", "is missing"))?;
        let start = product.start_date.as_ref().map(DateTime::at);
        let end = product.termination_date.as_ref().map(DateTime::at);
        let mut changes = history;
        changes.sort_by_key(|(from, _)| *from);
        if let (true, Some(start)) = (changes.is_empty(), start) {
            let was = if status == Status::Terminated { Status::Active } else { status };
            changes.push((start, was));
        }
        // A product whose first version is that of its end was active until then.
        let is_over = changes.first().is_some_and(|(_, status)| *status == Status::Terminated);
        if let (true, Some(start), Some(end)) = (is_over, start, end) {
            changes[0].0 = changes[0].0.max(end);
            changes.insert(0, (start, Status::Active));
        }
        let [start, end] = [start, end].map(|at| at.map(|at| zone.day_of(at)));
        Ok(Self { changes, spans, zone, start, end })
    }

    /// The timeline of a product with all versions of its document.
    pub fn of_versions(versions: &Versions<Product>, zone: Zone) -> Result<Self, Malformed> {
        let history = versions.iter().filter_map(|(since, version)| Some((since, version.status?)));
        Self::with(versions.last(), history.collect(), spans(versions.iter(), zone)?, zone)
    }

    /// The prices that it had, and when.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The zone of its days.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The days that are charged, without an end if nothing ends them.
    pub fn charged(&self) -> Vec<Days> {
        let mut charged: Vec<Days> = Vec::new();
        let mut first = true;
        // A product that is to end was active if it has no history before that.
        let mut is_charged = true;
        for (index, (from, status)) in self.changes.iter().enumerate() {
            if status.is_final() {
                break;
            }
            is_charged = status.is_charged_after(is_charged);
            if !is_charged {
                continue;
            }
            let next = self.changes.get(index + 1);
            let until = next.map_or_else(Day::never, |(next, _)| self.zone.day_of(*next));
            let mut from = self.zone.day_of(*from);
            // It runs from its start date, whenever the status was written down.
            if let Some(start) = self.start {
                from = if first { start } else { from.max(start) };
            }
            first = false;
            let until = until.min(self.end.unwrap_or_else(Day::never));
            match (charged.last_mut(), Days::new(from, until)) {
                (Some(last), Some(days)) if last.until == days.from => last.until = days.until,
                (_, Some(days)) => charged.push(days),
                (_, None) => {}
            }
        }
        charged
    }

    /// The first day that is charged.
    pub fn begin(&self) -> Option<Day> {
        self.charged().first().map(|days| days.from)
    }

    /// Whether it is active, or about to end, at the end of a day.
    pub fn is_charged_on(&self, day: Day) -> bool {
        self.charged().iter().any(|days| days.holds(day))
    }
}

#[cfg(test)]
mod tests;
