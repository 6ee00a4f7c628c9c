//! Pages by key.
//!
//! Owns "one more than asked for tells whether there is a next page". Never runs a statement.

use lanyard_core::store::page::{Page, PageRequest};

/// The key to begin after, in ascending lists: every key is greater than the empty text.
pub(crate) fn after(page: &PageRequest) -> &str {
    page.after.as_deref().unwrap_or("")
}

/// The identifier to continue below, in descending lists: every identifier is less than `~`.
pub(crate) fn below(page: &PageRequest) -> &str {
    page.after.as_deref().unwrap_or("~")
}

/// How many rows to fetch.
pub(crate) fn fetch(page: &PageRequest) -> u32 {
    page.limit.clamp(1, PageRequest::MAX).saturating_add(1)
}

/// The page, and the key of its last item when rows are left.
pub(crate) fn page<T>(mut items: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> &str) -> Page<T> {
    let limit = usize::try_from(request.limit.clamp(1, PageRequest::MAX)).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more {
        items.last().map(|item| key(item).to_owned())
    } else {
        None
    };
    Page { items, next }
}
