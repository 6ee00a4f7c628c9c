//! `lanyard idp add`
//!
//! Owns the document that the arguments ask for. Never decides whether it is good: the server does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{find, imported, register, secret_of};
use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, show};
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// What to add. Give --issuer (or --tenant) and --client-id, or --saml and --metadata.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct AddArgs {
    /// Short: lower-case letters, digits and -; stands in the redirect URI and cannot be changed
    name: String,
    /// Whose product it is, for its quirks
    #[arg(long, value_parser = ["okta", "entra", "google", "ping", "keycloak", "plain"], default_value = "plain")]
    preset: String,
    /// The name on the button of the sign-in page [default: the product's]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The issuer, to the letter as the provider writes it
    #[arg(long, value_name = "URL", help_heading = "OpenID Connect")]
    issuer: Option<String>,
    /// Your Directory (tenant) ID, in place of the issuer; only with --preset entra
    #[arg(long, value_name = "ID", help_heading = "OpenID Connect", conflicts_with = "issuer")]
    tenant: Option<String>,
    /// The client id that the provider gave
    #[arg(long, value_name = "ID", help_heading = "OpenID Connect")]
    client_id: Option<String>,
    /// A file with the client secret, mode 0600; `-` for stdin
    #[arg(long, value_name = "FILE", help_heading = "OpenID Connect")]
    client_secret_file: Option<PathBuf>,
    /// Prove ourselves with a key of our own instead of a secret
    #[arg(long, help_heading = "OpenID Connect", conflicts_with = "client_secret_file")]
    private_key_jwt: bool,
    /// Send the secret in the body instead of the header
    #[arg(long, help_heading = "OpenID Connect", conflicts_with = "private_key_jwt")]
    client_secret_post: bool,
    /// Scopes to ask for [default: openid profile email]
    #[arg(long, value_name = "SCOPES", help_heading = "OpenID Connect")]
    scopes: Option<String>,
    /// Take claims from the userinfo endpoint too
    #[arg(long, help_heading = "OpenID Connect")]
    userinfo: bool,
    /// It takes PKCE with S256 although it does not announce it
    #[arg(long, help_heading = "OpenID Connect")]
    pkce_unannounced: bool,
    /// When it leaves the groups out because there are too many: refuse, or keep those of the last sign-in
    #[arg(long, value_parser = ["refuse", "keep"], help_heading = "OpenID Connect")]
    groups_overage: Option<String>,

    /// Sign people in by SAML 2.0
    #[arg(long, help_heading = "SAML", requires = "metadata", conflicts_with_all = [
        "issuer", "tenant", "client_id", "client_secret_file", "private_key_jwt", "client_secret_post", "scopes",
        "userinfo", "pkce_unannounced", "groups_overage",
    ])]
    saml: bool,
    /// The provider's metadata: a file, or an address that the server reads once
    #[arg(long, value_name = "FILE|URL", help_heading = "SAML", requires = "saml")]
    metadata: Option<String>,
    /// Which provider, when the metadata has several
    #[arg(long, value_name = "ID", help_heading = "SAML", requires = "saml")]
    entity_id: Option<String>,
    /// The attribute that identifies a person for ever [default: the NameID]
    #[arg(long, value_name = "NAME", help_heading = "SAML", requires = "saml")]
    subject_attribute: Option<String>,
    /// The format of names to ask for
    #[arg(long, value_name = "URN", help_heading = "SAML", requires = "saml")]
    name_id_format: Option<String>,
    /// Accept sign-ins that begin at the provider; they cannot be bound to a browser
    #[arg(long, help_heading = "SAML", requires = "saml")]
    idp_initiated: bool,

    /// An e-mail domain whose people sign in there; repeat it. Google: your Workspace domain
    #[arg(long, value_name = "DOMAIN", help_heading = "People")]
    domain: Vec<String>,
    /// Send everybody there whom nothing else decides about
    #[arg(long, help_heading = "People")]
    default: bool,
    /// Make people on their first sign-in
    #[arg(long, help_heading = "People")]
    just_in_time: bool,
    /// Link people who exist already, on their first sign-in
    #[arg(long, value_parser = ["nothing", "username"], help_heading = "People")]
    link_by: Option<String>,
    /// The claim with the user name
    #[arg(long, value_name = "CLAIM", help_heading = "People")]
    username_claim: Option<String>,
    /// The claim with the e-mail address
    #[arg(long, value_name = "CLAIM", help_heading = "People")]
    email_claim: Option<String>,
    /// The claim with the name for people
    #[arg(long, value_name = "CLAIM", help_heading = "People")]
    name_claim: Option<String>,

    /// The claim with the groups [default: groups, when a group is mapped]
    #[arg(long, value_name = "CLAIM", help_heading = "Groups")]
    group_claim: Option<String>,
    /// A group there and the group or role here; repeat it
    #[arg(long, value_name = "GROUP=OURS", value_parser = pair, help_heading = "Groups")]
    map: Vec<(String, String)>,
    /// What other groups mean: nothing, the group of that name here, or that group made
    #[arg(long, value_parser = ["ignore", "match", "create"], help_heading = "Groups")]
    unlisted_groups: Option<String>,
    /// Look only at groups that begin like this, and take it off
    #[arg(long, value_name = "TEXT", help_heading = "Groups")]
    group_prefix: Option<String>,

    /// A value of acr (SAML: a class) and what it counts as; repeat it. Also how more is asked for
    #[arg(long, value_name = "VALUE=STRENGTH", value_parser = rule, help_heading = "Strength: password, multi_factor, phishing_resistant")]
    acr: Vec<(String, String)>,
    /// A value of amr and what it counts as; repeat it
    #[arg(long, value_name = "VALUE=STRENGTH", value_parser = rule, help_heading = "Strength: password, multi_factor, phishing_resistant")]
    amr: Vec<(String, String)>,
    /// What every sign-in there counts as at least: your promise that the provider lets nobody in with less
    #[arg(long, value_parser = ["password", "multi_factor", "phishing_resistant"], help_heading = "Strength: password, multi_factor, phishing_resistant")]
    strength: Option<String>,

    /// Add it switched off, to be tested first
    #[arg(long)]
    disabled: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((theirs, ours)) if !theirs.is_empty() && !ours.is_empty() => Ok((theirs.to_owned(), ours.to_owned())),
        _ => Err("write it as GROUP=OURS".to_owned()),
    }
}

