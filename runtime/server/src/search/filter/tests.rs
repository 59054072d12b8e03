use serde_json::json;

use super::*;
use crate::search::as_kept;

fn filter(query: &str) -> Result<Filter, SearchError> {
    let order = as_kept(tmf::table::of_key("productOrder").unwrap().1);
    Filter::parse(&Query::parse(query).unwrap(), "http://localhost:8080", &order)
}

#[test]
fn parameters_that_are_no_filters_are_left_out() {
    let document = json!({ "state": "held", "href": "/tmf-api/x/7" });
    for query in [
        "fields=id&offset=1&limit=2&sort=-id",
        "state=held",
        "href=http://localhost:8080/tmf-api/x/7",
        "filter=$[?(@.state=='held')]",
        "filter=$[?(@.state=='held')]&state=held",
    ] {
        assert!(filter(query).unwrap().matches(&document), "{query}");
    }
    for query in ["state=failed", "filter=$[?(@.state=='held')]&state=failed"] {
        assert!(!filter(query).unwrap().matches(&document), "{query}");
    }
}

#[test]
fn malformed_filters_are_refused() {
    for query in ["state.like=h", "a..b=1", ".eq=1", "name.regex=(", "filter=$[", "a[0]=1"] {
        assert!(filter(query).is_err(), "{query}");
    }
}

#[test]
fn an_index_is_asked_for_texts_and_not_for_times() {
    let filter = filter("state=held,failed&orderDate=2026-01-02T00:00:00Z&id.ne=7").unwrap();
    let wanted: Vec<_> = filter.wanted().map(|one| (one.path.to_string(), one.values)).collect();
    assert_eq!(wanted, [("state".to_string(), vec!["held", "failed"])]);
}
