//! Drives a decision about an order that may need answers from outside: it stops with all that it
//! must know next, and is resumed with the answers. The decision itself is a pure function of its
//! answers, so the order in which they come changes nothing.

use super::{Answers, Blocked, Instance, InstanceLookup, Production, Question};
use crate::codes::FailureCode;
use crate::outcome::{Failure, FailureClass};

/// Max questions to decomposer plugins for one order.
pub const QUESTIONS_MAX: usize = 1_000;

/// Max existing instances looked up for one order.
pub const INSTANCES_MAX: usize = 200_000;

type Decide<'a, T> = Box<dyn Fn(&Answers) -> Result<T, Blocked> + Send + Sync + 'a>;

/// A decision that is not made yet.
pub struct Decision<'a, T> {
    decide: Decide<'a, T>,
    answers: Answers,
    questions: usize,
    lookups: usize,
}

/// How far a decision is.
pub enum Step<'a, T> {
    /// It is made.
    Done(T),
    /// It cannot be made.
    Failed(Failure),
    /// Decomposer plugins must be asked; resume with [`Answer::Productions`].
    Ask(Decision<'a, T>, Vec<Question>),
    /// Existing instances must be known; resume with [`Answer::Instances`].
    LookUp(Decision<'a, T>, Vec<InstanceLookup>),
}

/// The answers that a decision is resumed with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The productions of decomposer plugins, for each question.
    Productions(Vec<(Question, Vec<Production>)>),
    /// The instances that were looked up; `None` if there is no such instance.
    Instances(Vec<(InstanceLookup, Option<Instance>)>),
}

impl<'a, T> Decision<'a, T> {
    /// A decision by a function of the answers, and the answers that are known from the start.
    pub fn new(
        answers: Answers,
        decide: impl Fn(&Answers) -> Result<T, Blocked> + Send + Sync + 'a,
    ) -> Self {
        Self { decide: Box::new(decide), answers, questions: 0, lookups: 0 }
    }

    /// Decides by what is known.
    pub fn begin(mut self) -> Step<'a, T> {
        match (self.decide)(&self.answers) {
            Ok(decided) => Step::Done(decided),
            Err(Blocked::Failure(failure)) => Step::Failed(failure),
            Err(Blocked::Questions(questions)) => {
                self.questions += questions.len();
                match self.questions <= QUESTIONS_MAX {
                    true => Step::Ask(self, questions),
                    false => Step::Failed(too_many_questions()),
                }
            }
            Err(Blocked::Lookups(lookups)) => {
                self.lookups += lookups.len();
                match self.lookups <= INSTANCES_MAX {
                    true => Step::LookUp(self, lookups),
                    false => Step::Failed(too_many_instances()),
                }
            }
        }
    }

    /// Goes on with answers.
    pub fn resume(mut self, answer: Answer) -> Step<'a, T> {
        match answer {
            Answer::Productions(productions) => {
                for (question, productions) in productions {
                    self.answers.insert(question, productions);
                }
            }
            Answer::Instances(instances) => {
                for (lookup, instance) in instances {
                    self.answers.found(lookup, instance);
                }
            }
        }
        self.begin()
    }
}

fn too_many_questions() -> Failure {
    let message = format!(
        "its decomposer plugins ask for more decisions than {QUESTIONS_MAX}, the most that this \
         version takes for one order"
    );
    Failure::new(FailureClass::Operator, FailureCode::DecompQuestions, message)
}

fn too_many_instances() -> Failure {
    let message = format!(
        "it is about more existing instances than {INSTANCES_MAX}, the most that this version \
         looks up for one order: split it"
    );
    Failure::new(FailureClass::Reject, FailureCode::DecompInstances, message)
}

#[cfg(test)]
mod tests;
