//! Tenants and trusted issuers.

use lanyard_core::store::StoreError;
use lanyard_core::trust::issuer::{Allowed, TrustKeys};
use lanyard_jose::jwk::JwkSet;

use crate::sample::{id, issuer, jwk, tenant, trust};

conformance! {
    fn a_tenant_reads_back_and_its_name_is_unique(b) {
        b.write(|tx| tx.insert_tenant(&tenant("zoo")).and_then(|()| tx.insert_tenant(&tenant("acme")))).unwrap();
        let mut twin = tenant("twin");
        twin.name = "acme".to_owned();
        assert!(matches!(b.write(move |tx| tx.insert_tenant(&twin)), Err(StoreError::Conflict("tenant name"))));
        assert_eq!(b.read(|tx| tx.find_tenant(&id("zoo"))).unwrap(), Some(tenant("zoo")));
        assert_eq!(b.read(|tx| tx.find_tenant_by_name("acme")).unwrap(), Some(tenant("acme")));
        assert_eq!(b.read(|tx| tx.list_tenants()).unwrap(), [tenant("acme"), tenant("zoo")]);
    }

    fn an_issuer_is_trusted_once_per_tenant_claim_mt_07(b) {
        let idp = issuer("idp");
        let plain = trust("plain", &idp, None);
        let mut claimed = trust("claimed", &idp, Some("acme"));
        claimed.keys = TrustKeys::Static(JwkSet { keys: vec![jwk()] });
        (claimed.scopes, claimed.clients) = (None, Allowed::All);
        let (one, two) = (plain.clone(), claimed.clone());
        b.write(move |tx| {
            tx.insert_tenant(&tenant("acme"))?;
            tx.insert_trust(&trust("other", &issuer("another"), None))?;
            tx.insert_trust(&one)?;
            tx.insert_trust(&two)
        }).unwrap();
        for claim in [None, Some("acme")] {
            let twin = trust("twin", &idp, claim);
            let refused = b.write(move |tx| tx.insert_trust(&twin));
            assert!(matches!(refused, Err(StoreError::Conflict("issuer and tenant claim"))));
        }
        assert_eq!(b.read(|tx| tx.list_trusts_of_issuer(&issuer("idp"))).unwrap(), [plain.clone(), claimed.clone()]);
        assert_eq!(b.read(|tx| tx.list_trusts_of_issuer(&issuer("nobody"))).unwrap(), []);
        assert_eq!(b.read(|tx| tx.find_trust(&id("claimed"))).unwrap(), Some(claimed));
        let ids: Vec<_> = b.read(|tx| tx.list_trusts()).unwrap().into_iter().map(|trust| trust.id).collect();
        assert_eq!(ids, [id("other"), id("plain"), id("claimed")]);
    }

    fn a_trust_is_changed_by_version_and_removed(b) {
        let idp = issuer("idp");
        let mut changed = trust("t", &idp, None);
        b.write(move |tx| {
            tx.insert_tenant(&tenant("acme"))?;
            tx.insert_trust(&trust("t", &idp, None))
        }).unwrap();
        assert_eq!(b.read(|tx| tx.trust_version(&id("t"))).unwrap(), Some((1, true)));
        changed.version = 2;
        changed.enabled = false;
        changed.tenant_claim = Some("x".to_owned());
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_trust(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_trust(&two)), Err(StoreError::Conflict("trust"))));
        assert_eq!(b.read(|tx| tx.find_trust(&id("t"))).unwrap(), Some(changed));
        assert_eq!(b.read(|tx| tx.trust_version(&id("t"))).unwrap(), Some((2, false)));
        assert_eq!(b.read(|tx| tx.trust_version(&id("none"))).unwrap(), None);
        assert!(b.write(|tx| tx.remove_trust(&id("t"))).unwrap());
        assert!(!b.write(|tx| tx.remove_trust(&id("t"))).unwrap());
    }

    fn an_empty_tenant_claim_is_not_taken_for_none(b) {
        let trust = trust("t", &issuer("idp"), Some(""));
        let refused = b.write(move |tx| tx.insert_tenant(&tenant("acme")).and_then(|()| tx.insert_trust(&trust)));
        assert!(matches!(refused, Err(StoreError::Corrupt(_))));
    }
}
