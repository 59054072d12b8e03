//! Leaves out of a history what a difference does not need: trials, orders, lines, faults and kills. Each
//! try plays the rest again in a new world.

use super::pack::Pack;
use super::play::Play;
use super::state::Verdict;
use super::wishes::Trial;

/// Plays a history again; what is otherwise than it has to be, at the end of it or before.
pub(super) async fn again(pack: &Pack, history: &[Trial]) -> Vec<String> {
    let mut play = Play::begin(pack.clone()).await;
    for trial in history {
        let Some(trial) = possible(&play, trial) else { continue };
        let found = play.trial(&trial).await;
        if !found.is_empty() || play.is_unclear {
            return found;
        }
    }
    play.reconcile().await
}

/// A shorter history in which something is wrong still, with what that is.
pub(super) async fn shrunk(
    pack: &Pack,
    history: Vec<Trial>,
    found: Vec<String>,
) -> (Vec<Trial>, Vec<String>) {
    let (mut least, mut wrong) = (history, found);
    let mut at = 0;
    while let Some(candidate) = shorter(&least).into_iter().nth(at) {
        let found = again(pack, &candidate).await;
        if found.is_empty() {
            at += 1;
        } else {
            (least, wrong) = (candidate, found);
        }
    }
    (least, wrong)
}

/// Every history that has one thing less.
fn shorter(history: &[Trial]) -> Vec<Vec<Trial>> {
    let mut all = Vec::new();
    let mut push = |at: usize, trial: Option<Trial>| {
        let mut candidate = history.to_vec();
        match trial {
            Some(trial) => candidate[at] = trial,
            None => drop(candidate.remove(at)),
        }
        all.push(candidate);
    };
    for (at, trial) in history.iter().enumerate().rev() {
        if history.len() > 1 {
            push(at, None);
        }
        if trial.kill.is_some() || trial.cancel.is_some() || !trial.faults.is_empty() {
            push(
                at,
                Some(Trial {
                    number: trial.number,
                    orders: trial.orders.clone(),
                    ..Trial::default()
                }),
            );
        }
        if trial.orders.len() > 1 {
            let mut one = trial.clone();
            one.orders.pop();
            push(at, Some(one));
        }
        for (place, order) in
            trial.orders.iter().enumerate().filter(|(_, order)| order.lines.len() > 1)
        {
            // The ids of lines follow their places, and later orders name them: only the last can go.
            let mut one = trial.clone();
            one.orders[place].lines.truncate(order.lines.len() - 1);
            push(at, Some(one));
        }
    }
    all
}

/// The orders of a trial that can be sent now: what they are about is there, and the rules say what has
/// to come of them.
fn possible(play: &Play, trial: &Trial) -> Option<Trial> {
    let mut trial = trial.clone();
    let mut number = trial.number;
    let mut first = None;
    trial.orders.retain(|order| {
        let verdict = play.state.after(&play.pack, order, number);
        number += 1;
        let is_there = order.products().iter().all(|one| play.state.products.contains_key(*one));
        let is_sent = is_there && !matches!(verdict, Verdict::Unclear(_));
        if is_sent {
            first.get_or_insert(number - 1);
        }
        is_sent
    });
    trial.number = first?;
    (!trial.orders.is_empty()).then_some(trial)
}
