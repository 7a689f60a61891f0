//! One cell as a file holds it, before anybody says what it means.

use std::borrow::Cow;
use std::fmt;

use model::Date;

/// A cell of a workbook, a CSV file or a Parquet file.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Cell<'a> {
    #[default]
    Empty,
    Text(Cow<'a, str>),
    /// A binary number, as spreadsheets store every number.
    Number(f64),
    /// An exact whole number, as Parquet files store them.
    Integer(i64),
    /// An exact decimal, `mantissa × 10^-decimals`.
    Decimal(i128, u8),
    Bool(bool),
    Date(Date),
    /// A spreadsheet date whose serial number is no day, with that number.
    BadDate(f64),
    /// A formula whose result the file does not hold.
    Uncomputed,
    /// A formula error, such as `#REF!`.
    Error(Cow<'a, str>),
}

impl Cell<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Self::Error(text) => Cell::Error(Cow::Owned(text.into_owned())),
            Self::Empty => Cell::Empty,
            Self::Number(number) => Cell::Number(number),
            Self::Integer(number) => Cell::Integer(number),
            Self::Decimal(mantissa, decimals) => Cell::Decimal(mantissa, decimals),
            Self::Bool(flag) => Cell::Bool(flag),
            Self::Date(date) => Cell::Date(date),
            Self::BadDate(serial) => Cell::BadDate(serial),
            Self::Uncomputed => Cell::Uncomputed,
        }
    }

    /// Whether nothing but spaces is in it.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.chars().all(|char| char.is_whitespace() || char == '\u{feff}'),
            _ => false,
        }
    }
}

/// As a person would read it in the sheet.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty | Self::Uncomputed => Ok(()),
            Self::Text(text) | Self::Error(text) => f.write_str(text),
            Self::Number(number) | Self::BadDate(number) => write!(f, "{number}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Decimal(mantissa, 0) => write!(f, "{mantissa}"),
            Self::Decimal(mantissa, decimals) => {
                let width = usize::from(*decimals) + 1;
                let digits = format!("{:0>width$}", mantissa.unsigned_abs());
                let (whole, fraction) = digits.split_at(digits.len() - usize::from(*decimals));
                write!(f, "{}{whole}.{fraction}", if *mantissa < 0 { "-" } else { "" })
            }
            Self::Bool(flag) => f.write_str(if *flag { "是" } else { "否" }),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}
