//! What processes used, and the machine they ran on.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// What a process and its children have used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Resident memory in KiB, of it anonymous and of files.
    pub(crate) rss_kib: u64,
    pub(crate) anonymous_kib: u64,
    pub(crate) file_kib: u64,
}

/// Reads `/proc`; zeroes when the process is gone.
pub(crate) fn used(pid: u32) -> Used {
    family(pid).into_iter().fold(Used::default(), |sum, pid| {
        let one = one(pid);
        Used {
            cpu: sum.cpu + one.cpu,
            rss_kib: sum.rss_kib + one.rss_kib,
            anonymous_kib: sum.anonymous_kib + one.anonymous_kib,
            file_kib: sum.file_kib + one.file_kib,
        }
    })
}

/// The process and everything that it started.
fn family(pid: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([pid]);
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, stat(pid).get(1)?.parse().ok()?)))
        .collect();
    loop {
        let before = found.len();
        for (pid, parent) in &all {
            if found.contains(parent) {
                found.insert(*pid);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// The fields of `/proc/PID/stat` after the name: state, parent, …
fn stat(pid: u32) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().map(str::to_owned).collect()
}

fn one(pid: u32) -> Used {
    let fields = stat(pid);
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = |name: &str| -> u64 {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        line.split_whitespace()
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    Used {
        // Linux counts in hundredths of a second here.
        cpu: Duration::from_millis((ticks(11) + ticks(12)) * 10),
        rss_kib: kib("VmRSS:"),
        anonymous_kib: kib("RssAnon:"),
        file_kib: kib("RssFile:"),
    }
}

impl Used {
    /// Resident memory in MiB.
    pub(crate) fn mib(&self) -> f64 {
        mib(self.rss_kib)
    }

    /// Resident memory in words.
    pub(crate) fn memory(&self) -> String {
        format!(
            "{:.1} MiB resident ({:.1} anonymous, {:.1} file pages)",
            mib(self.rss_kib),
            mib(self.anonymous_kib),
            mib(self.file_kib)
        )
    }
}

fn mib(kib: u64) -> f64 {
    u32::try_from(kib).map_or(f64::from(u32::MAX), f64::from) / 1024.0
}

/// Latencies, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn new(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self(latencies)
    }

    /// The latency that so many of a thousand stay below, in milliseconds.
    pub(crate) fn at(&self, permille: usize) -> f64 {
        let at = self.0.len().saturating_mul(permille) / 1000;
        let last = self.0.len().saturating_sub(1);
        self.0.get(at.min(last)).copied().unwrap_or_default().as_secs_f64() * 1000.0
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, max {:.1} ms",
            self.at(500),
            self.at(950),
            self.at(990),
            self.at(1000)
        )
    }
}

/// The one in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// As a number to divide by.
pub(crate) fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
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
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "machine: {} at {} MHz, {cores} cores, load {}",
        value("model name"),
        value("cpu MHz"),
        load.split_whitespace().next().unwrap_or("?")
    )
}
