//! What a process used, and the machine it ran on.

use std::fs;
use std::time::Duration;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Resident memory in KiB.
    pub(crate) rss_kib: u64,
}

/// Reads `/proc`; zeroes when the process is gone.
pub(crate) fn used(pid: u32) -> Used {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    Used {
        // Linux counts in hundredths of a second here.
        cpu: Duration::from_millis((ticks(11) + ticks(12)) * 10),
        rss_kib: rss
            .split_whitespace()
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0),
    }
}

/// Percentiles of latencies.
pub(crate) fn percentiles(mut latencies: Vec<Duration>) -> String {
    latencies.sort_unstable();
    let at = |share: usize| {
        latencies
            .get(latencies.len().saturating_mul(share) / 1000)
            .copied()
            .unwrap_or_default()
    };
    format!(
        "p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms",
        at(500).as_secs_f64() * 1000.0,
        at(950).as_secs_f64() * 1000.0,
        at(990).as_secs_f64() * 1000.0
    )
}

/// One line about the machine.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        info.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(':'))
            .map_or("?", |(_, value)| value.trim())
            .to_owned()
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    format!(
        "machine: {} at {} MHz, {cores} cores, load {}",
        value("model name"),
        value("cpu MHz"),
        load.split_whitespace().next().unwrap_or("?")
    )
}
