//! Plugins in registries and layouts of OCI: pushed, pulled and installed, and registries that misbehave.

mod refused;
mod stub;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use self::stub::{Asked, Raw, Stub, blob, json, status};
use crate::project::has;
use crate::world::repository;

/// A password that must not be shown.
const PASSWORD: &str = "hunter2-planted";

/// The same for a registry that knows them by their hash.
const HTPASSWD: &str =
    "planted-user:$2a$04$bnSgOQnFVhP1XXjOsipYJe9dH3OoRUmHIKFAK/bjk.Epz72YX2Qxm\n";

/// A folder with a plugin that is signed and certified.
struct Shop {
    folder: TempDir,
}

/// The artefact of that plugin.
struct Artefact {
    manifest: Vec<u8>,
    plugin: Vec<u8>,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = repository().join("runtime/host/tests");
        let copy = |from: &str, to: &str| {
            std::fs::copy(kept.join(from), folder.path().join(to)).unwrap();
        };
        copy("contract-0.1/noop.wasm", "noop.wasm");
        copy("signatures/noop-0.1.0.acme.minisig", "noop.wasm.minisig");
        std::fs::write(folder.path().join("noop.wasm.cert"), "{}").unwrap();
        let key = kept.join("signatures/acme.pub");
        let settings = format!(
            "[install]\nsignatures = \"required\"\n[install.keys]\nacme = {{ file = {key:?}, ids = [\"no*\"] }}\n"
        );
        std::fs::write(folder.path().join("ferrule.toml"), settings).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command in the folder, with the login of docker there.
    fn ferrule(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ferrule"))
            .args(arguments)
            .current_dir(&self.folder)
            .env("DOCKER_CONFIG", self.folder.path())
            .env_remove("FERRULE_REGISTRY_USER")
            .env_remove("FERRULE_REGISTRY_PASSWORD")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a command that succeeds; returns its output.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.ferrule(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        text(&output)
    }

    /// Runs a command that fails for this reason.
    fn refused(&self, arguments: &[&str], reason: &str) {
        let told = self.refusal(arguments);
        assert!(told.contains(reason), "{reason}: {told}");
    }

    /// What is told by a command that fails, which shows no password.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.ferrule(arguments);
        let told = text(&output);
        assert!(!output.status.success(), "{told}");
        assert!(!told.contains(PASSWORD) && !told.contains("cGxhbnRlZC"), "{told}");
        told
    }

    /// As `docker login` does.
    fn log_in(&self, registry: &str) {
        // `planted-user:hunter2-planted`
        let auth = "cGxhbnRlZC11c2VyOmh1bnRlcjItcGxhbnRlZA==";
        let config = format!("{{\"auths\":{{\"{registry}\":{{\"auth\":\"{auth}\"}}}}}}");
        std::fs::write(self.path("config.json"), config).unwrap();
    }

    fn artefact(&self) -> Artefact {
        self.done(&["plugin", "push", "noop.wasm", "layout"]);
        let index = std::fs::read_to_string(self.path("layout/index.json")).unwrap();
        let digest = index.split("sha256:").nth(1).unwrap().split('"').next().unwrap();
        let manifest = std::fs::read(self.path("layout/blobs/sha256").join(digest)).unwrap();
        Artefact { manifest, plugin: std::fs::read(self.path("noop.wasm")).unwrap() }
    }

    fn has_same(&self, name: &str) {
        for kind in ["wasm", "wasm.minisig", "wasm.cert"] {
            let read = |name: &str| std::fs::read(self.path(&format!("{name}.{kind}"))).unwrap();
            assert!(read(name) == read("noop"), "{name}.{kind}");
        }
    }
}

fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    both.concat()
}

/// The address with a digest that a command printed.
fn address(told: &str) -> &str {
    told.split(": ").next().unwrap()
}

