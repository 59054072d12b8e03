use serde_json::json;

use super::{Answer, Host, Level};
use crate::http::{Error, Method, Request};
use crate::inventory::{Condition, Key, Query, Search};
use crate::{config, inventory, log, reservation};

#[test]
fn a_request_without_an_answer_fails_the_test() {
    let _host = Host::new().start();
    let sent = std::panic::catch_unwind(|| Request::get("http://olt.test/1").send());
    let message = *sent.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "there is no answer to GET http://olt.test/1");
}

#[test]
fn answers_are_given_once_and_in_order() {
    let url = "http://olt.test/1";
    let host = Host::new()
        .answer(Method::Get, url, Answer::lost())
        .answer(Method::Get, url, Answer::status(204).header("ETag", "7"))
        .answer(Method::Put, url, Answer::status(201))
        .element(|request| Answer::json(404, &json!({ "at": request.url() })))
        .start();
    let get = || Request::get(url).send();
    assert!(matches!(get(), Err(Error::Broken { .. })));
    assert_eq!(get().unwrap().header("etag"), Some("7"));
    assert_eq!(get().unwrap().json().unwrap()["at"], url);
    assert_eq!(host.answers_left(), 1);
    assert_eq!(host.requests().len(), 3);
    assert!(matches!(Request::get("olt.test").send(), Err(Error::Url { .. })));
}

#[test]
fn a_request_shows_what_was_sent() {
    let host = Host::new().element(|_| Answer::status(200)).start();
    let request = Request::new(Method::Patch, "http://olt.test/1").header("X-Replace", "true");
    request.json(&json!({ "vlan": 100 })).send().unwrap();
    let [sent] = &host.requests()[..] else { panic!("one request was sent") };
    assert_eq!((sent.method(), sent.url()), (&Method::Patch, "http://olt.test/1"));
    assert_eq!(sent.header_of("x-replace"), Some("true"));
    assert_eq!(sent.sent_json().unwrap()["vlan"], 100);
}

#[test]
fn settings_and_lines_of_the_log_are_those_of_the_test() {
    let host = Host::new().setting("region", "north").start();
    assert_eq!(config::get("region").as_deref(), Some("north"));
    assert_eq!(config::require("colour").unwrap_err().code, "SETTING_MISSING");
    log::warn("odd");
    assert_eq!(host.log(), [(Level::Warn, "odd".to_owned())]);
    drop(host);
    log::warn("no one listens");
    assert!(Host::new().start().log().is_empty());
}

#[test]
fn documents_are_found_as_the_host_finds_them() {
    let service = |id: &str, state: &str, party: &str| json!({ "id": id, "state": state, "relatedParty": [{ "id": "other" }, { "id": party }] });
    let _host = Host::new()
        .document("service", service("s-1", "active", "anna"))
        .document("service", service("s-2", "active", "bert"))
        .document("service", service("s-3", "terminated", "anna"))
        .start();
    let ids = |found: Vec<serde_json::Value>| -> Vec<String> {
        found.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let key = Key { kind: "service", id: "s-2" };
    assert_eq!(inventory::get(key).unwrap().unwrap()["state"], "active");
    assert_eq!(inventory::get(Key { kind: "product", ..key }).unwrap(), None);
    let query = Query { kind: "service", attribute: "relatedParty.id", value: "anna" };
    assert_eq!(ids(inventory::find(query).unwrap()), ["s-3", "s-1"]);
    let conditions =
        [Condition::is("relatedParty.id", "anna"), Condition::any(&["state"], &["active"])];
    let search = Search { kind: "service", conditions: &conditions, shown: &["id"], limit: 10 };
    assert_eq!(inventory::search(search).unwrap(), [json!({ "id": "s-1" })]);
}

#[test]
fn a_pool_gives_a_name_the_same_value_again() {
    let _host = Host::new().pool("vlan", &["100", "101"]).start();
    let reserve = |name: &str| {
        let reserved = reservation::reserve(&reservation::Request::new("vlan").named(name));
        reserved.map(|reserved| reserved.value).map_err(|failure| failure.code)
    };
    assert_eq!(reserve("data"), Ok("100".into()));
    assert_eq!(reserve("voice"), Ok("101".into()));
    assert_eq!(reserve("data"), Ok("100".into()));
    assert_eq!(reserve("video"), Err("POOL_EXHAUSTED".into()));
    let unknown = reservation::reserve(&reservation::Request::new("port"));
    assert_eq!(unknown.unwrap_err().code, "UNKNOWN_POOL");
}
