use ferrule_plugin::{Context, Failure, Outcome, Step};
use serde_json::json;

use super::{Adapter, Output};

fn run(mbps: u32) -> Result<Outcome<Output>, Failure> {
    let context = Context::example(&json!({ "mbps": mbps }));
    let input = context.input().unwrap();
    Adapter::run(&context, input)
}

#[test]
fn a_profile_follows_from_the_speed() {
    for (mbps, profile) in [(1, "bronze"), (100, "bronze"), (101, "silver"), (1_000, "gold")] {
        let expected = Outcome::Done(Output { profile: profile.into() });
        assert_eq!(run(mbps), Ok(expected), "{mbps}");
    }
}

#[test]
fn no_speed_is_rejected() {
    assert_eq!(run(0).unwrap_err().code, "SPEED_INVALID");
}
