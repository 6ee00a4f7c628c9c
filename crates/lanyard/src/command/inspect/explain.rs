//! What a token means, in plain words.
//!
//! Owns telling the kinds apart for people and the sentences. Never verifies: a kind seen here proves nothing (SEC-01).

use serde::Serialize;
use serde_json::Value;

use crate::client_config::words::{instant, relative};

/// What a token seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenKind {
    IdToken,
    IdJag,
    AccessToken,
    ClientAssertion,
    DpopProof,
    LogoutToken,
    SecurityEvent,
    Unknown,
}

impl TokenKind {
    /// By `typ`; without one, by what the claims look like.
    pub(super) fn of(header: &Value, claims: &Value) -> Self {
        let typ = header
            .get("typ")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let has = |name: &str| claims.get(name).is_some();
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "oauth-id-jag+jwt" => Self::IdJag,
            "at+jwt" => Self::AccessToken,
            "client-authentication+jwt" => Self::ClientAssertion,
            "dpop+jwt" => Self::DpopProof,
            "logout+jwt" => Self::LogoutToken,
            "secevent+jwt" => Self::SecurityEvent,
            "jwt" | "" if has("events") => Self::SecurityEvent,
            "jwt" | "" if has("iss") && claims.get("iss") == claims.get("sub") => Self::ClientAssertion,
            "jwt" | "" if has("nonce") || has("at_hash") || has("azp") || (has("auth_time") && !has("client_id")) => {
                Self::IdToken
            }
            "jwt" | "" if has("scope") || has("scp") || has("client_id") => Self::AccessToken,
            "jwt" | "" if has("sub") && has("aud") => Self::IdToken,
            _ => Self::Unknown,
        }
    }

    /// The kind's name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::IdToken => "An ID token",
            Self::IdJag => "An identity assertion authorization grant (ID-JAG)",
            Self::AccessToken => "An access token",
            Self::ClientAssertion => "A client assertion",
            Self::DpopProof => "A DPoP proof",
            Self::LogoutToken => "A logout token",
            Self::SecurityEvent => "A security event token",
            Self::Unknown => "A JWT of an unknown kind",
        }
    }
}

/// Sentences about the token.
pub(super) fn explain(kind: TokenKind, claims: &Value, now: i64) -> Vec<String> {
    let text = |name: &str| one_or_many(claims.get(name));
    let or = |name: &str| text(name).unwrap_or_else(|| format!("(no {name})"));
    let scope = || {
        text("scope").map_or_else(
            || "without naming scopes".to_owned(),
            |scope| format!("with the scopes {scope}"),
        )
    };
    let mut lines = match kind {
        TokenKind::IdToken => vec![
            format!(
                "{} says to the client {}: the person {} signed in.",
                or("iss"),
                or("aud"),
                or("sub")
            ),
            "It is for that client alone. It opens nothing at an MCP server; the client exchanges it for an ID-JAG."
                .to_owned(),
        ],
        TokenKind::IdJag => vec![
            format!(
                "{} permits the client {} to act for the person {}",
                or("iss"),
                or("client_id"),
                or("sub")
            ),
            format!(
                "at the resource {} {}.",
                text("resource").unwrap_or_else(|| "that is configured for it".to_owned()),
                scope()
            ),
            format!(
                "The client redeems it once, at the authorization server {}, for an access token.",
                or("aud")
            ),
            "It is not an access token: an MCP server refuses it.".to_owned(),
        ],
        TokenKind::AccessToken => vec![
            format!("{} lets the client {} call {}", or("iss"), or("client_id"), or("aud")),
            format!("for the account {} {}.", or("sub"), scope()),
        ],
        TokenKind::ClientAssertion => vec![
            format!(
                "The client {} proves to {} that it holds its private key.",
                or("iss"),
                or("aud")
            ),
            "It authenticates the client, not a person, and is used once.".to_owned(),
        ],
        TokenKind::DpopProof => {
            vec![format!(
                "A client proves that it holds a key, for one request: {} {}.",
                or("htm"),
                or("htu")
            )]
        }
        TokenKind::LogoutToken => vec![format!("{} tells {} that a sign-in is over.", or("iss"), or("aud"))],
        TokenKind::SecurityEvent => vec![format!("{} reports a security event to {}.", or("iss"), or("aud"))],
        TokenKind::Unknown => vec!["Neither its type nor its claims are of a kind that Lanyard knows.".to_owned()],
    };
    lines.extend(times(claims, now));
    let how = [("acr", "strength"), ("amr", "methods")];
    let how: Vec<String> = how
        .iter()
        .filter_map(|(name, word)| Some(format!("{word} {}", text(name)?)))
        .collect();
    if let Some(at) = claims.get("auth_time").and_then(Value::as_i64) {
        lines.push(format!(
            "The person proved who they are {} ({}).",
            relative(at, now),
            instant(at)
        ));
    }
    if !how.is_empty() {
        lines.push(format!("Authentication: {}.", how.join(", ")));
    }
    lines
}

