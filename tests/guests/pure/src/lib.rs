//! A validator, a decomposer and a rater in one, none of which can reach anything. It has no
//! manifest: the tests give it one.

use bindings::exports::ferrule::plugin::{decomposition, rating, validation};
use bindings::ferrule::plugin::types::{Attribute, Done, Failure, FailureClass, Money, Task};

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::mem_forget,
    reason = "generated code"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package test:guests;
            world pure {
                export ferrule:plugin/validation@0.1.2;
                export ferrule:plugin/decomposition@0.1.2;
                export ferrule:plugin/rating@0.1.2;
            }
        ",
        world: "test:guests/pure",
        generate_all,
    });
    export!(Pure with_types_in self);
    use super::Pure;
}

struct Pure;

impl validation::Guest for Pure {
    fn validate(task: Task) -> Result<Done, Failure> {
        if task.input.contains("bad") {
            return Err(Failure {
                class: FailureClass::Reject,
                code: "BAD_ORDER".into(),
                message: "the order is bad".into(),
                retry_after_ms: None,
                attributes: vec![],
            });
        }
        Ok(Done { outputs: r#"{"valid":true}"#.into(), attributes: vec![] })
    }
}

impl decomposition::Guest for Pure {
    fn decompose(
        request: decomposition::Request,
    ) -> Result<Vec<decomposition::Production>, Failure> {
        let production = |suffix: &str, characteristics: String| decomposition::Production {
            spec: format!("{}-{suffix}", request.spec),
            characteristics,
            attributes: vec![],
        };
        let second = if request.action == "modify" { "[]" } else { "{}" };
        Ok(vec![production("A", request.characteristics.clone()), production("B", second.into())])
    }
}

impl rating::Guest for Pure {
    fn rate(request: rating::Request) -> Result<Vec<rating::Charge>, Failure> {
        let charge = |price: rating::Price| rating::Charge {
            price: price.id,
            name: price.name,
            kind: price.kind,
            net: price.amount.clone(),
            tax: Money { currency: price.amount.currency, amount: request.tax_rate.clone() },
            from: request.start.clone(),
            to: format!("{} {}", request.quantity, request.bill_day),
            attributes: vec![Attribute { name: "period".into(), value: price.period }],
        };
        Ok(request.prices.into_iter().map(charge).collect())
    }
}
