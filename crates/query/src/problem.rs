//! What goes wrong in a query, in the words of whoever asked.

use model::{AsProblem, Problem, ProblemKind as Kind, Text, io_problem, text};

use crate::{QueryError, SessionError};

impl AsProblem for SessionError {
    fn problem(&self) -> Problem {
        match self {
            Self::RunFormat { path, reason } => {
                let path = path.display();
                let words = text!(
                    "“{path}”不是运行文件夹（`{reason}`）",
                    "`{path}` is not a run directory: {reason}"
                );
                Problem::new(Kind::Input, "run-format", words)
            }
            Self::SnapshotFile { path } => {
                let path = path.display();
                let words = text!("快照缺少文件“{path}”", "the snapshot has no file `{path}`");
                Problem::new(Kind::Missing, "snapshot-file-missing", words)
            }
            Self::NotAQuery => {
                let words = Text::new(
                    "只回答一条查询语句：`SELECT`、`WITH` 或 `VALUES`",
                    "only one query that reads is answered: SELECT, WITH or VALUES",
                );
                Problem::new(Kind::Refused, "not-a-query", words)
            }
            Self::Query(error) => {
                // DataFusion lists every column there is; what it takes to be meant is enough.
                let error = error.to_string();
                let error = error.split("\nValid fields are").next().unwrap_or_default();
                let words = text!("查询被拒绝（`{error}`）", "the query was refused: {error}");
                Problem::new(Kind::Input, "query-refused", words).hint(Text::new(
                    "`select * from household limit 1` 可看一张表有哪些列",
                    "`select * from household limit 1` shows the columns of a table",
                ))
            }
            Self::File { path, source } => io_problem(path.display(), source),
            Self::Worker(reason) => {
                let words =
                    text!("一个工作线程意外停止（`{reason}`）", "a worker stopped unexpectedly: {reason}");
                Problem::new(Kind::Bug, "worker", words)
            }
        }
    }
}

impl AsProblem for QueryError {
    fn problem(&self) -> Problem {
        let reason = match self {
            Self::Session(error) => return error.problem(),
            Self::Print(error) => error.to_string(),
            Self::Csv(error) => error.to_string(),
        };
        let words = text!("结果打印不出（`{reason}`）", "the result cannot be printed: {reason}");
        Problem::new(Kind::Machine, "print", words)
    }
}
