//! The templates of the account and what they are filled with.

use askama::Template;
use lanyard_core::clock::Timestamp;

use crate::account::Room;
use crate::page::Page;
use crate::passkeys::Asked;
use crate::sign_in::view::AppSecretView;

/// What every page of the account has.
pub(super) struct Frame<'a> {
    pub(super) room: Room,
    /// The path of the issuer.
    pub(super) base: &'a str,
    pub(super) person: &'a str,
    pub(super) username: &'a str,
    pub(super) form_token: &'a str,
    /// What was done a moment ago.
    pub(super) notice: Option<&'a str>,
    /// What was refused.
    pub(super) problem: Option<&'a str>,
}

impl Frame<'_> {
    fn rooms(&self) -> [Room; 4] {
        Room::ALL
    }

    fn is(&self, room: &Room) -> bool {
        self.room == *room
    }
}

/// An instant, for people and for machines.
pub(super) struct When {
    pub(super) machine: String,
    pub(super) words: String,
}

impl From<Timestamp> for When {
    fn from(at: Timestamp) -> Self {
        let machine = Timestamp::from_seconds(at.seconds()).to_string();
        let words = match (machine.get(..10), machine.get(11..16)) {
            (Some(day), Some(time)) => format!("{day} {time} UTC"),
            _ => machine.clone(),
        };
        Self { machine, words }
    }
}

#[derive(Template)]
#[template(path = "account/profile.html")]
pub(super) struct ProfilePage<'a> {
    pub(super) page: &'a Page,
    pub(super) frame: Frame<'a>,
    pub(super) username: &'a str,
    pub(super) display_name: &'a str,
    pub(super) email: &'a str,
    pub(super) groups: &'a [String],
    pub(super) editable: bool,
    /// The person must prove first who they are.
    pub(super) fresh: bool,
}

/// A passkey in the list.
pub(super) struct PasskeyView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) added: When,
    pub(super) used: Option<When>,
}

#[derive(Template)]
#[template(path = "account/security.html")]
pub(super) struct SecurityPage<'a> {
    pub(super) page: &'a Page,
    pub(super) frame: Frame<'a>,
    /// Whether password and factors are ours to change.
    pub(super) local: bool,
    pub(super) has_password: bool,
    pub(super) fresh: bool,
    pub(super) min_length: usize,
    pub(super) app_since: Option<When>,
    pub(super) codes: u64,
    pub(super) has_second: bool,
    pub(super) passkeys: Vec<PasskeyView>,
    /// Whether this issuer can have passkeys.
    pub(super) can_have_passkeys: bool,
    /// A challenge for a new passkey, when the person may add one now.
    pub(super) new_passkey: Option<&'a Asked>,
    /// A challenge for proving who one is.
    pub(super) proof: Option<&'a Asked>,
}

#[derive(Template)]
#[template(path = "account/app.html")]
pub(super) struct AppPage<'a> {
    pub(super) page: &'a Page,
    pub(super) frame: Frame<'a>,
    pub(super) app: &'a AppSecretView,
}

/// A session in the list.
pub(super) struct SessionView {
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) address: String,
    pub(super) began: When,
    pub(super) used: When,
    /// `by …` a method of ours, or `at …` a provider.
    pub(super) how: String,
    pub(super) this: bool,
}

#[derive(Template)]
#[template(path = "account/sessions.html")]
pub(super) struct SessionsPage<'a> {
    pub(super) page: &'a Page,
    pub(super) frame: Frame<'a>,
    pub(super) sessions: Vec<SessionView>,
    /// Whether they have one here: whoever signs in elsewhere cannot change it.
    pub(super) has_password: bool,
}

/// A program in the list.
pub(super) struct ProgramView {
    /// `key` or `family`.
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) machine: Option<String>,
    pub(super) since: When,
    pub(super) until: Option<When>,
}

#[derive(Template)]
#[template(path = "account/programs.html")]
pub(super) struct ProgramsPage<'a> {
    pub(super) page: &'a Page,
    pub(super) frame: Frame<'a>,
    pub(super) programs: Vec<ProgramView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_minutes_and_named_exactly() {
        let when = When::from(Timestamp::from_micros(1_789_387_200_123_456));
        assert_eq!(when.words, "2026-09-14 12:00 UTC");
        assert_eq!(when.machine, "2026-09-14T12:00:00Z");
    }
}