#[test]
fn a_layout_has_the_plugin_with_what_vouches_for_it() {
    let shop = Shop::new();
    for place in ["layout", "layout.tar"] {
        let place = if place == "layout" { "layout/" } else { place };
        if place == "layout/" {
            std::fs::create_dir(shop.path("layout")).unwrap();
        }
        let pushed = shop.done(&["plugin", "push", "noop.wasm", place]);
        assert!(pushed.contains("with signature and certificate"), "{pushed}");
        assert_eq!(shop.done(&["plugin", "push", "noop.wasm", place]), pushed, "it is the same");
        for from in [place, address(&pushed)] {
            shop.done(&["plugin", "pull", from, "-o", "again.wasm"]);
            shop.has_same("again");
        }
        let into = format!("in-{}", place.trim_end_matches('/'));
        let install = ["plugin", "install", place, "--config", "ferrule.toml", "--into", &into];
        shop.done(&install);
        assert!(shop.path(&into).join("noop.wasm.minisig").exists());
        // Two tags: one must be named.
        shop.done(&["plugin", "push", "noop.wasm", &format!("{place}:other")]);
        shop.refused(&["plugin", "pull", place], "several artefacts");
        shop.done(&["plugin", "pull", &format!("{place}:other")]);
        shop.refused(&["plugin", "pull", &format!("{place}:third")], "no such artefact");
    }
    std::fs::create_dir(shop.path("empty")).unwrap();
    shop.refused(&["plugin", "install", "empty", "--into", "plugins"], "no OCI layout");
    let blobs = std::fs::read_dir(shop.path("layout/blobs/sha256")).unwrap();
    for path in blobs.map(|entry| entry.unwrap().path()) {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    shop.refused(&["plugin", "install", "layout:other", "--into", "plugins"], "have the digest");
    std::fs::write(shop.path("bad.tar"), [1; 4096]).unwrap();
    shop.refused(&["plugin", "install", "bad.tar", "--into", "plugins"], "cannot read `bad.tar`");
    assert!(!shop.path("plugins").exists());
}

/// How a registry misbehaves, and what is told of it.
type Row = (&'static str, fn(&Artefact, &Asked) -> Raw, &'static str);

/// The answer of a registry that has the artefact.
fn good(artefact: &Artefact, asked: &Asked) -> Raw {
    match asked.path.contains("/manifests/") {
        true => json(&artefact.manifest),
        false => blob(&artefact.plugin),
    }
}

/// The same with a change of the manifest.
fn changed(artefact: &Artefact, asked: &Asked, (from, to): (&str, &str)) -> Raw {
    let manifest = String::from_utf8(artefact.manifest.to_vec()).unwrap();
    assert!(manifest.contains(from), "{manifest}");
    match asked.path.contains("/manifests/") {
        true => json(manifest.replace(from, to).as_bytes()),
        false => blob(&artefact.plugin),
    }
}

const INDEX: &[u8] = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":2,"platform":{"architecture":"amd64","os":"linux"}}]}"#;
const BEARER: &str = "www-authenticate: Bearer realm=\"http://HOST/token\",service=\"a\"\r\n";

const ROWS: [Row; 22] = [
    ("garbage", |_, _| json(b"hello"), "no OCI artefact"),
    ("nothing", |_, _| status("404 Not Found", "", ""), "no such artefact"),
    ("forbidden", |_, _| status("403 Forbidden", "", ""), "does not allow it"),
    ("busy", |_, _| status("503 Unavailable", "retry-after: 30\r\n", ""), "try again after 30"),
    ("too many", |_, _| status("429 Slow", "retry-after: 7\r\n", ""), "try again after 7"),
    ("broken", |_, _| status("500 Oops", "", ""), "try again later"),
    ("no HTTP", |_, _| Raw::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()), "does not speak HTTP"),
    ("endless manifest", |_, _| Raw::Endless, "sends more than"),
    ("other version", |it, asked| changed(it, asked, ("n\":2", "n\":1")), "another version"),
    (
        "docker",
        |it, asked| changed(it, asked, ("vnd.oci.image.m", "vnd.docker.m")),
        "no OCI artefact",
    ),
    (
        "tar",
        |it, asked| changed(it, asked, ("\"application/wasm\"", "\"application/x-tar\"")),
        "no layer of",
    ),
    ("bad digest", |it, asked| changed(it, asked, ("sha256:", "sha257:")), "no OCI artefact"),
    ("large", |it, asked| changed(it, asked, (&size(it), "\"size\":1073741824")), "the limit is"),
    ("index", |_, _| json(INDEX), "no WebAssembly among 1 manifests"),
    (
        "other bytes",
        |it, asked| match asked.path.contains("/blobs/") {
            true => blob(&it.plugin.iter().map(|byte| byte ^ 1).collect::<Vec<_>>()),
            false => good(it, asked),
        },
        "have the digest",
    ),
    (
        "cut off",
        |it, asked| match (asked.path.contains("/blobs/"), blob(&it.plugin)) {
            (true, Raw::Bytes(bytes)) => Raw::Bytes(bytes[..bytes.len() / 2].into()),
            (_, _) => good(it, asked),
        },
        "cut off",
    ),
    (
        "short",
        |it, asked| match asked.path.contains("/blobs/") {
            true => blob(&it.plugin[..100]),
            false => good(it, asked),
        },
        "was cut off: it has 100 bytes",
    ),
    (
        "endless",
        |it, asked| match asked.path.contains("/blobs/") {
            true => Raw::Endless,
            false => good(it, asked),
        },
        "sends more than",
    ),
    (
        "circle",
        |_, asked| status("307 Go", &format!("location: {}\r\n", asked.path), ""),
        "leads in circles",
    ),
    ("elsewhere", |_, _| status("307 Go", "location: ftp://a/b\r\n", ""), "not `http` or `https`"),
    (
        "a token that is not enough, told back",
        |_, asked| match asked.path.starts_with("/token") {
            true => json(br#"{"token":"hunter2-planted"}"#),
            false => status("401 No", &BEARER.replace("HOST", &asked.host), ""),
        },
        "refuses the login",
    ),
    (
        "a login that is told back",
        |_, asked| match (&asked.authorization, asked.path.starts_with("/token")) {
            (_, true) => json(br#"{"token":"hunter2-planted"}"#),
            (None, _) => status("401 No", &BEARER.replace("HOST", &asked.host), ""),
            (Some(_), _) => {
                let errors = r#"{"errors":[{"code":"X","message":"you sent hunter2-planted"}]}"#;
                status("400 Bad", "content-type: application/json\r\n", errors)
            }
        },
        "you sent ***",
    ),
];

/// The size of the plugin, as the manifest has it.
fn size(artefact: &Artefact) -> String {
    format!("\"size\":{}", artefact.plugin.len())
}

#[test]
fn a_registry_that_misbehaves_is_told_and_installs_nothing() {
    let shop = Shop::new();
    let artefact = std::sync::Arc::new(shop.artefact());
    for (name, answer, reason) in ROWS.into_iter().chain(refused::ECHOES) {
        let of_stub = std::sync::Arc::clone(&artefact);
        let stub = Stub::start(move |asked| answer(&of_stub, asked));
        shop.log_in(&stub.host);
        let place = format!("oci://{}/acme/noop:1", stub.host);
        let told = shop.refusal(&["plugin", "install", &place, "--into", "plugins"]);
        assert!(told.contains(reason), "{name}: {told}");
    }
    let stub = Stub::start(|_| status("401 No", "www-authenticate: Basic realm=\"a\"\r\n", ""));
    let place = format!("oci://{}/acme/noop:1", stub.host);
    shop.refused(&["plugin", "install", &place, "--into", "plugins"], "asks for a login: set");
    shop.log_in(&stub.host);
    shop.refused(&["plugin", "install", &place, "--into", "plugins"], "refuses the login");
    shop.refused(&["plugin", "push", "noop.wasm", &place], "refuses the login");
    std::fs::write(shop.path("config.json"), format!("{{\"auths\": \"{PASSWORD}\"")).unwrap();
    shop.refused(&["plugin", "pull", &place], "not as `docker login` writes it");
    let tls = ["plugin", "pull", "oci://127.0.0.1:9/a/b:1", "--ca", "noop.wasm"];
    shop.refused(&tls, "holds no certificate in PEM");
    shop.refused(
        &["plugin", "pull", "oci://me:hunter2-planted@a.io/b:1"],
        "no place in the address",
    );
    let other = format!("oci://{}/acme/noop@sha256:{}", stub.host, "a".repeat(64));
    std::fs::remove_file(shop.path("config.json")).unwrap();
    let of_stub = std::sync::Arc::clone(&artefact);
    let stub = Stub::start(move |asked| good(&of_stub, asked));
    let other = other.replacen(other.split('/').nth(2).unwrap(), &stub.host, 1);
    shop.refused(&["plugin", "pull", &other], "have the digest");
    assert!(!shop.path("plugins").exists());
}

#[test]
fn a_login_reaches_the_registry_and_no_other_place() {
    let shop = Shop::new();
    let artefact = shop.artefact();
    let plugin = artefact.plugin.to_vec();
    let storage = Stub::start(move |_| blob(&plugin));
    let to = format!("location: http://{}/there\r\n", storage.host);
    let stub = Stub::start(move |asked| match asked.authorization.as_deref() {
        Some(sent) if asked.path.starts_with("/token") && sent.starts_with("Basic ") => {
            assert!(asked.path.contains("scope=repository%3Aacme%2Fnoop%3Apull"), "{}", asked.path);
            json(br#"{"token":"for-acme"}"#)
        }
        Some("Bearer for-acme") if asked.path.contains("/blobs/") => status("307 Go", &to, ""),
        Some("Bearer for-acme") => good(&artefact, asked),
        Some(_) | None => {
            let header = BEARER.replace("HOST", &asked.host);
            let header = header.replace("\"a\"", "\"a\",scope=\"repository:acme/noop:pull\"");
            status("401 No", &header, "")
        }
    });
    shop.log_in(&stub.host);
    let place = format!("oci://{}/acme/noop:1", stub.host);
    shop.done(&["plugin", "pull", &place, "-o", "again.wasm"]);
    shop.has_same("again");
    let asked = storage.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].authorization, None, "the storage is another place");
}

/// A registry of Docker that speaks TLS.
struct Docker {
    host: String,
    process: Child,
    folder: TempDir,
}

impl Docker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::write(at("htpasswd"), HTPASSWD).unwrap();
        write_certificates(folder.path());
        let config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {:?} }} }}\n\
             http: {{ addr: \"127.0.0.1:{port}\", tls: {{ certificate: {:?}, key: {:?} }} }}\nauth: {{ htpasswd: {{ realm: r, path: {:?} }} }}\n",
            at("data"),
            at("own.pem"),
            at("own.key"),
            at("htpasswd")
        );
        std::fs::write(at("config.yml"), config).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(at("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let host = format!("127.0.0.1:{port}");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while std::net::TcpStream::connect(&host).is_err() {
            assert!(std::time::Instant::now() < until, "the registry does not start");
            std::thread::yield_now();
        }
        Self { host, process, folder }
    }
}

