//! A pack that shows what it reads of an order: a product with a price and parts, its service, and a
//! resource.

use tempfile::TempDir;

const CATALOG: &str = r#"{
  "productOffering": [
    { "id": "PO-LINE", "name": "Line", "isBundle": true,
      "productSpecification": { "id": "PS-LINE" },
      "productOfferingPrice": [{ "id": "POP-LINE" }, { "id": "POP-FAST" }],
      "bundledProductOffering": [{ "id": "PO-PART", "bundledProductOfferingOption": {
        "numberRelOfferLowerLimit": 0, "numberRelOfferUpperLimit": 5 } }] },
    { "id": "PO-PART", "name": "Part", "productSpecification": { "id": "PS-PART" } },
    { "id": "PO-FACE", "name": "Face", "productSpecification": { "id": "PS-FACE" } }
  ],
  "productOfferingPrice": [
    { "id": "POP-LINE", "name": "Line monthly", "priceType": "recurring",
      "price": { "unit": "EUR", "value": 10.0 },
      "recurringChargePeriodType": "month", "recurringChargePeriodLength": 1 },
    { "id": "POP-FAST", "name": "Fast", "priceType": "recurring",
      "price": { "unit": "EUR", "value": 5.0 },
      "prodSpecCharValueUse": [{ "name": "speed",
        "productSpecCharacteristicValue": [{ "value": 3 }] }],
      "recurringChargePeriodType": "month", "recurringChargePeriodLength": 1 }
  ],
  "productSpecification": [
    { "id": "PS-LINE", "name": "Line", "serviceSpecification": [{ "id": "CFS-LINE" }],
      "productSpecCharacteristic": [{ "name": "speed", "valueType": "number",
        "productSpecCharacteristicValue": [
          { "value": 1, "isDefault": true }, { "value": 2 }, { "value": 3 }] }] },
    { "id": "PS-PART", "name": "Part", "serviceSpecification": [{ "id": "RFS-PART" }] },
    { "id": "PS-FACE", "name": "Face",
      "serviceSpecification": [{ "id": "CFS-WORKS" }, { "id": "CFS-IDLE" }],
      "productSpecCharacteristic": [{ "name": "level", "valueType": "number",
        "productSpecCharacteristicValue": [{ "value": 1, "isDefault": true }, { "value": 2 }] }] }
  ],
  "serviceSpecification": [
    { "id": "CFS-LINE", "name": "Line", "@type": "CustomerFacingServiceSpecification",
      "specCharacteristic": [{ "name": "speed", "valueType": "number",
        "characteristicValueSpecification": [{ "value": 1 }, { "value": 2 }, { "value": 3 }] }],
      "serviceSpecRelationship": [{ "relationshipType": "reliesOn", "id": "RFS-LINE" }] },
    { "id": "RFS-LINE", "name": "Line port", "@type": "ResourceFacingServiceSpecification",
      "specCharacteristic": [{ "name": "speed", "valueType": "number" },
        { "name": "by", "valueType": "string" }] },
    { "id": "RFS-PART", "name": "Part", "@type": "ResourceFacingServiceSpecification" },
    { "id": "CFS-WORKS", "name": "Works itself", "@type": "CustomerFacingServiceSpecification",
      "specCharacteristic": [{ "name": "level", "valueType": "number" }] },
    { "id": "CFS-IDLE", "name": "Needs no work", "@type": "CustomerFacingServiceSpecification",
      "specCharacteristic": [{ "name": "level", "valueType": "number" }],
      "serviceSpecRelationship": [{ "relationshipType": "reliesOn", "id": "RFS-NEVER" }] },
    { "id": "RFS-NEVER", "name": "Never", "@type": "ResourceFacingServiceSpecification" }
  ],
  "resourceSpecification": [
    { "id": "RS-LINE", "name": "Line card", "@type": "LogicalResourceSpecification",
      "resourceSpecCharacteristic": [{ "name": "speed", "valueType": "number",
        "resourceSpecCharacteristicValue": [{ "value": 1 }, { "value": 2 }, { "value": 3 }] },
        { "name": "by", "valueType": "string" }] },
    { "id": "RS-PORT", "name": "Port", "@type": "LogicalResourceSpecification",
      "resourceSpecCharacteristic": [{ "name": "port", "valueType": "string" }] }
  ]
}"#;

const RULES: &str = r#"
decompose:
  - { rule: line, from: PS-LINE, to: CFS-LINE, characteristics: { speed: =item.char.speed } }
  - rule: port
    from: CFS-LINE
    to: RFS-LINE
    characteristics:
      speed: =item.char.speed
      by: '=has(order.relatedParty) ? order.relatedParty[0].id : "none"'
  - { rule: works, from: PS-FACE, to: CFS-WORKS, characteristics: { level: =item.char.level } }
  - { rule: idle, from: PS-FACE, to: CFS-IDLE, characteristics: { level: =item.char.level } }
  - { rule: never, from: CFS-IDLE, to: RFS-NEVER, when: item.char.level > 7 }
deliver:
  - { spec: CFS-WORKS, workflow: works }
  - { spec: RFS-NEVER, workflow: part }
  - { spec: RFS-LINE, workflow: port }
  - { spec: RFS-PART, workflow: part }
  - { spec: RS-LINE, workflow: card }
"#;

const WORKFLOWS: &str = r#"
workflows:
  - workflow: port
    steps:
      - { step: take, plugin: pool-allocator, input: { pool: ports, name: port } }
      - { step: open, plugin: noop, input: { speed: =item.char.speed } }
  - workflow: part
    steps: [{ step: open, plugin: noop, input: {} }]
  - workflow: works
    steps:
      - step: apply
        plugin: rest-activator
        input:
          element: bng-1
          request:
            method: PUT
            path: ="/restconf/data/policies=own-" + fulfilment.id + "-" + item.line
            body: { level: =item.char.level }
          undo:
            method: DELETE
            path: ="/restconf/data/policies=own-" + fulfilment.id + "-" + item.line
          probe:
            method: GET
            path: ="/restconf/data/policies=own-" + fulfilment.id + "-" + item.line
            holds: /config
  - workflow: card
    steps:
      - step: open
        plugin: noop
        input:
          speed: =item.char.speed
          by: '=has(order.relatedParty) ? order.relatedParty[0].id : "none"'
"#;

const POOLS: &str = r#"
pools: [{ pool: ports, resource: RS-PORT, characteristic: port, values: "p-{1..900}" }]
"#;

/// The folder of the pack.
pub(in crate::attributes) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("lines");
    std::fs::create_dir(&pack).unwrap();
    let files = [
        ("pack.yaml", "pack: lines\n"),
        ("catalog.json", CATALOG),
        ("rules.yaml", RULES),
        ("workflows.yaml", WORKFLOWS),
        ("pools.yaml", POOLS),
    ];
    for (name, text) in files {
        std::fs::write(pack.join(name), text).unwrap();
    }
    folder
}
