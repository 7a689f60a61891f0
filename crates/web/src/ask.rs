//! What is asked: path, query, language, session and form of a request, as text.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use model::Lang;

/// Cookie that holds the language chosen.
pub const LANG_COOKIE: &str = "xk_lang";
/// Cookie that holds the session's token.
pub const SESSION_COOKIE: &str = "xk_session";

/// Names and values in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    /// From a query or a form, `a=1&b=2`.
    pub fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a name that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name that are not empty.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let named = self.0.iter().filter(move |(known, value)| known == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A file that came with a form.
#[derive(Clone, Debug)]
pub struct Upload {
    pub field: String,
    pub bytes: Vec<u8>,
}

/// What was sent with a form.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub fields: Pairs,
    pub files: Vec<Upload>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub path: String,
    pub query: Pairs,
    /// Parts of the path by the route's names.
    pub parts: Vec<(String, String)>,
    pub lang: Lang,
    /// Whether the language was chosen with this very request, and is to be remembered.
    pub lang_chosen: bool,
    pub session: Option<String>,
    pub form: Pairs,
    pub files: Vec<Upload>,
}

impl Ask {
    pub fn new(parts: &Parts, named: Vec<(String, String)>, sent: Sent) -> Self {
        let query = Pairs::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let chosen = query.get("lang").and_then(|tag| tag.parse().ok());
        let kept = cookie(&parts.headers, LANG_COOKIE).and_then(|tag| tag.parse().ok());
        Self {
            path: parts.uri.path().to_owned(),
            parts: named,
            lang: chosen.or(kept).unwrap_or_default(),
            lang_chosen: chosen.is_some(),
            session: cookie(&parts.headers, SESSION_COOKIE),
            query,
            form: sent.fields,
            files: sent.files,
        }
    }

    /// A part of the path.
    pub fn part(&self, name: &str) -> &str {
        let found = self.parts.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}
