use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn allows(rule: &str, request: &str) -> bool {
    let rule: Rule = rule.parse().unwrap();
    let (method, uri) = request.split_once(' ').unwrap();
    rule.allows(&Method::from_bytes(method.as_bytes()).unwrap(), &uri.parse().unwrap())
}

#[test]
fn a_rule_allows_only_what_it_names() {
    let rule = "http://nms.example:8080/api GET,POST";
    assert!(allows(rule, "GET http://nms.example:8080/api"));
    assert!(allows(rule, "POST http://NMS.example:8080/api/ports?x=1"));
    for request in [
        "DELETE http://nms.example:8080/api",
        "GET https://nms.example:8080/api",
        "GET http://nms.example/api",
        "GET http://nms.example.evil:8080/api",
        "GET http://evil-nms.example:8080/api",
        "GET http://nms.example:8080/apis",
        "GET http://nms.example:8080/",
        "GET http://nms.example:8080/api/../admin",
        "GET http://nms.example:8080/api/%2e%2E/admin",
        "GET http://nms.example:8080/api%2Fadmin",
    ] {
        assert!(!allows(rule, request), "{request}");
    }
}

#[test]
fn a_star_stands_for_names_under_a_name() {
    assert!(allows("https://*.nms.example", "PUT https://a.b.nms.example/x"));
    assert!(!allows("https://*.nms.example", "PUT https://nms.example/x"));
    assert!(!allows("https://*.nms.example", "PUT https://evilnms.example/x"));
}

#[test]
fn an_address_is_an_address_however_it_is_written() {
    assert!(allows("http://127.0.0.1:9100", "GET http://127.0.0.1:9100/"));
    assert!(allows("http://127.0.0.1:9100", "GET http://[::ffff:127.0.0.1]:9100/"));
    assert!(allows("http://[::1]:80", "GET http://[0:0:0:0:0:0:0:1]/"));
    assert!(!allows("http://127.0.0.1:9100", "GET http://127.0.0.2:9100/"));
    assert!(!allows("http://localhost:9100", "GET http://127.0.0.1:9100/"));
}

#[test]
fn a_malformed_rule_is_refused_with_the_reason() {
    for (rule, why) in [
        ("", "empty"),
        ("127.0.0.1:80", "scheme"),
        ("ftp://x", "http or https"),
        ("http://", "host"),
        ("http://*", "host"),
        ("http://*x", "host"),
        ("http://x:http", "port"),
        ("http://a@b", "user"),
        ("http://x/y?z", "query"),
        ("http://x:*", "the port must be one number"),
        ("http://x GET POST", "a word too many"),
        ("http://x redirects=1 GET", "a word too many"),
        ("http://x redirects=11", "0 to 10 redirects"),
        ("http://x/a*", "a whole segment"),
        ("http://x/**/b", "may only end"),
    ] {
        let error = rule.parse::<Rule>().unwrap_err().to_string();
        assert!(error.contains(why), "{rule}: {error}");
    }
}

#[test]
fn a_rule_with_a_password_is_refused_without_showing_it() {
    let error = "http://admin:hunter2@nms:80/x GET".parse::<Rule>().unwrap_err().to_string();
    assert!(error.contains("`http://nms:80/x GET`") && !error.contains("hunter2"), "{error}");
}

#[test]
fn the_rule_that_a_request_asks_for_allows_it() {
    let uri: Uri = "http://[fd00::1]/api/x?q=1".parse().unwrap();
    let asked = Rule::asked(&Method::PUT, &uri);
    assert_eq!(asked, "http://[fd00::1]:80/api/x PUT");
    assert!(asked.parse::<Rule>().unwrap().allows(&Method::PUT, &uri));
}

