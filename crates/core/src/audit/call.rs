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
use crate::id::RequestId;
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
        Ok(()) => append(cx, tx, calls).map(Outcome::Granted),
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// Appends a batch of the gateway in this process; how many were new. A batch that is delivered again adds nothing; a
/// gap in the numbers is noted at the event after it.
///
/// # Errors
/// [`StoreError`].
pub fn append(cx: &Cx, tx: &mut dyn Tx, calls: &[CallEvent]) -> Result<u64, StoreError> {
    let mut new = 0;
    let mut last: Option<(&str, u64)> = None;
    for call in calls {
        let seen = match last {
            Some((gateway, number)) if gateway == call.gateway => number,
            _ => {
                keep(tx, last)?;
                tx.find_setting(&counter(&call.gateway))?
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0)
            }
        };
        if call.number <= seen {
            last = Some((&call.gateway, seen));
            continue;
        }
        let event = event(cx, call, call.number.saturating_sub(seen).saturating_sub(1));
        tx.append_event(&event, &text(&event)?)?;
        last = Some((&call.gateway, call.number));
        new += 1;
    }
    keep(tx, last)?;
    Ok(new)
}

fn keep(tx: &mut dyn Tx, last: Option<(&str, u64)>) -> Result<(), StoreError> {
    match last {
        Some((gateway, number)) => tx.put_setting(&counter(gateway), &number.to_string()),
        None => Ok(()),
    }
}

fn counter(gateway: &str) -> String {
    format!("gateway_calls_{}", short(gateway))
}

fn event(cx: &Cx, call: &CallEvent, missing: u64) -> AuditEvent {
    let allowed = call.decision == "allowed";
    let mut detail = Map::new();
    detail.insert("number".to_owned(), Value::from(call.number));
    if missing > 0 {
        detail.insert("missing_before".to_owned(), Value::from(missing));
    }
    for (name, value) in [("method", &call.method), ("name", &call.name), ("jti", &call.jti)] {
        if let Some(value) = value {
            detail.insert(name.to_owned(), Value::from(short(value)));
        }
    }
    let subject = match (&call.issuer, &call.subject) {
        (Some(issuer), Some(subject)) => Some(format!("{issuer}|{subject}")),
        (None, Some(subject)) => Some(subject.clone()),
        (_, None) => None,
    };
    AuditEvent {
        id: cx.new_id(),
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
        reason: (!allowed).then(|| short(&call.decision)),
        actor: Actor::Gateway(short(&call.gateway)),
        subject,
        client_id: call.client_id.clone(),
        target: Some(short(&call.connector)),
        tenant: None,
        detail,
        request_id: RequestId::parse(call.request_id.clone()).unwrap_or_else(|_| cx.request_id.clone()),
        peer: None,
    }
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