fn rule(text: &str) -> Result<(String, String), String> {
    let (value, strength) = pair(text).map_err(|_| "write it as VALUE=STRENGTH".to_owned())?;
    match strength.as_str() {
        "password" | "multi_factor" | "phishing_resistant" => Ok((value, strength)),
        _ => Err("a strength is password, multi_factor or phishing_resistant".to_owned()),
    }
}

pub(super) async fn run(client: &AdminClient, at: &AdminAt, args: &AddArgs, ui: &Ui) -> anyhow::Result<()> {
    let known = client.all(&["identity-providers"]).await?;
    if known.iter().any(|one| show::text(one, "name") == args.name) {
        let happened = format!("There is an identity provider {} already.", args.name);
        let remedy = format!(
            "Change it with `lanyard idp update {0}` or, from a document, `lanyard idp set -f FILE`; `lanyard idp show {0}` \
             prints one.",
            args.name
        );
        return Err(Ending::failed(&happened, Some(&remedy)).into());
    }
    let spec = document(client, args).await?;
    let answer = client.put(&["identity-providers", &args.name], &spec).await?;
    let record = find(client, &args.name).await?;
    if at.json {
        let mut told = answer;
        if let (Some(members), Some(more)) = (told.as_object_mut(), record.get("at_provider")) {
            members.insert("at_provider".to_owned(), more.clone());
        }
        return ui.json(&told);
    }
    show::written(&answer, "identity provider", &args.name, false, ui)?;
    register::tell(&record, |line| ui.line(line), ui);
    ui.note("");
    ui.note(&format!("Then test it: `lanyard idp test {}`.", args.name));
    if args.disabled {
        ui.note(&format!("And let people in: `lanyard idp enable {}`.", args.name));
    }
    Ok(())
}

/// The document that is sent.
async fn document(client: &AdminClient, args: &AddArgs) -> anyhow::Result<Value> {
    let mut spec = Map::new();
    let mut set = |name: &str, value: Value| spec.insert(name.to_owned(), value);
    set("name", json!(args.name));
    set("preset", json!(args.preset));
    set("domains", json!(args.domain));
    set("default", json!(args.default));
    set("enabled", json!(!args.disabled));
    set("just_in_time", json!(args.just_in_time));
    set("claims", claims(args));
    if let Some(title) = &args.title {
        set("title", json!(title));
    }
    if let Some(link_by) = &args.link_by {
        set("link_by", json!(link_by));
    }
    if let Some(groups) = groups(args) {
        set("groups", groups);
    }
    if !args.acr.is_empty() || !args.amr.is_empty() {
        let rules = |claim: &'static str, of: &[(String, String)]| -> Vec<Value> {
            of.iter()
                .map(|(value, strength)| json!({ "claim": claim, "value": value, "strength": strength }))
                .collect()
        };
        set(
            "strengths",
            json!([rules("acr", &args.acr), rules("amr", &args.amr)].concat()),
        );
    }
    if let Some(strength) = &args.strength {
        set("strength", json!(strength));
    }
    match &args.metadata {
        Some(place) => set("saml", saml(client, args, place).await?),
        None => set("oidc", oidc(args)?),
    };
    Ok(Value::Object(spec))
}

