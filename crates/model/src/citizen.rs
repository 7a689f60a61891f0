//! Citizen identity numbers.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::access::{DataClass, mask};
use crate::excel::{WholeNumber, whole_number};
use crate::{Date, DivisionCode, Refusal, RefusalCode, normalise_text};

/// A valid citizen identity number of 18 characters. Source: GB 11643-1999.
///
/// `Display` and `Debug` are masked, so that a number cannot leak through a log or a page by accident; only
/// [`CitizenNumber::expose`] gives it in full.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitizenNumber([u8; 18]);

/// Sex as the number records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    Male,
    Female,
}

/// Why text is not a citizen number. None of the messages quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CitizenNumberError {
    #[error("a citizen number has `18` characters, or `15` in the old form, not `{found}`")]
    WrongLength { found: usize },
    /// Positions count from 1.
    #[error("the character at position `{position}` of the citizen number is not a digit")]
    NotDigits { position: usize },
    #[error("the first six digits of the citizen number are not a division")]
    DivisionImpossible,
    /// Not in the calendar, or before 1850.
    #[error("the birth date in the citizen number is impossible")]
    BirthImpossible,
    #[error("the check character of the citizen number should be `{expected}`")]
    CheckCharacter { expected: char },
    /// A spreadsheet stored it as a number, which keeps 15 digits.
    #[error("the citizen number was stored as a number and lost its last digits")]
    DigitsLost,
}

impl CitizenNumberError {
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::WrongLength { .. } => RefusalCode::IdLength,
            Self::NotDigits { .. } => RefusalCode::IdDigits,
            Self::DivisionImpossible => RefusalCode::IdDivision,
            Self::BirthImpossible => RefusalCode::IdBirth,
            Self::CheckCharacter { .. } => RefusalCode::IdChecksum,
            Self::DigitsLost => RefusalCode::IdDigitsLost,
        }
    }
}

impl From<CitizenNumberError> for Refusal {
    fn from(error: CitizenNumberError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            CitizenNumberError::WrongLength { found } => refusal.value(found).expected("18"),
            // The expected check character is left out: a clerk who sees it types it in, instead of comparing
            // the number with the document.
            _ => refusal,
        }
    }
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";
const BIRTH_YEAR_MIN: i32 = 1850;

impl CitizenNumber {
    /// From a spreadsheet number, which is only possible for the old form: 18 digits don't survive there.
    pub fn from_f64(value: f64) -> Result<Self, CitizenNumberError> {
        match whole_number(value) {
            WholeNumber::Exact(number) => number.to_string().parse(),
            WholeNumber::DigitsLost => Err(CitizenNumberError::DigitsLost),
            WholeNumber::NotWhole => Err(CitizenNumberError::NotDigits { position: 1 }),
        }
    }

    /// The full number. Callers log that they asked.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a citizen number is ASCII")
    }

    /// Under the [`mask`] of its class: `*****************5`.
    pub fn masked(&self) -> String {
        mask(self.expose(), DataClass::Identity)
    }

    /// The date of birth.
    pub fn birth(&self) -> Date {
        birth_of(&self.0).expect("the birth date was checked when the number was read")
    }

    /// Digit 17 is odd for men.
    pub fn sex(&self) -> Sex {
        if digit(self.0[16]).is_multiple_of(2) { Sex::Female } else { Sex::Male }
    }

    /// The county that issued the number. It keeps that day's code, which may have changed since.
    pub fn division(&self) -> DivisionCode {
        self.expose()[..6].parse().expect("the division was checked when the number was read")
    }

    /// Completed years on a day, `None` before birth.
    pub fn age_at(&self, on: Date) -> Option<u32> {
        self.birth().age_at(on)
    }

    /// Completes 17 digits with their check character and checks the whole.
    fn from_body(body: [u8; 17]) -> Result<Self, CitizenNumberError> {
        let mut full = [0; 18];
        full[..17].copy_from_slice(&body);
        full[17] = check_character(&body);
        Self(full).checked()
    }

    fn checked(self) -> Result<Self, CitizenNumberError> {
        let division = std::str::from_utf8(&self.0[..6]).unwrap_or_default();
        if division.parse::<DivisionCode>().is_err() {
            return Err(CitizenNumberError::DivisionImpossible);
        }
        birth_of(&self.0).ok_or(CitizenNumberError::BirthImpossible)?;
        Ok(self)
    }
}

