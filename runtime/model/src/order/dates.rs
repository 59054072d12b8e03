//! The dates of an order: the time before which nothing with an effect is done for it, and for each
//! of its lines.

use tmf::document::order::Subject;

use super::{Form, Line, Order, OrderError, inconsistent};
use crate::outcome::{Failure, FailureClass};
use crate::plan::Action;
use tmf::time::Timestamp;

/// Max age of a start or an end that means now: a client that picks a day sends its midnight.
const PAST_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// The dates of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// `requestedStartDate`.
    pub start: Option<Timestamp>,
    /// `requestedCompletionDate`.
    pub completion: Option<Timestamp>,
}

/// The dates of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineDates {
    /// The date from which its instance is wanted, such as `startDate` of a product.
    pub start: Option<Timestamp>,
    /// The date on which its instance is to end, such as `terminationDate` of a product.
    pub end: Option<Timestamp>,
}

/// The dates of the instance that a line is about.
pub(super) fn of_line(
    form: Form,
    order_start: Option<Timestamp>,
    subject: &Subject<'_>,
    action: Action,
) -> Result<LineDates, OrderError> {
    let ((from, until), path) = (form.names().dates, &subject.path);
    let (start, end) = (subject.start, subject.end);
    let begins = match action {
        Action::Delete => order_start.map(|order| ("requestedStartDate", order)),
        Action::Add | Action::Modify | Action::NoChange => start.map(|start| (from, start)),
    };
    if let (Some((name, begins)), Some(end)) = (begins, end)
        && end < begins
    {
        let message = format!("`{end}` is before `{name}`, `{begins}`: name a date that is not");
        return Err(inconsistent(&format!("{path}.{until}"), &message));
    }
    Ok(match action {
        Action::Add => LineDates { start, end: None },
        Action::Delete => LineDates { start: None, end },
        Action::Modify | Action::NoChange => LineDates::default(),
    })
}

impl Order {
    /// The time before which nothing with an effect is done for a line: a new instance begins no
    /// earlier, and one that is to end is there until then.
    pub fn not_before(&self, line: &Line) -> Option<Timestamp> {
        [self.dates.start, line.dates.start, line.dates.end].into_iter().flatten().max()
    }

    /// Whether the order is wanted before it may begin. One whose dates have passed is rejected for
    /// that.
    pub fn check_dates(&self) -> Result<(), OrderError> {
        let Some(completion) = self.dates.completion.filter(|_| self.passed().is_none()) else {
            return Ok(());
        };
        if let Some(start) = self.dates.start.filter(|start| completion < *start) {
            let message = format!(
                "`{completion}` is before `requestedStartDate`, `{start}`: nothing begins before \
                 that, so name a later date"
            );
            return Err(inconsistent("requestedCompletionDate", &message));
        }
        let mut late = self.own_dates().filter(|(_, date)| completion < *date);
        let Some((path, date)) = late.next() else { return Ok(()) };
        let message = format!(
            "`{date}` is after `requestedCompletionDate`, `{completion}`: the order completes no \
             earlier than this, so name a later completion or an earlier date"
        );
        Err(inconsistent(&path, &message))
    }

    /// The dates of the instances that lines are about, with their paths.
    fn own_dates(&self) -> impl Iterator<Item = (String, Timestamp)> {
        let form = Form::of(self.level);
        let ((from, until), subject) = (form.names().dates, form.subject());
        self.lines.iter().flat_map(move |line| {
            let dates = [(from, line.dates.start), (until, line.dates.end)];
            let dated = dates.into_iter().filter_map(|(name, date)| Some((name, date?)));
            dated.map(move |(name, date)| (format!("{}.{subject}.{name}", line.path), date))
        })
    }

    /// A date that has passed; `None` if all are still to come or less than a day ago. An order
    /// that is late is wanted all the same, so `requestedCompletionDate` may have passed.
    pub(crate) fn passed(&self) -> Option<Failure> {
        let now = self.at?;
        let order = self.dates.start.map(|start| ("requestedStartDate".to_string(), start));
        let dates = order.into_iter().chain(self.own_dates());
        let mut passed = dates.filter(|(_, date)| now.ms_since(*date) > PAST_MS_MAX);
        let (path, date) = passed.next()?;
        let message = format!(
            "{path}: `{date}` has passed: leave it out to begin at once, or name a date to come"
        );
        Some(Failure::new(FailureClass::Reject, "DATE_PASSED", message).about(path))
    }
}

#[cfg(test)]
mod tests;
