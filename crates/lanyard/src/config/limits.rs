//! `[limits]`: what strangers and neighbours may cost this process.
//!
//! Owns defaults and bounds of each number. Never enforces one: the rooms do.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use lanyard_server::oauth::guard::GuardSettings;

use super::check::Checker;
use super::duration::Span;
use super::file::LimitsSection;

/// The limits of a process.
#[derive(Debug, Clone)]
pub(crate) struct LimitsConfig {
    /// How long a stop waits for requests under way.
    pub drain: Duration,
    /// Connections of one listener at once; more wait to be accepted.
    pub connections: usize,
    /// How long a peer may take for the TLS handshake, or for the headers of a request (HT-03).
    pub headers_within: Duration,
    /// The largest document that the admin API reads, in bytes.
    pub document_bytes: usize,
    /// The largest request body of a call at the gateway, in bytes (SEC-22).
    pub call_bytes: usize,
    /// Failed authentications and recorded refusals.
    pub guard: GuardSettings,
    /// Passwords hashed or checked at once, 19 MiB each.
    pub password_hashes: usize,
    /// Passwords that wait for that; more are told to come back.
    pub passwords_waiting: usize,
    /// Tokens whose signature is known to be good, kept in memory by issuer and gateway each.
    pub signatures_remembered: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(30),
            connections: 16_384,
            headers_within: Duration::from_secs(10),
            document_bytes: 64 * 1024 * 1024,
            call_bytes: 1024 * 1024,
            guard: GuardSettings::default(),
            password_hashes: std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get),
            passwords_waiting: 512,
            signatures_remembered: 100_000,
        }
    }
}

/// What the section says, or the default.
pub(super) fn check(section: &LimitsSection, checker: &mut Checker) -> LimitsConfig {
    let own = LimitsConfig::default();
    let guard = own.guard;
    LimitsConfig {
        drain: section.drain.map_or(own.drain, |span| span.0),
        connections: number(
            checker,
            "connections",
            section.connections,
            own.connections,
            1..=1_000_000,
        ),
        headers_within: time(
            checker,
            "headers_within",
            section.headers_within,
            own.headers_within,
            1..=120,
        ),
        document_bytes: number(
            checker,
            "document_bytes",
            section.document_bytes,
            own.document_bytes,
            1 << 20..=1 << 30,
        ),
        call_bytes: number(
            checker,
            "call_bytes",
            section.call_bytes,
            own.call_bytes,
            1 << 10..=64 << 20,
        ),
        guard: GuardSettings {
            failures_at_once: count(
                checker,
                "failures_at_once",
                section.failures_at_once,
                guard.failures_at_once,
            ),
            failures_per_minute: count(
                checker,
                "failures_per_minute",
                section.failures_per_minute,
                guard.failures_per_minute,
            ),
            failures_of_source: count(
                checker,
                "failures_of_source",
                section.failures_of_source,
                guard.failures_of_source,
            ),
            refusals_recorded: count(
                checker,
                "refusals_recorded",
                section.refusals_recorded,
                guard.refusals_recorded,
            ),
        },
        password_hashes: number(
            checker,
            "password_hashes",
            section.password_hashes,
            own.password_hashes,
            1..=256,
        ),
        passwords_waiting: number(
            checker,
            "passwords_waiting",
            section.passwords_waiting,
            own.passwords_waiting,
            1..=100_000,
        ),
        signatures_remembered: number(
            checker,
            "signatures_remembered",
            section.signatures_remembered,
            own.signatures_remembered,
            0..=10_000_000,
        ),
    }
}

fn number<N>(checker: &mut Checker, key: &str, given: Option<N>, default: N, allowed: RangeInclusive<N>) -> N
where
    N: Copy + PartialOrd + std::fmt::Display,
{
    let value = given.unwrap_or(default);
    if given.is_some() && !allowed.contains(&value) {
        checker.refuse(
            &format!("limits.{key}"),
            format!("{value} is out of range"),
            format!("Write a number from {} to {}", allowed.start(), allowed.end()),
        );
        return default;
    }
    value
}

