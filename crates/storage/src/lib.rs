//! The store traits of core on SQLite and PostgreSQL
