//! Classes of personal data, and what is left of a text of each under a mask.

use serde::{Deserialize, Serialize};

use crate::Text;

/// What kind of datum a column holds. In order of strictness: of what is put together from several, the strictest class
/// holds, and the mask of a stricter class never shows more than that of a laxer one of the same text, letters of a
/// name aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DataClass {
    /// Nothing personal: whoever may see the record may see it.
    #[default]
    Open,
    /// The name of a person.
    Name,
    /// A bank account.
    Account,
    /// Phone or address.
    Contact,
    /// A number that identifies a person, and what is read off it.
    Identity,
    /// Other personal data: a date of birth, a sum that is nobody else's business.
    Personal,
    /// Health: diagnoses, disability. Apart from all others, since fewer people may see it.
    Health,
}

impl DataClass {
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Name, Self::Account, Self::Contact, Self::Identity, Self::Personal, Self::Health];

    /// Stable name, as in packs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "none",
            Self::Name => "name",
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Identity => "identity",
            Self::Personal => "personal",
            Self::Health => "health",
        }
    }

    /// In words.
    pub fn label(self) -> Text {
        match self {
            Self::Open => Text::new("非个人信息", "not personal"),
            Self::Name => Text::new("姓名", "name"),
            Self::Account => Text::new("账号", "account"),
            Self::Contact => Text::new("联系方式", "contact"),
            Self::Identity => Text::new("证件号码", "identity number"),
            Self::Personal => Text::new("其他个人信息", "other personal data"),
            Self::Health => Text::new("健康", "health"),
        }
    }

    pub const fn is_personal(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// What stands for a value that is hidden altogether, whatever its length.
pub const HIDDEN: &str = "***";

/// Lengths of a citizen number, old and new.
const NUMBER_LENGTHS: [usize; 2] = [15, 18];
/// A subscriber's number without its area code.
const PHONE_LENGTH_MIN: usize = 7;
const ACCOUNT_LENGTH_MIN: usize = 9;

/// A text under the mask of its class.
///
/// - A name keeps its first character (in China the surname), and its length is hidden: long names are rare enough to
///   tell a person by.
/// - An account keeps its last four characters, by which an officer and its holder can agree that they mean the same;
///   the bank and the digits before them leave 10⁷ accounts and more. One of fewer than nine characters keeps nothing.
/// - A phone number keeps its last two digits. Operators' numbers of a county fill some hundred blocks of 10,000, so
///   at least 10,000 subscribers are left. What is no number (an address) keeps nothing: within a known village the end
///   of an address is a house.
/// - An identity number keeps its last character. What stands beside it is open: the county (the first six digits of
///   most people's numbers), the year of birth (of the date no more is shown) and the sex (the 17th digit is even or
///   odd). That leaves 365 days × 500 orders of registration = 182,500 numbers, of which the last character, a check
///   character modulo 11, leaves some 16,500. Its first three and last two characters would leave 9 to whoever knows
///   the day of birth, and the county is no secret: so neither is shown. Of a number of any other length
///   nothing is: the last character of a certificate of disability is its grade.
/// - Of health and other personal data nothing is shown, not even how long it is.
///
/// An empty text stays empty.
pub fn mask(text: &str, class: DataClass) -> String {
    let count = text.chars().count();
    let last = |many: usize| -> String { text.chars().skip(count - many).collect() };
    match class {
        DataClass::Open => text.to_owned(),
        _ if text.is_empty() => String::new(),
        DataClass::Name if count == 1 => "**".to_owned(),
        DataClass::Name => text.chars().take(1).chain("**".chars()).collect(),
        DataClass::Account if count < ACCOUNT_LENGTH_MIN => "****".to_owned(),
        DataClass::Account => format!("****{}", last(4)),
        DataClass::Contact if count < PHONE_LENGTH_MIN || !text.chars().all(is_of_phone) => HIDDEN.to_owned(),
        DataClass::Contact => format!("{}{}", "*".repeat(count - 2), last(2)),
        DataClass::Identity if !NUMBER_LENGTHS.contains(&count) => "*".repeat(count),
        DataClass::Identity => format!("{}{}", "*".repeat(count - 1), last(1)),
        DataClass::Personal | DataClass::Health => HIDDEN.to_owned(),
    }
}

fn is_of_phone(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '+' | '-' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_left_of_a_personal_text() {
        let check = |class, text: &str, expected: &str| assert_eq!(mask(text, class), expected, "{text}");
        check(DataClass::Open, "一万二", "一万二");
        check(DataClass::Name, "阿牛阿依", "阿**");
        check(DataClass::Name, "王小", "王**");
        check(DataClass::Name, "王", "**");
        check(DataClass::Account, "6214139478417987624", "****7624");
        check(DataClass::Account, "12345678", "****");
        check(DataClass::Contact, "13908361234", "*********34");
        check(DataClass::Contact, "0836-1234567", "**********67");
        check(DataClass::Contact, "青麦村二组12号", "***");
        check(DataClass::Contact, "110", "***");
        check(DataClass::Identity, "513431197210162405", "*****************5");
        check(DataClass::Identity, "513431721016240", "**************0");
        check(DataClass::Identity, "5134", "****");
        check(DataClass::Identity, "51343119721016240543", "********************");
        check(DataClass::Personal, "2000", "***");
        check(DataClass::Health, "尘肺", "***");
        for class in DataClass::ALL {
            check(class, "", "");
        }
    }

    #[test]
    fn a_stricter_class_keeps_no_more_of_a_number() {
        let number = "513431197210162405";
        let kept = |class| mask(number, class).chars().filter(|letter| *letter != '*').count();
        let strict: Vec<usize> = DataClass::ALL.into_iter().skip(2).map(kept).collect();
        assert!(strict.is_sorted_by(|laxer, stricter| laxer >= stricter), "{strict:?}");
    }
}
