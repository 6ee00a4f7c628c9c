//! What to register at a provider, in that product's own words.
//!
//! Owns the names of its fields. Never the values: the server says them.

use serde_json::Value;

use crate::admin_client::show;
use crate::ui::Ui;

/// A product's words: where, and what it calls each value that we give.
struct Words {
    place: &'static str,
    fields: &'static [(&'static str, &'static str)],
    more: &'static [&'static str],
}

/// Tells what to register where; `say` tells the values.
pub(super) fn tell(record: &Value, say: impl Fn(&str), ui: &Ui) {
    let preset = show::text(record, "preset");
    let own = |field: &str| show::text(record, &format!("at_provider.{field}"));
    if record.get("at_provider").is_none_or(Value::is_null) {
        return;
    }
    let words = if record.get("saml").is_some() {
        saml(&preset)
    } else {
        oidc(&preset)
    };
    ui.note("");
    ui.note(&format!("Register at the provider ({}):", words.place));
    let width = words
        .fields
        .iter()
        .map(|(label, _)| label.chars().count())
        .max()
        .unwrap_or(0);
    for (label, field) in words.fields {
        let value = own(field);
        if !value.is_empty() {
            say(&format!("  {label:width$}  {value}"));
        }
    }
    for line in words.more {
        ui.note(&format!("  {line}"));
    }
}

fn oidc(preset: &str) -> Words {
    match preset {
        "okta" => Words {
            place: "Applications > your app > General",
            fields: &[
                ("Sign-in redirect URIs", "redirect_uri"),
                ("Public keys, URL", "jwks_uri"),
            ],
            more: &["For groups add a groups claim: Sign On > OpenID Connect ID Token > Group claims filter."],
        },
        "entra" => Words {
            place: "App registrations > your app > Authentication > Web",
            fields: &[("Redirect URIs", "redirect_uri")],
            more: &[
                "For groups: Token configuration > Add groups claim > Groups assigned to the application, in the ID token.",
                "Map them by their Object ID: --map 1f0a…=engineering.",
            ],
        },
        "google" => Words {
            place: "Google Auth Platform > Clients > your web client",
            fields: &[("Authorized redirect URIs", "redirect_uri")],
            more: &["Google puts no groups into its tokens; provision them by SCIM, or keep them here."],
        },
        "ping" => Words {
            place: "Applications > your OIDC web app > Configuration",
            fields: &[("Redirect URIs", "redirect_uri"), ("JWKS URL", "jwks_uri")],
            more: &["For groups map an attribute: Attribute Mappings > Group Names."],
        },
        "keycloak" => Words {
            place: "Clients > your client > Settings; keys under Keys",
            fields: &[
                ("Valid redirect URIs", "redirect_uri"),
                ("Backchannel logout URL", "backchannel_logout_uri"),
                ("JWKS URL", "jwks_uri"),
            ],
            more: &[
                "Client authentication and Standard flow must be on.",
                "For groups: Client scopes > the dedicated scope > Add mapper > Group Membership, Full group path off.",
            ],
        },
        _ => Words {
            place: "a confidential client with the authorization code flow",
            fields: &[
                ("redirect URI", "redirect_uri"),
                ("back-channel logout URI", "backchannel_logout_uri"),
                ("JWKS URI of the client", "jwks_uri"),
            ],
            more: &[],
        },
    }
}

fn saml(preset: &str) -> Words {
    match preset {
        "okta" => Words {
            place: "Applications > your SAML 2.0 app > SAML settings",
            fields: &[
                ("Single sign-on URL", "acs_url"),
                ("Audience URI (SP Entity ID)", "entity_id"),
                ("Single Logout URL", "slo_url"),
            ],
            more: &["Assertion Signature must be Signed; for groups add Group Attribute Statements."],
        },
        "entra" => Words {
            place: "Enterprise applications > your app > Single sign-on > SAML, or Upload metadata file",
            fields: &[
                ("Identifier (Entity ID)", "entity_id"),
                ("Reply URL (Assertion Consumer Service URL)", "acs_url"),
                ("Logout Url", "slo_url"),
            ],
            more: &["Signing Option must be Sign SAML assertion, or Sign SAML response and assertion."],
        },
        "google" => Words {
            place: "Apps > Web and mobile apps > Add custom SAML app",
            fields: &[("ACS URL", "acs_url"), ("Entity ID", "entity_id")],
            more: &["Leave Signed response off: then the assertion is signed."],
        },
        "ping" => Words {
            place: "Applications > your SAML app > Configuration, or Import metadata",
            fields: &[
                ("ACS URLs", "acs_url"),
                ("Entity ID", "entity_id"),
                ("SLO Endpoint", "slo_url"),
            ],
            more: &["Sign Assertion must be on."],
        },
        "keycloak" => Words {
            place: "Clients > Import client, with the metadata; or by hand",
            fields: &[
                ("Client ID", "entity_id"),
                ("Assertion Consumer Service POST Binding URL", "acs_url"),
                ("Logout Service Redirect Binding URL", "slo_url"),
            ],
            more: &["Client signature required and Sign assertions must be on."],
        },
        _ => Words {
            place: "by our metadata, or by hand",
            fields: &[
                ("entity id (audience), and our metadata", "entity_id"),
                ("assertion consumer service (HTTP-POST)", "acs_url"),
                ("single logout service", "slo_url"),
            ],
            more: &["The assertion itself must be signed."],
        },
    }
}
