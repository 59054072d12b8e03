//! Layouts on disk: a folder, or the same as a tar file.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use host::folder::shown;

use super::MANIFEST_BYTES_MAX;
use super::digest::Sha;
use super::document::{Descriptor, Index, TAG};
use super::file;
use super::package::Packed;
use super::reference::{is_tag, no_tag};
use crate::repository::write_whole;

/// The file that tells that a folder is a layout, and what it has.
const MARK: &str = "oci-layout";
const MARK_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";

/// The file by which pushes wait for each other, and how long.
const LOCK: &str = ".lock";
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// The end of the name of a file that is not whole.
const PART: &[u8] = b".part";

/// The end of the name of a layout in one file.
const TAR: &str = ".tar";

/// Max bytes and entries of a layout in one file.
const TAR_BYTES_MAX: u64 = 512 << 20;
const TAR_ENTRIES_MAX: usize = 10_000;

/// Max bytes of a header that extends the next one.
const EXTENSION_BYTES_MAX: u64 = 64 << 10;

/// A layout, and the artefact in it.
pub(super) struct Layout {
    path: PathBuf,
    /// The tag of the artefact; empty for any.
    tag: String,
    /// Its digest, if it was given.
    digest: Option<Sha>,
    /// The files of one that is in a tar file, when it was read.
    unpacked: Option<BTreeMap<String, Vec<u8>>>,
}

/// Whether a text names a layout, maybe with a tag.
pub(super) fn is_layout(text: &str) -> bool {
    let is_one = |path: &str| path.ends_with(TAR) || Path::new(path).is_dir();
    let (text, _) = without_digest(text);
    is_one(text) || split(text).is_some_and(|(path, _)| is_one(path))
}

/// A text without a digest at its end, and that.
fn without_digest(text: &str) -> (&str, Option<Sha>) {
    let found = text.rsplit_once('@');
    let found =
        found.and_then(|(rest, digest)| Some((rest, Sha::try_from(digest.to_owned()).ok()?)));
    found.map_or((text, None), |(rest, digest)| (rest, Some(digest)))
}

/// A path and a tag.
fn split(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(':').filter(|(path, tag)| !path.is_empty() && !tag.contains('/'))
}

impl Layout {
    /// A layout by its path, maybe with a tag and a digest. `tag` is the one to use if it has none; it may be empty.
    pub(super) fn open(text: &str, tag: &str) -> Self {
        let (text, digest) = without_digest(text);
        let tag = if digest.is_some() { "" } else { tag };
        let (path, tag) = match split(text) {
            Some((path, tag)) if !Path::new(text).exists() => (path, tag),
            Some(_) | None => (text, tag),
        };
        Self { path: path.into(), tag: tag.into(), digest, unpacked: None }
    }

    pub(super) fn name(&self) -> String {
        match self.tag.as_str() {
            "" => shown(&self.path),
            tag => format!("{}:{tag}", shown(&self.path)),
        }
    }

    fn is_tar(&self) -> bool {
        self.path.as_os_str().as_encoded_bytes().ends_with(TAR.as_bytes())
    }

    /// The manifest that is named.
    pub(super) fn named(&mut self) -> Result<Vec<u8>> {
        self.check_mark()?;
        let index = self.index()?;
        let is_tag = |tag: Option<&String>| self.tag.is_empty() || tag == Some(&self.tag);
        let is_it = |one: &&Descriptor| {
            let is_digest = self.digest.as_ref().is_none_or(|digest| *digest == one.digest);
            is_digest && is_tag(one.annotations.get(TAG))
        };
        let mut found = index.manifests.iter().filter(is_it);
        let tags = || {
            let tags = index.manifests.iter().filter_map(|one| one.annotations.get(TAG));
            let tags: Vec<_> = tags.take(20).map(|tag| super::document::short(tag)).collect();
            tags.join(", ")
        };
        // With a digest all that are found are one.
        match (found.next(), found.next().filter(|_| self.digest.is_none())) {
            (Some(one), None) => {
                if one.size > MANIFEST_BYTES_MAX {
                    bail!("its manifest has {} bytes, the limit is {MANIFEST_BYTES_MAX}", one.size);
                }
                let bytes = self.blob(&one.digest, one.size)?;
                one.digest.check(&bytes)?;
                Ok(bytes)
            }
            (None, _) => bail!("it has no such artefact, only these tags: {}", tags()),
            (Some(_), Some(_)) => {
                bail!(
                    "it has several artefacts: name one as `{}:TAG`, of {}",
                    shown(&self.path),
                    tags()
                )
            }
        }
    }

