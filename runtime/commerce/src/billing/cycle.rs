//! When bills are cut (TMF666 `billingCycleSpecification`).
//!
//! The offsets of a cycle count from the first day of a calendar period: a monthly cycle with a
//! `billingDateShift` of 14 cuts its bills on the 15th, each for the time since the bill before,
//! and with a `paymentDueDateOffset` of 24 it wants them paid ten days later.

use model::pricing::product_price::Period;
use tmf::day::{Day, Days};
use tmf::document::account::{BillingAccount, BillingCycleSpecification};
use tmf::malformed::Malformed;

/// Days in which a bill is to be paid if its cycle has no offset.
const DUE_DAYS: u32 = 14;

/// How often, on which day, and when it is to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    frequency: Frequency,
    /// Days from the first day of the calendar period to that on which the bill is cut.
    shift: u32,
    /// Days from the bill to when it is to be paid.
    due_days: u32,
}

/// How often bills are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    /// Every week, counted from Mondays.
    Weekly,
    /// Every number of months, counted from January.
    Months(u32),
}

impl Default for Cycle {
    /// Monthly, on the first.
    fn default() -> Self {
        Self { frequency: Frequency::Months(1), shift: 0, due_days: DUE_DAYS }
    }
}

impl Cycle {
    /// Reads a cycle: the specification, or the part of it that an account repeats.
    pub fn read(specification: &BillingCycleSpecification) -> Result<Self, Malformed> {
        let BillingCycleSpecification { frequency, billing_period, .. } = specification;
        let frequency = match (frequency, billing_period) {
            (Some(text), _) => Frequency::read(text, "frequency")?,
            (None, Some(text)) => Frequency::read(text, "billingPeriod")?,
            (None, None) => Frequency::Months(1),
        };
        let (shift, attribute) = match specification.billing_date_shift {
            Some(shift) => (shift, "billingDateShift"),
            None => (specification.date_shift.unwrap_or(0), "dateShift"),
        };
        let shift_max = match frequency {
            Frequency::Weekly => 6,
            Frequency::Months(_) => 30,
        };
        if shift > shift_max {
            let problem = "is past the 31st day of a month, or the 7th of a week";
            return Err(Malformed::new(attribute, problem));
        }
        let due = specification.payment_due_date_offset;
        let due_days = due.map_or(DUE_DAYS, |due| due.saturating_sub(shift));
        Ok(Self { frequency, shift, due_days })
    }

    /// The cycle of a billing account: the specification that it refers to, or the copy of it that the
    /// account has; the first of each month if it has none.
    pub fn of_account(
        account: &BillingAccount,
        specification: Option<&BillingCycleSpecification>,
    ) -> Result<Self, Malformed> {
        specification.or_else(|| account.cycle()).map_or_else(|| Ok(Self::default()), Self::read)
    }

    /// The day of the month on which prices for months are counted from.
    pub fn bill_day(&self) -> u32 {
        match self.frequency {
            Frequency::Weekly => 1,
            Frequency::Months(_) => self.shift + 1,
        }
    }

    /// The time between two bills that a day is in.
    pub fn around(&self, day: Day) -> Days {
        match self.frequency {
            Frequency::Weekly => {
                let passed = (day.day_of_week() + 7 - self.shift % 7) % 7;
                let from = day.plus_days(-i64::from(passed));
                Days { from, until: from.plus_days(7) }
            }
            Frequency::Months(months) => {
                // A year has a whole number of periods, so they are counted from the year 0.
                let months = months.cast_signed();
                let index = day.back_to(self.bill_day()).month_index();
                let first = index - index.rem_euclid(months);
                let begin = |index| Day::in_month(index, self.bill_day());
                Days { from: begin(first), until: begin(first + months) }
            }
        }
    }

    /// The last time between two bills that is over when a day begins.
    pub fn over_by(&self, day: Day) -> Days {
        self.around(self.around(day).from.before())
    }

    /// Whether there are several bills in one period of a price.
    pub fn is_shorter_than(&self, price: Period) -> bool {
        match (self.frequency, price) {
            (Frequency::Weekly, Period::Days(days)) => days > 7,
            (Frequency::Weekly, Period::Months(_)) => true,
            (Frequency::Months(months), Period::Days(days)) => days > 31 * months,
            (Frequency::Months(months), Period::Months(price)) => price > months,
        }
    }

    /// The day by which a bill of a day is to be paid.
    pub fn due(&self, bill: Day) -> Day {
        bill.plus_days(i64::from(self.due_days))
    }
}

impl Frequency {
    fn read(text: &str, attribute: &str) -> Result<Self, Malformed> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "week" | "weekly" => Self::Weekly,
            "month" | "monthly" => Self::Months(1),
            "quarter" | "quarterly" | "quarter of year" => Self::Months(3),
            "half-yearly" | "half year" => Self::Months(6),
            "year" | "yearly" | "annual" | "annually" => Self::Months(12),
            _ => {
                let problem = "is none of `weekly`, `monthly`, `quarterly`, `yearly`";
                return Err(Malformed::new(attribute, problem));
            }
        })
    }
}

#[cfg(test)]
mod tests;
