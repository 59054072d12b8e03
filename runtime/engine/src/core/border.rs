//! Limits the answers of plugins before they are applied, whichever worker ran them.

use model::{BOUNDS, bounds};

use crate::limits::{EXCHANGES_BYTES_MAX, LOG_BYTES_MAX};
use crate::worker::Report;

/// A report within limits: long texts are cut, data that is too large becomes a failure.
pub(super) fn bounded(report: Report) -> Report {
    let Report { outcome, log, mut telemetry, scratch } = report;
    if let Some(telemetry) = &mut telemetry {
        telemetry.exchanges.cut(EXCHANGES_BYTES_MAX);
    }
    Report { outcome: BOUNDS.outcome(outcome), log: cut(log), telemetry, scratch }
}

fn cut(mut log: Vec<String>) -> Vec<String> {
    let mut left = LOG_BYTES_MAX;
    let whole = log.iter().take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let whole = whole.count();
    if whole == log.len() {
        return log;
    }
    let dropped = log.len() - whole;
    let left = LOG_BYTES_MAX - log.iter().take(whole).map(String::len).sum::<usize>();
    let first = bounds::cut(std::mem::take(&mut log[whole]), left);
    log.truncate(whole);
    log.push(first);
    log.push(format!("host: cut here, {dropped} lines; an attempt keeps {LOG_BYTES_MAX} bytes"));
    log
}

#[cfg(test)]
mod tests;
