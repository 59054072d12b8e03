use super::*;

fn page(counters: &Counters) -> String {
    let mut registry = Registry::default();
    counters.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

fn figures(operation: &str) -> Figures {
    Figures { operation: operation.into(), took_us: 3_000, cpu_us: 1_500, ..Figures::default() }
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed(Failure::new(FailureClass::Retry, code, "later"))
}

#[test]
fn calls_are_counted_by_operation_outcome_class_and_code() {
    let counters = Counters::default();
    counters.attempted("a", &figures("run"), &Outcome::Done(serde_json::Map::new()));
    counters.attempted("a", &figures("undo"), &failed("BUSY"));
    counters.asked("b", &figures("decompose"), None);
    let page = page(&counters);
    for line in [
        r#"plugin_calls_total{plugin="a",operation="run",outcome="done"} 1"#,
        r#"plugin_calls_total{plugin="a",operation="undo",outcome="failed"} 1"#,
        r#"plugin_calls_total{plugin="b",operation="decompose",outcome="done"} 1"#,
        r#"plugin_failures_total{plugin="a",class="retry",code="BUSY"} 1"#,
        r#"plugin_call_seconds_bucket{le="0.005",plugin="a"} 2"#,
        r#"plugin_cpu_seconds_total{plugin="a"} 0.003"#,
    ] {
        assert!(page.lines().any(|own| own == line), "`{line}` is not in\n{page}");
    }
}

#[test]
fn requests_are_counted_by_target_and_status() {
    let counters = Counters::default();
    let took = Duration::from_millis(3);
    for (target, status) in [
        ("olt-1:80", Status::Answered(204)),
        ("olt-1:80", Status::Answered(503)),
        ("olt-1:80", Status::Unanswered),
        ("evil:80", Status::Denied),
    ] {
        counters.requested("a", target, status, took);
    }
    let page = page(&counters);
    for (target, status) in
        [("olt-1:80", "2xx"), ("olt-1:80", "5xx"), ("olt-1:80", "none"), ("other", "denied")]
    {
        let line =
            format!(r#"plugin_requests_total{{plugin="a",target="{target}",status="{status}"}} 1"#);
        assert!(page.lines().any(|own| own == line), "`{line}` is not in\n{page}");
    }
    assert!(!page.contains("evil"), "{page}");
}

#[test]
fn labels_are_bounded() {
    let counters = Counters::default();
    for number in 0..PLUGINS_MAX + 10 {
        counters.attempted(&format!("p{number}"), &figures("run"), &failed("X"));
    }
    for number in 0..1_000 {
        counters.attempted("p0", &figures("run"), &failed(&format!("C{number}")));
        let status = Status::Answered(200);
        counters.requested("p0", &format!("t{number}:80"), status, Duration::ZERO);
    }
    let page = page(&counters);
    let count = |part: &str| page.lines().filter(|line| line.starts_with(part)).count();
    assert_eq!(count("plugin_cpu_seconds_total{"), PLUGINS_MAX + 1);
    assert_eq!(count(r#"plugin_failures_total{plugin="p0""#), CODES_MAX + 1);
    assert_eq!(count(r#"plugin_requests_total{plugin="p0""#), TARGETS_MAX + 1);
    let rest = 1_000 - (CODES_MAX - 1);
    let line = format!(r#"plugin_failures_total{{plugin="p0",class="retry",code="other"}} {rest}"#);
    assert!(page.lines().any(|own| own == line), "{page}");
}
