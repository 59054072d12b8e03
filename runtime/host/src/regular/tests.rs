use std::process::Command;

use super::*;

#[test]
fn pipes_devices_and_folders_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink(at("pipe"), at("link")).unwrap();
    for path in [at("pipe"), at("link"), folder.path().into(), "/dev/zero".into()] {
        let error = read(&path, 8).unwrap_err();
        assert!(is_refused(&error), "{}: {error}", path.display());
    }
    let error = read(&at("none"), 8).unwrap_err();
    assert_eq!((error.kind(), is_refused(&error)), (io::ErrorKind::NotFound, false));
}

#[test]
fn a_file_that_every_user_may_read_or_change_is_not_private() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "").unwrap();
    for (mode, is_private) in [(0o600, true), (0o640, true), (0o604, false), (0o602, false)] {
        std::fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(check_private(&file).is_ok(), is_private, "{mode:o}");
    }
    check_private(&folder.path().join("gone")).unwrap();
}

#[test]
fn a_file_is_read_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"12345").unwrap();
    std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
    assert_eq!(read(&folder.path().join("link"), 5).unwrap(), b"12345");
    assert_eq!(read(&file, 3).unwrap(), b"1234");
    assert_eq!(read_text(&file, 5).unwrap(), "12345");
    assert!(read_text(&file, 4).unwrap_err().to_string().contains("more than 4 bytes"));
}
