//! Personal values in what plugins logged and exchanged, and in failures, outputs and journals: a client whose roles do
//! not allow to read them gets them masked. Plugins name attributes as they like, so values are looked for, not names.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::documents::Error;
use model::Fulfilment;
use serde_json::Value;
use tmf::erasure::{ERASED, personal_texts};
use tmf::references::ids;

use super::problem::Problem;
use super::texts::{self, MASK};
use crate::access::{Admitted, ORDERS, Permission, Verb};
use crate::documents::{Documents, Session};

/// A shorter value is found in too much that is not about the person.
const CHARS_MIN: usize = 3;

/// Max parties of an order whose values are masked.
const PARTIES_MAX: usize = 100;

/// The permission to read personal values in logs and exchanges. No route demands it.
pub(super) fn permission() -> Permission {
    Permission::own("personal", Verb::Read)
}

/// What is in a fulfilment or a record beside texts of our own: what plugins, elements, clients and operators wrote.
const CONTENTS: &[&str] = &[
    "activation",
    "characteristics",
    "document",
    "input",
    "keys",
    "message",
    "outputs",
    "patch",
    "payload",
    "reason",
    "reservations",
    "waitsFor",
];

/// The personal values of an order that a client may not read.
#[derive(Debug)]
pub(super) enum Personal {
    /// The longest first: a name may be a part of another value.
    Texts(Vec<String>),
    /// They are not known, so each text may have some.
    Any,
}

impl Personal {
    /// Those that a client may not read; none if a role allows to read them.
    pub(super) async fn hidden(
        documents: &Documents,
        admitted: &Admitted,
        fulfilment: &Arc<Fulfilment>,
    ) -> Result<Self, Problem> {
        if may_read(admitted) {
            return Ok(Self::Texts(Vec::new()));
        }
        let fulfilment = Arc::clone(fulfilment);
        let found = documents.read(move |session| personal(session, &fulfilment)).await?;
        let mut texts: Vec<String> = found.into_iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Ok(Self::Texts(texts))
    }

    /// Those of an order that is not there any more.
    pub(super) fn all(admitted: &Admitted) -> Self {
        if may_read(admitted) { Self::Texts(Vec::new()) } else { Self::Any }
    }

    /// A log or an exchange without them.
    pub(super) fn masked(&self, mut shown: Value) -> Value {
        texts::replace(&mut shown, &|text| self.without(text));
        shown
    }

    /// A fulfilment or a record without them: only its contents are looked at, so that states and names of tasks
    /// stay as they are.
    pub(super) fn masked_contents(&self, mut shown: Value) -> Value {
        texts::replace_under(&mut shown, CONTENTS, &|text| self.without(text));
        shown
    }

    /// A text without them; `None` if it has none of them.
    pub(super) fn without(&self, shown: &str) -> Option<String> {
        let Self::Texts(texts) = self else { return Some(MASK.into()) };
        let mut masked = None;
        for text in texts.iter().filter(|text| !text.is_empty()) {
            let left = masked.as_deref().unwrap_or(shown);
            if left.contains(text.as_str()) {
                masked = Some(left.replace(text.as_str(), MASK));
            }
        }
        masked
    }
}

fn may_read(admitted: &Admitted) -> bool {
    admitted.identity.is_none() || admitted.reader.may(&permission()).is_all()
}

/// The personal values of the orders of a fulfilment, and of their parties.
fn personal(session: &Session, fulfilment: &Fulfilment) -> Result<BTreeSet<String>, Error> {
    let mut texts = BTreeSet::new();
    let mut parties = BTreeSet::new();
    for key in ORDERS {
        let Some(order) = fulfilment.order_of(key, true) else { continue };
        take(key, &order.body, &mut texts);
        let related = ids(&order.body, "relatedParty");
        parties.extend(related.into_iter().map(str::to_owned));
    }
    take("productOrder", fulfilment.document(), &mut texts);
    let mut engaged = BTreeSet::new();
    for id in parties.iter().take(PARTIES_MAX) {
        for role in ["customer", "partyRole"] {
            let Some(found) = session.readable(role, id)? else { continue };
            take(role, &found.body, &mut texts);
            engaged.extend(ids(&found.body, "engagedParty").into_iter().map(str::to_owned));
        }
    }
    for id in parties.iter().chain(&engaged).take(PARTIES_MAX) {
        for party in ["individual", "organization"] {
            if let Some(found) = session.readable(party, id)? {
                take(party, &found.body, &mut texts);
            }
        }
    }
    Ok(texts)
}

fn take(resource: &str, document: &Value, texts: &mut BTreeSet<String>) {
    personal_texts(resource, document, &mut |text| {
        let text = text.trim();
        if text.chars().count() >= CHARS_MIN && text != ERASED {
            texts.insert(text.into());
        }
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_masked_in_texts_at_any_depth() {
        let mut shown = json!([{
            "log": ["POST /subscribers {\"name\":\"Erika Mustermann\"}"],
            "exchanges": [{ "body": "<n>Mustermann</n>", "status": 200 }],
        }]);
        let personal = Personal::Texts(vec!["Erika Mustermann".into(), "Mustermann".into()]);
        assert_eq!(
            personal.masked(shown.take()),
            json!([{
                "log": ["POST /subscribers {\"name\":\"***\"}"],
                "exchanges": [{ "body": "<n>***</n>", "status": 200 }],
            }])
        );
    }

    #[test]
    fn values_are_masked_in_the_contents_of_a_fulfilment_only() {
        let shown = json!({
            "state": "failed",
            "failures": [{ "code": "DECOMP_NO_RULE", "message": "no failed <Erika>" }],
            "tasks": [{ "name": "failed", "outputs": { "to": ["Erika"] }, "failure": { "message": "Erika" } }],
            "journal": [{ "events": [{ "type": "calledBack", "payload": { "Erika": "Erika" } }] }],
        });
        let personal = Personal::Texts(vec!["failed".into(), "Erika".into()]);
        assert_eq!(
            personal.masked_contents(shown),
            json!({
                "state": "failed",
                "failures": [{ "code": "DECOMP_NO_RULE", "message": "no *** <***>" }],
                "tasks": [{ "name": "failed", "outputs": { "to": ["***"] }, "failure": { "message": "***" } }],
                "journal": [{ "events": [{ "type": "calledBack", "payload": { "***": "***" } }] }],
            })
        );
    }
}
