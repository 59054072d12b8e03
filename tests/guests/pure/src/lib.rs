//! A validator, a decomposer and a rater in one, none of which can reach anything. It has no
//! manifest: the tests give it one.

use bindings::exports::ferrule::plugin::{decomposition, rating, validation};
use bindings::ferrule::plugin::types::{
    Action, Attribute, Done, Failure, FailureClass, Money, Task,
};

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
                export ferrule:plugin/validation@0.2.0;
                export ferrule:plugin/decomposition@0.2.0;
                export ferrule:plugin/rating@0.2.0;
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
        let characteristics: serde_json::Value =
            serde_json::from_str(&request.characteristics).unwrap_or_default();
        // An order may ask for a slow answer.
        let sleep_ms = characteristics["sleepMs"].as_u64().unwrap_or_default();
        std::thread::sleep(std::time::Duration::from_millis(sleep_ms));
        let production = |suffix: &str, characteristics: String| decomposition::Production {
            spec: format!("{}-{suffix}", request.spec),
            characteristics,
            attributes: vec![],
        };
        let second = if request.action == Action::Modify { "[]" } else { "{}" };
        Ok(vec![production("A", request.characteristics.clone()), production("B", second.into())])
    }
}

impl rating::Guest for Pure {
    fn rate(request: rating::Request) -> Result<Vec<rating::Charge>, Failure> {
        let charge = |price: rating::Price| rating::Charge {
            price: price.id,
            net: price.amount.clone(),
            tax: Money { currency: price.amount.currency, amount: request.tax_rate.clone() },
            tax_rate: None,
            covers: price.period.map(|_| rating::Span {
                first: request.start.clone(),
                last: format!("{} {}", request.quantity, request.bill_day.unwrap_or(0)),
            }),
            prorated: None,
            attributes: price.period.into_iter().map(period).collect(),
        };
        Ok(request.prices.into_iter().map(charge).collect())
    }
}

fn period(period: rating::Period) -> Attribute {
    let unit = match period.unit {
        rating::Unit::Day => "day",
        rating::Unit::Week => "week",
        rating::Unit::Month => "month",
        rating::Unit::Year => "year",
    };
    Attribute { name: "period".into(), value: unit.into() }
}
