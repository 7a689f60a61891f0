//! What tells one registry from another.

use std::fmt;
use std::str::FromStr;

/// Id of a registry, given at its creation and never changed: copies and backups share it, two registries made
/// of the same files do not. Printed as a random UUID (version 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryId([u8; 16]);

impl RegistryId {
    /// From 16 random bytes: this crate makes no chance of its own. Six bits give way to the version.
    pub const fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

/// `f81d4fae-7dec-41d0-a765-00a0c91e6bf6`.
impl fmt::Display for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The text is not an id of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an id of the form `f81d4fae-7dec-41d0-a765-00a0c91e6bf6`")]
pub struct NotARegistryId;

impl FromStr for RegistryId {
    type Err = NotARegistryId;

    fn from_str(text: &str) -> Result<Self, NotARegistryId> {
        let digits: String = text.chars().filter(|&char| char != '-').collect();
        let number = u128::from_str_radix(&digits, 16).map_err(|_| NotARegistryId)?;
        let id = Self(number.to_be_bytes());
        if id.to_string() == text { Ok(id) } else { Err(NotARegistryId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_random_uuids_and_read_back() {
        let check = |byte: u8, expected: &str| {
            let id = RegistryId::from_random([byte; 16]);
            assert_eq!(id.to_string(), expected);
            assert_eq!(expected.parse(), Ok(id));
        };
        check(0, "00000000-0000-4000-8000-000000000000");
        check(0xff, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        check(0x5a, "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "0", "00000000000040008000000000000000", "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF", "x"]
        {
            assert_eq!(text.parse::<RegistryId>(), Err(NotARegistryId), "{text}");
        }
    }
}
