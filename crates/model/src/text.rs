//! Text in both languages of the product.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A language of pages, reports and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lang {
    #[default]
    Zh,
    En,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The language subtag, as in `<html lang>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The tag names neither language.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a language of this product; `zh` and `en` are")]
pub struct UnknownLang(pub String);

/// Reads a language tag by its first subtag, in any case: `zh`, `zh-CN`, `en_US`.
impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let subtag = text.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|lang| lang.as_str().eq_ignore_ascii_case(subtag))
            .ok_or_else(|| UnknownLang(text.to_owned()))
    }
}

/// The same words in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// Words that are alike in both languages, such as a code.
    pub fn same(words: impl Into<String>) -> Self {
        let zh = words.into();
        Self { en: zh.clone(), zh }
    }

    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_read_by_first_subtag() {
        let check = |tag: &str, expected| assert_eq!(tag.parse::<Lang>().ok(), expected, "{tag}");
        check("zh", Some(Lang::Zh));
        check("zh-CN", Some(Lang::Zh));
        check("EN_us", Some(Lang::En));
        check("fr", None);
        check("", None);
        check("english", None);
    }

    #[test]
    fn text_is_given_in_the_language_asked() {
        let text = Text::new("户", "household");
        assert_eq!((text.get(Lang::Zh), text.get(Lang::En)), ("户", "household"));
        assert_eq!(Text::same("7.1"), Text::new("7.1", "7.1"));
    }
}
