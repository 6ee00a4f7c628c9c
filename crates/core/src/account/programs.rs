//! Programs that act for a person without their browser: machines with a key of their own, and programs that stay
//! signed in.

use crate::account::{Own, OwnDenial};
use crate::admin::apply::Deployment;
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::RegisteredKey;
use crate::cx::Cx;
use crate::id::{ClientKey, FamilyId, UserId};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::ras::native_key as ras_key;
use crate::session::refresh::RefreshFamily;
use crate::store::{StoreError, Tx};

/// Families that are shown at most, newest first.
const MOST: u32 = 200;

/// What acts for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Programs {
    /// Keys of machines.
    pub keys: Vec<(RegisteredKey, String)>,
    /// Sign-ins of programs that can be renewed.
    pub families: Vec<(RefreshFamily, String)>,
}

/// What acts for a person, each with the name of its program.
///
/// # Errors
/// [`StoreError`].
pub fn list(cx: &Cx, tx: &mut dyn Tx, own: &Own) -> Result<Programs, StoreError> {
    let mut keys = Vec::new();
    for key in tx.list_keys_held_by_user(&own.user.id)? {
        if key.expires_at.is_none_or(|end| cx.now < end) {
            let name = name_of(tx, &key.client)?;
            keys.push((key, name));
        }
    }
    let mut families = Vec::new();
    for family in tx.list_families_of(&own.user.id, cx.now, MOST)? {
        let name = name_of(tx, &family.client)?;
        families.push((family, name));
    }
    Ok(Programs { keys, families })
}

/// Removes a machine's key, here and at the RAS of this deployment, and what hangs on it.
///
/// # Errors
/// [`StoreError`].
pub fn remove_key(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    deployment: &Deployment,
    own: &Own,
    kid: &str,
) -> Result<Outcome<(), OwnDenial>, StoreError> {
    let held = tx.list_keys_held_by_user(&own.user.id)?;
    let Some(key) = held.into_iter().find(|key| key.kid == kid) else {
        return own
            .refuse(cx, tx, "idp.key.removal_refused", OwnDenial::Gone)
            .map(Outcome::Denied);
    };
    tx.remove_client_key(&key.client, kid)?;
    let families = tx.end_families_of_key(&key.client, kid, cx.now)?;
    let event = own.about(NewEvent::granted("idp.key.removed")).target(kid);
    record(cx, tx, event.detail("refresh_families", families))?;
    remove_key_at_ras(cx, tx, vault, deployment, own.actor(), &own.user.id, kid)?;
    Ok(Outcome::Granted(()))
}

/// The same key at the RAS of this deployment, which was enrolled together with it.
///
/// # Errors
/// [`StoreError`].
pub fn remove_key_at_ras(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    deployment: &Deployment,
    actor: Actor,
    user: &UserId,
    kid: &str,
) -> Result<(), StoreError> {
    let (Some(idp), Some(ras)) = (&deployment.idp, &deployment.ras) else {
        return Ok(());
    };
    for audience in tx.list_audiences()?.iter().filter(|audience| audience.issuer == *ras) {
        let subject = vault.subject_for_audience(audience, user);
        ras_key::remove(cx, tx, actor.clone(), idp, &subject, kid)?;
    }
    Ok(())
}

/// Ends what lets a program renew its sign-in.
///
/// # Errors
/// [`StoreError`].
pub fn end_family(cx: &Cx, tx: &mut dyn Tx, own: &Own, id: &FamilyId) -> Result<Outcome<(), OwnDenial>, StoreError> {
    let family = tx.find_family(id)?.filter(|family| family.user == own.user.id);
    let Some(family) = family else {
        let kind = "idp.refresh_family.ending_refused";
        return own.refuse(cx, tx, kind, OwnDenial::Gone).map(Outcome::Denied);
    };
    tx.end_family(id, cx.now)?;
    let mut event = own.about(NewEvent::granted("idp.refresh_family.ended"));
    if let Some(client) = tx.find_client_by_key(&family.client)? {
        event = event.client(&client.client_id);
    }
    record(cx, tx, event.target(id.as_str()))?;
    Ok(Outcome::Granted(()))
}

fn name_of(tx: &mut dyn Tx, client: &ClientKey) -> Result<String, StoreError> {
    let client = tx.find_client_by_key(client)?;
    Ok(client.map_or_else(|| "A program that is gone".to_owned(), |client| client.name))
}
