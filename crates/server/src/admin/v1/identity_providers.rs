//! `/admin/v1/identity-providers`: upstream identity providers, and whom they are linked to.

mod import;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::link::{self, Linked};
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::admin::spec::connection::ConnectionSpec;
use lanyard_core::admin::{change::Change, connection};
use lanyard_core::clock::Timestamp;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, Tx};
use lanyard_core::upstream::attempt::{Purpose, ticket};
use lanyard_core::upstream::connection::{Connection, Kind};
use lanyard_core::upstream::saml::{self, SamlSettings};
use lanyard_jose::digest::{base64url, from_base64url, sha256};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, cut, look, may, refuse, run};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Parameters, Segments};
use crate::admin::v1::view::{PageQuery, PageView, RecordView, Removed, Written};
use crate::idp::upstream::check::{self, Finding, FindingResult, examine};
use crate::idp::upstream::dry_run::DrySignIn;
use crate::idp::upstream::{self, backchannel_logout_uri, redirect_uri};
use crate::unit::Room;

/// An identity provider as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ConnectionView {
    /// The record.
    #[serde(flatten)]
    pub record: RecordView<ConnectionSpec>,
    /// The address to register at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Everything that may be registered at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_provider: Option<AtProvider>,
}

/// What we are at a provider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AtProvider {
    /// OpenID Connect: where sign-ins come back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// OpenID Connect: where the provider tells us that somebody signed out there (OpenID Connect Back-Channel Logout).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// OpenID Connect with `private_key_jwt`: where our public key is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// SAML: our entity id, where our metadata is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// SAML: the assertion consumer service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_url: Option<String>,
    /// SAML: the single logout service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo_url: Option<String>,
}

/// The metadata of a SAML identity provider: one of `xml` and `url`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataRequest {
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// Where it is; fetched by the server under the rules of `outbound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Which provider, when the document has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
}

/// A person's link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinkView {
    /// The provider's identifier of the person.
    pub subject: String,
    /// The person's id here.
    pub user_id: String,
    /// The person's user name here.
    pub username: String,
    /// How the link came to be: `just_in_time`, `administrator` or `username`.
    pub origin: &'static str,
    /// When it was made, RFC 3339.
    #[schema(value_type = String)]
    pub linked_at: Timestamp,
    /// The last sign-in by it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub last_seen_at: Option<Timestamp>,
}

/// A person to link.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The provider's identifier of the person; a dry sign-in shows it.
    pub subject: String,
    /// The person here, by user name or id.
    pub user: String,
}

/// What a test found, and where a dry sign-in begins.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TestView {
    /// Whether nothing failed.
    pub good: bool,
    /// The findings in order.
    pub findings: Vec<Finding>,
    /// A dry sign-in; absent when a finding makes it pointless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<TestSignIn>,
}

/// A dry sign-in that waits for a browser.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TestSignIn {
    /// Open this in a browser, once, within ten minutes. Nobody is signed in here by it.
    pub url: String,
    /// Under which the report is found.
    pub id: String,
}

fn view(deps: &AdminDeps, tx: &mut dyn Tx, connection: &Connection) -> Result<ConnectionView, StoreError> {
    Ok(ConnectionView {
        record: RecordView {
            id: Some(connection.id.to_string()),
            document: connection::describe(tx, connection)?,
            created_at: connection.created_at,
            updated_at: connection.updated_at,
        },
        redirect_uri: match (&connection.kind, &deps.upstream) {
            (Kind::Oidc(_), Some(own)) => Some(redirect_uri(&own.settings, &connection.name)),
            _ => None,
        },
        at_provider: deps.upstream.as_ref().map(|own| at_provider(&own.settings, connection)),
    })
}

fn at_provider(own: &IdpSettings, connection: &Connection) -> AtProvider {
    let (issuer, name) = (&own.issuer, &connection.name);
    match &connection.kind {
        Kind::Oidc(settings) => AtProvider {
            redirect_uri: Some(redirect_uri(own, name)),
            backchannel_logout_uri: Some(backchannel_logout_uri(own, name)),
            jwks_uri: settings
                .public_key
                .is_some()
                .then(|| issuer.endpoint(&format!("/upstream/{name}/jwks"))),
            entity_id: None,
            acs_url: None,
            slo_url: None,
        },
        Kind::Saml(_) => AtProvider {
            redirect_uri: None,
            backchannel_logout_uri: None,
            jwks_uri: None,
            entity_id: Some(saml::entity_id(issuer, name)),
            acs_url: Some(saml::acs_url(issuer, name)),
            slo_url: Some(saml::slo_url(issuer, name)),
        },
    }
}

/// Every identity provider by name.
#[utoipa::path(get, path = "/admin/v1/identity-providers",
    responses((status = 200, body = PageView<ConnectionView>)))]
