//! TMF641.

use super::Does::{Acts, Derived, Refused, Shown, Stored};
use super::{Attribute, KEPT_SPEC, NEW_START, STARTED, always, delivered, end, new};

pub(super) const ORDER: &[Attribute] = &[
    always("id", Derived),
    always("href", Derived),
    always("cancellationDate", Stored),
    always("cancellationReason", Stored),
    always("category", Stored),
    always("completionDate", Derived),
    always("description", Stored),
    always("errorMessage", Derived),
    always("expectedCompletionDate", Derived),
    always("externalId", Stored),
    always("externalReference", Stored),
    always("jeopardyAlert", Derived),
    always("milestone", Derived),
    always("note", Stored),
    always("notificationContact", Stored),
    always("orderCharacteristic", Stored),
    always("orderDate", Derived),
    always(
        "orderRelationship",
        Acts("`dependency`, `reliesOn`, `dependsOn`, `requires`: the other order completes first"),
    ),
    always("orderSpecification", Stored),
    always("priority", Stored),
    delivered(
        "relatedParty",
        Acts("the customer, whom rules and checks read; each new instance names these parties"),
    ),
    always(
        "requestedCompletionDate",
        Acts("the order tells when it will be late; a date before `requestedStartDate` is refused"),
    ),
    always(
        "requestedStartDate",
        Acts(
            "nothing with an effect is done before it; one that passed more than a day ago is refused",
        ),
    ),
    always("serviceOrderItem", Acts("the lines of the order, at least one")),
    always("startDate", Derived),
    always("state", Derived),
];

pub(super) const ITEM: &[Attribute] = &[
    always("id", Acts("names the item, once in an order")),
    always("action", Acts("what is wanted of the service")),
    always("appointment", Stored),
    always("errorMessage", Derived),
    always("modifyPath", Refused("name what is to be otherwise in `service`, as it is to be")),
    always("quantity", Acts("1: more services are more items, and another number is refused")),
    always("service", Acts("the service as it is to be")),
    always("serviceOrderItem", Acts("items in a bundle")),
    always("serviceOrderItemRelationship", Acts("what is in a bundle, and what waits for what")),
    always("state", Derived),
];

pub(super) const INSTANCE: &[Attribute] = &[
    always("id", Acts("names the service: one that is there, or one that is not, for an `add`")),
    always("href", Derived),
    delivered("category", Shown),
    delivered("description", Shown),
    end("endDate"),
    delivered("externalIdentifier", Shown),
    delivered("feature", Shown),
    always("hasStarted", Derived),
    delivered("intent", Shown),
    delivered("isBundle", Shown),
    new("isServiceEnabled", Stored, "it follows from `state`: order `active` or `inactive`"),
    delivered("isStateful", Shown),
    delivered("name", Shown),
    delivered("note", Shown),
    always("operatingStatus", Derived),
    delivered("place", Acts("where it is delivered; shown, and read by rules")),
    delivered("relatedEntity", Shown),
    delivered("relatedParty", Acts("shown before the parties of the order")),
    delivered(
        "serviceCharacteristic",
        Acts("what it is made of by the rules; one that is not named stays"),
    ),
    always("serviceDate", Derived),
    always("serviceOrderItem", Derived),
    delivered("serviceRelationship", Acts("shown; each service must be there")),
    new("serviceSpecification", Acts("what it is an instance of"), KEPT_SPEC),
    delivered("serviceType", Shown),
    new("startDate", NEW_START, STARTED),
    delivered("startMode", Shown),
    Attribute {
        name: "state",
        add: Acts("`active` or what comes before it: it is active when it is delivered"),
        modify: Acts("`inactive` and `active` suspend and resume"),
        delete: Stored,
        no_change: Stored,
    },
    always("supportingResource", Derived),
    always("supportingService", Derived),
];
