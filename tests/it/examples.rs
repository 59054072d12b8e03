//! The worked examples of `docs/billing.md` are played against a server and come out as they are
//! written there. A block of ` ```example ` has a line for each thing that is told, with its date, and
//! below it, indented, what comes of it. With `FERRULE_BLESS` set, what comes of them is written there.

mod play;
mod say;
mod told;

use std::collections::BTreeMap;

use play::Stage;
use told::{Example, Settings};

use crate::world::repository;

/// Rules that have no number of an example of their own yet must not be forgotten.
const RULES: [&str; 21] = [
    "1.1", "1.3", "2.4", "2.5", "2.6", "2.8", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3",
    "5.2", "6.3", "7.1", "7.2", "7.3", "7.4", "7.5", "9.3",
];

const PAGE: &str = "docs/billing.md";

fn text() -> String {
    std::fs::read_to_string(repository().join(PAGE)).unwrap()
}

#[test]
fn the_rules_that_need_an_example_have_one() {
    let examples = told::read(&text());
    for rule in RULES {
        assert!(examples.iter().any(|example| example.rule == rule), "rule {rule} has no example");
    }
}

#[tokio::test]
async fn the_examples_come_out_as_they_are_written() {
    let mut by_settings: BTreeMap<Settings, Vec<Example>> = BTreeMap::new();
    for example in told::read(&text()) {
        by_settings.entry(example.settings.clone()).or_default().push(example);
    }
    let mut wrong = Vec::new();
    let mut page = text();
    for (settings, examples) in by_settings {
        let mut stage = Stage::begin(&settings, &examples).await;
        for (example, said) in examples.iter().zip(stage.play(&examples).await) {
            if said != example.text {
                page = page.replacen(&format!("{}\n```", example.text), &format!("{said}\n```"), 1);
                wrong.push(format!("{}\n{said}", example.rule));
            }
        }
    }
    if std::env::var_os("FERRULE_BLESS").is_some() {
        std::fs::write(repository().join(PAGE), page).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "these came out otherwise:\n{}", wrong.join("\n"));
}
