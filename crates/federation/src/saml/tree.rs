//! A parsed message and its elements.
//!
//! Owns the calls of the parser. Reads attributes without a namespace only, and elements by namespace and name only:
//! nothing is ever found by its local name alone.

use lanyard_core::saml::defect::Defect;
use uppsala::{Document, Element, NodeId, NodeKind, Parser};

use super::text::MAX_DEPTH;

/// Parses a text that passed the first look.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Defect> {
    Parser::new()
        .with_max_depth(MAX_DEPTH)
        .with_max_entity_expansion(0)
        .with_forbid_dtd(true)
        .with_forbid_entities(true)
        .parse(text)
        .map_err(|_| Defect::Malformed)
}

/// An element of a parsed message.
#[derive(Clone, Copy)]
pub(super) struct Node<'t, 'a> {
    document: &'t Document<'a>,
    id: NodeId,
    element: &'t Element<'a>,
}

impl<'t, 'a> Node<'t, 'a> {
    /// The outermost element.
    pub(super) fn root(document: &'t Document<'a>) -> Result<Self, Defect> {
        let id = document.document_element().ok_or(Defect::Malformed)?;
        Self::of(document, id).ok_or(Defect::Malformed)
    }

    fn of(document: &'t Document<'a>, id: NodeId) -> Option<Self> {
        let element = document.element(id)?;
        Some(Self { document, id, element })
    }

    pub(super) const fn id(self) -> NodeId {
        self.id
    }

    pub(super) const fn element(self) -> &'t Element<'a> {
        self.element
    }

    pub(super) fn is(self, namespace: &str, name: &str) -> bool {
        self.element.matches_name_ns(namespace, name)
    }

    /// Child elements, in their order.
    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        document
            .children_iter(self.id)
            .filter_map(move |id| Self::of(document, id))
    }

    /// This element and every element below it.
    pub(super) fn and_descendants(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        std::iter::once(self).chain(
            document
                .descendants(self.id)
                .into_iter()
                .filter_map(move |id| Self::of(document, id)),
        )
    }

    /// Child elements of this name.
    pub(super) fn named(self, namespace: &'static str, name: &'static str) -> impl Iterator<Item = Self> {
        self.children().filter(move |child| child.is(namespace, name))
    }

    /// The one child of this name, if there is one; several are a defect.
    pub(super) fn one(self, namespace: &'static str, name: &'static str) -> Result<Option<Self>, Defect> {
        let mut named = self.named(namespace, name);
        let first = named.next();
        if named.next().is_some() {
            return Err(Defect::Shape("an element stands twice"));
        }
        Ok(first)
    }

    /// The value of an attribute without a namespace.
    pub(super) fn attribute(self, name: &str) -> Option<&'t str> {
        self.element
            .attributes
            .iter()
            .find(|attribute| attribute.name.matches(None, name))
            .map(|attribute| &*attribute.value)
    }

    /// The text of an element that has nothing but text.
    pub(super) fn text(self) -> Result<String, Defect> {
        let mut text = String::new();
        for id in self.document.children_iter(self.id) {
            match self.document.node_kind(id) {
                Some(NodeKind::Text(piece)) => text.push_str(piece),
                _ => return Err(Defect::Shape("an element where only text may stand")),
            }
        }
        Ok(text)
    }

    /// Whether it has no text besides white space.
    pub(super) fn has_only_elements(self) -> bool {
        self.document
            .children_iter(self.id)
            .all(|id| match self.document.node_kind(id) {
                Some(NodeKind::Text(text)) => text.chars().all(|c| c.is_ascii_whitespace()),
                Some(NodeKind::Element(_)) => true,
                _ => false,
            })
    }
}
