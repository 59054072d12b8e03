//! The audit of the built binary: every change is in it after a kill, each manipulation is named, and entries
//! are sent elsewhere.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use engine::audit::{Head, Stored};
use engine::keys;
use engine::store::{Batch, Epoch, Scan, Store as _, Write};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use store::{Options, Sled};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::world::{Output, Settings, World, eventually, ferrule, pack_order, text};

const PEOPLE: &str = "/tmf-api/party/v4/individual";

async fn verify(arguments: &[&str]) -> Output {
    ferrule(&[&["audit", "verify"], arguments].concat()).await
}

async fn person(world: &World, name: &str) -> String {
    let body = json!({ "givenName": name, "familyName": "King" });
    let made = world.http.post(PEOPLE, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    text(&made.body["id"])
}

/// The head that a verification printed.
fn head(output: &Output) -> String {
    let head = output.out.lines().find_map(|line| line.strip_prefix("head "));
    head.unwrap_or_else(|| panic!("no head in {}{}", output.out, output.err)).into()
}

/// Writes into a store that no server uses, as an attacker with the folder would.
async fn tamper(data: &Path, alter: impl FnOnce(&Sled) -> Vec<Write>) {
    let store = Sled::open(data.join("store"), &Options::default()).unwrap();
    let writes = alter(&store);
    let epoch: Epoch = store.claim().unwrap();
    store.append(Batch::of(epoch, writes)).await.unwrap();
}

fn entry(store: &Sled, sequence: u64) -> Vec<u8> {
    store.get(&keys::audit(sequence)).unwrap().unwrap()
}

/// An entry of a person with another actor of the same length.
fn altered(store: &Sled, sequence: u64) -> Write {
    let stored = entry(store, sequence);
    let text = String::from_utf8_lossy(&stored[32..]).replace("\"local\"", "\"LOCAL\"");
    (keys::audit(sequence), Some([&stored[..32], text.as_bytes()].concat()))
}

/// Writes into a store, with the numbers of two entries of people.
type Alter = fn(&Sled, u64, u64) -> Vec<Write>;

/// The finding of `audit verify`, for the same numbers.
type Named = fn(u64, u64) -> String;

/// Manipulations of a chain, each with its finding.
fn manipulations() -> [(Alter, Named); 5] {
    [
        (
            |store, from, _| vec![altered(store, from)],
            |from, _| format!("entry {from} was changed"),
        ),
        (
            |_, from, _| vec![(keys::audit(from), None)],
            |from, _| format!("entry {from} is missing"),
        ),
        (
            |store, from, _| vec![(keys::audit(from + 1), Some(entry(store, from)))],
            |from, _| format!("entry {from} was inserted"),
        ),
        (
            |store, from, _| {
                let (one, two) = (entry(store, from), entry(store, from + 1));
                vec![(keys::audit(from), Some(two)), (keys::audit(from + 1), Some(one))]
            },
            |from, _| format!("entry {from} stands at another place"),
        ),
        (
            |store, _, to| {
                let end = Head::of(store).unwrap().sequence;
                (to..=end).map(|gone| (keys::audit(gone), None)).collect()
            },
            |_, to| format!("the entries after {} were cut off", to - 1),
        ),
    ]
}

#[tokio::test]
async fn every_change_has_an_entry_after_a_kill_and_each_manipulation_is_named() {
    let mut world = World::start().await;
    let order = world.submit(&pack_order("mobile-4g/new-number")).await;
    for name in ["Ada", "Eve"] {
        person(&world, name).await;
    }
    world.kill().await;
    let data = world.data();
    let data = data.to_str().unwrap();
    let whole = verify(&["--data", data]).await;
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    let kept = head(&whole);
    world.restart().await;
    person(&world, "Zoe").await;
    let server = verify(&["--server", &world.http.base, "--head", &kept]).await;
    assert_eq!(server.code, Some(0), "{}{}", server.out, server.err);
    let audit = "/orchestration/v1/audit?action=POST%20individual";
    let found = world.http.get(audit).await;
    assert_eq!(found.as_array().unwrap().len(), 3, "{found:#}");
    assert!(!found.to_string().contains("Zoe"), "names are masked");
    let found = world.http.get("/orchestration/v1/audit?action=POST%20productOrder").await;
    assert_eq!(found[0]["fulfilment"], json!({ "id": order, "record": 0 }));
    world.kill().await;

    let store = verify(&["--data", data]).await;
    let last = head(&store);
    let (from, to) = people(&world.data());
    let pristine = world.folder.path().join("pristine");
    crate::world::copy(&world.data(), &pristine);
    for (number, (alter, expected)) in manipulations().into_iter().enumerate() {
        let folder = world.folder.path().join(format!("case-{number}"));
        crate::world::copy(&pristine, &folder);
        tamper(&folder, |store| alter(store, from, to)).await;
        let found = verify(&["--data", folder.to_str().unwrap()]).await;
        assert_eq!(found.code, Some(1), "{}{}", found.out, found.err);
        let expected = expected(from, to);
        assert!(found.out.contains(&expected), "{expected}: {}{}", found.out, found.err);
    }
    // A chain that ends earlier, with its head: only a head that was kept elsewhere shows it.
    let folder = world.folder.path().join("rolled-back");
    crate::world::copy(&pristine, &folder);
    tamper(&folder, |store| {
        let end = Head::of(store).unwrap().sequence;
        let before = Stored::read(entry(store, to - 1)).unwrap().hash();
        let head = [(to - 1).to_be_bytes().as_slice(), &before.0].concat();
        let gone = (to..=end).map(|gone| (keys::audit(gone), None));
        gone.chain([(keys::AUDIT_HEAD.to_vec(), Some(head))]).collect()
    })
    .await;
    let folder = folder.to_str().unwrap();
    assert_eq!(verify(&["--data", folder]).await.code, Some(0));
    let found = verify(&["--data", folder, "--head", &last]).await;
    assert_eq!(found.code, Some(1), "{}", found.out);
    assert!(found.out.contains("the head that was kept is not in the chain"), "{}", found.out);
}

/// The numbers of the first and the last entry of a person.
fn people(data: &Path) -> (u64, u64) {
    let store = Sled::open(data.join("store"), &Options::default()).unwrap();
    let facts = store.scan(&Scan::prefix(keys::AUDIT, usize::MAX)).unwrap();
    let entries = facts.into_iter().map(|(_, bytes)| Stored::read(bytes).unwrap().entry().unwrap());
    let people = entries.filter(|entry| entry.action == "POST individual");
    let numbers: Vec<u64> = people.map(|entry| entry.sequence).collect();
    (numbers[0], numbers[numbers.len() - 1])
}

#[tokio::test]
async fn an_audit_that_cannot_be_read_is_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let path = |path: &PathBuf| path.to_str().unwrap().to_string();
    for arguments in [
        vec!["--data".to_string(), path(&nothing)],
        vec![path(&nothing)],
        vec!["--server".into(), "http://127.0.0.1:1".into()],
        vec!["--head".into(), "123".into()],
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = verify(&arguments).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {}{}", output.out, output.err);
    }
}