#[test]
fn a_star_stands_for_one_segment_and_two_for_all_below() {
    for (rule, covered, not_covered) in [
        ("/lines/*", &["/lines/7"][..], &["/lines", "/lines/", "/lines/7/ports", "/line/7"][..]),
        ("/lines/*/ports", &["/lines/7/ports"], &["/lines/7", "/lines/7/ports/1", "/lines//ports"]),
        ("/lines/*/**", &["/lines/7", "/lines/7/", "/lines/7/a/b"], &["/lines", "/lines/7/../8"]),
        ("/lines/**", &["/lines", "/lines/7/a"], &["/linesman", "/lines/%2e%2e/x"]),
        ("/**", &["/", "/x/y"], &[]),
        ("/lines", &["/lines", "/lines/7/a"], &["/linesman"]),
        ("/", &["/", "/x"], &[]),
    ] {
        let allows =
            |path: &str| allows(&format!("http://x{rule}"), &format!("GET http://x{path}"));
        assert!(covered.iter().all(|path| allows(path)), "{rule}");
        assert!(!not_covered.iter().any(|path| allows(path)), "{rule}");
    }
}

#[test]
fn redirects_are_granted_by_number() {
    let redirects = |rule: &str| rule.parse::<Rule>().unwrap().redirects();
    assert_eq!(redirects("http://x/api GET"), 0);
    assert_eq!(redirects("http://x/api GET redirects=3"), 3);
    assert_eq!(redirects("http://x redirects=10"), 10);
}

/// A rule and a request, made of few parts, so that they often fit.
type Parts = (usize, usize, usize, Vec<usize>, usize);

const HOSTS: [&str; 3] = ["a.example", "b.a.example", "10.0.0.1"];
const PORTS: [&str; 3] = ["", ":80", ":81"];
const METHODS: [&str; 3] = ["GET", "PUT", "POST"];
const SEGMENTS: [&str; 5] = ["x", "y", "*", "", ".."];

/// Whether a path fits a pattern, tried the slow way: segment by segment, every way to read `**`.
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((&"**", _)) => true,
        Some((first, rest)) => path.split_first().is_some_and(|(segment, after)| {
            (first == segment || (*first == "*" && !segment.is_empty())) && fits(rest, after)
        }),
    }
}

fn oracle(rule: &Parts, request: &Parts, tail: usize) -> bool {
    let (scheme, host, port, path, methods) = rule;
    let hosts = match *host {
        0..3 => request.1 % 3 == *host,
        // `*.a.example`
        _ => request.1 % 3 == 1,
    };
    let default = if *scheme == 0 { 80 } else { 443 };
    let wanted = [default, 80, 81][*port];
    let default = if request.0 == 0 { 80 } else { 443 };
    let asked = [default, 80, 81][request.2];
    let mut pattern: Vec<&str> = path.iter().map(|at| ["x", "y", "*"][at % 3]).collect();
    if tail == 1 || !pattern.contains(&"*") {
        pattern.push("**");
    }
    let asked_path: Vec<&str> = request.3.iter().map(|at| SEGMENTS[*at]).collect();
    let path = format!("/{}", asked_path.join("/"));
    let is_tricky = path.contains("..") || path.contains("//");
    let is_all = pattern == ["**"];
    let asked_path: Vec<&str> = path.split('/').skip(1).collect();
    *scheme == request.0
        && hosts
        && wanted == asked
        && (is_all || (!is_tricky && fits(&pattern, &asked_path)))
        && (*methods == 3 || *methods == request.4 % 3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn rules_allow_what_a_naive_reading_of_them_does(
        rule in (0usize..2, 0usize..4, 0usize..3, vec(0usize..3, 0..4), 0usize..4),
        tail in 0usize..2,
        request in (0usize..2, 0usize..3, 0usize..3, vec(0usize..5, 0..5), 0usize..3),
    ) {
        let schemes = ["http", "https"];
        let host = HOSTS.get(rule.1).copied().unwrap_or("*.a.example");
        let path: String = rule.3.iter().map(|at| format!("/{}", ["x", "y", "*"][at % 3])).collect();
        let deep = ["", "/**"][tail];
        let method = METHODS.get(rule.4).copied().unwrap_or_default();
        let text = format!("{}://{host}{}{path}{deep} {method}", schemes[rule.0], PORTS[rule.2]);
        let segments: Vec<&str> = request.3.iter().map(|at| SEGMENTS[*at]).collect();
        let (host, port) = (HOSTS[request.1], PORTS[request.2]);
        let url = format!("{}://{host}{port}/{}", schemes[request.0], segments.join("/"));
        let asked = format!("{} {url}", METHODS[request.4]);
        prop_assert_eq!(allows(&text, &asked), oracle(&rule, &request, tail), "{} {}", text, asked);
    }
}
