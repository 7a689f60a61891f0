//! What goes wrong in a registry, in the words of whoever works with it.

use model::{AsProblem, Problem, ProblemKind as Kind, Text, io_problem, text};
use rusqlite::ErrorCode;

use crate::StoreError;
use crate::conflict::{Conflict, Expected, RecordConflict, StreamConflict};

impl AsProblem for StoreError {
    fn problem(&self) -> Problem {
        let say = |kind, words: Text| Problem::new(kind, self.code(), words);
        match self {
            Self::Missing { path } => {
                let path = path.display();
                say(Kind::Missing, text!("“{path}”里没有登记库", "there is no registry in `{path}`"))
                    .hint(Text::new("先导入数据，或改正路径", "import something first, or mend the path"))
            }
            Self::Exists { path } => {
                let path = path.display();
                let words = text!("“{path}”里已有登记库", "there is a registry in `{path}` already");
                say(Kind::Conflict, words)
                    .hint(Text::new("打开它，或另选文件夹", "open it, or choose another folder"))
            }
            Self::Locked { path } => {
                let path = path.display();
                let words = text!(
                    "另一个进程正在写“{path}”里的登记库",
                    "another process is writing the registry in `{path}`"
                );
                say(Kind::Conflict, words)
                    .hint(Text::new("等它写完再试", "wait until it has finished and repeat"))
            }
            Self::Newer { path, found, known } => {
                let path = path.display();
                say(
                    Kind::Input,
                    text!(
                        "“{path}”里的登记库是第 {found} 版格式，本程序只认到第 {known} 版",
                        "the registry in `{path}` has format {found} and this program knows up to {known}"
                    ),
                )
                .hint(Text::new("请用更新的程序", "use a newer program"))
            }
            Self::Older { path, found, known } => {
                let path = path.display();
                say(
                    Kind::Input,
                    text!(
                        "“{path}”里的登记库是第 {found} 版格式，本程序用第 {known} 版",
                        "the registry in `{path}` has format {found} and this program works with format {known}"
                    ),
                )
                .hint(Text::new(
                    "先留一份副本，再运行 `xiaokang migrate`",
                    "keep a copy of it and run `xiaokang migrate` on it",
                ))
            }
            Self::PackGrown { entity, field } => say(
                Kind::Conflict,
                text!(
                    "政策包有 `{entity}.{field}`，登记库还没有它的位置",
                    "the pack has `{entity}.{field}` and the registry no place for it yet"
                ),
            )
            .hint(Text::new(
                "导入一次，或运行一次 `xiaokang assess`",
                "open it once by an import or `xiaokang assess`",
            )),
            Self::OtherPack { path, recorded, given } => {
                let path = path.display();
                say(
                    Kind::Input,
                    text!(
                        "“{path}”里的登记库属于政策包 `{recorded}`，而不是 `{given}`",
                        "the registry in `{path}` belongs to pack `{recorded}`, not `{given}`"
                    ),
                )
                .hint(Text::new(
                    "给出那个政策包或扩展它的包，或另选文件夹",
                    "give that pack or one that extends it, or use another folder",
                ))
            }
            Self::NotARegistry { path } => {
                let path = path.display();
                say(Kind::Input, text!("“{path}”不是登记库", "`{path}` is not a registry"))
                    .hint(Text::new("把它移开，或改正路径", "move it away or mend the path"))
            }
            Self::Corrupt { path, detail } => {
                let path = path.display();
                say(
                    Kind::Machine,
                    text!(
                        "“{path}”里的登记库已损坏（`{detail}`）",
                        "the registry in `{path}` is damaged: {detail}"
                    ),
                )
                .hint(Text::new(
                    "从备份恢复，并保留损坏的文件",
                    "restore it from a backup, and keep the damaged file",
                ))
            }
            Self::PackIncompatible { .. } | Self::PackInvalid { .. } => self.of_pack(),
            Self::ValueMismatch { .. }
            | Self::ValueMissing { .. }
            | Self::RequiredMissing { .. }
            | Self::KeyMissing { .. }
            | Self::RecordMissing { .. }
            | Self::SourceUnknown { .. } => self.of_record(),
            Self::ChangedMeanwhile(conflict) => say(Kind::Conflict, conflict.text())
                .hint(Text::new("重新读取后再决定", "read it again and decide anew")),
            Self::KeyReused { key, stream, position } => say(
                Kind::Conflict,
                text!(
                    "键 `{key}` 在流 `{stream}` 的第 {position} 条已代表别的内容",
                    "key `{key}` stands for something else, which stream `{stream}` has at {position}"
                ),
            )
            .hint(Text::new("给新事件用新的键", "give new events new keys")),
            Self::EventInvalid { stream, detail } => {
                say(Kind::Bug, text!("流 `{stream}`：`{detail}`", "stream `{stream}`: {detail}"))
            }
            Self::ImportMissing { import } => {
                say(Kind::Missing, text!("没有第 {import} 次导入", "there is no import {import}"))
                    .hint(Text::new("请核对序号", "check its number"))
            }
            Self::ImportKept { import, what } => say(
                Kind::Refused,
                text!(
                    "第 {import} 次导入记有不能撤回的事件（`{what}`）",
                    "import {import} recorded events of {what}, which are not taken back"
                ),
            )
            .hint(Text::new("请把后续情况另记为新的事件", "record what follows as further events")),
            Self::DivisionList { .. }
            | Self::DivisionMissing { .. }
            | Self::DivisionExists { .. }
            | Self::DivisionOrder { .. }
            | Self::DivisionNotEmpty { .. } => self.of_division(),
            Self::Snapshot { entity, detail } => say(
                Kind::Machine,
                text!(
                    "`{entity}` 的快照没有写成（`{detail}`）",
                    "the snapshot of `{entity}` failed: {detail}"
                ),
            ),
            Self::Io { path, source } => io_problem(path.display(), source),
            Self::Sqlite(error) => say(Kind::Machine, sqlite_text(error)),
        }
    }
}

