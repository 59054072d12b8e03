use tmf::resource::Resource;
use tmf::table::APIS;

use super::super::{Memory, STORED_KEY_BYTES_MAX};
use super::*;
use crate::keys;

fn name(text: &str) -> TenantName {
    TenantName::parse(text).unwrap()
}

fn of(store: &Arc<dyn Store>, number: u16) -> View {
    View::of(Arc::clone(store), TenantNumber::new(number).unwrap())
}

fn put(key: &str) -> Write {
    (key.into(), Some(b"1".to_vec()))
}

/// The longest index entry of a resource: ids have at most 200 bytes.
fn longest_entry(resource: &Resource) -> usize {
    let (value, id) = ("v".repeat(tmf::index::VALUE_BYTES_MAX), "i".repeat(200));
    let entries = resource.indexes().map(|path| keys::entry(resource.key, path, &value, &id).len());
    entries.max().unwrap_or_default()
}

#[test]
fn every_key_of_a_tenant_has_room_behind_its_number() {
    let resources = APIS.iter().flat_map(|api| api.resources);
    let (bytes, key) = resources.map(|of| (longest_entry(of), of.key)).max().unwrap();
    assert!(bytes <= KEY_BYTES_MAX, "{bytes} bytes of {key}");
    let last = TenantNumber::new(TenantNumber::MAX).unwrap().before();
    let key = [last.as_slice(), &[0xff; KEY_BYTES_MAX]].concat();
    assert_eq!(key.len(), STORED_KEY_BYTES_MAX);
    assert!(key.as_slice() < TENANTS_END);
}

#[tokio::test]
async fn a_tenant_keeps_its_number() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let owner = store.claim().unwrap();
    assert_eq!(tenants(&*store).unwrap(), []);
    for _ in 0..2 {
        for (tenant, expected) in [("b", 0), ("a-b", 1), ("a", 2)] {
            let number = TenantNumber::of(&*store, owner, &name(tenant)).await.unwrap();
            assert_eq!(number, TenantNumber(expected));
            let view = View::of(Arc::clone(&store), number);
            view.append(Batch::of(owner, vec![put("/a"), put("")])).await.unwrap();
        }
    }
    let listed = [("a", 2), ("a-b", 1), ("b", 0)];
    let listed = listed.map(|(tenant, number)| (name(tenant), TenantNumber(number)));
    assert_eq!(tenants(&*store).unwrap(), listed);
    // A server that lost the store gives none.
    store.claim().unwrap();
    assert!(matches!(
        TenantNumber::of(&*store, owner, &name("c")).await,
        Err(Error::Fenced { .. })
    ));
}

#[test]
fn the_views_of_a_process_share_one_claim() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let epoch = store.claim().unwrap();
    let view = of(&store, 1).claimed(epoch);
    assert_eq!([view.claim().unwrap(), view.claim().unwrap()], [epoch; 2]);
    assert_eq!(View::of_default(store).claim().unwrap(), Epoch(epoch.0 + 1));
}

#[tokio::test]
async fn the_default_tenant_cannot_write_a_key_of_another() {
    let view = View::of_default(Arc::new(Memory::new()));
    let refused = view.append(Batch::of(Epoch(0), vec![put("a"), put("T/a")])).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    let foreign = Transaction::new(|_| Ok(vec![put("T/a")]));
    let batch = Batch { transaction: Some(foreign), ..Batch::of(Epoch(0), vec![put("a")]) };
    assert!(matches!(view.append(batch).await, Err(Error::Refused(_))));
    assert_eq!(view.get(b"a").unwrap(), None);
}
