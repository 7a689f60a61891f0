//! Reads TOML tables with their spans: every access is typed, every unused key is reported.

use std::cell::RefCell;
use std::collections::BTreeSet;

use model::{Date, Text};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::Span;

/// A piece of text with its place.
#[derive(Clone, Debug)]
pub struct Word {
    pub text: String,
    /// The value as it stands in the file, quotes included.
    pub span: Span,
}

/// An exact decimal number as written: `digits × 10^-decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    pub digits: i128,
    pub decimals: u8,
}

impl Decimal {
    /// Reads `-12.50`; trailing zeros of the fraction are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.replace('_', "");
        let (sign, body) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let fraction = fraction.trim_end_matches('0');
        let all = format!("{whole}{fraction}");
        if all.is_empty() || all.len() > 30 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { digits: sign * all.parse::<i128>().ok()?, decimals: u8::try_from(fraction.len()).ok()? })
    }

    /// The number at the given decimals, if it has no more than those.
    pub fn scaled(self, decimals: u8) -> Option<i128> {
        let up = decimals.checked_sub(self.decimals)?;
        self.digits.checked_mul(10i128.checked_pow(u32::from(up))?)
    }
}

/// Any value of the file, for the few places that take several types.
#[derive(Clone, Debug)]
pub enum Scalar {
    Text(String),
    Number(Decimal),
    Bool(bool),
    Date(Date),
}

pub type Sink = RefCell<Vec<Diagnostic>>;

/// One table, with a record of the keys that were asked for.
pub struct Table<'a> {
    pub file: u32,
    pub span: Span,
    table: &'a DeTable<'a>,
    asked: RefCell<BTreeSet<String>>,
    sink: &'a Sink,
    /// What it is, for messages: `benefit`, `field`.
    what: &'static str,
}

impl<'a> Table<'a> {
    pub fn new(file: u32, span: Span, table: &'a DeTable<'a>, what: &'static str, sink: &'a Sink) -> Self {
        Self { file, span, table, asked: RefCell::default(), sink, what }
    }

    pub fn report(&self, diagnostic: Diagnostic) {
        self.sink.borrow_mut().push(diagnostic);
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// Place of a value, or of the table if it has none.
    pub fn span_of(&self, key: &str) -> Span {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map_or(self.span, |(_, value)| span_in(self.file, value.span()))
    }

    pub fn keys(&self) -> Vec<Word> {
        self.table
            .iter()
            .map(|(name, _)| Word { text: name.get_ref().to_string(), span: span_in(self.file, name.span()) })
            .collect()
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        self.report(
            Diagnostic::new(
                "wrong-type",
                span_in(self.file, value.span()),
                format!(
                    "`{key}` of {} is {}, not {wanted}",
                    article(self.what),
                    article(value.get_ref().type_str())
                ),
            )
            .label(format!("expected {wanted}")),
        );
    }

    pub fn require<T>(&self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(key) {
            self.report(
                Diagnostic::new("missing-key", self.span, format!("{} needs `{key}`", article(self.what)))
                    .label(format!("no `{key}` here")),
            );
        }
        value
    }

    /// The whole table as a value that is read as it is declared; or where it is wrong, and why.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, (Span, String)> {
        let (start, end) = (self.span.start as usize, self.span.end as usize);
        let whole = Spanned::new(start..end, self.table.clone());
        T::deserialize(toml::Deserializer::from(whole)).map_err(|error| {
            let span = error.span().map_or(self.span, |place| span_in(self.file, place));
            (span, error.message().to_owned())
        })
    }

