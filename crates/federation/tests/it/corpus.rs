//! The corpus of attacks: files in `tests/corpus`, each refused with the code in its name, whatever comes around it.
//!
//! `LANYARD_UPDATE_SAML_CORPUS=1` writes the files anew from `attacks.rs`, with a fresh key that is then thrown away.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lanyard_core::saml::assertion::Assertion;
use lanyard_core::saml::defect::Defect;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_testkit::saml::IdentityProvider;

use crate::attacks;
use crate::support::{IDP, assertion, response};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn files(kind: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder().join(kind)).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn certificate() -> Vec<Certificate> {
    vec![Certificate::parse(&fs::read_to_string(folder().join("idp.pem")).unwrap()).unwrap()]
}

/// By the outermost element, as the two ways in would be given it.
fn read(xml: &str, certificates: &[Certificate]) -> Result<Assertion, Defect> {
    let start = xml.find("<saml:Assertion").unwrap_or(usize::MAX);
    if xml.find("<samlp:Response").is_some_and(|response| response < start) {
        response(xml, certificates)
    } else {
        assertion(xml, certificates)
    }
}

#[test]
fn every_file_of_the_corpus_is_refused_for_the_reason_in_its_name_saml_04() {
    if std::env::var_os("LANYARD_UPDATE_SAML_CORPUS").is_some() {
        write_anew(&IDP);
    }
    let refused = files("refused");
    assert!(refused.len() >= 50, "{} files", refused.len());
    for (name, xml) in refused {
        let (code, _) = name.split_once("--").unwrap();
        match read(&xml, &certificate()) {
            Ok(assertion) => panic!("{name} was read: {assertion:?}"),
            Err(defect) => assert_eq!(defect.code(), code, "{name}: {defect}"),
        }
    }
}

#[test]
fn every_good_file_of_the_corpus_is_read_the_same_saml_04() {
    let accepted = files("accepted");
    assert!(accepted.len() >= 4, "{} files", accepted.len());
    for (name, xml) in accepted {
        let read = read(&xml, &certificate()).unwrap_or_else(|defect| panic!("{name}: {defect}"));
        assert_eq!(read.name_id.value, "alice-1f0a", "{name}");
    }
}

#[test]
fn the_attacks_are_refused_with_a_fresh_key_too_saml_04() {
    for attack in attacks::all(&IDP) {
        let certificates = [IDP.certificate.clone()];
        match read(&attack.xml, &certificates) {
            Ok(assertion) => panic!("{} was read: {assertion:?}", attack.name),
            Err(defect) => assert_eq!(defect.code(), attack.code, "{}: {defect}", attack.name),
        }
    }
}

fn write_anew(idp: &IdentityProvider) {
    for kind in ["refused", "accepted"] {
        let _ = fs::remove_dir_all(folder().join(kind));
        fs::create_dir_all(folder().join(kind)).unwrap();
    }
    let base64 = idp.certificate.to_base64();
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    );
    fs::write(folder().join("idp.pem"), pem).unwrap();
    for attack in attacks::all(idp) {
        let file = format!("refused/{}--{}.xml", attack.code, attack.name);
        fs::write(folder().join(file), attack.xml).unwrap();
    }
    for (name, xml) in attacks::good(idp) {
        fs::write(folder().join(format!("accepted/{name}.xml")), xml).unwrap();
    }
}
