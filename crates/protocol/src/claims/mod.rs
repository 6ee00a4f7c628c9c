//! The claims of every token kind, one file each (SEC-01: kinds are never interchangeable).

pub mod access_token;
pub mod client_assertion;
pub mod id_jag;
pub mod id_token;
pub mod logout_token;
pub mod time;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Reads an optional claim that is there: `null` is a value of a wrong type, not an absent claim.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Present<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Present<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value that is not null")
        }

        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            Err(E::custom("null stands for no claim"))
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Err(E::custom("null stands for no claim"))
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            T::deserialize(deserializer).map(Some)
        }
    }

    deserializer.deserialize_option(Present(PhantomData))
}
pub mod upstream_id_token;
