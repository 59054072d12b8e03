//! The periods that a recurring price is for, one after the other.

use super::cycle::Cycle;
use model::pricing::product_price::Period;
use tmf::day::{Day, Days};

/// The periods of a price of a product: months from bill day to bill day, days and weeks from the
/// first day that is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Periods {
    /// Of a number of days each, from a day on.
    Days { days: u32, from: Day },
    /// Of a number of months each, from a month on, which is counted from the year 0.
    Months { months: u32, from: i32, bill_day: u32 },
}

impl Periods {
    /// The periods of a product that is charged from a day on.
    pub(super) fn new(each: Period, begin: Day, cycle: Cycle) -> Self {
        Self::by_bill_day(each, begin, cycle.bill_day())
    }

    /// The same, by a bill day.
    pub(super) fn by_bill_day(each: Period, begin: Day, bill_day: u32) -> Self {
        match each {
            Period::Days(days) => Self::Days { days, from: begin },
            Period::Months(months) => {
                Self::Months { months, from: begin.back_to(bill_day).month_index(), bill_day }
            }
        }
    }

    /// The period that a day is in; the first one for days before it.
    pub(super) fn around(self, day: Day) -> Days {
        match self {
            Self::Days { days, from } => {
                let length = i64::from(days);
                let passed = from.days_until(day).max(0) / length * length;
                let from = from.plus_days(passed);
                Days { from, until: from.plus_days(length) }
            }
            Self::Months { months, from, bill_day } => {
                let months = months.cast_signed();
                let passed = (day.back_to(bill_day).month_index() - from).max(0);
                let first = from + passed / months * months;
                let begin = |index| Day::in_month(index, bill_day);
                Days { from: begin(first), until: begin(first + months) }
            }
        }
    }

    /// Days cut at the ends of months. A row of days or weeks is one charge.
    pub(super) fn cuts(self, days: Days) -> Vec<Day> {
        let mut cuts = Vec::new();
        if matches!(self, Self::Months { .. }) {
            let mut at = self.around(days.from).until;
            while at < days.until {
                cuts.push(at);
                at = self.around(at).until;
            }
        }
        cuts
    }
}

#[cfg(test)]
mod tests;
