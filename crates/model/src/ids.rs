//! Names and keys of things that packs, registries and runs refer to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::excel::{WholeNumber, whole_number};
use crate::{Refusal, RefusalCode, normalise_text};

/// Why text is not a name or key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} has `{found}` characters; `{max}` is the most")]
    TooLong { what: &'static str, found: usize, max: usize },
    #[error("`{text}` is not {what}; {allowed}")]
    BadCharacter { what: &'static str, text: String, allowed: &'static str },
    /// A spreadsheet number of more than 15 digits.
    #[error("{what} was stored as a number and lost its last digits")]
    DigitsLost { what: &'static str },
}

impl IdError {
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::DigitsLost { .. } => RefusalCode::DigitsLost,
            _ => RefusalCode::KeyInvalid,
        }
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            IdError::BadCharacter { text, .. } => refusal.value(text),
            IdError::TooLong { found, max, .. } => refusal.value(found).expected(format_args!("≤ {max}")),
            IdError::Empty { .. } | IdError::DigitsLost { .. } => refusal,
        }
    }
}

/// Declares a checked string of its own type.
macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $allowed:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters.
            pub const LENGTH_MAX: usize = $max;

            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                check_id(&text, $what, $max, $allowed, valid)?;
                Ok(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }
    };
}

string_id! {
    /// The key of one record of an entity, as the register gives it: a household's number, a village's code.
    /// Opaque: 1 to 64 characters without control characters or outer spaces.
    RecordKey, "a record key", 64, "it has no control characters and no outer spaces",
    |text| text.trim() == text && !text.chars().any(char::is_control)
}

string_id! {
    /// The name of an entity, a field or a variable of a pack: lower-case words joined by `_`, at most the 63
    /// bytes of a column name in PostgreSQL.
    EntityName, "an entity name", 63, "it is lower-case letters, digits and `_`, a letter first",
    |text| text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|char| matches!(char, 'a'..='z' | '0'..='9' | '_'))
}

string_id! {
    /// The id of a pack, as its folder is called: `sichuan-2015`.
    PackId, "a pack id", 63, "it is lower-case letters, digits and `-`, a letter first",
    |text| text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|char| matches!(char, 'a'..='z' | '0'..='9' | '-'))
}

string_id! {
    /// The id of a run of the engine. Safe as a file name and in an address.
    RunId, "a run id", 64, "it is letters, digits, `-` and `_`",
    |text| text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
}

impl RecordKey {
    /// From a cell of text: full-width characters become half-width and outer spaces go.
    pub fn from_cell(text: &str) -> Result<Self, IdError> {
        Self::new(normalise_text(text))
    }

    /// From a cell that holds a number. Beyond 15 digits a spreadsheet has already lost some.
    pub fn from_f64(value: f64) -> Result<Self, IdError> {
        match whole_number(value) {
            WholeNumber::Exact(number) => Self::new(number.to_string()),
            WholeNumber::DigitsLost => Err(IdError::DigitsLost { what: "a record key" }),
            WholeNumber::NotWhole => Err(IdError::BadCharacter {
                what: "a record key",
                text: value.to_string(),
                allowed: "a number used as a key is whole",
            }),
        }
    }
}

fn check_id(
    text: &str,
    what: &'static str,
    max: usize,
    allowed: &'static str,
    valid: fn(&str) -> bool,
) -> Result<(), IdError> {
    let found = text.chars().count();
    if text.is_empty() {
        Err(IdError::Empty { what })
    } else if found > max {
        Err(IdError::TooLong { what, found, max })
    } else if !valid(text) {
        Err(IdError::BadCharacter { what, text: text.to_owned(), allowed })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_are_checked() {
        fn check<T: FromStr<Err = IdError>>(text: &str, valid: bool) {
            assert_eq!(text.parse::<T>().is_ok(), valid, "{text:?}");
        }
        check::<RecordKey>("51343110020000001", true);
        check::<RecordKey>("王家户 1", true);
        check::<RecordKey>("", false);
        check::<RecordKey>(" 1", false);
        check::<RecordKey>("a\nb", false);
        check::<RecordKey>(&"9".repeat(65), false);
        check::<EntityName>("hospital_stay", true);
        check::<EntityName>("_stay", false);
        check::<EntityName>("Stay", false);
        check::<EntityName>("户", false);
        check::<PackId>("sichuan-2015", true);
        check::<PackId>("2015-sichuan", false);
        check::<PackId>("../x", false);
        check::<RunId>("01J9-a_B", true);
        check::<RunId>("a/b", false);
    }

    #[test]
    fn keys_are_read_from_cells() {
        let key = |text: &str| RecordKey::new(text);
        assert_eq!(RecordKey::from_cell("\u{3000}５１３４ "), key("5134"));
        assert_eq!(RecordKey::from_f64(51_343.0), key("51343"));
        assert_eq!(RecordKey::from_f64(5.1e18).map_err(|error| error.code()), Err(RefusalCode::DigitsLost));
        assert_eq!(RecordKey::from_f64(1.5).map_err(|error| error.code()), Err(RefusalCode::KeyInvalid));
    }

    #[test]
    fn errors_say_what_is_allowed() {
        let message = |result: Result<PackId, IdError>| result.expect_err("refused").to_string();
        assert_eq!(
            message(PackId::new("Sichuan")),
            "`Sichuan` is not a pack id; it is lower-case letters, digits and `-`, a letter first"
        );
        assert_eq!(message(PackId::new("")), "a pack id is empty");
    }
}
