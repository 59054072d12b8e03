//! Index entries in the views of tenants, sealed or not: found by a value, moved from the first form to
//! that of today, and without their value on the disk.

use std::sync::Arc;

use engine::keys;
use engine::store::{Batch, Scan, Store, TenantNumber, View};

use crate::backed_up::runtime;
use crate::subject::{OnSled, Subject, put};

const NAME: &str = "Mustermann";

/// The entries of one person by its name, in the first form and in that of today.
fn forms(id: &str) -> [Vec<u8>; 2] {
    let first = format!("i/individual\0familyName\0{NAME}\0{id}").into_bytes();
    let of_today = keys::entry("individual", "familyName", NAME, id);
    assert_eq!(keys::entry_of_first(&first).as_ref(), Some(&of_today));
    [first, of_today]
}

fn views(store: &Arc<dyn Store>) -> [View; 2] {
    let tenant = TenantNumber::new(3).unwrap();
    [View::of_default(Arc::clone(store)), View::of(Arc::clone(store), tenant)]
}

fn ids_by(store: &View, value: &str) -> Vec<String> {
    let prefix = keys::entries("individual", "familyName", value);
    let found = store.scan(&Scan::prefix(prefix.clone(), usize::MAX)).unwrap();
    found.iter().map(|(key, _)| String::from_utf8_lossy(&key[prefix.len()..]).into()).collect()
}

#[test]
fn entries_of_the_first_form_are_moved_in_each_view_of_a_plain_or_sealed_store() {
    for subject in [OnSled::default(), OnSled::sealed()] {
        let store: Arc<dyn Store> = Arc::new(subject.open());
        let runtime = runtime();
        for view in views(&store) {
            let epoch = view.claim().unwrap();
            let writes = ["7", "8"].map(|id| put(&forms(id)[0], b""));
            runtime.block_on(view.append(Batch::of(epoch, writes.into()))).unwrap();
            assert_eq!(ids_by(&view, NAME), [""; 0]);
            let firsts = view.scan(&Scan::prefix(keys::FIRST_ENTRIES, usize::MAX)).unwrap();
            let writes = firsts.into_iter().flat_map(|(key, _)| {
                [(keys::entry_of_first(&key).unwrap(), Some(Vec::new())), (key, None)]
            });
            let writes = writes.collect();
            runtime.block_on(view.append(Batch::of(epoch, writes))).unwrap();
            assert_eq!(ids_by(&view, NAME), ["7", "8"]);
            assert_eq!(ids_by(&view, "Muster"), [""; 0]);
            let firsts = view.scan(&Scan::prefix(keys::FIRST_ENTRIES, usize::MAX)).unwrap();
            assert_eq!(firsts, []);
            assert_eq!(view.get(&forms("7")[1]).unwrap(), Some(Vec::new()));
        }
    }
}
