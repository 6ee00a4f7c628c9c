//! Paging by key.

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The key of the last item seen; `None` starts at the beginning.
    pub after: Option<String>,
    /// At most this many, 1 to 1000.
    pub limit: u32,
}

impl PageRequest {
    /// The largest page.
    pub const MAX: u32 = 1000;

    /// A page of at most `limit` items (held to 1..=1000) after a key.
    pub fn new(after: Option<String>, limit: u32) -> Self {
        Self {
            after,
            limit: limit.clamp(1, Self::MAX),
        }
    }
}

/// One page of a list, in the order of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The key to continue after; `None` at the end.
    pub next: Option<String>,
}
