use serde_json::{Map, Value, json};

use super::super::fault::Faults;
use super::*;

#[test]
fn each_kind_of_fault_takes_its_fields_and_no_other() {
    let values = json!({
        "status": 500, "rpcCode": -1, "message": "m", "delayMs": 1, "duplicate": true,
        "outcome": "failed", "code": "c",
    });
    for (name, fields, _) in KINDS {
        let mut fault = Map::new();
        fault.insert("fault".into(), name.into());
        for field in fields {
            fault.insert((*field).into(), values[field].clone());
        }
        assert!(Faults::parse(json!([fault])).is_ok(), "{name}");
        for (other, value) in values.as_object().unwrap() {
            if !fields.contains(&other.as_str()) {
                let mut more = fault.clone();
                more.insert(other.clone(), value.clone());
                assert!(Faults::parse(Value::Array(vec![more.into()])).is_err(), "{name} {other}");
            }
        }
    }
}
