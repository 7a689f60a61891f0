//! One text for one value: the JSON canonicalization scheme (RFC 8785), for values without fractions.

use serde_json::{Map, Value};

use crate::Fault;
use model::Text;

/// The fields of a leaf's public or personal part, by name.
pub type Object = Map<String, Value>;

/// The canonical text of an object: no spaces, names sorted by their UTF-16 code units, escapes only where needed.
///
/// Numbers are whole and within ±(2⁵³ - 1), so that every reader of JSON reads the same number; money is in fen.
/// Anything else with digits (a rate, an index) is given as a string. Other numbers are refused, and so are more
/// than 32 objects and arrays within one another, which readers need not follow.
pub fn canonical(object: &Object) -> Result<String, Fault> {
    let mut text = String::new();
    write_object(&mut text, object, DEPTH_MAX)?;
    Ok(text)
}

/// The canonical text of an object that holds such objects.
pub(crate) fn canonical_envelope(object: &Object) -> Result<String, Fault> {
    let mut text = String::new();
    write_object(&mut text, object, DEPTH_MAX + ENVELOPE_DEPTH)?;
    Ok(text)
}

/// Reads an object from its canonical text, and refuses any other text of the same value: two texts would have
/// two hashes.
pub(crate) fn read_canonical(text: &[u8]) -> Option<Object> {
    let object: Object = serde_json::from_slice(text).ok()?;
    (canonical_envelope(&object).ok()?.as_bytes() == text).then_some(object)
}

/// The largest whole number that a double-precision reader still tells from its neighbours.
const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Objects and arrays within one another.
const DEPTH_MAX: usize = 32;
/// A leaf stands two deep in a receipt, and its public part one deep in the leaf.
const ENVELOPE_DEPTH: usize = 4;

/// `depth` is how many more objects and arrays may open.
fn write_value(text: &mut String, value: &Value, depth: usize) -> Result<(), Fault> {
    match value {
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            if size.is_none_or(|size| size > NUMBER_MAX) {
                return Err(Fault::Leaf { index: None, reason: number_reason(number) });
            }
            text.push_str(&number.to_string());
        }
        Value::Array(values) => {
            let depth = deeper(depth)?;
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_value(text, value, depth)?;
            }
            text.push(']');
        }
        Value::Object(object) => write_object(text, object, depth)?,
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::String(string) => write_string(text, string),
    }
    Ok(())
}

fn write_object(text: &mut String, object: &Object, depth: usize) -> Result<(), Fault> {
    let depth = deeper(depth)?;
    // Sorted here, because the order of serde_json's map is a feature that another crate may switch.
    let mut fields: Vec<(&String, &Value)> = object.iter().collect();
    fields.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    text.push('{');
    for (place, (name, value)) in fields.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write_string(text, name);
        text.push(':');
        write_value(text, value, depth)?;
    }
    text.push('}');
    Ok(())
}

fn deeper(depth: usize) -> Result<usize, Fault> {
    depth.checked_sub(1).ok_or_else(|| Fault::Leaf {
        index: None,
        reason: Text::new(
            format!("对象和数组嵌套超过 {DEPTH_MAX} 层；请展平"),
            format!("more than {DEPTH_MAX} objects and arrays within one another; flatten them"),
        ),
    })
}

/// `serde_json` escapes a string as the scheme asks: the quote, the backslash and control characters, in short
/// form where there is one.
fn write_string(text: &mut String, string: &str) {
    text.push_str(&Value::from(string).to_string());
}

fn number_reason(number: &serde_json::Number) -> Text {
    Text::new(
        format!("数 `{number}` 不是 ±(2⁵³-1) 以内的整数；金额以分为单位，小数请写成字符串"),
        format!(
            "number `{number}` is not whole and within ±(2⁵³-1); give money in fen, and fractions as a string"
        ),
    )
}
