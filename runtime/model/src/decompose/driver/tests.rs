use tmf::document::Characteristics;

use super::*;
use crate::id::{PluginId, SpecId};
use crate::plan::Action;

fn question(key: &str) -> Question {
    Question {
        key: key.into(),
        plugin: PluginId::new("decider"),
        spec: SpecId::new("S"),
        action: Action::Add,
        characteristics: Characteristics::new(),
    }
}

fn lookup(id: usize) -> InstanceLookup {
    InstanceLookup { resource: "service".into(), id: id.to_string() }
}

/// A decision that asks this many questions, one after the other, and looks up instances in between.
fn endless(questions: usize, lookups: usize) -> Result<usize, (FailureClass, String)> {
    let decision = Decision::new(Answers::new(), |answers: &Answers| {
        if answers.instances.len() < lookups {
            let missing = (0..lookups).map(lookup);
            return Err(Blocked::Lookups(missing.collect()));
        }
        match answers.productions.len() {
            known if known < questions => {
                Err(Blocked::Questions(vec![question(&known.to_string())]))
            }
            known => Ok(known),
        }
    });
    let mut step = decision.begin();
    loop {
        step = match step {
            Step::Done(known) => return Ok(known),
            Step::Failed(failure) => return Err((failure.class, failure.code.to_string())),
            Step::Ask(decision, asked) => {
                let productions = asked.into_iter().map(|question| (question, Vec::new()));
                decision.resume(Answer::Productions(productions.collect()))
            }
            Step::LookUp(decision, lookups) => {
                let instances = lookups.into_iter().map(|lookup| (lookup, None));
                decision.resume(Answer::Instances(instances.collect()))
            }
        };
    }
}

#[test]
fn questions_have_a_limit_of_their_own() {
    assert_eq!(endless(QUESTIONS_MAX, QUESTIONS_MAX + 1), Ok(QUESTIONS_MAX));
    assert_eq!(
        endless(QUESTIONS_MAX + 1, 0),
        Err((FailureClass::Operator, "DECOMP_QUESTIONS".into()))
    );
}

#[test]
fn lookups_have_a_limit_of_their_own() {
    assert_eq!(endless(1, INSTANCES_MAX), Ok(1));
    assert_eq!(
        endless(0, INSTANCES_MAX + 1),
        Err((FailureClass::Reject, "DECOMP_INSTANCES".into()))
    );
}
