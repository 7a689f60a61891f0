//! Vectors: a few thousand values of one kind, with what is NULL among them.

use std::borrow::Cow;
use std::rc::Rc;

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;

/// For every row 1 where the value is NULL, else 0; absent where nothing is NULL.
pub(super) type Nulls = Option<Rc<Vec<u8>>>;

/// Values of a vector. What stands where the value is NULL means nothing.
#[derive(Clone, Debug)]
pub(super) enum Lane<'a, T: Copy> {
    /// The same value in every row.
    Same(T),
    Each(Cow<'a, [T]>),
}

#[derive(Clone, Debug)]
pub(super) struct Lanes<'a, T: Copy> {
    pub lane: Lane<'a, T>,
    pub nulls: Nulls,
}

/// Dates are day numbers in `Int`; truth values are 0 and 1.
#[derive(Clone, Debug)]
pub(super) enum Vector<'a> {
    /// NULL in every row.
    Null,
    Bool(Lanes<'a, u8>),
    Int(Lanes<'a, i64>),
    Wide(Lanes<'a, i128>),
    Float(Lanes<'a, f64>),
    Text(TextLane<'a>),
}

#[derive(Clone, Debug)]
pub(super) enum TextLane<'a> {
    Same(Rc<str>),
    Each(StringArray),
    Codes(Codes<'a>),
}

/// Texts of which there are few: for every row the place of its text among them.
#[derive(Clone, Debug)]
pub(super) struct Codes<'a> {
    pub keys: Cow<'a, [i32]>,
    pub texts: &'a StringArray,
    pub nulls: Nulls,
}

impl Codes<'_> {
    /// Whether something holds of each row's text, found out once for each text.
    pub fn test<'r>(&self, holds: impl Fn(&str) -> bool) -> Lane<'r, u8> {
        let found: Vec<u8> = self.texts.iter().map(|text| u8::from(text.is_some_and(&holds))).collect();
        let at = |key: &i32| found.get(*key as usize).copied().unwrap_or(0);
        Lane::Each(Cow::Owned(self.keys.iter().map(at).collect()))
    }

    fn text(&self, row: usize) -> Option<&str> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls[row] != 0) {
            return None;
        }
        let key = self.keys[row] as usize;
        (key < self.texts.len()).then(|| self.texts.value(key))
    }
}

impl<'a, T: Copy> Lanes<'a, T> {
    pub fn same(value: T) -> Self {
        Self { lane: Lane::Same(value), nulls: None }
    }

    pub fn each(values: Vec<T>, nulls: Nulls) -> Self {
        Self { lane: Lane::Each(Cow::Owned(values)), nulls }
    }

    pub fn borrowed(values: &'a [T], nulls: Nulls) -> Self {
        Self { lane: Lane::Each(Cow::Borrowed(values)), nulls }
    }

    pub fn operand(&self) -> Operand<'_, T> {
        match &self.lane {
            Lane::Same(value) => Operand::Same(*value),
            Lane::Each(values) => Operand::Each(values),
        }
    }

    pub fn at(&self, row: usize) -> T {
        match &self.lane {
            Lane::Same(value) => *value,
            Lane::Each(values) => values[row],
        }
    }
}

/// What a kernel reads.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a, T: Copy> {
    Same(T),
    Each(&'a [T]),
}

/// Applies a function of two values row by row.
pub(super) fn map2<'r, A: Copy, B: Copy, C: Copy>(
    a: Operand<'_, A>,
    b: Operand<'_, B>,
    function: impl Fn(A, B) -> C,
) -> Lane<'r, C> {
    Lane::Each(Cow::Owned(match (a, b) {
        (Operand::Same(a), Operand::Same(b)) => return Lane::Same(function(a, b)),
        (Operand::Each(a), Operand::Same(b)) => a.iter().map(|a| function(*a, b)).collect(),
        (Operand::Same(a), Operand::Each(b)) => b.iter().map(|b| function(a, *b)).collect(),
        (Operand::Each(a), Operand::Each(b)) => a.iter().zip(b).map(|(a, b)| function(*a, *b)).collect(),
    }))
}

pub(super) fn map1<'r, A: Copy, B: Copy>(a: Operand<'_, A>, function: impl Fn(A) -> B) -> Lane<'r, B> {
    match a {
        Operand::Same(a) => Lane::Same(function(a)),
        Operand::Each(a) => Lane::Each(Cow::Owned(a.iter().map(|a| function(*a)).collect())),
    }
}

/// NULL where either is.
pub(super) fn either(a: &Nulls, b: &Nulls) -> Nulls {
    match (a, b) {
        (None, other) | (other, None) => other.clone(),
        (Some(a), Some(b)) if Rc::ptr_eq(a, b) => Some(Rc::clone(a)),
        (Some(a), Some(b)) => Some(Rc::new(a.iter().zip(b.iter()).map(|(a, b)| a | b).collect())),
    }
}

impl Vector<'_> {
    pub fn nulls(&self) -> Nulls {
        match self {
            Self::Null => None,
            Self::Bool(lanes) => lanes.nulls.clone(),
            Self::Int(lanes) => lanes.nulls.clone(),
            Self::Wide(lanes) => lanes.nulls.clone(),
            Self::Float(lanes) => lanes.nulls.clone(),
            Self::Text(TextLane::Same(_)) => None,
            Self::Text(TextLane::Codes(codes)) => codes.nulls.clone(),
            Self::Text(TextLane::Each(array)) => array
                .nulls()
                .filter(|nulls| nulls.null_count() > 0)
                .map(|nulls| Rc::new(unpacked(nulls.inner(), 1))),
        }
    }

    /// The text of a row of a text vector.
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(TextLane::Same(text)) => Some(text),
            Self::Text(TextLane::Codes(codes)) => codes.text(row),
            Self::Text(TextLane::Each(array)) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        }
    }
}

/// The bits of a buffer as bytes 0 and 1, flipped or not.
pub(super) fn unpacked(bits: &BooleanBuffer, flip: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bits.len() + 64);
    let chunks = bits.bit_chunks();
    for word in chunks.iter_padded() {
        // A loop of fixed length without branches becomes vector instructions.
        let mut spread = [0; 64];
        for (place, byte) in spread.iter_mut().enumerate() {
            *byte = ((word >> place) & 1) as u8 ^ flip;
        }
        bytes.extend_from_slice(&spread);
    }
    bytes.truncate(bits.len());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_bytes_wherever_they_start() {
        let bits = BooleanBuffer::collect_bool(300, |row| row % 3 == 0 || row % 7 == 2);
        for (start, length) in [(0, 0), (0, 300), (1, 64), (13, 130), (63, 65), (299, 1)] {
            let slice = bits.slice(start, length);
            let expected: Vec<u8> = slice.iter().map(u8::from).collect();
            assert_eq!(unpacked(&slice, 0), expected);
            assert_eq!(unpacked(&slice, 1), expected.iter().map(|bit| bit ^ 1).collect::<Vec<u8>>());
        }
    }
}
