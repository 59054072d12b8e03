//! TMF666: accounts and their billing.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Reference, Resource, V5};

pub(super) static API: Api = Api {
    number: 666,
    title: "Account Management",
    version: "4.0.0",
    base: "accountManagement",
    aliases: &["account"],
    v5: Some(V5 { version: "5.0.0", base: "accountManagement", aliases: &["account"] }),
    resources: &[
        Resource {
            name: "partyAccount",
            key: "partyAccount",
            shape: "PartyAccount",
            mandatory: &["name", "relatedParty"],
            fixed: &["id", "href", "accountBalance"],
            references: BILLED,
            ..ACCOUNT
        },
        Resource {
            name: "billingAccount",
            key: "billingAccount",
            shape: "BillingAccount",
            mandatory: &["name", "relatedParty"],
            fixed: &["id", "href", "accountBalance"],
            references: BILLED,
            indexed: &[
                "name",
                "accountType",
                "relatedParty.id",
                "financialAccount.id",
                "billStructure.cycleSpecification.id",
            ],
            history: true,
            ..ACCOUNT
        },
        Resource {
            name: "settlementAccount",
            key: "settlementAccount",
            shape: "SettlementAccount",
            mandatory: &["name", "relatedParty"],
            fixed: &["id", "href", "accountBalance"],
            references: BILLED,
            ..ACCOUNT
        },
        Resource {
            name: "financialAccount",
            key: "financialAccount",
            shape: "FinancialAccount",
            mandatory: &["name"],
            fixed: &["id", "href", "lastModified"],
            ..ACCOUNT
        },
        Resource {
            name: "billingCycleSpecification",
            key: "billingCycleSpecification",
            shape: "BillingCycleSpecification",
            ..NAMED
        },
        Resource { name: "billFormat", key: "billFormat", shape: "BillFormat", ..NAMED },
        Resource {
            name: "billPresentationMedia",
            key: "billPresentationMedia",
            shape: "BillPresentationMedia",
            ..NAMED
        },
    ],
};

const NAMED: Resource = Resource { mandatory: &["name"], indexed: &["name"], ..DEFAULT };

/// The balance of an account is computed from its bills and payments, not set by clients.
const ACCOUNT: Resource = Resource {
    server: &["id", "href", "lastModified"],
    lifecycle: Some(lifecycle::free("state")),
    indexed: &["name", "accountType", "relatedParty.id"],
    stamp: Some("lastModified"),
    ..DEFAULT
};

const BILLED: &[Reference] = &[
    Reference { path: "financialAccount", to: &["financialAccount"], is_acted_on: false },
    Reference {
        path: "billStructure.cycleSpecification",
        to: &["billingCycleSpecification"],
        is_acted_on: false,
    },
    Reference { path: "billStructure.format", to: &["billFormat"], is_acted_on: false },
    Reference {
        path: "billStructure.presentationMedia",
        to: &["billPresentationMedia"],
        is_acted_on: false,
    },
];