impl StoreError {
    fn of_pack(&self) -> Problem {
        match self {
            Self::PackIncompatible { entity, field, recorded, declared } => Problem::new(
                Kind::Input,
                self.code(),
                text!(
                    "字段 `{entity}.{field}` 登记时是 `{recorded}`，政策包现在写作 `{declared}`",
                    "field `{entity}.{field}` is recorded as {recorded} and the pack says {declared}"
                ),
            )
            .hint(Text::new(
                "给新字段另起名字，使旧记录保持原意",
                "give the new field another name, so that old records keep their meaning",
            )),
            other => {
                let detail = if let Self::PackInvalid { detail } = other { detail.as_str() } else { "" };
                Problem::new(
                    Kind::Input,
                    self.code(),
                    text!("政策包不合规定（`{detail}`）", "the pack is not well formed: {detail}"),
                )
                .hint(Text::new("用 `xiaokang pack check` 检查", "check it with `xiaokang pack check`"))
            }
        }
    }

    fn of_record(&self) -> Problem {
        let say = |kind, words: Text| Problem::new(kind, self.code(), words);
        match self {
            Self::ValueMismatch { entity, key, field, expected, found } => say(
                Kind::Input,
                text!(
                    "`{entity}` `{key}`：字段 `{field}` 是 `{expected}`，不能放 `{found}`",
                    "`{entity}` `{key}`: field `{field}` is {expected} and cannot hold {found}"
                ),
            ),
            Self::ValueMissing { entity, key, field } => say(
                Kind::Input,
                text!("`{entity}` `{key}` 缺少必填的 `{field}`", "`{entity}` `{key}` lacks `{field}`, which is required"),
            )
            .hint(Text::new("请补填，或不要这一行", "fill it in or keep the row out")),
            Self::RequiredMissing { entity, field, key, count } => say(
                Kind::Input,
                text!(
                    "已登记的 `{entity}` 中有 {count} 条缺少政策包必填的 `{field}`，第一条是 `{key}`",
                    "{count} of the recorded `{entity}` lack `{field}`, which the pack requires, `{key}` first"
                ),
            )
            .hint(Text::new(
                "补上后重新导入，或在政策包中改为非必填",
                "import them again with it, or declare the field not required",
            )),
            Self::KeyMissing { entity, field, index } => say(
                Kind::Input,
                text!(
                    "这批记录的第 {index} 条没有 `{entity}.{field}`，无从识别",
                    "record {index} of the batch has no `{entity}.{field}`, by which it is known"
                ),
            )
            .hint(Text::new("请去掉这一行", "keep the row out")),
            Self::RecordMissing { entity, key } => {
                say(Kind::Missing, text!("没有 `{entity}` `{key}`", "there is no `{entity}` `{key}`"))
                    .hint(Text::new("请核对编号", "check the key"))
            }
            other => {
                let id = if let Self::SourceUnknown { id } = other { *id } else { 0 };
                say(Kind::Bug, text!("来源 {id} 不属于这个登记库", "source {id} is not of this registry"))
                    .hint(Text::new("先把它加入会话", "add it to the session first"))
            }
        }
    }

