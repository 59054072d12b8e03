use super::*;

#[test]
fn a_file_of_a_key_that_is_no_file_is_named_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("acme.pub");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for table in ["keys", "certifiers"] {
        let install: Install = toml::from_str(&format!("[{table}.acme]\nfile = {pipe:?}")).unwrap();
        let error = install.trust().unwrap_err().to_string();
        assert!(error.contains(&format!("[install.{table}.acme]")), "{error}");
        assert!(error.ends_with("it is no regular file"), "{error}");
    }
}
