//! Calls at gateways, as events of the log (RS-GW-06).
//!
//! Owns taking a numbered batch once. Never decides a call.

use lanyard_protocol::gateway::CallEvent;
use serde_json::{Map, Value};

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::audit::event::{Actor, AuditEvent, AuditOutcome};
use crate::audit::record::text;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{EventId, RequestId};
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// What a caller of a tool can choose is cut to this many characters.
const LONGEST: usize = 256;

/// Takes a batch from a gateway process that authenticated with an administrator token; how many were new.
///
/// # Errors
/// [`StoreError`].
pub fn deliver(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    calls: &[CallEvent],
) -> Result<Outcome<u64, AdminDenial>, StoreError> {
    match require(admin, Permission::ServeGateway) {
        Ok(()) => append(cx, tx, calls.to_vec()).map(Outcome::Granted),
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// Appends a batch of the gateway in this process; how many were new. A batch that is delivered again adds nothing; a
/// gap in the numbers is noted at the event after it.
///
/// # Errors
/// [`StoreError`].
pub fn append(cx: &Cx, tx: &mut dyn Tx, calls: Vec<CallEvent>) -> Result<u64, StoreError> {
    let mut new = Vec::with_capacity(calls.len());
    let mut last: Option<(String, u64)> = None;
    let ids = cx.new_ids(calls.len());
    for (call, id) in calls.into_iter().zip(ids) {
        let seen = match &mut last {
            Some((gateway, seen)) if *gateway == call.gateway => seen,
            last => {
                keep(tx, last.take())?;
                let seen = tx
                    .find_setting(&counter(&call.gateway))?
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                &mut last.insert((call.gateway.clone(), seen)).1
            }
        };
        if call.number <= *seen {
            continue;
        }
        let missing = call.number.saturating_sub(*seen).saturating_sub(1);
        *seen = call.number;
        let event = event(cx, id, call, missing);
        let text = text(&event)?;
        new.push((event, text));
    }
    tx.append_events(&new)?;
    keep(tx, last)?;
    Ok(u64::try_from(new.len()).unwrap_or(u64::MAX))
}

fn keep(tx: &mut dyn Tx, last: Option<(String, u64)>) -> Result<(), StoreError> {
    match last {
        Some((gateway, number)) => tx.put_setting(&counter(&gateway), &number.to_string()),
        None => Ok(()),
    }
}

fn counter(gateway: &str) -> String {
    format!("gateway_calls_{}", short(gateway.to_owned()))
}

fn event(cx: &Cx, id: EventId, call: CallEvent, missing: u64) -> AuditEvent {
    let allowed = call.decision == "allowed";
    let mut detail = Map::with_capacity(5);
    detail.insert("number".to_owned(), Value::from(call.number));
    if missing > 0 {
        detail.insert("missing_before".to_owned(), Value::from(missing));
    }
    for (name, value) in [("method", call.method), ("name", call.name), ("jti", call.jti)] {
        if let Some(value) = value {
            detail.insert(name.to_owned(), Value::from(short(value)));
        }
    }
    let subject = match (call.issuer, call.subject) {
        (Some(issuer), Some(subject)) => Some([&issuer, "|", &subject].concat()),
        (None, Some(subject)) => Some(subject),
        (_, None) => None,
    };
    AuditEvent {
        id,
        at: Timestamp::from_micros(call.at),
        kind: if allowed {
            "gateway.call.forwarded"
        } else {
            "gateway.call.refused"
        }
        .to_owned(),
        outcome: if allowed {
            AuditOutcome::Granted
        } else {
            AuditOutcome::Denied
        },
        reason: (!allowed).then(|| short(call.decision)),
        actor: Actor::Gateway(short(call.gateway)),
        subject,
        client_id: call.client_id,
        target: Some(short(call.connector)),
        tenant: None,
        detail,
        request_id: RequestId::parse(call.request_id).unwrap_or_else(|_| cx.request_id.clone()),
        peer: None,
    }
}

fn short(mut text: String) -> String {
    // There are never more characters than bytes.
    if text.len() > LONGEST
        && let Some((end, _)) = text.char_indices().nth(LONGEST)
    {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_after_256_characters_whatever_their_length() {
        for character in ["x", "é", "𝄞"] {
            let longest = character.repeat(256);
            assert_eq!(short(longest.clone()), longest);
            assert_eq!(short(character.repeat(255)), character.repeat(255));
            assert_eq!(short(character.repeat(257)), longest);
            assert_eq!(short(character.repeat(10_000)), longest);
        }
        assert_eq!(short(format!("{}é", "x".repeat(255))), format!("{}é", "x".repeat(255)));
        assert_eq!(short(String::new()), "");
    }
}
