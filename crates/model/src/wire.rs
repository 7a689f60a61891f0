//! How checked values travel: as the text that they print and read, and money as a number of fen. A value
//! that arrives is checked again.

#![allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signatures are those that serde calls"
)]

/// A value by its `Display` and `FromStr`.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The same for a value that may be absent.
pub(crate) mod text_option {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Money as a number of fen.
pub(crate) mod fen {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Fen;

    pub(crate) fn serialize<S: Serializer>(value: &Fen, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(value.fen())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fen, D::Error> {
        i64::deserialize(deserializer).map(Fen::from_fen)
    }
}

/// Money that may be absent.
pub(crate) mod fen_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::Fen;

    pub(crate) fn serialize<S: Serializer>(value: &Option<Fen>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Fen::fen).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Fen>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Fen::from_fen))
    }
}
