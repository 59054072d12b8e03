use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & MODE_BITS
}

#[test]
fn a_new_folder_is_private_with_its_parents() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    make_folder(&path).unwrap();
    assert_eq!((mode(&path), mode(&parent.path().join("a"))), (0o700, 0o700));
}

#[test]
fn only_the_access_of_other_users_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(outside.path(), Permissions::from_mode(0o644)).unwrap();
    let (inner, file, own) =
        (folder.path().join("inner"), folder.path().join("inner/file"), folder.path().join("own"));
    fs::create_dir(&inner).unwrap();
    fs::write(&file, "text").unwrap();
    fs::write(&own, "text").unwrap();
    for (path, mode) in [(folder.path(), 0o755), (&inner, 0o777), (&file, 0o664), (&own, 0o400)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    tighten(folder.path(), Depth::Folder);
    assert_eq!([folder.path(), &inner, &file].map(mode), [0o700, 0o777, 0o664]);
    tighten(folder.path(), Depth::Whole);
    let modes = [folder.path(), &inner, &file, &own, outside.path()].map(mode);
    assert_eq!(modes, [0o700, 0o700, 0o600, 0o400, 0o644]);
}