#[tokio::test]
async fn a_file_with_entries_is_verified_line_by_line() {
    let world = World::start().await;
    for name in ["Ada", "Eve", "Zoe"] {
        person(&world, name).await;
    }
    let answer = world.http.send("GET", "/orchestration/v1/audit", &[], "").await.unwrap();
    let lines = answer.text.trim_matches(['[', ']']).replace("},\n{", "}\n{");
    let file = world.folder.path().join("audit.ndjson");
    std::fs::write(&file, format!("{lines}\n")).unwrap();
    let path = file.to_str().unwrap();
    let whole = verify(&[path]).await;
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(head(&whole), text(&last["hash"]));
    let changed = lines.replacen("POST individual", "post individual", 1);
    std::fs::write(&file, changed).unwrap();
    let found = verify(&[path]).await;
    assert_eq!(found.code, Some(1), "{}", found.out);
    assert_eq!(found.out.matches("was changed").count(), 1, "{}", found.out);
    std::fs::write(&file, lines.lines().skip(1).collect::<Vec<_>>().join("\n")).unwrap();
    let part = verify(&[path]).await;
    assert_eq!(part.code, Some(0), "a part of a chain is whole by itself");
    assert!(part.out.contains("the file begins with entry 2"), "{}", part.out);
    std::fs::write(&file, "").unwrap();
    assert_eq!(verify(&[path]).await.code, Some(2), "nothing is verified");
    // What verifies writes nothing.
    let empty = world.folder.path().join("empty");
    std::fs::create_dir_all(empty.join("store")).unwrap();
    let found = verify(&["--data", empty.to_str().unwrap()]).await;
    assert_eq!(found.code, Some(2), "{}", found.out);
    assert!(found.err.contains("there is no store in"), "{}", found.err);
    assert_eq!(std::fs::read_dir(empty.join("store")).unwrap().count(), 0);
}

