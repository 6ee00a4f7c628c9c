//! Checking the signatures of a message, and writing what one covers.
//!
//! Owns the calls of the signature library, over the same parsed document that the guard looked at, with pinned keys
//! only: nothing in `KeyInfo` is ever used (SAML-03).

use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_dsig::verify::verify_all_document;
use bergshamra_dsig::{DsigContext, VerifyResult};
use bergshamra_keys::KeysManager;
use bergshamra_xml::NodeSet;
use lanyard_core::saml::defect::Defect;
use uppsala::{Document, NodeId};

use super::certificate::Certificate;
use super::shape::Signed;

/// Checks that each signature was made by one of the pinned keys, over its parent.
pub(super) fn verify(
    document: &Document<'_>,
    signatures: &[(&Signed<'_, '_>, &'static str)],
    certificates: &[Certificate],
) -> Result<(), Defect> {
    let mut missing: Vec<_> = signatures
        .iter()
        .map(|(signed, what)| (signed.signature.id(), signed.parent.id(), *what))
        .collect();
    for certificate in certificates {
        let covered = covered_by(document, certificate);
        missing.retain(|(signature, parent, _)| !covered.contains(&(*signature, *parent)));
    }
    match missing.first() {
        None => Ok(()),
        Some((_, _, what)) => Err(Defect::Signature(what)),
    }
}

/// Signatures that this key made, each with the one element it covers.
fn covered_by(document: &Document<'_>, certificate: &Certificate) -> Vec<(NodeId, NodeId)> {
    let mut keys = KeysManager::new();
    keys.add_key(certificate.key().clone());
    // The key is pinned: who certified it, and until when, says nothing about it (SAML Metadata IOP).
    let context = DsigContext::new(keys).with_insecure(true);
    let results = verify_all_document(&context, document).unwrap_or_default();
    results
        .into_iter()
        .filter_map(|result| match result {
            VerifyResult::Valid {
                signature_node,
                references,
                ..
            } => match &references[..] {
                [only] if only.digest_verified => only.resolved_node.map(|covered| (signature_node, covered)),
                _ => None,
            },
            VerifyResult::Invalid { .. } => None,
        })
        .collect()
}

/// What a signature covers, in canonical form: the bytes whose digest was signed. Only these are read.
pub(super) fn canonical(document: &Document<'_>, signed: &Signed<'_, '_>) -> Result<String, Defect> {
    let failed = Defect::Signature("assertion");
    let mut covered = NodeSet::tree_without_comments(signed.parent.id(), document);
    covered.remove_id(signed.signature.id());
    for below in document.descendants(signed.signature.id()) {
        covered.remove_id(below);
    }
    let bytes = canonicalize_doc(document, C14nMode::Exclusive, Some(&covered), &signed.prefixes);
    let bytes = bytes.map_err(|_| failed)?;
    let digest = bergshamra_crypto::digest::digest(signed.digest, &bytes).map_err(|_| failed)?;
    if digest != signed.digest_value {
        return Err(failed);
    }
    String::from_utf8(bytes).map_err(|_| failed)
}
