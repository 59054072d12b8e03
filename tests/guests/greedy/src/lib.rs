//! A step plugin that takes too much of what its input names: processor time, memory, or room for
//! calls. It has no manifest: the tests give it one.

use std::time::Duration;

use bindings::exports::ferrule::plugin::work;
use bindings::ferrule::plugin::config;
use bindings::ferrule::plugin::types::{Done, Failure, Outcome, Task};
use serde_json::Value;

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
            world greedy {
                import ferrule:plugin/log@0.2.0;
                import ferrule:plugin/config@0.2.0;
                export ferrule:plugin/work@0.2.0;
            }
        ",
        world: "test:guests/greedy",
        generate_all,
    });
    export!(Greedy with_types_in self);
    use super::Greedy;
}

struct Greedy;

impl work::Guest for Greedy {
    fn run(task: Task) -> Result<Outcome, Failure> {
        let input: Value = serde_json::from_str(&task.input).expect("the host sends JSON");
        let number = |name: &str| input[name].as_u64().unwrap_or(0);
        let bytes = usize::try_from(number("mib") << 20).expect("32 bits");
        let filled = vec![1_u8; bytes];
        match input["do"].as_str().unwrap_or_default() {
            "loop" => loop {
                std::hint::black_box(());
            },
            // Rounds of about a millisecond each, then an answer.
            "work" => (0..number("rounds")).for_each(|_| spin()),
            // One instruction of WebAssembly for all of the memory, again and again.
            "fill" => fill(filled),
            // Calls of the host, which do not count as time of the guest.
            "host" => loop {
                std::hint::black_box(config::get("setting"));
            },
            "sleep" => std::thread::sleep(Duration::from_millis(number("ms"))),
            // Many short sleeps with work in between.
            "nap" => (0..number("rounds")).for_each(|_| {
                spin();
                std::thread::sleep(Duration::from_millis(1));
            }),
            _ => {}
        }
        Ok(Outcome::Done(Done { outputs: "{}".into(), attributes: vec![] }))
    }
}

fn spin() {
    (0..300_000_u32).for_each(|n| _ = std::hint::black_box(n));
}

fn fill(mut filled: Vec<u8>) -> ! {
    let mut value = 0_u8;
    loop {
        value = value.wrapping_add(1);
        filled.fill(value);
        std::hint::black_box(&filled);
    }
}
