//! A bill as HTML.

use std::fmt::Write as _;

use super::{Line, Statement};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a}table{width:100%;border-collapse:collapse;margin:1.5rem 0}\
th,td{text-align:left;padding:.4rem .6rem .4rem 0;border-bottom:1px solid #ddd;vertical-align:top}\
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
small{color:#666}tfoot td{border:0}tfoot .t td{border-top:2px solid #1a1a1a;font-weight:600}\
@media print{body{margin:0}}";

/// Writes the page.
pub(super) fn page(statement: &Statement) -> String {
    let number = escaped(&statement.number);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Bill {number}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Bill {number}</h1>\n<p>",
    );
    for (name, value) in &statement.facts {
        let _ = write!(page, "{name}: <strong>{}</strong><br>", escaped(value));
    }
    page.push_str(
        "</p>\n<table>\n<thead><tr><th>What</th><th>For</th><th class=\"n\">Before tax</th>\
         <th class=\"n\">Tax</th></tr></thead>\n<tbody>\n",
    );
    for rate in &statement.lines {
        line(&mut page, rate);
    }
    page.push_str("</tbody>\n<tfoot>\n");
    for total in &statement.totals {
        let class = if total.is_strong { " class=\"t\"" } else { "" };
        let _ = writeln!(
            page,
            "<tr{class}><td colspan=\"3\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(&total.name),
            escaped(&total.amount),
        );
    }
    page.push_str("</tfoot>\n</table>\n</body>\n</html>\n");
    page
}

fn line(page: &mut String, line: &Line) {
    let more = match line.more.as_str() {
        "" => String::new(),
        text => format!("<br><small>{}</small>", escaped(text)),
    };
    let _ = writeln!(
        page,
        "<tr><td>{}{more}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
        escaped(&line.name),
        escaped(&line.days),
        escaped(&line.net),
        escaped(&line.tax),
    );
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
