//! A refusal: a stable code with the particulars that its message needs.

use std::fmt;

use crate::{Lang, RefusalCode, Text};

/// Why something was refused, and about what. It is an answer to a person, not a failure of the program.
///
/// `value` and `expected` are shown as given: a caller masks personal data before it puts them here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    pub code: RefusalCode,
    /// The field or column concerned, as its readers know it.
    pub field: Option<Text>,
    /// What was found.
    pub value: Option<String>,
    /// What would have been accepted.
    pub expected: Option<String>,
}

impl Refusal {
    pub const fn new(code: RefusalCode) -> Self {
        Self { code, field: None, value: None, expected: None }
    }

    #[must_use]
    pub fn field(mut self, field: Text) -> Self {
        self.field = Some(field);
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

    /// One sentence without a hint: `` `months worked`: outside the allowed range: `14`; expected `≤ 12` ``.
    pub fn message(&self) -> Text {
        Text { zh: self.message_in(Lang::Zh), en: self.message_in(Lang::En) }
    }

    pub fn message_in(&self, lang: Lang) -> String {
        let (colon, expected) = match lang {
            Lang::Zh => ("：", "；应为 "),
            Lang::En => (": ", "; expected "),
        };
        let mut message = String::new();
        if let Some(field) = &self.field {
            message.extend(["`", field.get(lang), "`", colon]);
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

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self::new(code)
    }
}

/// The English message.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_in(Lang::En))
    }
}

impl std::error::Error for Refusal {}
