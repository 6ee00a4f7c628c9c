//! `lanyard idp` against a lab whose identity provider is the issuer of another lab.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::administrators::Owner;
use crate::browser;
use crate::lab::{Lab, Said};

const SECRET: &str = "a secret of this test alone, long enough";

/// Two labs: people of the one sign in at the other.
struct Corp {
    lab: Lab,
    owner: Owner,
    provider: Lab,
}

impl Corp {
    fn new() -> Self {
        let (lab, provider) = (Lab::start(), Lab::start());
        let (owner, theirs) = (Owner::of(&lab), Owner::of(&provider));
        for machine in [&owner.machine, &theirs.machine] {
            private(&machine.home().join("secret"), SECRET);
        }
        let client = format!(
            "side = \"idp\"\nclient_id = \"lanyard\"\nname = \"Front\"\nauth = \"secret\"\nsecret_file = \"secret\"\n\
             redirect_uris = [\"{}/upstream/corp/callback\"]\n",
            lab.issuer()
        );
        let file = theirs.machine.home().join("client.toml");
        std::fs::write(&file, client).unwrap();
        theirs.good(&["clients", "set", "-f", file.to_str().unwrap()]);
        Self { lab, owner, provider }
    }

    fn add(&self, name: &str, issuer: &str, more: &[&str]) -> Said {
        let secret = self.owner.machine.home().join("secret");
        let arguments = [
            "idp",
            "add",
            name,
            "--issuer",
            issuer,
            "--client-id",
            "lanyard",
            "--client-secret-file",
            secret.to_str().unwrap(),
        ];
        self.owner.run(&[&arguments, more].concat())
    }

    /// A dry sign-in as somebody of the provider.
    fn dry(&self, username: &str) -> Said {
        let mut command = self.owner.command(&["idp", "test", "corp", "--no-browser"]);
        let mut child = command.spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        let page = loop {
            let mut line = String::new();
            assert_ne!(err.read_line(&mut line).unwrap(), 0, "no address: {told}");
            if line.trim().starts_with(self.lab.issuer()) {
                break line.trim().to_owned();
            }
            told.push_str(&line);
        };
        let text = browser::page_after(&page, username, self.provider.password(username));
        assert!(text.contains("The test is done"), "{text}");
        std::io::Read::read_to_string(&mut err, &mut told).unwrap();
        let end = child.wait_with_output().unwrap();
        Said {
            code: end.status.code().unwrap(),
            out: String::from_utf8(end.stdout).unwrap(),
            err: told,
        }
    }

    /// The provider's identifier of a person.
    fn subject(&self, username: &str) -> String {
        let users = self.provider.facts["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["username"] == username).unwrap();
        user["sub"].as_str().unwrap().to_owned()
    }

    /// Signs in at the client's command, with the password that the provider knows.
    fn login(&self, username: &str) -> Said {
        let machine = self.lab.machine(&format!("{username}-machine"));
        let mut child = machine
            .command(&["login", "--issuer", self.lab.issuer(), "--no-browser"])
            .spawn()
            .unwrap();
        let mut page = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut page).unwrap();
        browser::sign_in(page.trim(), username, self.provider.password(username));
        let end = child.wait_with_output().unwrap();
        assert_eq!(end.status.code(), Some(0), "{}", String::from_utf8_lossy(&end.stderr));
        machine.run(&["status", "--json"])
    }
}

