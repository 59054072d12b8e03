use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_page_is_the_table() {
    let path = repository().join("docs/order-attributes.md");
    if std::env::var_os("FERRULE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "`docs/order-attributes.md` is another: run this test with FERRULE_BLESS=1"
    );
}

#[test]
fn every_attribute_of_the_shapes_is_in_the_table_and_once() {
    let orders = [Form::ProductOrder, Form::ServiceOrder, Form::ResourceOrder];
    let parts = [Part::Order, Part::Item, Part::Instance];
    for (form, part) in orders.into_iter().flat_map(|form| parts.map(|part| (form, part))) {
        let known: Vec<&str> = attributes(form, part).iter().map(|one| one.name).collect();
        for name in defined(form, part) {
            let count = known.iter().filter(|known| **known == name).count();
            assert_eq!(count, 1, "{form:?} {part:?} {name}");
        }
    }
}

/// The attributes that the shapes of both versions give a part.
fn defined(form: Form, part: Part) -> BTreeSet<&'static str> {
    let shapes = match (form, part) {
        (Form::ProductOrder, Part::Order) => "ProductOrder",
        (Form::ProductOrder, Part::Item) => "ProductOrderItem",
        (Form::ProductOrder, Part::Instance) => "ProductRefOrValue",
        (Form::ServiceOrder, Part::Order) => "ServiceOrder",
        (Form::ServiceOrder, Part::Item) => "ServiceOrderItem",
        (Form::ServiceOrder, Part::Instance) => "ServiceRefOrValue",
        (_, Part::Order) => "ResourceOrder",
        (_, Part::Item) => "ResourceOrderItem",
        (_, Part::Instance) => "ResourceRefOrValue",
    };
    let object = &tmf::shape::shapes().objects[shapes];
    object.attributes.iter().map(|attribute| attribute.name).collect()
}

/// What clients write beside attributes: how an object is written.
const WRITING: [&str; 4] = ["@type", "@baseType", "@schemaLocation", "@referredType"];

#[test]
fn every_attribute_of_the_definitions_is_in_the_table() {
    let folder = repository().join("../shared/tmf/v4");
    if !folder.is_dir() {
        return skipped();
    }
    let table = [
        ("TMF622-v4.0", "ProductOrder_Create", Form::ProductOrder, Part::Order),
        ("TMF622-v4.0", "ProductOrderItem", Form::ProductOrder, Part::Item),
        ("TMF622-v4.0", "ProductRefOrValue", Form::ProductOrder, Part::Instance),
        ("TMF641-v4.1", "ServiceOrder_Create", Form::ServiceOrder, Part::Order),
        ("TMF641-v4.1", "ServiceOrderItem", Form::ServiceOrder, Part::Item),
        ("TMF641-v4.1", "ServiceRefOrValue", Form::ServiceOrder, Part::Instance),
        ("TMF652-v4.0", "ResourceOrder_Create", Form::ResourceOrder, Part::Order),
        ("TMF652-v4.0", "ResourceOrderItem", Form::ResourceOrder, Part::Item),
        ("TMF652-v4.0", "ResourceRefOrValue", Form::ResourceOrder, Part::Instance),
    ];
    for (file, schema, form, part) in table {
        let text = std::fs::read_to_string(folder.join(format!("{file}.json"))).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        let properties = read["definitions"][schema]["properties"].as_object().unwrap();
        assert!(!properties.is_empty(), "{file} {schema}");
        for name in properties.keys().filter(|name| !WRITING.contains(&name.as_str())) {
            let does = does(form, part, name, Action::Add);
            assert!(does.is_some(), "{file} {schema} {name}");
        }
    }
}

#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn skipped() {
    assert!(std::env::var_os("FERRULE_CI").is_none(), "the API definitions are not there");
    println!("skipped: the definitions of the standard are not on this machine");
}
