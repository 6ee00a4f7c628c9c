//! What is held in memory is never older than the store.

use std::sync::mpsc::channel;

use lanyard_core::client::registration::Side;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::store::Mode;
use lanyard_core::trust::audience::ClientMapping;

use crate::sample::{audience, client, client_id, connector, id, issuer, resource, secret, tenant, trust};
use crate::support::Bench;

/// One of each, read once, so that all of them are held.
fn everything(b: &Bench) {
    let of = client(Side::Idp, "app");
    let mapping = ClientMapping {
        client: of.key.clone(),
        audience: audience("ras").id,
        ras_client_id: client_id("app-at-ras"),
    };
    let mut plug = connector("figma");
    plug.status = ConnectorStatus::Active;
    b.write(move |tx| {
        tx.insert_client(&of)?;
        tx.insert_client_secret(&secret(&of, "one", 1))?;
        tx.insert_audience(&audience("ras"))?;
        tx.put_mapping(&mapping)?;
        tx.insert_connector(&plug)?;
        tx.insert_resource(&resource("figma"))?;
        tx.insert_tenant(&tenant("acme"))?;
        tx.insert_trust(&trust("t", &issuer("idp"), None))
    })
    .unwrap();
    assert_eq!(
        look(b),
        (
            true,
            1,
            true,
            true,
            true,
            Some((1, true)),
            Some("app-at-ras".to_owned())
        )
    );
}

type Look = (bool, usize, bool, bool, bool, Option<(i64, bool)>, Option<String>);

/// Client enabled; its secrets; audience enabled; connector active; resource active; trust; mapping.
fn look(b: &Bench) -> Look {
    let mine = client(Side::Idp, "app");
    let active = |status: ConnectorStatus| status == ConnectorStatus::Active;
    b.read(move |tx| {
        let found = tx.find_client(Side::Idp, &mine.client_id)?;
        let at = audience("ras");
        let plug = connector("figma");
        Ok((
            found.is_some_and(|found| found.enabled),
            tx.list_client_secrets(&mine.key)?.len(),
            tx.find_audience(&at.issuer)?.is_some_and(|at| at.enabled),
            tx.find_connector_by_pair(&plug.audience, &plug.resource)?
                .is_some_and(|plug| active(plug.status)),
            tx.find_resource(&resource("figma").id)?
                .is_some_and(|one| active(one.status)),
            tx.trust_version(&id("t"))?,
            tx.find_mapping(&mine.key, &at.id)?
                .map(|found| found.as_str().to_owned()),
        ))
    })
    .unwrap()
}

conformance! {
    fn a_change_of_any_table_is_seen_by_the_next_unit_whoever_made_it(b) {
        everything(b);
        let changes = [
            "UPDATE clients SET enabled = 0",
            "DELETE FROM client_secrets",
            "UPDATE audiences SET enabled = 0",
            "UPDATE connectors SET status = 'off'",
            "UPDATE resources SET status = 'off'",
            "UPDATE trusts SET version = 2, enabled = 0",
            "UPDATE client_mappings SET ras_client_id = 'other'",
        ];
        let mut expected = look(b);
        for (n, change) in changes.into_iter().enumerate() {
            b.meddle(change, change);
            match n {
                0 => expected.0 = false,
                1 => expected.1 = 0,
                2 => expected.2 = false,
                3 => expected.3 = false,
                4 => expected.4 = false,
                5 => expected.5 = Some((2, false)),
                _ => expected.6 = Some("other".to_owned()),
            }
            assert_eq!(look(b), expected, "{change}");
        }
        let removals = ["DELETE FROM connectors", "DELETE FROM resources", "DELETE FROM trusts", "DELETE FROM client_mappings",
            "DELETE FROM clients", "DELETE FROM audiences", "DELETE FROM tenants"];
        for removal in removals {
            b.meddle(removal, removal);
        }
        assert_eq!(look(b), (false, 0, false, false, false, None, None));
        everything(b);
    }

    fn a_change_that_was_rolled_back_is_not_held(b) {
        everything(b);
        let mut off = client(Side::Idp, "app");
        off.version = 2;
        off.enabled = false;
        let (sender, receiver) = channel();
        let end = b.submit(Mode::Write, move |tx| {
            tx.update_client(&off)?;
            let seen = tx.find_client(Side::Idp, &off.client_id)?;
            sender.send(seen.is_some_and(|seen| seen.enabled)).unwrap();
            Err(lanyard_core::store::StoreError::Full)
        });
        let _ = end.recv().unwrap();
        assert!(!receiver.recv().unwrap(), "a unit sees its own change");
        assert!(look(b).0);
    }

    fn a_unit_sees_what_an_earlier_one_of_its_batch_changed(b) {
        everything(b);
        let (sender, receiver) = channel();
        let gate = b.gate();
        let mut ends = Vec::new();
        for (version, enabled) in [(2, false), (3, true), (4, false)] {
            let mut changed = client(Side::Idp, "app");
            (changed.version, changed.enabled) = (version, enabled);
            let sender = sender.clone();
            ends.push(b.submit(Mode::Write, move |tx| {
                let before = tx.find_client(Side::Idp, &changed.client_id)?;
                tx.update_client(&changed)?;
                let after = tx.find_client(Side::Idp, &changed.client_id)?;
                sender.send((before.unwrap().enabled, after.unwrap().enabled)).unwrap();
                Ok(())
            }));
            // On PostgreSQL units run beside each other: this is about their order.
            if b.store.engine() == "postgres" {
                ends.pop().unwrap().recv().unwrap().unwrap();
            }
        }
        drop(gate);
        for end in ends {
            end.recv().unwrap().unwrap();
        }
        let seen: Vec<_> = receiver.try_iter().collect();
        assert_eq!(seen, [(true, false), (false, true), (true, false)]);
    }
}
