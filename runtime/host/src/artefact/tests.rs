use super::*;
use std::io::Write as _;

/// The smallest component: it has nothing in it.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

fn engine() -> Engine {
    Engine::default()
}

fn artefact(cache: &Cache) -> PathBuf {
    let mut paths = fs::read_dir(&cache.artefacts).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).unwrap()
}

/// Writes what the compiler would, and takes it over.
fn compile(cache: &Cache, engine: &Engine, digest: &Digest) {
    let bytes = engine.precompile_component(EMPTY).unwrap();
    cache.draft(engine, digest).unwrap().write_all(&bytes).unwrap();
    cache.adopt(engine, digest).unwrap();
}

#[test]
fn compiled_code_is_loaded_and_not_compiled_again() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let cache = Cache::open(folder.path()).unwrap();
    let digest = Digest::of(EMPTY);
    assert!(cache.compiled(&engine, &digest).is_none());
    compile(&cache, &engine, &digest);
    assert!(cache.compiled(&engine, &digest).is_some());
}

#[test]
fn an_artefact_that_was_changed_is_not_loaded() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let cache = Cache::open(folder.path()).unwrap();
    let digest = Digest::of(EMPTY);
    compile(&cache, &engine, &digest);
    let path = artefact(&cache);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(cache.compiled(&engine, &digest).is_none());
    compile(&cache, &engine, &digest);
    assert!(cache.compiled(&engine, &digest).is_some());
    // One who can write there and has no key cannot seal it anew: any other key is another seal.
    let other = tempfile::tempdir().unwrap();
    let tag = Seal::open(other.path()).unwrap().tag(&path, &bytes);
    fs::write(&path, &bytes).unwrap();
    fs::write(path.with_extension(TAG), tag).unwrap();
    assert!(cache.compiled(&engine, &digest).is_none());
}

#[test]
fn an_artefact_does_not_stand_in_for_another() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let cache = Cache::open(folder.path()).unwrap();
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    compile(&cache, &engine, &one);
    compile(&cache, &engine, &other);
    let (from, to) = (cache.artefact(&engine, &one), cache.artefact(&engine, &other));
    for kind in ["cwasm", TAG] {
        fs::copy(from.with_extension(kind), to.with_extension(kind)).unwrap();
    }
    assert!(cache.compiled(&engine, &one).is_some());
    assert!(cache.compiled(&engine, &other).is_none());
}

#[cfg(unix)]
#[test]
fn the_key_is_kept_apart_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let (cache, digest) = (Cache::open(folder.path()).unwrap(), Digest::of(EMPTY));
    compile(&cache, &engine, &digest);
    let key = folder.path().join("key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    // A start finds it again; without it, all is compiled again.
    assert!(Cache::open(folder.path()).unwrap().compiled(&engine, &digest).is_some());
    fs::remove_file(&key).unwrap();
    assert!(Cache::open(folder.path()).unwrap().compiled(&engine, &digest).is_none());
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
    for path in [&cache.plugins, &cache.artefacts, &cache.refused] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn half_an_artefact_is_not_adopted() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let cache = Cache::open(folder.path()).unwrap();
    let digest = Digest::of(EMPTY);
    let bytes = engine.precompile_component(EMPTY).unwrap();
    cache.draft(&engine, &digest).unwrap().write_all(&bytes[..bytes.len() / 2]).unwrap();
    assert!(cache.adopt(&engine, &digest).is_err());
    // A process that was killed left it there.
    Cache::open(folder.path()).unwrap();
    assert_eq!(fs::read_dir(&cache.artefacts).unwrap().count(), 0);
    cache.draft(&engine, &digest).unwrap();
    cache.discard(&engine, &digest);
    assert_eq!(fs::read_dir(&cache.artefacts).unwrap().count(), 0);
}

#[test]
fn a_refusal_is_remembered_until_its_limit_is_raised() {
    let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
    let digest = Digest::of(EMPTY);
    let limits = CompileLimits::default();
    let refused =
        Refusal { limit: Some((Setting::Cpu, limits.compile_cpu_s)), reason: "long".into() };
    let path = Cache::open(folder.path()).unwrap().refuse(&engine, &digest, &refused);
    let cache = Cache::open(folder.path()).unwrap();
    assert_eq!(cache.refusal(&engine, &digest, &limits), Some((refused, path.clone())));
    let memory = CompileLimits { compile_memory_mib: 8_000, ..limits };
    assert!(cache.refusal(&engine, &digest, &memory).is_some());
    let raised = CompileLimits { compile_cpu_s: limits.compile_cpu_s + 1, ..limits };
    assert!(cache.refusal(&engine, &digest, &raised).is_none());
    fs::remove_file(path).unwrap();
    assert!(cache.refusal(&engine, &digest, &limits).is_none());
}
