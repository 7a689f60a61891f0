//! Payees: what is committed to, what is shown, what only the bank sees.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::LineId;
use crate::access::{DataClass, mask};
use crate::{Digest, wire};

/// The name and account number of who is paid, as the bank needs them. In no event; not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Payee {
    pub name: String,
    pub account: String,
    /// At least 16 random bytes, kept with the name: account numbers can be guessed, and destroying the salt makes
    /// the commitment say nothing.
    pub salt: Vec<u8>,
}

/// The payees of a batch, given from outside for the moment of rendering or matching.
pub type Payees = BTreeMap<LineId, Payee>;

/// A salted digest of a payee: shows that name and account are those that were approved, without telling them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PayeeCommitment(#[serde(with = "wire::text")] pub Digest);

/// What may be shown of a payee: `王**`, `****1234`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MaskedPayee {
    pub name: String,
    pub account: String,
}

impl Payee {
    pub fn commitment(&self) -> PayeeCommitment {
        let parts = [b"payee".as_slice(), &self.salt, self.name.as_bytes(), self.account.as_bytes()];
        PayeeCommitment(Digest::of_parts(parts))
    }

    /// Name and account, each under the [`mask`] of its class.
    pub fn masked(&self) -> MaskedPayee {
        let name = mask(&self.name, DataClass::Name);
        MaskedPayee { name, account: mask(&self.account, DataClass::Account) }
    }
}

impl fmt::Debug for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = self.masked();
        write!(f, "Payee({} {})", masked.name, masked.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payee(name: &str, account: &str) -> Payee {
        Payee { name: name.into(), account: account.into(), salt: vec![7; 16] }
    }

    #[test]
    fn nothing_but_the_ends_is_shown() {
        let check = |name: &str, account: &str, shown: (&str, &str)| {
            let masked = payee(name, account).masked();
            assert_eq!((masked.name.as_str(), masked.account.as_str()), shown);
            assert_eq!(format!("{:?}", payee(name, account)), format!("Payee({} {})", shown.0, shown.1));
        };
        check("王小明", "6228480012345678", ("王**", "****5678"));
        check("王", "12345678", ("**", "****"));
        check("", "", ("", ""));
    }

    #[test]
    fn a_commitment_changes_with_every_part() {
        let first = payee("王小明", "62284800").commitment();
        assert_eq!(first, payee("王小明", "62284800").commitment());
        assert_ne!(first, payee("王小", "明62284800").commitment());
        assert_ne!(first, payee("王小明", "62284801").commitment());
        assert_ne!(first, Payee { salt: vec![8; 16], ..payee("王小明", "62284800") }.commitment());
    }
}