pub(crate) async fn list(
    State(deps): State<AdminDeps>,
    caller: Caller,
) -> Result<Json<PageView<ConnectionView>>, ApiError> {
    let (admin, own) = (caller.admin.clone(), deps.clone());
    let items = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Read) {
            return Ok(Outcome::Denied(denial));
        }
        let mut items = Vec::new();
        for connection in tx.list_connections()? {
            items.push(view(&own, tx, &connection)?);
        }
        Ok(Outcome::Granted(items))
    })
    .await?;
    Ok(Json(PageView { items, next: None }))
}

/// One identity provider.
#[utoipa::path(get, path = "/admin/v1/identity-providers/{name}", responses((status = 200, body = ConnectionView)))]
pub(crate) async fn show(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<ConnectionView>, ApiError> {
    let (admin, own) = (caller.admin.clone(), deps.clone());
    let found = look(&deps, &caller, move |_, tx| {
        Ok(match connection::find(tx, &admin, &name)? {
            Outcome::Granted(connection) => Outcome::Granted(view(&own, tx, &connection)?),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(found))
}

/// Makes or changes an identity provider. Switched off, it ends the sessions it began.
#[utoipa::path(put, path = "/admin/v1/identity-providers/{name}", request_body = ConnectionSpec,
    responses((status = 200, body = Written<ConnectionSpec>)))]
pub(crate) async fn put(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(spec, caller): Document<ConnectionSpec>,
) -> Result<Json<Written<ConnectionSpec>>, ApiError> {
    let (admin, vault, own) = (caller.admin.clone(), deps.basis.vault.clone(), deps.clone());
    let room = if spec.enabled { Room::Usual } else { Room::Reserved };
    let (shown, change) = run(&deps, &caller, room, move |cx, tx| {
        if spec.name != name {
            let problem = format!("it must be {name}, as in the path");
            return Ok(Outcome::Denied(AdminDenial::invalid("name", problem)));
        }
        Ok(match connection::put(cx, tx, &vault, &admin, &spec)? {
            Outcome::Granted((connection, change)) => Outcome::Granted((view(&own, tx, &connection)?, change)),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(Written {
        change,
        record: shown.record,
    }))
}

/// Removes an identity provider with its links, the memberships it made and the sessions it began. People stay.
#[utoipa::path(delete, path = "/admin/v1/identity-providers/{name}", responses((status = 200, body = Removed)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    cut(&deps, &caller, move |cx, tx| connection::remove(cx, tx, &admin, &name)).await?;
    Ok(Removed::answer())
}

/// Looks at a provider afresh (discovery, keys, clock, credential; of a SAML provider what is pinned) and prepares a dry
/// sign-in.
#[utoipa::path(post, path = "/admin/v1/identity-providers/{name}/test", responses((status = 200, body = TestView)))]
pub(crate) async fn test(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Json<TestView>, ApiError> {
    let (admin, asked) = (caller.admin.clone(), name.clone());
    let found = look(&deps, &caller, move |_, tx| {
        // It uses the credential and shows people's claims.
        if let Err(denial) = require(&admin, Permission::Administer) {
            return Ok(Outcome::Denied(denial));
        }
        connection::find(tx, &admin, &asked)
    })
    .await?;
    let Some(upstream) = &deps.upstream else {
        let problem = "identity providers are tested where the issuer role runs";
        return Err(refuse(&deps, &caller, AdminDenial::invalid("name", problem)).await);
    };
    let (providers, own) = (&upstream.providers, &*upstream.settings);
    let mut findings = match &found.kind {
        Kind::Oidc(settings) => examine(&caller.cx, &deps.basis.vault, providers, own, &found, settings).await,
        Kind::Saml(settings) => check::saml::examine(&caller.cx, providers, own, &found, settings).await,
    };
    if !found.enabled {
        findings.push(Finding {
            check: "switch".to_owned(),
            result: FindingResult::Notice,
            text: "The connection is switched off: nobody signs in by it yet.".to_owned(),
            remedy: Some(format!("When the test is good: `lanyard idp enable {name}`.")),
        });
    }
    let good = findings.iter().all(|finding| finding.result != FindingResult::Failed);
    let sign_in = if good {
        let connection = found.clone();
        let handle = change(&deps, &caller, move |cx, tx| {
            ticket(cx, tx, &connection).map(Outcome::Granted)
        })
        .await?;
        let path = format!("/upstream/{name}/start?test={}", handle.expose_secret());
        Some(TestSignIn {
            url: upstream.settings.issuer.endpoint(&path),
            id: base64url(&sha256(handle.expose_secret().as_bytes())),
        })
    } else {
        None
    };
    Ok(Json(TestView {
        good,
        findings,
        sign_in,
    }))
}

/// What a dry sign-in found; 202 while nobody has gone through it.
#[utoipa::path(get, path = "/admin/v1/identity-providers/{name}/test/{id}",
    responses((status = 200, body = DrySignIn), (status = 202, description = "Not yet")))]
pub(crate) async fn report(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, id)): Segments<(String, String)>,
) -> Result<(StatusCode, Json<Option<DrySignIn>>), ApiError> {
    let admin = caller.admin.clone();
    let report = look(&deps, &caller, move |_, tx| {
        if let Err(denial) = require(&admin, Permission::Administer) {
            return Ok(Outcome::Denied(denial));
        }
        let not_found = || AdminDenial::NotFound {
            what: "dry sign-in",
            name: id.clone(),
        };
        let hash: Option<[u8; 32]> = from_base64url(&id).and_then(|hash| hash.try_into().ok());
        let Some(hash) = hash else {
            return Ok(Outcome::Denied(not_found()));
        };
        let connection = tx.find_connection_by_name(&name)?;
        let found = tx.find_attempt(&hash)?.filter(|found| {
            found.purpose == Purpose::Test && connection.is_some_and(|connection| connection.id == found.connection)
        });
        Ok(match found {
            Some(found) => Outcome::Granted(found.report),
            None => Outcome::Denied(not_found()),
        })
    })
    .await?;
    let report = report.and_then(|text| serde_json::from_str(&text).ok());
    let status = if report.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(report)))
}

