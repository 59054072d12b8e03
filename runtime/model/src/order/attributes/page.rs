//! The table as a page of documentation.

use std::fmt::Write as _;

use super::{Attribute, Does, Part, attributes};
use crate::order::Form;
use crate::plan::Action;

const INTRODUCTION: &str = "\
# What the attributes of an order do

Generated from the table in `runtime/model/src/order/attributes`; a test compares this page with it.

Each attribute of TMF622, TMF641 and TMF652 (versions 4 and 5) that a client may send is acted on,
refused, or kept with the order and shown. A refusal is 422, or an order that is `rejected`, with the
path of the attribute as `referenceError`, and nothing changes. `modify` includes to suspend and to
resume. The OpenAPI descriptions have the same words at each attribute, as `x-order`.

| word | meaning |
|---|---|
| acts | something follows; the last column tells what |
| shown | the inventory shows it, as the order has it, when the item is delivered; on `modify`, what the order leaves out stays |
| fixed | may name what the instance has; another value is refused |
| refused | refused wherever it stands |
| stored | the order keeps it and shows it; nothing follows |
| derived | follows from the work; what a client sends of it has no effect |

Attributes that no version of the standard has are kept with the order and, in the instance of an item, shown by
the inventory. At the top of an order, where it may be a mistyped name, `simulate` tells of it.

By `PATCH`, an open order takes other values at the top: `billingAccount`, `relatedParty` and
`requestedCompletionDate` are acted on as they are when that is due, and what is stored is shown.
`requestedStartDate`, `orderRelationship`, `quote` and `requestedInitialState` have decided the plan:
another value is refused.
";

/// The page.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_string();
    for (form, title) in [
        (Form::ProductOrder, "TMF622 product order"),
        (Form::ServiceOrder, "TMF641 service order"),
        (Form::ResourceOrder, "TMF652 resource order"),
    ] {
        let parts = [
            (Part::Order, "at the top".to_string()),
            (Part::Item, format!("in `{}`", form.items())),
            (Part::Instance, format!("in `{}`", form.subject())),
        ];
        for (part, place) in parts {
            // Writing to a text cannot fail.
            let _ = write!(page, "\n## {title}, {place}\n\n{HEAD}\n");
            for attribute in attributes(form, part) {
                let _ = writeln!(page, "{}", row(attribute));
            }
        }
    }
    page
}

const HEAD: &str = "| attribute | add | modify | delete | noChange | |\n|---|---|---|---|---|---|";

fn row(attribute: &Attribute) -> String {
    let actions = [Action::Add, Action::Modify, Action::Delete, Action::NoChange];
    let words: Vec<&str> = actions.iter().map(|action| attribute.does(*action).word()).collect();
    let why = attribute.reasons().join("; ");
    format!("| `{}` | {} | {} |", attribute.name, words.join(" | "), why)
}

impl Attribute {
    /// What follows from it, or what to do instead: each reason once, by the order of the actions.
    pub fn reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for does in [self.add, self.modify, self.delete, self.no_change] {
            reasons.extend(does.why().filter(|why| !reasons.contains(why)));
        }
        reasons
    }
}

impl Does {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Acts(_) => "acts",
            Self::Shown => "shown",
            Self::Fixed(_) => "fixed",
            Self::Refused(_) => "refused",
            Self::Stored => "stored",
            Self::Derived => "derived",
        }
    }

    /// What follows, or what to do instead.
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::Acts(why) | Self::Fixed(why) | Self::Refused(why) => Some(why),
            Self::Shown | Self::Stored | Self::Derived => None,
        }
    }
}
