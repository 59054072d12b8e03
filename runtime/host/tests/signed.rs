//! Signed plugins: which come in by the folder and over the API, as `[install] signatures` has it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

use host::signature::{SignatureError, Signatures};
use host::signer::{Key, Policy, Signers};
use host::trust::{Proofs, Trust};
use host::versions::VersionError;
use host::{Host, InstallError, State};
use model::{Digest, PluginId};

use support::{Bench, with_section};

mod support;

const MANIFEST: &[u8] =
    b"schema = 1\nid = \"noop\"\nversion = \"0.2.0\"\nworld = \"step\"\nsummary = \"T\"";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn signature(name: &str) -> String {
    std::fs::read_to_string(here("signatures").join(format!("noop-{name}.minisig"))).unwrap()
}

fn first() -> Vec<u8> {
    std::fs::read(here("contract-0.1/noop.wasm")).unwrap()
}

fn second() -> Vec<u8> {
    with_section(&first(), MANIFEST)
}

/// Trusts these names for the key of acme, which may sign these plugins.
fn trust(policy: Policy, names: &[&str], ids: &[&str]) -> Trust {
    let public = std::fs::read_to_string(here("signatures/acme.pub")).unwrap();
    let key = Key { public, ids: ids.iter().copied().map(str::to_owned).collect() };
    let signers = Signers::new(names.iter().map(|name| (*name, &key))).unwrap();
    Trust { signatures: Signatures::new(policy, signers), ..Trust::default() }
}

fn bench(policy: Policy) -> Bench {
    Bench::with([].into(), |options| options.trust = trust(policy, &["acme"], &[]))
}

async fn put(
    host: &Host,
    folder: &Path,
    bytes: Vec<u8>,
    signature: Option<String>,
) -> Result<Digest, SignatureError> {
    let turn = host.turn(folder).await;
    let proofs = Proofs { signature, certificate: None };
    match turn.install(&PluginId::new("noop"), bytes, proofs).await {
        Ok(digest) => Ok(digest),
        Err(VersionError::Refused(InstallError::Signature(error))) => Err(error),
        Err(error) => panic!("{error:?}"),
    }
}

/// Why the file of the folder is rejected.
fn rejected(host: &Host) -> Option<String> {
    host.list().into_iter().find_map(|entry| match entry.state {
        State::Rejected { reason } => Some(reason),
        State::Ready | State::Kept | State::Gone => None,
    })
}

/// The name of the key of the version that new plans use.
async fn signer(host: &Host) -> Option<String> {
    let entries = host.entries([].into()).await.unwrap();
    let current = entries.into_iter().find(|entry| entry.is_current)?;
    Some(current.provenance?.signed?.key)
}

#[tokio::test]
async fn a_file_needs_its_signature_beside_it_or_one_that_is_kept() {
    let (bench, folder) = (bench(Policy::Required), tempfile::tempdir().unwrap());
    let host = &bench.host;
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("noop.wasm", &first());
    host.load_dir(folder.path()).await.unwrap();
    assert!(rejected(host).unwrap().contains("minisign -Sm"), "{:?}", rejected(host));
    write("noop.wasm.minisig", signature("0.1.0.other").as_bytes());
    host.load_dir(folder.path()).await.unwrap();
    assert!(rejected(host).unwrap().contains("[install.keys]"), "{:?}", rejected(host));
    write("noop.wasm.minisig", signature("0.2.0.acme").as_bytes());
    host.load_dir(folder.path()).await.unwrap();
    assert!(rejected(host).unwrap().contains("not of these bytes"), "{:?}", rejected(host));
    assert_eq!(host.current(&PluginId::new("noop")), None);
    write("noop.wasm.minisig", signature("0.1.0.acme").as_bytes());
    host.load_dir(folder.path()).await.unwrap();
    assert_eq!((rejected(host), signer(host).await.as_deref()), (None, Some("acme")));
    // Another version with the signature of the old one changes nothing; the old one back needs none.
    write("noop.wasm", &second());
    host.load_dir(folder.path()).await.unwrap();
    assert_eq!(host.current(&PluginId::new("noop")), Some(Digest::of(&first())));
    std::fs::remove_file(folder.path().join("noop.wasm.minisig")).unwrap();
    write("noop.wasm", &first());
    host.load_dir(folder.path()).await.unwrap();
    assert_eq!((rejected(host), signer(host).await.as_deref()), (None, Some("acme")));
}

#[tokio::test]
async fn a_component_that_is_sent_brings_its_signature_along() {
    let (bench, folder) = (bench(Policy::Required), tempfile::tempdir().unwrap());
    let (host, at) = (&bench.host, folder.path());
    let noop = PluginId::new("noop");
    assert_eq!(put(host, at, first(), None).await, Err(SignatureError::Missing));
    let other = Some(signature("0.1.0.other"));
    assert_eq!(put(host, at, first(), other).await, Err(SignatureError::UnknownKey));
    let acme = SignatureError::OtherBytes { key: "acme".into() };
    assert_eq!(put(host, at, second(), Some(signature("0.1.0.acme"))).await, Err(acme));
    assert_eq!(std::fs::read_dir(at).unwrap().count(), 0);
    put(host, at, first(), Some(signature("0.1.0.acme"))).await.unwrap();
    put(host, at, second(), Some(signature("0.2.0.acme"))).await.unwrap();
    assert_eq!(signer(host).await.as_deref(), Some("acme"));
    // A wrong one is told, though that of the same bytes is kept.
    let acme = SignatureError::OtherBytes { key: "acme".into() };
    assert_eq!(put(host, at, second(), Some(signature("0.1.0.acme"))).await, Err(acme));
    let nonsense = Some("nonsense".into());
    assert_eq!(put(host, at, second(), nonsense).await, Err(SignatureError::Malformed));
    put(host, at, second(), None).await.unwrap();
    let beside = || std::fs::read_to_string(at.join("noop.wasm.minisig")).unwrap();
    assert_eq!(beside(), signature("0.2.0.acme"));
    // The signature of the version before is kept for the way back.
    assert_eq!(host.turn(at).await.roll_back(&noop, None).await.unwrap(), Digest::of(&first()));
    assert_eq!(beside(), signature("0.1.0.acme"));
    host.turn(at).await.remove(&noop).await.unwrap();
    assert!(!at.join("noop.wasm.minisig").exists());
}

