use super::*;
use crate::provenance::{Moment, Source};
use tmf::time::Timestamp;

fn id() -> PluginId {
    PluginId::new("vlan")
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn at_ms(ms: i64) -> Moment {
    Moment(Timestamp(ms))
}

fn at(ms: i64) -> Provenance {
    Provenance::new("1.0.0", Source::File, Timestamp(ms))
}

#[test]
fn an_id_belongs_to_the_file_that_had_it_first_and_to_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Bindings::open(folder.path().join("ids")).unwrap();
    let bindings = open();
    bindings.check(&id(), "vlan.wasm", &digest("1"), None).unwrap();
    bindings.bind(&id(), Some("vlan.wasm"), (&digest("1"), at(1)), None).unwrap();
    // A restart knows it still.
    let bindings = open();
    bindings.check(&id(), "vlan.wasm", &digest("2"), None).unwrap();
    bindings.check(&id(), "renamed.wasm", &digest("1"), None).unwrap();
    let refused = bindings.check(&id(), "vendor.wasm", &digest("99"), None).unwrap_err();
    assert!(refused.to_string().contains("`vlan.wasm`"), "{refused}");
    // The same bytes under another name do not take the id along.
    bindings.bind(&id(), Some("renamed.wasm"), (&digest("1"), at(1)), None).unwrap();
    assert!(bindings.check(&id(), "renamed.wasm", &digest("2"), None).is_err());
}

#[test]
fn an_operator_names_who_has_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let bindings = Bindings::open(folder.path().join("ids")).unwrap();
    bindings.bind(&id(), Some("vlan.wasm"), (&digest("1"), at(1)), None).unwrap();
    let named = Some("vlan-*.wasm");
    bindings.check(&id(), "vlan-2.wasm", &digest("2"), named).unwrap();
    assert!(bindings.check(&id(), "vlan.wasm", &digest("1"), named).is_err());
    assert!(bindings.check(&id(), "vlan-.was", &digest("1"), named).is_err());
    bindings.bind(&id(), Some("vlan-2.wasm"), (&digest("2"), at(1)), named).unwrap();
    // It stays so when the name is taken out of the settings.
    bindings.check(&id(), "vlan-2.wasm", &digest("3"), None).unwrap();
    assert!(bindings.check(&id(), "vlan.wasm", &digest("4"), None).is_err());
}

#[test]
fn a_component_without_a_file_keeps_its_id_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let bindings = Bindings::open(folder.path().join("ids")).unwrap();
    bindings.bind(&id(), None, (&digest("1"), at(1)), None).unwrap();
    bindings.check(&id(), "vlan.wasm", &digest("1"), None).unwrap();
    assert!(bindings.check(&id(), "vlan.wasm", &digest("2"), None).is_err());
    bindings.check(&id(), "vlan.wasm", &digest("2"), Some("vlan.wasm")).unwrap();
}

#[test]
fn a_damaged_binding_refuses_and_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let bindings = Bindings::open(folder.path().join("ids")).unwrap();
    fs::write(folder.path().join("ids/vlan.json"), b"{").unwrap();
    let refused = bindings.check(&id(), "vlan.wasm", &digest("1"), None).unwrap_err();
    assert!(refused.to_string().contains("vlan.json"), "{refused}");
}

#[test]
fn the_provenance_of_bytes_stays_and_their_use_has_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let bindings = Bindings::open(folder.path().join("ids")).unwrap();
    let upload = Provenance::new("1.0.0", Source::Upload, Timestamp(5));
    bindings.note(&id(), &digest("1"), upload).unwrap();
    let bind = |text: &str, ms: i64| {
        bindings.bind(&id(), Some("vlan.wasm"), (&digest(text), at(ms)), None).unwrap();
        let known = bindings.read(&id()).unwrap().unwrap().provenance;
        known[&digest(text)].clone()
    };
    let first = bind("1", 10);
    assert_eq!((first.source, first.received.0.0), (Source::Upload, 5));
    assert_eq!(first.since, Some(at_ms(10)));
    // A start later is no new use; a rollback is.
    assert_eq!(bind("1", 20).since, Some(at_ms(10)));
    assert_eq!(bind("2", 30).since, Some(at_ms(30)));
    assert_eq!(bind("1", 40).since, Some(at_ms(40)));
}
