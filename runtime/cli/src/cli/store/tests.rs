use ::store::Sled;
use engine::documents::Put;
use engine::keys;
use engine::store::{Epoch, TenantNumber};
use serde_json::json;
use server::serve::STORE;
use tmf::time::Timestamp;

use super::*;
use crate::client::Login;

/// A data folder with a product, and facts put over it.
async fn data(over: Vec<engine::store::Write>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = Sled::open(folder.path().join(STORE), &Options::default()).unwrap();
    let body = json!({ "id": "1", "name": "a", "status": "active" });
    let documents = vec![Put::create("product", "1", body)];
    let (epoch, at) = (Epoch::default(), Timestamp(0));
    store.append(engine::documents::batch(epoch, at, Vec::new(), documents)).await.unwrap();
    store.append(Batch::of(epoch, over)).await.unwrap();
    folder
}

async fn verified_in(folder: &tempfile::TempDir, repair: bool) -> Result<()> {
    let data = Some(folder.path().to_owned());
    run(Store::Verify(Verify { config: None, data, repair })).await
}

#[tokio::test]
async fn a_sound_store_passes() {
    verified_in(&data(Vec::new()).await, false).await.unwrap();
}

#[tokio::test]
async fn indexes_and_counts_that_are_wrong_fail_until_they_are_repaired() {
    let folder = data(vec![
        (keys::entry("product", "status", "active", "1"), None),
        (keys::entry("product", "status", "created", "1"), Some(Vec::new())),
        (keys::total("product"), Some(7_u64.to_be_bytes().to_vec())),
    ])
    .await;
    verified_in(&folder, false).await.unwrap_err();
    verified_in(&folder, true).await.unwrap();
    verified_in(&folder, false).await.unwrap();
}

#[tokio::test]
async fn the_data_of_each_tenant_is_verified_and_repaired() {
    let folder = data(Vec::new()).await;
    let store: Arc<dyn engine::store::Store> =
        Arc::new(Sled::open(folder.path().join(STORE), &Options::default()).unwrap());
    let name = TenantName::parse("acme").unwrap();
    let number = TenantNumber::of(&*store, Epoch::default(), &name).await.unwrap();
    let view = View::of(Arc::clone(&store), number);
    let stray = (keys::entry("product", "status", "active", "2"), Some(Vec::new()));
    view.append(Batch::of(Epoch::default(), vec![stray])).await.unwrap();
    drop((view, store));
    verified_in(&folder, false).await.unwrap_err();
    verified_in(&folder, true).await.unwrap();
    verified_in(&folder, false).await.unwrap();
}

#[tokio::test]
async fn a_document_that_cannot_be_read_fails_and_stays() {
    let key = keys::document("product", "1");
    let folder = data(vec![(key.clone(), Some(vec![b'['; 200]))]).await;
    verified_in(&folder, true).await.unwrap_err();
    let store = Sled::open(folder.path().join(STORE), &Options::default()).unwrap();
    assert_eq!(store.get(&key).unwrap(), Some(vec![b'['; 200]));
}

#[tokio::test]
async fn a_folder_without_a_store_is_no_sound_store() {
    let folder = tempfile::tempdir().unwrap();
    verified_in(&folder, false).await.unwrap_err();
    assert!(!folder.path().join(STORE).exists());
}

async fn compacted(folder: &tempfile::TempDir, config: &str, seal: bool) -> Result<()> {
    let settings = folder.path().join("ferrule.toml");
    std::fs::write(&settings, config).unwrap();
    let (config, data) = (Some(settings), Some(folder.path().to_owned()));
    run(Store::Compact(Compact { config, data, seal, unseal: false })).await
}

