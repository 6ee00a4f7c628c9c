//! Writing our own messages.
//!
//! Owns escaping: no text of anybody else gets into a message without it.

use std::fmt::Write;

/// An XML text under construction.
#[derive(Default)]
pub(super) struct Writer(String);

impl Writer {
    /// Opens an element with its attributes; those without a value are left out.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, Option<&str>)]) -> &mut Self {
        self.tag(name, attributes, ">")
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, Option<&str>)]) -> &mut Self {
        self.tag(name, attributes, "/>")
    }

    /// An element with nothing but text.
    pub(super) fn text(&mut self, name: &str, attributes: &[(&str, Option<&str>)], text: &str) -> &mut Self {
        self.open(name, attributes);
        self.0.push_str(&escape(text));
        self.close(name)
    }

    /// Closes an element.
    pub(super) fn close(&mut self, name: &str) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "</{name}>");
        self
    }

    /// What was written.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.0)
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, Option<&str>)], end: &str) -> &mut Self {
        let _ = write!(self.0, "<{name}");
        for (attribute, value) in attributes {
            if let Some(value) = value {
                let _ = write!(self.0, " {attribute}=\"{}\"", escape(value));
            }
        }
        self.0.push_str(end);
        self
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_place() {
        let written = Writer::default()
            .open("a", &[("b", Some("\"><x y='&\n")), ("c", None)])
            .text("d", &[], "</d><!-- ]]>")
            .close("a")
            .finish();
        assert_eq!(
            written,
            "<a b=\"&quot;&gt;&lt;x y='&amp;&#10;\"><d>&lt;/d&gt;&lt;!-- ]]&gt;</d></a>"
        );
    }
}
