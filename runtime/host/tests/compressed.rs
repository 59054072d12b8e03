//! Answers that are compressed, to a plugin that has secrets.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use host::Options;
use host::secret::Secret;
use model::Outcome;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use support::{Bench, failed, grants, guest, with_world};

mod support;

const VALUE: &str = "hunter2-hunter2";

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = Command::new("gzip");
    let mut child = gzip.arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// An element that repeats what it was sent, compressed if it is asked to be, and returns what it was asked.
async fn element(coding: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let body = if coding == "gzip" { gzip(&head) } else { head.clone().into_bytes() };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        head
    });
    (host, asked)
}

#[tokio::test]
async fn a_compressed_answer_that_may_repeat_a_secret_is_not_passed_on() {
    for via in ["contract", "wasi"] {
        for (coding, is_passed) in [("gzip", false), ("x-own", false), ("identity", true)] {
            let (host, asked) = element(coding).await;
            let to = format!("http://{host}");
            let table = format!(
                "http = [{to:?}]\n[secrets]\nnms = {{ secret = \"nms\", to = [{to:?}] }}\n"
            );
            let value = Secret::new(VALUE.into()).unwrap();
            let change = |options: &mut Options| {
                options.secrets.insert("nms".into(), value);
            };
            let bench = Bench::with(grants("leaker", &table), change);
            let bytes = with_world(&guest("leaker"), "leaker", "step", "");
            let installed = bench.host.install(bytes).await.unwrap();
            let input = json!({
                "secret": "nms", "host": host, "path": "/", "via": via, "where": "bearer", "then": "return",
            });
            let report = bench.run(&installed.digest, input).await;
            let asked = asked.await.unwrap().to_ascii_lowercase();
            assert!(asked.contains(&format!("bearer {VALUE}")), "{asked}");
            assert!(asked.contains("accept-encoding: identity\r\n"), "{asked}");
            assert_eq!(matches!(report.outcome, Outcome::Done(_)), is_passed, "{via} {coding}");
            let shown = format!("{report:?}");
            assert!(!shown.contains(VALUE), "{shown}");
            if !is_passed {
                let log = report.log.join("\n");
                assert!(log.contains(&format!("is compressed by `{coding}`")), "{log}");
                assert!(!failed(&report).message.is_empty());
            }
        }
    }
}
