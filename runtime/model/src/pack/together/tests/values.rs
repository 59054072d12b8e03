//! Values and characteristics against the catalog, a mistake a row.

use super::*;

const VALUES_CATALOG: &str = r#"{
  "productOffering": [
    {
      "id": "PO-LINE", "name": "Line", "productSpecification": { "id": "PS-LINE" },
      "productOfferingPrice": [{ "id": "POP-LINE" }],
      "prodSpecCharValueUse": [
        { "name": "speed", "productSpecCharacteristicValue": [{ "value": 100 }] }
      ]
    },
    {
      "id": "PO-ALL", "name": "All",
      "bundledProductOffering": [
        { "id": "PO-LINE", "bundledProductOfferingOption": { "numberRelOfferLowerLimit": 1, "numberRelOfferUpperLimit": 2, "numberRelOfferDefault": 1 } }
      ]
    }
  ],
  "productOfferingPrice": [
    {
      "id": "POP-LINE", "name": "Line", "priceType": "recurring",
      "price": { "unit": "EUR", "value": 10 }, "recurringChargePeriodType": "month"
    }
  ],
  "productSpecification": [
    {
      "id": "PS-LINE", "name": "Line",
      "productSpecCharacteristic": [
        {
          "name": "speed", "valueType": "number",
          "productSpecCharacteristicValue": [{ "value": 100, "isDefault": true }, { "value": 200 }]
        },
        {
          "name": "seats", "valueType": "number",
          "productSpecCharacteristicValue": [{ "valueFrom": 1, "valueTo": 50 }]
        },
        { "name": "code", "valueType": "string", "regex": "^[A-Z]+$",
          "productSpecCharacteristicValue": [{ "value": "ABC" }] }
      ],
      "serviceSpecification": [{ "id": "CFS-LINE" }]
    }
  ],
  "serviceSpecification": [
    {
      "id": "CFS-LINE", "name": "Line", "@type": "CustomerFacingServiceSpecification",
      "specCharacteristic": [{ "name": "speed", "valueType": "number" }],
      "serviceSpecRelationship": [{ "relationshipType": "reliesOn", "id": "RFS-PORT" }]
    },
    {
      "id": "RFS-PORT", "name": "Port", "@type": "ResourceFacingServiceSpecification",
      "specCharacteristic": [
        { "name": "mode", "valueType": "string",
          "characteristicValueSpecification": [{ "value": "open" }, { "value": "closed" }] },
        { "name": "downMbps", "valueType": "number" },
        { "name": "number", "valueType": "number" },
        { "name": "label", "valueType": "string" }
      ],
      "resourceSpecification": [{ "id": "RS-PORT" }]
    }
  ],
  "resourceSpecification": [{ "id": "RS-PORT", "name": "Port" }]
}
"#;

const VALUES_RULES: &str = "decompose:
  - rule: ports
    from: CFS-LINE
    to: RFS-PORT
    when: item.char.speed > 50
    quantity: product.char.seats
    characteristics:
      mode: open
      downMbps: =item.char.speed
      label: =\"port-\" + string(number)
deliver:
  - spec: RFS-PORT
    workflow: port
    resources: [RS-PORT]
orders:
  before: intake
  each-product: rate
";

const VALUES_WORKFLOWS: &str = "workflows:
  - workflow: port
    steps:
      - step: set
        plugin: tell
        input: { mode: =item.char.mode, speed: =item.char.downMbps, name: =item.name }
  - workflow: intake
    steps:
      - { step: look, plugin: tell, input: { id: =order.id, at: =fulfilment.date } }
  - workflow: rate
    steps:
      - step: rate
        plugin: tell
        input:
          seats: =item.char.seats
          place: =product.place
";

