//! `ferrule tls`: certificates for a lab.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::{Usage, say};

/// The name of the CA, from which and its key it is known again.
const CA_NAME: &str = "Ferrule lab CA";

/// The validity of the CA; no certificate is valid for longer.
const CA_DAYS: u32 = 3_650;

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug, Subcommand)]
pub(crate) enum Tls {
    /// Make a CA for a lab, with a certificate for the server. In production use the CA of your organisation.
    SelfSigned(SelfSigned),
}

#[derive(Debug, Args)]
pub(crate) struct SelfSigned {
    /// The folder that the files are written to.
    #[arg(long, value_name = "DIR", default_value = "tls")]
    out: PathBuf,
    /// A name or an address of the server; several times for several. This machine by default.
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
    /// Days for which the certificate is valid.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=i64::from(CA_DAYS)))]
    days: u32,
    /// Make a client certificate of this name too; of the same CA if the folder has one.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
}

pub(super) fn run(command: Tls) -> Result<()> {
    match command {
        Tls::SelfSigned(asked) => self_signed(&asked),
    }
}

/// A file to write.
struct Pem {
    path: PathBuf,
    text: String,
    is_key: bool,
}

/// A folder with a CA.
struct Lab<'a> {
    folder: &'a Path,
    key: KeyPair,
}

fn self_signed(asked: &SelfSigned) -> Result<()> {
    let folder = asked.out.as_path();
    let own = |name: &str| folder.join(name);
    let has_ca = own("ca.pem").exists() && own("ca.key").exists();
    if let Some(client) = &asked.client {
        check_client(client)?;
    }
    let mut files = Vec::new();
    let lab = match (&asked.client, has_ca) {
        (Some(_), true) if !asked.names.is_empty() => {
            let what = format!(
                "`{}` has a CA and its server certificate: leave `--name` out, or write to another \
                 folder by `--out`",
                folder.display()
            );
            return Err(Usage(what).into());
        }
        (Some(_), true) => Lab::open(folder)?,
        (None, _) | (_, false) => {
            let lab = Lab { folder, key: KeyPair::generate()? };
            files.extend(lab.ca()?);
            files.extend(lab.server(&asked.names, asked.days)?);
            lab
        }
    };
    if let Some(client) = &asked.client {
        files.extend(lab.client(client, asked.days)?);
    }
    write(folder, &files)?;
    tell(asked, &files)
}

/// Refuses a name that is no name of a file, or that of another file here.
fn check_client(name: &str) -> Result<(), Usage> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let is_name = !name.is_empty() && name.len() <= 64 && !name.starts_with(['.', '-']);
    if !is_name || !name.chars().all(is_plain) || ["ca", "server"].contains(&name) {
        return Err(Usage(format!(
            "`{name}` is no name of a client: letters, digits, `-`, `_`, `.` and `@`, up to 64; not `ca` or `server`"
        )));
    }
    Ok(())
}

