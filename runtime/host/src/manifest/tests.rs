use super::*;

const WHOLE: &str = r#"
schema = 1
id = "rest-activator"
version = "0.1.0"
world = "activator"
summary = "Drives elements that speak REST or RESTCONF"
[requests]
http = ["*"]
inventory = ["service", "resource"]
pools = ["*"]
config = ["element.<name>"]
[limits]
memory-mib = 64
cpu-ms = 1000
wall-ms = 10000
concurrency = 64
"#;

#[test]
fn a_whole_manifest_is_read() {
    let manifest = Manifest::parse(WHOLE.as_bytes()).unwrap();
    assert_eq!(manifest.id, "rest-activator");
    assert_eq!(manifest.world, Role::Activator);
    assert_eq!(manifest.requests.inventory, ["service", "resource"]);
    assert_eq!(manifest.limits.concurrency, Some(64));
}

#[test]
fn a_wrong_manifest_is_refused_with_the_reason() {
    let refused = |from: &str, to: &str| {
        Manifest::parse(WHOLE.replace(from, to).as_bytes()).unwrap_err().to_string()
    };
    assert!(refused("schema = 1", "schema = 2").contains("schema 2"));
    assert!(refused("rest-activator", "Rest Activator").contains("`Rest Activator`"));
    assert!(refused("0.1.0", "1.0").contains("`1.0`"));
    assert!(refused("0.1.0", "0.1.0-a\\n2026 INFO plugin ready").contains("must be three numbers"));
    assert!(refused("Drives", &"x".repeat(BYTES_MAX)).contains("the limit is 65536"));
    assert!(refused("summary", "sumary").contains("unknown field `sumary`"));
    assert!(refused("\"activator\"", "\"actor\"").contains("unknown variant `actor`"));
    assert!(refused("cpu-ms", "cpu").contains("unknown field `cpu`"));
    assert!(refused("cpu-ms", "per-second").contains("the operator's to set"));
    let many: String = (0..257).map(|n| format!("\n[settings.s{n}]\ntype = \"text\"")).collect();
    let error = Manifest::parse(format!("{WHOLE}{many}").as_bytes()).unwrap_err().to_string();
    assert!(error.contains("257 settings, the limit is 256"), "{error}");
}

#[test]
fn versions_are_ordered_as_numbers() {
    let mut versions = ["1.10.0", "1.2.0-rc.1", "1.9.3", "1.2.0"];
    versions.sort_by_key(|version| precedence(version));
    assert_eq!(versions, ["1.2.0-rc.1", "1.2.0", "1.9.3", "1.10.0"]);
}