    fn of_division(&self) -> Problem {
        let say = |kind, words: Text| Problem::new(kind, self.code(), words);
        match self {
            Self::DivisionList { line, detail } => {
                let (zh, en) = (&detail.zh, &detail.en);
                say(
                    Kind::Input,
                    text!("区划表第 {line} 行：{zh}", "line {line} of the list of divisions: {en}"),
                )
            }
            Self::DivisionMissing { code, on } => {
                say(Kind::Missing, text!("{on} 没有区划 `{code}`", "there is no division `{code}` on {on}"))
                    .hint(Text::new("请核对代码和日期", "check the code and the day"))
            }
            Self::DivisionExists { code, on } => say(
                Kind::Conflict,
                text!("{on} 已有区划 `{code}`", "division `{code}` exists on {on} already"),
            )
            .hint(Text::new("请另选代码", "choose another code")),
            Self::DivisionOrder { code, on, last } => say(
                Kind::Conflict,
                text!(
                    "区划 `{code}` 在 {on} 之后的 {last} 已有变更",
                    "division `{code}` has changed since {on}, on {last}"
                ),
            )
            .hint(Text::new("请按日期先后记录变更", "record events in order of their days")),
            other => {
                let (code, child) = match other {
                    Self::DivisionNotEmpty { code, child } => (code.as_str(), child.as_str()),
                    _ => ("", ""),
                };
                say(
                    Kind::Conflict,
                    text!("区划 `{code}` 下还有 `{child}`", "division `{code}` still contains `{child}`"),
                )
                .hint(Text::new("请先移走或合并其下的区划", "move or merge what lies in it first"))
            }
        }
    }
}

impl Conflict {
    /// What was changed meanwhile; no values, since they may be personal.
    pub fn text(&self) -> Text {
        match self {
            Self::Stream(StreamConflict { stream, expected, found }) => text!(
                "流 `{stream}` 有 {found} 条事件，而不是 {expected} 条",
                "stream `{stream}` has {found} events and not {expected}"
            ),
            Self::Record(conflict) => conflict.text(),
        }
    }
}

impl RecordConflict {
    fn text(&self) -> Text {
        let Self { entity, key, .. } = self;
        let (zh, en) = match (self.expected, self.found) {
            (Expected::Absent, _) => ("已经存在", "is there already"),
            (_, None) => ("已不存在", "is no longer there"),
            (_, Some(_)) => ("已被修改", "was changed"),
        };
        let names: Vec<String> = self.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        let (zh_names, en_names) = if names.is_empty() {
            (String::new(), String::new())
        } else {
            (format!("（{}）", names.join("、")), format!(" ({})", names.join(", ")))
        };
        text!("`{entity}` `{key}` {zh}{zh_names}", "`{entity}` `{key}` {en}{en_names}")
    }
}

fn sqlite_text(error: &rusqlite::Error) -> Text {
    let (zh, en) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ("磁盘已满，未作任何更改", "the disk is full; nothing was changed"),
        Some(ErrorCode::ReadOnly) => ("登记库所在处只读", "the place of the registry is read-only"),
        Some(ErrorCode::CannotOpen) => {
            ("数据库文件打不开，请检查权限", "the database cannot be opened; check permissions")
        }
        Some(ErrorCode::OutOfMemory) => ("内存不足", "there is not enough memory"),
        Some(ErrorCode::SystemIoFailure) => {
            ("磁盘读写出错（可能已满），未作任何更改", "the disk fails or is full; nothing was changed")
        }
        _ => return text!("数据库出错（`{error}`）", "the database failed: {error}"),
    };
    Text::new(zh, en)
}
