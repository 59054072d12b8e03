//! Places that are refused, targets that are left alone, and registries that tell a login back.

use super::stub::{json, status};
use super::{BEARER, PASSWORD, Row, Shop, changed};

const BASIC: &str = "www-authenticate: Basic realm=\"a\"\r\n";

/// Registries that lead astray, or tell the login back.
pub(super) const ECHOES: [Row; 8] = [
    (
        "a realm with a login in it",
        |_, _| {
            let realm = "http://localhost:x@192.0.2.2:25702/token";
            status("401 No", &format!("www-authenticate: Bearer realm=\"{realm}\"\r\n"), "")
        },
        "an address with a login in it",
    ),
    (
        "a realm elsewhere",
        |_, _| status("401 No", "www-authenticate: Bearer realm=\"http://192.0.2.2/t\"\r\n", ""),
        "would be sent to `192.0.2.2:80` without TLS",
    ),
    (
        "a redirect with a login in it",
        |_, asked| status("307 Go", &format!("location: http://me:x@{}/a\r\n", asked.host), ""),
        "an address with a login in it",
    ),
    (
        "a redirect to no port",
        |_, _| status("307 Go", "location: http://127.0.0.1:99999/a\r\n", ""),
        "a port that is none",
    ),
    (
        "an error of the tokens",
        |_, asked| match &asked.authorization {
            Some(sent) => {
                let errors = format!("{{\"errors\":[{{\"code\":\"X\",\"message\":\"{sent}\"}}]}}");
                status("400 Bad", "", &errors)
            }
            None => status("401 No", &BEARER.replace("HOST", &asked.host), ""),
        },
        "X: Basic ***",
    ),
    (
        "a time to wait",
        |_, asked| match &asked.authorization {
            Some(sent) => status("429 Slow", &format!("retry-after: {sent}\r\n"), ""),
            None => status("401 No", BASIC, ""),
        },
        "try again after Basic ***",
    ),
    (
        "an address",
        |_, _| status("307 Go", "location: hunter2-planted^ a\r\n", ""),
        "leads to `***^ a`",
    ),
    (
        "a media type",
        |it, asked| match asked.path.contains("/manifests/") {
            true => changed(it, asked, ("vnd.oci.image.manifest.v1+json", PASSWORD)),
            false => json(b"{}"),
        },
        "it is `application/***`",
    ),
];

#[test]
fn places_that_are_none_are_refused_and_not_shown() {
    let shop = Shop::new();
    let before = names(&shop);
    let rows = [
        ("", "the place is empty"),
        ("https://user:hunter2-planted@host/repo:1", "a scheme that is not `oci://`"),
        ("OCI://user:hunter2-planted@host/repo:1", "a scheme that is not `oci://`"),
        ("docker://user:hunter2-planted@host/repo:1", "a scheme that is not `oci://`"),
        ("oci:user:hunter2-planted@host/repo:1", "a scheme that is not `oci://`"),
        ("OcI:layout:1", "a scheme that is not `oci://`"),
        ("user:hunter2-planted@host/repo:1", "a password has no place"),
        ("oci://user:pw/hunter2-planted@host/repo:1", "a password has no place"),
        ("oci://host/user:hunter2-planted@repo:1", "a password has no place"),
        ("oci://127.0.0.1:99999/b:1", "has no port of 1 to 65535"),
    ];
    for (place, reason) in rows {
        shop.refused(&["plugin", "push", "noop.wasm", place], reason);
        shop.refused(&["plugin", "pull", place], reason);
        shop.refused(&["plugin", "install", place, "--into", "plugins"], reason);
    }
    assert_eq!(names(&shop), before);
}