/// Writes a CA and a certificate of it for this machine, and another CA.
fn write_certificates(folder: &Path) {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    let authority = || {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().pem();
        (root, Issuer::new(params, key))
    };
    let (root, issuer) = authority();
    write("ca.pem", root);
    write("other.pem", authority().0);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    write("own.pem", own.signed_by(&key, &issuer).unwrap().pem());
    write("own.key", key.serialize_pem());
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn a_registry_of_docker_keeps_plugins_for_a_server() {
    if !has("docker-registry") {
        return;
    }
    let (shop, docker) = (Shop::new(), Docker::start());
    let place = format!("oci://{}/acme/noop", docker.host);
    let [ca, other] = ["ca.pem", "other.pem"].map(|name| docker.folder.path().join(name));
    let [ca, other] = [&ca, &other].map(|path| ["--ca", path.to_str().unwrap()]);
    let push = ["plugin", "push", "noop.wasm", &place];
    shop.refused(&push, "if it speaks TLS");
    shop.refused(&[&push[..], &other].concat(), "no TLS with");
    shop.refused(&[&push[..], &ca].concat(), "asks for a login");
    shop.log_in(&docker.host);
    let pushed = shop.done(&[&push[..], &ca].concat());
    assert!(pushed.starts_with(&format!("{place}:0.1.0@sha256:")), "{pushed}");
    assert_eq!(shop.done(&[&push[..], &ca].concat()), pushed, "it is the same");
    let exact = address(&pushed).replace(":0.1.0@", "@");
    for from in [&format!("{place}:0.1.0"), &exact] {
        shop.done(&[&["plugin", "pull", from, "-o", "again.wasm"][..], &ca].concat());
        shop.has_same("again");
    }
    let install = |from: &str, into: &str| {
        let arguments = ["plugin", "install", from, "--config", "ferrule.toml", "--into", into];
        [&arguments[..], &ca].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let installed = install(&exact, "plugins");
    let installed: Vec<_> = installed.iter().map(String::as_str).collect();
    assert!(shop.done(&installed).contains("noop 0.1.0"));
    assert!(shop.path("plugins/noop.wasm.minisig").exists());
    let missing = format!("{place}:9");
    shop.refused(&[&["plugin", "pull", &missing][..], &ca].concat(), "no such artefact");
    shop.done(&["plugin", "check", "noop.wasm", "--config", "ferrule.toml"]);
    shop.done(&["plugin", "list", "plugins", "--config", "ferrule.toml"]);
    // Unsigned bytes are refused as they are from a file.
    std::fs::remove_file(shop.path("noop.wasm.minisig")).unwrap();
    let unsigned = format!("{place}:unsigned");
    shop.done(&[&["plugin", "push", "noop.wasm", &unsigned][..], &ca].concat());
    let refused = install(&unsigned, "other");
    let refused: Vec<_> = refused.iter().map(String::as_str).collect();
    shop.refused(&refused, "the plugin is not signed");
    let check = ["plugin", "check", "noop.wasm", "--config", "ferrule.toml"];
    shop.refused(&check, "the plugin is not signed");
    assert!(!shop.path("other").exists());
}