fn claims(args: &AddArgs) -> Value {
    let named = [
        ("username", &args.username_claim),
        ("email", &args.email_claim),
        ("display_name", &args.name_claim),
    ];
    let given = named
        .into_iter()
        .filter_map(|(name, claim)| Some((name.to_owned(), json!(claim.as_ref()?))));
    Value::Object(given.collect())
}

fn groups(args: &AddArgs) -> Option<Value> {
    let wanted = args.group_claim.is_some()
        || !args.map.is_empty()
        || args.unlisted_groups.is_some()
        || args.group_prefix.is_some();
    if !wanted {
        return None;
    }
    let names: BTreeMap<&String, &String> = args.map.iter().map(|(theirs, ours)| (theirs, ours)).collect();
    let mut groups = json!({ "claim": args.group_claim.as_deref().unwrap_or("groups"), "names": names });
    if let Some(members) = groups.as_object_mut() {
        if let Some(prefix) = &args.group_prefix {
            members.insert("only_prefix".to_owned(), json!(prefix));
            members.insert("strip_prefix".to_owned(), json!(prefix));
        }
        if let Some(unlisted) = &args.unlisted_groups {
            members.insert("unlisted".to_owned(), json!(unlisted));
        }
    }
    Some(groups)
}

fn oidc(args: &AddArgs) -> anyhow::Result<Value> {
    let issuer = match (&args.issuer, &args.tenant, args.preset.as_str()) {
        (Some(issuer), _, _) => issuer.clone(),
        (None, Some(tenant), "entra") => format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        // Another preset would leave out the rules that Entra ID's claims need.
        (None, Some(_), _) => {
            return Err(usage(
                "--tenant is for Microsoft Entra ID alone.",
                "Add --preset entra; for another provider give --issuer URL.",
            ));
        }
        (None, None, "google") => "https://accounts.google.com".to_owned(),
        (None, None, "entra") => return Err(usage("Your tenant is needed.", "Give --tenant ID.")),
        (None, None, _) => {
            return Err(usage(
                "The provider's issuer is needed.",
                "Give --issuer URL; for SAML give --saml and --metadata.",
            ));
        }
    };
    let Some(client_id) = &args.client_id else {
        return Err(usage(
            "The client id that the provider gave is needed.",
            "Give --client-id ID.",
        ));
    };
    let auth = match (args.private_key_jwt, args.client_secret_post) {
        (true, _) => "private_key_jwt",
        (false, true) => "client_secret_post",
        (false, false) => "client_secret_basic",
    };
    let secret = match &args.client_secret_file {
        Some(file) => Some(secret_of(file)?),
        None if args.private_key_jwt => None,
        None => {
            let remedy = "Give --client-secret-file FILE (or - for stdin), or --private-key-jwt.";
            return Err(usage("A client secret is needed.", remedy));
        }
    };
    let mut oidc = json!({ "issuer": issuer, "client_id": client_id, "client_auth": auth, "userinfo": args.userinfo });
    if let Some(members) = oidc.as_object_mut() {
        for (name, value) in [
            ("client_secret", secret.map(Value::from)),
            ("scopes", args.scopes.clone().map(Value::from)),
            ("groups_overage", args.groups_overage.clone().map(Value::from)),
            ("pkce_unannounced", args.pkce_unannounced.then_some(json!(true))),
        ] {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        }
    }
    Ok(oidc)
}

async fn saml(client: &AdminClient, args: &AddArgs, place: &str) -> anyhow::Result<Value> {
    let mut saml = imported(client, place, args.entity_id.as_deref()).await?;
    if let Some(members) = saml.as_object_mut() {
        members.insert("idp_initiated".to_owned(), json!(args.idp_initiated));
        for (name, value) in [
            ("subject_attribute", &args.subject_attribute),
            ("name_id_format", &args.name_id_format),
        ] {
            if let Some(value) = value {
                members.insert(name.to_owned(), json!(value));
            }
        }
    }
    Ok(saml)
}

fn usage(happened: &str, remedy: &str) -> anyhow::Error {
    Ending {
        code: 2,
        happened: happened.to_owned(),
        remedy: Some(remedy.to_owned()),
        request_id: None,
    }
    .into()
}
