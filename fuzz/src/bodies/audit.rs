//! Exports of the audit log: read by whoever doubts them.

use lanyard_core::audit::verify::{Known, verify};

/// A file that claims to be an export. A fault is named with a line of the file, and nothing is claimed past it.
pub fn audit_export(data: &[u8]) {
    let report = verify(data, &Known::default());
    assert!(report.is_ok(), "reading from memory does not fail");
    let report = report.unwrap_or_default();
    let lines = u64::try_from(data.split_inclusive(|byte| *byte == b'\n').count()).unwrap_or(u64::MAX);
    if let Some(broken) = &report.problem {
        // A file that ends too early is broken on the line after its last.
        assert!(broken.line <= lines + 1, "{broken}");
        assert!(!broken.to_string().is_empty());
    }
    assert_eq!(report.is_sound(), report.problem.is_none());
    assert!(report.signed <= report.last.max(report.after), "{report:?}");
    assert!(report.counts.events <= lines, "{report:?}");
    assert!(!report.keys_expected);
    assert_eq!(report.since_met, None);
    assert_eq!(verify(data, &Known::default()).ok(), Some(report));
}
