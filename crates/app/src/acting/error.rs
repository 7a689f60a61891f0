//! Why an act came to nothing, in both languages.

use std::path::PathBuf;

use model::ledger::{LedgerRefusal, ReplayError};
use model::payment::{BatchReplayError, FileFault, PaymentRefusal, ReceiveError};
use model::{Lang, Reason as _, Refusal, Text};
use proof::Fault;
use store::StoreError;
use thiserror::Error;

/// A refusal is an answer, and nothing has changed; so it is after every other error.
#[derive(Debug, Error)]
pub enum ActingError {
    /// What the procedure does not allow, with what a person needs to know beside it.
    #[error("{refusal}")]
    Refused { refusal: Box<Refusal>, details: Vec<Text> },
    #[error("{0}")]
    Ledger(LedgerRefusal),
    #[error("{0}")]
    Payment(PaymentRefusal),
    /// A bank's file that cannot be written or read.
    #[error("the bank's file has {} faults", .0.len())]
    File(Vec<FileFault>),
    /// A return file that does not agree with its batch.
    #[error("the return file has {} findings", .0.len())]
    Findings(Vec<PaymentRefusal>),
    /// Something that is named and not there.
    #[error("{}", .what.en)]
    Unknown { what: Text, hint: Text },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}", .0.text().en)]
    Log(Fault),
    #[error("stream `{stream}` is damaged: {detail}; restore the registry from a backup")]
    Damaged { stream: String, detail: String },
    #[error("`{}`: {source}", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

impl ActingError {
    pub fn unknown(zh: impl Into<String>, en: impl Into<String>, hint: Text) -> Self {
        Self::Unknown { what: Text { zh: zh.into(), en: en.into() }, hint }
    }

    pub(crate) fn damaged(stream: &str, detail: impl ToString) -> Self {
        Self::Damaged { stream: stream.to_owned(), detail: detail.to_string() }
    }

    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// The stable code of a refusal, or of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { refusal, .. } => refusal.code.as_str(),
            Self::Ledger(refused) => refused.code.as_str(),
            Self::Payment(refused) => refused.code.as_str(),
            Self::File(faults) => faults.first().map_or("file", |fault| fault.code.as_str()),
            Self::Findings(findings) => findings.first().map_or("findings", |it| it.code.as_str()),
            Self::Unknown { .. } => "not-found",
            Self::Store(error) => error.code(),
            Self::Log(fault) => fault.code(),
            Self::Damaged { .. } => "stream-damaged",
            Self::Io { .. } => "io",
        }
    }

    /// One sentence, and a line for each detail.
    pub fn message(&self, lang: Lang) -> String {
        let lines = |lines: Vec<String>| lines.join("\n  ");
        match self {
            Self::Refused { refusal, details } => {
                let mut all = vec![refusal.message_in(lang)];
                all.extend(details.iter().map(|text| text.get(lang).to_owned()));
                lines(all)
            }
            Self::Ledger(refused) => refused.message_in(lang),
            Self::Payment(refused) => refused.message_in(lang),
            Self::File(faults) => lines(faults.iter().map(|fault| fault.message_in(lang)).collect()),
            Self::Findings(findings) => lines(findings.iter().map(|it| it.message_in(lang)).collect()),
            Self::Unknown { what, .. } => what.get(lang).to_owned(),
            Self::Log(fault) => fault.text().get(lang).to_owned(),
            other => other.to_string(),
        }
    }

    /// What the person can do about it.
    pub fn hint(&self, lang: Lang) -> Option<String> {
        let hint = match self {
            Self::Refused { refusal, .. } => refusal.code.hint(),
            Self::Ledger(refused) => refused.code.hint(),
            Self::Payment(refused) => refused.code.hint(),
            Self::File(faults) => faults.first()?.code.hint(),
            Self::Findings(findings) => findings.first()?.code.hint(),
            Self::Unknown { hint, .. } => hint.clone(),
            _ => return None,
        };
        Some(hint.get(lang).to_owned()).filter(|hint| !hint.is_empty())
    }
}

impl From<Refusal> for ActingError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal: Box::new(refusal), details: Vec::new() }
    }
}

impl From<LedgerRefusal> for ActingError {
    fn from(refused: LedgerRefusal) -> Self {
        Self::Ledger(refused)
    }
}

impl From<PaymentRefusal> for ActingError {
    fn from(refused: PaymentRefusal) -> Self {
        Self::Payment(refused)
    }
}

impl From<ReceiveError> for ActingError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Faults(faults) => Self::File(faults),
            ReceiveError::Findings(findings) => Self::Findings(findings),
            ReceiveError::Refused(refused) => Self::Payment(refused),
        }
    }
}

impl From<Fault> for ActingError {
    fn from(fault: Fault) -> Self {
        Self::Log(fault)
    }
}

impl From<ReplayError> for ActingError {
    fn from(error: ReplayError) -> Self {
        Self::damaged(super::LEDGER_STREAM, error)
    }
}

impl From<BatchReplayError> for ActingError {
    fn from(error: BatchReplayError) -> Self {
        Self::damaged("payment/", error)
    }
}
