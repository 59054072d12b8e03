use std::fs;

use super::*;

/// A folder with the file of a tenant, and the settings of a server that name it.
fn tenant(text: &str) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.toml");
    fs::write(&path, text).unwrap();
    let server = format!("data = \"/data\"\n[tenants.acme]\nsettings = {path:?}\n");
    let server: Config = toml::from_str(&server).unwrap();
    (folder, server)
}

fn refused(text: &str) -> String {
    let (_folder, server) = tenant(text);
    engine::causes::chain(&server.of_tenants().unwrap_err())
}

const FOLDERS: &str = "plugins-dir = \"p\"\nworkflows-dir = \"w\"\n";

#[test]
fn tenants_have_plain_names_and_a_share() {
    let read = |text: &str| toml::from_str::<Config>(text).map(|config| config.tenants);
    let tenants = read(
        "[tenants.a]\nsettings = \"a.toml\"\n[tenants.b-2]\nsettings = \"b\"\nshare-percent = 9\n",
    );
    let tenants = tenants.unwrap();
    assert_eq!(tenants["a"].share_percent, 50);
    assert_eq!(tenants["b-2"].share_percent, 9);
    for (text, reason) in [
        ("[tenants.Acme]\nsettings = \"a\"\n", "1 to 32 of `a` to `z`"),
        ("[tenants.default]\nsettings = \"a\"\n", "`default` is the tenant of this file"),
        ("[tenants.a]\n", "missing field `settings`"),
        ("[tenants.a]\nsettings = \"a\"\nshare-percent = 0\n", "number from 1 to 100"),
        ("[tenants.a]\nsettings = \"a\"\nshare = 1\n", "unknown field"),
    ] {
        let said = read(text).unwrap_err().to_string();
        assert!(said.contains(reason), "{text}: {said}");
    }
}

#[test]
fn settings_of_the_server_are_refused_by_name_in_the_file_of_a_tenant() {
    for key in OF_SERVER {
        let text = match key {
            ["limits", name] => format!("{FOLDERS}[limits]\n{name} = 1\n"),
            [name, ..] => format!("{name} = 1\n{FOLDERS}"),
            [] => unreachable!("a key has a name"),
        };
        let said = refused(&text);
        assert!(said.contains(&format!("sets `{}`", key.join("."))), "{said}");
    }
    for missing in NEEDED {
        let rest = FOLDERS.lines().filter(|line| !line.starts_with(missing));
        let said = refused(&rest.collect::<Vec<_>>().join("\n"));
        assert!(said.contains(&format!("has no `{missing}`")), "{said}");
    }
    let said = refused(&format!("{FOLDERS}[quotes]\nvalid-days = 0\n"));
    assert!(said.contains("line 4, column 14"), "{said}");
}

#[test]
fn paths_of_a_tenant_begin_at_its_file() {
    let settings = "[traces]\ncollector = \"https://otel\"\nca = \"t/ca\"\n\
         [secrets.a]\nfile = \"t/a\"\n[secrets.b]\nenv = \"B\"\nenv-file = \"t/b\"\n\
         [secrets.c]\nvault = { url = \"https://v\", path = \"p\", field = \"f\", token-file = \"t/c\", ca = \"t/v\" }\n\
         [install.keys]\nk = { file = \"t/k\" }\n[install.certifiers]\nl = { file = \"/t/l\" }\n\
         [plugins.x]\nfile = \"t/x.wasm\"\n\
         [plugins.x.targets.\"h:1\"]\nca = \"t/h\"\ncertificate = \"t/i\"\nkey = { secret = \"a\" }\n";
    let (folder, server) = tenant(&format!("{FOLDERS}{settings}"));
    let config = server.of_tenants().unwrap().pop_first().unwrap().1;
    let folder = folder.path();
    assert_eq!(config.plugins_dir, folder.join("p"));
    assert_eq!(config.workflows_dir, folder.join("w"));
    let text = format!("{config:?}");
    for name in ["ca", "a", "b", "c", "v", "k", "h", "i"] {
        let path = format!("{:?}", folder.join("t").join(name));
        assert!(text.contains(&path), "{path} in {text}");
    }
    // An absolute path stays, and so does the name of a plugin's file.
    assert!(text.contains("\"/t/l\"") && text.contains("\"t/x.wasm\""), "{text}");
}

#[test]
fn a_tenant_is_within_its_server() {
    let (_folder, mut server) = tenant(&format!("{FOLDERS}[limits]\nopen-orders = 7\n"));
    server.public_url = Some("https://ferrule.example/".into());
    server.limits.exports = 9;
    server.host.instances = 8;
    server.audit = toml::from_str::<Config>("[audit]\nmode = \"off\"\n").unwrap().audit;
    let config = server.of_tenants().unwrap().pop_first().unwrap().1;
    assert_eq!(config.data, Path::new("/data/tenants/acme"));
    assert_eq!(config.public_url.as_deref(), Some("https://ferrule.example/tenants/acme"));
    assert_eq!((config.limits.open_orders, config.limits.exports), (7, 9));
    assert_eq!(config.host.instances, 8);
    assert_eq!(format!("{:?}", config.audit), format!("{:?}", server.audit));
}

#[test]
fn a_folder_of_plugins_has_one_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    fs::create_dir(&a).unwrap();
    let check = |b: &Path| check_folders([("default", a.as_path()), ("acme", b)].into_iter());
    fs::create_dir(&b).unwrap();
    check(&b).unwrap();
    fs::remove_dir(&b).unwrap();
    std::os::unix::fs::symlink(&a, &b).unwrap();
    for same in [&a, &b] {
        let said = check(same).unwrap_err().to_string();
        assert!(said.contains("`default` and `acme`"), "{said}");
    }
}

#[test]
fn the_file_of_a_tenant_is_checked_and_named_by_its_table() {
    let gone: Config = toml::from_str("[tenants.acme]\nsettings = \"gone.toml\"\n").unwrap();
    let said = engine::causes::chain(&gone.of_tenants().unwrap_err());
    assert!(
        said.starts_with("`[tenants.acme] settings` cannot be used: cannot read `gone.toml`"),
        "{said}"
    );
    for (text, expected) in [
        (
            "[plugins.olt]\ncallbacks = { subject = \"CN=olt-1\" }",
            "needs `[tls] client-certificates`",
        ),
        ("[retention]\nsubmissions-days = 100", "`[retention] submissions-days`"),
        ("[events]\nkeep = 2\nkeep-max = 1", "`[events] keep`"),
        ("[plugins.olt]\npools = [\"a*b\"]", "`[plugins.olt]` `pools`"),
    ] {
        let (_folder, server) = tenant(&format!("{FOLDERS}{text}\n"));
        let config = server.of_tenants().unwrap().pop_first().unwrap().1;
        let said = config.check_own(config.asks()).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}
