//! The shape of one signature: what may stand in it, and that it covers its parent (SAML-04; XML Signature, section 4).
//!
//! Owns the closed list of algorithms, transforms and elements. Only ever refuses; nothing is computed here.

use lanyard_core::saml::defect::Defect;

use super::encoding;
use super::names::{DIGESTS, DSIG, ENVELOPED, EXC_C14N, SIGNATURES};
use super::tree::Node;

/// The most prefixes that a canonical form may name; libraries look at each for each element.
const MAX_PREFIXES: usize = 16;

/// A signature whose structure is the one that is accepted.
pub(super) struct Signed<'t, 'a> {
    /// What it covers: its parent.
    pub(super) parent: Node<'t, 'a>,
    /// The `Signature` element.
    pub(super) signature: Node<'t, 'a>,
    /// The digest algorithm of the reference.
    pub(super) digest: &'static str,
    /// The digest that was signed.
    pub(super) digest_value: Vec<u8>,
    /// Prefixes that the canonical form treats as inclusive.
    pub(super) prefixes: Vec<String>,
}

/// Looks at the signature of an element, which has to be its second child (SAML Core, section 2.3.3).
pub(super) fn inspect<'t, 'a>(parent: Node<'t, 'a>, what: &'static str) -> Result<Signed<'t, 'a>, Defect> {
    let signature = parent.one(DSIG, "Signature")?.ok_or(Defect::Unsigned(what))?;
    if parent.children().nth(1).map(Node::id) != Some(signature.id()) {
        return Err(Defect::Shape("the signature does not follow the issuer"));
    }
    plain(signature, &["Id"])?;
    let [info, value, key @ ..] = &children(signature)?[..] else {
        return Err(Defect::Shape("the signature is incomplete"));
    };
    if !(info.is(DSIG, "SignedInfo") && value.is(DSIG, "SignatureValue")) {
        return Err(Defect::Shape("the signature has other parts"));
    }
    plain(*value, &["Id"])?;
    base64(*value)?;
    match key {
        [] => {}
        [key] if key.is(DSIG, "KeyInfo") => check_key(*key)?,
        _ => return Err(Defect::Shape("the signature has other parts")),
    }
    check_info(parent, signature, *info)
}

fn check_info<'t, 'a>(
    parent: Node<'t, 'a>,
    signature: Node<'t, 'a>,
    info: Node<'t, 'a>,
) -> Result<Signed<'t, 'a>, Defect> {
    plain(info, &["Id"])?;
    let [canonical, method, reference] = &children(info)?[..] else {
        return Err(Defect::Shape("what is signed is not exactly one reference"));
    };
    if !(canonical.is(DSIG, "CanonicalizationMethod")
        && method.is(DSIG, "SignatureMethod")
        && reference.is(DSIG, "Reference"))
    {
        return Err(Defect::Shape("what is signed is not exactly one reference"));
    }
    if algorithm(*canonical)? != EXC_C14N {
        return Err(Defect::Algorithm("canonical form"));
    }
    read_prefixes(*canonical)?;
    if !SIGNATURES.contains(&algorithm(*method)?) {
        return Err(Defect::Algorithm("signature algorithm"));
    }
    empty(*method)?;
    check_reference(parent, signature, *reference)
}

fn check_reference<'t, 'a>(
    parent: Node<'t, 'a>,
    signature: Node<'t, 'a>,
    reference: Node<'t, 'a>,
) -> Result<Signed<'t, 'a>, Defect> {
    plain(reference, &["URI", "Id", "Type"])?;
    let target = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
    match (target, parent.attribute("ID")) {
        (Some(target), Some(id)) if target == id => {}
        _ => {
            return Err(Defect::Shape(
                "the reference is not to the element that holds the signature",
            ));
        }
    }
    let [transforms, method, value] = &children(reference)?[..] else {
        return Err(Defect::Shape("the reference has other parts"));
    };
    if !(transforms.is(DSIG, "Transforms") && method.is(DSIG, "DigestMethod") && value.is(DSIG, "DigestValue")) {
        return Err(Defect::Shape("the reference has other parts"));
    }
    plain(*transforms, &[])?;
    plain(*value, &[])?;
    empty(*method)?;
    let asked = algorithm(*method)?;
    let digest = DIGESTS.into_iter().find(|digest| *digest == asked);
    Ok(Signed {
        parent,
        signature,
        digest: digest.ok_or(Defect::Algorithm("digest algorithm"))?,
        digest_value: base64(*value)?,
        prefixes: check_transforms(*transforms)?,
    })
}

