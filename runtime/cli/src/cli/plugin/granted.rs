//! What a plugin requests, is granted and used, side by side.

use host::grants::GrantKey;
use host::manifest::Requests;
use host::provenance::Moment;
use host::registry::{Entry, Granted};
use host::used::{Count, UsedCapabilities};

/// Max width of a column.
const WIDTH_MAX: usize = 48;

/// The lines of the table; none if nothing is requested or granted.
pub(super) fn table(
    requests: &Requests,
    granted: &Granted,
    used: Option<&UsedCapabilities>,
) -> Vec<String> {
    let head = ["capability", "requested", "granted", "used"].map(str::to_owned);
    let mut rows = vec![head];
    for key in GrantKey::ALL {
        rows.extend(rows_of(key, requests.of(key), granted.of(key), used));
    }
    if let (Some(used), true) = (used, rows.len() > 1) {
        rows.push(["log", "", "always", &times(used.log)].map(str::to_owned));
    }
    let columns = if used.is_some() { 4 } else { 3 };
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default().min(WIDTH_MAX)
    };
    let widths = [width(0), width(1), width(2)];
    let line = |row: &[String; 4]| {
        let cells = row.iter().take(columns).enumerate().map(|(column, cell)| {
            let width = widths.get(column).copied().unwrap_or_default();
            format!("  {cell:width$}")
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    if rows.len() == 1 { Vec::new() } else { rows.iter().map(line).collect() }
}

/// The table of a version of a server, with what was denied and which grants it does not seem to need.
pub(super) fn of_entry(entry: &Entry) -> Vec<String> {
    let used = entry.used.as_ref();
    let mut lines = table(&entry.requests, &entry.grants, used);
    let Some(used) = used else { return lines };
    let denied = used.denied.iter();
    lines.extend(denied.map(|(key, count)| format!("  denied   {} {}", key.name(), times(*count))));
    lines.extend(used.hints.iter().map(|hint| format!("  hint     {hint}")));
    lines.push(format!("  counted  in memory since {}", used.since.0));
    lines
}

fn rows_of(
    key: GrantKey,
    requested: &[String],
    granted: &[String],
    used: Option<&UsedCapabilities>,
) -> Vec<[String; 4]> {
    let count = |name: &str| {
        let found = used?.of(key).iter().find(|one| one.name == name)?;
        Some(times(found.count))
    };
    let row = |index: usize| {
        let granted = granted.get(index).map(String::as_str);
        [
            if index == 0 { key.name() } else { "" }.to_owned(),
            requested.get(index).map(String::to_owned).unwrap_or_default(),
            granted.unwrap_or_default().to_owned(),
            granted.and_then(count).unwrap_or_default(),
        ]
    };
    (0..requested.len().max(granted.len())).map(row).collect()
}

fn times(count: Count) -> String {
    match count {
        Count { count: 0, .. } => "never".into(),
        Count { count, last: None } => format!("{count} times"),
        Count { count, last: Some(Moment(last)) } => format!("{count} times, last {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requested_granted_and_used_stand_side_by_side() {
        let requests =
            Requests { http: vec!["*".into()], pools: vec!["a".into()], ..Requests::default() };
        let granted = Granted {
            http: vec!["http://10.0.0.7:80".into(), "http://10.0.0.8:80".into()],
            ..Granted::default()
        };
        let used: UsedCapabilities = serde_json::from_str(
            r#"{"since": "2026-03-01T00:00:00Z", "inventory": [], "pools": [], "config": [], "secrets": [],
                "http": [{"name": "http://10.0.0.7:80", "since": "2026-03-01T00:00:00Z", "count": 2,
                          "last": "2026-03-02T00:00:00Z"},
                         {"name": "http://10.0.0.8:80", "since": "2026-03-01T00:00:00Z", "count": 0}],
                "log": {"count": 0}, "denied": {}, "hints": []}"#,
        )
        .unwrap();
        let lines = table(&requests, &granted, Some(&used)).join("\n");
        let shown = "  capability  requested  granted             used
  http        *          http://10.0.0.7:80  2 times, last 2026-03-02T00:00:00.000Z
                         http://10.0.0.8:80  never
  pools       a
  log                    always              never";
        assert_eq!(lines, shown);
        assert!(table(&Requests::default(), &Granted::default(), Some(&used)).is_empty());
    }
}
