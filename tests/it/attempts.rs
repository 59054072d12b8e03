//! What is kept of attempts, from the element to the client.

use serde_json::{Value, json};

use crate::world::{World, eventually, ferrule, text};

async fn run(world: &World, workflow: &str) -> String {
    let path = format!("/orchestration/v1/workflows/{workflow}/runs?wait=60s");
    let answer = world.http.post(&path, &json!({})).await;
    assert_eq!(answer.body["state"], "completed", "{}", answer.text);
    text(&answer.body["id"])
}

async fn attempts(world: &World, path: &str) -> Vec<Value> {
    let attempts = world.http.get(&format!("/orchestration/v1/fulfilments/{path}")).await;
    attempts.as_array().unwrap().clone()
}

#[tokio::test]
async fn the_attempts_of_a_run_outlive_the_server_with_what_was_exchanged() {
    let mut world = World::start().await;
    let fault = json!({ "element": "warehouse", "fault": "error", "times": 1 });
    world.network.fail(json!([fault])).await;
    let id = run(&world, "six-external").await;
    let listed = attempts(&world, &format!("{id}/attempts")).await;
    assert_eq!(listed.len(), 7, "six, of which one failed once");
    assert_eq!(
        (&listed[0]["outcome"], &listed[1]["operation"]),
        (&json!("failed"), &json!("recover"))
    );
    let first = format!("{id}/tasks/six-external.s1/attempts");
    let before = attempts(&world, &first).await;
    let metrics = world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
    for part in [
        "ferrule_plugin_requests_total{plugin=\"rest-activator\",target=\"127.0.0.1:",
        "ferrule_plugin_failures_total{plugin=\"rest-activator\",class=\"retry\",code=\"ELEMENT_503\"} 1",
        "ferrule_plugin_calls_total{plugin=\"rest-activator\",operation=\"recover\",outcome=\"done\"} 1",
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(part)), "`{part}` is not in {metrics}");
    }
    world.kill().await;
    world.restart().await;
    let [failed, done] = <[Value; 2]>::try_from(attempts(&world, &first).await).unwrap();
    assert_eq!(before, [failed.clone(), done.clone()]);

    assert_eq!(failed["exchanges"][0]["status"], 503);
    assert_eq!(failed["code"], "ELEMENT_503");
    // After a failure the element is asked before the work is done again.
    let methods = |attempt: &Value| {
        let exchanges = attempt["exchanges"].as_array().unwrap();
        exchanges.iter().map(|one| text(&one["method"])).collect::<Vec<_>>()
    };
    assert_eq!(
        (methods(&failed), methods(&done)),
        (vec!["PUT".into()], vec!["GET".to_owned(), "PUT".into()])
    );
    let put = &done["exchanges"][1];
    assert!(text(&put["url"]).ends_with(&format!("/api/bench/{id}-1")), "{put}");
    assert_eq!(put["request"]["body"], "{\"step\":1}");
    let key = json!(["idempotency-key", format!("{id}:0")]);
    assert!(put["request"]["headers"].as_array().unwrap().contains(&key), "{put}");
    let given = &done["given"];
    assert_eq!(given["idempotencyKey"], format!("{id}:0"));
    assert_eq!(given["input"]["request"]["path"], format!("/api/bench/{id}-1"));

    let server = world.http.base.clone();
    let shown = ferrule(&["attempts", &id, "six-external.s1", "--server", &server]).await;
    assert!(shown.ok, "{}", shown.err);
    for part in ["#1 run: ELEMENT_503", "#2 recover: done", " -> 503 in ", "> {\"step\":1}"] {
        assert!(shown.out.contains(part), "`{part}` is not in {}", shown.out);
    }
    let unknown = ferrule(&["attempts", &id, "six-external.s9", "--server", &server]).await;
    assert!(!unknown.ok && unknown.err.contains("no task `six-external.s9`"), "{}", unknown.err);
}

#[tokio::test]
async fn a_grant_that_is_used_is_told_from_one_that_is_not() {
    let world = World::start().await;
    run(&world, "six-external").await;
    // Another target is granted, while the counts of the first go on.
    let path = world.folder.path().join("ferrule.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let granted = "[plugins.rest-activator]\nhttp = [";
    assert!(settings.contains(granted), "{settings}");
    let more = format!("{granted}\"http://127.0.0.1:1/unused\", ");
    std::fs::write(&path, settings.replace(granted, &more)).unwrap();
    let path = "/orchestration/v1/plugins/rest-activator";
    let used = eventually("the other target is granted", async || {
        let used = world.http.get(path).await["versions"][0]["used"].take();
        (used["http"].as_array().unwrap().len() == 2).then_some(used)
    })
    .await;
    let rules = used["http"].as_array().unwrap();
    let (of_use, unused): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule["count"] != 0);
    let ([rule], [unused]) = (of_use.as_slice(), unused.as_slice()) else { panic!("{used}") };
    assert!(rule["count"] == 6 && rule["last"].is_string(), "{used}");
    assert_eq!(unused["name"], "http://127.0.0.1:1/unused");
    let hint = "http `http://127.0.0.1:1/unused` is granted but was never used since 20";
    let hints: Vec<_> = used["hints"].as_array().unwrap().iter().map(text).collect();
    let about_http: Vec<_> = hints.iter().filter(|hint| hint.starts_with("http")).collect();
    assert!(about_http.len() == 1 && about_http[0].starts_with(hint), "{hints:?}");
    assert_eq!(used["denied"], json!({}));

    let server = world.http.base.clone();
    let shown = ferrule(&["plugin", "show", "rest-activator", "--server", &server]).await;
    for (name, told) in
        [(text(&rule["name"]), "6 times, last 20"), (text(&unused["name"]), "never")]
    {
        let row = shown.out.lines().find(|line| line.contains(&name));
        assert!(row.is_some_and(|row| row.contains(told)), "{}", shown.out);
    }
    assert!(shown.out.contains(hint), "{}", shown.out);
}

#[tokio::test]
async fn a_run_of_pure_plugins_keeps_its_figures() {
    let world = World::start().await;
    let id = run(&world, "six-steps").await;
    let listed = attempts(&world, &format!("{id}/attempts")).await;
    let names: Vec<_> = listed.iter().map(|one| text(&one["task"])).collect();
    assert_eq!(names, (1..7).map(|step| format!("six-steps.s{step}")).collect::<Vec<_>>());
    assert!(listed.iter().all(|one| one["tookUs"].as_u64() > Some(0)), "{listed:?}");
}
