//! Personal values in what plugins logged and exchanged: a client whose roles do not allow to read them
//! gets them masked. Plugins name attributes as they like, so values are looked for, not names.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::documents::Error;
use model::Fulfilment;
use serde_json::Value;
use tmf::erasure::{ERASED, personal_texts};
use tmf::references::ids;

use super::ServerState;
use super::call::Call;
use super::problem::Problem;
use super::texts::{self, MASK};
use crate::access::{Decision, ORDERS, Permission, Verb};
use crate::documents::Session;

/// A shorter value is found in too much that is not about the person.
const CHARS_MIN: usize = 3;

/// Max parties of an order whose values are masked.
const PARTIES_MAX: usize = 100;

/// The permission to read personal values in logs and exchanges. No route demands it.
pub(super) fn permission() -> Permission {
    Permission::own("personal", Verb::Read)
}

/// What is shown of a fulfilment to a client: personal values of its order are masked, unless a role
/// allows to read them.
pub(super) async fn masked(
    server: &ServerState,
    call: &Call,
    fulfilment: &Arc<Fulfilment>,
    mut shown: Value,
) -> Result<Value, Problem> {
    let Some(identity) = &call.admitted.identity else { return Ok(shown) };
    match server.access.roles().decide(identity, &permission()) {
        Decision::Allowed(scope) if scope.is_all() => return Ok(shown),
        Decision::Allowed(_) | Decision::Denied => {}
    }
    let fulfilment = Arc::clone(fulfilment);
    let found = server.documents.read(move |session| personal(session, &fulfilment)).await?;
    // The longest first: a name may be a part of another value.
    let mut personal: Vec<String> = found.into_iter().collect();
    personal.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts::replace(&mut shown, &|text| without(text, &personal));
    Ok(shown)
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

/// A text without some others; `None` if it has none of them.
fn without(shown: &str, texts: &[String]) -> Option<String> {
    let mut masked = None;
    for text in texts.iter().filter(|text| !text.is_empty()) {
        let left = masked.as_deref().unwrap_or(shown);
        if left.contains(text.as_str()) {
            masked = Some(left.replace(text.as_str(), MASK));
        }
    }
    masked
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
        let personal = ["Erika Mustermann".to_owned(), "Mustermann".into()];
        texts::replace(&mut shown, &|text| without(text, &personal));
        assert_eq!(
            shown,
            json!([{
                "log": ["POST /subscribers {\"name\":\"***\"}"],
                "exchanges": [{ "body": "<n>***</n>", "status": 200 }],
            }])
        );
    }
}
