use std::collections::BTreeMap;

use super::*;
use crate::documents::{Document, Head, Piece};

/// Whether the parts of what events change are the whole, each document once. Every order that the
/// tests of decomposition play is held to it.
pub(crate) fn assert_parts(
    fulfilment: &Fulfilment,
    events: &[Event],
    before: Option<OrderState>,
    whole: &Changes,
) {
    for items in [1, 2, 5] {
        let parts = fulfilment.parts(events, before, NonZero::new(items).unwrap());
        if parts.is_empty() {
            continue;
        }
        let mut found = Changes::default();
        for part in parts {
            let changes = fulfilment.changes_in(part, events, before);
            found.documents.extend(changes.documents);
            found.pieces.extend(changes.pieces);
            for head in changes.heads {
                found.documents.push(put_together(head, &mut found.pieces));
            }
            found.removed.extend(changes.removed);
            found.installed.extend(changes.installed);
        }
        assert_eq!(found.documents.len(), whole.documents.len(), "each document is written once");
        assert_eq!(last(&found), last(whole), "the parts are the whole");
        assert_eq!(found.removed, whole.removed);
        assert_eq!(found.installed, whole.installed);
    }
}

/// A document with its list, whose pieces were written before it, in order.
fn put_together(head: Head, pieces: &mut Vec<Piece>) -> Document {
    let Head { mut document, list, pieces: count } = head;
    let own = |piece: &&Piece| (piece.resource, &piece.id) == (document.resource, &document.id);
    assert_eq!(pieces.iter().filter(own).count(), pieces.len(), "pieces come before their head");
    assert_eq!(pieces.len(), count);
    assert!(pieces.iter().enumerate().all(|(index, piece)| piece.index == index));
    let entries: Vec<_> = pieces.drain(..).flat_map(|piece| piece.entries).collect();
    assert!(document.body.get(list).is_none(), "the list is written in pieces alone");
    document.body[list] = entries.into();
    document
}

/// Each document as it is in the end.
fn last(changes: &Changes) -> BTreeMap<(&str, &str), &serde_json::Value> {
    let documents = changes.documents.iter();
    documents.map(|document| ((document.resource, document.id.as_str()), &document.body)).collect()
}
