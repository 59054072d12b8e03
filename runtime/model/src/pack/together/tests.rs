//! A mistake a row: a pack that is right, with one text in it replaced, and what is told.

mod inputs;
mod planted;
mod values;

use crate::pack::{CATALOG, PACK, POOLS, PackFiles, RULES, WORKFLOWS};

use super::*;

const GOOD_CATALOG: &str = r#"{
  "productSpecification": [
    { "id": "PS-LINE", "name": "Line", "serviceSpecification": [{ "id": "CFS-LINE" }] }
  ],
  "serviceSpecification": [
    {
      "id": "CFS-LINE", "name": "Line", "@type": "CustomerFacingServiceSpecification",
      "serviceSpecRelationship": [
        { "relationshipType": "reliesOn", "id": "RFS-PORT" },
        { "relationshipType": "reliesOn", "id": "RFS-VLAN" }
      ]
    },
    {
      "id": "RFS-PORT", "name": "Port", "@type": "ResourceFacingServiceSpecification",
      "resourceSpecification": [{ "id": "RS-PORT" }]
    },
    {
      "id": "RFS-VLAN", "name": "VLAN", "@type": "ResourceFacingServiceSpecification",
      "serviceSpecRelationship": [{ "relationshipType": "dependsOn", "id": "RFS-PORT" }]
    },
    { "id": "RFS-LONE", "name": "Lone", "@type": "ResourceFacingServiceSpecification" }
  ],
  "resourceSpecification": [
    {
      "id": "RS-PORT", "name": "Port",
      "resourceSpecCharacteristic": [{ "name": "portId", "valueType": "string" }]
    }
  ]
}
"#;

const GOOD_RULES: &str = "decompose:
  - rule: a port
    from: CFS-LINE
    to: RFS-PORT

deliver:
  - { spec: RFS-PORT, workflow: port, needs: [] }
  - spec: RFS-VLAN
    workflow: vlan
    needs: [RFS-PORT]
  - { spec: RFS-LONE, workflow: port }

orders:
  before: intake
";

