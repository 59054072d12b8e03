//! Random packs and random histories of orders, with faults and kills, against an oracle that derives
//! the expected results from the described pack alone. See `tests/README.md`.

mod check;
mod described;
mod generate;
mod observed;
mod order;
mod pack;
mod planted;
mod play;
mod shrink;
mod state;
mod wishes;
mod work;
mod written;

use std::fmt::Write as _;

use pack::Pack;
use play::Play;
use wishes::Trial;

use crate::world::Dice;

/// The worlds that every run plays.
const SEEDS: [u64; 16] = [3, 5, 6, 9, 13, 15, 17, 18, 21, 25, 28, 30, 31, 37, 77, 200];

/// Trials in a world.
const TRIALS: usize = 9;

/// More or other worlds: `7`, or `1000..2000`.
const SEEDS_VARIABLE: &str = "FERRULE_ORACLE_SEEDS";

/// Whether a history that goes wrong is played again and again to find a shorter one.
const SHRINK_VARIABLE: &str = "FERRULE_ORACLE_SHRINK";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_orders_in_random_worlds_do_what_the_rules_say() {
    let mut wrong = Vec::new();
    for seed in seeds() {
        if let Err(report) = play(seed).await {
            show(&report);
            wrong.push(seed);
        }
    }
    assert!(wrong.is_empty(), "{SEEDS_VARIABLE} that go wrong: {wrong:?}");
}

fn seeds() -> Vec<u64> {
    let Ok(given) = std::env::var(SEEDS_VARIABLE) else { return SEEDS.to_vec() };
    let number = |text: &str| text.parse().expect("a seed is a number");
    match given.split_once("..") {
        Some((first, end)) => (number(first)..number(end)).collect(),
        None => vec![number(&given)],
    }
}

#[expect(clippy::print_stdout, reason = "a failure can be played again")]
fn show(report: &str) {
    println!("{report}");
}

/// Plays a world to its end, or to the first difference.
async fn play(seed: u64) -> Result<(), String> {
    let mut dice = Dice::of(seed);
    let pack = generate::pack(&mut dice);
    let mut play = Play::begin(pack).await;
    let mut history: Vec<Trial> = Vec::new();
    let mut found = Vec::new();
    for _ in 0..TRIALS {
        let next = wishes::next(&mut dice, &play.pack, &play.state, play.number);
        let goes_on = found.is_empty() && !play.is_unclear;
        let Some(trial) = next.filter(|_| goes_on) else { break };
        found = play.trial(&trial).await;
        history.push(trial);
    }
    if found.is_empty() && !play.is_unclear {
        found = play.reconcile().await;
    }
    if found.is_empty() {
        return Ok(());
    }
    let pack = play.pack.clone();
    drop(play);
    if std::env::var_os(SHRINK_VARIABLE).is_some() {
        (history, found) = shrink::shrunk(&pack, history, found).await;
    }
    Err(report(seed, &pack, &history, &found))
}

/// What to play again, and what was wrong.
fn report(seed: u64, pack: &Pack, history: &[Trial], found: &[String]) -> String {
    let mut text = format!("--- {SEEDS_VARIABLE}={seed}\n{pack}");
    for trial in history {
        text.push_str(&trial.described(pack));
    }
    for difference in found {
        writeln!(text, "  {difference}").unwrap();
    }
    text
}
