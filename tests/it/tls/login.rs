//! `ferrule tls self-signed`, and how commands reach a server by TLS.

use std::path::Path;

use super::lab::Server;
use crate::world::{Output, ferrule, ferrule_in};

async fn made(folder: &Path, more: &[&str]) -> Output {
    let out = folder.to_str().unwrap();
    ferrule(&[&["tls", "self-signed", "--out", out], more].concat()).await
}

#[tokio::test]
async fn the_lab_of_a_command_serves_its_clients() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let first = made(folder.path(), &["--name", "localhost", "--days", "7"]).await;
    assert!(first.ok && first.out.contains("[tls]\ncertificate = "), "{first:?}");
    for key in ["ca.key", "server.key"] {
        let mode = std::fs::metadata(folder.path().join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let again = made(folder.path(), &[]).await;
    assert!(again.code == Some(2) && again.err.contains("is not overwritten"), "{again:?}");
    let client = made(folder.path(), &["--client", "noc"]).await;
    assert!(client.ok && client.out.contains("noc.pem --cert-key "), "{client:?}");
    for wrong in ["ca", "../x", ".x", "a/b", ""] {
        let refused = made(folder.path(), &["--client", wrong]).await;
        assert!(refused.code == Some(2), "{refused:?}");
    }
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (ca, cert, key) = (path("ca.pem"), path("noc.pem"), path("noc.key"));
    let rest = "client-ca = \"ca.pem\"\nclient-certificates = \"required\"";
    let server = Server::start_in(folder, rest).await;
    let url = format!("https://localhost:{}", server.port);
    let list = ["plugin", "list", "--server", &url];
    let shown = ["--cert", &cert, "--cert-key", &key];
    let by_option = ferrule(&[&list[..], &["--ca", &ca], &shown].concat()).await;
    assert!(by_option.ok, "{by_option:?}");
    let by_variable = ferrule_in(&[&list[..], &shown].concat(), &[("FERRULE_CA", &ca)]).await;
    assert!(by_variable.ok, "{by_variable:?}");
    let other = format!("https://127.0.0.1:{}", server.port);
    let plain = format!("http://localhost:{}", server.port);
    for (url, more, what) in [
        (&url, &[][..], "unknown CA"),
        (&url, &["--ca", &ca], "asks for a client certificate"),
        (&other, &["--ca", &ca], "wrong host"),
        (&plain, &[], "use https://"),
        (&url, &["--ca", &key], "holds no certificate in PEM"),
        (&url, &["--ca", &ca, "--cert", &cert], "--cert-key"),
        (&url, &["--ca", &ca, "--cert", &cert, "--cert-key", &ca], "no key in PEM"),
    ] {
        let refused = ferrule(&[&["plugin", "list", "--server", url], more].concat()).await;
        assert!(!refused.ok && refused.err.contains(what), "{what}: {refused:?}");
    }
}

#[tokio::test]
async fn a_token_goes_to_servers_that_it_is_safe_with() {
    let folder = tempfile::tempdir().unwrap();
    assert!(made(folder.path(), &[]).await.ok);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (ca, token, empty) = (path("ca.pem"), path("token"), path("empty"));
    std::fs::write(&token, "sesame-hunter2\n").unwrap();
    std::fs::write(&empty, "\n").unwrap();
    let mut keys = Vec::new();
    for role in ["reader", "biller"] {
        let data = ["--data", &path("data")];
        let made = ferrule(&[&["key", "new", "ci", "--role", role], &data[..]].concat()).await;
        assert!(made.ok, "{made:?}");
        keys.push(made.out.trim().to_string());
    }
    let server = Server::start_in(folder, "[access]\nauthentication = \"required\"").await;
    let url = format!("https://localhost:{}", server.port);
    let list = ["plugin", "list", "--server", &url, "--ca", &ca];
    let known = ferrule_in(&list, &[("FERRULE_TOKEN", &keys[0])]).await;
    assert!(known.ok, "{known:?}");
    let other = ferrule_in(&list, &[("FERRULE_TOKEN", &keys[1])]).await;
    assert!(!other.ok && other.err.contains("has no role that allows it"), "{other:?}");
    let none = ferrule(&list).await;
    let wrong = ferrule_in(&list, &[("FERRULE_TOKEN", "sesame-hunter2")]).await;
    let wrong_file = ferrule(&[&list[..], &["--token-file", &token]].concat()).await;
    for refused in [none, wrong, wrong_file] {
        assert!(!refused.ok && refused.err.contains("401"), "{refused:?}");
        assert!(refused.err.contains("FERRULE_TOKEN"), "{refused:?}");
        assert!(!refused.err.contains("hunter2"), "{refused:?}");
    }
    let empty = ferrule(&[&list[..], &["--token-file", &empty]].concat()).await;
    assert!(!empty.ok && empty.err.contains("has no token"), "{empty:?}");
    let remote = ["plugin", "list", "--server", "http://192.0.2.1:8080"];
    let remote = ferrule_in(&remote, &[("FERRULE_TOKEN", "sesame-hunter2")]).await;
    assert!(!remote.ok && remote.err.contains("in clear"), "{remote:?}");
}
