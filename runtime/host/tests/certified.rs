//! Certified plugins: which come in by the folder and over the API, as `[install] certificates` has it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use engine::pools::Pools;
use engine::store::Memory;
use host::candidate::{Chooser, Trial};
use host::certificate::{
    Certificate, CertificateError, Certificates, Certified, SCHEMA, Statement,
};
use host::provenance::Moment;
use host::signer::{Key, Policy, Signers};
use host::trust::Proofs;
use host::versions::VersionError;
use host::{Host, InstallError, Options, State};
use minisign::KeyPair;
use model::{Digest, PluginId};
use tmf::time::Timestamp;

use support::with_section;

mod support;

/// Who certifies, a folder of plugins and the data of a host.
struct Lab {
    pair: KeyPair,
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
}

fn first() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract-0.1/noop.wasm");
    std::fs::read(path).unwrap()
}

fn second() -> Vec<u8> {
    const MANIFEST: &[u8] =
        b"schema = 1\nid = \"noop\"\nversion = \"0.2.0\"\nworld = \"step\"\nsummary = \"T\"";
    with_section(&first(), MANIFEST)
}

impl Lab {
    fn new() -> Self {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let [folder, cache] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Self { pair, folder, cache }
    }

    /// A host that starts with this folder, trusting these certifiers.
    async fn start(&self, certifiers: &[&KeyPair]) -> Host {
        let keys = certifiers.iter().map(|pair| Key::from(pair.pk.to_base64().as_str()));
        let keys: Vec<_> = ["lab", "other"].into_iter().zip(keys).collect();
        let signers = Signers::new(keys.iter().map(|(name, key)| (*name, key))).unwrap();
        let store = Arc::new(Memory::default());
        let mut options = Options::new(store, Pools::default(), self.cache.path());
        options.instances = 16;
        options.compiler = support::compiler();
        options.trust.certificates = Certificates::new(Policy::Required, signers);
        let host = Host::new(options).unwrap();
        host.load_dir(self.folder.path()).await.unwrap();
        host
    }

    fn certificate(&self, bytes: &[u8]) -> String {
        certificate(&self.pair, bytes)
    }

