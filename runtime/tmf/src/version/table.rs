//! The differences of version 5, by the name of a shape there. To serve a new
//! shape in version 5, add it under `shape/v5/`, and its differences from version 4 here.

use super::rule::Rule::{self, At, First, Hoisted, Id, Ids, Last, Renamed, Spread, Values, Within};

/// The rules of a shape of version 5, in the order of their application.
pub(super) fn rules(shape: &str) -> &'static [Rule] {
    let found = RULES.iter().find(|(shapes, _)| shapes.contains(&shape));
    found.map(|(_, rules)| *rules).unwrap_or_default()
}

/// The shapes, each with its rules.
pub(super) const RULES: &[(&[&str], &[Rule])] = &[
    (
        &["RelatedPartyOrPartyRole", "RelatedPartyRefOrPartyRoleRef"],
        &[Within { v5: "partyOrPartyRole", outside: &["role"] }],
    ),
    (&["RelatedPlaceRefOrValue", "RelatedPlaceRef"], &[Within { v5: "place", outside: &["role"] }]),
    (&["RelatedChannel"], &[Within { v5: "channel", outside: &["role"] }]),
    (&["RelatedEntityRefOrValue"], &[Within { v5: "entity", outside: &["role"] }]),
    (
        &["RelatedOrderItem"],
        &[
            Renamed { v4: "productOrderId", v5: "orderId" },
            Renamed { v4: "productOrderHref", v5: "orderHref" },
        ],
    ),
    (
        &["ContactMedium"],
        &[Spread {
            v4: "characteristic",
            names: &[
                "city",
                "contactType",
                "country",
                "emailAddress",
                "faxNumber",
                "phoneNumber",
                "postCode",
                "socialNetworkId",
                "stateOrProvince",
                "street1",
                "street2",
            ],
        }],
    ),
    (&["Category"], &[Id { v4: "parentId", v5: "parent" }]),
    (&["ProductOfferingPrice"], &[Renamed { v4: "constraint", v5: "policy" }]),
    (
        &["ProductSpecification"],
        &[At {
            name: "productSpecCharacteristic",
            rules: &[
                Renamed { v4: "productSpecCharRelationship", v5: "charSpecRelationship" },
                Renamed {
                    v4: "productSpecCharacteristicValue",
                    v5: "characteristicValueSpecification",
                },
            ],
        }],
    ),
    (
        &[
            "ResourceSpecification",
            "LogicalResourceSpecification",
            "PhysicalResourceSpecification",
            "ResourceFunctionSpecification",
        ],
        &[At {
            name: "resourceSpecCharacteristic",
            rules: &[
                Renamed { v4: "resourceSpecCharRelationship", v5: "charSpecRelationship" },
                Renamed {
                    v4: "resourceSpecCharacteristicValue",
                    v5: "characteristicValueSpecification",
                },
                At { name: "charSpecRelationship", rules: PARENT },
            ],
        }],
    ),
    (
        &["FeatureSpecification"],
        &[
            POLICY,
            At {
                name: "featureSpecCharacteristic",
                rules: &[
                    Renamed { v4: "featureSpecCharRelationship", v5: "charSpecRelationship" },
                    Renamed {
                        v4: "featureSpecCharacteristicValue",
                        v5: "characteristicValueSpecification",
                    },
                    At { name: "charSpecRelationship", rules: PARENT },
                ],
            },
        ],
    ),
    (&["Feature"], &[POLICY]),
    (
        &["ProductOrderMilestone", "ServiceOrderMilestone"],
        &[Values {
            name: "status",
            pairs: &[
                ("reached", "Completed"),
                ("planned", "Yet-To-Reach"),
                ("notReached", "Violated"),
            ],
        }],
    ),
    (
        &["ProductOrder"],
        &[
            Renamed { v4: "orderDate", v5: "creationDate" },
            Ids { name: "externalId", beside: "externalIdentifier" },
        ],
    ),
    (&["QuoteItemRef"], &[Renamed { v4: "id", v5: "quoteItemId" }]),
    (&["ProductOfferingQualificationItemRef"], &[Renamed { v4: "id", v5: "itemId" }]),
    (&["Product"], &[Renamed { v4: "agreement", v5: "agreementItem" }]),
    (&["ProductRelationship"], &[Hoisted { v4: "product" }]),
    (&["ProductPrice"], &[Renamed { v4: "productPriceAlteration", v5: "priceAlteration" }]),
    (
        &["Individual"],
        &[
            Renamed { v4: "fullName", v5: "name" },
            Values { name: "status", pairs: &[("deceaded", "deceased")] },
            EXTERNAL,
        ],
    ),
    (&["Organization"], &[EXTERNAL]),
    (
        &[
            "Resource",
            "LogicalResource",
            "PhysicalResource",
            "ResourceFunction",
            "SoftwareResource",
        ],
        &[
            Values { name: "administrativeState", pairs: &[("shutdown", "shuttingDown")] },
            Values {
                name: "operationalState",
                pairs: &[("enable", "enabled"), ("disable", "disabled")],
            },
            First { name: "place", beside: "relatedPlace" },
        ],
    ),
    (&["ServiceOrder"], &[Last { name: "errorMessage" }]),
    (&["CancelServiceOrder"], &[Values { name: "state", pairs: &[("accepted", "acknowledged")] }]),
    (
        &["Quote"],
        &[
            Renamed { v4: "quoteDate", v5: "creationDate" },
            Ids { name: "externalId", beside: "externalIdentifier" },
        ],
    ),
    (
        &["PartyAccount", "BillingAccount", "SettlementAccount", "FinancialAccount"],
        &[Renamed { v4: "lastModified", v5: "lastUpdate" }],
    ),
    (&["AppliedCustomerBillingRate"], &[Renamed { v4: "type", v5: "appliedBillingRateType" }]),
    (
        &["CheckProductOfferingQualification"],
        &[
            Renamed { v4: "productOfferingQualificationDate", v5: "creationDate" },
            Renamed {
                v4: "productOfferingQualificationItem",
                v5: "checkProductOfferingQualificationItem",
            },
            Renamed { v4: "expectedPOQCompletionDate", v5: "expectedQualificationCompletionDate" },
            Renamed {
                v4: "requestedPOQCompletionDate",
                v5: "requestedQualificationCompletionDate",
            },
            Renamed { v4: "provideUnavailabilityReason", v5: "provideResultReason" },
        ],
    ),
    (
        &["CheckProductOfferingQualificationItem"],
        &[Renamed { v4: "eligibilityUnavailabilityReason", v5: "eligibilityResultReason" }],
    ),
];

/// An attribute that only the shapes of some APIs have is renamed in those alone.
const POLICY: Rule = Renamed { v4: "constraint", v5: "policyConstraint" };

const EXTERNAL: Rule = At {
    name: "externalReference",
    rules: &[Renamed { v4: "externalReferenceType", v5: "externalIdentifierType" }],
};

const PARENT: &[Rule] = &[
    Renamed { v4: "resourceSpecificationId", v5: "parentSpecificationId" },
    Renamed { v4: "resourceSpecificationHref", v5: "parentSpecificationHref" },
];