fn count(checker: &mut Checker, key: &str, given: Option<u32>, default: NonZeroU32) -> NonZeroU32 {
    let value = number(checker, key, given, default.get(), 1..=100_000);
    NonZeroU32::new(value).unwrap_or(default)
}

fn time(
    checker: &mut Checker,
    key: &str,
    given: Option<Span>,
    default: Duration,
    allowed: RangeInclusive<u64>,
) -> Duration {
    let value = given.map_or(default, |span| span.0);
    if !allowed.contains(&value.as_secs()) {
        checker.refuse(
            &format!("limits.{key}"),
            format!("{} s is out of range", value.as_secs()),
            format!("Write a time from {}s to {}s", allowed.start(), allowed.end()),
        );
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> (LimitsConfig, Vec<String>) {
        let section: LimitsSection = toml::from_str(text).unwrap();
        let mut checker = Checker::new(false);
        let limits = check(&section, &mut checker);
        (
            limits,
            checker.into_problems().iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn without_a_key_the_limits_are_those_of_the_manual() {
        let (limits, problems) = checked("");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(limits.drain, Duration::from_secs(30));
        assert_eq!(limits.headers_within, Duration::from_secs(10));
        assert_eq!((limits.connections, limits.passwords_waiting), (16_384, 512));
        assert_eq!((limits.document_bytes, limits.call_bytes), (64 << 20, 1 << 20));
        assert_eq!(limits.signatures_remembered, 100_000);
        let guard = &limits.guard;
        let of = [
            guard.failures_at_once,
            guard.failures_per_minute,
            guard.failures_of_source,
            guard.refusals_recorded,
        ];
        assert_eq!(of.map(NonZeroU32::get), [8, 5, 200, 10]);
    }

    #[test]
    fn each_key_replaces_its_default() {
        let (limits, problems) = checked(
            "drain = \"1m\"\nconnections = 3\nheaders_within = \"2s\"\ndocument_bytes = 1048576\ncall_bytes = 4096\n\
             failures_at_once = 1\nfailures_per_minute = 2\nfailures_of_source = 3\nrefusals_recorded = 4\n\
             password_hashes = 5\npasswords_waiting = 6\nsignatures_remembered = 0",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            (limits.drain, limits.headers_within),
            (Duration::from_secs(60), Duration::from_secs(2))
        );
        assert_eq!(
            (limits.connections, limits.document_bytes, limits.call_bytes),
            (3, 1 << 20, 4096)
        );
        assert_eq!((limits.password_hashes, limits.passwords_waiting), (5, 6));
        assert_eq!(limits.signatures_remembered, 0);
        let guard = &limits.guard;
        let of = [
            guard.failures_at_once,
            guard.failures_per_minute,
            guard.failures_of_source,
            guard.refusals_recorded,
        ];
        assert_eq!(of.map(NonZeroU32::get), [1, 2, 3, 4]);
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_key_and_range_sec_22() {
        for (text, words) in [
            (
                "connections = 0",
                "limits.connections: 0 is out of range. Write a number from 1 to 1000000",
            ),
            ("headers_within = \"0s\"", "limits.headers_within: 0 s is out of range"),
            (
                "headers_within = \"10m\"",
                "limits.headers_within: 600 s is out of range",
            ),
            ("document_bytes = 10", "limits.document_bytes"),
            ("call_bytes = 0", "limits.call_bytes"),
            ("failures_at_once = 0", "limits.failures_at_once"),
            ("failures_per_minute = 0", "limits.failures_per_minute"),
            ("failures_of_source = 0", "limits.failures_of_source"),
            ("refusals_recorded = 0", "limits.refusals_recorded"),
            ("password_hashes = 0", "limits.password_hashes"),
            ("passwords_waiting = 0", "limits.passwords_waiting"),
            ("signatures_remembered = 99999999", "limits.signatures_remembered"),
        ] {
            let (_, problems) = checked(text);
            assert!(
                problems.len() == 1 && problems[0].starts_with(words),
                "{text}: {problems:?}"
            );
        }
    }
}
