//! The steps of the demo, in order. Each checks what it tells.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, bail};
use futures_util::StreamExt;
use http::Method;
use lanyard_core::audit::verify::{self, Known};
use lanyard_core::clock::Clock;
use lanyard_fetch::FetchRequest;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::{SystemRandom, token};
use lanyard_protocol::claims::id_jag::TYP;
use lanyard_protocol::oauth::token_response::TokenResponse;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use crate::demo::Teller;
use crate::demo::organisation::{CONTRACTORS, EMPLOYEES, REDIRECT};
use crate::demo::report::{Audit, Leaver, Narrowed, Personal, Refusal, Report, Rollout, ToolsSeen};
use crate::demo::work::Company;
use crate::lab::catalogue::{self, SAMPLES};
use crate::lab::organisation::open_samples;
use crate::runtime::clock::SystemClock;

/// Requests under way at once.
const AT_ONCE: usize = 32;

/// Runs every step.
pub(crate) async fn all(teller: &Teller, company: &Company) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let signed_in = roll_out(teller, company, &mut report).await?;
    tools(teller, company, &signed_in, &mut report).await?;
    contractor(teller, company, &mut report).await?;
    narrowed(teller, company, &signed_in, &mut report).await?;
    personal(teller, company, &mut report).await?;
    let leaver = leaver(teller, company, &signed_in, &mut report).await?;
    audit(teller, company, &leaver, &mut report).await?;
    Ok(report)
}

fn id_token(tokens: &TokenResponse) -> anyhow::Result<&str> {
    tokens.id_token.as_deref().context("the issuer gave no ID token")
}

impl Report {
    fn expect(&mut self, held: bool, what: impl FnOnce() -> String) {
        if !held {
            self.failures.push(what());
        }
    }
}

