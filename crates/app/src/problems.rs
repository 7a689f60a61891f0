//! What goes wrong in the use cases, in the words of whoever asked for them.
//!
//! Every error of a use case is an [`AsProblem`]; the command line and HTTP say it from there. What stands between backticks
//! is a name, a command or a technical detail and is the same in both languages.

use std::path::Path;

use model::{AsProblem, Problem, ProblemKind as Kind, Text, io_problem, io_text, text};
use rust_xlsxwriter::XlsxError;

use crate::assess::AssessError;
use crate::calculate::CalculateError;
use crate::derived::DerivedError;
use crate::dictionary::DictionaryError;
use crate::explain::ExplainError;
use crate::forms::FormsError;
use crate::packs::PackError;
use crate::reassess::ReassessError;
use crate::registry_error::RegistryError;
use crate::report::ReportError;
use crate::stored_run::RunError;
use crate::synth::GenerateError;
use crate::tables::TableError;

fn assess_again() -> Text {
    Text::new("请重新运行 `xiaokang assess`", "run `xiaokang assess` again")
}

fn written(path: impl std::fmt::Display, source: &std::io::Error) -> Problem {
    let Text { zh, en } = io_text(source);
    Problem::new(Kind::Machine, "io", text!("“{path}”写不进去：{zh}", "`{path}` cannot be written: {en}"))
}

fn workbook(error: &XlsxError) -> Problem {
    Problem::new(
        Kind::Machine,
        "workbook",
        text!("工作簿没有写成（`{error}`）", "the workbook cannot be made: {error}"),
    )
}

impl AsProblem for TableError {
    fn problem(&self) -> Problem {
        let Self::Unreadable { file, why } = self;
        Problem::new(
            Kind::Machine,
            "table",
            text!("“{file}”读不出（`{why}`）", "`{file}` cannot be read: {why}"),
        )
    }
}

impl AsProblem for ExplainError {
    fn problem(&self) -> Problem {
        match self {
            Self::Run(error) => error.problem(),
            Self::UnknownEntity { name, known } => Problem::new(
                Kind::Missing,
                "unknown-entity",
                text!(
                    "没有实体 `{name}`；政策包有 `{known}`",
                    "there is no entity `{name}`; the pack has {known}"
                ),
            ),
            Self::UnknownRecord { entity, key, example } => {
                let words = text!(
                    "运行的快照里没有 `{entity}` `{key}`",
                    "the snapshot of the run has no {entity} `{key}`"
                );
                Problem::new(Kind::Missing, "unknown-record", words).hint(match example {
                    Some(known) => text!("编号形如 `{known}`", "keys look like `{known}`"),
                    None => text!("还没有导入过 `{entity}`", "no {entity} has been imported"),
                })
            }
            Self::UnknownRule { name, entity, near } => {
                let words = text!(
                    "`{entity}` 没有叫 `{name}` 的结果",
                    "nothing called `{name}` is computed for a {entity}"
                );
                let problem = Problem::new(Kind::Missing, "unknown-rule", words);
                match near {
                    Some(near) => problem.hint(text!("是不是 `{near}`？", "did you mean `{near}`?")),
                    None => problem,
                }
            }
            Self::TooMany { entity, key } => {
                let max = crate::explain::RECORDS_MAX;
                Problem::new(
                    Kind::Input,
                    "too-many-records",
                    text!(
                        "关于 `{entity}` `{key}` 的问题要读 {max} 条以上的记录，而运行没有它的结果",
                        "what is asked of {entity} `{key}` rests on more than {max} records, and the run has no result of it"
                    ),
                )
                .hint(Text::new("请问它的一个部分", "ask about one of its parts"))
            }
            Self::Table(error) => error.problem(),
        }
    }
}

