//! What goes wrong in a run, in the words of whoever started it.

use model::{AsProblem, Problem, ProblemKind as Kind, Text, io_problem, io_text, text};

use crate::EngineError;
use crate::run::ManifestError;

impl AsProblem for EngineError {
    fn problem(&self) -> Problem {
        let say = |kind, words: Text| Problem::new(kind, self.code(), words);
        match self {
            Self::ParameterType { parameter } => say(
                Kind::Bug,
                text!(
                    "参数 `{parameter}` 的值与其类型不符",
                    "the value of parameter `{parameter}` does not fit its type"
                ),
            ),
            Self::Program { place, reason } => say(
                Kind::Bug,
                text!(
                    "程序在 `{place}` 处不成立（`{reason}`）",
                    "the program is not sound at `{place}`: {reason}"
                ),
            ),
            Self::SnapshotFile { path } => {
                let path = path.display();
                say(Kind::Missing, text!("快照缺少文件“{path}”", "the snapshot has no file `{path}`"))
            }
            Self::SnapshotFormat { path, reason } => {
                let path = path.display();
                say(
                    Kind::Input,
                    text!("“{path}”不是快照（`{reason}`）", "`{path}` is not a snapshot: {reason}"),
                )
            }
            Self::SnapshotColumn { entity, column } => say(
                Kind::Input,
                text!(
                    "`{entity}` 的快照没有列 `{column}`",
                    "the snapshot of `{entity}` has no column `{column}`"
                ),
            )
            .hint(made_anew()),
            Self::SnapshotType { entity, column, expected, found } => say(
                Kind::Input,
                text!(
                    "`{entity}` 的快照中列 `{column}` 是 `{found}`，应为 `{expected}`",
                    "column `{column}` of the snapshot of `{entity}` is {found}, not {expected}"
                ),
            )
            .hint(made_anew()),
            Self::SnapshotOrder { entity, column, row } => say(
                Kind::Input,
                text!(
                    "`{entity}` 的快照在第 {row} 行没有按 `{column}` 排序",
                    "the snapshot of `{entity}` is not sorted along `{column}` at row {row}"
                ),
            )
            .hint(made_anew()),
            Self::MemoryTooSmall { needed } => {
                let needed = needed.div_ceil(1 << 20);
                say(
                    Kind::Input,
                    text!(
                        "运行至少需要 {needed} MiB 内存：最大的区划分块计算也要这么多",
                        "the run needs at least {needed} MiB of memory: its largest division takes so much even piece by piece"
                    ),
                )
            }
            Self::OutputExists { path } => {
                let path = path.display();
                say(
                    Kind::Conflict,
                    text!(
                        "“{path}”已存在；运行从不覆盖旧结果",
                        "`{path}` exists already; a run is never overwritten"
                    ),
                )
            }
            Self::RunFormat { path, reason } => {
                let path = path.display();
                say(
                    Kind::Input,
                    text!(
                        "“{path}”不是运行文件夹（`{reason}`）",
                        "`{path}` is not a run directory: {reason}"
                    ),
                )
            }
            Self::UnknownEntity { name } => {
                say(Kind::Missing, text!("没有叫 `{name}` 的实体", "no entity is called `{name}`"))
            }
            Self::File { path, source } => io_problem(path.display(), source),
            Self::Parquet { path, source } => {
                let path = path.display();
                say(Kind::Machine, text!("“{path}”读写出错（`{source}`）", "`{path}`: {source}"))
            }
            Self::Arrow(error) => {
                say(Kind::Bug, text!("表没有建成（`{error}`）", "a table could not be built: {error}"))
            }
            Self::Cluster(reason) => {
                let Text { zh, en } = &**reason;
                say(Kind::Machine, text!("集群：{zh}", "on the cluster: {en}"))
            }
            Self::Worker(reason) => say(
                Kind::Bug,
                text!("一个工作线程意外停止（`{reason}`）", "a worker stopped unexpectedly: {reason}"),
            ),
        }
    }
}

fn made_anew() -> Text {
    Text::new("请从登记库重新取快照", "take the snapshot from the registry anew")
}

impl AsProblem for ManifestError {
    fn problem(&self) -> Problem {
        let say = |kind, words: Text| Problem::new(kind, "run-format", words);
        match self {
            Self::Absent => {
                say(Kind::Missing, Text::new("其中没有 `manifest.json`", "it has no `manifest.json`"))
            }
            Self::Io(error) => {
                let Text { zh, en } = io_text(error);
                say(
                    Kind::Machine,
                    text!("`manifest.json` 读不出：{zh}", "its `manifest.json` cannot be read: {en}"),
                )
            }
            Self::Damaged(error) => say(
                Kind::Input,
                text!("`manifest.json` 已损坏（`{error}`）", "its `manifest.json` is damaged: {error}"),
            ),
            Self::Format { found } => {
                let known = crate::run::RUN_FORMAT;
                say(
                    Kind::Input,
                    text!(
                        "格式是第 {found} 版，本程序读第 {known} 版，请重新运行",
                        "its format is {found}, and this version reads format {known}; make the run again"
                    ),
                )
            }
        }
    }
}
