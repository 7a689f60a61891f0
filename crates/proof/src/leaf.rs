//! Leaves: what of a decision, posting, notice or figure is public, and a commitment to what is personal.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model::{CitizenNumber, Text};
use serde_json::Value;

use crate::canonical::{Object, canonical, canonical_envelope, read_canonical};
use crate::{Fault, Frontier, Hash};

/// What a leaf is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Decision,
    Posting,
    Notice,
    Figure,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Decision, Self::Posting, Self::Notice, Self::Figure];

    /// As it stands in a leaf.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Posting => "posting",
            Self::Notice => "notice",
            Self::Figure => "figure",
        }
    }

    /// As people read it.
    pub fn title(self) -> Text {
        let zh = match self {
            Self::Decision => "决定",
            Self::Posting => "记账",
            Self::Notice => "公示",
            Self::Figure => "公开数据",
        };
        Text::new(zh, self.as_str())
    }
}

/// 256 random bits that hide a commitment's content: without them a citizen number or an amount is found by
/// trying. One salt serves one leaf. Whoever draws it keeps it with the content, and destroys it to forget.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; Salt::LENGTH]);

impl Salt {
    /// In bytes.
    pub const LENGTH: usize = 32;

    /// The bytes come from a cryptographic source of randomness.
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub const fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// A salt in a log file would undo what it is for.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(hidden)")
    }
}

/// What opens a commitment: the personal part and its salt.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    pub salt: Salt,
    /// The personal part: who, and what was decided about them.
    pub content: Object,
}

impl Opening {
    /// SHA-256 over the salt and the canonical text of the content. The salt's length is fixed, so where it ends is
    /// never in doubt.
    pub fn commitment(&self) -> Result<Hash, Fault> {
        Ok(Hash::of(&[&self.salt.0, canonical(&self.content)?.as_bytes()]))
    }

    pub(crate) fn to_object(&self) -> Object {
        let salt = BASE64_STANDARD.encode(self.salt.0);
        Object::from_iter([
            ("content".to_owned(), Value::Object(self.content.clone())),
            ("salt".to_owned(), Value::String(salt)),
        ])
    }

    pub(crate) fn from_object(mut object: Object) -> Option<Self> {
        let Value::Object(content) = object.remove("content")? else { return None };
        let salt = BASE64_STANDARD.decode(object.remove("salt")?.as_str()?).ok()?;
        let salt = Salt(salt.try_into().ok()?);
        object.is_empty().then_some(Self { salt, content })
    }
}

/// An entry of the log. Its bytes are the canonical JSON of an object with `kind`, `public`, `version` and, if
/// it has a personal part, `commitment`.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    kind: Kind,
    public: Object,
    commitment: Option<Hash>,
}

impl Leaf {
    /// The version of the leaf's own form.
    pub const VERSION: u64 = 1;

    /// A leaf with this public part, and a commitment to the personal part if there is one.
    ///
    /// Refused are what [`canonical`] refuses, a citizen number in the public part (which can never be taken
    /// back), and a leaf of more than [`Frontier::ENTRY_BYTES_MAX`] bytes.
    pub fn new(kind: Kind, public: Object, personal: Option<&Opening>) -> Result<Self, Fault> {
        if let Some(number) = names_and_strings(&public).iter().find_map(|text| citizen_number(text)) {
            return Err(Fault::PersonalInPublic { found: number.masked() });
        }
        let commitment = personal.map(Opening::commitment).transpose()?;
        canonical(&public)?;
        let leaf = Self { kind, public, commitment };
        let bytes = leaf.to_bytes().len();
        if bytes > Frontier::ENTRY_BYTES_MAX {
            return Err(Fault::EntryTooLong { bytes });
        }
        Ok(leaf)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn public(&self) -> &Object {
        &self.public
    }

    /// The commitment to the personal part; `None` if there is no such part.
    pub fn commitment(&self) -> Option<Hash> {
        self.commitment
    }

    /// The entry of the log.
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = canonical_envelope(&self.to_object());
        text.expect("the public part was checked when the leaf was made").into_bytes()
    }

    /// Reads an entry of the log. Only the bytes that [`Leaf::to_bytes`] gives are read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let object =
            read_canonical(bytes).ok_or_else(|| form("规范 JSON 对象", "a canonical JSON object"))?;
        Self::from_object(object)
    }

    pub(crate) fn to_object(&self) -> Object {
        let mut object = Object::from_iter([
            ("kind".to_owned(), Value::from(self.kind.as_str())),
            ("public".to_owned(), Value::Object(self.public.clone())),
            ("version".to_owned(), Value::from(Self::VERSION)),
        ]);
        if let Some(commitment) = self.commitment {
            object.insert("commitment".to_owned(), Value::String(commitment.to_string()));
        }
        object
    }

    pub(crate) fn from_object(mut object: Object) -> Result<Self, Fault> {
        if object.remove("version").and_then(|version| version.as_u64()) != Some(Self::VERSION) {
            return Err(form("`version` 为 1", "`version` 1"));
        }
        let kind = object.remove("kind");
        let kind =
            Kind::ALL.into_iter().find(|known| kind.as_ref().is_some_and(|kind| *kind == known.as_str()));
        let kind = kind.ok_or_else(|| {
            form(
                "`kind` 为 decision、posting、notice 或 figure",
                "`kind` decision, posting, notice or figure",
            )
        })?;
        let Some(Value::Object(public)) = object.remove("public") else {
            return Err(form("对象 `public`", "an object `public`"));
        };
        canonical(&public)?;
        let commitment = match object.remove("commitment") {
            None => None,
            Some(value) => {
                let hash = value.as_str().and_then(|text| Hash::from_str(text).ok());
                Some(hash.ok_or_else(|| {
                    form("`commitment` 为 32 字节的 base64", "`commitment` 32 bytes in base64")
                })?)
            }
        };
        if let Some(name) = object.keys().next() {
            return Err(form(&format!("没有字段 `{name}`"), &format!("no field `{name}`")));
        }
        Ok(Self { kind, public, commitment })
    }
}

fn form(zh: &str, en: &str) -> Fault {
    Fault::Leaf { index: None, reason: Text::new(format!("应有{zh}"), format!("expected {en}")) }
}

fn names_and_strings(object: &Object) -> Vec<&str> {
    fn of_value<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => texts.push(text),
            Value::Array(values) => values.iter().for_each(|value| of_value(value, texts)),
            Value::Object(object) => of_object(object, texts),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    fn of_object<'a>(object: &'a Object, texts: &mut Vec<&'a str>) {
        for (name, value) in object {
            texts.push(name);
            of_value(value, texts);
        }
    }
    let mut texts = Vec::new();
    of_object(object, &mut texts);
    texts
}

/// A run of letters and digits in the text that begins with a valid citizen number, as the number of a disability
/// certificate does. The old form of 15 digits has no check character: too much else looks like it.
fn citizen_number(text: &str) -> Option<CitizenNumber> {
    let mut runs = text.split(|character: char| !character.is_ascii_alphanumeric());
    runs.find_map(|run| run.get(..18)?.parse().ok())
}