    fn check_mark(&mut self) -> Result<()> {
        let mark = self.file(MARK, MANIFEST_BYTES_MAX).map(drop);
        mark.with_context(|| format!("it is no OCI layout, which has a file `{MARK}`"))
    }

    /// Checks that a folder is a layout or may become one: files of others are not written over.
    fn check_own(&self) -> Result<()> {
        if self.is_tar() || !self.path.exists() || self.path.join(MARK).exists() {
            return Ok(());
        }
        let entries = std::fs::read_dir(&self.path);
        let entries = entries.with_context(|| format!("cannot read `{}`", shown(&self.path)))?;
        for entry in entries {
            let name = entry?.file_name();
            // A push that was cut off leaves these.
            let is_own = name == "blobs" || name == LOCK || name.as_encoded_bytes().ends_with(PART);
            if !is_own {
                bail!(
                    "`{}` is no OCI layout, and has `{}`: name an empty folder, or a new one",
                    shown(&self.path),
                    shown(Path::new(&name))
                );
            }
        }
        Ok(())
    }

    /// Keeps other pushes out until the file is closed. It stays, as one who waits has it open.
    async fn lock(&self) -> Result<File> {
        let mut path = self.path.as_os_str().to_owned();
        if !self.is_tar() {
            std::fs::create_dir_all(&self.path)
                .with_context(|| format!("cannot make `{}`", shown(&self.path)))?;
            path.push("/");
        }
        path.push(LOCK);
        let path = PathBuf::from(path);
        let failed = || format!("cannot lock `{}`", shown(&path));
        if path.exists() && !path.is_file() {
            bail!("{}: it is no regular file", failed());
        }
        let file = File::options().create(true).append(true).open(&path).with_context(failed)?;
        let end = Instant::now() + LOCK_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(TryLockError::WouldBlock) => {
                    bail!("{}: another push has it since long, see whether it hangs", failed())
                }
            }
        }
    }

    fn index(&mut self) -> Result<Index> {
        let bytes = self.file(INDEX, MANIFEST_BYTES_MAX)?;
        serde_json::from_slice(&bytes).with_context(|| format!("its `{INDEX}` cannot be read"))
    }

    pub(super) fn blob(&mut self, digest: &Sha, size: u64) -> Result<Vec<u8>> {
        self.file(&blob(digest), size)
    }

    /// A file of the layout, and no more than one byte past what it may have.
    fn file(&mut self, name: &str, bytes_max: u64) -> Result<Vec<u8>> {
        let missing = || format!("it has no `{name}`: copy the layout again");
        if self.is_tar() {
            let bytes = self.unpacked()?.get(name).with_context(missing)?;
            let end = usize::try_from(bytes_max + 1).unwrap_or(usize::MAX).min(bytes.len());
            return Ok(bytes.get(..end).unwrap_or_default().to_vec());
        }
        let path = self.path.join(name);
        if !path.exists() {
            bail!(missing());
        }
        file::read(&path, bytes_max).with_context(|| format!("`{}` cannot be read", shown(&path)))
    }

    /// The files of a tar file, by their names; none if there is no such file.
    fn unpacked(&mut self) -> Result<&mut BTreeMap<String, Vec<u8>>> {
        let read = match self.unpacked.take() {
            Some(read) => read,
            None => unpack(&self.path)
                .with_context(|| format!("cannot read `{}`", shown(&self.path)))?,
        };
        Ok(self.unpacked.insert(read))
    }

    /// Adds an artefact. One with the same tag is replaced; its blobs stay.
    pub(super) async fn put(&mut self, packed: &Packed<'_>) -> Result<()> {
        if self.digest.is_some() {
            bail!("an artefact has the digest of its bytes: leave the digest out of the place");
        }
        if !is_tag(&self.tag) {
            bail!(no_tag(&self.tag));
        }
        self.check_own()?;
        let _lock = self.lock().await?;
        let is_there =
            if self.is_tar() { self.path.exists() } else { self.path.join(INDEX).exists() };
        let mut index = match is_there {
            true => {
                self.check_mark()?;
                self.index()?
            }
            false => Index {
                schema_version: 2,
                media_type: super::document::INDEX.into(),
                manifests: Vec::new(),
                rest: BTreeMap::new(),
            },
        };
        index.manifests.retain(|one| one.annotations.get(TAG) != Some(&self.tag));
        let mut named = packed.manifest.descriptor();
        named.annotations.insert(TAG.into(), self.tag.to_owned());
        index.manifests.push(named);
        let index = serde_json::to_vec(&index)?;
        let blobs = [&packed.config, &packed.plugin, &packed.manifest];
        let blobs = blobs.map(|one| (blob(&one.digest), one.bytes.as_ref()));
        let mark = (MARK.to_owned(), MARK_CONTENT);
        // The index comes last: until it is there nothing has changed.
        let files = blobs.into_iter().chain([mark, (INDEX.to_owned(), index.as_slice())]);
        if !self.is_tar() {
            return write(&self.path, files);
        }
        let mut all = if is_there { std::mem::take(self.unpacked()?) } else { BTreeMap::new() };
        all.extend(files.map(|(name, bytes)| (name, bytes.to_vec())));
        let written = write_whole(&pack(&all)?, &self.path);
        written.with_context(|| format!("cannot write `{}`", shown(&self.path)))
    }
}

