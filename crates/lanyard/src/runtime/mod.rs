//! What keeps the program running: the clock, tasks, sockets, and the key-encryption key.

pub(crate) mod clock;
pub(crate) mod kek;
pub(crate) mod listen;
pub(crate) mod log;
pub(crate) mod memory;
pub(crate) mod owner_files;
pub(crate) mod private_file;
pub(crate) mod slow_threads;
pub(crate) mod supervisor;
pub(crate) mod tls;
