//! The page about the simulated network, made of its tables.

use std::fmt::Write as _;

use super::element::{Dialect, ELEMENTS};
use super::fault::KINDS;
use super::service::OWN;

/// The page, as Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# The simulated network\n\n\
         `ferrule simnet` plays the elements that the shipped packs talk to; `serve --demo` starts one \
         and prints its address. Elements of your own are played by one of these: write \
         `\"element.my-olt\" = \"http://127.0.0.1:9100/olt-1\"` into the settings of the activator. A \
         collection and an id may be any; what a write sends is kept under them.\n\n\
         ## Elements\n\n| element | dialect |\n|---|---|\n",
    );
    // Writing to a string cannot fail.
    for element in &ELEMENTS {
        let _ = writeln!(page, "| `{}` | {} |", element.name, element.dialect.name());
    }
    page.push_str("\n| dialect | calls |\n|---|---|\n");
    for dialect in [Dialect::Restconf, Dialect::Rest, Dialect::JsonRpc] {
        let form = dialect.form().replace('|', "\\|");
        let _ = writeln!(page, "| {} | `{form}` |", dialect.name());
    }
    page.push_str(
        "\nJSON-RPC methods are a verb and a thing, such as `createDevice`, `updateDevice`, \
         `getDevice` and `deleteDevice`; `params` has the `id`.\n\n\
         **A write needs the header `Idempotency-Key`** (the shipped activators send the key of the \
         task). A write that is repeated under its key answers as before and changes nothing; another \
         key at a place that is taken is refused, but for a `PUT` with `X-Replace: true`, an `update…` \
         and a `DELETE`. An answer repeats the body under `/config`, which is what `probe.holds` \
         points to, and adds `id`, `idempotencyKey` and a field of the element. `X-Callback-URL` is \
         where a fault `async` calls back.\n\n\
         ## Paths of the simulator itself\n\n| path | method | |\n|---|---|---|\n",
    );
    for own in &OWN {
        for (method, about) in own.methods {
            let _ = writeln!(page, "| `{}` | `{method}` | {about} |", own.path);
        }
    }
    page.push_str(
        "\n## Faults\n\n\
         `PUT /_faults` takes a list such as `[{\"element\": \"bng-1\", \"operation\": \"put vlans\", \
         \"fault\": \"lost\", \"times\": 3}]`. `element` and `operation` (method and collection in small \
         letters, or the method of JSON-RPC) may be `*`, and are if they are left out. `times` is how \
         often it fires, `every` that it fires at each n-th call. The first that fires decides.\n\n\
         | fault | fields | what happens |\n|---|---|---|\n",
    );
    for (name, fields, about) in KINDS {
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let _ = writeln!(page, "| `{name}` | {} | {about} |", fields.join(", "));
    }
    page
}

#[cfg(test)]
mod tests;
