//! What keeps the program running: the clock, tasks, sockets, and the key-encryption key.

pub mod clock;
pub mod kek;
pub mod listen;
pub mod log;
pub mod private_file;
pub mod supervisor;
pub mod tls;
