//! What an import has to say of sheets and columns as a whole, rather than of one cell.

use model::{Lang, Text, normalise_header};
use pack::program::Blank;
use serde_json::{Value, json};

use super::incomplete::Incomplete;
use super::keep::Erasure;
use super::link::Tables;
use super::schema::{EntityPlan, FieldPlan, Reader, Schema};
use super::source::Source;
use super::stage::{Part, Table};

/// Rows from which a column that is nearly empty is worth a word.
const ROWS_MIN: usize = 10;
/// Of a hundred rows, how many are filled at most in a column that is nearly empty.
const FILLED_PERCENT_MAX: usize = 5;
/// How alike two headings are that may mean the same, from 0 to 1.
const LIKENESS_MIN: f64 = 0.6;

/// Something about a file, a sheet or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub file: String,
    /// Empty if it is about the file.
    pub sheet: String,
    /// The heading as written, or the label of a field without a column.
    pub column: Option<String>,
    /// Stable, in kebab case.
    pub code: &'static str,
    /// Whether a person has something to look at.
    pub attention: bool,
    pub message: Text,
}

impl Notice {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "file": self.file, "sheet": self.sheet, "column": self.column, "code": self.code,
            "severity": if self.attention { "warning" } else { "note" },
            "message": { "zh": self.message.zh, "en": self.message.en },
        })
    }

    pub(super) fn line(&self, lang: Lang) -> String {
        let stem = self.file.rsplit_once('.').map_or(self.file.as_str(), |(stem, _)| stem);
        let sheet = if self.sheet.is_empty() || self.sheet == stem { "" } else { self.sheet.as_str() };
        let message = self.message.get(lang);
        match (lang, sheet) {
            (Lang::Zh, "") => format!("{}：{message}", self.file),
            (Lang::Zh, sheet) => format!("{}（{sheet}）：{message}", self.file),
            (Lang::En, "") => format!("{}: {message}", self.file),
            (Lang::En, sheet) => format!("{} ({sheet}): {message}", self.file),
        }
    }
}

/// A lock file that lies beside a workbook while it is open.
pub fn lock_file(file: String) -> Notice {
    Notice {
        file,
        sheet: String::new(),
        column: None,
        code: "lock-file-skipped",
        attention: false,
        message: Text::new(
            "是表格软件的锁定文件，已跳过；工作簿可能正被打开，请确认已保存",
            "a lock file of a spreadsheet program, skipped; the workbook may be open: make sure that it is saved",
        ),
    }
}

/// Sheets that are not read: hidden ones, and those in which nothing is known.
pub fn sheets(sources: &[Source], recognised: &[(usize, &str)]) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let notice = |sheet: &str, code, message| Notice {
            file: source.name.clone(),
            sheet: sheet.to_owned(),
            column: None,
            code,
            attention: false,
            message,
        };
        notices.extend(source.hidden.iter().map(|sheet| {
            let message = Text::new(
                format!("隐藏的表“{sheet}”未读取；如需导入，请先取消隐藏"),
                format!("the hidden sheet `{sheet}` was not read; show it if it is to be imported"),
            );
            notice(sheet, "sheet-hidden", message)
        }));
        notices.extend(source.sheets.iter().filter(|sheet| !recognised.contains(&(file, sheet))).map(
            |sheet| {
                let message = Text::new(
                    format!("表“{sheet}”中没有可识别的表头，未读取"),
                    format!("the sheet `{sheet}` has no header that is known, and was not read"),
                );
                notice(sheet, "sheet-unrecognised", message)
            },
        ));
    }
    notices
}

/// Columns that are missing, misspelled or nearly empty.
pub fn columns(schema: &Schema<'_>, tables: &Tables, sources: &[Source]) -> Vec<Notice> {
    let mut notices = Vec::new();
    for table in tables.iter().flatten() {
        let entity = schema.entity(table.entity);
        for part in &table.parts {
            let about = About { entity, table, part, source: &sources[part.file] };
            about.misspelled(&mut notices);
            about.nearly_empty(&mut notices);
        }
    }
    notices
}

struct About<'a> {
    entity: &'a EntityPlan,
    table: &'a Table,
    part: &'a Part,
    source: &'a Source,
}

