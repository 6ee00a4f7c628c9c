//! The first look at foreign bytes, before any parser sees them (SAML-02, SEC-22).
//!
//! Owns limits on size, depth and attributes, and the refusal of every construct that no SAML message needs. Only ever
//! refuses: nothing is read here.

use lanyard_core::saml::defect::Defect;

/// The largest message that is read, in bytes.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// The deepest nesting that is read.
pub(super) const MAX_DEPTH: u32 = 64;
/// The most attributes and namespace declarations of one element: parsers compare each with each.
const MAX_ATTRIBUTES: u32 = 64;

/// Looks at the bytes of a message and gives its text.
///
/// With a document type, comments, processing instructions and CDATA sections gone, a text has one reading: what
/// stands between two tags is one piece, and every entity is one of the five of XML itself.
pub(super) fn check(bytes: &[u8]) -> Result<&str, Defect> {
    if bytes.len() > MAX_BYTES {
        return Err(Defect::TooLarge(MAX_BYTES));
    }
    let text = str::from_utf8(bytes).map_err(|_| Defect::Encoding("not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(Defect::Encoding("a byte order mark"));
    }
    let body = match text.strip_prefix("<?xml ") {
        None => text,
        Some(rest) => {
            let (declaration, body) = rest.split_once("?>").ok_or(Defect::Malformed)?;
            check_declaration(declaration)?;
            body
        }
    };
    check_markup(body)?;
    check_tags(body)?;
    Ok(text)
}

/// Another encoding would make another text of the same bytes.
fn check_declaration(declaration: &str) -> Result<(), Defect> {
    let Some((_, encoding)) = declaration.split_once("encoding") else {
        return Ok(());
    };
    let encoding = encoding.trim_start().trim_start_matches('=').trim_start();
    let is_utf8 = ["\"utf-8\"", "'utf-8'"].iter().any(|utf8| {
        encoding
            .get(..utf8.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(utf8))
    });
    if is_utf8 {
        Ok(())
    } else {
        Err(Defect::Encoding("not declared as UTF-8"))
    }
}

/// `<` begins markup wherever it stands: it is not allowed in text or in attribute values.
fn check_markup(body: &str) -> Result<(), Defect> {
    for (start, what) in [
        ("<!DOCTYPE", "a document type"),
        ("<!--", "a comment"),
        ("<![CDATA[", "a CDATA section"),
        ("<!", "a declaration"),
        ("<?", "a processing instruction"),
    ] {
        if body.contains(start) {
            return Err(Defect::Markup(what));
        }
    }
    Ok(())
}

/// Counts along the tags. A text that is no XML may pass; the parser refuses it.
fn check_tags(body: &str) -> Result<(), Defect> {
    let mut depth = 0_u32;
    let mut bytes = body.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'<' {
            continue;
        }
        let tag = read_tag(&mut bytes)?;
        if tag.attributes > MAX_ATTRIBUTES {
            return Err(Defect::Shape("an element has too many attributes"));
        }
        if tag.closes {
            depth = depth.checked_sub(1).ok_or(Defect::Malformed)?;
        } else if !tag.is_empty {
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(Defect::TooDeep);
            }
        }
    }
    Ok(())
}

struct Tag {
    closes: bool,
    is_empty: bool,
    attributes: u32,
}

fn read_tag(bytes: &mut impl Iterator<Item = u8>) -> Result<Tag, Defect> {
    let mut tag = Tag {
        closes: false,
        is_empty: false,
        attributes: 0,
    };
    let mut quote = None;
    let mut last = b'<';
    for byte in bytes {
        match (quote, byte) {
            (_, b'<') => return Err(Defect::Malformed),
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => tag.attributes += 1,
            (None, b'/') if last == b'<' => tag.closes = true,
            (None, b'>') => {
                tag.is_empty = last == b'/' && !tag.closes;
                return Ok(tag);
            }
            (None, _) => {}
        }
        last = byte;
    }
    Err(Defect::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Defect {
        check(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_plain_message_passes() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><a b='c>d'>e &lt; f</a>",
            "<?xml version='1.0' encoding='UTF-8' standalone='no'?>\n<a></a>",
            "<?xml version='1.0'?><a b=\"'\" c='\"'/>",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(text), "{text}");
        }
    }

    #[test]
    fn what_no_message_needs_is_refused_saml_02() {
        assert_eq!(
            refused("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
            Defect::Markup("a document type")
        );
        assert_eq!(refused("<a>b<!-- c -->d</a>"), Defect::Markup("a comment"));
        assert_eq!(refused("<a><![CDATA[b]]></a>"), Defect::Markup("a CDATA section"));
        assert_eq!(refused("<a><?b c?></a>"), Defect::Markup("a processing instruction"));
        assert_eq!(
            refused(" <?xml version='1.0'?><a/>"),
            Defect::Markup("a processing instruction")
        );
        assert_eq!(refused("<a><!ELEMENT b></a>"), Defect::Markup("a declaration"));
    }

    #[test]
    fn only_utf8_is_read_saml_02() {
        assert_eq!(check(b"<a>\xff</a>"), Err(Defect::Encoding("not UTF-8")));
        assert_eq!(refused("\u{feff}<a/>"), Defect::Encoding("a byte order mark"));
        for declared in ["\"UTF-16\"", "'iso-8859-1'", "UTF-8", "\"utf-8"] {
            let text = format!("<?xml version='1.0' encoding={declared}?><a/>");
            assert_eq!(refused(&text), Defect::Encoding("not declared as UTF-8"), "{text}");
        }
    }

    #[test]
    fn limits_are_exact_sec_22() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(check(nested(64).as_bytes()).is_ok());
        assert_eq!(refused(&nested(65)), Defect::TooDeep);

        let attributes = |count: usize| format!("<a{}/>", " b='='".repeat(count));
        assert!(check(attributes(64).as_bytes()).is_ok());
        assert_eq!(
            refused(&attributes(65)),
            Defect::Shape("an element has too many attributes")
        );

        let sized = |size: usize| format!("<a>{}</a>", " ".repeat(size - 7));
        assert!(check(sized(MAX_BYTES).as_bytes()).is_ok());
        assert_eq!(refused(&sized(MAX_BYTES + 1)), Defect::TooLarge(MAX_BYTES));
    }

    #[test]
    fn tags_that_do_not_end_are_refused() {
        for text in ["<a", "<a b='", "<a b='<'>", "</a>", "<a><", "<?xml <a/>"] {
            assert_eq!(refused(text), Defect::Malformed, "{text}");
        }
    }
}
