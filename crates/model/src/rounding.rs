//! Division of integers with a stated rounding: the only place in the program where an exact amount may
//! lose anything.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a quotient that is not whole becomes whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Rounding {
    /// To the nearest; a half goes away from zero. The default of packs.
    #[default]
    HalfUp,
    /// Toward zero.
    Down,
    /// Away from zero.
    Up,
}

/// Divides, rounding the quotient. `None` if the divisor is zero or the quotient exceeds `i128`.
///
/// `div_round(-5, 2, HalfUp)` is -3, `Down` gives -2 and `Up` gives -3.
pub const fn div_round(dividend: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    let Some(quotient) = dividend.checked_div(divisor) else { return None };
    let rest = (dividend % divisor).unsigned_abs();
    let away = match rounding {
        Rounding::Down => false,
        Rounding::Up => rest > 0,
        // `rest >= divisor - rest` is `2 * rest >= divisor` without the overflow.
        Rounding::HalfUp => rest > 0 && rest >= divisor.unsigned_abs() - rest,
    };
    if !away {
        return Some(quotient);
    }
    if (dividend < 0) == (divisor < 0) { quotient.checked_add(1) } else { quotient.checked_sub(1) }
}

impl Rounding {
    pub const ALL: [Self; 3] = [Self::HalfUp, Self::Down, Self::Up];

    /// The word used in packs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HalfUp => "half-up",
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word names no rounding.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a rounding; `half-up`, `down` and `up` are")]
pub struct UnknownRounding(pub String);

impl FromStr for Rounding {
    type Err = UnknownRounding;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|rounding| rounding.as_str() == text)
            .ok_or_else(|| UnknownRounding(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_round_as_stated() {
        let check = |dividend, divisor, half_up, down, up| {
            assert_eq!(div_round(dividend, divisor, Rounding::HalfUp), Some(half_up), "{dividend}/{divisor}");
            assert_eq!(div_round(dividend, divisor, Rounding::Down), Some(down), "{dividend}/{divisor}");
            assert_eq!(div_round(dividend, divisor, Rounding::Up), Some(up), "{dividend}/{divisor}");
        };
        check(4, 2, 2, 2, 2);
        check(5, 2, 3, 2, 3);
        check(-5, 2, -3, -2, -3);
        check(5, -2, -3, -2, -3);
        check(-5, -2, 3, 2, 3);
        check(1, 3, 0, 0, 1);
        check(2, 3, 1, 0, 1);
        check(-1, 3, 0, 0, -1);
        check(0, 7, 0, 0, 0);
        check(i128::MAX, i128::MAX, 1, 1, 1);
        check(i128::MIN, 1, i128::MIN, i128::MIN, i128::MIN);
        check(i128::MAX, i128::MIN, -1, 0, -1);
    }

    #[test]
    fn no_quotient_by_zero_nor_beyond_the_type() {
        assert_eq!(div_round(1, 0, Rounding::HalfUp), None);
        assert_eq!(div_round(i128::MIN, -1, Rounding::Down), None);
    }

    #[test]
    fn words_round_trip() {
        for rounding in Rounding::ALL {
            assert_eq!(rounding.as_str().parse(), Ok(rounding));
        }
        assert_eq!("banker".parse::<Rounding>(), Err(UnknownRounding("banker".into())));
    }
}
