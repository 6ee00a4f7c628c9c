//! First provisioning of an organisation over SCIM, durable: people, groups, memberships; a large PATCH; look-ups;
//! memory; and what a chain costs before and after.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Context;

use crate::drive::{Done, drive, saturate};
use crate::measure::{Latencies, median, used};
use crate::process::Cores;
use crate::provisioning::{Provisioning, external_id, user_name};
use crate::serve::Site;
use crate::target::Target;
use crate::tools::Tools;

/// Connections of the provisioning client.
const CONNECTIONS: usize = 16;
/// People in each group, so that everybody is in two of them.
const OF_A_GROUP: usize = 200;
/// People in one PATCH of the first provisioning.
const OF_A_PATCH: usize = 100;
/// People in the large PATCH.
const MANY: usize = 10_000;
/// Look-ups of each kind in a round.
const LOOK_UPS: usize = 500;
/// People who sign in and send chains, when there are so many.
const SIGNED_IN: usize = 100;

/// What is looked for, by a person's number.
type Filter = fn(usize) -> String;
type Ids = Rc<RefCell<Vec<String>>>;

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let site = Site::new()?;
    let (server, _) = site.start_on(&tools.lanyard, Cores::All).await?;
    let signed_in = SIGNED_IN.min(tools.people);
    site.populate(&tools.lanyard, signed_in, signed_in)?;
    let id_tokens = site.sign_in(signed_in).await?;
    let target = site.target(server.pid());
    let before = chains(&target, &id_tokens, tools).await?;

    let client = Rc::new(Provisioning::new(
        site.scim(),
        &site.directory(&tools.lanyard, "bench")?,
    ));
    let pid = server.pid();
    let began = Instant::now();
    let people = made(pid, tools.most_people, "people", {
        let client = Rc::clone(&client);
        move |n| {
            let client = Rc::clone(&client);
            async move { client.person(n).await }
        }
    })
    .await?;
    let groups = made(pid, (tools.most_people * 2 / OF_A_GROUP).max(1), "groups", {
        let client = Rc::clone(&client);
        move |n| {
            let client = Rc::clone(&client);
            async move { client.group(&format!("Group {n:04}")).await }
        }
    })
    .await?;
    memberships(pid, &client, &people, &groups)
        .await?
        .tell("memberships, a hundred in a request");
    let took = began.elapsed();
    tools.table.at_most(
        &format!("SCIM: {} people, {} groups, memberships", people.len(), groups.len()),
        "s",
        120.0,
        took.as_secs_f64(),
    );
    println!("after the first provisioning: {}", used(pid).memory());

    let mut large = Vec::new();
    for round in 0..=tools.rounds {
        let group = client.group(&format!("Everybody {round}")).await?;
        for op in ["add", "remove"] {
            let began = Instant::now();
            client.members(&group, op, people.iter().take(MANY)).await?;
            let took = began.elapsed().as_secs_f64() * 1000.0;
            println!("PATCH {op} of {} members: {took:.0} ms", MANY.min(people.len()));
            if round > 0 {
                large.push(took);
            }
        }
    }
    tools
        .table
        .at_most("SCIM: PATCH with 10,000 members", "ms", 300.0, median(large));
    look_ups(tools, &client, people.len()).await?;

    let after = chains(&target, &id_tokens, tools).await?;
    println!("chain: {before:.0} µs of CPU before, {after:.0} µs after");
    tools
        .table
        .at_most("chain after SCIM, against before", "×", 1.15, after / before);
    memory(tools, &client, pid, &people).await
}

/// Memory, and whether it stays flat when the same work comes again.
async fn memory(tools: &Tools, client: &Rc<Provisioning>, pid: u32, people: &[String]) -> anyhow::Result<()> {
    let mut figures = Vec::new();
    for round in 0..3 {
        let group = client.group(&format!("Again {round}")).await?;
        for some in people.chunks(MANY / 10).take(50) {
            client.members(&group, "add", some.iter()).await?;
        }
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let now = used(pid);
        println!("round {round}, idle again: {}", now.memory());
        figures.push(now.mib());
    }
    let last = figures.last().copied().unwrap_or(f64::NAN);
    tools.table.at_most(
        &format!("resident memory at {} people", people.len()),
        "MiB",
        60.0,
        last,
    );
    Ok(())
}

