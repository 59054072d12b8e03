//! The index, as a browser and as a program see it.

use axum::body::Body;

use super::bench::Bench;

/// Every path that the index leads to.
fn links(text: &str) -> Vec<String> {
    let hrefs = text.split("href=\"").skip(1);
    hrefs.map(|rest| rest.split('"').next().unwrap().to_string()).collect()
}

#[tokio::test]
async fn a_browser_is_shown_where_everything_is() {
    let bench = Bench::new();
    for path in ["/", "/orchestration/v1", "/orchestration/v1/"] {
        let accept = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
        let page = bench.send(&format!("GET {path}"), &accept, Body::empty()).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let found = links(&page.text);
        assert!(found.len() > 60, "{found:?}");
        for link in found {
            let behind = bench.get(&link).await;
            assert!(![404, 405].contains(&behind.status.as_u16()), "{link}: {}", behind.text);
        }
    }
}

#[tokio::test]
async fn a_program_gets_the_same_as_json() {
    let bench = Bench::new();
    let index = bench.get("/").await;
    assert_eq!((index.status.as_u16(), &index.body["name"]), (200, &"ferrule".into()));
    let apis = index.body["apis"].as_array().unwrap();
    assert_eq!(apis.len(), tmf::table::APIS.len());
    let first = apis[0]["resources"][0]["href"].as_str().unwrap();
    assert!(first.starts_with("http://127.0.0.1:8080/tmf-api/"), "{first}");
    let put = bench.send("POST /", &[], Body::empty()).await;
    assert_eq!((put.status.as_u16(), put.header("allow")), (405, "GET, HEAD"));
}