async fn roll_out(teller: &Teller, company: &Company, report: &mut Report) -> anyhow::Result<Vec<TokenResponse>> {
    teller.title("1. Everybody signs in once; seven connectors each are theirs");
    let employees = company
        .users
        .get(..EMPLOYEES)
        .context("the organisation has too few people")?;
    let bar = teller.bar(EMPLOYEES, "signed in with their passwords");
    let began = Instant::now();
    let mut sign_ins = futures_util::stream::iter(employees.iter().map(|user| company.sign_in(user))).buffered(16);
    let mut signed_in = Vec::with_capacity(EMPLOYEES);
    let mut prompts = 0;
    while let Some(done) = sign_ins.next().await {
        let (tokens, met) = done?;
        prompts += met;
        signed_in.push(tokens);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let sign_in_seconds = began.elapsed().as_secs_f64();
    let connectors = open_samples();
    let total = EMPLOYEES * connectors.len();
    let bar = teller.bar(total, "chains: ID token, ID-JAG, access token");
    let began = Instant::now();
    let pairs = signed_in
        .iter()
        .flat_map(|tokens| connectors.iter().map(move |connector| (tokens, *connector)));
    let mut chains = futures_util::stream::iter(pairs.map(|(tokens, connector)| async move {
        let granted = company.chain(id_token(tokens)?, connector).await?;
        anyhow::Ok(granted.scope.map(|scope| scope.to_string()).unwrap_or_default())
    }))
    .buffer_unordered(AT_ONCE);
    let mut scopes: BTreeMap<String, usize> = BTreeMap::new();
    let mut issued = 0;
    while let Some(scope) = chains.next().await {
        *scopes.entry(scope?).or_default() += 1;
        issued += 1;
        bar.inc(1);
    }
    drop(chains);
    bar.finish_and_clear();
    let chain_seconds = began.elapsed().as_secs_f64();
    teller.line(&format!(
        "{} people signed in with their passwords in {sign_in_seconds:.1} s.",
        signed_in.len()
    ));
    teller.line(&format!(
        "{issued} chains in {chain_seconds:.1} s: {issued} ID-JAGs, {issued} access tokens, each decision on disk \
         before its token left."
    ));
    teller.line(&format!(
        "Consent prompts: {prompts}. Without this: {total} consent screens."
    ));
    teller.line("Scopes by group, as policy granted them:");
    for (scope, count) in &scopes {
        teller.line(&format!("  {count:>5} × {scope}"));
    }
    report.expect(prompts == 0, || format!("{prompts} consent prompts were met"));
    report.expect(issued == total, || format!("{issued} of {total} chains"));
    report.rollout = Rollout {
        signed_in: signed_in.len(),
        sign_in_seconds,
        consent_prompts: prompts,
        id_jags: issued,
        access_tokens: issued,
        chain_seconds,
        scopes,
    };
    Ok(signed_in)
}

async fn tools(
    teller: &Teller,
    company: &Company,
    signed_in: &[TokenResponse],
    report: &mut Report,
) -> anyhow::Result<()> {
    teller.title("2. One employee's tools: employee0001, engineering");
    let id_token = id_token(signed_in.first().context("nobody is signed in")?)?;
    for name in open_samples() {
        let access = company.chain(id_token, name).await?;
        let listed = company
            .call(name, &access.access_token, "tools/list", json!({}))
            .await?;
        let names: Vec<String> = listed
            .result
            .as_ref()
            .and_then(|result| result.get("tools"))
            .and_then(Value::as_array)
            .map(|tools| {
                tools
                    .iter()
                    .filter_map(|tool| tool.get("name")?.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default();
        let sample = catalogue::find(name).context("no such sample")?;
        let first = names.first().cloned().unwrap_or_default();
        let called = company
            .call(
                name,
                &access.access_token,
                "tools/call",
                json!({ "name": first, "arguments": {} }),
            )
            .await?;
        let answer = called
            .result
            .as_ref()
            .and_then(|result| result.pointer("/content/0/text"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        teller.line(&format!(
            "{:<21} {:<32} {first} → {answer}",
            sample.title,
            names.join(", ")
        ));
        report.expect(!names.is_empty() && called.status == 200 && !answer.is_empty(), || {
            format!("{name}: {} tools, the call answered {}", names.len(), called.status)
        });
        report.tools.insert(
            name.to_owned(),
            ToolsSeen {
                tools: names,
                called: first,
                answer,
            },
        );
    }
    let staged = SAMPLES
        .iter()
        .find(|sample| sample.staged)
        .context("no staged sample")?;
    let refused = company.exchange(id_token, staged.name, None).await?.err();
    report.expect(refused.is_some(), || {
        format!("{} is staged and was granted", staged.name)
    });
    if let Some(refused) = refused {
        teller.line(&format!(
            "{:<21} staged: nothing is issued for it yet ({})",
            staged.title, refused.body.error
        ));
    }
    Ok(())
}

async fn contractor(teller: &Teller, company: &Company, report: &mut Report) -> anyhow::Result<()> {
    teller.title("3. A contractor asks for Figma");
    let person = company.users.get(EMPLOYEES).context("there is no contractor")?;
    let (tokens, _) = company.sign_in(person).await?;
    let allowed = company.exchange(id_token(&tokens)?, "linear", None).await?;
    report.expect(allowed.is_ok(), || "the contractor may not read Linear".to_owned());
    let Err(refused) = company.exchange(id_token(&tokens)?, "figma", None).await? else {
        report.failures.push("the contractor got Figma".to_owned());
        return Ok(());
    };
    let request_id = refused.body.request_id.clone().unwrap_or_default();
    let found = company
        .admin(Method::GET, &format!("audit?request_id={request_id}"), None)
        .await?;
    let found: Value = serde_json::from_slice(&found.body)?;
    let reason = found
        .pointer("/items/0/reason")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let question = json!({
        "user": person.spec.username,
        "client": company.client.idp.client_id,
        "connector": "figma",
    });
    let answer = company.admin(Method::POST, "policy/test", Some(&question)).await?;
    let answer: Value = serde_json::from_slice(&answer.body)?;
    let because: Vec<String> = answer
        .get("because")
        .and_then(Value::as_array)
        .map(|lines| {
            lines
                .iter()
                .filter_map(|line| line.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    let description = refused.body.error_description.clone().unwrap_or_default();
    teller.line(&format!(
        "The client sees:        {} {} \"{description}\"",
        refused.status, refused.body.error
    ));
    teller.line(&format!("                        request_id {request_id}"));
    teller.line(&format!("The administrator sees: {reason}"));
    for line in &because {
        teller.line(&format!("                        {line}"));
    }
    report.expect(refused.body.error == "access_denied", || {
        format!("the error is {}", refused.body.error)
    });
    report.expect(!reason.is_empty() && !because.is_empty(), || {
        "the audit log has no reason".to_owned()
    });
    report.contractor = Refusal {
        person: person.spec.username.clone(),
        connector: "figma".to_owned(),
        error: refused.body.error,
        error_description: description,
        request_id,
        reason,
        because,
    };
    Ok(())
}

async fn narrowed(
    teller: &Teller,
    company: &Company,
    signed_in: &[TokenResponse],
    report: &mut Report,
) -> anyhow::Result<()> {
    // The seventh of twelve groups is sales: reads Linear, does not change it.
    teller.title("4. Somebody in sales asks for more than policy grants");
    let person = company.users.get(6).context("there is no seventh person")?;
    let id_token = id_token(signed_in.get(6).context("nobody is signed in")?)?;
    let requested = "linear.read linear.write";
    let id_jag = company.exchange(id_token, "linear", Some(requested)).await??;
    let granted = id_jag.scope.map(|scope| scope.to_string()).unwrap_or_default();
    teller.line(&format!("requested: {requested}"));
    teller.line(&format!("granted:   {granted}  (in the answer and in the ID-JAG)"));
    report.expect(granted == "linear.read", || format!("sales got {granted}"));
    report.narrowed = Narrowed {
        person: person.spec.username.clone(),
        requested: requested.to_owned(),
        granted,
    };
    Ok(())
}

async fn personal(teller: &Teller, company: &Company, report: &mut Report) -> anyhow::Result<()> {
    teller.title("5. A personal account tries both doors");
    let mut authorize = Url::parse(&format!("{}/oauth2/authorize", company.ras.issuer))?;
    authorize
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &company.client.ras.client_id)
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", "s")
        .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .append_pair("code_challenge_method", "S256");
    let mut request = FetchRequest::get(authorize);
    request.show_redirects = true;
    let answer = company.oauth.fetch.fetch(request).await?;
    let (interactive_error, interactive_iss) = refusal_of_authorize(&answer);
    teller.line(&format!(
        "Interactive sign-in at the authorization server: {interactive_error} (iss {interactive_iss})"
    ));
    report.expect(interactive_error == "access_denied", || {
        format!("the authorize endpoint said {interactive_error}")
    });

    // An issuer nobody trusts, with a key of its own and a socket that counts who asks for it.
    let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let untrusted = format!("http://{}", socket.local_addr()?);
    let visits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&visits);
    let watch = async move {
        while socket.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    };
    let key = SigningKey::generate(Algorithm::Es256)?;
    let now = SystemClock.now().seconds();
    let claims = json!({
        "iss": untrusted, "sub": "me@mail.example", "aud": company.ras.issuer,
        "client_id": company.client.ras.client_id, "jti": token(&SystemRandom).expose_secret(),
        "iat": now, "exp": now + 300, "resource": company.addresses.mcp_url("linear"), "scope": "linear.read",
    });
    let forged = key.sign(TYP, &claims)?;
    let redeemed = tokio::select! {
        () = watch => bail!("the untrusted issuer's socket closed"),
        redeemed = company.redeem(&forged) => redeemed?,
    };
    let untrusted_error = redeemed.err().map(|refused| refused.body.error).unwrap_or_default();
    let outbound_requests = visits.load(Ordering::SeqCst);
    teller.line(&format!(
        "ID-JAG of an issuer nobody trusts: {untrusted_error}, {outbound_requests} requests went out to it"
    ));
    report.expect(untrusted_error == "invalid_grant" && outbound_requests == 0, || {
        format!("the untrusted ID-JAG: {untrusted_error:?}, {outbound_requests} requests")
    });
    report.personal = Personal {
        interactive_error,
        interactive_iss,
        untrusted_error,
        outbound_requests,
    };
    Ok(())
}

/// The error and issuer of an authorization response, from the redirect or from the page.
fn refusal_of_authorize(answer: &lanyard_fetch::FetchResponse) -> (String, String) {
    let location = answer
        .headers
        .get(http::header::LOCATION)
        .and_then(|value| value.to_str().ok());
    if let Some(url) = location.and_then(|text| Url::parse(text).ok()) {
        let value = |name: &str| {
            url.query_pairs()
                .find(|(own, _)| own == name)
                .map(|(_, value)| value.into_owned())
        };
        return (value("error").unwrap_or_default(), value("iss").unwrap_or_default());
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let value = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (value("error"), value("iss"))
}

async fn leaver(
    teller: &Teller,
    company: &Company,
    signed_in: &[TokenResponse],
    report: &mut Report,
) -> anyhow::Result<String> {
    teller.title("6. Somebody leaves");
    let person = company
        .users
        .get(41)
        .context("there is no such person")?
        .spec
        .username
        .clone();
    let id_token = id_token(signed_in.get(41).context("nobody is signed in")?)?;
    let access = company.chain(id_token, "linear").await?;
    let before = company
        .call("linear", &access.access_token, "tools/list", json!({}))
        .await?;
    report.expect(before.status == 200, || {
        format!("the leaver's call before: {}", before.status)
    });
    let began = Instant::now();
    company
        .admin(Method::POST, &format!("users/{person}/deactivate"), None)
        .await?;
    let deactivation_ms = began.elapsed().as_secs_f64() * 1000.0;
    let after = company
        .call("linear", &access.access_token, "tools/list", json!({}))
        .await?;
    let refused_after_ms = began.elapsed().as_secs_f64() * 1000.0;
    let exchange_error = company
        .exchange(id_token, "linear", None)
        .await?
        .err()
        .map(|refused| refused.body.error)
        .unwrap_or_default();
    teller.line(&format!(
        "{person} is deactivated; the administrator's answer came after {deactivation_ms:.1} ms."
    ));
    teller.line(&format!(
        "The next call at the gateway:  {} after {refused_after_ms:.1} ms",
        after.status
    ));
    teller.line(&format!("The next exchange:             {exchange_error}"));
    report.expect(after.status == 401, || {
        format!("the leaver's next call answered {}", after.status)
    });
    report.expect(exchange_error == "invalid_grant", || {
        format!("the leaver's exchange: {exchange_error:?}")
    });
    report.leaver = Leaver {
        person: person.clone(),
        deactivation_ms,
        exchange_error,
        call_status: after.status,
        refused_after_ms,
    };
    Ok(person)
}

async fn audit(teller: &Teller, company: &Company, person: &str, report: &mut Report) -> anyhow::Result<()> {
    teller.title("7. The audit trail");
    let trail = company
        .admin(Method::GET, &format!("audit?subject={person}&limit=1000"), None)
        .await?;
    let trail: Value = serde_json::from_slice(&trail.body)?;
    let mut items = trail
        .get("items")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    items.reverse();
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    teller.line(&format!("{} events about {person}; the last five:", items.len()));
    for item in items.iter().skip(items.len().saturating_sub(5)) {
        let reason = text(item, "reason");
        let why = if reason.is_empty() {
            String::new()
        } else {
            format!(" ({reason})")
        };
        teller.line(&format!("  {}  {}{why}", text(item, "at"), text(item, "kind")));
    }
    let kinds: Vec<String> = items.iter().map(|item| text(item, "kind")).collect();
    // Sealing happens within a second; the export holds what is sealed.
    let export = company.admin(Method::GET, "audit/export", None).await?;
    let verified = verify::verify(&*export.body, &Known::default())?;
    let intact = verified.is_sound();
    teller.line(&format!(
        "{} sealed events and {} checkpoints exported and verified offline: {}",
        verified.counts.events,
        verified.counts.checkpoints,
        if intact {
            "the chain is whole"
        } else {
            "THE CHAIN IS BROKEN"
        }
    ));
    let least = u64::try_from(2 * EMPLOYEES * open_samples().len() + EMPLOYEES + CONTRACTORS).unwrap_or(0) - 1000;
    report.expect(intact && verified.counts.events > least, || {
        format!(
            "the chain is {}whole with {} events",
            if intact { "" } else { "not " },
            verified.counts.events
        )
    });
    report.expect(kinds.iter().any(|kind| kind.ends_with("deactivated")), || {
        "no event of the cut-off".to_owned()
    });
    report.audit = Audit {
        events_of_person: items.len(),
        kinds,
        verified: verified.counts.events,
        checkpoints: verified.counts.checkpoints,
        intact,
    };
    Ok(())
}
