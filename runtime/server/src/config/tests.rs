use commerce::billing::bill_state::Release;
use commerce::cpq::Policy;
use tmf::money::TAX_CATEGORY;

use super::*;
use crate::settings::{BillingSettings, References as Check, Strict};

fn commerce(text: &str) -> Result<BillingSettings, String> {
    let config: Result<Config, _> = toml::from_str(text);
    config.map(|config| config.commerce()).map_err(|error| error.to_string())
}

#[test]
fn an_operator_sets_the_tax_and_the_discount_that_needs_approval() {
    let usual = commerce("").unwrap();
    assert_eq!((usual.tax, usual.release), (None, Release::New));
    assert_eq!(usual.policy, Policy::default());
    let own = "[billing]\ntax-rate = \"7.7\"\ntax-category = \"MWST\"\ntime-zone = \"Europe/Zurich\"\nbills = \"sent\"\n\
               [quotes]\ndiscount-max = 12.5\ntotal-max = 5000\nvalid-days = 14\n";
    let own = commerce(own).unwrap();
    let tax = own.tax.unwrap();
    assert_eq!((tax.rate.to_string(), tax.category), ("7.7".into(), "MWST".into()));
    assert_eq!(own.release, Release::Sent);
    assert_eq!(own.zone.to_string(), "Europe/Zurich");
    assert_eq!(own.policy.discount_max.to_string(), "12.5");
    assert_eq!(own.policy.total_max.to_string(), "5000");
    assert_eq!(own.policy.valid_days, 14);
}

#[test]
fn an_operator_sets_how_strictly_documents_are_checked() {
    let usual = commerce("").unwrap().strictness;
    assert_eq!((usual.launch, usual.references), (Strict::Lenient, Check::Local));
    for rule in [usual.changes, usual.offering_prices, usual.patterns, usual.product_prices] {
        assert_eq!(rule, Strict::Strict);
    }
    let own = "[catalog]\nlaunch = \"strict\"\nchanges = \"lenient\"\nprices = \"lenient\"\n\
               patterns = \"lenient\"\n[inventory]\nprices = \"lenient\"\n\
               [references]\ncheck = \"none\"\n";
    let own = commerce(own).unwrap().strictness;
    assert_eq!((own.launch, own.references), (Strict::Strict, Check::None));
    for rule in [own.changes, own.offering_prices, own.patterns, own.product_prices] {
        assert_eq!(rule, Strict::Lenient);
    }
}

#[test]
fn mistakes_are_reported_with_their_line_and_column() {
    let wrong = [
        ("[billing]\ntax-rate = -1\n", "line 2, column 12", "a number from 0 to 100"),
        ("[billing]\ntax-rate = \"much\"\n", "line 2, column 12", "a number from 0 to 100"),
        (
            "[billing]\ntime-zone = \"Mars/Dome\"\n",
            "line 2, column 13",
            "such as \"Europe/Berlin\"",
        ),
        ("[billing]\ntime-zone = 2\n", "line 2, column 13", "string"),
        ("[billing]\nbills = \"burnt\"\n", "line 2, column 9", "unknown variant"),
        ("[quotes]\n\ndiscount-max = 101\n", "line 3, column 16", "a number from 0 to 100"),
        ("[quotes]\nvalid-days = 0\n", "line 2, column 14", "1 to 3650 days"),
        ("[quotes]\ntotal = 1\n", "line 2, column 1", "unknown field"),
        ("[catalog]\nlaunch = \"maybe\"\n", "line 2, column 10", "expected `strict` or `lenient`"),
        ("[catalog]\nprice = \"strict\"\n", "line 2, column 1", "unknown field"),
        ("[references]\ncheck = \"some\"\n", "line 2, column 9", "unknown variant"),
    ];
    for (text, place, reason) in wrong {
        let said = commerce(text).unwrap_err();
        assert!(said.contains(place) && said.contains(reason), "{text}: {said}");
    }
}

