//! What differs between the three engines.

use crate::scalar::Kind;

/// An SQL engine that a program can be printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    DataFusion,
    Postgres,
    DuckDb,
}

impl Dialect {
    pub const ALL: [Self; 3] = [Self::DataFusion, Self::Postgres, Self::DuckDb];

    /// As commands spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DataFusion => "datafusion",
            Self::Postgres => "postgres",
            Self::DuckDb => "duckdb",
        }
    }

    pub const fn type_name(self, kind: Kind) -> &'static str {
        match (kind, self) {
            (Kind::Bool, _) => "BOOLEAN",
            (Kind::Int, _) => "BIGINT",
            (Kind::Wide, Self::DataFusion) => "DECIMAL(38, 0)",
            (Kind::Wide, Self::Postgres) => "NUMERIC",
            (Kind::Wide, Self::DuckDb) => "HUGEINT",
            (Kind::Date, _) => "DATE",
            (Kind::Text, _) => "TEXT",
            (Kind::Float, _) => "DOUBLE PRECISION",
        }
    }

    /// Texts are ordered by their bytes everywhere; PostgreSQL must be told.
    pub(super) const fn collation(self) -> &'static str {
        match self {
            Self::Postgres => " COLLATE \"C\"",
            Self::DataFusion | Self::DuckDb => "",
        }
    }
}

impl std::str::FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|dialect| dialect.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no dialect; `datafusion`, `postgres` and `duckdb` are"))
    }
}

/// A name, quoted where an engine could read it as something else.
pub fn identifier(name: &str) -> String {
    let mut letters = name.chars();
    let start = letters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_');
    let plain = letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if start && plain && RESERVED.binary_search(&name).is_err() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Words that some of the engines reserve, sorted.
#[rustfmt::skip]
const RESERVED: [&str; 136] = [
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof", "asymmetric",
    "authorization", "between", "binary", "both", "case", "cast", "check", "cluster", "collate",
    "collation", "column", "concurrently", "constraint", "create", "cross", "current_date",
    "current_role", "current_time", "current_timestamp", "current_user", "date", "day", "default",
    "deferrable", "desc", "describe", "distinct", "distribute", "do", "else", "end", "except", "exists",
    "explain", "false", "fetch", "filter", "for", "foreign", "freeze", "from", "full", "glob", "global",
    "grant", "group", "having", "ilike", "in", "initially", "inner", "intersect", "interval", "into",
    "is", "isnull", "join", "lambda", "lateral", "leading", "left", "like", "limit", "local", "map",
    "minus", "month", "natural", "not", "notnull", "null", "offset", "on", "only", "or", "order",
    "outer", "over", "overlaps", "partition", "pivot", "placing", "positional", "primary", "qualify",
    "range", "references", "returning", "right", "row", "rows", "select", "semi", "set", "similar",
    "some", "sort", "summarize", "symmetric", "table", "tablesample", "then", "time", "timestamp", "to",
    "trailing", "true", "type", "union", "unique", "unpivot", "user", "using", "value", "values",
    "variadic", "verbose", "view", "when", "where", "window", "with", "within", "without", "year",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_sorted() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let check = |name: &str, expected: &str| assert_eq!(identifier(name), expected);
        check("household", "household");
        check("_row", "_row");
        check("order", "\"order\"");
        check("户", "\"户\"");
        check("2x", "\"2x\"");
    }
}
