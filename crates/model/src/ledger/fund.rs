//! Funds as packs declare them, and the documents that grant their money.

use serde::{Deserialize, Serialize};

use super::{AccountId, DocumentNumber, FundId, Holder, Layer, Purpose};
use crate::{ClauseId, Date, DivisionCode, Fen, Text, wire};

/// A fund of a pack, `[[fund]]`: a kind of money and what it may be spent on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    pub id: FundId,
    pub title: Text,
    /// What its money may be for. A document cannot grant it for anything else.
    pub purposes: Vec<Purpose>,
    #[serde(default, with = "clauses")]
    pub cite: Vec<ClauseId>,
}

/// A document that grants money (指标文), with its table of purposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundDocument {
    pub number: DocumentNumber,
    pub fund: FundId,
    pub title: Text,
    /// Who grants it, and first holds what it grants.
    #[serde(with = "wire::text")]
    pub issuer: DivisionCode,
    /// The budget year.
    pub year: i32,
    pub issued_on: Date,
    /// What it grants for each purpose: at least one line, no purpose twice, each more than zero.
    pub lines: Vec<DocumentLine>,
}

/// One purpose of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentLine {
    pub purpose: Purpose,
    #[serde(with = "wire::fen")]
    pub fen: Fen,
}

impl FundDocument {
    /// The account of the grant for one of its purposes.
    pub fn source(&self, purpose: &Purpose) -> AccountId {
        self.account(Layer::Source, purpose)
    }

    /// The account that first holds what is granted for one of its purposes.
    pub fn appropriated(&self, purpose: &Purpose) -> AccountId {
        self.account(Layer::Appropriated, purpose)
    }

    /// What it grants for a purpose, `None` if it grants nothing.
    pub fn granted(&self, purpose: &Purpose) -> Option<Fen> {
        self.lines.iter().find(|line| line.purpose == *purpose).map(|line| line.fen)
    }

    fn account(&self, layer: Layer, purpose: &Purpose) -> AccountId {
        AccountId {
            layer,
            year: self.year,
            purpose: purpose.clone(),
            document: self.number.clone(),
            holder: Holder::Division(self.issuer),
        }
    }
}

/// Clauses as the list of their texts.
mod clauses {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::ClauseId;

    pub(super) fn serialize<S: Serializer>(ids: &[ClauseId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ids.iter().map(ClauseId::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ClauseId>, D::Error> {
        let texts: Vec<String> = Vec::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
