//! `ferrule plugin certify`: signs that a plugin passed every cell, by its digest; and checks such a certificate.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use engine::clock::{Clock as _, System};
use host::Manifest;
use host::certificate::{
    CERTIFICATE_BYTES_MAX, Certificate, CertificateError, Certificates, Certified, KIND, LeftOut,
    SCHEMA, Statement,
};
use host::provenance::Moment;
use host::signer::{Key, Policy, Signers};
use host::trust::Proofs;
use minisign::{SecretKey, SecretKeyBox};
use model::{Digest, PluginId};
use server::config::Config;

use super::test::cell::Status;
use super::test::report::Report;
use super::test::{Ready, Target};
use super::{Inspector, read_file};
use crate::cli::{Usage, say};
use host::folder::shown;

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

pub(super) async fn run(certify: Certify) -> Result<()> {
    if let Some(public) = &certify.check {
        let plugin = &certify.target.plugin;
        return check(plugin, &plugin.with_extension(KIND), public);
    }
    let Some(key) = &certify.key else { bail!("a key is needed") };
    let key = secret_key(key)?;
    let ready = Ready::open(&certify.target).await?;
    let path = ready.file.with_extension(KIND);
    let report = ready.prove().await?;
    report.lines().iter().try_for_each(|line| say(line))?;
    report.verdict().context("it is not certified")?;
    let inspector = Inspector::new(&Config::default())?;
    let inspected = inspector.host.inspect(read_file(&ready.file)?).await?;
    let reaches_outside = !inspected.manifest.requests.http.is_empty();
    if reaches_outside && !report.has_faults() {
        bail!("it is not certified: no request of it was disturbed; write a case with exchanges");
    }
    let statement = statement(&report, ready.cases_digest()?);
    let comment = format!("{} {} passed ferrule plugin test", report.plugin, report.version);
    let certificate = certificate(&statement, &key, &comment)?;
    std::fs::write(&path, certificate)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    say(&format!("{} certifies {} {}", shown(&path), report.plugin, report.version))
}

/// The text of a signed certificate.
fn certificate(statement: &Statement, key: &SecretKey, comment: &str) -> Result<String> {
    let statement = serde_json::to_string(statement)?;
    let signed = Cursor::new(statement.as_bytes());
    let signature = minisign::sign(None, key, signed, Some(comment), None)
        .context("the certificate cannot be signed")?;
    let certificate = Certificate { statement, signature: signature.into_string() };
    let text = serde_json::to_string_pretty(&certificate)?;
    if text.len() > CERTIFICATE_BYTES_MAX {
        let bytes = text.len();
        bail!(
            "it is not certified: the certificate would have {bytes} bytes, the limit is \
             {CERTIFICATE_BYTES_MAX}; certify by fewer cases, such as a folder of them given by `--cases`"
        );
    }
    Ok(text)
}

fn statement(report: &Report, cases: Digest) -> Statement {
    let of = |status| report.results.iter().filter(move |result| result.status == status);
    let left_out = of(Status::LeftOut).map(|result| LeftOut {
        cell: result.cell.to_owned(),
        reason: result.reason.to_owned().unwrap_or_default(),
    });
    Statement {
        schema: SCHEMA,
        plugin: report.plugin.to_owned(),
        version: report.version.to_owned(),
        digest: Digest::new(report.digest.as_str()),
        tested_at: Moment(System::default().now()),
        tested_by: env!("CARGO_PKG_VERSION").into(),
        cases,
        passed: of(Status::Passed).map(|result| result.cell.to_owned()).collect(),
        failed: Vec::new(),
        left_out: left_out.collect(),
    }
}

fn secret_key(path: &Path) -> Result<SecretKey, Usage> {
    let unusable = |error: &dyn std::fmt::Display| {
        Usage(format!("`{}` is no secret key that can be used: {error}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
    // `minisign -GW` writes no checksum, which a key in a box must have.
    let line = text.trim_end().lines().last().unwrap_or_default();
    let bytes = BASE64_STANDARD.decode(line).map_err(|error| unusable(&error))?;
    let key = SecretKey::from_bytes(&bytes).map_err(|error| unusable(&error))?;
    if !key.is_encrypted() {
        return Ok(key);
    }
    let Ok(password) = std::env::var(PASSWORD) else {
        let what =
            format!("it has a password: give it in {PASSWORD}, or make a key by `minisign -GW`");
        return Err(unusable(&what));
    };
    let boxed = SecretKeyBox::from_string(&text).map_err(|error| unusable(&error))?;
    boxed.into_secret_key(Some(password)).map_err(|error| unusable(&error))
}

/// Checks the certificate of a plugin.
fn check(plugin: &Path, path: &Path, public: &str) -> Result<()> {
    let signers = Signers::new([("--check", &Key::from(public))].into_iter())
        .map_err(|error| Usage(error.to_string()))?;
    if !path.exists() {
        return Err(Usage(format!("there is no `{}`", path.display())).into());
    }
    let certificate = Proofs::beside(plugin)?.certificate;
    let certificates = Certificates::new(Policy::Required, signers);
    let bytes = read_file(plugin)?;
    let id = PluginId::new(Manifest::of(bytes.to_owned())?.id);
    let checked = certificates.check(&id, &Digest::of(&bytes), certificate.as_deref());
    let certified = match checked {
        Ok(Some(certified)) => certified,
        Ok(None) => bail!("`{}` was not checked", path.display()),
        Err(CertificateError::UnknownKey | CertificateError::Changed { .. }) => {
            bail!("`{}` is not signed by this key", path.display())
        }
        Err(error) => return Err(error).with_context(|| format!("`{}`", path.display())),
    };
    let Certified { passed, left_out, tested_by, tested_at, cases, .. } = &certified;
    say(&format!(
        "{}: passed {passed} cells of ferrule {tested_by} on {}, {} left out; cases {}",
        shown(plugin),
        String::from(*tested_at),
        left_out.len(),
        cases.join(", ")
    ))?;
    left_out.iter().try_for_each(|one| say(&format!("  left out {one}")))
}