#[tokio::test]
async fn a_store_is_sealed_with_a_new_key_and_is_verified_with_it_alone() {
    let folder = data(Vec::new()).await;
    let key = folder.path().join("key");
    run(Store::NewKey { out: Some(key.clone()) }).await.unwrap();
    run(Store::NewKey { out: Some(key.clone()) }).await.unwrap_err();
    let config = format!(
        "[encryption]\nkey = \"store\"\n[secrets.store]\nfile = {:?}",
        key.display().to_string()
    );
    let refused = compacted(&folder, "", true).await.unwrap_err();
    assert!(refused.to_string().contains("no key is set"), "{refused}");
    let refused = compacted(&folder, &config, false).await.unwrap_err();
    assert!(format!("{refused:#}").contains("not sealed"), "{refused:#}");
    compacted(&folder, &config, true).await.unwrap();
    let refused = compacted(&folder, &config, true).await.unwrap_err();
    assert!(refused.to_string().contains("is sealed already: leave out `--seal`"), "{refused}");
    let refused = verified_in(&folder, false).await.unwrap_err();
    assert!(format!("{refused:#}").contains("no key is set"), "{refused:#}");
    let config = Some(folder.path().join("ferrule.toml"));
    let data = Some(folder.path().to_owned());
    run(Store::Verify(Verify { config, data, repair: false })).await.unwrap();
}

#[tokio::test]
async fn a_backup_of_a_sealed_store_is_restored_with_its_key_alone() {
    let folder = data(Vec::new()).await;
    let key = folder.path().join("key");
    run(Store::NewKey { out: Some(key.clone()) }).await.unwrap();
    let config = format!(
        "[encryption]\nkey = \"store\"\n[secrets.store]\nfile = {:?}",
        key.display().to_string()
    );
    compacted(&folder, &config, true).await.unwrap();
    let config = Some(folder.path().join("ferrule.toml"));
    let to = folder.path().join("sealed.backup");
    let backup = || backup::Backup {
        to: to.clone(),
        config: config.clone(),
        data: Some(folder.path().to_owned()),
        server: None,
        replace: false,
        login: Login::default(),
    };
    run(Store::Backup(Box::new(backup()))).await.unwrap();
    let refused = run(Store::Backup(Box::new(backup()))).await.unwrap_err();
    assert!(refused.to_string().contains("give `--replace`"), "{refused}");
    let other = tempfile::tempdir().unwrap();
    let data = Some(other.path().to_owned());
    let restored = |config| {
        let (from, data) = (to.clone(), data.clone());
        run(Store::Restore(restore::Restore { from, config, data, replace: false }))
    };
    let refused = restored(None).await.unwrap_err();
    assert!(format!("{refused:#}").contains("no key is set"), "{refused:#}");
    restored(config.clone()).await.unwrap();
    let refused = restored(config.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("holds a store"), "{refused}");
    run(Store::Verify(Verify { config, data, repair: false })).await.unwrap();
}

/// A folder beside it is not the store that a server of these settings has.
#[tokio::test]
async fn a_command_of_folders_refuses_settings_that_name_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("ferrule.toml");
    let data = folder.path().join("data");
    let text =
        format!("store = \"postgres://f@localhost/f\"\ndata = {:?}\n", data.display().to_string());
    std::fs::write(&settings, text).unwrap();
    let (file, config) = (folder.path().join("a.backup"), Some(settings));
    let backup = backup::Backup {
        to: file.clone(),
        config: config.clone(),
        data: None,
        server: None,
        replace: false,
        login: Login::default(),
    };
    std::fs::write(folder.path().join("from"), "no backup").unwrap();
    let from = folder.path().join("from");
    let commands = [
        Store::Compact(Compact { config: config.clone(), data: None, seal: false, unseal: false }),
        Store::Backup(Box::new(backup)),
        Store::Restore(restore::Restore { from, config, data: None, replace: true }),
    ];
    for command in commands {
        let refused = run(command).await.unwrap_err().to_string();
        assert!(refused.contains("keep the store in a database"), "{refused}");
    }
    assert!(!data.exists() && !file.exists());
}
