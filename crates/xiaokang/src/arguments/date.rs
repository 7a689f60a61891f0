//! A day on the command line.

use std::str::FromStr;

use model::Date;

/// A civil date, `2015-12-31`.
#[derive(Clone, Copy)]
pub struct DateArgument(pub Date);

impl FromStr for DateArgument {
    type Err = model::DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