    fn proofs(&self, bytes: &[u8]) -> Proofs {
        proofs(&self.pair, bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }
}

fn certificate(pair: &KeyPair, bytes: &[u8]) -> String {
    let statement = Statement {
        schema: SCHEMA,
        plugin: "noop".into(),
        version: "0.1.0".into(),
        digest: Digest::of(bytes),
        tested_at: Moment(Timestamp(1_800_000_000_000)),
        tested_by: "0.1.0".into(),
        cases: Digest::of(b"cases"),
        passed: vec!["line/plain".into()],
        failed: Vec::new(),
        left_out: Vec::new(),
    };
    let statement = serde_json::to_string(&statement).unwrap();
    let signature = minisign::sign(None, &pair.sk, Cursor::new(&statement), None, None);
    let signature = signature.unwrap().into_string();
    serde_json::to_string(&Certificate { statement, signature }).unwrap()
}

fn proofs(pair: &KeyPair, bytes: &[u8]) -> Proofs {
    Proofs { signature: None, certificate: Some(certificate(pair, bytes)) }
}

fn noop() -> PluginId {
    PluginId::new("noop")
}

/// Why a change over the API is refused.
fn refusal(result: Result<Digest, VersionError>) -> CertificateError {
    match result {
        Err(VersionError::Refused(InstallError::Certificate(error))) => error,
        other => panic!("{other:?}"),
    }
}

/// Why the file of the folder is rejected.
fn rejected(host: &Host) -> Option<String> {
    host.list().into_iter().find_map(|entry| match entry.state {
        State::Rejected { reason } => Some(reason),
        State::Ready | State::Kept | State::Gone => None,
    })
}

/// What is known of the certificate of the version that new plans use.
async fn certified(host: &Host) -> Option<Certified> {
    let entries = host.entries([].into()).await.unwrap();
    let current = entries.into_iter().find(|entry| entry.is_current)?;
    current.provenance?.certified
}

#[tokio::test]
async fn a_file_needs_its_certificate_at_each_start() {
    let lab = Lab::new();
    lab.write("noop.wasm", &first());
    let host = lab.start(&[&lab.pair]).await;
    assert!(rejected(&host).unwrap().contains("ferrule plugin certify"), "{:?}", rejected(&host));
    lab.write("noop.wasm.cert", lab.certificate(&second()).as_bytes());
    host.load_dir(lab.folder.path()).await.unwrap();
    assert!(rejected(&host).unwrap().contains("of other bytes"), "{:?}", rejected(&host));
    assert_eq!(host.current(&noop()), None);
    lab.write("noop.wasm.cert", lab.certificate(&first()).as_bytes());
    host.load_dir(lab.folder.path()).await.unwrap();
    let known = certified(&host).await.unwrap();
    assert_eq!((known.key.as_str(), known.cases.as_slice()), ("lab", &["line".to_string()][..]));
    drop(host);
    // The certificate that is kept of the same bytes does at the next start.
    std::fs::remove_file(lab.folder.path().join("noop.wasm.cert")).unwrap();
    assert_eq!(lab.start(&[&lab.pair]).await.current(&noop()), Some(Digest::of(&first())));
    let other = KeyPair::generate_unencrypted_keypair().unwrap();
    let host = lab.start(&[&other]).await;
    assert!(rejected(&host).unwrap().contains("[install.certifiers]"), "{:?}", rejected(&host));
    assert_eq!(host.current(&noop()), None);
    // Open orders that began with it go on.
    host.restore(&Digest::of(&first())).await.unwrap();
}

#[tokio::test]
async fn installs_trials_and_rollbacks_need_the_certificate() {
    use CertificateError as E;
    let lab = Lab::new();
    let other = KeyPair::generate_unencrypted_keypair().unwrap();
    let (both, at) = ([&lab.pair, &other], lab.folder.path());
    let host = lab.start(&both).await;
    let turn = host.turn(at).await;
    let nothing = Proofs::default;
    assert_eq!(refusal(turn.install(&noop(), first(), nothing()).await), E::Missing);
    assert!(!lab.has("noop.wasm") && !lab.has("noop.wasm.cert"));
    turn.install(&noop(), first(), lab.proofs(&first())).await.unwrap();
    assert!(lab.has("noop.wasm.cert"));
    let trial = || Trial { share: 100, ..Trial::default() };
    assert_eq!(refusal(turn.try_out(&noop(), (second(), nothing()), trial()).await), E::Missing);
    let sent = (second(), proofs(&other, &second()));
    turn.try_out(&noop(), sent, trial()).await.unwrap();
    drop(turn);
    drop(host);
    // The trial goes on after a restart, unless the key was taken away.
    let chosen = |host: &Host| {
        host.choose(&noop(), Some(Chooser { order: "1", customer: None })).unwrap().digest
    };
    assert_eq!(chosen(&lab.start(&[&lab.pair]).await), Digest::of(&first()));
    let host = lab.start(&both).await;
    assert_eq!(chosen(&host), Digest::of(&second()));
    let turn = host.turn(at).await;
    turn.promote(&noop()).await.unwrap();
    let beside = || std::fs::read_to_string(at.join("noop.wasm.cert")).unwrap();
    assert!(beside().contains(Digest::of(&second()).as_str()));
    turn.roll_back(&noop(), None).await.unwrap();
    assert!(beside().contains(Digest::of(&first()).as_str()));
    turn.remove(&noop()).await.unwrap();
    assert!(!lab.has("noop.wasm.cert"));
    let host = lab.start(&[&lab.pair]).await;
    let turn = host.turn(at).await;
    let second = Digest::of(&second());
    let refused = turn.roll_back(&noop(), Some(second.as_str())).await;
    assert_eq!(refusal(refused), E::UnknownKey);
    let refused = host.offers(&noop(), &second).await.unwrap_err();
    assert!(matches!(refused, InstallError::Certificate(E::UnknownKey)), "{refused:?}");
    assert!(!lab.has("noop.wasm"));
}