#[test]
fn limits_and_retention_have_bounds_and_name_their_key() {
    let read = |text: &str| toml::from_str::<Config>(text).map_err(|error| error.to_string());
    let usual = read("").unwrap();
    usual.check().unwrap();
    assert_eq!(usual.engine_limits(), engine::Limits::default());
    let own = read("[limits]\nopen-orders = 5\n[retention]\ncallbacks-minutes = 2\n").unwrap();
    assert_eq!(own.engine_limits().open_orders, 5);
    assert_eq!(own.engine_limits().callback_keep_ms, 120_000);
    for (text, key) in [
        ("[limits]\nopen-orders = 0\n", "`[limits] open-orders`"),
        ("[limits]\nopen-orders-mib = 0\n", "`[limits] open-orders-mib`"),
        ("[limits]\ncallbacks-kept = 0\n", "`[limits] callbacks-kept`"),
        ("[limits]\ncallbacks-kept-mib = 9999999\n", "`[limits] callbacks-kept-mib`"),
        ("[limits]\nstore-cache-mib = 0\n", "`[limits] store-cache-mib`"),
        ("[limits]\ndisk-free-mib = 9999999\n", "`[limits] disk-free-mib`"),
        ("[retention]\nruns-days = 0\n", "`[retention] runs-days`"),
        ("[retention]\norders-days = 0\n", "`[retention] orders-days`"),
        ("[retention]\nlogs-days = 40000\n", "`[retention] logs-days`"),
        ("[retention]\nsubmissions-days = 0\n", "`[retention] submissions-days`"),
        ("[retention]\ncallbacks-minutes = 20000\n", "`[retention] callbacks-minutes`"),
    ] {
        let said = read(text).map(drop).unwrap_err();
        assert!(said.contains(key), "{text}: {said}");
    }
    let longer = read("[retention]\nruns-days = 2\nsubmissions-days = 3\n").unwrap();
    let said = longer.check().unwrap_err().to_string();
    assert!(said.contains("submissions-days"), "{said}");
}

#[test]
fn limits_of_plugins_are_set_under_host() {
    let read = |text: &str| toml::from_str::<Config>(text).map_err(|error| error.to_string());
    assert_eq!(read("").unwrap().host, Host::default());
    let text = "[host]\ninstances = 64\nmemory-mib = 512\nplugin-share-percent = 50\ncores = 1\n";
    let host = read(text).unwrap().host;
    let expected = Host {
        instances: 64,
        memory_mib: 512,
        plugin_share_percent: 50,
        cores: 1,
        ..Host::default()
    };
    assert_eq!(host, expected);
    for (line, reason) in [
        ("instances = 0", "a number from 1 to 4096"),
        ("memory-mib = 63", "a number from 64 to 1048576"),
        ("plugin-share-percent = 101", "a number from 1 to 100"),
        ("cores = 1025", "a number from 0 to 1024"),
        ("memory = 1", "unknown field"),
    ] {
        let said = read(&format!("[host]\n{line}\n")).unwrap_err();
        assert!(said.contains("line 2") && said.contains(reason), "{line}: {said}");
    }
}