/// Exactly the two that SAML has: without the signature, in exclusive canonical form (SAML Core, section 5.4.4).
fn check_transforms(transforms: Node<'_, '_>) -> Result<Vec<String>, Defect> {
    let [enveloped, canonical] = &children(transforms)?[..] else {
        return Err(Defect::Algorithm("list of transforms"));
    };
    if !(enveloped.is(DSIG, "Transform") && canonical.is(DSIG, "Transform"))
        || algorithm(*enveloped)? != ENVELOPED
        || algorithm(*canonical)? != EXC_C14N
    {
        return Err(Defect::Algorithm("list of transforms"));
    }
    empty(*enveloped)?;
    read_prefixes(*canonical)
}

/// The list of prefixes of an exclusive canonical form, which may be the only thing in it.
fn read_prefixes(canonical: Node<'_, '_>) -> Result<Vec<String>, Defect> {
    let wrong = Defect::Algorithm("parameter of the canonical form");
    let list = match &children(canonical)?[..] {
        [] => return Ok(Vec::new()),
        [list] if list.is(EXC_C14N, "InclusiveNamespaces") => *list,
        _ => return Err(wrong),
    };
    plain(list, &["PrefixList"])?;
    empty(list)?;
    let prefixes: Vec<String> = list
        .attribute("PrefixList")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(str::to_owned)
        .collect();
    if prefixes.len() > MAX_PREFIXES {
        return Err(wrong);
    }
    Ok(prefixes)
}

/// Named keys and certificates may stand there; nobody reads them. Whatever points elsewhere may not.
fn check_key(key: Node<'_, '_>) -> Result<(), Defect> {
    let known = |child: &Node<'_, '_>| {
        ["KeyName", "KeyValue", "X509Data"]
            .iter()
            .any(|name| child.is(DSIG, name))
    };
    plain(key, &["Id"])?;
    if children(key)?.iter().all(known) {
        Ok(())
    } else {
        Err(Defect::Shape("the key is named by something unusual"))
    }
}

fn algorithm<'t>(node: Node<'t, '_>) -> Result<&'t str, Defect> {
    plain(node, &["Algorithm"])?;
    node.attribute("Algorithm")
        .ok_or(Defect::Shape("an algorithm is missing"))
}

/// Child elements of an element that has nothing else.
fn children<'t, 'a>(node: Node<'t, 'a>) -> Result<Vec<Node<'t, 'a>>, Defect> {
    if node.has_only_elements() {
        Ok(node.children().collect())
    } else {
        Err(Defect::Shape("text within the signature"))
    }
}

fn empty(node: Node<'_, '_>) -> Result<(), Defect> {
    if children(node)?.is_empty() {
        Ok(())
    } else {
        Err(Defect::Shape("an element within the signature where none belongs"))
    }
}

/// Only these attributes, none of them in a namespace: libraries find attributes by their local name.
fn plain(node: Node<'_, '_>, allowed: &[&str]) -> Result<(), Defect> {
    let known = node
        .element()
        .attributes
        .iter()
        .all(|attribute| attribute.name.namespace_uri.is_none() && allowed.contains(&&*attribute.name.local_name));
    if known {
        Ok(())
    } else {
        Err(Defect::Shape("an unusual attribute within the signature"))
    }
}

fn base64(node: Node<'_, '_>) -> Result<Vec<u8>, Defect> {
    let bytes = encoding::decode(&node.text()?).filter(|bytes| !bytes.is_empty());
    bytes.ok_or(Defect::Encoding("a value of the signature is not base64"))
}
