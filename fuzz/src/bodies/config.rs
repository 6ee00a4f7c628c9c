//! The configuration file.

use crate::config::{FileConfig, check};

/// A file as it stands on a disk: started, or refused with what is wrong and what mends it.
pub fn config_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(file) = toml::from_str::<FileConfig>(text) else {
        return;
    };
    if let Err(problems) = check(&file) {
        assert!(!problems.is_empty());
        for problem in problems {
            assert!(!problem.field.is_empty() && !problem.problem.is_empty() && !problem.remedy.is_empty());
        }
    }
}
