//! Messages of other rooms as pages of ours: an identity provider's answer is judged elsewhere, and told here.

use axum::response::Response;
use http::StatusCode;
use lanyard_protocol::issuer::Issuer;

use crate::page::Page;
use crate::sign_in::view::MessagePage;

/// Makes pages without a form.
#[derive(Debug, Clone)]
pub struct Messages(Page);

/// One message. Nothing in it is markup, and its way leads below the issuer.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The heading.
    pub title: &'a str,
    /// What happened.
    pub text: &'a str,
    /// What to do.
    pub advice: &'a str,
    /// A way on: its words and its address.
    pub way: Option<(&'a str, &'a str)>,
    /// What to name when asking for help.
    pub reference: Option<&'a str>,
}

impl Messages {
    /// Pages of this issuer.
    pub fn new(issuer: &Issuer, organisation: &str) -> Self {
        Self(Page::of(issuer, organisation))
    }

    /// The page of a message.
    pub fn page(&self, status: StatusCode, message: &Message<'_>) -> Response {
        let page = MessagePage {
            page: &self.0,
            title: message.title,
            text: message.text,
            advice: Some(message.advice),
            way: message.way,
            request_id: message.reference,
        };
        self.0.answer(status, &page, None)
    }
}
