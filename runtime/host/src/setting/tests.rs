use super::*;

fn settings(text: &str) -> Settings {
    toml::from_str(text).unwrap()
}

fn given(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

#[test]
fn a_value_is_of_its_type_and_within_its_bounds() {
    for (declared, good, bad, why) in [
        ("type = \"integer\"\nmin = 1\nmax = 10", "10", "ten", "must be a whole number"),
        ("type = \"integer\"\nmin = 1\nmax = 10", "1", "0", "must be at least 1"),
        ("type = \"integer\"\nmin = 1\nmax = 10", "3", "11", "must be at most 10"),
        ("type = \"decimal\"\nmax = \"2.5\"", "-1.25", "2.51", "must be at most 2.5"),
        ("type = \"decimal\"", "0", "1,5", "must be a number"),
        ("type = \"boolean\"", "false", "yes", "must be \"true\" or \"false\""),
        ("type = \"url\"", "https://nms:8443/a", "nms:8443", "must be an address"),
        ("type = \"url\"", "http://[::1]", "http://u:p@nms", "without a user"),
        ("type = \"duration\"\nmin = \"1s\"", "1000ms", "999ms", "must be at least 1s"),
        ("type = \"duration\"\nmax = \"1h\"", "60m", "1d", "must be at most 1h"),
        ("type = \"duration\"", "2h", "30", "must be a time"),
        ("type = \"list\"", "a, b", "a,,b", "must be texts with commas"),
        ("type = \"text\"\none-of = [\"a\", \"b\"]", "b", "c", "must be one of `a`, `b`"),
    ] {
        let declared = settings(&format!("[x]\n{declared}"));
        assert_eq!(declared["x"].check_itself("x"), Ok(()));
        assert_eq!(check("acme", &declared, &given(&[("x", good)])), Ok(()), "{good}");
        let mistakes = check("acme", &declared, &given(&[("x", bad)])).unwrap_err();
        let found = mistakes[0].contains(why) && mistakes[0].contains("[plugins.acme.config]");
        assert!(found, "{bad}: {mistakes:?}");
    }
}

#[test]
fn a_setting_that_is_missing_or_unknown_is_told_with_the_fix() {
    let declared = settings(
        "[timeout]\ntype = \"duration\"\n[user]\ntype = \"text\"\nmandatory = true\n\
         [\"element.*\"]\ntype = \"url\"\nmandatory = true",
    );
    let wrong = [("timeot", "30s"), ("zzz", "hunter2"), ("element.olt-1", "hunter2")];
    let mistakes = check("acme", &declared, &given(&wrong)).unwrap_err().join("\n");
    for told in [
        "`timeot` of `[plugins.acme.config]` is no setting of the plugin: write `timeout`",
        "`zzz` of `[plugins.acme.config]` is no setting of the plugin: remove it",
        "`element.olt-1` of `[plugins.acme.config]` must be an address",
        "add `\"user\" = \"VALUE\"` to `[plugins.acme.config]`",
    ] {
        assert!(mistakes.contains(told), "{mistakes}");
    }
    assert!(!mistakes.contains("hunter2"), "{mistakes}");
    let right = [("user", "u"), ("element.olt-1", "http://olt")];
    assert_eq!(check("acme", &declared, &given(&right)), Ok(()));
    assert_eq!(check("acme", &Settings::new(), &given(&wrong)), Ok(()), "none are declared");
}

#[test]
fn a_wrong_declaration_is_refused() {
    for (declared, why) in [
        ("type = \"integer\"\ndefault = \"a\"", "its `default` must be a whole number"),
        ("type = \"integer\"\nmin = 5\ndefault = 1", "its `default` must be at least 5"),
        ("type = \"text\"\nmax = 5", "its type has none"),
        ("type = \"text\"\nmandatory = true\ndefault = \"a\"", "has no default"),
        ("type = \"boolean\"\none-of = [\"maybe\"]", "its `one-of` must be \"true\""),
    ] {
        let declared = settings(&format!("[x]\n{declared}"));
        let error = declared["x"].check_itself("x").unwrap_err();
        assert!(error.contains(why) && error.starts_with("setting `x`"), "{error}");
    }
}

#[test]
fn a_default_is_one_value() {
    for (default, is_right) in [
        ("\"30s\"", true),
        ("30", true),
        ("2.5", true),
        ("true", true),
        ("[1]", false),
        ("{ a = 1 }", false),
        ("2026-01-01", false),
    ] {
        let read =
            toml::from_str::<Settings>(&format!("[x]\ntype = \"text\"\ndefault = {default}"));
        assert_eq!(read.is_ok(), is_right, "{default}");
    }
}

#[test]
fn defaults_are_those_of_plain_names() {
    let declared = settings(
        "[a]\ntype = \"integer\"\ndefault = 3\n[b]\ntype = \"text\"\n\
         [\"c.*\"]\ntype = \"text\"\ndefault = \"x\"",
    );
    let declared = Declared::new(&declared);
    assert_eq!(declared.default("a").map(String::as_str), Some("3"));
    assert_eq!((declared.default("b"), declared.default("c.*")), (None, None));
}
