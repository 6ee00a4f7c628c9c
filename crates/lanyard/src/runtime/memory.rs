//! How the kernel gives this process memory.

/// Refuses huge pages: behind a few touched bytes they put 2 MiB each, which in an idle process is most of what it
/// holds (decision 0060). Where the system has none, nothing is to be refused.
pub(crate) fn small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages could not be refused");
    }
}
