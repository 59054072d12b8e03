//! The disk is nearly full: what was accepted is finished, what is new is refused, and it goes on by itself when there is
//! space.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::world::{Request, Settings, World, fresh, pack_order};

fn free_bytes(path: &Path) -> u64 {
    let disk = statvfs(path).unwrap();
    disk.f_bavail * disk.f_frsize
}

#[tokio::test]
async fn a_server_whose_disk_is_nearly_full_finishes_its_orders_and_takes_no_more() {
    let ballast = tempfile::tempdir().unwrap();
    let free = free_bytes(ballast.path());
    let limit_mib = (free - free / 8) >> 20;
    let tail = format!("[limits]\ndisk-free-mib = {limit_mib}\n");
    let world = World::with(Settings { tail, ..Settings::default() }).await;
    let order = |name: &str| fresh(&pack_order("mobile-4g/new-number"), name);
    let path = tmf::table::path("productOrder");
    let before = world.submit(&order("before")).await;

    // It takes space and no time.
    let file = File::create(ballast.path().join("ballast")).unwrap();
    fallocate(&file, FallocateFlags::empty(), 0, free / 4).unwrap();
    let refused = world.http.post(path, &order("full")).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("nearly full"), "{}", refused.text);
    assert!(refused.headers.contains_key("retry-after"), "{:?}", refused.headers);
    world.completed(&before).await;
    let read = world.http.ask(&Request::get(&format!("{path}/{before}"))).await.unwrap();
    assert_eq!(read.status, 200, "{}", read.text);

    file.set_len(0).unwrap();
    let after = world.submit(&order("after")).await;
    world.completed(&after).await;
    // The refused one left nothing.
    let orders = world.http.ask(&Request::get(path)).await.unwrap();
    assert_eq!(orders.body.as_array().map(Vec::len), Some(2), "{}", orders.text);
}
