//! Reserves a VLAN and, if the input asks for it, an address.

use ferrule_plugin::reservation::{Request, reserve};
use ferrule_plugin::{Allocator, Context, Failure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

struct Adapter;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Input {
    /// The pool of VLANs.
    vlans: String,
    /// The pool of addresses, if one is wanted.
    #[serde(default)]
    addresses: Option<String>,
}

#[derive(Debug, JsonSchema, PartialEq, Serialize)]
struct Output {
    /// The VLAN.
    vlan: String,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Allocator for Adapter {
    type Input = Input;
    type Output = Output;

    fn allocate(_context: &Context, input: Input) -> Result<Output, Failure> {
        let vlan = reserve(&Request::new(&input.vlans).named("vlan"))?.value;
        let address = input.addresses.map(|pool| reserve(&Request::new(&pool).named("address")));
        Ok(Output { vlan, address: address.transpose()?.map(|reserved| reserved.value) })
    }
}

ferrule_plugin::export!(Adapter as Allocator);
