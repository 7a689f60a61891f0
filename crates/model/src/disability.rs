//! Disability certificates.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{CitizenNumber, CitizenNumberError, Refusal, RefusalCode, Text, normalise_text};

/// The seven kinds of disability, by their digit. Source: GB/T 26341-2010.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisabilityKind {
    Visual,
    Hearing,
    Speech,
    Physical,
    Intellectual,
    Mental,
    Multiple,
}

impl DisabilityKind {
    pub const ALL: [Self; 7] = [
        Self::Visual,
        Self::Hearing,
        Self::Speech,
        Self::Physical,
        Self::Intellectual,
        Self::Mental,
        Self::Multiple,
    ];

    /// 1 to 7.
    pub const fn digit(self) -> u8 {
        self as u8 + 1
    }

    pub fn from_digit(digit: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.digit() == digit)
    }

    pub fn label(self) -> Text {
        match self {
            Self::Visual => Text::new("视力", "visual"),
            Self::Hearing => Text::new("听力", "hearing"),
            Self::Speech => Text::new("言语", "speech"),
            Self::Physical => Text::new("肢体", "physical"),
            Self::Intellectual => Text::new("智力", "intellectual"),
            Self::Mental => Text::new("精神", "mental"),
            Self::Multiple => Text::new("多重", "multiple"),
        }
    }
}

/// The grade of a disability: 1 (一级) is the gravest, 4 the lightest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisabilityGrade(u8);

impl DisabilityGrade {
    /// `None` outside 1 to 4.
    pub const fn new(grade: u8) -> Option<Self> {
        if grade >= 1 && grade <= 4 { Some(Self(grade)) } else { None }
    }

    pub const fn get(self) -> u8 {
        self.0
    }

    /// Grades 1 and 2 are called grave (重度).
    pub const fn is_grave(self) -> bool {
        self.0 <= 2
    }
}

/// The number of a disability certificate: the holder's citizen number, a digit for the kind, a digit for the
/// grade, and `B` with a count if it was issued again. Masked like the citizen number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisabilityCertificate {
    pub holder: CitizenNumber,
    pub kind: DisabilityKind,
    pub grade: DisabilityGrade,
    /// How often it was issued again, 0 for the first certificate.
    pub reissues: u8,
}

/// Why text is not the number of a disability certificate. None of the messages quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DisabilityCertificateError {
    #[error("a disability certificate has `20` characters before any `B`, not `{found}`")]
    WrongLength { found: usize },
    #[error("the holder's number is wrong: {0}")]
    Holder(#[from] CitizenNumberError),
    #[error("the kind of disability is a digit from `1` to `7`, not `{found}`")]
    Kind { found: char },
    #[error("the grade of disability is a digit from `1` to `4`, not `{found}`")]
    Grade { found: char },
    #[error("a disability certificate issued again ends in `B` and a count from `1` to `99`")]
    Reissues,
}

impl DisabilityCertificateError {
    /// The holder's number keeps its own code, so that a wrong check character is found as such.
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::Holder(error) => error.code(),
            _ => RefusalCode::CertificateInvalid,
        }
    }
}

impl From<DisabilityCertificateError> for Refusal {
    fn from(error: DisabilityCertificateError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            DisabilityCertificateError::Holder(holder) => holder.into(),
            DisabilityCertificateError::WrongLength { found } => refusal.value(found).expected("20"),
            DisabilityCertificateError::Kind { found } => refusal.value(found).expected("1-7"),
            DisabilityCertificateError::Grade { found } => refusal.value(found).expected("1-4"),
            DisabilityCertificateError::Reissues => refusal,
        }
    }
}

impl DisabilityCertificate {
    /// The full number. Callers log that they asked.
    pub fn expose(&self) -> String {
        format!("{}{}", self.holder.expose(), self.suffix())
    }

    fn suffix(&self) -> String {
        let base = format!("{}{}", self.kind.digit(), self.grade.get());
        if self.reissues == 0 { base } else { format!("{base}B{}", self.reissues) }
    }
}

/// Masked: the holder's part as in [`CitizenNumber::masked`], kind and grade altogether, as health is.
impl fmt::Display for DisabilityCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}**", self.holder.masked()))
    }
}

/// Reads 20 characters, with `B1` and so on after them if it was issued again. The holder's number is of 18
/// characters here: certificates were never issued over the old form.
impl FromStr for DisabilityCertificate {
    type Err = DisabilityCertificateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normal = normalise_text(text);
        let (base, count) = match normal.split_once(['B', 'b']) {
            Some((base, count)) => (base, Some(count)),
            None => (normal.as_ref(), None),
        };
        let chars: Vec<char> = base.chars().collect();
        let [holder @ .., kind, grade] = chars.as_slice() else {
            return Err(DisabilityCertificateError::WrongLength { found: chars.len() });
        };
        if holder.len() != 18 {
            return Err(DisabilityCertificateError::WrongLength { found: chars.len() });
        }
        let digit = |char: &char| char.to_digit(10).map(|digit| digit as u8);
        Ok(Self {
            holder: holder.iter().collect::<String>().parse()?,
            kind: digit(kind)
                .and_then(DisabilityKind::from_digit)
                .ok_or(DisabilityCertificateError::Kind { found: *kind })?,
            grade: digit(grade)
                .and_then(DisabilityGrade::new)
                .ok_or(DisabilityCertificateError::Grade { found: *grade })?,
            reissues: count.map_or(Ok(0), parse_reissues)?,
        })
    }
}

fn parse_reissues(count: &str) -> Result<u8, DisabilityCertificateError> {
    let valid = matches!(count.len(), 1 | 2) && count.bytes().all(|byte| byte.is_ascii_digit());
    match count.parse() {
        Ok(reissues @ 1..) if valid => Ok(reissues),
        _ => Err(DisabilityCertificateError::Reissues),
    }
}