/// Our metadata for a SAML identity provider.
#[utoipa::path(get, path = "/admin/v1/identity-providers/{name}/metadata",
    responses((status = 200, content_type = "application/samlmetadata+xml", body = String)))]
pub(crate) async fn metadata(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
) -> Result<Response, ApiError> {
    let admin = caller.admin.clone();
    let found = look(&deps, &caller, move |_, tx| connection::find(tx, &admin, &name)).await?;
    let (Kind::Saml(settings), Some(upstream)) = (&found.kind, &deps.upstream) else {
        let problem = "only connections of kind saml have metadata, where the issuer role runs";
        return Err(refuse(&deps, &caller, AdminDenial::invalid("name", problem)).await);
    };
    let issuer = &upstream.settings.issuer;
    upstream::saml::document(&deps.basis, &caller.cx, issuer, &found.name, settings)
        .await
        .map(upstream::saml::served)
        .map_err(|error| ApiError::failed(&caller.cx, &error))
}

/// Reads the metadata of a SAML identity provider into what a connection pins. Changes nothing.
#[utoipa::path(post, path = "/admin/v1/saml-metadata", request_body = MetadataRequest,
    responses((status = 200, body = SamlSettings)))]
pub(crate) async fn read_metadata(
    State(deps): State<AdminDeps>,
    Document(asked, caller): Document<MetadataRequest>,
) -> Result<Json<SamlSettings>, ApiError> {
    // It may make a request to elsewhere.
    may(&deps, &caller, Permission::Administer).await?;
    match import::read(deps.upstream.as_ref(), &asked).await {
        Ok(settings) => Ok(Json(settings)),
        Err(denial) => Err(refuse(&deps, &caller, denial).await),
    }
}

/// Whom a provider is linked to, by subject.
#[utoipa::path(get, path = "/admin/v1/identity-providers/{name}/links", params(PageQuery),
    responses((status = 200, body = PageView<LinkView>)))]
pub(crate) async fn links(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(name): Segments<String>,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<PageView<LinkView>>, ApiError> {
    let admin = caller.admin.clone();
    let page = look(&deps, &caller, move |_, tx| {
        link::list(tx, &admin, &name, &query.page())
    })
    .await?;
    Ok(Json(PageView {
        items: page.items.into_iter().map(shown).collect(),
        next: page.next,
    }))
}

fn shown(linked: Linked) -> LinkView {
    LinkView {
        subject: linked.link.subject,
        user_id: linked.link.user.to_string(),
        username: linked.username,
        origin: linked.link.origin.as_str(),
        linked_at: linked.link.linked_at,
        last_seen_at: linked.link.last_seen_at,
    }
}

/// Links a person to a subject there.
#[utoipa::path(post, path = "/admin/v1/identity-providers/{name}/links", request_body = LinkRequest,
    responses((status = 200, body = LinkView)))]
pub(crate) async fn add_link(
    State(deps): State<AdminDeps>,
    Segments(name): Segments<String>,
    Document(asked, caller): Document<LinkRequest>,
) -> Result<Json<LinkView>, ApiError> {
    let admin = caller.admin.clone();
    let linked = change(&deps, &caller, move |cx, tx| {
        Ok(match link::link(cx, tx, &admin, &name, &asked.subject, &asked.user)? {
            Outcome::Granted(link) => {
                let username = tx.find_user(&link.user)?.map(|user| user.username);
                Outcome::Granted(Linked {
                    link,
                    username: username.unwrap_or_default(),
                })
            }
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    Ok(Json(shown(linked)))
}

/// Removes a person's link, with the memberships that the provider made for them and their sessions.
#[utoipa::path(delete, path = "/admin/v1/identity-providers/{name}/links/{username}",
    responses((status = 200, body = Removed)))]
pub(crate) async fn remove_link(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments((name, username)): Segments<(String, String)>,
) -> Result<Json<Removed>, ApiError> {
    let admin = caller.admin.clone();
    cut(&deps, &caller, move |cx, tx| {
        link::unlink(cx, tx, &admin, &name, &username)
    })
    .await?;
    Ok(Json(Removed {
        change: Change::Removed,
    }))
}
