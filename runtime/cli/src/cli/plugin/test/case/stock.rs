//! The documents of a case's inventory: their check, and how they are put into a store.

use std::collections::BTreeMap;

use engine::documents::{Put, batch};
use engine::store::{Error, Store};
use tmf::table;
use tmf::time::Timestamp;

use super::super::json::Json;

/// Max documents of a case.
const DOCUMENTS_MAX: usize = 1_000;

type Stock = BTreeMap<String, Vec<Json>>;

/// Fails with what is wrong with the inventory of a case.
pub(super) fn check(stock: &Stock) -> Result<(), String> {
    let count: usize = stock.values().map(Vec::len).sum();
    if count > DOCUMENTS_MAX {
        return Err(format!("at most {DOCUMENTS_MAX} documents, these are {count}"));
    }
    for (kind, documents) in stock {
        if table::of_key(kind).is_none() {
            return Err(format!(
                "`{kind}` is no kind of document, such as `service` or `customer`"
            ));
        }
        if documents.iter().any(|document| document.text_at("/id").is_none()) {
            return Err(format!("each document of `{kind}` has an `id`"));
        }
    }
    Ok(())
}

/// Puts the documents into a store, where they are found as a server's are.
pub(in crate::cli::plugin::test) async fn fill(
    store: &dyn Store,
    stock: &Stock,
) -> Result<(), Error> {
    let documents = stock.iter().flat_map(|(kind, documents)| {
        let put = |document: &Json| {
            let id = document.text_at("/id").unwrap_or_default();
            Put::set(kind.as_str(), id, document).quiet()
        };
        documents.iter().map(put)
    });
    let epoch = store.claim()?;
    store.append(batch(epoch, Timestamp(0), Vec::new(), documents.collect())).await
}
