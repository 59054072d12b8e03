//! Files that are damaged while the server is down. If data is lost the server does not start, tells
//! what to do, and leaves the files as they are; restored, everything is there.

mod unreadable;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::world::{Request, World, fresh, pack_order, text};

/// Who may do what with a file and a folder: their owner, and no one else.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// What a log has to be damaged in the middle of: less is a single segment.
const LOG_BYTES_MIN: u64 = 2 << 20;

/// What happens to the log.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Halved,
    Emptied,
    Removed,
    Zeroed,
    /// Its first page is something else.
    Garbled,
    /// So are some bytes in the middle.
    Bitten,
    /// The end was cut, as a file system check may do.
    Shortened,
}

impl Damage {
    const ALL: [Self; 7] = [
        Self::Halved,
        Self::Emptied,
        Self::Removed,
        Self::Zeroed,
        Self::Garbled,
        Self::Bitten,
        Self::Shortened,
    ];

    fn happen(self, log: &Path) {
        let mut bytes = fs::read(log).unwrap();
        let length = bytes.len();
        match self {
            Self::Halved => bytes.truncate(length / 2),
            Self::Emptied => bytes.clear(),
            Self::Removed => return fs::remove_file(log).unwrap(),
            Self::Zeroed => bytes.fill(0),
            Self::Garbled => bytes[..4096].iter_mut().for_each(|byte| *byte ^= 0x5a),
            Self::Bitten => {
                let middle = length / 2;
                bytes[middle..middle + 8192].iter_mut().for_each(|byte| *byte ^= 0x5a);
            }
            Self::Shortened => bytes.truncate(length - length / 8),
        }
        fs::write(log, bytes).unwrap();
    }
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in below(folder) {
        if path.is_file() {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = entries.flat_map(|path| {
        let deeper = if path.is_dir() { below(&path) } else { Vec::new() };
        std::iter::once(path).chain(deeper)
    });
    paths.collect()
}

/// Writes until the log is long enough to be damaged in the middle; answers with what was written.
async fn filled(world: &World) -> Vec<String> {
    let path = tmf::table::path("individual");
    let filler = "x".repeat(40_000);
    let log = world.data().join("store/log.1/db");
    let mut written = Vec::new();
    while fs::metadata(&log).unwrap().len() < LOG_BYTES_MIN || written.len() < 20 {
        let person = json!({ "givenName": "Ann", "familyName": "Walker", "title": filler });
        let made = world.http.post(path, &person).await;
        assert_eq!(made.status, 201, "{}", made.text);
        written.push(format!("{path}/{}", text(&made.body["id"])));
    }
    written
}

#[tokio::test]
async fn a_server_does_not_start_on_a_damaged_log_and_leaves_it_alone() {
    let mut world = World::start().await;
    let mut written = filled(&world).await;
    let log = world.data().join("store/log.1/db");
    let mut wrong = Vec::new();
    for damage in Damage::ALL {
        // The last acknowledged write is the first one missing.
        let last = world.person().await;
        written.push(format!("{}/{last}", tmf::table::path("individual")));
        world.kill().await;
        let whole = files(&world.data());
        damage.happen(&log);
        let damaged = files(&world.data().join("store"));
        match world.try_restart().await {
            // What it hit may have been of no use any more.
            Ok(()) => {
                let mut lost = 0;
                for path in &written {
                    let found = world.http.ask(&Request::get(path)).await.unwrap();
                    lost += usize::from(found.status != 200);
                }
                if lost > 0 {
                    let of = written.len();
                    wrong.push(format!("{damage:?}: the server starts, {lost} of {of} are lost"));
                }
            }
            Err(said) => {
                // The log has what came before too.
                let said = said.rsplit("ferrule: ").next().unwrap_or_default();
                if !said.contains("restore") || !said.contains("store") {
                    wrong.push(format!("{damage:?}: it does not say what to do: {said}"));
                }
                let after = files(&world.data().join("store"));
                for (path, bytes) in &damaged {
                    if after.get(path) != Some(bytes) {
                        wrong.push(format!("{damage:?}: {} was changed", path.display()));
                    }
                }
            }
        }
        world.end().await;
        fs::remove_dir_all(world.data()).unwrap();
        for (path, bytes) in whole {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        world.restart().await;
        for path in &written {
            assert_eq!(world.http.ask(&Request::get(path)).await.unwrap().status, 200, "{path}");
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A process that is killed leaves a log that ends anywhere: that is no damage.
#[tokio::test]
async fn a_log_that_a_kill_left_is_no_damage() {
    let mut world = World::start().await;
    for round in 0..5 {
        let id =
            world.submit(&fresh(&pack_order("mobile-4g/new-number"), &round.to_string())).await;
        world.kill().await;
        world.restart().await;
        world.completed(&id).await;
    }
}

/// The data of customers is readable by the operator alone.
#[tokio::test]
async fn no_one_else_can_read_the_data() {
    let mut world = World::start().await;
    let id = world.submit(&pack_order("mobile-4g/new-number")).await;
    world.completed(&id).await;
    check_modes(&world.data());
    // An older version left them open.
    world.kill().await;
    for path in below(&world.data()).into_iter().chain([world.data()]) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    world.restart().await;
    check_modes(&world.data());
}

/// The folder is closed to others, and the store is so file by file: it may be copied elsewhere.
fn check_modes(data: &Path) {
    let mut wrong = Vec::new();
    for path in
        below(&data.join("store")).into_iter().chain([data.join("store"), data.to_path_buf()])
    {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { FOLDER_MODE } else { FILE_MODE };
        if mode != expected {
            wrong.push(format!("{mode:o} {}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "others can read these:\n{}", wrong.join("\n"));
}
