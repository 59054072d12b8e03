use serde_json::json;

use super::*;

fn value(source: &str) -> Result<Value, String> {
    let item = json!({ "char": { "speed": 200, "tech": "GPON", "wifi": true }, "quantity": 2 });
    let scope = Scope::default().with("item", &item);
    let expr = Expr::parse(source, &["item"]).map_err(|error| error.to_string())?;
    expr.evaluate(&scope).map_err(|error| error.message)
}

#[test]
fn whole_numbers_stay_whole() {
    assert_eq!(value("item.quantity + 1").unwrap(), json!(3));
    assert_eq!(value("item.char.speed / 3").unwrap(), json!(66));
    assert_eq!(value("string(item.char.speed) + 'M'").unwrap(), json!("200M"));
}

#[test]
fn a_misspelt_field_is_an_error_not_false() {
    assert_eq!(value("item.char.sped == 200").unwrap_err(), "No such key: sped");
    assert_eq!(value("has(item.char.sped)").unwrap(), json!(false));
}

#[test]
fn an_unknown_variable_is_found_with_its_place() {
    let error = Expr::parse("has(item.char.speed) &&\n  itm.char.wifi", &["item"]).unwrap_err();
    assert_eq!((error.line, error.column), (2, 3));
    assert_eq!(error.message, "unknown variable `itm`");
    assert_eq!(error.help.unwrap(), "available here: item");
}

#[test]
fn a_syntax_error_has_a_place() {
    let error = Expr::parse("item.action = 'add'", &["item"]).unwrap_err();
    assert_eq!((error.line, error.column), (1, 13), "{error}");
}

#[test]
fn comprehensions_bind_their_variable_and_nest_two_deep() {
    assert_eq!(value("[1, 2].map(n, n * item.quantity)").unwrap(), json!([2, 4]));
    assert!(Expr::parse("[1].all(a, [1].all(b, a == b))", &[]).is_ok());
    let deep = Expr::parse("[1].all(a, [1].all(b, [1].all(c, a == b && b == c)))", &[]);
    assert_eq!(deep.unwrap_err().message, "comprehensions may nest 2 deep");
}

#[test]
fn a_template_is_filled_at_any_depth() {
    let template = json!({ "path": "=\"/vlans=\" + string(vlan)", "fixed": 1, "list": ["=vlan"] });
    let scope = Scope::default().with("vlan", &json!(100));
    let filled = Expressions::default().fill(&template, &scope).unwrap();
    assert_eq!(filled, json!({ "path": "/vlans=100", "fixed": 1, "list": [100] }));
}
