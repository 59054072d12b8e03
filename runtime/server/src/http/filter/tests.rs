use proptest::prelude::*;
use serde_json::json;

use super::*;

fn matches(query: &str) -> bool {
    let document = json!({
        "id": "7",
        "href": "/tmf-api/x/7",
        "state": "held",
        "priority": 4,
        "isBundle": false,
        "orderDate": "2026-01-02T00:00:00.000Z",
        "name": "a,b",
        "item": [{ "id": "1", "tags": ["x", "y"] }, { "id": "2", "tags": ["z"] }],
    });
    filter(query).unwrap().matches(&document)
}

fn filter(query: &str) -> Result<Filter, Problem> {
    Filter::parse(&Query::parse(query).unwrap(), "http://localhost:8080")
}

#[test]
fn a_filter_holds_or_does_not() {
    let yes = [
        "",
        "state=held",
        "state=%22held%22",
        "state=failed,held",
        "state=failed;held",
        "state=failed&state=held",
        "state=held&id=7",
        "state.eq=held",
        "state.ne=failed",
        "missing.ne=x",
        "priority=4",
        "priority=4.0",
        "priority.gt=3&priority.lt=5",
        "priority.gte=4&priority.lte=4",
        "priority%3E3",
        "priority%3E=4",
        "priority<5",
        "isBundle=false",
        "orderDate=2026-01-02T00:00:00.000Z",
        "orderDate=2026-01-02T01:00:00%2B01:00",
        "orderDate.gt=2026-01-01T00:00:00Z",
        "orderDate.lt=2027",
        "name=%22a,b%22",
        "name.regex=^a.b$",
        "name*=b$",
        "name=~b$",
        "item.id=2",
        "item.tags=y",
        "href=http://localhost:8080/tmf-api/x/7",
        "fields=id&offset=1&limit=2&sort=-id",
        "filter=$[?(@.state=='held')]",
        "filter=$[?(@.priority>3)]&state=held",
    ];
    for query in yes {
        assert!(matches(query), "{query}");
    }
    let no = [
        "state=failed",
        "state=held&id=8",
        "state.ne=held",
        "item.id.ne=2",
        "priority.gt=4",
        "priority=x",
        "missing=x",
        "missing.gt=1",
        "isBundle=true",
        "orderDate.gt=2026-01-02T00:00:00.000Z",
        "name=a",
        "name.regex=^b",
        "item.tags=w",
        "item=2",
        "filter=$[?(@.state=='failed')]",
        "filter=$[?(@.priority>3)]&state=failed",
    ];
    for query in no {
        assert!(!matches(query), "{query}");
    }
}

#[test]
fn what_is_no_filter_is_refused() {
    for query in ["state.like=h", "a..b=1", ".eq=1", "name.regex=(", "filter=$[", "a[0]=1"] {
        assert!(filter(query).is_err(), "{query}");
    }
}

proptest! {
    #[test]
    fn any_query_is_answered(query in ".{0,60}") {
        if let Ok(query) = Query::parse(&query) && let Ok(filter) = Filter::parse(&query, "http://h") {
            filter.matches(&json!({ "a": [{ "b": "x" }, 1, null] }));
        }
    }
}
