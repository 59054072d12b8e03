//! `ferrule plugin certify`: signs that a plugin passed every cell, by its digest; and checks such a certificate.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use minisign::{PublicKey, SecretKey, SecretKeyBox, SignatureBox};
use model::Digest;
use serde::{Deserialize, Serialize};
use server::config::Config;

use super::test::cell::Status;
use super::test::report::Report;
use super::test::{Ready, Target};
use super::{Inspector, read_file};
use crate::cli::{Usage, say};
use host::folder::shown;

/// The version of the shape of certificates.
const SCHEMA: u32 = 1;
/// Max bytes of a certificate.
const BYTES_MAX: usize = 4 << 20;
/// The variable of the environment with the password of the key.
const PASSWORD: &str = "FERRULE_KEY_PASSWORD";

#[derive(Debug, Args)]
pub(crate) struct Certify {
    #[command(flatten)]
    target: Target,
    /// The secret key, as `minisign -G` writes it; its password, if it has one, is in FERRULE_KEY_PASSWORD.
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    key: Option<PathBuf>,
    /// Check the certificate beside the plugin instead, by the public key: the last line of its `.pub` file.
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    check: Option<String>,
}

/// The file beside a plugin.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    /// The statement, as JSON: these very bytes are signed.
    statement: String,
    /// The signature of minisign.
    signature: String,
}

/// The signed part of a certificate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Statement {
    schema: u32,
    plugin: String,
    version: String,
    /// The SHA-256 of the plugin.
    digest: String,
    /// The version of the program that tested it.
    tested_by: String,
    /// The SHA-256 of the cases.
    cases: String,
    /// The cells that passed.
    passed: Vec<String>,
    /// The cells that a case leaves out, each with the reason.
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    cell: String,
    reason: String,
}

pub(super) async fn run(certify: Certify) -> Result<()> {
    if let Some(public) = &certify.check {
        let plugin = &certify.target.plugin;
        return check(plugin, &beside(plugin), public);
    }
    let Some(key) = &certify.key else { bail!("a key is needed") };
    let key = secret_key(key)?;
    let ready = Ready::open(&certify.target).await?;
    let path = beside(&ready.file);
    let report = ready.prove().await?;
    report.lines().iter().try_for_each(|line| say(line))?;
    report.verdict().context("it is not certified")?;
    let inspector = Inspector::new(&Config::default())?;
    let inspected = inspector.host.inspect(read_file(&ready.file)?).await?;
    let reaches_outside = !inspected.manifest.requests.http.is_empty();
    if reaches_outside && !report.has_faults() {
        bail!("it is not certified: no request of it was disturbed; write a case with exchanges");
    }
    let statement = serde_json::to_string(&statement(&report, &ready.cases_digest()?))?;
    let comment = format!("{} {} passed ferrule plugin test", report.plugin, report.version);
    let signature =
        minisign::sign(None, &key, Cursor::new(statement.as_bytes()), Some(&comment), None)
            .context("the certificate cannot be signed")?;
    let certificate = Certificate { statement, signature: signature.into_string() };
    let text = serde_json::to_string_pretty(&certificate)?;
    std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    say(&format!("{} certifies {} {}", shown(&path), report.plugin, report.version))
}

fn statement(report: &Report, cases: &Digest) -> Statement {
    let of = |status| report.results.iter().filter(move |result| result.status == status);
    let left_out = of(Status::LeftOut).map(|result| LeftOut {
        cell: result.cell.to_owned(),
        reason: result.reason.to_owned().unwrap_or_default(),
    });
    Statement {
        schema: SCHEMA,
        plugin: report.plugin.to_owned(),
        version: report.version.to_owned(),
        digest: report.digest.to_owned(),
        tested_by: env!("CARGO_PKG_VERSION").into(),
        cases: cases.to_string(),
        passed: of(Status::Passed).map(|result| result.cell.to_owned()).collect(),
        left_out: left_out.collect(),
    }
}

/// The certificate of a plugin: `x.wasm.cert` beside `x.wasm`.
fn beside(plugin: &Path) -> PathBuf {
    let mut name = plugin.as_os_str().to_owned();
    name.push(".cert");
    PathBuf::from(name)
}

fn secret_key(path: &Path) -> Result<SecretKey, Usage> {
    let unusable = |error: &dyn std::fmt::Display| {
        Usage(format!("`{}` is no secret key that can be used: {error}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
    let read = || SecretKeyBox::from_string(&text).map_err(|error| unusable(&error));
    if let Ok(key) = read()?.into_unencrypted_secret_key() {
        return Ok(key);
    }
    let Ok(password) = std::env::var(PASSWORD) else {
        let what =
            format!("it has a password: give it in {PASSWORD}, or make a key by `minisign -GW`");
        return Err(unusable(&what));
    };
    read()?.into_secret_key(Some(password)).map_err(|error| unusable(&error))
}

/// Checks the certificate of a plugin.
fn check(plugin: &Path, path: &Path, public: &str) -> Result<()> {
    let key = PublicKey::from_base64(public.trim())
        .map_err(|error| Usage(format!("--check is no public key of minisign: {error}")))?;
    let bytes = read_file(path)?;
    if bytes.len() > BYTES_MAX {
        bail!("`{}` has {} bytes, the limit is {BYTES_MAX}", path.display(), bytes.len());
    }
    let certificate: Certificate = serde_json::from_slice(&bytes)
        .with_context(|| format!("`{}` is no certificate", path.display()))?;
    let signature = SignatureBox::from_string(&certificate.signature)
        .with_context(|| format!("`{}` has no signature of minisign", path.display()))?;
    let signed = Cursor::new(certificate.statement.as_bytes());
    minisign::verify(&key, &signature, signed, true, false, false)
        .with_context(|| format!("`{}` is not signed by this key", path.display()))?;
    let statement: Statement = serde_json::from_str(&certificate.statement)
        .with_context(|| format!("`{}` has a statement that cannot be read", path.display()))?;
    let digest = Digest::of(&read_file(plugin)?);
    if statement.digest != digest.as_str() {
        bail!(
            "the certificate is of other bytes: it is for sha256 {}, the plugin is {digest}; certify it again",
            statement.digest
        );
    }
    let Statement { plugin, version, passed, left_out, tested_by, .. } = &statement;
    say(&format!(
        "{plugin} {version} passed {} cells of ferrule {tested_by}, {} left out",
        passed.len(),
        left_out.len()
    ))?;
    left_out.iter().try_for_each(|one| say(&format!("  left out {}: {}", one.cell, one.reason)))
}