#[test]
fn a_pull_leaves_other_files_alone() {
    let shop = Shop::new();
    shop.done(&["plugin", "push", "noop.wasm", "layout"]);
    std::fs::remove_file(shop.path("noop.wasm.minisig")).unwrap();
    shop.done(&["plugin", "push", "noop.wasm", "layout:unsigned"]);
    std::fs::create_dir(shop.path("dir.wasm")).unwrap();
    std::fs::create_dir_all(shop.path("half.wasm.cert/a")).unwrap();
    for name in ["olt.wasm.minisig", "olt.wasm.cert", "dir.wasm.minisig", "half.wasm.minisig"] {
        std::fs::write(shop.path(name), name).unwrap();
    }
    let before = names(&shop);
    let rows = [
        ("olt.v2", "does not end in `.wasm`"),
        ("dir.wasm", "is no regular file"),
        ("none/a.wasm", "cannot write"),
        ("half.wasm", "cannot write `half.wasm.cert`"),
    ];
    for (output, reason) in rows {
        shop.refused(&["plugin", "pull", "layout:unsigned", "-o", output], reason);
        assert_eq!(names(&shop), before, "{output}");
    }
    shop.done(&["plugin", "pull", "layout:unsigned", "-o", "olt.wasm"]);
    assert!(!shop.path("olt.wasm.minisig").exists(), "it vouched for other bytes");
}

#[test]
fn a_push_leaves_files_of_others_alone() {
    let shop = Shop::new();
    std::fs::create_dir(shop.path("site")).unwrap();
    std::fs::write(shop.path("site/index.json"), "{\"mine\":1}").unwrap();
    let long = format!("layout:{}", "a".repeat(129));
    let digest = format!("layout@sha256:{}", "a".repeat(64));
    let rows = [
        ("site", "is no OCI layout, and has `index.json`"),
        ("layout:-1", "`-1` is no tag"),
        (long.as_str(), "is no tag"),
        (digest.as_str(), "leave the digest out"),
    ];
    let before = names(&shop);
    for (place, reason) in rows {
        shop.refused(&["plugin", "push", "noop.wasm", place], reason);
    }
    assert_eq!(names(&shop), before);
    assert_eq!(std::fs::read(shop.path("site/index.json")).unwrap(), b"{\"mine\":1}");
    // The members of other tools stay.
    shop.done(&["plugin", "push", "noop.wasm", "layout:1"]);
    let index = std::fs::read_to_string(shop.path("layout/index.json")).unwrap();
    let one = index.replacen("\"size\"", "\"urls\":[\"u\"],\"size\"", 1);
    let one = one.replacen('{', "{\"annotations\":{\"a\":\"b\"},", 1);
    std::fs::write(shop.path("layout/index.json"), one).unwrap();
    shop.done(&["plugin", "push", "noop.wasm", "layout:2"]);
    let index = std::fs::read_to_string(shop.path("layout/index.json")).unwrap();
    assert!(index.contains("\"urls\":[\"u\"]") && index.contains("{\"a\":\"b\"}"), "{index}");
}

#[test]
fn pushes_at_the_same_time_lose_no_artefact() {
    let shop = Shop::new();
    for layout in ["layout", "layout.tar"] {
        let places: Vec<_> = (0..6).map(|number| format!("{layout}:{number}")).collect();
        std::thread::scope(|scope| {
            for place in &places {
                scope.spawn(|| shop.done(&["plugin", "push", "noop.wasm", place]));
            }
        });
        for place in &places {
            shop.done(&["plugin", "pull", place, "-o", "again.wasm"]);
        }
    }
}

#[test]
fn a_file_of_logins_that_is_none_is_not_waited_for() {
    let shop = Shop::new();
    let config = shop.path("config.json");
    let place = ["plugin", "pull", "oci://127.0.0.1:9/a/b:1"];
    std::os::unix::fs::symlink("/dev/zero", &config).unwrap();
    shop.refused(&place, "it is no regular file");
    std::fs::remove_file(&config).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&config).status().unwrap().success());
    shop.refused(&place, "it is no regular file");
}

/// The names in the folder, sorted.
fn names(shop: &Shop) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(shop.folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}
