//! Agents, the people who answer for them, and their status in the client's row.

use lanyard_core::agent::record::{Agent, AgentStatus};
use lanyard_core::client::registration::Side;
use lanyard_core::store::StoreError;

use crate::sample::{at, client, client_id, first, id, then, user};

fn agent(name: &str) -> Agent {
    Agent {
        id: id(name),
        name: name.to_owned(),
        title: format!("Agent {name}"),
        purpose: "Tests".to_owned(),
        vendor: Some("Example".to_owned()),
        software: None,
        status: AgentStatus::Staged,
        orphaned: false,
        client: None,
        reviewed_at: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

conformance! {
    fn an_agent_reads_back_and_changes_by_version(b) {
        let helper = client(Side::Idp, "helper");
        let record = Agent { client: Some(helper.key.clone()), ..agent("helper") };
        let (written, key) = (record.clone(), helper.key.clone());
        b.write(move |tx| {
            tx.insert_client(&helper)?;
            tx.insert_agent(&written)?;
            tx.insert_agent(&agent("another"))
        }).unwrap();
        assert_eq!(b.read(|tx| tx.find_agent_by_name("helper")).unwrap(), Some(record.clone()));
        assert_eq!(b.read(|tx| tx.find_agent_by_name("nobody")).unwrap(), None);
        let held = key.clone();
        assert_eq!(b.read(move |tx| tx.find_agent_of_client(&held)).unwrap(), Some(record.clone()));
        let taken = |change: fn(&mut Agent)| {
            let mut twin = Agent { id: id("twin"), ..agent("twin") };
            change(&mut twin);
            b.write(move |tx| tx.insert_agent(&twin))
        };
        assert!(matches!(taken(|twin| twin.name = "helper".to_owned()), Err(StoreError::Conflict("agent name or client"))));
        let thief = Agent { client: Some(key), ..agent("thief") };
        assert!(matches!(b.write(move |tx| tx.insert_agent(&thief)), Err(StoreError::Conflict("agent name or client"))));
        let changed = Agent {
            status: AgentStatus::Suspended, orphaned: true, reviewed_at: Some(at(7)), version: 2, updated_at: at(8), ..record
        };
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| { tx.hold_agent(&one.id)?; tx.update_agent(&one) }).unwrap();
        assert!(matches!(b.write(move |tx| tx.update_agent(&two)), Err(StoreError::Conflict("agent"))));
        assert_eq!(b.read(|tx| tx.find_agent_by_name("helper")).unwrap(), Some(changed));
        let page = b.read(|tx| tx.list_agents(&first(1))).unwrap();
        assert_eq!(page.items[0].name, "another");
        let rest = b.read(move |tx| tx.list_agents(&then(page.next, 5))).unwrap();
        assert_eq!((rest.items[0].name.as_str(), rest.next), ("helper", None));
    }

    fn people_answer_for_agents_and_are_found_by_both(b) {
        b.write(|tx| {
            tx.insert_user(&user("ada"))?;
            tx.insert_user(&user("ben"))?;
            tx.insert_agent(&agent("one"))?;
            tx.insert_agent(&agent("two"))
        }).unwrap();
        for (agent, person, expected) in [("one", "ada", true), ("one", "ben", true), ("one", "ben", false), ("two", "ada", true)] {
            assert_eq!(b.write(move |tx| tx.insert_agent_owner(&id(agent), &id(person), at(1))).unwrap(), expected);
        }
        assert_eq!(b.read(|tx| tx.list_agent_owners(&id("one"))).unwrap(), [id("ada"), id("ben")]);
        let names: Vec<_> = b.read(|tx| tx.list_agents_owned_by(&id("ada"))).unwrap().into_iter().map(|agent| agent.name).collect();
        assert_eq!(names, ["one", "two"]);
        for expected in [true, false] {
            assert_eq!(b.write(|tx| tx.remove_agent_owner(&id("one"), &id("ben"))).unwrap(), expected);
        }
        for expected in [true, false] {
            assert_eq!(b.write(|tx| tx.remove_agent(&id("one"))).unwrap(), expected);
        }
        assert_eq!(b.read(|tx| tx.list_agent_owners(&id("one"))).unwrap(), []);
        assert_eq!(b.read(|tx| tx.list_agents_owned_by(&id("ada"))).unwrap().len(), 1);
    }

    fn a_client_carries_the_status_of_its_agent_and_a_moment_that_only_moves_forward(b) {
        let (mut registered, free, there) =
            (client(Side::Idp, "registered"), client(Side::Idp, "free"), client(Side::Ras, "there"));
        registered.agent = Some(AgentStatus::Staged);
        let written = registered.clone();
        let key = free.key.clone();
        b.write(move |tx| {
            tx.insert_client(&written)?;
            tx.insert_client(&free)?;
            tx.insert_client(&there)
        }).unwrap();
        let unregistered = b.read(|tx| tx.list_unregistered_clients(&first(9))).unwrap();
        assert!(unregistered.items.iter().map(|client| client.key.clone()).eq([key]), "{unregistered:?}");
        registered.agent = Some(AgentStatus::Suspended);
        registered.version = 2;
        let written = registered.clone();
        b.write(move |tx| tx.update_client(&written)).unwrap();
        assert_eq!(b.read(|tx| tx.find_client(Side::Idp, &client_id("registered"))).unwrap(), Some(registered));
        for (moved, expected) in [(5, 5), (3, 5), (9, 9)] {
            b.write(move |tx| tx.raise_client_not_before(Side::Ras, &client_id("there"), at(moved))).unwrap();
            let found = b.read(|tx| tx.find_client(Side::Ras, &client_id("there"))).unwrap().unwrap();
            assert_eq!((found.not_before, found.version), (Some(at(expected)), 1));
        }
    }
}