async fn chains(target: &Rc<Target>, id_tokens: &[String], tools: &Tools) -> anyhow::Result<f64> {
    let repeated: Vec<String> = id_tokens.iter().cycle().take(id_tokens.len() * 4).cloned().collect();
    let mut figures = Vec::new();
    for round in 0..=tools.rounds {
        let done = drive(target, &repeated).await?;
        if round > 0 {
            figures.push(done.cpu_micros());
        }
    }
    Ok(median(figures))
}

/// Makes so many and tells what it cost; their ids by number.
async fn made<F, W>(pid: u32, count: usize, what: &str, make: F) -> anyhow::Result<Vec<String>>
where
    F: Fn(usize) -> W + 'static,
    W: Future<Output = anyhow::Result<String>> + 'static,
{
    let ids: Ids = Rc::new(RefCell::new(vec![String::new(); count]));
    let (kept, make) = (Rc::clone(&ids), Rc::new(make));
    let done = saturate(pid, count, CONNECTIONS, move |at| {
        let (kept, make) = (Rc::clone(&kept), Rc::clone(&make));
        async move {
            let started = Instant::now();
            let id = make(at).await?;
            *kept.borrow_mut().get_mut(at).context("no such number")? = id;
            Ok(started.elapsed())
        }
    })
    .await?;
    done.tell(what);
    Ok(ids.take())
}

/// Everybody into two groups.
async fn memberships(
    pid: u32,
    client: &Rc<Provisioning>,
    people: &[String],
    groups: &[String],
) -> anyhow::Result<Done> {
    let of_a_group = OF_A_GROUP / OF_A_PATCH;
    let shared = Rc::new((Rc::clone(client), people.to_vec(), groups.to_vec()));
    saturate(pid, groups.len() * of_a_group, CONNECTIONS, move |at| {
        let shared = Rc::clone(&shared);
        async move {
            let (client, people, groups) = (&shared.0, &shared.1, &shared.2);
            let group = groups.get(at / of_a_group).context("no group")?;
            let members = people
                .iter()
                .cycle()
                .skip(at * OF_A_PATCH % people.len())
                .take(OF_A_PATCH);
            let started = Instant::now();
            client.members(group, "add", members).await?;
            Ok(started.elapsed())
        }
    })
    .await
}

/// Filters as the provisioning clients send them, one after the other.
async fn look_ups(tools: &Tools, client: &Provisioning, people: usize) -> anyhow::Result<()> {
    let kinds: [(&str, Filter); 5] = [
        ("userName eq", |n| format!("userName eq \"{}\"", user_name(n))),
        ("externalId eq", |n| format!("externalId eq \"{}\"", external_id(n))),
        ("emails[type eq \"work\"].value eq", |n| {
            format!("emails[type eq \"work\"].value eq \"{}\"", user_name(n))
        }),
        ("userName sw, and active", |n| {
            format!("userName sw \"{}\" and active eq true", user_name(n))
        }),
        ("displayName eq, of a group", |n| {
            format!("displayName eq \"Group {:04}\"", n % 10)
        }),
    ];
    let mut all = Vec::new();
    for (what, filter) in kinds {
        let resource = if what.ends_with("group") { "Groups" } else { "Users" };
        let mut own = Vec::new();
        for n in 0..LOOK_UPS {
            let filter = filter(n * 7919 % people);
            let began = Instant::now();
            client.look_up(resource, &filter).await?;
            own.push(began.elapsed());
        }
        all.extend(own.iter().copied());
        println!("{what}: {}", Latencies::new(own));
    }
    let p95 = Latencies::new(all).at(950);
    tools.table.at_most(
        &format!("SCIM: filter look-ups at {people} people, p95"),
        "ms",
        5.0,
        p95,
    );
    Ok(())
}
