//! Typed text made comparable, without changing what it says.

use std::borrow::Cow;

/// Full-width letters, digits and punctuation become half-width, invisible characters go, and the ends are
/// trimmed. Chinese punctuation without a half-width twin (`。`, `、`) and inner spaces stay. Borrows if there
/// was nothing to do.
pub fn normalise_text(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| half_width(char) == Some(char)) {
        return Cow::Borrowed(text.trim());
    }
    let normal: String = text.chars().filter_map(half_width).collect();
    let trimmed = normal.trim();
    Cow::Owned(if trimmed.len() == normal.len() { normal } else { trimmed.to_owned() })
}

/// A spreadsheet header as a key: normalised, without any space or line break, brackets unified to `()`, in
/// lower case. `生产经营性收入\n（元）` and `生产经营性收入(元)` are the same header.
pub fn normalise_header(text: &str) -> String {
    normalise_text(text)
        .chars()
        .filter(|char| !char.is_whitespace())
        .map(|char| match char {
            '【' | '〔' | '〖' | '[' | '{' => '(',
            '】' | '〕' | '〗' | ']' | '}' => ')',
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// The half-width twin, the character itself, or nothing for an invisible one.
const fn half_width(char: char) -> Option<char> {
    match char {
        // U+FF01..U+FF5E mirror ASCII at a fixed distance (Unicode, Halfwidth and Fullwidth Forms).
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(char as u32 - 0xfee0),
        '\u{ffe5}' => Some('¥'),
        // The ideographic, no-break and narrow spaces.
        '\u{3000}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => Some(' '),
        // Soft hyphen, zero-width and directional marks, byte order mark.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => None,
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_normalised() {
        let check = |text: &str, expected: &str| assert_eq!(normalise_text(text), expected, "{text:?}");
        check("１２３．５０", "123.50");
        check("Ａｂｃ（元）：！", "Abc(元):!");
        check(" \u{3000}王 五\u{3000}\t", "王 五");
        check("\u{feff}a\u{200b}b\u{200d}", "ab");
        check("\u{3000}\u{200b} ", "");
        check("昭觉。县、乡", "昭觉。县、乡");
        check("￥5", "¥5");
        check("plain", "plain");
        check("", "");
    }

    #[test]
    fn clean_text_is_borrowed() {
        assert!(matches!(normalise_text(" 王五 "), Cow::Borrowed("王五")));
    }

    #[test]
    fn headers_match_by_alias() {
        let check = |text: &str, expected: &str| assert_eq!(normalise_header(text), expected, "{text:?}");
        check("生产经营性收入\n（元）", "生产经营性收入(元)");
        check("县(市、区)", "县(市、区)");
        check(" 证件 号码\r\n", "证件号码");
        check("【ID】 Number", "(id)number");
        check("［元］〔亩〕", "(元)(亩)");
    }
}
