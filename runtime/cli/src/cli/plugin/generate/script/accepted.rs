//! Work that goes on after its answer: the code for it, and for the body that names the address to call back.

use super::{Printed, Syntax, quoted};
use crate::cli::plugin::generate::api::CallbackAt;
use crate::cli::plugin::generate::plan::Accepted;

/// How long a callback may take, in milliseconds.
const CALLBACK_MS: u32 = 3_600_000;

impl Printed<'_> {
    /// The expression of the address to call back.
    fn callback_url(&self) -> &'static str {
        match self.syntax {
            Syntax::Javascript => "context.callbackUrl",
            Syntax::Python => "context.callback_url",
        }
    }

    /// An answer 202 is not the end.
    pub(super) fn accepted(&self) -> Vec<String> {
        let failure = match self.syntax {
            Syntax::Javascript => "throw",
            Syntax::Python => "raise",
        };
        let act = match (&self.planned.accepted, self.syntax) {
            (Accepted::Answer, _) => return Vec::new(),
            (Accepted::Probed, _) => format!("{failure} accepted(given)"),
            (Accepted::Undecided, _) => format!("{failure} undecided(given)"),
            (Accepted::CalledBack(_), Syntax::Javascript) => {
                format!("return new Waiting([context.key], {CALLBACK_MS})")
            }
            (Accepted::CalledBack(_), Syntax::Python) => {
                format!("return Waiting([context.key], {CALLBACK_MS})")
            }
        };
        let condition = match self.syntax {
            Syntax::Javascript => "response?.status === 202",
            Syntax::Python => "response is not None and response.status == 202",
        };
        self.then(condition, &act)
    }

    /// Fails if what a probe found is not done yet.
    pub(super) fn settled(&self, document: &str) -> Vec<String> {
        let end = self.words.end;
        let is_asked = self.planned.is_accepted;
        is_asked.then(|| format!("settled(given, {document}){end}")).into_iter().collect()
    }

    /// The header with the address to call back.
    pub(super) fn callback_header(&self) -> Option<String> {
        let Accepted::CalledBack(CallbackAt::Header(name)) = &self.planned.accepted else {
            return None;
        };
        Some(format!("{}: {}", quoted(name), self.callback_url()))
    }

    /// The parameter with the address to call back.
    pub(super) fn callback_query(&self) -> String {
        let Accepted::CalledBack(CallbackAt::Query(name)) = &self.planned.accepted else {
            return String::new();
        };
        format!(".query({}, {})", quoted(name), self.callback_url())
    }

    /// Makes the body that is sent.
    pub(super) fn sent(&self) -> Vec<String> {
        let Accepted::CalledBack(CallbackAt::Body(name)) = &self.planned.accepted else {
            return self.keyed();
        };
        let (name, url, end) = (quoted(name), self.callback_url(), self.words.end);
        let mut lines = self.keyed();
        if lines.is_empty() {
            lines.push(self.copied());
        }
        lines.push(format!("body[{name}] = {url}{end}"));
        lines
    }

    fn copied(&self) -> String {
        match self.syntax {
            Syntax::Javascript => "const body = { ...given.body };".into(),
            Syntax::Python => "body = dict(given.get(\"body\") or {})".into(),
        }
    }

    /// Makes the body with the key of the task, if one of its properties carries it.
    pub(super) fn keyed(&self) -> Vec<String> {
        let Some(key) = &self.planned.key_property else { return Vec::new() };
        let key = quoted(key);
        let why = self.comment("An undo has the key of the work, followed by `:undo`.");
        let own = match self.syntax {
            Syntax::Javascript => format!("body[{key}] ??= context.key.replace(/:undo$/, \"\");"),
            Syntax::Python => format!(
                "body[{key}] = context.key.removesuffix(\":undo\") if body.get({key}) is None else body[{key}]"
            ),
        };
        vec![self.copied(), why, own]
    }
}
