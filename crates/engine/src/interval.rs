//! Interval arithmetic on scaled integers, to choose between 64 and 128 bits and to leave out sign cases.
//!
//! Bounds saturate at [`WIDE_MAX`], the largest value of the 128-bit decimal; the compiler refuses
//! programs that could go beyond it.

use pack::program::Range;

/// The largest magnitude of a 128-bit number: 10^38 - 1, as `Decimal128(38, 0)` holds.
pub const WIDE_MAX: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// Every 64-bit integer.
pub const LONG: Range = Range { min: i64::MIN as i128, max: i64::MAX as i128 };

/// Every number a 128-bit column can hold.
pub const WIDE: Range = Range { min: -WIDE_MAX, max: WIDE_MAX };

/// Whether a number in the range may not fit 64 bits.
pub fn is_wide(range: Range) -> bool {
    range.min < LONG.min || range.max > LONG.max
}

pub fn point(value: i128) -> Range {
    Range { min: value, max: value }
}

pub fn add(a: Range, b: Range) -> Range {
    Range { min: clamp(a.min.checked_add(b.min), a.min), max: clamp(a.max.checked_add(b.max), a.max) }
}

pub fn negate(a: Range) -> Range {
    Range { min: -a.max, max: -a.min }
}

pub fn subtract(a: Range, b: Range) -> Range {
    add(a, negate(b))
}

pub fn multiply(a: Range, b: Range) -> Range {
    let corner = |x: i128, y: i128| clamp(x.checked_mul(y), x.signum() * y.signum());
    let corners = [corner(a.min, b.min), corner(a.min, b.max), corner(a.max, b.min), corner(a.max, b.max)];
    hull(corners)
}

/// Of a quotient rounded toward zero by a divisor that is not zero.
pub fn quotient(a: Range, b: Range) -> Range {
    let smallest = if b.min > 0 {
        b.min
    } else if b.max < 0 {
        -b.max
    } else {
        1
    };
    let most = a.min.abs().max(a.max.abs()) / smallest;
    let sign_known = b.min >= 0;
    Range {
        min: if a.min >= 0 && sign_known { 0 } else { -most },
        max: if a.max <= 0 && sign_known { 0 } else { most },
    }
}

/// Of a remainder with the dividend's sign.
pub fn remainder(a: Range, b: Range) -> Range {
    let most = (b.min.abs().max(b.max.abs()) - 1).max(0);
    Range {
        min: if a.min >= 0 { 0 } else { (-most).max(a.min) },
        max: if a.max <= 0 { 0 } else { most.min(a.max) },
    }
}

pub fn union(a: Range, b: Range) -> Range {
    Range { min: a.min.min(b.min), max: a.max.max(b.max) }
}

/// The common part; the second range where they have none.
pub fn intersect(a: Range, b: Range) -> Range {
    let (min, max) = (a.min.max(b.min), a.max.min(b.max));
    if min <= max { Range { min, max } } else { b }
}

fn hull(corners: [i128; 4]) -> Range {
    let first = corners[0];
    corners.into_iter().fold(point(first), |range, corner| union(range, point(corner)))
}

fn clamp(value: Option<i128>, sign: i128) -> i128 {
    match value {
        Some(value) => value.clamp(-WIDE_MAX, WIDE_MAX),
        None if sign < 0 => -WIDE_MAX,
        None => WIDE_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: i128, max: i128) -> Range {
        Range { min, max }
    }

    #[test]
    fn bounds_of_operations() {
        let check = |found: Range, min: i128, max: i128| assert_eq!((found.min, found.max), (min, max));
        check(add(range(-1, 2), range(3, 4)), 2, 6);
        check(subtract(range(0, 5), range(-1, 1)), -1, 6);
        check(multiply(range(-2, 3), range(-5, 7)), -15, 21);
        check(multiply(range(0, WIDE_MAX), range(-2, 2)), -WIDE_MAX, WIDE_MAX);
        check(quotient(range(0, 100), range(10, 20)), 0, 10);
        check(quotient(range(-100, 50), range(-3, 7)), -100, 100);
        check(quotient(range(0, 100), range(0, 7)), 0, 100);
        check(remainder(range(-100, 50), point(7)), -6, 6);
        check(remainder(range(0, 3), point(7)), 0, 3);
    }

    #[test]
    fn wide_is_what_leaves_64_bits() {
        assert!(!is_wide(LONG));
        assert!(is_wide(range(0, i128::from(i64::MAX) + 1)));
    }
}
