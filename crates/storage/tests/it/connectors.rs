//! Connectors of the IdP and resources of the RAS.

use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::store::StoreError;

use crate::sample::{connector, first, id, issuer, resource, resource_id, scopes, then};

conformance! {
    fn a_connector_reads_back_and_is_found_by_id_name_and_pair_idp_tx_06(b) {
        let linear = connector("linear");
        let mut bare = connector("bare");
        bare.upstream = None;
        bare.tools.clear();
        bare.audience = issuer("other");
        let (one, two) = (linear.clone(), bare.clone());
        b.write(move |tx| tx.insert_connector(&one).and_then(|()| tx.insert_connector(&two))).unwrap();
        assert_eq!(b.read(|tx| tx.find_connector(&id("linear"))).unwrap(), Some(linear.clone()));
        assert_eq!(b.read(|tx| tx.find_connector_by_name("bare")).unwrap(), Some(bare));
        let pair = b.read(|tx| tx.find_connector_by_pair(&issuer("ras"), &resource_id("linear"))).unwrap();
        assert_eq!(pair, Some(linear.clone()));
        assert_eq!(b.read(|tx| tx.find_connector_by_pair(&issuer("ras"), &resource_id("bare"))).unwrap(), None);
        assert_eq!(b.read(|tx| tx.list_connectors_of_audience(&issuer("ras"))).unwrap(), [linear]);
    }

    fn name_and_pair_are_unique_and_every_change_moves_the_version(b) {
        let version = || b.read(|tx| tx.connectors_version()).unwrap();
        let start = version();
        b.write(|tx| tx.insert_connector(&connector("linear"))).unwrap();
        let made = version();
        assert!(made > start);
        for (name, resource) in [("linear", "fresh"), ("fresh", "linear")] {
            let mut twin = connector("twin");
            twin.name = name.to_owned();
            twin.resource = resource_id(resource);
            assert!(matches!(b.write(move |tx| tx.insert_connector(&twin)), Err(StoreError::Conflict(_))));
        }
        assert_eq!(version(), made);
        let mut changed = connector("linear");
        changed.version = 2;
        changed.status = ConnectorStatus::Off;
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_connector(&one)).unwrap();
        let moved = version();
        assert!(moved > made);
        assert!(matches!(b.write(move |tx| tx.update_connector(&two)), Err(StoreError::Conflict("connector"))));
        assert_eq!(b.read(|tx| tx.find_connector(&id("linear"))).unwrap(), Some(changed));
        assert!(b.write(|tx| tx.remove_connector(&id("linear"))).unwrap());
        assert!(version() > moved);
        assert!(!b.write(|tx| tx.remove_connector(&id("linear"))).unwrap());
    }

    fn connectors_are_paged_by_name(b) {
        b.write(|tx| ["c", "a", "b"].iter().try_for_each(|name| tx.insert_connector(&connector(name)))).unwrap();
        let page = b.read(|tx| tx.list_connectors(&first(2))).unwrap();
        assert_eq!(page.next.as_deref(), Some("b"));
        let rest = b.read(move |tx| tx.list_connectors(&then(page.next, 2))).unwrap();
        assert_eq!((rest.items.len(), rest.items[0].name.as_str(), rest.next), (1, "c", None));
    }

    fn a_resource_reads_back_changes_by_version_and_is_removed(b) {
        b.write(|tx| tx.insert_resource(&resource("b")).and_then(|()| tx.insert_resource(&resource("a")))).unwrap();
        assert!(matches!(b.write(|tx| tx.insert_resource(&resource("a"))), Err(StoreError::Conflict("resource identifier"))));
        assert_eq!(b.read(|tx| tx.list_resources()).unwrap(), [resource("a"), resource("b")]);
        let mut changed = resource("a");
        changed.version = 2;
        changed.scopes = scopes("");
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_resource(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_resource(&two)), Err(StoreError::Conflict("resource"))));
        assert_eq!(b.read(|tx| tx.find_resource(&resource_id("a"))).unwrap(), Some(changed));
        assert!(b.write(|tx| tx.remove_resource(&resource_id("a"))).unwrap());
        assert!(!b.write(|tx| tx.remove_resource(&resource_id("a"))).unwrap());
        assert_eq!(b.read(|tx| tx.find_resource(&resource_id("a"))).unwrap(), None);
    }
}