#[tokio::test]
async fn where_signatures_are_checked_an_unsigned_plugin_may_come() {
    let (bench, folder) = (bench(Policy::Checked), tempfile::tempdir().unwrap());
    let (host, at) = (&bench.host, folder.path());
    let other = Some(signature("0.1.0.other"));
    assert_eq!(put(host, at, first(), other).await, Err(SignatureError::UnknownKey));
    put(host, at, first(), None).await.unwrap();
    assert_eq!(signer(host).await, None);
    put(host, at, first(), Some(signature("0.1.0.acme"))).await.unwrap();
    assert_eq!(signer(host).await.as_deref(), Some("acme"));
    assert!(at.join("noop.wasm.minisig").exists());
    // An unsigned version takes the signature of the one before with it.
    put(host, at, second(), None).await.unwrap();
    assert_eq!(signer(host).await, None);
    assert!(!at.join("noop.wasm.minisig").exists());
}

/// Why the version that new plans use would be refused now.
async fn untrusted(host: &Host) -> Option<String> {
    let entries = host.entries([].into()).await.unwrap();
    entries.into_iter().find(|entry| entry.is_current)?.untrusted
}

#[tokio::test]
async fn a_plugin_whose_key_is_taken_away_goes_on_and_is_shown() {
    let (bench, folder) = (bench(Policy::Required), tempfile::tempdir().unwrap());
    let (host, at) = (&bench.host, folder.path());
    let acme = || trust(Policy::Required, &["acme"], &[]);
    put(host, at, first(), Some(signature("0.1.0.acme"))).await.unwrap();
    assert!(!host.rekey(acme()).await, "the keys are the same");
    // Another name for the key, and ids that the plugin is one of, change nothing for it.
    assert!(host.rekey(trust(Policy::Required, &["vendor"], &["no*"])).await);
    assert_eq!(untrusted(host).await, None);
    let changes = [
        (trust(Policy::Required, &[], &[]), "a key that is not trusted"),
        (
            trust(Policy::Required, &["acme"], &["acme-*"]),
            "vouches for `acme-*`, and not for `noop`",
        ),
    ];
    for (other, reason) in changes {
        assert!(host.rekey(other).await);
        host.load_dir(at).await.unwrap();
        assert_eq!(
            (rejected(host), host.current(&PluginId::new("noop"))),
            (None, Some(Digest::of(&first())))
        );
        assert!(untrusted(host).await.unwrap().contains(reason), "{:?}", untrusted(host).await);
        // Bytes that come now are checked by the keys of now, the same ones too.
        let again = put(host, at, first(), Some(signature("0.1.0.acme"))).await;
        assert!(again.unwrap_err().to_string().contains(reason));
        assert!(put(host, at, second(), Some(signature("0.2.0.acme"))).await.is_err());
    }
    assert!(host.rekey(acme()).await);
    assert_eq!(untrusted(host).await, None);
    put(host, at, second(), Some(signature("0.2.0.acme"))).await.unwrap();
}

#[tokio::test]
async fn a_rejected_file_comes_in_with_its_key_and_a_later_signature_counts() {
    let (bench, folder) = (bench(Policy::Off), tempfile::tempdir().unwrap());
    let (host, at) = (&bench.host, folder.path());
    let write = |name: &str, bytes: &[u8]| std::fs::write(at.join(name), bytes).unwrap();
    write("noop.wasm", &first());
    write("noop.wasm.minisig", signature("0.1.0.acme").as_bytes());
    host.rekey(trust(Policy::Required, &[], &[])).await;
    host.load_dir(at).await.unwrap();
    assert!(rejected(host).unwrap().contains("[install.keys]"), "{:?}", rejected(host));
    host.rekey(trust(Policy::Required, &["acme"], &[])).await;
    host.load_dir(at).await.unwrap();
    assert_eq!((rejected(host), signer(host).await.as_deref()), (None, Some("acme")));
    // A version that came in unsigned is signed later.
    host.rekey(Trust::default()).await;
    std::fs::remove_file(at.join("noop.wasm.minisig")).unwrap();
    write("noop.wasm", &second());
    host.load_dir(at).await.unwrap();
    host.rekey(trust(Policy::Required, &["acme"], &[])).await;
    assert!(untrusted(host).await.unwrap().contains("not signed"), "{:?}", untrusted(host).await);
    write("noop.wasm.minisig", signature("0.2.0.acme").as_bytes());
    host.load_dir(at).await.unwrap();
    assert_eq!((untrusted(host).await, signer(host).await.as_deref()), (None, Some("acme")));
}
