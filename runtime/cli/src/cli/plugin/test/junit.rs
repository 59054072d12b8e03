//! The results as build servers read them.

use super::cell::Status;
use super::report::{Report, escaped};

/// The report as JUnit XML.
pub(super) fn written(report: &Report) -> String {
    let mut lines = vec!["<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned()];
    let ms: u64 = report.results.iter().map(|result| result.ms).sum();
    lines.push(format!(
        "<testsuite name=\"{} {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{}\">",
        escaped(&report.plugin),
        escaped(&report.version),
        report.results.len(),
        report.failed(),
        report.count(Status::LeftOut),
        seconds(ms)
    ));
    let property = |name: &str, value: &str| {
        format!("    <property name=\"{name}\" value=\"{}\"/>", escaped(value))
    };
    lines.push("  <properties>".into());
    lines.push(property("sha256", &report.digest));
    lines.push("  </properties>".into());
    for result in &report.results {
        let (group, name) = result.cell.rsplit_once('/').unwrap_or(("", &result.cell));
        lines.push(format!(
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{}\">",
            escaped(group),
            escaped(name),
            seconds(result.ms)
        ));
        for problem in &result.problems {
            let (what, advice) = (escaped(&problem.what), escaped(problem.kind.advice()));
            lines.push(format!("    <failure message=\"{what}\">{advice}</failure>"));
        }
        if result.status == Status::LeftOut {
            let reason = escaped(result.reason.as_deref().unwrap_or_default());
            lines.push(format!("    <skipped message=\"{reason}\"/>"));
        }
        if !result.story.is_empty() {
            lines.push(format!(
                "    <system-out>{}</system-out>",
                escaped(&result.story.join("\n"))
            ));
        }
        lines.push("  </testcase>".into());
    }
    lines.push("</testsuite>\n".into());
    lines.join("\n")
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}