const GOOD_WORKFLOWS: &str = "workflows:
  - workflow: port
    steps:
      - step: allocate
        plugin: pool-allocator
        input: { pool: port, name: port }
      - step: activate
        plugin: rest-activator
        input:
          element: olt-1
          request: { method: PUT, path: =\"/ports/\" + steps.allocate.port }
        timeout: 10s
        undo: true
  - workflow: vlan
    steps:
      - step: look
        plugin: noop
        input:
          port: |-
            =\"RFS-PORT\" in upstream
            ? upstream[\"RFS-PORT\"].port
            : \"none\"
        undo: false
      - step: apart
        plugin: noop
        needs: []
        undo: false
      - step: tell
        plugin: noop
        needs: [look]
        input: { port: =steps.look.port }
        undo: false
  - workflow: intake
    steps:
      - { step: check, plugin: noop, undo: false }
";

const GOOD_POOLS: &str = "pools:
  - pool: port
    resource: RS-PORT
    characteristic: portId
    values: \"{1..10}\"
";

fn plugins() -> Plugins {
    let asked = |can_undo, mandatory: &[&str], one_of: &[&str]| {
        let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Asked { can_undo, mandatory: texts(mandatory), one_of: texts(one_of), keys: Vec::new() }
    };
    Plugins::from([
        (PluginId::new("noop"), asked(false, &[], &[])),
        (PluginId::new("tell"), asked(true, &[], &[])),
        (PluginId::new("pool-allocator"), asked(true, &[], &["pool", "take"])),
        (PluginId::new("rest-activator"), asked(true, &["element", "request"], &[])),
    ])
}

/// What is told of the pack with a text replaced: of it alone, else of all together.
fn told(file: &str, from: &str, to: &str) -> Vec<String> {
    let files = [
        (PACK, "pack: mine\n"),
        (CATALOG, GOOD_CATALOG),
        (RULES, GOOD_RULES),
        (WORKFLOWS, GOOD_WORKFLOWS),
        (POOLS, GOOD_POOLS),
    ];
    told_of(&files, file, from, to)
}

/// The same of a pack of these files.
fn told_of(files: &[(&str, &str)], file: &str, from: &str, to: &str) -> Vec<String> {
    let texts = files.iter().map(|(name, text)| {
        let text = if *name == file {
            assert!(text.contains(from), "`{from}` is not in {file}");
            text.replacen(from, to, 1)
        } else {
            (*text).to_string()
        };
        ((*name).to_string(), text)
    });
    let found = match Pack::parse(&PackFiles(texts.collect())) {
        Ok(pack) => mistakes(&[&pack], Some(&plugins()), &BTreeMap::new()).remove(0),
        Err(found) => found,
    };
    let line = |found: &Diagnostic| {
        let Diagnostic { file, line, column, message, .. } = found;
        let severity = if found.is_error() { "" } else { "warning " };
        let help = found.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{file}:{line}:{column}: {severity}{message}{help}")
    };
    found.iter().map(line).collect()
}

#[test]
fn the_pack_is_right() {
    assert_eq!(told(PACK, "", ""), Vec::<String>::new());
}

/// A mistake, and what is told of it: file, what is replaced by what, the message with its place.
type Row = (&'static str, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    // Names of what is not there.
    (
        RULES,
        "from: CFS-LINE",
        "from: CFS-LIEN",
        "rules.yaml:3:11: no catalog has `CFS-LIEN` | is `CFS-LINE` meant?",
    ),
    (RULES, "to: RFS-PORT", "to: RFS-NOTHING", "rules.yaml:4:9: no catalog has `RFS-NOTHING`"),
    (
        RULES,
        "to: RFS-PORT",
        "plugin: splitter",
        "rules.yaml:4:13: no plugin `splitter` | there are noop, pool-allocator, rest-activator, tell",
    ),
    (
        RULES,
        "spec: RFS-VLAN",
        "spec: RFS-VLAM",
        "rules.yaml:8:11: no catalog has `RFS-VLAM` | is `RFS-VLAN` meant?",
    ),
    (
        RULES,
        "needs: [RFS-PORT]",
        "needs: [RFS-PORT, RFS-PORTS]",
        "rules.yaml:10:23: no catalog has `RFS-PORTS` | is `RFS-PORT` meant?",
    ),
    (
        RULES,
        "workflow: vlan",
        "workflow: vlna",
        "rules.yaml:9:15: no workflow `vlna` | is `vlan` meant?",
    ),
    (
        RULES,
        "before: intake",
        "before: nothing",
        "rules.yaml:14:11: no workflow `nothing` | workflows of this pack: intake, port, vlan",
    ),
    (
        WORKFLOWS,
        "pool: port,",
        "pool: prot,",
        "workflows.yaml:6:24: no pool `prot` | is `port` meant?",
    ),
    (
        WORKFLOWS,
        "{ pool: port, name: port }",
        "{ take: [{ pool: port }, { pool: other }] }",
        "workflows.yaml:6:49: no pool `other` | define it in `pools.yaml`",
    ),
    (
        WORKFLOWS,
        "plugin: rest-activator",
        "plugin: rest-activater",
        "workflows.yaml:8:17: no plugin `rest-activater` | is `rest-activator` meant?",
    ),
    (
        WORKFLOWS,
        "steps.allocate.port",
        "steps.alocate.port",
        "workflows.yaml:11:60: no step `alocate` in this workflow | is `steps.allocate` meant?",
    ),
    (
        WORKFLOWS,
        "? upstream[\"RFS-PORT\"]",
        "? upstream[\"RFS-PROT\"]",
        "workflows.yaml:21:25: no catalog has `RFS-PROT` | is `RFS-PORT` meant?",
    ),
    (
        POOLS,
        "resource: RS-PORT",
        "resource: RS-PRT",
        "pools.yaml:3:15: no catalog has `RS-PRT` | is `RS-PORT` meant?",
    ),
    (
        POOLS,
        "resource: RS-PORT",
        "resource: RFS-PORT",
        "pools.yaml:3:15: `RFS-PORT` is no resource specification",
    ),
    (
        POOLS,
        "characteristic: portId",
        "characteristic: portid2",
        "pools.yaml:4:21: `RS-PORT` has no characteristic `portid2` | is `portId` meant?",
    ),
    (
        POOLS,
        "characteristic: portId",
        "characteristic: colour",
        "pools.yaml:4:21: `RS-PORT` has no characteristic `colour` | it has portId",
    ),
    (
        CATALOG,
        "\"reliesOn\", \"id\": \"RFS-VLAN\"",
        "\"relieson\", \"id\": \"RFS-VLAN\"",
        "catalog.json:10:31: no relation is called `relieson` | is `reliesOn` meant?",
    ),
    (
        CATALOG,
        "\"dependsOn\"",
        "\"after\"",
        "catalog.json:19:57: no relation is called `after` | `reliesOn` is what it is made of, \
         `dependsOn` what comes before it",
    ),
    (
        CATALOG,
        "[{ \"id\": \"RS-PORT\" }]",
        "[{ \"id\": \"RS-PRT\" }]",
        "catalog.json:15:41: no catalog has `RS-PRT` | is `RS-PORT` meant?",
    ),
    // Steps that are not there yet, or never.
    (
        WORKFLOWS,
        "=steps.look.port",
        "=steps.apart.port",
        "workflows.yaml:31:31: this step does not wait for `apart`, which it reads | write \
         `apart` into its `needs`",
    ),
    (
        WORKFLOWS,
        "=steps.look.port",
        "=steps.tell.port",
        "workflows.yaml:31:31: `steps.tell` is this step, whose outputs are not there yet | steps \
         that it waits for: look",
    ),
    (
        WORKFLOWS,
        "? upstream[\"RFS-PORT\"].port",
        "? upstream[\"RFS-LONE\"].port",
        "workflows.yaml:21:25: nothing that this workflow delivers needs `RFS-LONE` | write \
         `RFS-LONE` into the `needs` of its delivery; or, where only the line of an order may rely \
         on it, ask `\"RFS-LONE\" in upstream` first",
    ),
    // Needs that are never met.
    (
        RULES,
        "needs: [] }",
        "needs: [RFS-VLAN] }",
        "rules.yaml:7:47: the needs run in a circle: RFS-PORT -> RFS-VLAN -> RFS-PORT | each \
         waits for the next, so none begins: leave one of them out",
    ),
    (
        RULES,
        "needs: [] }",
        "needs: [RFS-PORT] }",
        "rules.yaml:7:47: the needs run in a circle: RFS-PORT -> RFS-PORT | each waits for the \
         next, so none begins: leave one of them out",
    ),
    (
        RULES,
        "needs: [] }",
        "needs: [CFS-LINE] }",
        "rules.yaml:7:47: the needs run in a circle: RFS-PORT -> CFS-LINE -> RFS-PORT | each \
         waits for the next, so none begins: leave one of them out",
    ),
    (
        RULES,
        "needs: [] }",
        "needs: [RS-PORT] }",
        "rules.yaml:7:47: `RS-PORT` is a resource, and only services are waited for | name the \
         service that delivers it",
    ),
    (
        RULES,
        "needs: [] }",
        "needs: [PS-LINE] }",
        "rules.yaml:7:47: `PS-LINE` is a product, and only services are waited for | name the \
         service that delivers it",
    ),
    // Steps that their plugins would refuse.
    (
        WORKFLOWS,
        "element: olt-1",
        "elemnt: olt-1",
        "workflows.yaml:10:11: plugin `rest-activator` needs `element` in its input | is `elemnt` \
         to be `element`?",
    ),
    (
        WORKFLOWS,
        "{ pool: port, name: port }",
        "{ name: port }",
        "workflows.yaml:6:16: plugin `pool-allocator` needs one of pool, take in its input",
    ),
    (
        WORKFLOWS,
        "input: { port: =steps.look.port }\n        undo: false",
        "input: { port: =steps.look.port }",
        "workflows.yaml:29:17: plugin `noop` has no undo | write `undo: false`, or use a plugin that exports `undo`",
    ),
    // Values that cannot be read.
    (
        WORKFLOWS,
        "timeout: 10s",
        "timeout: 10 seconds",
        "workflows.yaml:12:18: `10 seconds` is no duration such as `200ms`, `10s`, `5m`, `1h`",
    ),
    (
        WORKFLOWS,
        "needs: [look]",
        "needs: [looks]",
        "workflows.yaml:30:17: no step `looks` stands before this one; there are: look, apart",
    ),
    (
        WORKFLOWS,
        "? upstream",
        "? upstrm",
        "workflows.yaml:21:15: unknown variable `upstrm` | available here: item, product, products, \
         order, input, steps, upstream, task, fulfilment",
    ),
    (
        POOLS,
        "values: \"{1..10}\"",
        "ipv4: 10.0.0.1/24\n    prefix: 29",
        "pools.yaml:5:11: `10.0.0.1/24` is an address within the network `10.0.0.0/24`: write that",
    ),
    (
        POOLS,
        "values: \"{1..10}\"",
        "values: \"{1..10}\"\n    prefix: 29",
        "pools.yaml:6:13: `prefix` is for `ipv4` and `ipv6`, a pattern has none",
    ),
];

#[test]
fn every_mistake_is_found_at_its_place_and_no_other_is() {
    let mut wrong = Vec::new();
    for (file, from, to, expected) in ROWS {
        let found = told(file, from, to);
        if !found.iter().any(|line| line == expected) || found.len() > 2 {
            wrong.push(format!(
                "{to}:\n  expected {expected}\n  found    {}",
                found.join("\n           ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_cause_is_told_without_what_follows_from_it() {
    // A file that cannot be read: the workflows in it are not missing.
    let found = told(WORKFLOWS, "plugin: rest-activator", "plugin: [");
    assert!(found.iter().all(|line| line.starts_with("workflows.yaml:")), "{found:?}");
    // A step that cannot be read: its workflow is there, and the others are looked at.
    for (from, to) in [
        ("step: activate", "stp: activate"),
        ("timeout: 10s", "timeout: 10 s"),
        ("undo: true", "undo: yes"),
    ] {
        let found = told(WORKFLOWS, from, to);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[test]
fn mistakes_of_several_entries_are_told_at_once() {
    let wrong = GOOD_RULES
        .replace("from: CFS-LINE", "form: CFS-LINE")
        .replace("before: intake", "before: intak");
    let found = told(RULES, GOOD_RULES, &wrong);
    assert_eq!(
        found,
        [
            "rules.yaml:3:5: unknown field `form`, expected one of rule, from, to, plugin, when, \
             quantity, for-each, key, shared, characteristics | is `from` meant?",
            "rules.yaml:14:11: no workflow `intak` | is `intake` meant?",
        ]
    );
    let wrong = GOOD_WORKFLOWS
        .replace("timeout: 10s", "timeout: soon")
        .replace("needs: [look]", "needs: [luck]")
        .replace("undo: false }", "undoo: false }");
    let found = told(WORKFLOWS, GOOD_WORKFLOWS, &wrong);
    let places: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["workflows.yaml:12:18", "workflows.yaml:30:17", "workflows.yaml:35:38"]);
}

#[test]
fn a_step_may_ask_whether_its_line_relies_on_another_service() {
    for source in [
        "=\"RFS-PORT\" in upstream ? upstream[\"RFS-PORT\"].port : \"\"",
        "='RFS-PORT'  in  upstream ? upstream['RFS-PORT'].port : ''",
    ] {
        assert!(looks_for(source, "RFS-PORT") && !looks_for(source, "RFS-LONE"), "{source}");
    }
    assert!(!looks_for("=upstream[\"RFS-PORT\"].port", "RFS-PORT"));
}
