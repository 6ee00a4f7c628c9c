//! `POST /admin/v1/policy/test`: what policy would say, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::requirement::RequirementSpec;
use lanyard_core::client::registration::Side;
use lanyard_core::clock::parse_duration;
use lanyard_core::outcome::Outcome;
use lanyard_core::policy::evaluate::Facts;
use lanyard_core::policy::explain;
use lanyard_core::policy::step_up::Judged;
use lanyard_core::session::requirement::{Evidence, Requirement};
use lanyard_core::session::strength::Strength;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::scope::{Scope, ScopeSet};
use serde::{Deserialize, Serialize};

use crate::admin::act::look;
use crate::admin::deps::AdminDeps;
use crate::admin::error::ApiError;
use crate::admin::extract::Document;

/// The question.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyQuestion {
    /// The person's user name.
    pub user: String,
    /// The client's id at the IdP.
    pub client: String,
    /// The connector's name.
    pub connector: String,
    /// Scopes in question, space-separated; all of the connector when left out.
    #[serde(default)]
    pub scopes: Option<String>,
    /// How strong a sign-in to assume; the strongest when left out.
    #[serde(default)]
    pub strength: Option<Strength>,
    /// How old a sign-in to assume, as in `10m`; made just now when left out.
    #[serde(default)]
    pub age: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyAnswer {
    /// Whether anything is granted.
    pub allowed: bool,
    /// What is granted, space-separated.
    pub granted: String,
    /// What is not.
    pub refused: String,
    /// Why, sentence by sentence.
    pub because: Vec<String>,
    /// What a better sign-in alone would add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub step_up: Vec<StepUpView>,
}

/// A scope that a better sign-in alone would add.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StepUpView {
    /// The scope.
    pub scope: String,
    /// What the sign-in must be.
    pub requires: RequirementSpec,
}

fn evidence(question: &PolicyQuestion) -> Result<Evidence, AdminDenial> {
    let age = match question.age.as_deref().map(parse_duration).transpose() {
        Ok(age) => age.map_or(0, |age| age.as_secs()),
        Err(problem) => return Err(AdminDenial::invalid("age", problem)),
    };
    let strength = question.strength.unwrap_or(Evidence::BEST.strength);
    Ok(Evidence { strength, age })
}

fn step_up_view((scope, needs): &(Scope, Requirement)) -> StepUpView {
    StepUpView {
        scope: scope.to_string(),
        requires: RequirementSpec::of(needs),
    }
}

/// Evaluates policy without issuing anything.
#[utoipa::path(post, path = "/admin/v1/policy/test", request_body = PolicyQuestion,
    responses((status = 200, body = PolicyAnswer)))]
pub(crate) async fn test(
    State(deps): State<AdminDeps>,
    Document(question, caller): Document<PolicyQuestion>,
) -> Result<Json<PolicyAnswer>, ApiError> {
    let admin = caller.admin.clone();
    let policy = Arc::clone(&deps.policy);
    let answer = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let missing = |what, name: String| Ok(Outcome::Denied(AdminDenial::NotFound { what, name }));
        let Some(user) = tx.find_user_by_username(&question.user.to_lowercase())? else {
            return missing("user", question.user);
        };
        let client = match ClientId::parse(question.client.as_str()) {
            Ok(id) => tx.find_client(Side::Idp, &id)?,
            Err(_) => None,
        };
        let Some(client) = client else {
            return missing("client at the issuer", question.client);
        };
        let Some(connector) = tx.find_connector_by_name(&question.connector)? else {
            return missing("connector", question.connector);
        };
        let all = connector.scope_set();
        let requested = match question.scopes.as_deref().map(ScopeSet::parse) {
            None => all.clone(),
            Some(Ok(scopes)) => scopes,
            Some(Err(error)) => return Ok(Outcome::Denied(AdminDenial::invalid("scopes", error.to_string()))),
        };
        let evidence = match evidence(&question) {
            Ok(evidence) => evidence,
            Err(denial) => return Ok(Outcome::Denied(denial)),
        };
        let known = requested.intersection(&all);
        let groups = tx.list_group_ids_of(&user.id)?;
        let facts = Facts {
            user: &user.id,
            groups: &groups,
            client: &client.key,
            connector: &connector.id,
            requested: &known,
            evidence,
        };
        let decision = policy.current(tx)?.evaluate(&facts);
        let judged = Judged::of(&connector, &decision, evidence);
        let mut because = explain::sentences(tx, &facts, &decision, &judged)?;
        if !user.is_active() {
            because.insert(0, format!("{} is deactivated: nothing is issued", user.username));
        }
        if let Some(status) = client.agent.filter(|_| !client.may_act()) {
            let status = status.as_str();
            because.insert(
                0,
                format!(
                    "the agent of client {} is {status}: nothing is issued",
                    client.client_id
                ),
            );
        }
        if connector.status.as_str() != "active" {
            because.insert(
                0,
                format!(
                    "connector {} is {}: nothing is issued",
                    connector.name,
                    connector.status.as_str()
                ),
            );
        }
        let unknown = requested.difference(&all);
        if !unknown.is_empty() {
            because.push(format!("{unknown} is no scope of {}", connector.name));
        }
        let open = user.is_active() && connector.status.as_str() == "active" && client.may_act();
        let granted = if open {
            judged.granted(&decision).clone()
        } else {
            ScopeSet::empty()
        };
        Ok(Outcome::Granted(PolicyAnswer {
            allowed: !granted.is_empty(),
            refused: requested.difference(&granted).to_string(),
            granted: granted.to_string(),
            step_up: judged.locked.iter().map(step_up_view).collect(),
            because,
        }))
    })
    .await?;
    Ok(Json(answer))
}
