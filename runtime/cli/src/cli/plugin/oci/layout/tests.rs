use std::fs::File;
use std::io::Write as _;

use tar::{EntryType, Header};

use super::*;

/// A tar file that begins with such a header, and is as large as that tells.
fn begun_with(kind: EntryType, size: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut header = Header::new_gnu();
    header.set_path("a\u{1b}").unwrap();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    let mut file = File::create(folder.path().join("a.tar")).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(512 + size.div_ceil(512) * 512 + 1024).unwrap();
    folder
}

#[test]
fn tar_files_that_are_too_large_are_not_read() {
    let (too_large, long) = ("the limit is 536870912", "the limit is 65536");
    let rows = [
        (EntryType::GNULongName, 3 << 30, too_large),
        (EntryType::Directory, 1 << 40, too_large),
        (EntryType::GNULongName, 1 << 20, long),
        (EntryType::GNULongLink, 1 << 20, long),
        (EntryType::XHeader, 1 << 20, long),
    ];
    for (kind, size, wanted) in rows {
        let folder = begun_with(kind, size);
        let error = unpack(&folder.path().join("a.tar")).unwrap_err();
        assert!(error.to_string().contains(wanted), "{kind:?}: {error}");
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = unpack(&path).unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn long_names_in_tar_files_are_read() {
    let long = format!("{}/index.json", "a".repeat(150));
    let files = BTreeMap::from([(long, b"1".to_vec()), ("b".into(), b"2".to_vec())]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    std::fs::write(&path, pack(&files).unwrap()).unwrap();
    assert_eq!(unpack(&path).unwrap(), files);
    let mut builder = tar::Builder::new(File::create(&path).unwrap());
    builder.append_pax_extensions([("path", b"./index.json".as_slice())]).unwrap();
    let mut header = Header::new_ustar();
    header.set_size(1);
    builder.append_data(&mut header, "other", b"3".as_slice()).unwrap();
    builder.finish().unwrap();
    let wanted = BTreeMap::from([("index.json".to_owned(), b"3".to_vec())]);
    assert_eq!(unpack(&path).unwrap(), wanted);
}
