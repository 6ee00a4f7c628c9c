//! Clients, their secrets and keys; audiences and mappings.

use lanyard_core::client::registration::{ClientAuthMethod, KeyHolder, SecretDigest, Side};
use lanyard_core::saml::provider::ServiceProvider;
use lanyard_core::store::StoreError;
use lanyard_core::trust::audience::ClientMapping;

use crate::sample::{audience, client, client_id, client_key, first, id, issuer, secret, subject, then};

conformance! {
    fn a_client_reads_back_as_written_on_its_side_only(b) {
        let idp = client(Side::Idp, "agent");
        let ras = client(Side::Ras, "agent");
        let (one, two) = (idp.clone(), ras.clone());
        b.write(move |tx| tx.insert_client(&one).and_then(|()| tx.insert_client(&two))).unwrap();
        assert_eq!(b.read(|tx| tx.find_client(Side::Idp, &client_id("agent"))).unwrap(), Some(idp));
        assert_eq!(b.read(|tx| tx.find_client(Side::Ras, &client_id("agent"))).unwrap(), Some(ras.clone()));
        let key = ras.key.clone();
        assert_eq!(b.read(move |tx| tx.find_client_by_key(&key)).unwrap(), Some(ras));
        assert_eq!(b.read(|tx| tx.find_client(Side::Ras, &client_id("other"))).unwrap(), None);
        let mut twin = client(Side::Ras, "agent");
        twin.key = id("another");
        assert!(matches!(b.write(move |tx| tx.insert_client(&twin)), Err(StoreError::Conflict("client identifier"))));
    }

    fn a_client_is_changed_by_version_and_listed_by_side(b) {
        b.write(|tx| {
            for name in ["a", "b", "c"] {
                tx.insert_client(&client(Side::Idp, name))?;
                tx.insert_client(&client(Side::Ras, name))?;
            }
            Ok(())
        }).unwrap();
        let mut changed = client(Side::Idp, "a");
        changed.version = 2;
        changed.enabled = false;
        changed.auth = ClientAuthMethod::Native;
        changed.redirect_uris.clear();
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_client(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_client(&two)), Err(StoreError::Conflict("client"))));
        assert_eq!(b.read(|tx| tx.find_client(Side::Idp, &client_id("a"))).unwrap(), Some(changed));
        assert_eq!(b.read(|tx| tx.list_clients(None, &first(100))).unwrap().items.len(), 6);
        let page = b.read(|tx| tx.list_clients(Some(Side::Ras), &first(2))).unwrap();
        assert!(page.items.iter().all(|client| client.side == Side::Ras));
        let rest = b.read(move |tx| tx.list_clients(Some(Side::Ras), &then(page.next, 2))).unwrap();
        assert_eq!((rest.items[0].name.as_str(), rest.next), ("Client c", None));
    }

    fn secrets_are_listed_oldest_first_and_removed(b) {
        let agent = client(Side::Idp, "agent");
        let (new, old) = (secret(&agent, "a", 2), secret(&agent, "b", 1));
        let other = client(Side::Idp, "other");
        b.write(move |tx| {
            tx.insert_client(&agent)?;
            tx.insert_client(&other)?;
            tx.insert_client_secret(&new)?;
            tx.insert_client_secret(&old)?;
            let mut foreign = secret(&other, "c", 0);
            foreign.digest = SecretDigest::Sha256([9; 32]);
            tx.insert_client_secret(&foreign)
        }).unwrap();
        let list = |name: &'static str| {
            b.read(move |tx| tx.list_client_secrets(&client(Side::Idp, name).key)).unwrap()
        };
        assert!(list("agent").iter().map(|secret| secret.id.as_str().to_owned()).eq(["sec_b", "sec_a"]));
        assert!(list("other")[0].digest == SecretDigest::Sha256([9; 32]));
        assert!(list("agent")[0] == secret(&client(Side::Idp, "agent"), "b", 1));
        assert!(b.write(|tx| tx.remove_client_secret(&id("a"))).unwrap());
        assert!(!b.write(|tx| tx.remove_client_secret(&id("a"))).unwrap());
        assert_eq!(list("agent").len(), 1);
    }

    fn keys_belong_to_the_client_or_to_one_person_cl_st_03(b) {
        let cli = client(Side::Idp, "cli");
        let own = client_key(&cli, "own");
        let mut users = client_key(&cli, "users");
        users.holder = Some(KeyHolder::User(id("ada")));
        let mut subjects = client_key(&cli, "subjects");
        subjects.holder = Some(KeyHolder::Subject { issuer: issuer("idp"), subject: subject("ada") });
        let all = [own.clone(), users.clone(), subjects.clone()];
        let record = cli.clone();
        b.write(move |tx| {
            tx.insert_client(&record)?;
            all.iter().try_for_each(|key| tx.insert_client_key(key))
        }).unwrap();
        let again = own.clone();
        assert!(matches!(b.write(move |tx| tx.insert_client_key(&again)), Err(StoreError::Conflict("key identifier"))));
        let key = cli.key.clone();
        assert_eq!(b.read(move |tx| tx.find_client_key(&key, "users")).unwrap(), Some(users.clone()));
        let key = cli.key.clone();
        assert_eq!(b.read(move |tx| tx.list_client_keys(&key)).unwrap(), [own]);
        assert_eq!(b.read(|tx| tx.list_keys_held_by_user(&id("ada"))).unwrap(), [users]);
        assert_eq!(b.read(|tx| tx.list_keys_held_by_subject(&issuer("idp"), "ada")).unwrap(), [subjects]);
        assert_eq!(b.read(|tx| tx.list_keys_held_by_subject(&issuer("ras"), "ada")).unwrap(), []);
        for expected in [true, false] {
            let key = cli.key.clone();
            assert_eq!(b.write(move |tx| tx.remove_client_key(&key, "users")).unwrap(), expected);
        }
    }

    fn an_audience_reads_back_changes_by_version_and_takes_its_mappings_along(b) {
        let ras = audience("ras");
        let written = ras.clone();
        b.write(move |tx| {
            tx.insert_client(&client(Side::Idp, "agent"))?;
            tx.insert_audience(&audience("zzz"))?;
            tx.insert_audience(&written)
        }).unwrap();
        let mut twin = audience("ras");
        twin.id = id("twin");
        assert!(matches!(b.write(move |tx| tx.insert_audience(&twin)), Err(StoreError::Conflict("audience issuer"))));
        assert_eq!(b.read(|tx| tx.find_audience(&issuer("ras"))).unwrap(), Some(ras.clone()));
        let listed = b.read(|tx| tx.list_audiences()).unwrap();
        assert_eq!(listed, [ras.clone(), audience("zzz")]);
        let mut changed = ras;
        changed.version = 2;
        changed.aud_tenant = None;
        changed.enabled = false;
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_audience(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_audience(&two)), Err(StoreError::Conflict("audience"))));
        assert_eq!(b.read(|tx| tx.find_audience(&issuer("ras"))).unwrap(), Some(changed));
        let mapping = ClientMapping {
            client: client(Side::Idp, "agent").key, audience: id("ras"), ras_client_id: client_id("at-ras"),
        };
        b.write(move |tx| tx.put_mapping(&mapping)).unwrap();
        assert!(b.write(|tx| tx.remove_audience(&id("ras"))).unwrap());
        assert!(!b.write(|tx| tx.remove_audience(&id("ras"))).unwrap());
        assert_eq!(b.read(|tx| tx.list_mappings(&id("ras"))).unwrap(), []);
    }

    fn a_mapping_is_replaced_and_never_shared_mt_09(b) {
        let map = |name: &str, to: &str| ClientMapping {
            client: client(Side::Idp, name).key, audience: id("ras"), ras_client_id: client_id(to),
        };
        b.write(|tx| {
            tx.insert_audience(&audience("ras"))?;
            tx.insert_client(&client(Side::Idp, "a"))?;
            tx.insert_client(&client(Side::Idp, "b"))
        }).unwrap();
        for to in ["one", "two"] {
            let mapping = map("a", to);
            b.write(move |tx| tx.put_mapping(&mapping)).unwrap();
        }
        let shared = map("b", "two");
        assert!(matches!(b.write(move |tx| tx.put_mapping(&shared)), Err(StoreError::Conflict("client id at the audience"))));
        let found = b.read(|tx| tx.find_mapping(&client(Side::Idp, "a").key, &id("ras"))).unwrap();
        assert_eq!(found, Some(client_id("two")));
        assert_eq!(b.read(|tx| tx.list_mappings(&id("ras"))).unwrap(), [map("a", "two")]);
        for expected in [true, false] {
            let removed = b.write(|tx| tx.remove_mapping(&client(Side::Idp, "a").key, &id("ras"))).unwrap();
            assert_eq!(removed, expected);
        }
    }

    fn a_service_provider_belongs_to_one_client_saml_05(b) {
        let provider = |entity: &str| ServiceProvider {
            entity_id: entity.to_owned(),
            acs_urls: vec![format!("{entity}/acs"), format!("{entity}/acs2")],
        };
        let (one, two) = (client(Side::Idp, "one"), client(Side::Idp, "two"));
        let (first, second) = (one.key.clone(), two.key.clone());
        let (a, z) = (provider("https://a"), provider("https://z"));
        b.write(move |tx| {
            tx.insert_client(&one)?;
            tx.insert_client(&two)?;
            tx.insert_service_provider(&one.key, &provider("https://z"))?;
            tx.insert_service_provider(&one.key, &provider("https://a"))
        }).unwrap();
        let key = first.clone();
        assert_eq!(b.read(move |tx| tx.list_service_providers(&key)).unwrap(), [a.clone(), z]);
        let found = b.read(|tx| tx.find_client_of_service_provider("https://a")).unwrap();
        assert_eq!(found, Some(first.clone()));
        assert_eq!(b.read(|tx| tx.find_client_of_service_provider("https://A")).unwrap(), None);
        let (key, taken) = (second.clone(), a.clone());
        let twice = b.write(move |tx| tx.insert_service_provider(&key, &taken));
        assert!(matches!(twice, Err(StoreError::Conflict("service provider"))));
        b.write(move |tx| tx.remove_service_providers(&first)).unwrap();
        b.write(move |tx| tx.insert_service_provider(&second, &a)).unwrap();
    }
}
