//! Drives decisions about orders, quotes and qualifications: their questions are answered by
//! decomposer plugins and by the store. No lock is taken meanwhile, so that a slow plugin delays only
//! the decisions that ask it.

use futures_util::future::join_all;
use model::Failure;
use model::decompose::{Answer, Decision, Question, Step};
use serde_json::Value;

use super::existing::Instances;
use super::{For, Orders, SubmitError};
use crate::aside::aside_of_lines;

impl Orders {
    /// Drives a decision about a document of this many lines to its end.
    pub(crate) async fn decided<T>(
        &self,
        decision: Decision<'_, T>,
        (document, order): (&Value, For<'_>),
        lines: usize,
    ) -> Result<Result<T, Failure>, SubmitError> {
        let mut instances = Instances::new(self, order.reader());
        let mut step = aside_of_lines(lines, || decision.begin());
        loop {
            let (decision, answer) = match step {
                Step::Done(decided) => return Ok(Ok(decided)),
                Step::Failed(failure) => return Ok(Err(failure)),
                Step::LookUp(decision, lookups) => (decision, instances.look_up(lookups).await?),
                Step::Ask(decision, questions) => {
                    match self.ask_all(questions, (document, order)).await {
                        Ok(answer) => (decision, answer),
                        Err(failure) => return Ok(Err(failure)),
                    }
                }
            };
            step = aside_of_lines(lines, || decision.resume(answer));
        }
    }

    /// Asks decomposer plugins all questions of one depth at once. If several fail, the failure of the
    /// first question counts, whichever came first.
    async fn ask_all(
        &self,
        questions: Vec<Question>,
        of: (&Value, For<'_>),
    ) -> Result<Answer, Failure> {
        let asked = questions.iter().map(|question| self.ask(question, of));
        let answers = join_all(asked).await;
        let answered = questions.into_iter().zip(answers);
        let answered = answered.map(|(question, answer)| Ok((question, answer?)));
        Ok(Answer::Productions(answered.collect::<Result<_, Failure>>()?))
    }
}
