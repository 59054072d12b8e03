//! Random lives of accounts, products and usage, billed over months and compared with a model of
//! `docs/billing.md` that shares no code with the server.

mod calendar;
mod check;
mod draw;
mod exact;
mod facts;
mod life;
mod line;
mod rules;

use life::Life;

/// Seeds that each run plays: some, and those that found something.
const SEEDS: [u64; 9] = [1, 2, 3, 4, 5, 6, 73, 115, 117];

/// The seeds of `FERRULE_LIVES_SEEDS`, such as `7` or `100..200`; else a fixed few.
fn seeds() -> Vec<u64> {
    let Ok(text) = std::env::var("FERRULE_LIVES_SEEDS") else { return SEEDS.to_vec() };
    let number = |text: &str| text.parse().expect("a seed is a number");
    match text.split_once("..") {
        Some((from, until)) => (number(from)..number(until)).collect(),
        None => vec![number(&text)],
    }
}

/// Plays every second seed.
async fn play(odd: u64) {
    let mut wrong = Vec::new();
    for seed in seeds().into_iter().filter(|seed| seed % 2 == odd) {
        let mut life = Life::begin(seed).await;
        let findings = life.play().await;
        if !findings.0.is_empty() {
            let (story, found) = (life.story.join("\n"), findings.0.join("\n  "));
            wrong.push(format!("FERRULE_LIVES_SEEDS={seed}\n{story}\n  {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of the lives:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test]
async fn bills_of_odd_seeds_are_what_the_rules_say() {
    play(1).await;
}

#[tokio::test]
async fn bills_of_even_seeds_are_what_the_rules_say() {
    play(0).await;
}
