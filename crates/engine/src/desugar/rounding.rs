//! Division of whole numbers with rounding, in operations that only ever round toward zero.

use pack::program::Rounding;

use super::context::Context;
use crate::scalar::{self, Kind, Scalar};

impl Context<'_> {
    /// `a / b`, rounded; NULL where `b` is zero. Signs are told apart only where the bounds allow both.
    pub fn divide(&mut self, a: Scalar, b: Scalar, round: Rounding) -> Scalar {
        if b.as_number() == Some(1) {
            return a;
        }
        if round == Rounding::Down {
            return self.truncate(a, b);
        }
        let (a, b) = self.positive_divisor(a, b);
        let b = self.repeated(b);
        // What carries a magnitude that must be rounded away from zero over the next multiple.
        let carry = match round {
            Rounding::HalfUp => scalar::quotient(b.clone(), scalar::number(2)),
            _ => scalar::subtract(b.clone(), scalar::number(1)),
        };
        let bounds = a.bounds();
        let carried = if bounds.min >= 0 {
            scalar::add(a, carry)
        } else if bounds.max <= 0 {
            scalar::subtract(a, carry)
        } else {
            let a = self.repeated(a);
            let below = scalar::less(a.clone(), scalar::number(0));
            let down = scalar::subtract(a.clone(), carry.clone());
            scalar::case(vec![(below, down)], Some(scalar::add(a, carry)))
        };
        self.truncate(carried, b)
    }

    /// The same quotient with a divisor that is not negative.
    fn positive_divisor(&mut self, a: Scalar, b: Scalar) -> (Scalar, Scalar) {
        let bounds = b.bounds();
        if bounds.min >= 0 {
            return (a, b);
        }
        if bounds.max <= 0 {
            return (scalar::negate(a), scalar::negate(b));
        }
        let (a, b) = (self.repeated(a), self.repeated(b));
        let below = scalar::less(b.clone(), scalar::number(0));
        let numerator = scalar::case(vec![(below, scalar::negate(a.clone()))], Some(a));
        (numerator, self.absolute(b))
    }

    /// Rounded toward zero. 128-bit operands become columns, because DataFusion's exact quotient
    /// repeats them.
    fn truncate(&mut self, a: Scalar, b: Scalar) -> Scalar {
        let b = scalar::null_if_zero(b);
        if a.kind != Kind::Wide && b.kind != Kind::Wide {
            return scalar::quotient(a, b);
        }
        let (a, b) = (self.atom(a), self.atom(b));
        scalar::quotient(a, b)
    }

    pub fn absolute(&mut self, a: Scalar) -> Scalar {
        let bounds = a.bounds();
        if a.kind != Kind::Float && bounds.min >= 0 {
            return a;
        }
        if a.kind != Kind::Float && bounds.max <= 0 {
            return scalar::negate(a);
        }
        let zero = if a.kind == Kind::Float { scalar::float(0.0) } else { scalar::number(0) };
        let a = self.repeated(a);
        let below = scalar::less(a.clone(), zero);
        let size = scalar::case(vec![(below, scalar::negate(a.clone()))], Some(a));
        if size.kind == Kind::Float {
            return size;
        }
        let range = pack::program::Range { min: 0, max: bounds.max.max(-bounds.min) };
        scalar::fit(size, range)
    }
}

/// 10^`exponent` as a literal.
pub(super) fn power_of_ten(exponent: u8) -> Scalar {
    scalar::number(10_i128.pow(u32::from(exponent)))
}
