//! The states of a quote (TMF648) and what may follow what.

use serde_json::Value;

use super::QuoteError;

/// Where a quote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteState {
    /// It is being made.
    InProgress,
    /// It waits for a person.
    Pending,
    /// The customer may accept it.
    Approved,
    /// The customer did.
    Accepted,
    /// The customer did not, or the person did not approve it.
    Rejected,
    /// The customer did not, in the words of version 5.
    Declined,
    /// It was withdrawn, or superseded.
    Cancelled,
}

impl QuoteState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InProgress,
        Self::Pending,
        Self::Approved,
        Self::Accepted,
        Self::Rejected,
        Self::Declined,
        Self::Cancelled,
    ];

    /// The state of a quote.
    pub fn of(quote: &Value) -> Result<Self, QuoteError> {
        let word = quote.get("state").and_then(Value::as_str).ok_or(QuoteError::State)?;
        Self::ALL.into_iter().find(|state| state.as_str() == word).ok_or(QuoteError::State)
    }

    /// The standard's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "inProgress",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of its items: they are not accepted one by one.
    pub fn of_item(self) -> &'static str {
        match self {
            Self::InProgress => "inProgress",
            Self::Pending => "pending",
            Self::Approved | Self::Accepted => "approved",
            Self::Rejected | Self::Declined | Self::Cancelled => "rejected",
        }
    }

    /// What may follow; what is not listed is refused.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::InProgress => &[Self::Pending, Self::Approved, Self::Cancelled],
            Self::Pending => &[Self::InProgress, Self::Approved, Self::Rejected, Self::Cancelled],
            Self::Approved => &[Self::Accepted, Self::Rejected, Self::Declined, Self::Cancelled],
            Self::Accepted | Self::Rejected | Self::Declined | Self::Cancelled => &[],
        }
    }

    /// Whether another may follow this one.
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }
}
