use super::*;

#[test]
fn each_line_of_a_message_is_a_line_of_the_log() {
    let log = Log::default();
    log.write("info", "one\ntwo\u{1b}[2J");
    assert_eq!(log.finish(), ["info: one", "info: two [2J"]);
}

#[test]
fn past_the_cap_lines_are_dropped_and_counted() {
    let log = Log::default();
    let line = "x".repeat(1_000);
    for _ in 0..100 {
        log.write("info", &line);
    }
    let lines = log.finish();
    let kept: usize = lines.iter().map(String::len).sum();
    assert!(kept <= BYTES_MAX + 100, "{kept}");
    assert_eq!(lines.last().unwrap(), "host: dropped 35 more lines, an attempt keeps 64 KiB");
}

#[test]
fn parts_on_stderr_are_put_together_into_lines() {
    let log = Log::default();
    let mut stderr = log.stderr();
    for part in ["panicked at ", "x.rs:\nno port", " left\n", "note: run with RUST_BACKTRACE"] {
        OutputStream::write(&mut stderr, Bytes::from_static(part.as_bytes())).unwrap();
    }
    assert_eq!(log.last_words().as_deref(), Some("no port left"));
    assert_eq!(
        log.finish(),
        [
            "stderr: panicked at x.rs:",
            "stderr: no port left",
            "stderr: note: run with RUST_BACKTRACE"
        ]
    );
}
