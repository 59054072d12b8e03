use ferrule_plugin::reservation::Reserved;
use ferrule_plugin::{Attribute, Context, Failure, FailureClass};
use serde_json::{Map, Value, json};

use super::{Requested, TAKE_MAX, put};

fn requested(input: &Value) -> Result<Vec<Requested>, Failure> {
    let context = Context::example(input);
    super::requested(&context, context.input()?)
}

fn asked(input: &Value) -> Vec<(String, String)> {
    let wanted = requested(input).unwrap();
    let requests = wanted.iter().flat_map(|wanted| match wanted.count {
        None => vec![wanted.request(None)],
        Some(count) => (1..=count).map(|number| wanted.request(Some(number))).collect(),
    });
    requests.map(|request| (request.pool, request.name)).collect()
}

fn refused(input: &Value) -> String {
    let failure = requested(input).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Operator, "BAD_INPUT"));
    failure.message
}

#[test]
fn one_value_or_many_are_asked_for() {
    let one = json!({"pool": "bng-1-vlan"});
    assert_eq!(asked(&one), [("bng-1-vlan".into(), "value".into())]);
    let named = json!({"pool": "bng-1-vlan", "name": "data"});
    assert_eq!(asked(&named), [("bng-1-vlan".into(), "data".into())]);
    let many =
        json!({"take": [{"pool": "vlan", "name": "data"}, {"pool": "vlan", "name": "voice"}]});
    assert_eq!(asked(&many), [("vlan".into(), "data".into()), ("vlan".into(), "voice".into())]);
}

#[test]
fn many_values_of_one_name_are_asked_for_each_under_its_number() {
    let two = asked(&json!({"pool": "imsi", "name": "sim", "count": 2}));
    assert_eq!(two, [("imsi".into(), "sim[1]".into()), ("imsi".into(), "sim[2]".into())]);
    let most = asked(&json!({"take": [
        {"pool": "imsi", "name": "sim", "count": TAKE_MAX - 1}, {"pool": "apn"},
    ]}));
    assert_eq!(most.len(), TAKE_MAX);
    assert!(asked(&json!({"take": [{"pool": "imsi", "count": 0}]})).is_empty());
    let more = json!({"take": [{"pool": "imsi", "count": TAKE_MAX}, {"pool": "apn", "name": "a"}]});
    assert_eq!(refused(&more), "task `EXAMPLE.run` takes 4097 values, not 1 to 4096");
}

#[test]
fn a_malformed_input_is_refused() {
    assert!(refused(&json!({})).contains("EXAMPLE.run"));
    assert!(refused(&json!({"pool": "vlan", "nmae": "data"})).contains("neither"));
    assert!(refused(&json!({"take": []})).contains("takes 0 values"));
    let twice = json!({"take": [{"pool": "vlan"}, {"pool": "port"}]});
    assert_eq!(refused(&twice), "task `EXAMPLE.run` takes `value` twice");
}

#[test]
fn outputs_have_the_value_and_the_details_of_the_pool() {
    let mut outputs = Map::new();
    let attributes = vec![Attribute { name: "slot".into(), value: "1".into() }];
    let port = Reserved { pool: "olt-1-port".into(), value: "olt-1/1/3".into(), attributes };
    put(&mut outputs, "port", &port);
    let vlan = Reserved { pool: "vlan".into(), value: "100".into(), attributes: vec![] };
    put(&mut outputs, "value", &vlan);
    let expected = json!({"port": "olt-1/1/3", "portAttributes": {"slot": "1"}, "value": "100"});
    assert_eq!(Value::Object(outputs), expected);
}
