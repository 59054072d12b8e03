//! The answer of an operation in Rust: its outputs, or work that goes on.

use super::Named;
use crate::cli::plugin::generate::api::{CallbackAt, Method};
use crate::cli::plugin::generate::plan::{Accepted, Answer};

/// How long a callback may take, in milliseconds.
const CALLBACK_MS: u32 = 3_600_000;

impl Named<'_> {
    /// Sends the request and reads the answer.
    pub(super) fn answered(&self) -> String {
        let planned = self.planned;
        let send = match planned.method {
            Method::Delete => {
                "        // What is not there needs no deletion.\n        \
                 let Some(response) = api::find(&element, &request)? else {\n            \
                 return Ok(Outcome::Done(Output::default()));\n        };\n"
            }
            Method::Get | Method::Put | Method::Post | Method::Patch => {
                "        let response = api::send(&element, &request)?;\n"
            }
        };
        let value = match (&planned.answer, planned.method) {
            (_, Method::Delete) | (Answer::None, _) => None,
            (Answer::Whole(name), _) => Some(format!("json!({{ {name:?}: answer }})")),
            (Answer::Object(_), _) => Some("answer".to_owned()),
        };
        let accepted = self.accepted();
        let Some(value) = value else {
            let send =
                if accepted.is_empty() { send.replace("let response = ", "") } else { send.into() };
            return format!("{send}{accepted}        Ok(Outcome::Done(Output::default()))\n");
        };
        format!(
            "{send}{accepted}        if response.body.is_empty() {{\n            \
             return Ok(Outcome::Done(Output::default()));\n        }}\n        \
             let answer = response.json().ok_or_else(|| api::unreadable(&element, \"it is no JSON\"))?;\n        \
             Output::of(&element, &{value}).map(Outcome::Done)\n"
        )
    }

    /// An answer 202 is not the end.
    fn accepted(&self) -> String {
        let act = match &self.planned.accepted {
            Accepted::Answer => return String::new(),
            Accepted::Probed => "Err(api::accepted(&element))".to_owned(),
            Accepted::Undecided => "Err(api::undecided(&element))".into(),
            Accepted::CalledBack(_) => {
                format!("Ok(Outcome::waiting(context.key(), {CALLBACK_MS}))")
            }
        };
        format!("        if response.status == 202 {{\n            return {act};\n        }}\n")
    }

    /// Fails if what a probe found is not done yet.
    pub(super) fn settled(&self, document: &str) -> String {
        match self.planned.is_accepted {
            true => format!("api::settled(&element, &{document})?;\n        "),
            false => String::new(),
        }
    }

    /// The header with the address to call back.
    pub(super) fn callback_header(&self) -> String {
        let Accepted::CalledBack(CallbackAt::Header(name)) = &self.planned.accepted else {
            return String::new();
        };
        format!("        let request = request.header({name:?}, context.callback_url());\n")
    }

    /// The parameter with the address to call back.
    pub(super) fn callback_query(&self) -> String {
        let Accepted::CalledBack(CallbackAt::Query(name)) = &self.planned.accepted else {
            return String::new();
        };
        format!(".query({name:?}, [context.callback_url()])")
    }
}