impl AsProblem for RunError {
    fn problem(&self) -> Problem {
        match self {
            Self::NotARun { path, why } => {
                let (path, Text { zh, en }) = (path.display(), &**why);
                Problem::new(
                    Kind::Input,
                    "not-a-run",
                    text!("“{path}”不是一次运行：{zh}", "`{path}` is not a run: {en}"),
                )
                .hint(Text::new(
                    "请给出 `xiaokang assess` 打印的文件夹",
                    "name the folder that `xiaokang assess` printed",
                ))
            }
            Self::NoSnapshot { run, place, digest, other, named } => {
                no_snapshot(run, place, digest, *other, *named)
            }
            Self::OtherPack { run, now } => Problem::new(
                Kind::Input,
                "other-pack",
                text!(
                    "这次运行用的是另一版政策包（摘要 {run}，现在是 {now}）",
                    "the run was made with another version of the pack (digest {run}, now {now})"
                ),
            )
            .hint(Text::new(
                "不写 `--pack`：运行自带它所用的政策包",
                "leave `--pack` out: a run keeps the pack it was made with",
            )),
        }
    }
}

fn no_snapshot(run: &Path, place: &Path, digest: &str, other: bool, named: bool) -> Problem {
    let (run, place) = (run.display(), place.display());
    let (zh, en) = match (other, named) {
        (true, _) => ("那里是另一个快照", "there is another one"),
        (false, true) => ("那里没有快照", "there is none"),
        (false, false) => ("那里和附近都没有", "there is none there or near by"),
    };
    let words = text!(
        "运行 `{run}` 所依据的快照（{digest}…）不在 `{place}`：{zh}",
        "the snapshot {digest}… that run `{run}` rests on is not in `{place}`: {en}"
    );
    Problem::new(Kind::Missing, "no-snapshot", words).hint(Text::new(
        "把快照文件夹同运行文件夹一起复制，或用 `--snapshot 文件夹` 指明它在哪里",
        "copy the snapshot's folder along with the run's, or say `--snapshot FOLDER` where it is",
    ))
}

