//! What goes wrong where records are made, in the words of whoever wanted them.

use model::{AsProblem, Problem, ProblemKind as Kind, Text, text};

use crate::SynthError;

impl AsProblem for SynthError {
    fn problem(&self) -> Problem {
        match self {
            Self::ProfileText { file, detail } => Problem::new(
                Kind::Input,
                "profile-text",
                text!("模拟配置 `{file}`：`{detail}`", "profile `{file}`: {detail}"),
            ),
            Self::Profile { place, detail } => {
                let words = text!("`{place}` 的模拟配置：`{detail}`", "profile of `{place}`: {detail}");
                Problem::new(Kind::Input, "profile", words)
            }
            Self::Circle { circle } => Problem::new(
                Kind::Input,
                "profile-circle",
                text!("模拟配置循环引用：`{circle}`", "the profile goes in a circle: {circle}"),
            ),
            Self::DivisionsMissing => Problem::new(
                Kind::Missing,
                "divisions-missing",
                Text::new(
                    "政策包有区划，却没有区划表",
                    "the pack has divisions and no list of them was given",
                ),
            )
            .hint(Text::new(
                "有区划的政策包应附 `data/divisions.csv`",
                "a pack with divisions ships them as data/divisions.csv",
            )),
            Self::DivisionParent { code, entity } => Problem::new(
                Kind::Input,
                "division-parent",
                text!(
                    "区划 `{code}` 没有 `{entity}` 一级的上级",
                    "division `{code}` has no parent of the level of `{entity}`"
                ),
            ),
            Self::Provinces { count, max } => Problem::new(
                Kind::Input,
                "provinces",
                text!(
                    "{count} 个省不够各自编码；最多 {max} 个",
                    "`{count}` provinces cannot have codes of their own; there are {max} at most"
                ),
            ),
            Self::SheetFull { entity, max } => Problem::new(
                Kind::Input,
                "sheet-full",
                text!(
                    "一张表最多 {max} 行，`{entity}` 超过了",
                    "a sheet holds {max} rows, and `{entity}` has more"
                ),
            )
            .hint(Text::new("请减少人数，或选 `--format csv`", "make fewer persons, or choose --format csv")),
            Self::TooMany => Problem::new(
                Kind::Input,
                "too-many-rows",
                Text::new(
                    "某个实体超过 2,147,483,647 行，快照无法编号",
                    "there are more than 2,147,483,647 rows of an entity, and a snapshot cannot number them",
                ),
            ),
            Self::OutExists { path } => Problem::new(
                Kind::Conflict,
                "out-exists",
                text!("`{path}` 已存在", "`{path}` is there already"),
            )
            .hint(Text::new("请另选文件夹，或先移走它", "name another folder, or remove it")),
            Self::Write { path, detail } => Problem::new(
                Kind::Machine,
                "io",
                text!("`{path}` 写不进去（`{detail}`）", "`{path}` cannot be written: {detail}"),
            ),
            Self::Store(error) => error.problem(),
        }
    }
}