fn times(claims: &Value, now: i64) -> Vec<String> {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
    let mut lines = Vec::new();
    if let Some(at) = seconds("iat") {
        lines.push(format!("Issued {} ({}).", relative(at, now), instant(at)));
    }
    match seconds("exp") {
        Some(at) if at <= now => lines.push(format!("It expired {} ({}).", relative(at, now), instant(at))),
        Some(at) => lines.push(format!("It expires {} ({}).", relative(at, now), instant(at))),
        None => {}
    }
    lines
}

/// What an attentive reader would notice.
pub(super) fn notes(kind: TokenKind, header: &Value, claims: &Value, now: i64) -> Vec<String> {
    let mut notes = Vec::new();
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if algorithm.eq_ignore_ascii_case("none") {
        notes.push("It is not signed (alg none): nobody may accept it.".to_owned());
    }
    if algorithm.starts_with("HS") {
        notes.push("It is signed with a shared secret: servers that follow the specification refuse it.".to_owned());
    }
    for name in ["jku", "jwk", "x5u", "x5c", "crit"] {
        // A DPoP proof carries its key; nothing else does.
        if header.get(name).is_some() && !(kind == TokenKind::DpopProof && name == "jwk") {
            notes.push(format!("Its header carries {name}: Lanyard refuses such tokens."));
        }
    }
    if header.get("typ").is_none() && kind != TokenKind::IdToken {
        notes.push("It has no typ: its kind is a guess.".to_owned());
    }
    if seconds("nbf").is_some_and(|at| at > now) {
        notes.push("It is not valid yet (nbf).".to_owned());
    }
    if seconds("exp").is_none() && !matches!(kind, TokenKind::DpopProof | TokenKind::SecurityEvent) {
        notes.push("It has no expiry.".to_owned());
    }
    if let (Some(issued), Some(expires)) = (seconds("iat"), seconds("exp"))
        && kind == TokenKind::IdJag
        && expires.saturating_sub(issued) > 600
    {
        notes.push("It lives longer than 10 minutes: a Lanyard authorization server refuses it by default.".to_owned());
    }
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    if kind == TokenKind::IdJag && audiences != 1 {
        notes.push("It names several audiences: exactly one is permitted.".to_owned());
    }
    let missing = |name: &str| claims.get(name).is_none();
    let needed: &[&str] = match kind {
        TokenKind::IdJag => &["iss", "sub", "aud", "client_id", "jti", "exp", "iat"],
        TokenKind::AccessToken => &["iss", "sub", "aud", "client_id", "jti", "exp", "iat"],
        TokenKind::IdToken => &["iss", "sub", "aud", "exp", "iat"],
        TokenKind::ClientAssertion => &["iss", "sub", "aud", "jti", "exp"],
        TokenKind::DpopProof | TokenKind::LogoutToken | TokenKind::SecurityEvent | TokenKind::Unknown => &[],
    };
    notes.extend(
        needed
            .iter()
            .filter(|name| missing(name))
            .map(|name| format!("The claim {name} is missing.")),
    );
    notes
}

fn one_or_many(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            Some(values.join(" and "))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_told_by_type_then_by_claims() {
        let of = |typ: &str, claims: Value| TokenKind::of(&json!({"typ": typ}), &claims);
        assert_eq!(of("oauth-id-jag+jwt", json!({})), TokenKind::IdJag);
        assert_eq!(of("application/at+jwt", json!({})), TokenKind::AccessToken);
        assert_eq!(
            of("JWT", json!({"iss": "a", "sub": "a", "aud": "b"})),
            TokenKind::ClientAssertion
        );
        assert_eq!(
            of("JWT", json!({"iss": "a", "sub": "s", "aud": "c", "nonce": "n"})),
            TokenKind::IdToken
        );
        assert_eq!(of("x+jwt", json!({})), TokenKind::Unknown);
    }

    #[test]
    fn an_id_jag_is_explained_with_its_parties() {
        let claims = json!({"iss": "https://idp", "sub": "s", "aud": "https://as", "client_id": "c", "resource": "https://r",
            "scope": "a b", "jti": "j", "iat": 1000, "exp": 1300});
        let text = explain(TokenKind::IdJag, &claims, 1100).join(" ");
        for part in ["https://idp", "https://as", "https://r", "a b", "in 3 minutes"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            notes(
                TokenKind::IdJag,
                &json!({"alg": "ES256", "typ": "oauth-id-jag+jwt"}),
                &claims,
                1100
            )
            .is_empty()
        );
    }

    #[test]
    fn dangerous_headers_are_pointed_out() {
        let notes = notes(TokenKind::IdToken, &json!({"alg": "none", "jku": "x"}), &json!({}), 0);
        assert!(notes.iter().any(|note| note.contains("not signed")));
        assert!(notes.iter().any(|note| note.contains("jku")));
    }
}