    pub fn word(&self, key: &str) -> Option<Word> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(Word { text: text.to_owned(), span: span_in(self.file, value.span()) }),
            None => {
                self.wrong_type(key, value, "a text");
                None
            }
        }
    }

    pub fn words(&self, key: &str) -> Vec<Word> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            if let Some(text) = value.get_ref().as_str() {
                return vec![Word { text: text.to_owned(), span: span_in(self.file, value.span()) }];
            }
            self.wrong_type(key, value, "a list of texts");
            return Vec::new();
        };
        list.iter()
            .filter_map(|item| {
                if let Some(text) = item.get_ref().as_str() {
                    Some(Word { text: text.to_owned(), span: span_in(self.file, item.span()) })
                } else {
                    self.wrong_type(key, item, "a text");
                    None
                }
            })
            .collect()
    }

    pub fn bool(&self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        read
    }

    pub fn integer(&self, key: &str) -> Option<i64> {
        let value = self.value(key)?;
        match scalar(value.get_ref()) {
            Some(Scalar::Number(number)) if number.decimals == 0 => i64::try_from(number.digits).ok(),
            _ => {
                self.wrong_type(key, value, "a whole number");
                None
            }
        }
    }

    pub fn decimal(&self, key: &str) -> Option<(Decimal, Span)> {
        let value = self.value(key)?;
        if let Some(Scalar::Number(number)) = scalar(value.get_ref()) {
            Some((number, span_in(self.file, value.span())))
        } else {
            self.wrong_type(key, value, "a number");
            None
        }
    }

    pub fn date(&self, key: &str) -> Option<Date> {
        let value = self.value(key)?;
        if let Some(Scalar::Date(date)) = scalar(value.get_ref()) {
            Some(date)
        } else {
            self.wrong_type(key, value, "a date such as 2015-12-31");
            None
        }
    }

    /// The value if it is a plain one; tables and lists give `None` without complaint.
    pub fn scalar(&self, key: &str) -> Option<(Scalar, Span)> {
        let value = self.value(key)?;
        Some((scalar(value.get_ref())?, span_in(self.file, value.span())))
    }

    pub fn table(&self, key: &str, what: &'static str) -> Option<Table<'a>> {
        let value = self.value(key)?;
        if let Some(table) = value.get_ref().as_table() {
            Some(Table::new(self.file, span_in(self.file, value.span()), table, what, self.sink))
        } else {
            self.wrong_type(key, value, "a table");
            None
        }
    }

    pub fn tables(&self, key: &str, what: &'static str) -> Vec<Table<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            if let Some(table) = value.get_ref().as_table() {
                return vec![Table::new(self.file, span_in(self.file, value.span()), table, what, self.sink)];
            }
            self.wrong_type(key, value, "a list of tables");
            return Vec::new();
        };
        list.iter()
            .filter_map(|item| {
                if let Some(table) = item.get_ref().as_table() {
                    Some(Table::new(self.file, span_in(self.file, item.span()), table, what, self.sink))
                } else {
                    self.wrong_type(key, item, "a table");
                    None
                }
            })
            .collect()
    }

    /// A list of plain values.
    pub fn scalars(&self, key: &str) -> Option<Vec<(Scalar, Span)>> {
        let value = self.value(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list");
            return None;
        };
        list.iter().map(|item| Some((scalar(item.get_ref())?, span_in(self.file, item.span())))).collect()
    }

    /// A list of pairs of texts.
    pub fn pairs(&self, key: &str) -> Vec<(Word, Word)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let word = |item: &Spanned<DeValue<'_>>| {
            item.get_ref()
                .as_str()
                .map(|text| Word { text: text.to_owned(), span: span_in(self.file, item.span()) })
        };
        let read = value.get_ref().as_array().and_then(|list| {
            list.iter()
                .map(|item| {
                    let pair = item.get_ref().as_array()?;
                    let words: Vec<Word> = pair.iter().filter_map(word).collect();
                    <[Word; 2]>::try_from(words).ok().map(|[first, second]| (first, second))
                })
                .collect::<Option<Vec<_>>>()
        });
        if read.is_none() {
            self.wrong_type(key, value, "a list of pairs of texts");
        }
        read.unwrap_or_default()
    }

    /// A text in both languages.
    pub fn bilingual(&self, key: &str) -> Option<Text> {
        let table = self.table(key, "text in two languages")?;
        let zh = table.require("zh", table.word("zh"));
        let en = table.require("en", table.word("en"));
        table.finish();
        let (zh, en) = (zh?, en?);
        for word in [&zh, &en] {
            if word.text.trim().is_empty() {
                self.report(
                    Diagnostic::new("empty-text", word.span, format!("`{key}` must not be empty"))
                        .hint("write it in both languages, Chinese and English"),
                );
            }
        }
        Some(Text { zh: zh.text, en: en.text })
    }

    pub fn bilinguals(&self, key: &str) -> Vec<Text> {
        self.tables(key, "text in two languages")
            .iter()
            .filter_map(|table| {
                let zh = table.require("zh", table.word("zh"));
                let en = table.require("en", table.word("en"));
                table.finish();
                Some(Text { zh: zh?.text, en: en?.text })
            })
            .collect()
    }

    /// Reports keys that nobody asked for.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.keys() {
            if !asked.contains(&key.text) {
                let mut known: Vec<&str> = asked.iter().map(String::as_str).collect();
                known.sort_unstable();
                self.report(
                    Diagnostic::new(
                        "unknown-key",
                        key.span,
                        format!("`{}` is not a key of {}", key.text, article(self.what)),
                    )
                    .hint_opt(Some(
                        did_you_mean(&key.text, known.iter().copied())
                            .unwrap_or_else(|| format!("it takes {}", list_words(&known))),
                    )),
                );
            }
        }
    }

    /// Marks a key as known without reading it.
    pub fn know(&self, key: &str) {
        self.asked.borrow_mut().insert(key.to_owned());
    }

    /// Every remaining key with a plain value or list of texts, as written: attributes of declarations.
    pub fn attributes(&self) -> std::collections::BTreeMap<String, String> {
        let asked = self.asked.borrow().clone();
        let mut attributes = std::collections::BTreeMap::new();
        for key in self.keys() {
            if asked.contains(&key.text) {
                continue;
            }
            if let Some(value) = self.value(&key.text) {
                attributes.insert(key.text, plain(value.get_ref()));
            }
        }
        attributes
    }
}

fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Array(list) => list.iter().map(|item| plain(item.get_ref())).collect::<Vec<_>>().join(", "),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| format!("{}: {}", key.get_ref(), plain(value.get_ref())))
            .collect::<Vec<_>>()
            .join("; "),
        other => match scalar(other) {
            Some(Scalar::Text(text)) => text,
            Some(Scalar::Number(number)) => print_decimal(number),
            Some(Scalar::Bool(flag)) => flag.to_string(),
            Some(Scalar::Date(date)) => date.to_string(),
            None => String::new(),
        },
    }
}

/// `12.5` for digits 125 and one decimal.
pub fn print_decimal(number: Decimal) -> String {
    if number.decimals == 0 {
        return number.digits.to_string();
    }
    let digits = format!("{:0>width$}", number.digits.abs(), width = usize::from(number.decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(number.decimals));
    format!("{}{whole}.{fraction}", if number.digits < 0 { "-" } else { "" })
}

fn scalar(value: &DeValue<'_>) -> Option<Scalar> {
    match value {
        DeValue::String(text) => Some(Scalar::Text(text.to_string())),
        DeValue::Integer(number) if number.radix() == 10 => {
            Decimal::parse(number.as_str()).map(Scalar::Number)
        }
        DeValue::Float(number) => Decimal::parse(number.as_str()).map(Scalar::Number),
        DeValue::Boolean(flag) => Some(Scalar::Bool(*flag)),
        DeValue::Datetime(moment) => {
            let date = moment.date?;
            if moment.time.is_some() {
                return None;
            }
            Date::from_ymd(i32::from(date.year), u32::from(date.month), u32::from(date.day))
                .ok()
                .map(Scalar::Date)
        }
        _ => None,
    }
}

pub fn span_in(file: u32, range: std::ops::Range<usize>) -> Span {
    Span { file, start: range.start as u32, end: range.end as u32 }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// `` `a`, `b` and `c` ``
pub fn list_words(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and `{last}`", rest.join(", "))
        }
    }
}
