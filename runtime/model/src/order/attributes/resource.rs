//! TMF652.

use super::Does::{Acts, Derived, Shown, Stored};
use super::{
    Attribute, CUSTOMER, KEPT_SPEC, NEW_START, REQUESTED_COMPLETION, REQUESTED_START, STARTED,
    always, delivered, end, new,
};

pub(super) const ORDER: &[Attribute] = &[
    always("id", Derived),
    always("href", Derived),
    always("category", Stored),
    always("completionDate", Derived),
    always("description", Stored),
    always("errorMessage", Derived),
    always("expectedCompletionDate", Stored),
    always("externalId", Stored),
    always("externalReference", Stored),
    always("name", Stored),
    always("note", Stored),
    always("orderDate", Derived),
    always("orderItem", Acts("the lines of the order; one without lines is complete at once")),
    always("orderType", Stored),
    always("priority", Stored),
    CUSTOMER,
    REQUESTED_COMPLETION,
    REQUESTED_START,
    always("startDate", Stored),
    always("state", Derived),
];

pub(super) const ITEM: &[Attribute] = &[
    always("id", Acts("names the item, once in an order")),
    always("action", Acts("what is wanted of the resource")),
    always("appointment", Stored),
    always("orderItemRelationship", Acts("what waits for what")),
    always("quantity", Acts("1: more resources are more items, and another number is refused")),
    always("resource", Acts("the resource as it is to be")),
    new("resourceSpecification", Acts("what it is an instance of"), KEPT_SPEC),
    always("state", Derived),
];

const LABEL: &str =
    "no order sets it: it follows from the work, or is changed in the resource inventory";

pub(super) const INSTANCE: &[Attribute] = &[
    always("id", Acts("names the resource: one that is there, or one that is not, for an `add`")),
    always("href", Derived),
    delivered("activationFeature", Shown),
    new("administrativeState", Stored, LABEL),
    always("alarmStatus", Derived),
    always("allocationStatus", Derived),
    delivered("attachment", Shown),
    always("availabilityStatus", Derived),
    delivered("category", Shown),
    always("controlStatus", Derived),
    always("creationDate", Derived),
    delivered("description", Shown),
    end("endOperatingDate"),
    delivered("externalIdentifier", Shown),
    delivered("intent", Shown),
    always("lifecycleState", Derived),
    delivered("name", Shown),
    delivered("note", Shown),
    new("operationalState", Stored, LABEL),
    delivered("place", Acts("where it is delivered; shown, and read by rules")),
    always("proceduralStatus", Derived),
    delivered("relatedParty", Acts("shown before the parties of the order")),
    delivered(
        "resourceCharacteristic",
        Acts("what it is made of by the rules; one that is not named stays"),
    ),
    always("resourceOrderItem", Derived),
    delivered("resourceRelationship", Acts("shown; each resource must be there")),
    new("resourceSpecification", Acts("what it is an instance of"), KEPT_SPEC),
    new("resourceStatus", Stored, LABEL),
    delivered("resourceVersion", Shown),
    new("startOperatingDate", NEW_START, STARTED),
    always("supportingResource", Derived),
    always("unknownStatus", Derived),
    new("usageState", Stored, LABEL),
    delivered("validFor", Shown),
    delivered("value", Shown),
];