/// The weighted sum modulo 11 chooses the check character. Source: GB 11643-1999, ISO 7064 MOD 11-2.
fn check_character(body: &[u8; 17]) -> u8 {
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(byte, weight)| digit(*byte) * weight).sum();
    CHECK_CHARACTERS[sum as usize % 11]
}

fn birth_of(number: &[u8; 18]) -> Option<Date> {
    let part =
        |range: std::ops::Range<usize>| number[range].iter().fold(0, |value, byte| value * 10 + digit(*byte));
    let birth = Date::from_ymd(part(6..10) as i32, part(10..12), part(12..14)).ok()?;
    (birth.year() >= BIRTH_YEAR_MIN).then_some(birth)
}

fn digit(byte: u8) -> u32 {
    u32::from(byte - b'0')
}

/// Reads 18 characters, or the 15 digits of the old form, which are completed with the century and the check
/// character. Full-width characters and a lower-case `x` are accepted.
impl FromStr for CitizenNumber {
    type Err = CitizenNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normal = normalise_text(text);
        if normal.parse::<f64>().is_ok() && normal.contains(['e', 'E']) {
            // `5.13431E+17`: the text of a cell that had been a number.
            return Err(CitizenNumberError::DigitsLost);
        }
        let found = normal.chars().count();
        let body_length = match found {
            18 => 17,
            15 => 15,
            _ => return Err(CitizenNumberError::WrongLength { found }),
        };
        let not_digit = normal.chars().take(body_length).position(|char| !char.is_ascii_digit());
        if let Some(index) = not_digit {
            return Err(CitizenNumberError::NotDigits { position: index + 1 });
        }
        let bytes = normal.as_bytes();
        if found == 15 { parse_old(bytes) } else { parse_new(bytes) }
    }
}

/// 17 digits and any one character, which may be several bytes long.
fn parse_new(bytes: &[u8]) -> Result<CitizenNumber, CitizenNumberError> {
    let check = match bytes[17..] {
        [b'x' | b'X'] => b'X',
        [byte @ b'0'..=b'9'] => byte,
        _ => return Err(CitizenNumberError::NotDigits { position: 18 }),
    };
    let mut body = [0; 17];
    body.copy_from_slice(&bytes[..17]);
    let expected = check_character(&body);
    if check == expected {
        return CitizenNumber::from_body(body);
    }
    // A number cell keeps 15 digits and writes zeros for the rest.
    if bytes.ends_with(b"000") {
        return Err(CitizenNumberError::DigitsLost);
    }
    CitizenNumber::from_body(body)?;
    Err(CitizenNumberError::CheckCharacter { expected: char::from(expected) })
}

/// 15 digits: the year has two, and the orders 996 to 999 were kept for people born in the 19th century.
/// Source: GB 11643-1989.
fn parse_old(bytes: &[u8]) -> Result<CitizenNumber, CitizenNumberError> {
    let century = if matches!(&bytes[12..], b"996" | b"997" | b"998" | b"999") { b"18" } else { b"19" };
    let mut body = [0; 17];
    body[..6].copy_from_slice(&bytes[..6]);
    body[6..8].copy_from_slice(century);
    body[8..].copy_from_slice(&bytes[6..]);
    CitizenNumber::from_body(body)
}

/// Masked.
impl fmt::Display for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

/// Masked.
impl fmt::Debug for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CitizenNumber({})", self.masked())
    }
}
