//! TMF678: bills.

use super::{DEFAULT, READ, TASK};
use crate::resource::{Api, Lifecycle, Naming, Operation, Resource, Served, V5, Words};

pub(super) static API: Api = Api {
    number: 678,
    title: "Customer Bill Management",
    version: "4.0.0",
    base: "customerBillManagement",
    aliases: &["customerBill"],
    v5: Some(V5 { version: "5.0.0", base: "customerBillManagement", aliases: &["customerBill"] }),
    resources: &[
        Resource {
            name: "customerBillOnDemand",
            key: "customerBillOnDemand",
            shape: "CustomerBillOnDemand",
            operations: TASK,
            server: &["id", "href", "state", "lastUpdate", "customerBill", "customerBills"],
            lifecycle: Some(ON_DEMAND),
            indexed: &["billingAccount.id", "relatedParty.id", "customerBill.id"],
            stamp: Some("lastUpdate"),
            ..DEFAULT
        },
        Resource {
            name: "customerBill",
            key: "customerBill",
            shape: "CustomerBill",
            operations: READ_AND_PATCH,
            fixed: &[
                "id",
                "href",
                "billDate",
                "billNo",
                "category",
                "lastUpdate",
                "nextBillDate",
                "paymentDueDate",
                "runType",
                "amountDue",
                "appliedPayment",
                "billCycle",
                "billDocument",
                "billRun",
                "billingAccount",
                "billingPeriod",
                "financialAccount",
                "paymentMethod",
                "relatedParty",
                "remainingAmount",
                "taxExcludedAmount",
                "taxIncludedAmount",
                "taxItem",
            ],
            lifecycle: Some(BILL),
            indexed: &[
                "billNo",
                "category",
                "runType",
                "billingAccount.id",
                "billRun.id",
                "financialAccount.id",
                "relatedParty.id",
            ],
            stamp: Some("lastUpdate"),
            ..DEFAULT
        },
        Resource {
            name: "appliedCustomerBillingRate",
            key: "appliedCustomerBillingRate",
            shape: "AppliedCustomerBillingRate",
            operations: READ,
            indexed: &["name", "type", "bill.id", "billingAccount.id", "product.id", "billRun.id"],
            naming: Naming::Silent,
            ..DEFAULT
        },
        Resource {
            name: "billCycle",
            key: "billCycle",
            shape: "BillCycle",
            operations: READ,
            indexed: &["name"],
            naming: Naming::Silent,
            served: Served::V5,
            ..DEFAULT
        },
    ],
};

/// A client may put a bill on hold and release it, nothing else.
const READ_AND_PATCH: &[Operation] = &[Operation::List, Operation::Get, Operation::Patch];

states! {
    /// The states of a bill on demand (TMF678).
    OnDemandState {
        InProgress = "inProgress" => [Rejected, Done, TerminatedWithError],
        Rejected = "rejected" => [],
        Done = "done" => [],
        TerminatedWithError = "terminatedWithError" => [],
    }
}

states! {
    /// The states of a bill (TMF678).
    BillState {
        New = "new" => [OnHold, Validated],
        OnHold = "onHold" => [New, Validated],
        Validated = "validated" => [OnHold, Sent],
        Sent = "sent" => [PartiallyPaid, Settled],
        PartiallyPaid = "partiallyPaid" => [Settled],
        Settled = "settled" => [],
    }
}

const ON_DEMAND: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "inProgress",
    next: OnDemandState::NEXT,
    words: Words::Listed,
};

const BILL: Lifecycle =
    Lifecycle { attribute: "state", initial: "new", next: BillState::NEXT, words: Words::Listed };