const ROWS: &[Row] = &[
    // What rules map.
    (
        RULES,
        "mode: open",
        "mode: half-open",
        "rules.yaml:8:13: `mode` cannot be \"half-open\"; allowed are \"open\", \"closed\"",
    ),
    (RULES, "mode: open", "mode: 5", "rules.yaml:8:13: `mode` is of type string, not `5`"),
    (
        RULES,
        "downMbps: =",
        "downMbsp: =",
        "rules.yaml:9:7: `RFS-PORT` has no characteristic `downMbsp` | is `downMbps` meant?",
    ),
    (
        RULES,
        "downMbps: =",
        "colour: =",
        "rules.yaml:9:7: warning `RFS-PORT` has no characteristic `colour` | it has downMbps, \
         label, mode, number",
    ),
    // What rules read.
    (
        RULES,
        "when: item.char.speed",
        "when: item.char.sped",
        "rules.yaml:5:21: `CFS-LINE` has no characteristic `sped` | is `speed` meant?",
    ),
    (
        RULES,
        "when: item.char.speed > 50",
        "when: has(item.char.colour) && item.char.colour == \"red\"",
        "rules.yaml:5:25: warning `CFS-LINE` has no characteristic `colour` | there are speed",
    ),
    (
        RULES,
        "when: item.char.speed > 50",
        "when: item.char.colour == \"red\"",
        "rules.yaml:5:21: `CFS-LINE` has no characteristic `colour` | there are speed",
    ),
    (
        RULES,
        "when: item.char.speed > 50",
        "when: item.colour == \"red\"",
        "rules.yaml:5:16: `item` has no `colour` | there are action, char, line, name, quantity, \
         spec, title",
    ),
    (
        RULES,
        "product.char.seats",
        "product.char.saets",
        "rules.yaml:6:28: no specification has a characteristic `saets` | is `seats` meant?",
    ),
    (
        RULES,
        "string(number)",
        "string(each)",
        "rules.yaml:10:32: unknown variable `each` | available here: item, product, order, number",
    ),
    // Kinds.
    (
        RULES,
        "to: RFS-PORT",
        "to: PS-LINE",
        "rules.yaml:4:9: `PS-LINE` is a product, and a service is meant",
    ),
    (
        RULES,
        "from: CFS-LINE",
        "from: RS-PORT",
        "rules.yaml:3:11: `RS-PORT` is a resource, and a product or a service is meant",
    ),
    (
        RULES,
        "spec: RFS-PORT",
        "spec: PS-LINE",
        "rules.yaml:12:11: `PS-LINE` is a product, and a service is meant",
    ),
    (
        RULES,
        "[RS-PORT]",
        "[CFS-LINE]",
        "rules.yaml:14:17: `CFS-LINE` is a service, and a resource is meant",
    ),
    (
        CATALOG,
        "\"serviceSpecification\": [{ \"id\": \"CFS-LINE\" }]",
        "\"serviceSpecification\": [{ \"id\": \"RS-PORT\" }]",
        "catalog.json:38:40: `RS-PORT` is a resource, and a service is meant",
    ),
    (
        CATALOG,
        "\"resourceSpecification\": [{ \"id\": \"RS-PORT\" }]",
        "\"resourceSpecification\": [{ \"id\": \"CFS-LINE\" }]",
        "catalog.json:56:41: `CFS-LINE` is a service, and a resource is meant",
    ),
    (
        CATALOG,
        "\"productSpecification\": { \"id\": \"PS-LINE\" }",
        "\"productSpecification\": { \"id\": \"CFS-LINE\" }",
        "catalog.json:4:72: `CFS-LINE` is a service, and a product is meant",
    ),
    // What steps read.
    (
        WORKFLOWS,
        "=item.char.mode",
        "=item.char.mod",
        "workflows.yaml:6:35: `RFS-PORT` has no characteristic `mod` | is `mode` meant?",
    ),
    (
        WORKFLOWS,
        "name: =item.name",
        "name: =item.nam",
        "workflows.yaml:6:81: `item` has no `nam` | is `name` meant?",
    ),
    (
        WORKFLOWS,
        "id: =order.id",
        "id: =item.line",
        "workflows.yaml:9:51: no `item` here: the workflow runs before or after the whole order | \
         read `order` or `products`",
    ),
    (
        WORKFLOWS,
        "=product.place",
        "=product.plaice",
        "workflows.yaml:16:27: `product` has no `plaice` | is `place` meant?",
    ),
    (
        WORKFLOWS,
        "=item.char.seats",
        "=item.char.downMbps",
        "workflows.yaml:15:29: `PS-LINE` has no characteristic `downMbps` | there are code, seats, \
         speed",
    ),
    // The catalog itself.
    (
        CATALOG,
        "{ \"value\": 200 }",
        "{ \"value\": \"200\" }",
        "catalog.json:29:94: `speed` is of type number, not `\"200\"`",
    ),
    (
        CATALOG,
        "{ \"value\": 200 }",
        "{ \"value\": 200, \"isDefault\": true }",
        "catalog.json:29:112: `speed` has two defaults",
    ),
    (
        CATALOG,
        "\"valueFrom\": 1,",
        "\"valueFrom\": 100,",
        "catalog.json:33:61: no value is from 100 to 50",
    ),
    (
        CATALOG,
        "\"valueTo\": 50",
        "\"valueTo\": 50, \"isDefault\": true",
        "catalog.json:33:92: warning a range is no default, so `seats` has none | add the default \
         as a `value` of its own",
    ),
    (
        CATALOG,
        "\"value\": \"ABC\"",
        "\"value\": \"abc\"",
        "catalog.json:36:57: `code` cannot be \"abc\": its `regex` does not match",
    ),
    (
        CATALOG,
        "\"name\": \"seats\", \"valueType\": \"number\"",
        "\"name\": \"seats\", \"valueType\": \"nubmer\"",
        "catalog.json:32:41: no type is called `nubmer` | is `number` meant?",
    ),
    (
        CATALOG,
        "{ \"name\": \"label\", \"valueType\": \"string\" }",
        "{ \"name\": \"label\" }, { \"name\": \"label\", \"valueType\": \"string\" }",
        "catalog.json:54:40: the characteristic `label` occurs twice",
    ),
    (
        CATALOG,
        "[{ \"value\": 100 }]",
        "[{ \"value\": 300 }]",
        "catalog.json:7:74: `speed` cannot be 300; allowed are 100, 200",
    ),
    (
        CATALOG,
        "{ \"name\": \"speed\", \"productSpec",
        "{ \"name\": \"spead\", \"productSpec",
        "catalog.json:7:19: `Line` has no characteristic `spead` | is `speed` meant?",
    ),
    (
        CATALOG,
        "\"numberRelOfferLowerLimit\": 1",
        "\"numberRelOfferLowerLimit\": 3",
        "catalog.json:13:90: a bundle cannot have 3 or more and at most 2 | \
         `numberRelOfferUpperLimit` is 1 if it is not given",
    ),
    (
        CATALOG,
        "\"numberRelOfferDefault\": 1",
        "\"numberRelOfferDefault\": 7",
        "catalog.json:13:149: the default 7 is not from 1 to 2",
    ),
    // Prices that cannot be billed.
    (
        CATALOG,
        ", \"recurringChargePeriodType\": \"month\"",
        "",
        "catalog.json:19:13: productOfferingPrice `POP-LINE`: a recurring price needs \
         `recurringChargePeriodType`",
    ),
    (
        CATALOG,
        "\"priceType\": \"recurring\"",
        "\"priceType\": \"monthly\"",
        "catalog.json:19:54: productOfferingPrice `POP-LINE`: `priceType` is none of `oneTime`, \
         `recurring`, `usage`, `discount`, `surcharge`",
    ),
];

