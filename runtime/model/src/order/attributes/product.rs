//! TMF622.

use super::Does::{Acts, Derived, Fixed, Refused, Shown, Stored};
use super::{Attribute, KEPT_SPEC, NEW_START, STARTED, always, delivered, end, new};

pub(super) const ORDER: &[Attribute] = &[
    always("id", Derived),
    always("href", Derived),
    always("agreement", Stored),
    delivered(
        "billingAccount",
        Acts("pays for each product of the order for which nothing nearer names an account"),
    ),
    always("cancellationDate", Stored),
    always("cancellationReason", Stored),
    always("category", Stored),
    always("channel", Stored),
    always("completionDate", Derived),
    always("creationDate", Derived),
    always("description", Stored),
    always("expectedCompletionDate", Derived),
    always("externalId", Stored),
    always("note", Stored),
    always("notificationContact", Stored),
    always("orderDate", Derived),
    always(
        "orderRelationship",
        Acts("`dependency`, `reliesOn`, `dependsOn`, `requires`: the other order completes first"),
    ),
    always("orderTotalPrice", Stored),
    always("payment", Stored),
    always("priority", Stored),
    always("productOfferingQualification", Stored),
    always("productOrderErrorMessage", Derived),
    always("productOrderItem", Acts("the lines of the order, at least one")),
    always("productOrderJeopardyAlert", Derived),
    always("productOrderMilestone", Derived),
    always("quote", Acts("the prices of the quote count; a quote is ordered once")),
    delivered(
        "relatedParty",
        Acts("the customer, whom rules and checks read; each new instance names these parties"),
    ),
    always(
        "requestedCompletionDate",
        Acts("the order tells when it will be late; a date before `requestedStartDate` is refused"),
    ),
    always(
        "requestedInitialState",
        Acts("`draft` is refused: an order that is taken is carried out"),
    ),
    always(
        "requestedStartDate",
        Acts(
            "nothing with an effect is done before it; one that passed more than a day ago is refused",
        ),
    ),
    always("state", Derived),
];

pub(super) const ITEM: &[Attribute] = &[
    always("id", Acts("names the item, once in an order")),
    always("action", Acts("what is wanted of the product")),
    always("appointment", Stored),
    delivered("billingAccount", Acts("pays for the product and for what is in its bundle")),
    delivered(
        "itemPrice",
        Acts("what a quote agreed, where the item names one; else the catalog counts"),
    ),
    delivered("itemTerm", Acts("a term of the product (`productTerm`)")),
    always("itemTotalPrice", Stored),
    always("note", Stored),
    always("payment", Stored),
    always("product", Acts("the product as it is to be")),
    new("productOffering", Acts("what is ordered"), KEPT_SPEC),
    always("productOfferingQualificationItem", Stored),
    always("productOrderItem", Acts("items in a bundle")),
    always("productOrderItemRelationship", Acts("what is in a bundle, and what waits for what")),
    always("qualification", Stored),
    new(
        "quantity",
        Acts("how many the product is: its prices count as often"),
        "a product keeps its quantity: `add` a product for more, or `delete` it for fewer",
    ),
    delivered("quoteItem", Acts("the prices that were agreed count")),
    always("state", Derived),
];

pub(super) const INSTANCE: &[Attribute] = &[
    always("id", Acts("names the product: one that is there, or one that is not, for an `add`")),
    always("href", Derived),
    delivered("agreement", Shown),
    delivered("agreementItem", Shown),
    delivered("billingAccount", Acts("pays for the product, where its item names no account")),
    always("creationDate", Derived),
    delivered("description", Shown),
    delivered("intent", Shown),
    always("isBundle", Derived),
    delivered("isCustomerVisible", Shown),
    delivered("name", Shown),
    always("orderDate", Derived),
    delivered("place", Acts("where it is delivered; shown, and read by rules")),
    delivered(
        "product",
        Refused("each product of a bundle is an item of its own: nest it as `productOrderItem`"),
    ),
    delivered(
        "productCharacteristic",
        Acts("what it is made of by the rules; one that is not named stays"),
    ),
    new("productOffering", Acts("what is ordered, where its item names no offering"), KEPT_SPEC),
    always("productOrderItem", Derived),
    Attribute {
        name: "productPrice",
        add: Stored,
        modify: Fixed(
            "prices follow from the catalog or a quote: order from a quote with these prices",
        ),
        delete: Stored,
        no_change: Stored,
    },
    delivered(
        "productRelationship",
        Acts("shown with the products of its bundle; each must be there"),
    ),
    delivered("productSerialNumber", Shown),
    new("productSpecification", Acts("what it is an instance of"), KEPT_SPEC),
    delivered("productTerm", Shown),
    delivered("randomAtt", Shown),
    always("realizingResource", Derived),
    always("realizingService", Derived),
    delivered("relatedParty", Acts("shown before the parties of the order")),
    new("startDate", NEW_START, STARTED),
    Attribute {
        name: "status",
        add: Acts("`active` or what comes before it: it is active when it is delivered"),
        modify: Acts("`suspended` and `active` suspend and resume"),
        delete: Stored,
        no_change: Stored,
    },
    end("terminationDate"),
];