impl AsProblem for ReassessError {
    fn problem(&self) -> Problem {
        match self {
            Self::Line { line, reason } => {
                let Text { zh, en } = &**reason;
                Problem::new(Kind::Input, "line", text!("第 {line} 行：{zh}", "line {line}: {en}"))
            }
            Self::Run(error) => error.problem(),
            Self::Table(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Unknown { entity, key } => Problem::new(
                Kind::Missing,
                "unknown-record",
                text!("没有 `{entity}` `{key}`，无从删除", "{entity} `{key}` is not there, and cannot be removed"),
            ),
            Self::Derived { entity, key } => Problem::new(
                Kind::Input,
                "derived",
                text!(
                    "`{entity}` `{key}`：道路等推导字段随它而变，取快照时才能确定",
                    "{entity} `{key}`: roads and other derived fields follow from it, which are settled when a snapshot is taken"
                ),
            )
            .hint(assess_again()),
            Self::Referred { entity, key, field } => Problem::new(
                Kind::Input,
                "referred",
                text!(
                    "`{entity}` `{key}`：别的记录用 `{field}` 指向它，而它变了",
                    "{entity} `{key}`: other records name it by `{field}`, which has changed"
                ),
            )
            .hint(assess_again()),
            Self::Key { entity, key } => Problem::new(
                Kind::Input,
                "key",
                text!("`{entity}` `{key}`：字段里的编号与此不同", "{entity} `{key}`: its key is given as something else"),
            )
            .hint(Text::new(
                "请删除这条记录，再用另一个编号新增",
                "remove the record, and add one with the other key",
            )),
            Self::TooMany { limit } => Problem::new(
                Kind::Input,
                "too-many-records",
                text!(
                    "要重读或重算的记录超过 {limit} 条，不如重新运行",
                    "more than {limit} records would have to be read or computed again, so a run is the better way"
                ),
            )
            .hint(assess_again()),
            Self::OtherRegistry { run, registry } => {
                let (run, registry) = (short(run), short(registry));
                Problem::new(
                    Kind::Input,
                    "other-registry",
                    text!(
                        "这次运行取自登记库 {run}，而指明的是登记库 {registry}，二者不是同一个",
                        "the run was made from registry {run}, and this is registry {registry}"
                    ),
                )
                .hint(Text::new(
                    "用 `--registry` 指明运行所取自的登记库，或对这个登记库另行 `xiaokang assess`",
                    "name the registry that the run was made from, or run `xiaokang assess` over this one",
                ))
            }
            Self::NoRegistry => Problem::new(
                Kind::Input,
                "no-registry",
                Text::new(
                    "这次运行的快照没有写明取自哪个登记库",
                    "the snapshot of the run does not say which registry it was taken from",
                ),
            )
            .hint(Text::new(
                "用 `--changes` 给出改动，或对登记库重新 `xiaokang assess`",
                "give the changes with `--changes`, or run `xiaokang assess` over the registry again",
            )),
            Self::OlderRegistry { run, registry } => Problem::new(
                Kind::Conflict,
                "older-registry",
                text!(
                    "登记库只到第 {registry} 次改动，而这次运行已含第 {run} 次：登记库可能是从备份恢复的",
                    "the registry ends with change {registry}, and the run has change {run} already: it may have been restored from a backup"
                ),
            )
            .hint(Text::new(
                "对登记库重新 `xiaokang assess`",
                "run `xiaokang assess` over the registry again",
            )),
        }
    }
}

/// Enough of an id to tell it from others.
fn short(id: &str) -> &str {
    id.get(..13).unwrap_or(id)
}

impl AsProblem for CalculateError {
    fn problem(&self) -> Problem {
        match self {
            Self::Line { line, reason } => {
                let Text { zh, en } = &**reason;
                Problem::new(Kind::Input, "line", text!("第 {line} 行：{zh}", "line {line}: {en}"))
            }
            Self::UnknownResult { name } => Problem::new(
                Kind::Missing,
                "unknown-rule",
                text!("没有叫 `{name}` 的规则或结果", "no rule or result is called `{name}`"),
            ),
            Self::Engine(error) => error.problem(),
        }
    }
}

impl AsProblem for DerivedError {
    fn problem(&self) -> Problem {
        match self {
            Self::Store(error) => error.problem(),
            Self::Table(error) => error.problem().within("上一次运行", "the earlier run"),
            Self::ColumnMissing { run, entity, column } => Problem::new(
                Kind::Input,
                "previous-column",
                text!(
                    "上一次运行 `{run}` 没有 `{entity}` 的结果 `{column}`",
                    "the earlier run `{run}` has no results `{column}` of `{entity}`"
                ),
            ),
        }
    }
}

impl AsProblem for AssessError {
    fn problem(&self) -> Problem {
        match self {
            Self::Store(error) => error.problem(),
            Self::Engine(error) => error.problem(),
            Self::Derived(error) => error.problem(),
            Self::ParameterChanges { parameter, rule, on } => Problem::new(
                Kind::Input,
                "parameter-changes",
                text!(
                    "参数 `{parameter}` 在 {on} 变更，正在所算年度之内，而 `{rule}` 不允许这样",
                    "parameter `{parameter}` changes on {on}, inside the year of the run, and `{rule}` does not allow that"
                ),
            ),
            Self::OutputTaken { path } => Problem::new(
                Kind::Conflict,
                "output-taken",
                text!("“{path}”已存在，且不是一次运行", "`{path}` is there and is no run"),
            )
            .hint(Text::new(
                "请给一个还不存在的文件夹，或要替换的那次运行",
                "name a folder that is not there yet, or a run to be replaced",
            )),
            Self::NoPlace { snapshot } => Problem::new(
                Kind::Input,
                "no-place",
                text!(
                    "对 `{snapshot}` 的运行在它旁边没有位置",
                    "a run over `{snapshot}` has no place beside it"
                ),
            )
            .hint(Text::new(
                "请写 `--out 文件夹` 或 `--totals-only`",
                "say `--out FOLDER`, or `--totals-only`",
            )),
            Self::Io { path, source } => written(path, source),
        }
    }
}

impl AsProblem for PackError {
    fn problem(&self) -> Problem {
        match self {
            Self::NotAPack { path, why } => {
                let (path, Text { zh, en }) = (path.display(), &**why);
                Problem::new(Kind::Input, "not-a-pack", text!("“{path}”不是政策包：{zh}", "`{path}` is not a pack: {en}")).hint(
                    Text::new(
                        "请给出放着 `pack.toml` 的文件夹，如 `packs/sichuan-2015`",
                        "name the folder that holds `pack.toml`, like packs/sichuan-2015",
                    ),
                )
            }
            Self::BaseMissing { id, base } => Problem::new(
                Kind::Missing,
                "base-missing",
                text!(
                    "政策包 `{id}` 扩展 `{base}`，而它旁边没有这个包",
                    "pack `{id}` extends `{base}`, which is not beside it"
                ),
            ),
            Self::BaseElsewhere { id, base } => Problem::new(
                Kind::Input,
                "base-elsewhere",
                text!("政策包 `{id}` 扩展 `{base}`，而那是一个路径", "pack `{id}` extends `{base}`, which is a path"),
            )
            .hint(Text::new(
                "`extends` 只写旁边的包名；别处的包请自己指明，把本包作为它的叠加包",
                "`extends` takes the names of packs beside it; name a pack that stands elsewhere yourself, and this one as an \
                 overlay of it",
            )),
            Self::Circle { id } => {
                Problem::new(Kind::Input, "pack-circle", text!("政策包 `{id}` 扩展了自己", "pack `{id}` extends itself"))
            }
            Self::Mistakes(failure) => {
                let count = failure.diagnostics.len();
                let plural = if count == 1 { "" } else { "s" };
                Problem::new(
                    Kind::Input,
                    "pack-mistakes",
                    text!("政策包有 {count} 处错误", "the pack has {count} mistake{plural}"),
                )
            }
        }
    }
}

impl AsProblem for RegistryError {
    fn problem(&self) -> Problem {
        match self {
            Self::Store(error) => error.problem(),
            Self::Seed(error) => error.problem(),
            Self::PackData { path, source } | Self::Io { path, source } => io_problem(path, source),
            Self::DivisionsMissing { pack, file } => Problem::new(
                Kind::Missing,
                "divisions-missing",
                text!(
                    "政策包 `{pack}` 有属于区划的实体，却没有区划表",
                    "pack `{pack}` has entities that are divisions and ships no list of them"
                ),
            )
            .hint(text!("它或它所扩展的包应附 `{file}`", "a pack, or one that it extends, has it as {file}")),
        }
    }
}

impl AsProblem for DictionaryError {
    fn problem(&self) -> Problem {
        match self {
            Self::Io { path, source } => written(path, source),
            Self::Workbook(error) => workbook(error),
            Self::Page(error) => Problem::new(
                Kind::Bug,
                "page",
                text!("页面没有生成（`{error}`）", "the page cannot be rendered: {error}"),
            ),
        }
    }
}

impl AsProblem for FormsError {
    fn problem(&self) -> Problem {
        match self {
            Self::Io { path, source } => written(path, source),
            Self::Workbook(error) => workbook(error),
        }
    }
}

impl AsProblem for GenerateError {
    fn problem(&self) -> Problem {
        match self {
            Self::Synth(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Io { path, source } => io_problem(path, source),
        }
    }
}

impl AsProblem for ReportError {
    fn problem(&self) -> Problem {
        match self {
            Self::Run(error) => error.problem(),
            Self::Table(error) => error.problem(),
            Self::Workbook(error) => workbook(error),
            Self::Io { path, source } => {
                let (path, Text { zh, en }) = (path.display(), io_text(source));
                Problem::new(
                    Kind::Machine,
                    "io",
                    text!(
                        "`{path}` 写不进去（{zh}）；原来的文件没有改动",
                        "`{path}` cannot be written ({en}); what was there before is still there"
                    ),
                )
            }
            Self::NotAWorkbook { path } => {
                let path = path.display();
                let words = text!("`{path}` 不以 `.xlsx` 结尾", "`{path}` does not end in `.xlsx`");
                Problem::new(Kind::Input, "not-a-workbook", words)
                    .hint(Text::new("工作簿的名字应像 `report.xlsx`", "name the workbook like `report.xlsx`"))
            }
            Self::OverInput { path, why } => {
                let (path, Text { zh, en }) = (path.display(), why);
                Problem::new(Kind::Conflict, "over-input", text!("`{path}` {zh}", "`{path}` {en}"))
                    .hint(Text::new("换一个名字", "choose another name"))
            }
        }
    }
}
