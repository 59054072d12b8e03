mod naive;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::table::APIS;
use crate::table::of_key;
use crate::version::Version;
use crate::version::View;

fn filter(query: &str) -> Result<Filter, FilterError> {
    read(query, &Anything)
}

fn read(query: &str, attributes: &dyn Attributes) -> Result<Filter, FilterError> {
    let mut filter = Filter::default();
    for parameter in parameters(query) {
        filter.add(&parameter, "http://localhost:8080", attributes)?;
    }
    Ok(filter)
}

fn matches(query: &str) -> bool {
    let document = json!({
        "id": "7",
        "href": "/tmf-api/x/7",
        "state": "held",
        "priority": 4,
        "size": 18_446_744_073_709_551_615_u64,
        "rate": 0.1,
        "isBundle": false,
        "orderDate": "2026-01-02T00:00:00.000Z",
        "exact": "2026-01-02T00:00:00.0000001Z",
        "name": "a,b",
        "said": "he said \"x;y&z\" \\o/",
        "phone": "+49 30",
        "odd": "w ",
        "item": [{ "id": "1", "tags": ["x", "y"] }, { "id": "2", "tags": ["z"] }],
        "none": null,
    });
    filter(query).unwrap_or_else(|error| panic!("{query}: {error}")).matches(&document)
}

const MATCHING: [&str; 83] = [
    "",
    "&&",
    "state=held",
    "state=%22held%22",
    "state=failed,held",
    "state=failed%2Cheld",
    "state=failed, held",
    "state=\"failed\",\"held\"",
    "state=failed;held",
    "state=failed;\"held\"",
    "state=failed;state=held",
    "state=failed%3Bstate%3Dheld",
    "state=failed&state=held",
    "state=failed&id=7&state=held",
    "state=failed;id=7",
    "state=failed;id=8;priority.gt=3",
    "state=failed;id=7&priority=4;priority=5",
    "priority.lt=2;priority.gt=3",
    "priority%3C2;priority%3E3",
    "orderDate.lt=2013-04-20;orderDate.gt=2017-04-20",
    "orderDate%3C2013-04-20;orderDate%3E2017-04-20",
    "state=held&id=7",
    "state.ne=failed",
    "state!=failed",
    "state!=failed,done",
    "state%21%3Dfailed",
    "missing.ne=x",
    "none.ne=x",
    "priority=4.0",
    "priority==4",
    "priority%3D%3D4",
    "priority.eq=4e0",
    "priority.gt=3&priority.lt=5",
    "priority>3&priority<5",
    "priority%3E=4",
    "priority%3E%3D4&priority%3C%3D4",
    "priority >= 4",
    "priority.gte = 4",
    "+priority+%3E+3",
    "size=18446744073709551615",
    "size.lt=18446744073709551616",
    "rate=0.1",
    "rate=1e-1",
    "rate.lt=0.10000000000000000001",
    "isBundle=false",
    "isBundle!=true",
    "orderDate=2026-01-02",
    "orderDate=2026-01-02T01:00:00%2B01:00",
    "orderDate=2026-01-02T01:00:00+01:00",
    "orderDate=2026-01-02T00:00Z",
    "orderDate=2026-01-01T23:00:00-01:00",
    "orderDate.lt=2027",
    "orderDate.gte=2026-01",
    "exact.gt=2026-01-02",
    "exact=2026-01-02T00:00:00.000000100Z",
    "name=%22a,b%22",
    "name=\"a,b\"",
    "name=a%2Cb",
    "name.regex=^a.b$",
    "name*=b$",
    "name=~b$",
    "name%3D~b$",
    "name.regex=^[a-z]{1,2}",
    "name.regex=\"^a\";id=9",
    "id=9;name=~b$",
    "name=~x;b$",
    "name=~a&name=~b",
    "said=\"he said \\\"x;y&z\\\" \\\\o/\"",
    "said=%22he+said+%5C%22x;y%26z%5C%22+%5C%5Co/%22",
    "said=~\"x;y&z\"",
    "said=~\"said \\\"\"",
    "said=~\"\\\\o\"",
    "phone=%2B49 30",
    "phone=+49%2030",
    "odd=w+",
    "odd=\"w \"",
    "item.id=2",
    "item.id = 2",
    "item.tags=y",
    "item.id=1&item.tags=z",
    "item.id.ne=3",
    "href=http://localhost:8080/tmf-api/x/7",
    "href=http%3A%2F%2Flocalhost%3A8080%2Ftmf-api%2Fx%2F7",
];

const OTHERS: [&str; 33] = [
    "state=failed",
    "state=held&id=8",
    "state=held;state=failed&id=8",
    "state=failed,done",
    "state.ne=held",
    "state!=failed,held",
    "state!=held;id=9",
    "item.id.ne=2",
    "item.id!=1",
    "priority=x",
    "priority.gt=4",
    "priority.gt=3&priority.lt=4",
    "priority.lt=3;priority.gt=5",
    "missing.gt=1",
    "missing=",
    "none=null",
    "size=18446744073709551616",
    "size.gt=18446744073709551615",
    "rate.gt=0.1",
    "orderDate.gt=2026-01-02T00:00:00.000Z",
    "orderDate.gt=2026-01-02",
    "exact=2026-01-02",
    "orderDate=2026-01-02T01:00:00",
    "name=a",
    "name=a,b",
    "name=\"a\",\"b\"",
    "name=\"a%2Cc\"",
    "name.regex=^b",
    "name=~a&name=~c",
    "odd=\"w\"",
    "item=2",
    "isBundle=true",
    "isBundle=0",
];