fn private(file: &std::path::Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn an_identity_provider_is_added_tested_and_signed_in_at() {
    let corp = Corp::new();
    let added = corp.add("corp", corp.provider.issuer(), &["--default", "--title", "Corp"]);
    assert_eq!(added.code, 0, "{}", added.err);
    let callback = format!("{}/upstream/corp/callback", corp.lab.issuer());
    assert!(
        added.out.contains("corp: created") && added.out.contains(&callback),
        "{}",
        added.out
    );
    assert!(added.err.contains("lanyard idp test corp"), "{}", added.err);
    let again = corp.add("corp", corp.provider.issuer(), &[]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("lanyard idp update corp"), "{}", again.err);

    let looked = corp.owner.good(&["idp", "test", "corp", "--no-sign-in"]);
    for check in ["discovery", "endpoints", "keys", "clock", "client"] {
        assert!(
            looked.out.contains(&format!("ok      {check}:")),
            "{check}: {}",
            looked.out
        );
    }
    assert!(!looked.out.contains("failed"), "{}", looked.out);
    // The lab's provider is on this machine, without TLS.
    assert!(!looked.out.contains("protected by https"), "{}", looked.out);

    // The name is taken here by somebody with a password: told with its remedy.
    let dry = corp.dry("alice");
    assert_eq!(dry.code, 1, "{}{}", dry.out, dry.err);
    assert!(
        dry.out.contains("user name: alice") && dry.out.contains("lanyard idp links"),
        "{}",
        dry.out
    );
    let subject = corp.subject("alice");
    assert!(dry.out.contains(&subject), "{}", dry.out);
    corp.owner.good(&["idp", "links", "corp", "add", "alice", &subject]);
    let links = corp.owner.good(&["idp", "links", "corp", "--json"]).json();
    assert_eq!(links["items"][0]["username"], "alice");
    let dry = corp.dry("alice");
    assert_eq!(dry.code, 0, "{}{}", dry.out, dry.err);
    assert!(dry.out.contains("alice would be signed in"), "{}", dry.out);

    let status = corp.login("alice");
    assert_eq!(status.json()["issuer"], corp.lab.issuer(), "{}", status.err);
    let log = corp
        .owner
        .good(&["audit", "list", "--kind", "idp.sign_in.succeeded", "--json"]);
    assert!(log.out.contains("\"corp\"") || log.out.contains("conn_"), "{}", log.out);

    corp.owner.good(&["idp", "links", "corp", "remove", "alice", "--yes"]);
    let none = corp.owner.good(&["idp", "links", "corp", "list", "--json"]).json();
    assert_eq!(none["items"], Value::Array(Vec::new()));
    let gone = corp.owner.good(&["idp", "remove", "corp", "--yes", "--json"]);
    assert_eq!(gone.json()["change"], "removed");
}

#[test]
fn what_is_wrong_with_a_provider_is_told_in_words_and_by_the_exit_code() {
    let corp = Corp::new();
    // Only the slash differs.
    let slash = format!("{}/", corp.provider.issuer());
    assert_eq!(corp.add("slash", &slash, &[]).code, 0);
    let said = corp.owner.run(&["idp", "test", "slash", "--no-sign-in"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("only the slash at the end differs"), "{}", said.out);
    let report = corp.owner.run(&["idp", "test", "slash", "--json"]);
    assert_eq!(report.code, 1);
    assert_eq!(report.json()["good"], false);
    // A secret that the provider does not know.
    assert_eq!(corp.add("corp", corp.provider.issuer(), &["--disabled"]).code, 0);
    let wrong = corp.owner.machine.home().join("wrong");
    private(&wrong, "not the secret\n");
    corp.owner
        .good(&["idp", "update", "corp", "--client-secret-file", wrong.to_str().unwrap()]);
    let said = corp.owner.run(&["idp", "test", "corp", "--no-sign-in"]);
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("failed  client:") && said.out.contains("lanyard idp enable corp"),
        "{}",
        said.out
    );
    // On and off.
    assert!(corp.owner.good(&["idp", "enable", "corp"]).out.contains("corp: on"));
    assert!(corp.owner.good(&["idp", "enable", "corp"]).out.contains("already on"));
    assert!(
        corp.owner
            .good(&["idp", "disable", "corp", "--yes"])
            .out
            .contains("corp: off")
    );
    let list = corp.owner.good(&["idp", "list", "--json"]).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let show = corp.owner.good(&["idp", "show", "corp"]);
    assert!(
        show.out.contains("client_id = \"lanyard\"") && !show.out.contains(SECRET),
        "{}",
        show.out
    );
    // What `show` printed is taken back.
    let file = corp.owner.machine.home().join("corp.toml");
    std::fs::write(&file, show.out.replace("enabled = false", "enabled = true")).unwrap();
    let set = corp.owner.good(&["idp", "set", "-f", file.to_str().unwrap(), "--json"]);
    assert_eq!(set.json()["change"], "changed");
}

#[test]
fn a_saml_provider_is_added_from_its_metadata() {
    let lab = Lab::start();
    let owner = Owner::of(&lab);
    let file = owner.machine.home().join("metadata.xml");
    // The lab's own metadata has a certificate that can stand for the provider's.
    let certificate = lanyard_testkit::saml::IdentityProvider::new(
        "https://idp.corp.example/saml",
        lanyard_jose::algorithm::Algorithm::Es256,
    )
    .certificate
    .to_base64();
    let endpoint = |element: &str, last: &str| {
        format!(
            "<md:{element} Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
             Location=\"http://127.0.0.1:9/{last}\"/>"
        )
    };
    let metadata = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         entityID=\"https://idp.corp.example/saml\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>{certificate}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>{}{}</md:IDPSSODescriptor></md:EntityDescriptor>",
        endpoint("SingleLogoutService", "slo"),
        endpoint("SingleSignOnService", "sso"),
    );
    std::fs::write(&file, metadata).unwrap();
    let file = file.to_str().unwrap();
    let added = owner.good(&[
        "idp",
        "add",
        "corp",
        "--saml",
        "--metadata",
        file,
        "--subject-attribute",
        "uid",
        "--domain",
        "corp.example",
    ]);
    let base = format!("{}/upstream/corp/saml", lab.issuer());
    for last in ["metadata", "acs", "slo"] {
        assert!(added.out.contains(&format!("{base}/{last}")), "{}", added.out);
    }
    let own = owner.good(&["idp", "metadata", "corp"]);
    assert!(
        own.out.contains(&format!("entityID=\"{base}/metadata\"")),
        "{}",
        own.out
    );
    let test = owner.good(&["idp", "test", "corp", "--no-sign-in"]);
    assert!(
        test.out.contains("certificates:") && test.out.contains(&format!("{base}/acs")),
        "{}",
        test.out
    );
    // Imported again: nothing new, and what an operator decided stays.
    let again = owner.good(&["idp", "update", "corp", "--metadata", file, "--json"]);
    assert_eq!(again.json()["change"], "unchanged", "{}", again.out);
    assert_eq!(again.json()["saml"]["subject_attribute"], "uid");
    let broken = owner.machine.home().join("broken.xml");
    std::fs::write(&broken, "<html/>").unwrap();
    let refused = owner.run(&["idp", "add", "other", "--saml", "--metadata", broken.to_str().unwrap()]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("metadata cannot be used"), "{}", refused.err);
}