impl About<'_> {
    fn notice(&self, column: &str, code: &'static str, message: Text) -> Notice {
        Notice {
            file: self.source.name.clone(),
            sheet: self.part.sheet.clone(),
            column: Some(column.to_owned()),
            code,
            attention: true,
            message,
        }
    }

    /// Unknown headings that resemble a field without a column.
    fn misspelled(&self, notices: &mut Vec<Notice>) {
        let header = &self.part.header;
        let fields = self.entity.fields.iter().enumerate();
        let absent: Vec<&FieldPlan> = fields
            .filter(|(field, _)| header.column_of(*field).is_none() && self.entity.is_read(*field))
            .map(|(_, field)| field)
            .collect();
        for title in header.dropped() {
            let alike = absent.iter().map(|field| (likeness(title, &field.label.zh), field));
            let Some((score, field)) = alike.max_by(|one, other| one.0.total_cmp(&other.0)) else { return };
            if score < LIKENESS_MIN {
                continue;
            }
            let label = &field.label;
            notices.push(self.notice(
                title,
                "column-similar",
                Text::new(
                    format!("列“{title}”不认识，未导入；是否为“{}”？若是，请改为该列名", label.zh),
                    format!("the column `{title}` is not known and was not taken; is it `{}` ({})? Then call it so", label.zh, label.en),
                ),
            ));
        }
    }

    /// Columns of numbers with hardly a number in them.
    fn nearly_empty(&self, notices: &mut Vec<Notice>) {
        if self.part.read < ROWS_MIN {
            return;
        }
        let rows = || self.part.base..self.part.base + self.part.read;
        for (position, title) in self.part.header.titles.iter().enumerate() {
            let Some((field, _)) = self.part.header.columns[position] else { continue };
            let plan = &self.entity.fields[field];
            let Some(column) = &self.table.columns[field] else { continue };
            if !matches!(plan.reader, Reader::Number { .. }) || plan.blank != Blank::Unknown {
                continue;
            }
            let filled = rows().filter(|row| !column.is_unknown(*row)).count();
            if filled * 100 <= self.part.read * FILLED_PERCENT_MAX {
                let (read, label) = (self.part.read, &plan.label);
                notices.push(self.notice(
                    title,
                    "column-empty",
                    Text::new(
                        format!("列“{title}”共 {read} 行，只有 {filled} 行有数；空白一律视为“{}”未知", label.zh),
                        format!("the column `{title}` has a number in {filled} of {read} rows; where it is blank, the {} is unknown", label.en),
                    ),
                ));
            }
        }
    }
}

/// From 0 to 1; units in brackets and spaces do not matter.
fn likeness(title: &str, label: &str) -> f64 {
    let bare = |text: &str| {
        let normal = normalise_header(text);
        let end = normal.rfind('(').filter(|start| *start > 0).unwrap_or(normal.len());
        normal[..end].trim_matches(['*', ':']).to_owned()
    };
    let (title, label) = (bare(title), bare(label));
    // One word of a short name is another name (户主 is no 户主姓名).
    if title.chars().count() < 3 { 0.0 } else { strsim::normalized_levenshtein(&title, &label) }
}

/// Empty cells over recorded values.
pub fn erasures(
    schema: &Schema<'_>,
    tables: &Tables,
    sources: &[Source],
    found: &[Erasure],
    allowed: bool,
) -> Vec<Notice> {
    let of = |erasure: &Erasure| {
        let table = tables[erasure.entity.index()].as_ref()?;
        let part = &table.parts[erasure.part];
        let title =
            part.header.column_of(erasure.field).map(|position| part.header.titles[position].clone())?;
        let entity = &schema.entity(erasure.entity).label;
        let count = erasure.count;
        let message = if allowed {
            Text::new(
                format!("列“{title}”有 {count} 条已登记{}的值被空白清除", entity.zh),
                format!(
                    "blanks in the column `{title}` erased the recorded value of {count} records ({})",
                    entity.en
                ),
            )
        } else {
            Text::new(
                format!(
                    "列“{title}”空白，而 {count} 条已登记的{}有值：已保留原值。确要清除，请加 --allow-erase",
                    entity.zh
                ),
                format!(
                    "the column `{title}` is blank where {count} records ({}) have a value, which was kept; to erase it, add --allow-erase",
                    entity.en
                ),
            )
        };
        Some(Notice {
            file: sources[part.file].name.clone(),
            sheet: part.sheet.clone(),
            column: Some(title),
            code: if allowed { "values-erased" } else { "values-kept" },
            attention: !allowed,
            message,
        })
    };
    found.iter().filter_map(of).collect()
}

/// Records that wait for a refused child.
pub fn incomplete(
    schema: &Schema<'_>,
    tables: &Tables,
    sources: &[Source],
    found: &[Incomplete],
) -> Vec<Notice> {
    let of = |family: &Incomplete| {
        let (entity, row) = family.cause;
        let table = tables[entity.index()].as_ref()?;
        let part = &table.parts[table.part_of(row as usize)];
        let (parent, child) = (&schema.entity(family.parent).label, &schema.entity(family.child).label);
        let Incomplete { key, refused, children, .. } = family;
        let number = table.numbers[row as usize];
        Some(Notice {
            file: sources[part.file].name.clone(),
            sheet: part.sheet.clone(),
            column: None,
            code: "family-incomplete",
            attention: true,
            message: Text::new(
                format!(
                    "{} {key} 的“{}”记录 {children} 条中有 {refused} 条未导入（第 {number} 行）：按人数计算的结果会失真，整户等待改正",
                    parent.zh, child.zh
                ),
                format!(
                    "{refused} of the {children} records ({}) of {} {key} were refused (row {number}): figures by their number would be wrong, so all of them wait",
                    child.en, parent.en
                ),
            ),
        })
    };
    found.iter().filter_map(of).collect()
}
