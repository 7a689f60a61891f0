//! Accounts: whose money, under which document, for what, of which year, and how far along it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{DocumentNumber, Purpose, TransferId};
use crate::{Date, DivisionCode, Fen, Moment, RecordKey, wire};

/// How far along its way money is. Order: from the grant to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The grant itself: the only account that goes below zero, by what its document grants and no more.
    Source,
    /// Appropriated to the holder that the document names (指标).
    Appropriated,
    /// Allotted to a division or body below (下达). What it has pending is committed by approvals.
    Allotted,
    /// Verified as owed to a beneficiary. What it has pending is ordered and with the bank.
    Encumbered,
    /// Delivered, by the bank's own word.
    Settled,
}

impl Layer {
    pub const ALL: [Self; 5] =
        [Self::Source, Self::Appropriated, Self::Allotted, Self::Encumbered, Self::Settled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Appropriated => "appropriated",
            Self::Allotted => "allotted",
            Self::Encumbered => "encumbered",
            Self::Settled => "settled",
        }
    }

    /// Whether its money is still to be spent. What is not spent may be passed on, recovered or carried over.
    pub const fn is_unspent(self) -> bool {
        matches!(self, Self::Appropriated | Self::Allotted | Self::Encumbered)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who holds an account. Beneficiaries are known by the keys of their records, never by name or number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    Division(DivisionCode),
    Household(RecordKey),
    Person(RecordKey),
    Project(RecordKey),
    Bank(RecordKey),
    /// A department, school, hospital, company or cooperative.
    Body(RecordKey),
}

impl Holder {
    /// Whether it may hold money that is to be passed on: divisions and bodies, not beneficiaries.
    pub const fn passes_on(&self) -> bool {
        matches!(self, Self::Division(_) | Self::Body(_))
    }

    /// Whether it stands right or further below another. A body is below every division.
    pub fn is_below(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Division(inner), Self::Division(outer)) => inner != outer && inner.is_within(*outer),
            (Self::Body(_), Self::Division(_)) => true,
            _ => false,
        }
    }
}

/// `513431`, `household:5134310001`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Division(code) => f.write_str(&code.short()),
            Self::Household(key) => write!(f, "household:{key}"),
            Self::Person(key) => write!(f, "person:{key}"),
            Self::Project(key) => write!(f, "project:{key}"),
            Self::Bank(key) => write!(f, "bank:{key}"),
            Self::Body(key) => write!(f, "body:{key}"),
        }
    }
}

impl FromStr for Holder {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || AccountIdError(text.to_owned());
        let Some((kind, key)) = text.split_once(':') else {
            return text.parse().map(Self::Division).map_err(|_| refused());
        };
        let key = RecordKey::new(key).map_err(|_| refused())?;
        match kind {
            "household" => Ok(Self::Household(key)),
            "person" => Ok(Self::Person(key)),
            "project" => Ok(Self::Project(key)),
            "bank" => Ok(Self::Bank(key)),
            "body" => Ok(Self::Body(key)),
            _ => Err(refused()),
        }
    }
}

/// What makes an account the one it is. An account for each document is what makes a fen traceable.
///
/// Order is that of locks: who changes several accounts takes them in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId {
    pub layer: Layer,
    /// The budget year whose money it is.
    pub year: i32,
    pub purpose: Purpose,
    /// The document that first granted the money, however many documents passed it on.
    pub document: DocumentNumber,
    pub holder: Holder,
}

impl AccountId {
    /// The account of the same document, purpose and year for another holder or layer.
    pub fn at(&self, layer: Layer, holder: Holder) -> Self {
        Self { layer, holder, ..self.clone() }
    }

    /// The same account in the year after.
    pub fn next_year(&self) -> Self {
        Self { year: self.year + 1, ..self.clone() }
    }
}

/// `allotted/2016/minimum-living/川财社〔2016〕12号/513431`.
impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}/{}", self.layer, self.year, self.purpose, self.document, self.holder)
    }
}

/// The text is no id of an account.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an account; write it as `allotted/2016/minimum-living/川财社〔2016〕12号/513431`")]
pub struct AccountIdError(pub String);

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || AccountIdError(text.to_owned());
        let parts: Vec<&str> = text.splitn(5, '/').collect();
        let [layer, year, purpose, document, holder] = parts[..] else { return Err(refused()) };
        let layer = Layer::ALL.into_iter().find(|known| known.as_str() == layer).ok_or_else(refused)?;
        Ok(Self {
            layer,
            year: year.parse().map_err(|_| refused())?,
            purpose: purpose.parse().map_err(|_| refused())?,
            document: document.parse().map_err(|_| refused())?,
            holder: holder.parse().map_err(|_| refused())?,
        })
    }
}