#[test]
fn what_is_missing_is_named_before_anything_is_sent() {
    let lab = Lab::start();
    let owner = Owner::of(&lab);
    for (arguments, wanted) in [
        (vec!["idp", "add", "a"], "--issuer"),
        (vec!["idp", "add", "a", "--preset", "entra"], "--tenant"),
        (
            vec!["idp", "add", "a", "--tenant", "x", "--client-id", "y"],
            "--preset entra",
        ),
        (
            vec!["idp", "add", "a", "--tenant", "x", "--preset", "okta"],
            "--preset entra",
        ),
        (
            vec!["idp", "add", "a", "--saml", "--metadata", "x", "--userinfo"],
            "--userinfo",
        ),
        (vec!["idp", "add", "a", "--issuer", "https://a.example"], "--client-id"),
        (
            vec!["idp", "add", "a", "--issuer", "https://a.example", "--client-id", "x"],
            "--client-secret-file",
        ),
        (vec!["idp", "add", "a", "--saml"], "--metadata"),
        (vec!["idp", "add", "a", "--acr", "x=strong"], "multi_factor"),
        (vec!["idp", "update", "a"], "--client-secret-file"),
    ] {
        let said = owner.run(&arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(wanted), "{arguments:?}: {}", said.err);
    }
    // Google without a domain would let everybody in: the server says so.
    let secret = owner.machine.home().join("secret");
    private(&secret, SECRET);
    let google = [
        "idp",
        "add",
        "google",
        "--preset",
        "google",
        "--client-id",
        "x",
        "--client-secret-file",
        secret.to_str().unwrap(),
    ];
    let said = owner.run(&google);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("domains"), "{}", said.err);
    let said = owner.good(&[&google[..], &["--domain", "corp.example"]].concat());
    assert!(said.err.contains("Authorized redirect URIs") || said.out.contains("Authorized redirect URIs"));
    let entra = owner.good(&[
        "idp",
        "add",
        "entra",
        "--preset",
        "entra",
        "--tenant",
        "8f1c3c0e-4d5e-4b7a-9b1e-2a6d0c9e7f10",
        "--client-id",
        "x",
        "--private-key-jwt",
        "--json",
    ]);
    assert_eq!(
        entra.json()["oidc"]["issuer"],
        "https://login.microsoftonline.com/8f1c3c0e-4d5e-4b7a-9b1e-2a6d0c9e7f10/v2.0"
    );
    assert!(entra.json()["at_provider"]["jwks_uri"].is_string());
}
