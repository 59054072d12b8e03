//! The lives that several resources share, and those that need room. What may follow what is from
//! the guides of the TM Forum; where they draw nothing, what carries out an order needs decides.

use crate::resource::{Life, Words};

/// A state that is any text: nobody but its writer knows what may follow.
pub(super) const fn free(attribute: &'static str) -> Life {
    Life { attribute, initial: "", next: &[], words: Words::Listed }
}

/// Orders of all three levels. An order may be held or cancelled before it is begun: a missing rule
/// and an early change of mind come first.
pub(super) const ORDER: Life = Life {
    attribute: "state",
    initial: "acknowledged",
    next: &[
        (
            "acknowledged",
            &["inProgress", "pending", "held", "assessingCancellation", "cancelled", "rejected"],
        ),
        (
            "inProgress",
            &[
                "pending",
                "held",
                "assessingCancellation",
                "cancelled",
                "completed",
                "failed",
                "partial",
            ],
        ),
        (
            "pending",
            &["inProgress", "held", "completed", "failed", "cancelled", "assessingCancellation"],
        ),
        ("held", &["inProgress", "cancelled", "assessingCancellation"]),
        (
            "assessingCancellation",
            &["acknowledged", "inProgress", "pending", "held", "pendingCancellation"],
        ),
        ("pendingCancellation", &["cancelled"]),
        ("rejected", &[]),
        ("cancelled", &[]),
        ("completed", &[]),
        ("failed", &[]),
        ("partial", &[]),
    ],
    words: Words::Listed,
};

/// Tasks that begin as `acknowledged`: those of 622, 652 and 679.
pub(super) const TASK: Life =
    Life { attribute: "state", initial: "acknowledged", next: TASK_NEXT, words: Words::Listed };

/// The same tasks where version 4 says `accepted` for it: 641, 645 and 687.
pub(super) const TASK_ACCEPTED: Life =
    Life { attribute: "state", initial: "accepted", next: TASK_NEXT, words: Words::Listed };

const TASK_NEXT: &[(&str, &[&str])] = &[
    ("acknowledged", &["inProgress", "rejected", "cancelled", "done", "terminatedWithError"]),
    ("accepted", &["inProgress", "rejected", "cancelled", "done", "terminatedWithError"]),
    ("inProgress", &["cancelled", "done", "terminatedWithError"]),
    ("rejected", &[]),
    ("cancelled", &[]),
    ("done", &[]),
    ("terminatedWithError", &[]),
];

/// What stands in a catalog.
pub(super) const CATALOG: Life = Life {
    attribute: "lifecycleStatus",
    initial: "In Study",
    next: &[
        ("In Study", &["In Design"]),
        ("In Design", &["In Test"]),
        ("In Test", &["In Design", "Active", "Rejected"]),
        ("Active", &["Launched", "Retired"]),
        ("Launched", &["Retired"]),
        ("Retired", &["Obsolete"]),
        ("Rejected", &[]),
        ("Obsolete", &[]),
    ],
    words: Words::Free,
};

/// Imports and exports.
pub(super) const JOB: Life = Life {
    attribute: "status",
    initial: "Not Started",
    next: &[
        ("Not Started", &["Running"]),
        ("Running", &["Succeeded", "Failed"]),
        ("Succeeded", &[]),
        ("Failed", &[]),
    ],
    words: Words::Listed,
};

/// Products. The definition spells one state with a space at its end; both spellings are known.
pub(super) const PRODUCT: Life = Life {
    attribute: "status",
    initial: "",
    next: &[
        ("created", &["pendingActive", "active", "aborted", "aborted ", "cancelled"]),
        ("pendingActive", &["active", "aborted", "aborted ", "cancelled"]),
        ("active", &["suspended", "pendingTerminate", "terminated"]),
        ("suspended", &["active", "pendingTerminate", "terminated"]),
        ("pendingTerminate", &["terminated"]),
        ("terminated", &[]),
        ("aborted", &[]),
        ("aborted ", &[]),
        ("cancelled", &[]),
    ],
    words: Words::Listed,
};

/// Services.
pub(super) const SERVICE: Life = Life {
    attribute: "state",
    initial: "",
    next: &[
        ("feasibilityChecked", &["designed", "terminated"]),
        ("designed", &["reserved", "inactive", "terminated"]),
        ("reserved", &["inactive", "active", "terminated"]),
        ("inactive", &["active", "terminated"]),
        ("active", &["inactive", "suspended", "terminated"]),
        ("suspended", &["active", "inactive", "terminated"]),
        ("terminated", &[]),
    ],
    words: Words::Listed,
};

/// Resources.
pub(super) const RESOURCE: Life = Life {
    attribute: "resourceStatus",
    initial: "",
    next: &[
        ("available", &["reserved", "standby", "alarm", "suspended"]),
        ("reserved", &["available", "suspended"]),
        ("standby", &["available", "suspended"]),
        ("alarm", &["available", "suspended"]),
        ("suspended", &["available"]),
        ("unknown", &["standby", "alarm", "available", "reserved", "suspended"]),
    ],
    words: Words::Listed,
};
