//! The results as one page without links, scripts or anything to load.

use super::cell::{Result, Status};
use super::report::{Report, escaped};

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } code, pre { font-size: 13px; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
.passed { color: #187a34; } .failed { color: #b3261e; font-weight: 600; } .left-out { color: #777; }
pre { background: #8881; padding: .5rem; white-space: pre-wrap; }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #ddd; }
  .passed { color: #6cc784; } .failed { color: #ff8a80; }
}
";

/// The report as a page.
pub(super) fn written(report: &Report) -> String {
    let title = format!("{} {}", escaped(&report.plugin), escaped(&report.version));
    let counts = format!(
        "{} passed, {} failed, {} left out",
        report.count(Status::Passed),
        report.failed(),
        report.count(Status::LeftOut)
    );
    let rows: Vec<String> = report.results.iter().map(row).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n\
         <p>{counts}<br><code>sha256 {}</code></p>\n<table>\n\
         <tr><th>cell</th><th>what is disturbed</th><th>result</th><th>ms</th></tr>\n{}\n</table>\n\
         </body></html>\n",
        escaped(&report.digest),
        rows.join("\n")
    )
}

fn row(result: &Result) -> String {
    let (class, word) = match result.status {
        Status::Passed => ("passed", "passed"),
        Status::Failed => ("failed", "FAILED"),
        Status::LeftOut => ("left-out", "left out"),
    };
    let mut told = format!("<span class=\"{class}\">{word}</span>");
    if let Some(reason) = &result.reason {
        told.push_str(&format!(": {}", escaped(reason)));
    }
    for problem in &result.problems {
        let (what, advice) = (escaped(&problem.what), escaped(problem.kind.advice()));
        told.push_str(&format!("<p>{what}<br><em>{advice}</em></p>"));
    }
    if !result.story.is_empty() {
        let story = escaped(&result.story.join("\n"));
        told.push_str(&format!("<details><summary>calls</summary><pre>{story}</pre></details>"));
    }
    format!(
        "<tr><td><code>{}</code></td><td>{}</td><td>{told}</td><td>{}</td></tr>",
        escaped(&result.cell),
        escaped(&result.about),
        result.ms
    )
}