impl Lab<'_> {
    fn open(folder: &Path) -> Result<Lab<'_>> {
        let path = folder.join("ca.key");
        let text = host::regular::read_text(&path, 64 << 10)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        let key = KeyPair::from_pem(&text)
            .map_err(|_| anyhow::anyhow!("`{}` has no key in PEM", path.display()))?;
        let (lab, path) = (Lab { folder, key }, folder.join("ca.pem"));
        let text = host::regular::read_text(&path, 64 << 10)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        // What a CA of another tool signs, this could not.
        let is_ours = lab.ca_params()?.self_signed(&lab.key).is_ok_and(|_| is_of(&text, &lab.key));
        anyhow::ensure!(is_ours, "`{}` is not of `ca.key`: use another folder", path.display());
        Ok(lab)
    }

    fn ca_params(&self) -> Result<CertificateParams> {
        let mut params = params(CA_NAME, Vec::new(), CA_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(params)
    }

    fn ca(&self) -> Result<[Pem; 2]> {
        let certificate = self.ca_params()?.self_signed(&self.key)?;
        Ok(self.pair("ca", certificate.pem(), &self.key))
    }

    fn server(&self, names: &[String], days: u32) -> Result<[Pem; 2]> {
        let names = match names {
            [] => ["localhost", "127.0.0.1", "::1"].map(str::to_string).to_vec(),
            names => names.to_vec(),
        };
        let wrong = |_| {
            Usage(format!(
                "`{}`: a name or an address is expected, such as `ferrule.example`",
                names.join("`, `")
            ))
        };
        let subject = names.first().map_or("localhost", String::as_str);
        let mut params = params(subject, names.to_vec(), days).map_err(wrong)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue("server", params)
    }

    fn client(&self, name: &str, days: u32) -> Result<[Pem; 2]> {
        let mut params = params(name, Vec::new(), days)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(name, params)
    }

    fn issue(&self, file: &str, mut params: CertificateParams) -> Result<[Pem; 2]> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let (key, ca) = (KeyPair::generate()?, self.ca_params()?);
        let certificate = params.signed_by(&key, &Issuer::from_params(&ca, &self.key))?;
        Ok(self.pair(file, certificate.pem(), &key))
    }

    fn pair(&self, name: &str, certificate: String, key: &KeyPair) -> [Pem; 2] {
        let file = |kind, text, is_key| {
            let path = self.folder.join(format!("{name}.{kind}"));
            Pem { path, text, is_key }
        };
        [file("pem", certificate, false), file("key", key.serialize_pem(), true)]
    }
}

/// Whether a certificate is of a key: its public key is in it.
fn is_of(pem: &str, key: &KeyPair) -> bool {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let Ok(certificate) = CertificateDer::from_pem_slice(pem.as_bytes()) else { return false };
    let public = key.public_key_raw();
    certificate.windows(public.len()).any(|part| part == public)
}

/// What all certificates have. They begin a day early, for clocks that are late.
fn params(name: &str, names: Vec<String>, days: u32) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let start = date_time_ymd(1970, 1, 1) + now;
    (params.not_before, params.not_after) = (start - DAY, start + DAY * days);
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    Ok(params)
}

/// Writes new files, keys for their user alone.
fn write(folder: &Path, files: &[Pem]) -> Result<()> {
    if let Some(file) = files.iter().find(|file| file.path.symlink_metadata().is_ok()) {
        return Err(Usage(format!(
            "`{}` is there, and is not overwritten: write to another folder by `--out`, or remove it",
            file.path.display()
        ))
        .into());
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    for Pem { path, text, is_key } in files {
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        if *is_key {
            private(&mut options);
        }
        let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

#[cfg(unix)]
fn private(options: &mut std::fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_options: &mut std::fs::OpenOptions) {}

/// Prints what to do with the files.
fn tell(asked: &SelfSigned, files: &[Pem]) -> Result<()> {
    let path = |name: &str| asked.out.join(name).display().to_string();
    let quoted = |name: &str| toml::Value::from(path(name)).to_string();
    for file in files {
        say(&format!("wrote {}", file.path.display()))?;
    }
    say("\nFor ferrule.toml:\n\n[tls]")?;
    say(&format!("certificate = {}\nkey = {}", quoted("server.pem"), quoted("server.key")))?;
    let mut command = format!(
        "ferrule plugin list --server https://{}:8080 --ca {}",
        asked.names.first().map_or("localhost", String::as_str),
        path("ca.pem")
    );
    if let Some(client) = &asked.client {
        say(&format!("client-ca = {}\nclient-certificates = \"optional\"", quoted("ca.pem")))?;
        command += &format!(
            " --cert {} --cert-key {}",
            path(&format!("{client}.pem")),
            path(&format!("{client}.key"))
        );
    }
    say(&format!("\nA client that trusts it:\n\n{command}"))
}
