use serde_json::json;

use super::*;

fn page(query: &str) -> (Page, Query) {
    let query = Query::parse(query).unwrap();
    (Page::parse(&query).unwrap(), query)
}

fn headers(text: &str, rows: usize, total: usize) -> String {
    let (page, query) = page(text);
    let headers = page.headers(rows, total, &query, "http://h/x");
    let names = ["x-total-count", "x-result-count", "content-range", "link"];
    let shown = names.map(|name| headers.get(name).map_or("-", |value| value.to_str().unwrap()));
    shown.join("\n")
}

#[test]
fn headers_say_which_part_of_the_list_it_is() {
    assert_eq!(headers("", 3, 3), "3\n3\nitems 1-3/3\n-");
    assert_eq!(
        headers("state=held&offset=4&limit=2", 2, 9),
        "9\n2\nitems 5-6/9\n\
         <http://h/x?state=held&offset=0&limit=2>; rel=\"first\", \
         <http://h/x?state=held&offset=2&limit=2>; rel=\"prev\", \
         <http://h/x?state=held&offset=6&limit=2>; rel=\"next\", \
         <http://h/x?state=held&offset=8&limit=2>; rel=\"last\""
    );
    assert!(headers("offset=10", 0, 3).starts_with("3\n0\nitems */3\n"));
}

#[test]
fn a_list_has_a_limit() {
    assert_eq!(page("").0.limit, ROWS_MAX);
    assert_eq!(page("limit=5000").0.limit, ROWS_MAX);
    for wrong in ["limit=-1", "limit=x", "offset=1.5", "offset=99999999999999999999"] {
        assert!(Page::parse(&Query::parse(wrong).unwrap()).is_err(), "{wrong}");
    }
}

#[test]
fn a_list_is_sorted_by_several_attributes() {
    let (page, query) = page("sort=-size,%2Bname");
    let sort = Sort::parse(&query, &page).unwrap();
    let mut rows =
        [json!({"size": 2, "name": "b"}), json!({"size": 10}), json!({"size": 2, "name": "a"})];
    rows.sort_by(|left, right| sort.compare(&sort.key(left), &sort.key(right)));
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str()).collect();
    assert_eq!(names, [None, Some("a"), Some("b")]);
}

#[test]
fn sorting_has_a_bound() {
    for wrong in ["sort=id&offset=1000000".to_owned(), format!("sort={}", ["id"; 17].join(","))] {
        let (page, query) = page(&wrong);
        assert!(Sort::parse(&query, &page).is_err(), "{wrong}");
    }
}