/// The file of a blob.
fn blob(digest: &Sha) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn write<'a>(folder: &Path, files: impl Iterator<Item = (String, &'a [u8])>) -> Result<()> {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).with_context(|| format!("cannot make `{}`", shown(&blobs)))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        write_whole(bytes, &path).with_context(|| format!("cannot write `{}`", shown(&path)))?;
    }
    Ok(())
}

/// The files in a tar file.
fn unpack(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(file::open(path, TAR_BYTES_MAX)?);
    let (mut long, mut left) = (None, TAR_ENTRIES_MAX);
    // The crate would read headers that extend the next one to their end, so they are read here.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        left = left
            .checked_sub(1)
            .with_context(|| format!("it has more than {TAR_ENTRIES_MAX} files and folders"))?;
        let kind = entry.header().entry_type();
        if is_extension(kind) && entry.size() > EXTENSION_BYTES_MAX {
            bail!("it has a header of {} bytes, the limit is {EXTENSION_BYTES_MAX}", entry.size());
        }
        if !kind.is_file() && !is_extension(kind) {
            long = None;
            continue;
        }
        let short = entry.path_bytes().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if is_extension(kind) {
            long = name_of(kind, &bytes).or(long);
            continue;
        }
        let name = long.take().unwrap_or(short);
        let name = String::from_utf8_lossy(&name);
        files.insert(name.trim_start_matches("./").to_owned(), bytes);
    }
    Ok(files)
}

/// Whether a header is about the next one.
fn is_extension(kind: tar::EntryType) -> bool {
    kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions()
}

/// The name of the next file, if a header has it.
fn name_of(kind: tar::EntryType, bytes: &[u8]) -> Option<Vec<u8>> {
    if kind.is_gnu_longname() {
        return Some(bytes.strip_suffix(&[0]).unwrap_or(bytes).to_vec());
    }
    let extensions = tar::PaxExtensions::new(bytes).flatten();
    let mut names = extensions.filter(|one| one.key_bytes() == b"path");
    names.next().map(|one| one.value_bytes().to_vec()).filter(|_| !kind.is_gnu_longlink())
}

/// A tar file of these files; the same files give the same bytes.
fn pack(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        builder.append_data(&mut header, name, Cursor::new(bytes))?;
    }
    Ok(builder.into_inner()?)
}

#[cfg(test)]
mod tests;
