//! A backup that is taken while orders flow: restored, it is a store that is whole, with all that was acknowledged before.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::world::{Clients, Output, World, ferrule, fresh, pack_order};

/// The order that is sent again and again.
const ORDER: &str = "mobile-4g/new-number";

/// Orders that are in flight at one time.
const IN_FLIGHT: usize = 6;

/// Records of orders before the backup, and after it.
const RECORDS: u64 = 60;

/// Orders that are acknowledged before the backup begins, besides.
const ACKNOWLEDGED: usize = 5;

async fn run(arguments: &[&str], files: &[(&str, &Path)]) -> Output {
    let files = files.iter().flat_map(|(option, path)| [*option, path.to_str().unwrap()]);
    let arguments: Vec<&str> = arguments.iter().copied().chain(files).collect();
    ferrule(&arguments).await
}

fn check(output: &Output, code: i32, said: &str) {
    assert_eq!(output.code, Some(code), "{}{}", output.out, output.err);
    let all = format!("{}{}", output.out, output.err);
    assert!(all.contains(said), "no `{said}` in {all}");
}

#[tokio::test]
async fn orders_acknowledged_before_an_online_backup_are_in_the_restored_store() {
    let mut world = World::start().await;
    let order = pack_order(ORDER);
    let clients = Clients::begin(&world.http, vec![pack_order(ORDER)], IN_FLIGHT);
    clients.see_records(RECORDS).await;
    let mut acknowledged = Vec::new();
    for number in 0..ACKNOWLEDGED {
        acknowledged.push(world.submit(&fresh(&order, &format!("before-{number}"))).await);
    }
    let file = world.folder.path().join("ferrule.backup");
    let online = ["store", "backup", "--url", &world.http.base];
    check(&run(&online, &[("--to", &file)]).await, 0, "after commit ");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A file that is there is replaced only when it is asked for.
    check(&run(&online, &[("--to", &file)]).await, 2, "give `--replace`");
    clients.see_records(RECORDS).await;
    clients.stop_ordering();
    clients.all_ended().await;

    // The folder of a server that runs is not copied beside it.
    let data = world.data();
    let other = world.folder.path().join("other.backup");
    let offline = [("--to", other.as_path()), ("--data", &data)];
    check(&run(&["store", "backup"], &offline).await, 1, "--server");
    world.kill().await;
    check(&run(&["store", "backup"], &offline).await, 0, "after commit ");

    let into = [("--from", file.as_path()), ("--data", &data)];
    check(&run(&["store", "restore"], &into).await, 2, "holds a store");
    std::fs::rename(data.join("store"), world.folder.path().join("lost")).unwrap();
    check(&run(&["store", "restore"], &into).await, 0, "facts are restored");
    check(&run(&["store", "verify"], &[("--data", &data)]).await, 0, " 0 faults");
    world.restart().await;
    for id in &acknowledged {
        let path = format!("/tmf-api/productOrderingManagement/v4/productOrder/{id}");
        assert_eq!(world.http.get(&path).await["id"], id.as_str());
    }

    // And back to what the server had at its end.
    world.kill().await;
    let back = [("--from", other.as_path()), ("--data", &data)];
    check(&run(&["store", "restore", "--replace"], &back).await, 0, "facts are restored");
    check(&run(&["store", "verify"], &[("--data", &data)]).await, 0, " 0 faults");
}

#[tokio::test]
async fn a_backup_that_is_cut_is_refused_and_leaves_the_store_as_it_is() {
    let mut world = World::start().await;
    world.submit(&fresh(&pack_order(ORDER), "one")).await;
    world.kill().await;
    let (data, file) = (world.data(), world.folder.path().join("ferrule.backup"));
    let offline = [("--to", file.as_path()), ("--data", &data)];
    check(&run(&["store", "backup"], &offline).await, 0, "after commit ");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
    let into = [("--from", file.as_path()), ("--data", &data)];
    let refused = run(&["store", "restore", "--replace"], &into).await;
    check(&refused, 1, &format!("it ends at byte {}", bytes.len() - 7));
    check(&run(&["store", "verify"], &[("--data", &data)]).await, 0, " 0 faults");
    world.restart().await;
}
