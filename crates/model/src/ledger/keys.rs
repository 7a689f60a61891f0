//! Keys of the book: idempotency keys, ids of transfers, numbers of documents, funds and purposes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::digest::Digest;

/// Why text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {what}; it has 1 to {max} characters, {allowed}")]
pub struct KeyError {
    pub(crate) text: String,
    pub(crate) what: &'static str,
    pub(crate) max: usize,
    pub(crate) allowed: &'static str,
}

/// Declares a checked string of its own type, which travels as text and is checked on arrival.
macro_rules! key {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $allowed:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::ledger::KeyError> {
                let text = text.into();
                let valid: fn(char) -> bool = $valid;
                let plain = |char: char| !char.is_control() && valid(char);
                if text.is_empty() || text.chars().count() > $max || text.trim() != text || !text.chars().all(plain) {
                    return Err($crate::ledger::KeyError { text, what: $what, max: $max, allowed: $allowed });
                }
                Ok(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ledger::KeyError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::ledger::KeyError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0
            }
        }
    };
}

pub(crate) use key;

key! {
    /// The idempotency key of a transfer, chosen by who asks for it: a retry carries the same key. `#` is kept
    /// for the keys that the book derives itself.
    TransferKey, "a key of a transfer", 200, "none of them a control character, no spaces at the ends",
    |_| true
}

key! {
    /// The number of the document that grants money (文号), as printed on it: `川财社〔2016〕12号`.
    DocumentNumber, "a number of a document", 80, "none of them a control character or `/`, no spaces at the ends",
    |char| char != '/'
}

key! {
    /// A fund that a pack declares: `minimum-living`.
    FundId, "an id of a fund", 63, "lower-case letters, digits, `-` and `_`",
    |char| matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')
}

key! {
    /// What money is for, as a code of a pack: `relocation`. Money never leaves its purpose.
    Purpose, "a purpose", 63, "lower-case letters, digits, `-` and `_`",
    |char| matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')
}

impl TransferKey {
    /// The key of what the book adds to a command by itself, such as the remainder of a reservation.
    pub(crate) fn derived(&self, suffix: &str) -> Self {
        Self(format!("{}#{suffix}", self.0))
    }

    /// Whether the book made it.
    pub fn is_derived(&self) -> bool {
        self.0.contains('#')
    }
}

/// The id of a transfer: the first 128 bits of a digest of its key, so whoever knows the key knows the id, and
/// a retry finds what it made before. Printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(u128);

impl TransferId {
    pub fn of(key: &TransferKey) -> Self {
        let digest = Digest::of_parts([b"transfer".as_slice(), key.as_str().as_bytes()]);
        let mut first = [0; 16];
        first.copy_from_slice(&digest.bytes()[..16]);
        Self(u128::from_be_bytes(first))
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:032x}", self.0))
    }
}

impl fmt::Debug for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no id of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an id of a transfer; it has 32 digits from `0` to `f`")]
pub struct TransferIdError(pub String);

impl FromStr for TransferId {
    type Err = TransferIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = if valid { u128::from_str_radix(text, 16).ok() } else { None };
        number.map(Self).ok_or_else(|| TransferIdError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        fn check<T: FromStr>(text: &str, valid: bool) {
            assert_eq!(text.parse::<T>().is_ok(), valid, "{text:?}");
        }
        check::<TransferKey>("case 7/2016-03", true);
        check::<TransferKey>("", false);
        check::<TransferKey>(" a", false);
        check::<TransferKey>("a\nb", false);
        check::<TransferKey>(&"九".repeat(201), false);
        check::<DocumentNumber>("川财社〔2016〕12号", true);
        check::<DocumentNumber>("川财社/12", false);
        check::<Purpose>("minimum-living", true);
        check::<Purpose>("低保", false);
        check::<FundId>("Fund", false);
    }

    #[test]
    fn an_id_follows_from_its_key_alone() {
        let id = |key: &str| TransferId::of(&TransferKey::new(key).unwrap());
        assert_eq!(id("a"), id("a"));
        assert_ne!(id("a"), id("b"));
        assert_eq!(id("a").to_string().parse(), Ok(id("a")));
        assert!("A".repeat(32).parse::<TransferId>().is_err());
    }
}
