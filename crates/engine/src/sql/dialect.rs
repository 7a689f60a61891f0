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

/// Words that some of the engines reserve somewhere, sorted: the lists of PostgreSQL and DuckDB
/// (`pg_get_keywords`, `duckdb_keywords`), and what their parsers and DataFusion's read specially.
#[rustfmt::skip]
const RESERVED: [&str; 197] = [
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof", "asymmetric", "at",
    "authorization", "between", "bigint", "binary", "bit", "boolean", "both", "by", "case", "cast",
    "char", "character", "check", "cluster", "coalesce", "collate", "collation", "column", "columns",
    "concurrently", "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "date", "day", "dec",
    "decimal", "default", "deferrable", "desc", "describe", "distinct", "distribute", "do", "else",
    "end", "except", "exists", "explain", "extract", "false", "fetch", "filter", "float", "for",
    "foreign", "freeze", "from", "full", "generated", "glob", "global", "grant", "greatest", "group",
    "grouping", "grouping_id", "having", "ilike", "in", "initially", "inner", "inout", "int", "integer",
    "intersect", "interval", "into", "is", "isnull", "join", "lambda", "lateral", "leading", "least",
    "left", "like", "limit", "local", "localtime", "localtimestamp", "map", "minus", "month", "national",
    "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric", "offset",
    "on", "only", "or", "order", "out", "outer", "over", "overlaps", "overlay", "partition", "pivot",
    "pivot_longer", "pivot_wider", "placing", "position", "positional", "precision", "primary",
    "qualify", "range", "real", "references", "returning", "right", "row", "rows", "select", "semi",
    "session_user", "set", "setof", "show", "similar", "smallint", "some", "sort", "struct", "substring",
    "summarize", "symmetric", "table", "tablesample", "then", "time", "timestamp", "to", "trailing",
    "treat", "trim", "true", "try_cast", "tuple", "type", "union", "unique", "unpack", "unpivot", "user",
    "using", "value", "values", "varchar", "variadic", "verbose", "view", "when", "where", "window",
    "with", "within", "without", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists", "xmlforest",
    "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable", "year",
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
