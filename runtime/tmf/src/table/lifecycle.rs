//! Lifecycles that several resources share, and long ones. Transitions are from
//! the guides of the TM Forum; without a diagram there, they are those that orders need.

use crate::resource::{Lifecycle, Words};

states! {
    /// The states of product, service and resource orders (TMF622, 641, 652).
    OrderState {
        Acknowledged = "acknowledged" => [InProgress, Pending, Held, AssessingCancellation, Cancelled, Rejected],
        InProgress = "inProgress" => [Pending, Held, AssessingCancellation, Cancelled, Completed, Failed, Partial],
        Pending = "pending" => [InProgress, Held, Completed, Failed, Cancelled, AssessingCancellation],
        Held = "held" => [InProgress, Cancelled, AssessingCancellation],
        AssessingCancellation = "assessingCancellation" => [Acknowledged, InProgress, Pending, Held, PendingCancellation],
        PendingCancellation = "pendingCancellation" => [Cancelled],
        Rejected = "rejected" => [],
        Cancelled = "cancelled" => [],
        Completed = "completed" => [],
        Failed = "failed" => [],
        Partial = "partial" => [],
    }
}

states! {
    /// The states of catalog entries (TMF620, 633, 634).
    CatalogState {
        InStudy = "In Study" => [InDesign],
        InDesign = "In Design" => [InTest],
        InTest = "In Test" => [InDesign, Active, Rejected],
        Active = "Active" => [Launched, Retired],
        Launched = "Launched" => [Retired],
        Retired = "Retired" => [Obsolete],
        Rejected = "Rejected" => [],
        Obsolete = "Obsolete" => [],
    }
}

states! {
    /// The states of imports and exports.
    JobState {
        NotStarted = "Not Started" => [Running],
        Running = "Running" => [Succeeded, Failed],
        Succeeded = "Succeeded" => [],
        Failed = "Failed" => [],
    }
}

states! {
    /// The states of products (TMF637). The definition spells one with a space at its end; both spellings are
    /// known.
    ProductStatus {
        Created = "created" => [PendingActive, Active, Aborted, AbortedSpaced, Cancelled],
        PendingActive = "pendingActive" => [Active, Aborted, AbortedSpaced, Cancelled],
        Active = "active" => [Suspended, PendingTerminate, Terminated],
        Suspended = "suspended" => [Active, PendingTerminate, Terminated],
        PendingTerminate = "pendingTerminate" => [Terminated],
        Terminated = "terminated" => [],
        Aborted = "aborted" => [],
        AbortedSpaced = "aborted " => [],
        Cancelled = "cancelled" => [],
    }
}

states! {
    /// The states of services (TMF638).
    ServiceState {
        FeasibilityChecked = "feasibilityChecked" => [Designed, Terminated],
        Designed = "designed" => [Reserved, Inactive, Terminated],
        Reserved = "reserved" => [Inactive, Active, Terminated],
        Inactive = "inactive" => [Active, Terminated],
        Active = "active" => [Inactive, Suspended, Terminated],
        Suspended = "suspended" => [Active, Inactive, Terminated],
        Terminated = "terminated" => [],
    }
}

states! {
    /// The states of resources (TMF639).
    ResourceStatus {
        Available = "available" => [Reserved, Standby, Alarm, Suspended],
        Reserved = "reserved" => [Available, Suspended],
        Standby = "standby" => [Available, Suspended],
        Alarm = "alarm" => [Available, Suspended],
        Suspended = "suspended" => [Available],
        Unknown = "unknown" => [Standby, Alarm, Available, Reserved, Suspended],
    }
}

states! {
    /// The states of tasks of the standard, such as qualifications and cancel requests. Version 4 calls the
    /// first of them `accepted` in some APIs.
    TaskState {
        Acknowledged = "acknowledged" => [InProgress, Rejected, Cancelled, Done, TerminatedWithError],
        Accepted = "accepted" => [InProgress, Rejected, Cancelled, Done, TerminatedWithError],
        InProgress = "inProgress" => [Cancelled, Done, TerminatedWithError],
        Rejected = "rejected" => [],
        Cancelled = "cancelled" => [],
        Done = "done" => [],
        TerminatedWithError = "terminatedWithError" => [],
    }
}

/// A state that is any text; every transition is legal.
pub(super) const fn free(attribute: &'static str) -> Lifecycle {
    Lifecycle { attribute, initial: "", next: &[], words: Words::Listed }
}

/// Orders of all three levels. An order may be held or cancelled before it begins: a missing rule
/// or an early cancellation comes first.
pub(super) const ORDER: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "acknowledged",
    next: OrderState::NEXT,
    words: Words::Listed,
};

/// Tasks that begin as `acknowledged`: those of 622, 652 and 679.
pub(super) const TASK: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "acknowledged",
    next: TaskState::NEXT,
    words: Words::Listed,
};

/// The same tasks with `accepted` for it in version 4: 641, 645 and 687.
pub(super) const TASK_ACCEPTED: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "accepted",
    next: TaskState::NEXT,
    words: Words::Listed,
};

/// Entries of catalogs.
pub(super) const CATALOG: Lifecycle = Lifecycle {
    attribute: "lifecycleStatus",
    initial: "In Study",
    next: CatalogState::NEXT,
    words: Words::Free,
};

pub(super) const JOB: Lifecycle = Lifecycle {
    attribute: "status",
    initial: "Not Started",
    next: JobState::NEXT,
    words: Words::Listed,
};

/// Products. The definition spells one state with a space at its end; both spellings are known.
pub(super) const PRODUCT: Lifecycle =
    Lifecycle { attribute: "status", initial: "", next: ProductStatus::NEXT, words: Words::Listed };

pub(super) const SERVICE: Lifecycle =
    Lifecycle { attribute: "state", initial: "", next: ServiceState::NEXT, words: Words::Listed };

pub(super) const RESOURCE: Lifecycle = Lifecycle {
    attribute: "resourceStatus",
    initial: "",
    next: ResourceStatus::NEXT,
    words: Words::Listed,
};