#[test]
fn a_filter_holds_in_every_form_or_does_not() {
    for query in MATCHING {
        assert!(matches(query), "{query}");
    }
    for query in OTHERS {
        assert!(!matches(query), "{query}");
    }
}

#[test]
fn unknown_filters_are_refused_by_their_name() {
    for (query, name) in [
        ("state", "state"),
        ("state&id=1", "state"),
        ("=1", "=1"),
        (".eq=1", ".eq"),
        ("a..b=1", "a..b"),
        ("a[0]=1", "a[0]"),
        ("a b=1", "a b"),
        ("state.like=h", "state.like"),
        ("item.id.in=h", "item.id.in"),
        ("state=>h", "state"),
        ("state=<h", "state"),
        ("state<>h", "state"),
        ("state===h", "state"),
        ("state=!h", "state"),
        ("state~h", "state"),
        ("state!h", "state"),
        ("state*h", "state"),
        ("state.gt>h", "state.gt"),
        ("name=\"a", "name"),
        ("name=%22a", "name"),
        ("name=\"a&id=7", "name"),
        ("name=\"a\\\"", "name"),
        ("name=\"a\"b", "name"),
        ("name=x,\"a", "name"),
        ("name=a,", "name"),
        ("name=,a", "name"),
        ("name=a;", "name"),
        ("name=a;;id=7", "name"),
        (";name=a", ";name=a"),
        ("name.regex=(", "name.regex"),
        ("name=~\"[\"", "name"),
        ("name=a;id.between=1", "id.between"),
    ] {
        let error = filter(query).expect_err(query);
        assert_eq!(error.name(), name, "{query}: {error}");
    }
    let many = (0..=CONDITIONS_MAX).map(|at| format!("a{at}=1")).collect::<Vec<_>>();
    let values = |count: usize| vec!["v"; count].join(",");
    let some = format!("name={}", values(VALUES_MAX));
    assert!(filter(&some).is_ok());
    let several = format!("{some}&id=7");
    for query in [many.join("&"), many.join(";"), format!("{some},v"), several] {
        assert!(matches!(filter(&query), Err(FilterError::TooMany { .. })), "{query}");
    }
}

fn view(number: u16, name: &str, version: Version) -> View {
    let api = APIS.iter().copied().find(|api| api.number == number).unwrap();
    let of = |resource| View { api, resource, version };
    api.resources.iter().map(of).find(|view| view.name() == name).unwrap()
}

/// What is wrong with a query about a resource; empty if nothing is.
fn wrong(view: &View, query: &str) -> String {
    let mut filter = read(query, view).unwrap();
    let unknown = match filter.check(view) {
        Ok(unknown) => unknown.into_iter().next().map(FilterError::from),
        Err(error) => Some(error),
    };
    unknown.map(|error| format!("{}: {error}", error.name())).unwrap_or_default()
}

#[test]
fn values_that_an_attribute_can_never_have_are_refused() {
    let order = view(622, "productOrder", Version::V4);
    let later = view(622, "productOrder", Version::V5);
    for (view, date) in [(&order, "orderDate"), (&later, "creationDate")] {
        for (query, meant) in [
            ("state=complete", "state: `state` takes one of"),
            ("state=completed,complete", ", not `complete`: is `completed` meant?"),
            ("state!=complete", "not `complete`"),
            ("state=~^zzz", "state: `state` takes one of"),
            ("stat=held", "productOrder has no attribute `stat`: is `state` meant?"),
            ("productOrderItem.stat=held", "is `productOrderItem.state` meant?"),
            ("state.foo=held", "has no attribute `state.foo`"),
            ("orderDate=soon", "orderDate: `orderDate` takes a date-time such as"),
            ("orderDate.gt=2026-13-01", "orderDate.gt: `orderDate.gt` takes"),
            ("orderDate=", "not ``"),
            ("productOrderItem.quantity=many", "`productOrderItem.quantity` takes a number"),
            ("productOrderItem=1", "is an object: name an attribute of it, such as"),
            ("state=held;quantity=1", "no attribute `quantity`"),
        ] {
            let (query, meant) =
                (query.replace("orderDate", date), meant.replace("orderDate", date));
            let wrong = wrong(view, &query);
            assert!(wrong.contains(&meant), "{query}: {wrong}");
        }
        for query in [
            "state=held,completed",
            "state=~^comp",
            "state.gt=a",
            "orderDate.gt=2026",
            "orderDate=2026-01-02T01:00:00+01:00",
            "priority=whatever",
            "@type=Special",
            "productOrderItem.quantity.gte=1e0",
            "productOrderItem.id=1",
            "productOrderItem.product.productCharacteristic.value=10",
        ] {
            assert_eq!(wrong(view, &query.replace("orderDate", date)), "", "{query}");
        }
    }
    assert_eq!(wrong(&order, "relatedParty.id=C-1"), "");
    let offering = view(620, "productOffering", Version::V4);
    assert_eq!(
        wrong(&offering, "isBundle=yes"),
        "isBundle: `isBundle` takes `true` or `false`, not `yes`"
    );
    assert!(wrong(&offering, "isBundle=ture").ends_with("is `true` meant?"));
    assert_eq!(wrong(&offering, "isBundle=true"), "");
    // One state ends with a space in the definition.
    let product = view(637, "product", Version::V4);
    assert_eq!(wrong(&product, "status=aborted&status=aborted%20"), "");
}

