//! The direction in which an alteration changes a price.

/// The direction in which a price is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It becomes less.
    Discount,
    /// It becomes more.
    Surcharge,
}

impl Effect {
    /// Reads it out of a type, such as `discount` or `promotionalDiscount`; `None` if the
    /// type is about something else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["surcharge", "markup"]) {
            Some(Self::Surcharge)
        } else if has(&["discount", "allowance", "alter", "promotion"]) {
            Some(Self::Discount)
        } else {
            None
        }
    }
}
