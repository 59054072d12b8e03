use ferrule_plugin::fake::Host;
use ferrule_plugin::{Allocator, Context, Failure};
use serde_json::{Value, json};

use super::{Adapter, Output};

fn allocate(input: &Value) -> Result<Output, Failure> {
    let context = Context::example(input);
    let input = context.input().unwrap();
    Adapter::allocate(&context, input)
}

#[test]
fn values_come_from_the_pools_of_the_input() {
    let _host = Host::new().pool("vlans", &["100"]).pool("addresses", &["10.0.0.4"]).start();
    let output = allocate(&json!({ "vlans": "vlans", "addresses": "addresses" }));
    let expected = Output { vlan: "100".into(), address: Some("10.0.0.4".into()) };
    assert_eq!(output, Ok(expected));
}

#[test]
fn an_empty_pool_is_for_the_operator() {
    let _host = Host::new().pool("vlans", &[]).start();
    assert_eq!(allocate(&json!({ "vlans": "vlans" })).unwrap_err().code, "POOL_EXHAUSTED");
}
