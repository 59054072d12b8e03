//! TMF648: quotes.

use super::DEFAULT;
use crate::resource::{Api, Lifecycle, Reference, Resource, V5, Words};

pub(super) static API: Api = Api {
    number: 648,
    title: "Quote Management",
    version: "4.0.0",
    base: "quoteManagement",
    aliases: &["quote"],
    v5: Some(V5 { version: "5.0.0", base: "quoteManagement", aliases: &["quote"] }),
    resources: &[Resource {
        name: "quote",
        key: "quote",
        shape: "Quote",
        mandatory: &["quoteItem"],
        server: &[
            "id",
            "href",
            "state",
            "quoteDate",
            "effectiveQuoteCompletionDate",
            "expectedQuoteCompletionDate",
            "quoteTotalPrice",
            "validFor",
        ],
        fixed: &["id", "href", "quoteDate"],
        lifecycle: Some(QUOTE),
        references: &[Reference {
            path: "billingAccount",
            to: &["billingAccount"],
            is_acted_on: false,
        }],
        indexed: &[
            "externalId",
            "category",
            "relatedParty.id",
            "billingAccount.id",
            "productOfferingQualification.id",
            "quoteItem.productOffering.id",
        ],
        dates: &["quoteDate"],
        ..DEFAULT
    }],
};

states! {
    /// The states of quotes. A quote that was not accepted gets a new version.
    QuoteState {
        Acknowledged = "acknowledged" => [InProgress, Pending, Rejected, Cancelled],
        InProgress = "inProgress" => [Pending, Approved, Cancelled],
        Pending = "pending" => [InProgress, Approved, Rejected, Cancelled],
        Approved = "approved" => [Accepted, Rejected, Declined, Cancelled],
        Accepted = "accepted" => [],
        Rejected = "rejected" => [],
        Declined = "declined" => [],
        Cancelled = "cancelled" => [],
    }
}

const QUOTE: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "inProgress",
    next: QuoteState::NEXT,
    words: Words::Listed,
};
