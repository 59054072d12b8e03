use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;

#[test]
fn a_file_that_is_readable_now_has_another_stamp() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.pub");
    fs::write(&file, "key").unwrap();
    let before = stamp(&file);
    // The clock of a file system may tick a few times a second only.
    let end = SystemTime::now() + Duration::from_secs(5);
    while stamp(&file) == before && SystemTime::now() < end {
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    }
    assert_ne!(stamp(&file), before);
}
