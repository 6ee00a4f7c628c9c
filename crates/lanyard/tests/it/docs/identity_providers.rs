//! The documents on the pages about identity providers, against the documents that the server takes.

use lanyard_core::admin::spec::Organisation;

use super::examples::root;

/// What stands between the fences of TOML.
fn documents(page: &str) -> Vec<String> {
    let blocks = page.split("```toml\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// A part of a document belongs to a provider that the page has shown before.
fn whole(document: &str) -> String {
    match document.starts_with("[[identity_providers]]") {
        true => document.to_owned(),
        false => format!("[[identity_providers]]\nname = \"part\"\n{document}"),
    }
}

#[test]
fn every_document_for_an_identity_provider_is_one_that_is_taken() {
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("docs/identity-providers")).unwrap() {
        let path = entry.unwrap().path();
        for document in documents(&std::fs::read_to_string(&path).unwrap()) {
            seen += 1;
            let mut table: toml::Table = toml::from_str(&whole(&document)).unwrap();
            let providers = table.get_mut("identity_providers").and_then(toml::Value::as_array_mut);
            for provider in providers.unwrap() {
                let Some(oidc) = provider.get_mut("oidc") else { continue };
                // `lanyard apply` reads the file and sends what is in it.
                let file = oidc.as_table_mut().unwrap().remove("client_secret_file");
                assert!(file.is_some(), "{}: no client_secret_file", path.display());
            }
            let taken: Result<Organisation, _> = table.try_into();
            assert!(taken.is_ok(), "{}: {taken:?}\n{document}", path.display());
        }
    }
    assert!(seen > 8, "the documents were not found: {seen}");
}
