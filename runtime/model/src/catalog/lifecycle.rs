//! The life cycle of what stands in a catalog (TMF620, 633, 634 `lifecycleStatus`), and the time
//! that it is valid for.

use tmf::document::{DateTime, TimePeriod};
use tmf::time::Timestamp;

/// Where an entity of a catalog stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// It is an idea.
    InStudy,
    /// It is being written.
    InDesign,
    /// It is tried out.
    InTest,
    /// It failed its test.
    Rejected,
    /// It can be used.
    Active,
    /// It is offered to customers.
    Launched,
    /// It is not offered any more; who has it keeps it.
    Retired,
    /// No customer has it any more.
    Obsolete,
}

/// A time that something is valid for (TM Forum's `TimePeriod`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// The first instant; unlimited if `None`.
    pub from: Option<Timestamp>,
    /// The instant after the last; unlimited if `None`.
    pub until: Option<Timestamp>,
}

impl Lifecycle {
    /// All of them, in the order in which they are gone through.
    pub const ALL: [Self; 8] = [
        Self::InStudy,
        Self::InDesign,
        Self::InTest,
        Self::Rejected,
        Self::Active,
        Self::Launched,
        Self::Retired,
        Self::Obsolete,
    ];

    /// Reads the standard's words, however they are cased and spaced.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
        };
        let wanted = plain(text);
        Self::ALL.into_iter().find(|status| plain(status.as_str()) == wanted)
    }

    /// The standard's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InStudy => "In Study",
            Self::InDesign => "In Design",
            Self::InTest => "In Test",
            Self::Rejected => "Rejected",
            Self::Active => "Active",
            Self::Launched => "Launched",
            Self::Retired => "Retired",
            Self::Obsolete => "Obsolete",
        }
    }

    /// What may follow; what is not listed is refused.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::InStudy => &[Self::InDesign],
            Self::InDesign => &[Self::InTest],
            Self::InTest => &[Self::Active, Self::Rejected, Self::InDesign],
            Self::Active => &[Self::Launched, Self::Retired],
            Self::Launched => &[Self::Retired],
            Self::Retired => &[Self::Obsolete],
            Self::Rejected | Self::Obsolete => &[],
        }
    }

    /// Whether another may follow this one; to stay is no change.
    pub fn may_become(self, next: Self) -> bool {
        self == next || self.next().contains(&next)
    }

    /// Whether it can be ordered.
    pub fn is_on_sale(self) -> bool {
        matches!(self, Self::Active | Self::Launched)
    }

    /// Whether no customer can have it yet, so that it may still be unfinished.
    pub fn is_draft(self) -> bool {
        matches!(self, Self::InStudy | Self::InDesign | Self::InTest | Self::Rejected)
    }
}

impl Validity {
    /// Reads an entity's `validFor`.
    pub(super) fn of(period: Option<&TimePeriod>) -> Result<Self, String> {
        let Some(TimePeriod { start_date_time, end_date_time, .. }) = period else {
            return Ok(Self::default());
        };
        let from = start_date_time.as_ref().map(DateTime::at);
        let until = end_date_time.as_ref().map(DateTime::at);
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            return Err("`validFor` ends before it begins".into());
        }
        Ok(Self { from, until })
    }

    /// Whether it is valid at a time; always if `at` is `None`.
    pub fn holds(self, at: Option<Timestamp>) -> bool {
        let Some(at) = at else {
            return true;
        };
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}
