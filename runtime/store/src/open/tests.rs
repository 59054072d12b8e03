use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::thread;

use super::*;
use crate::database::LOG;
use crate::folder::{LOCK, is_at};
use crate::layout;

fn open_default(path: &Path) -> Result<Opened, OpenError> {
    open(path, &Options::default(), &Arc::default())
}

fn error(path: &Path) -> OpenError {
    open_default(path).map(|_| ()).expect_err("opening must fail")
}

#[test]
fn a_directory_that_is_not_there_is_made_with_its_parents() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    open_default(&path).unwrap();
    assert!(path.join("log.1").join(LOG).is_file());
}

#[test]
fn a_file_is_not_a_directory() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("file");
    fs::write(&path, "text").unwrap();
    let error = error(&path);
    assert_eq!(error.to_string(), format!("`{}` is not a directory", path.display()));
    assert_eq!(fs::read(&path).unwrap(), b"text");
}

#[test]
fn a_path_below_a_file_is_not_a_directory() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("file"), "text").unwrap();
    assert!(matches!(error(&parent.path().join("file/data")), OpenError::NotDirectory { .. }));
}

#[test]
fn a_lock_that_was_moved_with_its_directory_is_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let [path, moved] = ["store", "moved"].map(|name| folder.path().join(name));
    fs::create_dir(&path).unwrap();
    let file = lock(&path, Instant::now()).unwrap();
    assert!(is_at(&file, &path.join(LOCK)).unwrap());
    fs::rename(&path, moved).unwrap();
    fs::create_dir(&path).unwrap();
    File::create(path.join(LOCK)).unwrap();
    assert!(!is_at(&file, &path.join(LOCK)).unwrap());
}

#[test]
fn a_second_owner_is_told_that_the_directory_is_in_use() {
    let path = tempfile::tempdir().unwrap();
    let _first = open_default(path.path()).unwrap();
    let error = error(path.path());
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` is in use: is another ferrule running on this data directory?",
            path.path().display()
        )
    );
}

#[test]
fn a_directory_without_write_access_is_named() {
    for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
        let error = OpenError::of_sled(Path::new("/data"), io::Error::from(kind).into());
        assert_eq!(error.to_string(), "`/data` is not writable");
    }
}

#[test]
fn another_failure_of_the_disk_is_not_taken_for_damage() {
    let source = io::Error::from(ErrorKind::StorageFull);
    assert!(matches!(OpenError::of_sled(Path::new("/data"), source.into()), OpenError::Io { .. }));
}

type Harm = fn(&Path);

/// Commits, and opens once more so that there is a snapshot of sled too.
fn written() -> tempfile::TempDir {
    let path = tempfile::tempdir().unwrap();
    for round in 0..2_u8 {
        let mut opened = open_default(path.path()).unwrap();
        let mut record = Vec::new();
        crate::record::write(&mut record, &[layout::FACTS, round], Some(&[round; 100]));
        opened.log.append(&record).unwrap();
    }
    path
}

fn snapshot(path: &Path) -> PathBuf {
    let mut names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    names.find(|name| name.to_string_lossy().contains("snap.")).expect("there is a snapshot")
}

#[test]
fn damaged_files_are_reported_and_not_repaired() {
    let harms: [(&str, Harm); 4] = [
        ("conf", |path| fs::write(path.join("conf"), "this is not a configuration").unwrap()),
        ("snapshot", |path| fs::write(snapshot(path), "this is not a snapshot").unwrap()),
        ("cut snapshot", |path| fs::write(snapshot(path), "").unwrap()),
        ("log", |path| fs::write(path.join(LOG), "this is not a log").unwrap()),
    ];
    for (name, harm) in harms {
        let path = written();
        harm(&logs::folder(path.path(), 1));
        let error = error(path.path());
        assert!(
            matches!(error, OpenError::Damaged { .. } | OpenError::Lost { .. }),
            "{name}: {error:?}"
        );
    }
}

#[test]
fn a_directory_that_is_about_to_be_free_is_waited_for() {
    let path = tempfile::tempdir().unwrap();
    let first = open_default(path.path()).unwrap();
    let options = Options { lock_wait: Duration::from_secs(60), ..Options::default() };
    let second = path.path().to_owned();
    let waiting = thread::spawn(move || open(&second, &options, &Arc::default()).map(|_| ()));
    drop(first);
    waiting.join().unwrap().unwrap();
}

#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("store");
    drop(open_default(&path).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("log.1").join(LOG))), (0o700, 0o600));
}
