use std::path::Path;

use super::*;

#[test]
fn the_data_folder_is_private_and_an_open_one_is_made_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for _ in 0..2 {
        opened::make_folder(&data).unwrap();
        drop(opened::open_folder(&data, 8, None).unwrap());
        let log = data.join(STORE).join("log.1/db");
        assert_eq!([&data, &data.join(STORE), &log].map(|path| mode(path)), [0o700, 0o700, 0o600]);
        for (path, mode) in [(&data, 0o755), (&log, 0o644)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

#[test]
fn a_folder_of_packs_that_is_missing_is_named_with_its_setting() {
    let parent = tempfile::tempdir().unwrap();
    let workflows_dir = parent.path().join("packs");
    let config = Config { workflows_dir, data: parent.path().into(), ..Config::default() };
    let error = planned(config).map(drop).unwrap_err().to_string();
    assert!(error.contains("there is no folder of packs `"), "{error}");
    assert!(error.contains("/packs`: make it, or name another as `workflows-dir`"), "{error}");
}
