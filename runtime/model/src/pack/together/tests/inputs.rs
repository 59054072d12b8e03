//! Inputs of plugins that say what they read.

use super::*;
use crate::pack::{AskedKey, InputKind};

const WORKFLOW: &str = "workflows:
  - workflow: do
    steps:
      - step: set
        plugin: setter
        input:
          element: olt-1
          request: { method: PUT, path: =\"/a/\" + item.name, body: { any: thing } }
          take: [{ pool: a }, { pool: b, count: 2 }]
          is: true
";

fn setter() -> Plugins {
    let keys = [
        ("element", InputKind::Text, false),
        ("request", InputKind::Mapping, false),
        ("request.method", InputKind::Text, true),
        ("request.path", InputKind::Text, true),
        ("request.body", InputKind::Any, false),
        ("take", InputKind::List, false),
        ("take[].pool", InputKind::Text, true),
        ("take[].count", InputKind::Number, false),
        ("is", InputKind::Boolean, false),
    ];
    let keys = keys.map(|(name, kind, mandatory)| AskedKey { name: name.into(), kind, mandatory });
    let mandatory = vec!["element".into()];
    let asked = Asked { can_undo: true, mandatory, one_of: Vec::new(), keys: keys.into() };
    Plugins::from([(PluginId::new("setter"), asked)])
}

fn told(from: &str, to: &str) -> Vec<String> {
    assert!(WORKFLOW.contains(from), "{from}");
    let text = WORKFLOW.replacen(from, to, 1);
    let texts = [(PACK, "pack: mine\n".to_string()), (WORKFLOWS, text)];
    let texts = texts.map(|(name, text)| (name.to_string(), text));
    let pack = Pack::parse(&PackFiles(texts.into())).unwrap();
    let found = mistakes(&[&pack], Some(&setter()), &BTreeMap::new()).remove(0);
    let line = |found: Diagnostic| {
        let help = found.help.map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{}:{}: {}{help}", found.line, found.column, found.message)
    };
    found.into_iter().map(line).collect()
}

#[test]
fn keys_that_no_plugin_reads_are_found() {
    assert_eq!(told("", ""), Vec::<String>::new());
    for (from, to, expected) in [
        ("is: true", "iss: true", "10:11: plugin `setter` has no input `iss` | is `is` meant?"),
        ("is: true", "is: yes", "10:15: plugin `setter` wants `is` to be a boolean"),
        ("element: olt-1", "element: 7", "7:20: plugin `setter` wants `element` to be a text"),
        (
            "element: olt-1",
            "elemnt: olt-1",
            "7:11: plugin `setter` needs `element` in its input | is `elemnt` to be `element`?",
        ),
        (
            "method: PUT",
            "methd: PUT",
            "8:22: plugin `setter` has no input `request.methd` | is `method` meant?",
        ),
        ("method: PUT, ", "", "8:20: plugin `setter` needs `request.method`"),
        (
            "body: {",
            "heading: {",
            "8:61: plugin `setter` has no input `request.heading` | it reads body, method, path",
        ),
        ("count: 2", "count: two", "9:49: plugin `setter` wants `take[].count` to be a number"),
        ("{ pool: a }", "{ count: 1 }", "9:18: plugin `setter` needs `take[].pool`"),
        (
            "take: [{ pool: a }, { pool: b, count: 2 }]",
            "take: a",
            "9:17: plugin `setter` wants `take` to be a list",
        ),
    ] {
        let found = told(from, to);
        assert_eq!(found, [expected], "{to}");
    }
}

#[test]
fn an_expression_may_become_anything() {
    for (from, to) in [
        ("is: true", "is: =item.name"),
        ("take: [{ pool: a }, { pool: b, count: 2 }]", "take: =order.all"),
    ] {
        assert_eq!(told(from, to), Vec::<String>::new());
    }
}