/// An account as it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    #[serde(with = "wire::text")]
    pub id: AccountId,
    /// How far below zero it may go. Zero but for sources, where it is what the document grants.
    #[serde(with = "wire::fen")]
    pub overdraft_fen_max: Fen,
    /// The most that it may ever hold, pending receipts counted: a ceiling for one beneficiary, say.
    #[serde(with = "wire::fen_option")]
    pub balance_fen_max: Option<Fen>,
}

impl Account {
    /// An account that never goes below zero and has no ceiling.
    pub const fn new(id: AccountId) -> Self {
        Self { id, overdraft_fen_max: Fen::ZERO, balance_fen_max: None }
    }
}

/// What was debited (given) and credited (received), apart from what is pending. Each is a sum from the
/// beginning and never negative; the two of `pending` fall again when a reservation is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balance {
    #[serde(with = "wire::fen")]
    pub debits_posted: Fen,
    #[serde(with = "wire::fen")]
    pub debits_pending: Fen,
    #[serde(with = "wire::fen")]
    pub credits_posted: Fen,
    #[serde(with = "wire::fen")]
    pub credits_pending: Fen,
}

impl Balance {
    /// Received less given: what is there, reservations included. Negative for a source.
    pub fn posted(&self) -> Fen {
        self.credits_posted
            .checked_sub(self.debits_posted)
            .expect("the difference of two amounts that are not negative fits")
    }
}

/// An account with its balance as of the last event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    pub account: Account,
    pub balance: Balance,
    pub opened_at: Moment,
    pub closed_at: Option<Moment>,
    /// The last effective day of a transfer that was not merely reserved: since when its money is idle.
    pub moved_on: Option<Date>,
}

impl AccountState {
    pub const fn new(account: Account, opened_at: Moment) -> Self {
        Self { account, balance: NOTHING, opened_at, closed_at: None, moved_on: None }
    }

    /// What may still be given: neither given nor reserved. `None` beyond 64 bits.
    pub fn available(&self) -> Option<Fen> {
        let Balance { debits_posted, debits_pending, credits_posted, .. } = self.balance;
        let held = i128::from(credits_posted.fen()) + i128::from(self.account.overdraft_fen_max.fen());
        let given = i128::from(debits_posted.fen()) + i128::from(debits_pending.fen());
        i64::try_from(held - given).ok().map(Fen::from_fen)
    }

    /// What may still be received under the ceiling, pending receipts counted; `None` without a ceiling.
    pub fn room(&self) -> Option<Fen> {
        let ceiling = self.account.balance_fen_max?;
        let Balance { debits_posted, credits_posted, credits_pending, .. } = self.balance;
        let held = i128::from(credits_posted.fen()) + i128::from(credits_pending.fen())
            - i128::from(debits_posted.fen());
        let room = i128::from(ceiling.fen()) - held;
        Some(Fen::from_fen(i64::try_from(room).unwrap_or(if room < 0 { i64::MIN } else { i64::MAX })))
    }
}

const NOTHING: Balance = Balance {
    debits_posted: Fen::ZERO,
    debits_pending: Fen::ZERO,
    credits_posted: Fen::ZERO,
    credits_pending: Fen::ZERO,
};

/// A reservation or a transfer as the book keeps it: with what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// A reservation was posted by this transfer, in whole or in part.
    Posted(#[serde(with = "wire::text")] TransferId),
    /// A reservation was voided by this transfer.
    Voided(#[serde(with = "wire::text")] TransferId),
    /// A reservation lapsed.
    Expired(Moment),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_print_and_read() {
        let check = |text: &str, valid: bool| {
            let id = text.parse::<AccountId>();
            assert_eq!(id.is_ok(), valid, "{text}");
            if let Ok(id) = id {
                assert_eq!(id.to_string(), text);
            }
        };
        check("allotted/2016/minimum-living/川财社〔2016〕12号/513431", true);
        check("settled/2016/relocation/A/person:51/34", true);
        check("encumbered/2016/relocation/A/household:王家户 1", true);
        check("encumbered/2016/relocation/A/village:1", false);
        check("ordered/2016/relocation/A/51", false);
        check("allotted/2016/relocation/A", false);
        check("allotted/year/relocation/A/51", false);
    }

    #[test]
    fn holders_stand_below_one_another() {
        let check = |inner: &str, outer: &str, expected| {
            let holder = |text: &str| text.parse::<Holder>().unwrap();
            assert_eq!(holder(inner).is_below(&holder(outer)), expected, "{inner} below {outer}");
        };
        check("513431", "51", true);
        check("513431", "5134", true);
        check("513431", "513431", false);
        check("51", "513431", false);
        check("513431", "5133", false);
        check("body:education", "51", true);
        check("51", "body:education", false);
        check("household:1", "513431", false);
    }
}
