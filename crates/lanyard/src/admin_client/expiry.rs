//! When something that is made now shall end, as an administrator writes it.
//!
//! Owns refusing what is no time or is over before anything is made. The server decides about the rest.

use lanyard_core::clock::Timestamp;

use crate::client_config::outcome::Ending;

/// Checks `--expires-at`.
///
/// # Errors
/// When it is no time, or not after `now`.
pub(crate) fn check(text: Option<&str>, now: Timestamp) -> anyhow::Result<()> {
    let Some(text) = text else { return Ok(()) };
    let happened = match Timestamp::parse(text) {
        Some(at) if at > now => return Ok(()),
        Some(_) => format!("--expires-at {text} is over already: nobody could use what is made."),
        None => format!("--expires-at {text} is no time."),
    };
    Err(Ending {
        code: 2,
        happened,
        remedy: Some("Write a time to come with its zone, such as 2031-01-31T00:00:00Z.".to_owned()),
        request_id: None,
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_to_come() {
        let now = Timestamp::parse("2026-11-26T12:00:00Z").unwrap();
        for good in [None, Some("2027-01-31T00:00:00Z"), Some("2026-11-26T13:30:00+01:00")] {
            assert!(check(good, now).is_ok(), "{good:?}");
        }
        for (wrong, why) in [
            ("2020-01-01T00:00:00Z", "is over already"),
            ("2026-11-26T12:00:00Z", "is over already"),
            ("tomorrow", "is no time"),
            ("2027-01-31", "is no time"),
            ("", "is no time"),
        ] {
            let told = Ending::of(&check(Some(wrong), now).unwrap_err());
            assert!(told.happened.contains(why), "{wrong}: {}", told.happened);
            assert_eq!(told.code, 2);
        }
    }
}