/// Takes messages of syslog by TLS.
struct Receiver {
    url: String,
    ca: PathBuf,
    taken: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

impl Receiver {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        let acceptor = TlsAcceptor::from(Arc::new(certified(&ca)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("tls://localhost:{}", listener.local_addr().unwrap().port());
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let to = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, to) = (acceptor.clone(), Arc::clone(&to));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    while let Some(message) = message(&mut stream).await {
                        to.lock().unwrap().push(message);
                    }
                });
            }
        });
        Self { url, ca, taken, _folder: folder }
    }

    /// The entries that came, each once, in their order.
    fn entries(&self) -> Vec<(u64, String)> {
        let taken = self.taken.lock().unwrap();
        let mut entries: Vec<(u64, String)> = taken
            .iter()
            .map(|message| {
                let (head, line) = message.split_once(" audit - ").unwrap();
                assert!(head.starts_with("<1") && head.contains(">1 20"), "{head}");
                let entry: Value = serde_json::from_str(line).unwrap();
                (entry["sequence"].as_u64().unwrap(), line.to_string())
            })
            .collect();
        entries.sort();
        entries.dedup();
        entries
    }

    /// Waits until there are as many entries of an action.
    async fn until(&self, action: &str, count: usize) -> Vec<(u64, String)> {
        let action = format!("\"action\":\"{action}\"");
        let look = async || {
            let entries = self.entries();
            let found = entries.iter().filter(|(_, line)| line.contains(&action)).count();
            (found >= count).then_some(entries)
        };
        eventually(&format!("{count} entries of {action} came"), look).await
    }
}

/// Reads a message with its length before it.
async fn message(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut length = 0_usize;
    loop {
        match stream.read_u8().await.ok()? {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit.checked_sub(b'0')?),
        }
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}

/// A certificate for `localhost`, whose CA is written to a file.
fn certified(ca: &Path) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    std::fs::write(ca, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
}

#[tokio::test]
async fn entries_are_sent_as_they_come_and_after_a_kill_from_where_it_was() {
    let receiver = Receiver::start().await;
    let (url, ca) = (&receiver.url, receiver.ca.display());
    let tail = format!("[audit]\nsyslog = \"{url}\"\nsyslog-ca = \"{ca}\"\n");
    let mut world = World::with(Settings { tail, ..Settings::default() }).await;
    person(&world, "Ada").await;
    receiver.until("POST individual", 1).await;
    world.kill().await;
    world.restart().await;
    person(&world, "Eve").await;
    let entries = receiver.until("POST individual", 2).await;
    let numbers: Vec<u64> = entries.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "none is left out");
    let lines: Vec<&str> = entries.iter().map(|(_, line)| line.as_str()).collect();
    let file = world.folder.path().join("sent.ndjson");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let whole = verify(&[file.to_str().unwrap()]).await;
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    let lag = async || {
        let metrics = world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
        metrics.lines().any(|line| line == "ferrule_audit_syslog_lag 0").then_some(())
    };
    eventually("everything is sent", lag).await;
}

#[tokio::test]
async fn entries_are_exported_as_lines_and_to_a_receiver() {
    let receiver = Receiver::start().await;
    let world = World::start().await;
    person(&world, "Ada").await;
    let server = &world.http.base;
    let export = async |arguments: &[&str]| {
        let exported =
            ferrule(&[&["audit", "export", "--server", server], arguments].concat()).await;
        assert_eq!(exported.code, Some(0), "{}{}", exported.out, exported.err);
        exported
    };
    let lines = export(&[]).await;
    let file = world.folder.path().join("audit.ndjson");
    std::fs::write(&file, &lines.out).unwrap();
    let whole = verify(&[file.to_str().unwrap()]).await;
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    assert!(lines.err.contains(&format!("head {}", head(&whole))), "{}", lines.err);
    let (to, ca) = (format!("syslog+{}", receiver.url), receiver.ca.to_str().unwrap());
    let position = world.folder.path().join("position");
    let position = position.to_str().unwrap();
    let sending = ["--to", &to, "--syslog-ca", ca, "--position", position];
    export(&sending).await;
    let first = receiver.until("POST individual", 1).await;
    person(&world, "Eve").await;
    export(&sending).await;
    receiver.until("POST individual", 2).await;
    let taken = receiver.taken.lock().unwrap().len();
    assert_eq!(taken, receiver.entries().len(), "none came twice");
    assert!(taken > first.len());
    assert_eq!(export(&["--until", "2020-01-01T00:00:00Z"]).await.out, "");
    let other = world.folder.path().join("other.pem");
    certified(&other);
    let other = other.to_str().unwrap();
    let arguments = ["audit", "export", "--server", server, "--to", &to, "--syslog-ca", other];
    let refused = ferrule(&arguments).await;
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
}
