use super::*;

/// The smallest component: it has nothing in it.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

fn engine() -> Engine {
    Engine::default()
}

fn artefact(cache: &Cache) -> PathBuf {
    let mut paths = fs::read_dir(&cache.artefacts).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).unwrap()
}

#[test]
fn what_was_compiled_is_loaded_and_not_compiled_again() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let cache = Cache::open(folder.path()).unwrap();
    let digest = Digest::of(EMPTY);
    cache.compile(&engine, &digest, EMPTY).unwrap();
    // These bytes would not compile.
    cache.compile(&engine, &digest, b"").unwrap();
}

#[test]
fn an_artefact_that_was_changed_is_not_loaded() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let cache = Cache::open(folder.path()).unwrap();
    let digest = Digest::of(EMPTY);
    cache.compile(&engine, &digest, EMPTY).unwrap();
    let path = artefact(&cache);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(cached(&engine, &path).is_none());
    cache.compile(&engine, &digest, EMPTY).unwrap();
    assert!(cached(&engine, &path).is_some());
}

#[test]
fn plugins_are_kept_by_their_digest() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let digest = Digest::of(EMPTY);
    assert_eq!(cache.kept(&digest).unwrap(), None);
    cache.keep(&digest, EMPTY).unwrap();
    assert_eq!(cache.kept(&digest).unwrap().as_deref(), Some(EMPTY));
    fs::write(cache.plugin(&digest), b"other").unwrap();
    assert_eq!(cache.kept(&digest).unwrap(), None);
    assert_eq!(cache.kept(&Digest::new("../../etc/passwd")).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn only_this_user_can_enter_the_cache() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    for path in [&cache.plugins, &cache.artefacts] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
