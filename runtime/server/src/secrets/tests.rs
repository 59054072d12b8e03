use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;

fn source(text: &str) -> Result<Source, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// What is read, or why nothing is. A value that is read is compared in the `Debug` form of none.
async fn read(text: &str) -> Result<Secret, String> {
    let read = source(text).unwrap().read().await;
    read.map(|reading| reading.value).map_err(|error| engine::causes::chain(&error))
}

fn secret(value: &str) -> Result<Secret, String> {
    Ok(Secret::new(value.into()).unwrap())
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_source_that_cannot_be_used_is_refused_with_the_fix() {
    for (text, why) in [
        ("", "one of `file`, `env`, `command`, `credential` and `vault`"),
        ("file = \"a\"\nenv = \"B\"", "one of `file`"),
        ("value = \"hunter2\"", "unknown field `value`"),
        ("env-file = \"a\"", "needs `env`"),
        ("command = []", "a program and its arguments"),
        ("command = \"pass show nms\"", "expected a sequence"),
        ("credential = \"../nms\"", "without a folder"),
        ("file = \"a\"\nrenew-s = 0", "from 1 to 86400"),
        (
            "vault = { url = \"http://10.0.0.1:8200\", path = \"a\", field = \"b\" }",
            "plain http goes to this machine only",
        ),
        (
            "vault = { url = \"http://127.0.0.1\", path = \"a\", field = \"b\", ca = \"c\" }",
            "write https",
        ),
        ("vault = { url = \"ftp://vault\", path = \"a\", field = \"b\" }", "begins with https"),
        (
            "vault = { url = \"http://u:p@127.0.0.1\", path = \"a\", field = \"b\" }",
            "without a user",
        ),
        ("vault = { url = \"http://127.0.0.1\", path = \"a\" }", "missing field `field`"),
    ] {
        let error = source(text).unwrap_err();
        assert!(error.contains(why) && !error.contains("hunter2"), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_secret_is_read_from_each_source() {
    let folder = tempfile::tempdir().unwrap();
    let plain = file(&folder, "plain", "from-a-file\n");
    let lines = "# NMS=old-value\nNMS=first-value\nexport NMS=\"with = and # in it\"\nNMSX=other\n";
    let lines = file(&folder, "env", lines);
    assert_eq!(read(&format!("file = {plain:?}")).await, secret("from-a-file"));
    assert_eq!(
        read(&format!("env = \"NMS\"\nenv-file = {lines:?}")).await,
        secret("with = and # in it")
    );
    let pin = file(&folder, "pin", "0815");
    let read_pin = read(&format!("file = {pin:?}\nallow-short = true")).await;
    assert_eq!(read_pin, Ok(Secret::short("0815".into()).unwrap()));
    let command = format!("command = [\"cat\", {plain:?}]");
    assert_eq!(read(&command).await, secret("from-a-file"));
    let path = std::env::var("PATH").unwrap();
    assert_eq!(read("env = \"PATH\"").await, secret(&path));
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told_without_any_value() {
    let folder = tempfile::tempdir().unwrap();
    let (short, pin) = (file(&folder, "short", "abc"), file(&folder, "pin", "hunter2"));
    let script =
        file(&folder, "script", "#!/bin/sh\necho hunter2 >&2\necho hunter2-again\nexit 3\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (text, why) in [
        (format!("file = {:?}", folder.path().join("none")), "none`: No such file"),
        (format!("file = {pipe:?}"), "pipe`: it is no regular file"),
        (format!("env = \"NMS\"\nenv-file = {pipe:?}"), "pipe`: it is no regular file"),
        (format!("file = {short:?}"), "fewer than 4 bytes"),
        (format!("file = {pin:?}"), "fewer than 8 bytes, so it cannot be masked"),
        (format!("file = {pin:?}\nallow-short = false"), "or set `allow-short = true`"),
        ("env = \"FERRULE_NO_SUCH_VARIABLE\"".into(), "is not set"),
        (format!("env = \"NMS\"\nenv-file = {short:?}"), "no variable `NMS`"),
        ("command = [\"/no/such/program\"]".into(), "cannot run `/no/such/program`"),
        (format!("command = [{script:?}]"), "exit status: 3"),
        ("credential = \"nms\"".into(), "systemd gave no credentials"),
        (
            "vault = { url = \"http://127.0.0.1:1\", path = \"a\", field = \"b\" }".into(),
            "does not answer",
        ),
    ] {
        let error = read(&text).await.unwrap_err();
        assert!(error.contains(why) && !error.contains("hunter2"), "{text}: {error}");
    }
}

/// A stub of Vault that gives each request this answer, and returns what it was asked.
async fn vault(status: &str, body: &str) -> (String, tokio::task::JoinHandle<String>) {
    use tokio::io::AsyncReadExt as _;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    (url, asked)
}

#[tokio::test]
async fn a_secret_of_vault_is_read_with_the_token_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let token = file(&folder, "token", "hvs.token\n");
    let kv = r#"{"lease_id":"","lease_duration":0,"data":{"data":{"password":"s3cret-kv","n":1.5},
                 "metadata":{"version":3,"custom_metadata":null}}}"#;
    let (url, asked) = vault("200 OK", kv).await;
    let text = format!(
        "vault = {{ url = {url:?}, path = \"secret/data/nms\", field = \"password\", token-file = \
         {token:?}, namespace = \"oss\" }}"
    );
    assert_eq!(read(&text).await, secret("s3cret-kv"));
    let asked = asked.await.unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("get /v1/secret/data/nms http/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-vault-token: hvs.token\r\n"), "{asked}");
    assert!(asked.contains("x-vault-namespace: oss\r\n"), "{asked}");
}

#[tokio::test]
async fn a_lease_of_vault_decides_when_a_secret_is_read_again() {
    for (lease_id, lease_s) in [("database/creds/a/1", Some(90)), ("", None)] {
        let body = format!(
            r#"{{"lease_id":"{lease_id}","lease_duration":90,"data":{{"password":"s3cret-db"}}}}"#
        );
        let (url, _asked) = vault("200 OK", &body).await;
        let text = format!("vault = {{ url = {url:?}, path = \"a/b\", field = \"password\" }}");
        let reading = source(&text).unwrap().read().await.unwrap();
        assert_eq!((Ok(reading.value), reading.lease_s), (secret("s3cret-db"), lease_s));
    }
}

#[tokio::test]
async fn errors_of_vault_are_told_with_the_fix() {
    for (status, body, why) in [
        ("403 Forbidden", "{}", "see the token"),
        ("404 Not Found", "{}", "`data/` after the mount"),
        ("503 Service Unavailable", "{}", "is it sealed?"),
        ("200 OK", "[]", "no secret of Vault"),
        ("200 OK", r#"{"data":{"data":{"user":"hunter2"},"metadata":{}}}"#, "no text `password`"),
        ("200 OK", r#"{"data":{"password":["hunter2"]}}"#, "no text `password`"),
    ] {
        let (url, _asked) = vault(status, body).await;
        let text = format!("vault = {{ url = {url:?}, path = \"a/b\", field = \"password\" }}");
        let error = read(&text).await.unwrap_err();
        assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn secrets_are_read_when_they_are_due_and_keep_their_value_if_they_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "nms", "first-value");
    let sources: Sources =
        [("nms".to_owned(), source(&format!("file = {path:?}")).unwrap())].into();
    let (mut renewal, values) = renewal::Renewal::begin(&sources).await;
    assert_eq!(values.get("nms"), secret("first-value").as_ref().ok());
    assert!(renewal.read().await.is_empty(), "it is not due");
    std::fs::write(&path, "second-value").unwrap();
    renewal.make_due();
    assert_eq!(renewal.read().await.get("nms"), secret("second-value").as_ref().ok());
    std::fs::remove_file(&path).unwrap();
    renewal.make_due();
    assert!(renewal.read().await.is_empty());
    let other = file(&folder, "other", "third-value");
    let other = [("acs".to_owned(), source(&format!("file = {other:?}")).unwrap())].into();
    assert_eq!(renewal.follow(&other), ["nms"]);
    let read: Vec<_> = renewal.read().await.into_keys().collect();
    assert_eq!(read, ["acs"]);
}
