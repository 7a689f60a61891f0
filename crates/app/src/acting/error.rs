//! Why an act came to nothing, in both languages.

use std::path::PathBuf;

use model::ledger::{LedgerRefusal, ReplayError};
use model::payment::{BatchReplayError, FileFault, PaymentRefusal, ReceiveError};
use model::{AsProblem, Problem, ProblemKind, Reason as _, Refusal, Text, io_problem, text};
use proof::Fault;
use store::StoreError;
use thiserror::Error;

/// A refusal is an answer, and nothing has changed; so it is after every other error.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ActingError {
    /// What the procedure does not allow, with what a person needs to know beside it.
    Refused {
        refusal: Box<Refusal>,
        details: Vec<Text>,
    },
    Ledger(LedgerRefusal),
    Payment(PaymentRefusal),
    /// A bank's file that cannot be written or read.
    File(Vec<FileFault>),
    /// A return file that does not agree with its batch.
    Findings(Vec<PaymentRefusal>),
    /// Something that is named and not there.
    Unknown {
        what: Text,
        hint: Text,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    Log(Fault),
    Damaged {
        stream: String,
        detail: String,
    },
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
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

    /// Whether the answer is that the rules do not allow it, rather than that something failed.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Damaged { .. } | Self::Io { .. })
    }

    /// One sentence, and a line for each detail.
    fn text(&self) -> Text {
        let lines = |lines: Vec<Text>| {
            let join = |of: fn(&Text) -> &str| lines.iter().map(of).collect::<Vec<_>>().join("\n  ");
            Text { zh: join(|text| &text.zh), en: join(|text| &text.en) }
        };
        match self {
            Self::Refused { refusal, details } => {
                lines(std::iter::once(refusal.message()).chain(details.iter().cloned()).collect())
            }
            Self::Ledger(refused) => refused.message(),
            Self::Payment(refused) => refused.message(),
            Self::File(faults) => lines(faults.iter().map(FileFault::message).collect()),
            Self::Findings(findings) => lines(findings.iter().map(PaymentRefusal::message).collect()),
            Self::Unknown { what, .. } => what.clone(),
            Self::Store(error) => error.problem().text,
            Self::Log(fault) => fault.text(),
            Self::Damaged { stream, detail } => {
                text!("流 `{stream}` 已损坏（`{detail}`）", "stream `{stream}` is damaged: {detail}")
            }
            Self::Io { path, source } => io_problem(path.display(), source).text,
        }
    }

    /// What the person can do about it.
    fn hint(&self) -> Option<Text> {
        let hint = match self {
            Self::Refused { refusal, .. } => refusal.code.hint(),
            Self::Ledger(refused) => refused.code.hint(),
            Self::Payment(refused) => refused.code.hint(),
            Self::File(faults) => faults.first()?.code.hint(),
            Self::Findings(findings) => findings.first()?.code.hint(),
            Self::Unknown { hint, .. } => hint.clone(),
            Self::Store(error) => return error.problem().hint,
            Self::Damaged { .. } => Text::new("请从备份恢复登记库", "restore the registry from a backup"),
            Self::Log(_) | Self::Io { .. } => return None,
        };
        Some(hint).filter(|hint| !hint.zh.is_empty())
    }
}

impl AsProblem for ActingError {
    fn problem(&self) -> Problem {
        let kind = match self {
            Self::Refused { .. } | Self::Ledger(_) | Self::Payment(_) => ProblemKind::Refused,
            Self::File(_) | Self::Findings(_) => ProblemKind::Input,
            Self::Unknown { .. } => ProblemKind::Missing,
            Self::Store(error) => error.problem().kind,
            Self::Log(_) => ProblemKind::Input,
            Self::Damaged { .. } | Self::Io { .. } => ProblemKind::Machine,
        };
        let problem = Problem::new(kind, self.code(), self.text());
        match self.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
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
