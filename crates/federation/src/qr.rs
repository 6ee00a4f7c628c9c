//! QR codes as inline SVG: no image file, no other origin, sharp at every size.
//!
//! Owns the drawing. Never knows what the text means.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// The quiet zone around a code, in modules (ISO/IEC 18004).
const QUIET: i32 = 4;

/// The code of a text as an `svg` element with one path; `None` for a text that no code holds. Colours are fixed:
/// readers expect dark on light, also in a dark page.
pub fn svg(text: &str, label: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    let label = label.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_svg_element_and_the_label_cannot_leave_it() {
        let drawn = svg("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ", "a \"<b>\" & c").unwrap();
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"));
        assert!(drawn.contains("aria-label=\"a &quot;&lt;b>&quot; &amp; c\""));
        assert_eq!(drawn.matches("<svg").count(), 1);
        // The corner of the finder pattern, inside of the quiet zone.
        assert!(drawn.contains("M4,4h1v1h-1z"));
    }

    #[test]
    fn a_text_that_no_code_holds_is_not_drawn() {
        assert_eq!(svg(&"x".repeat(5000), ""), None);
    }
}
