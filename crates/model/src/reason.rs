//! Reasons of the state machines: stable codes with their words, and a refusal that carries one.

use std::fmt;

use crate::{Lang, Text};

/// A stable code for which a command is refused, with its words in both languages.
pub trait Reason: Copy + Eq + fmt::Debug + 'static {
    /// The stable code, in kebab case.
    fn as_str(self) -> &'static str;

    /// What is wrong, in a few words without the value.
    fn title(self) -> Text;

    /// What the person can do about it.
    fn hint(self) -> Text;
}

/// Declares an enum of reasons once: variant, stable code, what is wrong (zh, en), what to do (zh, en).
macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident {
        $($variant:ident $code:literal { $zh:literal $en:literal } hint { $hint_zh:literal $hint_en:literal })*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $code, "`: ", $en, ".")] $variant,)*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }

        impl $crate::Reason for $name {
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            fn title(self) -> $crate::Text {
                match self { $(Self::$variant => $crate::Text::new($zh, $en),)* }
            }

            fn hint(self) -> $crate::Text {
                match self { $(Self::$variant => $crate::Text::new($hint_zh, $hint_en),)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad($crate::Reason::as_str(*self))
            }
        }
    };
}

pub(crate) use reasons;

/// Why a command was refused, and about what. It is an answer to a person, not a failure of the program.
///
/// `value` and `expected` are shown as given: a caller masks personal data before it puts them here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refused<C> {
    pub code: C,
    /// Which part of a command of several, counted from 1: the transfer of a group, the line of a batch.
    pub part: Option<usize>,
    /// What was found.
    pub value: Option<String>,
    /// What would have been accepted.
    pub expected: Option<String>,
}

impl<C: Reason> Refused<C> {
    pub const fn new(code: C) -> Self {
        Self { code, part: None, value: None, expected: None }
    }

    #[must_use]
    pub fn part(mut self, part: usize) -> Self {
        self.part = Some(part);
        self
    }

    #[must_use]
    pub fn value(mut self, value: impl fmt::Display) -> Self {
        self.value = Some(value.to_string());
        self
    }

    #[must_use]
    pub fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// One sentence without the hint: `` 2: more than is available: `500.00`; expected `≤ 300.00` ``.
    pub fn message(&self) -> Text {
        Text { zh: self.message_in(Lang::Zh), en: self.message_in(Lang::En) }
    }

    pub fn message_in(&self, lang: Lang) -> String {
        let (part, colon, expected) = match lang {
            Lang::Zh => ("第 ", "：", "；应为 "),
            Lang::En => ("", ": ", "; expected "),
        };
        let mut message = String::new();
        if let Some(number) = self.part {
            let unit = if lang == Lang::Zh { " 项" } else { "" };
            message.push_str(&format!("{part}{number}{unit}{colon}"));
        }
        message.push_str(self.code.title().get(lang));
        if let Some(value) = &self.value {
            message.extend([colon, "`", value, "`"]);
        }
        if let Some(accepted) = &self.expected {
            message.extend([expected, "`", accepted, "`"]);
        }
        message
    }
}

impl<C: Reason> From<C> for Refused<C> {
    fn from(code: C) -> Self {
        Self::new(code)
    }
}

/// The English message.
impl<C: Reason> fmt::Display for Refused<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_in(Lang::En))
    }
}

impl<C: Reason> std::error::Error for Refused<C> {}
