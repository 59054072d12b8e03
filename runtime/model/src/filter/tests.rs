use proptest::prelude::*;
use serde_json::json;

use super::*;

fn filter(query: &str) -> Result<Filter, FilterError> {
    let mut filter = Filter::default();
    for (name, value) in parameters(query) {
        filter.push(Condition::parse(&name, &value, "http://localhost:8080")?);
    }
    Ok(filter)
}

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
        "state.ne=failed",
        "missing.ne=x",
        "priority=4.0",
        "priority.gt=3&priority.lt=5",
        "priority%3E=4",
        "isBundle=false",
        "orderDate=2026-01-02T01:00:00%2B01:00",
        "orderDate.lt=2027",
        "name=%22a,b%22",
        "name.regex=^a.b$",
        "name*=b$",
        "name=~b$",
        "item.id=2",
        "item.tags=y",
        "href=http://localhost:8080/tmf-api/x/7",
    ];
    for query in yes {
        assert!(matches(query), "{query}");
    }
    let no = [
        "state=failed",
        "state=held&id=8",
        "state.ne=held",
        "item.id.ne=2",
        "priority=x",
        "missing.gt=1",
        "orderDate.gt=2026-01-02T00:00:00.000Z",
        "name=a",
        "name.regex=^b",
        "item=2",
    ];
    for query in no {
        assert!(!matches(query), "{query}");
    }
}

#[test]
fn what_is_no_condition_is_refused() {
    for query in ["state.like=h", "a..b=1", ".eq=1", "name.regex=(", "a[0]=1"] {
        assert!(filter(query).is_err(), "{query}");
    }
}

proptest! {
    #[test]
    fn any_query_is_answered(query in ".{0,60}") {
        if let Ok(filter) = filter(&query) {
            filter.matches(&json!({ "a": [{ "b": "x" }, 1, null] }));
        }
    }
}