/// The settings with what has no default as well.
fn uncommented() -> String {
    let is_setting = |line: &str| {
        let name = line.split(['=', ']']).next().unwrap_or_default().trim_start_matches('[').trim();
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:\"".contains(c);
        let is_name = name.chars().all(is_plain);
        is_name && (line.contains(" = ") || line.starts_with('['))
    };
    let lines = SETTINGS.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if is_setting(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_setting_is_listed_with_its_default() {
    let listed: Config = toml::from_str(SETTINGS).unwrap();
    let mut usual = Config::default();
    // The default name.
    usual.billing.tax_category = Some(TAX_CATEGORY.into());
    assert_eq!(format!("{listed:?}"), format!("{usual:?}"));
    let all: toml::Table = toml::from_str(&uncommented()).unwrap();
    toml::from_str::<Config>(&uncommented()).unwrap();
    // The reader names what it knows when it is given something else.
    let check = |section: &str, table: &toml::Table| {
        let text = format!("{section}\nnothing-of-this-name = 1\n");
        let told = toml::from_str::<Config>(&text).unwrap_err().to_string();
        let known =
            told.split("expected one of ").nth(1).or_else(|| told.split("expected ").nth(1));
        let known = known.unwrap().split('`').skip(1).step_by(2);
        for name in known {
            assert!(table.contains_key(name), "{section}: `{name}` is not in settings.toml");
        }
    };
    check("", &all);
    for (name, value) in &all {
        match (name.as_str(), value) {
            ("plugins", toml::Value::Table(plugins)) => {
                let plugin = plugins["rest-activator"].as_table().unwrap();
                check("[plugins.rest-activator]", plugin);
                let limits = plugin["limits"].as_table().unwrap();
                check("[plugins.rest-activator.limits]", limits);
                let target = plugin["targets"]["10.0.0.7:8443"].as_table().unwrap();
                check("[plugins.rest-activator.targets.\"10.0.0.7:8443\"]", target);
            }
            ("targets", toml::Value::Table(targets)) => {
                let section = "[targets.\"10.0.0.7:8443\"]";
                check(section, targets["10.0.0.7:8443"].as_table().unwrap());
            }
            (name, toml::Value::Table(section)) => check(&format!("[{name}]"), section),
            _ => {}
        }
    }
}

#[test]
fn the_page_of_settings_is_made_of_them() {
    let page = format!(
        "# Settings\n\nAll settings of `ferrule serve --config FILE`, each with its default. This page is \
         made of what\n`ferrule settings` prints. A key that is not listed is an error, with its line and \
         column. `FERRULE_LOG=info`\nin the environment logs more than warnings.\n\n```toml\n{SETTINGS}```\n"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    if std::env::var_os("FERRULE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "run this test with FERRULE_BLESS=1");
}

#[test]
fn rates_of_shared_targets_are_read_or_refused() {
    let read = |text: &str| toml::from_str::<Config>(text).map_err(|error| error.to_string());
    assert_eq!(
        read("[targets.\"nms:443\"]\nper-second = 0.5\nburst = 2").unwrap().targets.len(),
        1
    );
    for (text, what) in [
        ("[targets.\"*\"]\nconcurrency = 1", "name it by `host:port`"),
        ("[targets.nms]\nconcurrency = 1", "`host:port` of one host"),
        ("[targets.\"nms:443\"]\nconcurrency = 0", "nonzero"),
        ("[targets.\"nms:443\"]\nburst = 2", "`burst` is of no use without `per-second`"),
        ("[targets.\"nms:443\"]\nper-second = 0", "0.001 to 1000000 a second"),
        ("[targets.\"nms:443\"]\nca = \"x\"", "unknown field `ca`"),
        ("[plugins.p.limits]\nper-second = -1", "0.001 to 1000000 a second"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(what), "{text}: {error}");
    }
}

#[test]
fn a_grant_of_a_secret_that_is_not_there_or_goes_nowhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ferrule.toml");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Config::read(Some(&path)).map_err(|error| error.to_string())
    };
    let source = "[secrets.nms]\nfile = \"/run/nms\"\n[plugins.olt.secrets]\n";
    let good =
        read(&format!("{source}password = {{ secret = \"nms\", to = [\"http://nms:80\"] }}"));
    assert_eq!(good.unwrap().secrets.len(), 1);
    for (grant, why) in [
        ("password = { secret = \"nmx\", to = [\"http://nms:80\"] }", "add `[secrets.nmx]`"),
        (
            "password = { secret = \"nms\", to = [] }",
            "`plugins.olt.secrets.password` may go nowhere",
        ),
        ("password = { secret = \"nms\" }", "missing field `to`"),
        ("password = \"hunter2\"", "expected struct SecretGrant"),
    ] {
        let error = read(&format!("{source}{grant}\n")).unwrap_err();
        assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_address_beyond_loopback_needs_tls_and_authentication() {
    const TLS: &str = "[tls]\ncertificate = \"c\"\nkey = \"k\"\n";
    const ACCESS: &str = "[access]\nauthentication = \"required\"\n";
    const URL: &str = "public-url = \"https://ferrule.example\"\n";
    let check = |listen: &str, settings: &[&str]| {
        let (heads, tables): (Vec<&str>, Vec<&str>) =
            settings.iter().partition(|text| !text.starts_with('['));
        let text = format!("listen = \"{listen}\"\n{}{}", heads.concat(), tables.concat());
        toml::from_str::<Config>(&text).unwrap().check().map_err(|error| error.to_string())
    };
    for listen in ["127.0.0.1:0", "127.8.9.1:80", "[::1]:0"] {
        for settings in [&[][..], &[TLS], &[ACCESS], &[TLS, ACCESS, URL]] {
            assert_eq!(check(listen, settings), Ok(()), "{listen} {settings:?}");
        }
    }
    for listen in
        ["0.0.0.0:0", "[::]:0", "10.0.0.5:8443", "[::ffff:10.0.0.5]:1", "[2001:db8::1]:443"]
    {
        for settings in [&[][..], &[TLS], &[ACCESS], &[ACCESS, URL]] {
            let error = check(listen, settings).unwrap_err();
            for named in [listen, "`[tls]`", "`[access] authentication = \"required\"`"] {
                assert!(error.contains(named), "{error}");
            }
        }
        assert_eq!(check(listen, &[TLS, ACCESS, URL]), Ok(()), "{listen}");
    }
    assert_eq!(check("10.0.0.5:8443", &[TLS, ACCESS]), Ok(()));
    assert!(check("0.0.0.0:8443", &[TLS, ACCESS]).unwrap_err().contains("`public-url`"));
}

#[test]
fn settings_of_tls_that_have_no_effect_are_refused() {
    let check = |rest: &str| {
        let text = format!("[tls]\ncertificate = \"c\"\nkey = \"k\"\n{rest}");
        toml::from_str::<Config>(&text).unwrap().check().map_err(|error| error.to_string())
    };
    assert_eq!(check(""), Ok(()));
    assert_eq!(check("client-ca = \"ca\"\nclient-certificates = \"optional\""), Ok(()));
    assert!(check("client-ca = \"ca\"").unwrap_err().contains("`[tls] client-ca` is of no use"));
    let error = check("client-certificates = \"required\"").unwrap_err();
    assert!(error.contains("add `client-ca`"), "{error}");
}

#[test]
fn a_public_url_is_one_that_hrefs_can_begin_with() {
    let check = |url: &str| {
        let config = Config { public_url: Some(url.into()), ..Config::default() };
        config.check().is_ok()
    };
    for url in ["https://ferrule.example", "http://10.0.0.5:8080/", "https://example.com/ferrule"] {
        assert!(check(url), "{url}");
    }
    for url in [
        "",
        "ferrule.example",
        "ftp://x",
        "https://",
        "https://a@b",
        "https://a/?b",
        "https://a/#b",
        "/x",
    ] {
        assert!(!check(url), "{url}");
    }
}

#[test]
fn callbacks_by_certificate_need_certificates_to_be_asked_for() {
    let check = |tls: &str| {
        let text = format!("{tls}\n[plugins.olt]\ncallbacks = {{ subject = \"CN=olt-1\" }}");
        toml::from_str::<Config>(&text).unwrap().check().map_err(|error| error.to_string())
    };
    let tls = "[tls]\ncertificate = \"c\"\nkey = \"k\"";
    for without in ["", tls] {
        assert!(check(without).unwrap_err().contains("`[tls] client-certificates`"), "{without}");
    }
    assert_eq!(
        check(&format!("{tls}\nclient-ca = \"ca\"\nclient-certificates = \"optional\"")),
        Ok(())
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, or one command")]
fn settings_without_an_effect_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&garbage, "no certificate").unwrap();
    let check = |text: &str| {
        let config = toml::from_str::<Config>(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())
    };
    let key = "acme = \"RWRq6au8sBZD3fqYeLmMjMjWLmCtNgvhY94zsmTl+tNDXnsLx1PCws6Z\"";
    let vault = "vault = { url = \"https://v\", field = \"f\", path = \"p\"";
    let table = [
        ("body-bytes-max = 0".to_owned(), "`body-bytes-max` is a number from 1"),
        (
            "body-bytes-max = 2097152\n[limits]\nbodies-mib = 1".into(),
            "`body-bytes-max` is a number from 1 to 1048576",
        ),
        ("[events]\nattempts = 0".into(), "`[events] attempts` is a number from 1"),
        ("[events]\nanswer-wait-ms = 0".into(), "`[events] answer-wait-ms` is a number from 1"),
        ("[events]\npause-after-minutes = 0".into(), "`[events] pause-after-minutes`"),
        ("[events]\nkeep-max = 0".into(), "`[events] keep-max`"),
        (
            "[events]\nkeep = 20\nkeep-max = 10".into(),
            "`[events] keep` is 20, and `keep-max` lets 10",
        ),
        (
            "[billing]\ntax-category = \"MWST\"".into(),
            "`[billing] tax-category` is the name of the tax of `tax-rate`",
        ),
        (
            "[billing]\ntax-rate = 19\ntax-category = \"\"".into(),
            "`[billing] tax-category` is empty",
        ),
        (
            "[edge]\nforwarded-header = \"forwarded\"".into(),
            "`[edge] forwarded-header` is read from `trusted-proxies` only",
        ),
        (
            format!("[install.keys]\n{key}"),
            "`[install] keys` have no effect while `signatures` is \"off\"",
        ),
        (
            format!("[install.certifiers]\n{key}"),
            "`[install] certifiers` have no effect while `certificates`",
        ),
        ("[traces]\nsample = 0.5".into(), "`sample` is the share"),
        (format!("[traces]\ncollector = \"https://otel\"\nca = {garbage:?}"), "[traces]"),
        ("[access.roles.dealer]\nallow = []".into(), "lists roles, issuers"),
        ("[secrets.\"a b\"]\nfile = \"x\"".into(), "`[secrets.\"a b\"]`: a name has"),
        ("[secrets.a]\nfile = \"\"".into(), "`file` is empty"),
        ("[secrets.a]\nenv = \"A=B\"".into(), "`env` is the name of a variable"),
        ("[secrets.a]\nenv = \"A\"\nrenew-s = 5".into(), "`renew-s` is of no use"),
        ("[secrets.a]\ncommand = [\"\"]".into(), "`command` is a program"),
        (format!("[secrets.a]\n{}}}", vault.replace("\"p\"", "\"/\"")), "`vault.path` is empty"),
        (format!("[secrets.a]\n{}}}", vault.replace("\"f\"", "\"\"")), "`vault.field` is empty"),
        (format!("[secrets.a]\n{vault}, ca = {garbage:?} }}"), "`[secrets.a]`: "),
        ("[plugins.\"Acme OLT\"]".into(), "`[plugins.\"Acme OLT\"]`: the id of a plugin has"),
        (
            "[plugins.olt]\ninventory = [\"produkt\"]".into(),
            "`[plugins.olt]` `inventory`: there are no documents",
        ),
    ];
    for (text, expected) in table {
        let error = check(&text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    for text in [
        format!("[install]\nsignatures = \"checked\"\n[install.keys]\n{key}"),
        "[billing]\ntax-rate = 19\ntax-category = \"MWST\"".into(),
        "[edge]\nforwarded-header = \"forwarded\"\ntrusted-proxies = [\"10.0.0.1\"]".into(),
        format!("[secrets.a]\n{vault} }}"),
    ] {
        assert_eq!(check(&text), Ok(()), "{text}");
    }
}