#[test]
fn contradictions_to_the_catalog_are_found_at_their_place() {
    let files = [
        (PACK, "pack: mine\n"),
        (CATALOG, VALUES_CATALOG),
        (RULES, VALUES_RULES),
        (WORKFLOWS, VALUES_WORKFLOWS),
    ];
    assert_eq!(told_of(&files, PACK, "", ""), Vec::<String>::new());
    let mut wrong = Vec::new();
    for (file, from, to, expected) in ROWS {
        let found = told_of(&files, file, from, to);
        if found != [*expected] {
            let found = found.join("\n           ");
            wrong.push(format!("{to}:\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ROWS.len() + super::ROWS.len() >= 50);
}

#[test]
fn a_rule_about_what_no_product_is_made_of_is_warned_of() {
    let lone = VALUES_CATALOG.replace(
        "\"resourceSpecification\": [{ \"id\": \"RS-PORT\" }]\n    }",
        "\"resourceSpecification\": [{ \"id\": \"RS-PORT\" }]\n    },
    { \"id\": \"CFS-LONE\", \"name\": \"L\", \"@type\": \"CustomerFacingServiceSpecification\" }",
    );
    let files = [
        (PACK, "pack: mine\n"),
        (CATALOG, lone.as_str()),
        (RULES, VALUES_RULES),
        (WORKFLOWS, VALUES_WORKFLOWS),
    ];
    let rule = "decompose:\n  - { rule: lone, from: CFS-LONE, to: RFS-PORT }\n";
    let found = told_of(&files, RULES, "decompose:\n", rule);
    assert_eq!(
        found,
        [
            "rules.yaml:2:25: warning no product is made of `CFS-LONE`, so this rule never holds | or \
          order the service by itself (TMF641)"
        ]
    );
}
