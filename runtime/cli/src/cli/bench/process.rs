//! What a process has used so far, as Linux tells.

/// The CPU time of a process, in seconds.
pub(super) fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // Linux counts in hundredths of a second on every machine we know.
    Some(ticks / 100.0)
}

/// The memory of a process that is resident, in MiB.
pub(super) fn resident_mib(pid: u32) -> Option<u64> {
    let kib = field(&format!("/proc/{pid}/status"), "VmRSS:")?;
    Some(kib / 1024)
}

/// The bytes that a process had written to disk.
pub(super) fn written_bytes(pid: u32) -> Option<u64> {
    field(&format!("/proc/{pid}/io"), "write_bytes:")
}

/// The number after a name, without its unit.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
