//! Lists of revoked client certificates (CRL, RFC 5280, 5), from a file or a folder of files.

use std::path::{Path, PathBuf};

use host::der::element;
use host::instant;
use rustls::RootCertStore;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use tmf::time::Timestamp;

use super::{TlsError, file};

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// The name of the setting.
pub(super) const SETTING: &str = "client-crls";

/// Max files of a folder.
const FILES_MAX: usize = 256;

/// A list, as its CA signed it.
#[derive(Debug)]
pub(super) struct List {
    pub(super) der: CertificateRevocationListDer<'static>,
    pub(super) next_update: Timestamp,
    /// The name of its CA in DER, without its header.
    issuer: Vec<u8>,
}

/// The lists of one file.
pub(super) struct Read {
    pub(super) path: PathBuf,
    pub(super) lists: Vec<List>,
}

/// The files at a path; those of a folder in the order of their names, without hidden ones.
pub(crate) fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && !entry.path().is_dir() {
            files.push(entry.path());
        }
        if files.len() > FILES_MAX {
            return Err(std::io::Error::other(format!("it has more than {FILES_MAX} files")));
        }
    }
    files.sort();
    Ok(files)
}

/// Reads the lists at a path, none of which has expired.
pub(super) fn read(path: &Path, now: Timestamp) -> Result<Vec<Read>, TlsError> {
    let found = files(path).map_err(|source| TlsError {
        setting: SETTING,
        what: format!("`{}` cannot be read", path.display()),
        source: Some(Box::new(source)),
    })?;
    found.into_iter().map(|path| of_file(path, now)).collect()
}

fn of_file(path: PathBuf, now: Timestamp) -> Result<Read, TlsError> {
    let wrong = |what: String| TlsError { setting: SETTING, what, source: None };
    let bytes = file(SETTING, &path)?;
    let ders = match bytes.first() {
        Some(&SEQUENCE) => vec![CertificateRevocationListDer::from(bytes.to_vec())],
        Some(_) | None => CertificateRevocationListDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .unwrap_or_default(),
    };
    let lists: Option<Vec<_>> = ders.into_iter().map(List::of).collect();
    let Some(lists) = lists.filter(|lists| !lists.is_empty()) else {
        let what = "holds no revocation list in DER, or in PEM, which begins with \
                    `-----BEGIN X509 CRL-----`";
        return Err(wrong(format!("`{}` {what}", path.display())));
    };
    if let Some(list) = lists.iter().find(|list| list.next_update <= now) {
        let end = list.next_update;
        return Err(wrong(format!(
            "a list in `{}` expired at {end}: fetch the next one of its CA",
            path.display()
        )));
    }
    Ok(Read { path, lists })
}

/// Refuses CAs without a list: none of their clients could be let in.
pub(super) fn check_complete(roots: &RootCertStore, read: &[Read]) -> Result<(), TlsError> {
    let has_list =
        |name: &[u8]| read.iter().flat_map(|read| &read.lists).any(|list| list.issuer == name);
    match roots.roots.iter().position(|root| !has_list(root.subject.as_ref())) {
        None => Ok(()),
        Some(at) => {
            let what = format!(
                "the certificate {} in `client-ca` has no list: add the one of that CA",
                at + 1
            );
            Err(TlsError { setting: SETTING, what, source: None })
        }
    }
}

impl List {
    fn of(der: CertificateRevocationListDer<'static>) -> Option<Self> {
        let (SEQUENCE, list, _) = element(&der)? else { return None };
        let (SEQUENCE, mut rest, _) = element(list)? else { return None };
        if let (INTEGER, _, after) = element(rest)? {
            rest = after;
        }
        let (SEQUENCE, _algorithm, rest) = element(rest)? else { return None };
        let (SEQUENCE, issuer, rest) = element(rest)? else { return None };
        let (_, _this_update, rest) = element(rest)?;
        let (tag, text, _) = element(rest)?;
        let (next_update, issuer) = (instant(tag, text)?, issuer.to_vec());
        Some(Self { der, next_update, issuer })
    }
}
