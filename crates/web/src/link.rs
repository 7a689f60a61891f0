//! Addresses of pages, built so that nothing in them needs escaping again.

use std::fmt;

/// A path with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    path: String,
    query: Vec<(String, String)>,
}

impl Link {
    /// A path of parts: `["record", "household", KEY]`.
    pub fn to<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut path = String::new();
        for part in parts {
            path.push('/');
            path.extend(
                form_urlencoded::byte_serialize(part.as_bytes()).map(|piece| piece.replace('+', "%20")),
            );
        }
        Self { path, query: Vec::new() }
    }

    /// A path that is already one.
    pub fn at(path: &str) -> Self {
        Self { path: path.to_owned(), query: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The same with another value of a name, all earlier ones gone.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.retain(|(known, _)| known != name);
        self.with(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.query.retain(|(known, _)| known != name);
        self
    }

    pub fn path_ending(mut self, end: &str) -> Self {
        self.path.push_str(end);
        self
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.query.is_empty() {
            return Ok(());
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        // A colon and a comma stand for themselves in a query, and read better.
        write!(f, "?{}", query.finish().replace("%3A", ":").replace("%2C", ","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_values_are_escaped_once() {
        let link = Link::to(["list", "a/b c"]).with("is", "poor:true").with("name", "低&保");
        assert_eq!(link.to_string(), "/list/a%2Fb%20c?is=poor:true&name=%E4%BD%8E%26%E4%BF%9D");
    }

    #[test]
    fn a_value_that_is_set_replaces_the_earlier_ones() {
        let link = Link::at("/x").with("page", "1").with("a", "b").set("page", "2");
        assert_eq!(link.to_string(), "/x?a=b&page=2");
        assert_eq!(link.without("page").without("a").to_string(), "/x");
    }
}