#[test]
fn an_attribute_may_be_called_like_an_operator() {
    let usage = view(635, "usageSpecification", Version::V4);
    let document = json!({ "specCharacteristic": [{ "name": "x", "regex": "(" }] });
    let matches = |query: &str| read(query, &usage).unwrap().matches(&document);
    assert!(matches("specCharacteristic.regex=("));
    assert!(matches("specCharacteristic.regex.ne=)"));
    assert!(matches("specCharacteristic.regex.regex=^.$"));
    assert!(matches("specCharacteristic.name.regex=x"));
    assert!(!matches("specCharacteristic.regex=."));
}

#[test]
fn attributes_of_text_are_compared_as_text() {
    let (_, individual) = of_key("individual").unwrap();
    let (api, _) = of_key("individual").unwrap();
    let view = View { api, resource: individual, version: Version::V4 };
    let matches = |query: &str, document: Value| {
        let mut filter = read(query, &view).unwrap();
        assert_eq!(filter.check(&view).unwrap(), []);
        filter.matches(&document)
    };
    // A name that looks like a time is none.
    assert!(!matches("familyName=2026-01-02", json!({ "familyName": "2026-01-02T00:00:00Z" })));
    assert!(matches("birthDate=1980-01-02", json!({ "birthDate": "1980-01-02T00:00:00Z" })));
    assert!(matches("familyName=Smith%2C+Jr", json!({ "familyName": "Smith, Jr" })));
    assert!(matches("familyName=Smith%3B+Jr", json!({ "familyName": "Smith; Jr" })));
    assert!(!matches("familyName=Smith,+Jr", json!({ "familyName": "Smith, Jr" })));
}

#[test]
fn the_texts_of_a_clause_are_all_that_may_match() {
    let texts = |query: &str| {
        let filter = filter(query).unwrap();
        let texts = filter.clauses()[0].texts();
        let path = filter.clauses()[0].equals().map(|path| path.join("."));
        path.zip(texts.map(|texts| texts.join("|")))
    };
    let some = |path: &str, texts: &str| Some((path.to_string(), texts.to_string()));
    assert_eq!(texts("a.b=x,y"), some("a.b", "x|y"));
    assert_eq!(texts("a=x;a=y"), some("a", "x|y"));
    assert_eq!(texts("a=x&c=z&a=y"), some("a", "x|y"));
    assert_eq!(texts("a=x%2Cy"), some("a", "x|y|x,y"));
    for query in ["a=x;b=y", "a!=x", "a=x;a!=y", "a>x", "a=~x", "a=2026-01-02"] {
        assert_eq!(texts(query), None, "{query}");
    }
}

proptest! {
    #[test]
    fn any_query_is_answered(query in ".{0,60}") {
        if let Ok(filter) = filter(&query) {
            filter.matches(&json!({ "a": [{ "b": "x" }, 1, null] }));
        }
    }

    #[test]
    fn any_query_of_signs_is_answered(query in "[ab.,;&=<>!~* \"\\\\%23+]{0,24}") {
        if let Ok(filter) = filter(&query) {
            filter.matches(&json!({ "a": [{ "b": "x" }, 1, null] }));
        }
    }

    #[test]
    fn a_quoted_text_is_that_text(text in ".{0,20}") {
        let kept = quoted(&text).replace('%', "%25").replace('+', "%2B");
        let filter = filter(&format!("a={kept}&b=1")).unwrap();
        let is_time = crate::time::Timestamp::read(&text).is_some();
        let document = |text: String| json!({ "a": text, "b": 1 });
        prop_assert!(filter.matches(&document(text.clone())));
        prop_assert!(is_time || !filter.matches(&document(text + "x")));
    }

    #[test]
    fn a_filter_is_what_a_naive_one_is(seed in 0..u64::MAX) {
        let mut dice = naive::Dice::new(seed);
        let query = naive::Query::draw(&mut dice);
        let text = query.written(&mut dice);
        let filter = filter(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        for _ in 0..16 {
            let document = naive::Document::draw(&mut dice);
            prop_assert_eq!(
                filter.matches(&document.json()),
                query.matches(&document),
                "{} on {}", text, document.json()
            );
        }
    }
}
