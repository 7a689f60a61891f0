//! The reference of a pack: data dictionary, parameters, rules and clauses, as pages and as a workbook.

use std::path::{Path, PathBuf};

use askama::Template;
use model::{AsProblem as _, Lang, Text};
use pack::program::{Blank, ColumnKind, DataClass, Dated, ParameterShape, Program, Source, Type, Value};
use pack::type_text;
use rust_xlsxwriter::{Color, Format, Workbook, XlsxError};
use thiserror::Error;

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum DictionaryError {
    Io { path: String, source: std::io::Error },
    Workbook(#[from] XlsxError),
    Page(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "dictionary.html")]
struct Page {
    lang: &'static str,
    title: String,
    about: String,
    /// File, tag and name of the other language's page.
    other: (&'static str, &'static str, &'static str),
    sections: Vec<Section>,
}

struct Section {
    id: &'static str,
    title: String,
    intro: String,
    tables: Vec<Table>,
}

struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

struct Cell {
    text: String,
    look: Look,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Code,
    Date,
    Assumed,
}

fn plain(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), look: Look::Plain }
}

fn code(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), look: Look::Code }
}

fn date(text: String) -> Cell {
    Cell { text, look: Look::Date }
}

/// Writes `index.html` (Chinese), `index.en.html` and `dictionary.xlsx` into a folder.
pub fn write(program: &Program, folder: &Path) -> Result<Vec<PathBuf>, DictionaryError> {
    let io = |path: &Path| {
        let path = path.display().to_string();
        move |source| DictionaryError::Io { path, source }
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let mut written = Vec::new();
    for (lang, name) in [(Lang::Zh, "index.html"), (Lang::En, "index.en.html")] {
        let path = folder.join(name);
        let page = page(program, lang).render()?;
        std::fs::write(&path, page).map_err(io(&path))?;
        written.push(path);
    }
    let path = folder.join("dictionary.xlsx");
    workbook(program)?.save(&path)?;
    written.push(path);
    Ok(written)
}

/// Says a thing in one of the two languages.
#[derive(Clone, Copy)]
struct Say(Lang);

impl Say {
    fn both(self, zh: &str, en: &str) -> String {
        match self.0 {
            Lang::Zh => zh.to_owned(),
            Lang::En => en.to_owned(),
        }
    }

    fn comma(self) -> &'static str {
        if self.0 == Lang::Zh { "、" } else { ", " }
    }

    fn text(self, text: &Text) -> String {
        text.get(self.0).to_owned()
    }
}

fn page(program: &Program, lang: Lang) -> Page {
    let say = Say(lang);
    Page {
        lang: lang.as_str(),
        title: format!(
            "{} · {}",
            say.text(&program.info.title),
            say.both("数据字典与规则", "data dictionary and rules")
        ),
        about: format!(
            "{} {} · {} {}",
            say.both("政策包", "pack"),
            program.info.id,
            say.both("版本", "version"),
            program.info.version
        ),
        other: match lang {
            Lang::Zh => ("index.en.html", "en", "English"),
            Lang::En => ("index.html", "zh", "中文"),
        },
        sections: sections(program, say),
    }
}

fn sections(program: &Program, say: Say) -> Vec<Section> {
    vec![
        Section {
            id: "entities",
            title: say.both("实体与字段", "Entities and fields"),
            intro: String::new(),
            tables: entities(program, say),
        },
        Section {
            id: "lists",
            title: say.both("代码表", "Code lists"),
            intro: String::new(),
            tables: lists(program, say),
        },
        Section {
            id: "parameters",
            title: say.both("参数", "Parameters"),
            intro: say.both(
                "标为“示例值”的数值没有公开来源，使用前必须由县里替换。",
                "Values marked `assumed` have no public source; an office must replace them before use.",
            ),
            tables: vec![parameters(program, say)],
        },
        Section {
            id: "rules",
            title: say.both("规则", "Rules"),
            intro: String::new(),
            tables: vec![rules(program, say)],
        },
        Section {
            id: "clauses",
            title: say.both("条款", "Clauses"),
            intro: String::new(),
            tables: vec![clauses(program, say)],
        },
        Section {
            id: "cases",
            title: say.both("算例", "Worked cases"),
            intro: String::new(),
            tables: vec![cases(program, say)],
        },
        Section {
            id: "functions",
            title: say.both("表达式中的函数", "Functions in expressions"),
            intro: say.both(
                "只允许在 DataFusion、PostgreSQL 和 DuckDB 中含义相同的写法。",
                "Only what means the same in DataFusion, PostgreSQL and DuckDB is allowed.",
            ),
            tables: vec![Table {
                title: String::new(),
                head: vec![say.both("写法", "usage")],
                rows: pack::FUNCTIONS.iter().map(|(_, usage)| vec![code(*usage)]).collect(),
            }],
        },
    ]
}

fn entities(program: &Program, say: Say) -> Vec<Table> {
    let head = vec![
        say.both("字段", "field"),
        say.both("名称", "label"),
        say.both("类型", "type"),
        say.both("范围", "range"),
        say.both("必填", "required"),
        say.both("空白", "blank"),
        say.both("个人信息", "personal data"),
        say.both("表头别名", "header aliases"),
    ];
    program
        .entities
        .iter()
        .map(|entity| Table {
            title: format!("{} · {}", say.text(&entity.label), entity.name),
            head: head.clone(),
            rows: entity
                .fields
                .iter()
                .filter(|id| !program.column(**id).is_hidden())
                .filter_map(|id| {
                    let column = program.column(*id);
                    let ColumnKind::Field(field) = &column.kind else { return None };
                    Some(vec![
                        code(&column.name),
                        plain(say.text(&column.label)),
                        code(type_text(&column.ty, &program.lists)),
                        plain(range_text(program, &column.ty, column.range, say)),
                        plain(if field.required { say.both("是", "yes") } else { String::new() }),
                        plain(match field.blank {
                            _ if field.derived.is_some() => say.both("推算，不填", "derived, not entered"),
                            Blank::Unknown => say.both("未知", "unknown"),
                            Blank::No => say.both("否", "no"),
                            Blank::Zero => "0".to_owned(),
                        }),
                        plain(pii_text(field.pii, say)),
                        plain(field.aliases.join(say.comma())),
                    ])
                })
                .collect(),
        })
        .collect()
}

fn range_text(program: &Program, ty: &Type, range: Option<pack::program::Range>, say: Say) -> String {
    let Some(range) = range else { return String::new() };
    let show = |value: i128| crate::value_text(program, ty, Some(&Value::Number(value)), say.0);
    format!("{} – {}", show(range.min), show(range.max))
}

fn pii_text(pii: DataClass, say: Say) -> String {
    match pii {
        DataClass::Open => String::new(),
        DataClass::Name => say.both("姓名", "name"),
        DataClass::Identity => say.both("证件号码", "identity number"),
        DataClass::Contact => say.both("联系方式", "contact"),
        DataClass::Account => say.both("账号", "account"),
        DataClass::Personal => say.both("其他个人信息", "other personal data"),
        DataClass::Health => say.both("健康", "health"),
    }
}

fn lists(program: &Program, say: Say) -> Vec<Table> {
    program
        .lists
        .iter()
        .map(|list| Table {
            title: format!("{} · {}", say.text(&list.label), list.id),
            head: vec![
                say.both("代码", "code"),
                "中文".to_owned(),
                "English".to_owned(),
                say.both("别名", "aliases"),
            ],
            rows: list
                .codes
                .iter()
                .map(|item| {
                    vec![
                        code(&item.code),
                        plain(&item.label.zh),
                        plain(&item.label.en),
                        plain(item.aliases.join(say.comma())),
                    ]
                })
                .collect(),
        })
        .collect()
}

/// The worked cases, with what each is there for.
fn cases(program: &Program, say: Say) -> Table {
    let cited =
        |cite: &[model::ClauseId]| cite.iter().map(ToString::to_string).collect::<Vec<_>>().join(say.comma());
    Table {
        title: String::new(),
        head: vec![say.both("名称", "name"), say.both("条款", "clauses"), say.both("用意", "why")],
        rows: program
            .cases
            .iter()
            .map(|case| {
                let why = case.why.clone().unwrap_or_default();
                vec![plain(&case.name), plain(cited(&case.cite)), plain(why)]
            })
            .collect(),
    }
}

fn parameters(program: &Program, say: Say) -> Table {
    let mut rows = Vec::new();
    for parameter in &program.parameters {
        let mut add = |from: String, until: String, value: String, source: &Source| {
            let assumed = *source == Source::Assumed;
            let source = match source {
                Source::Official(reference) => reference.clone(),
                Source::Assumed => say.both("示例值", "assumed"),
                Source::Override => say.both("本次设定", "set for this run"),
            };
            rows.push(vec![
                code(&parameter.id),
                plain(match &parameter.reading {
                    Some(word) => format!(
                        "{}{}",
                        say.text(&parameter.label),
                        say.both(
                            &format!("（对“{}”的理解）", word.zh),
                            &format!(" (a reading of “{}”)", word.en)
                        ),
                    ),
                    None => say.text(&parameter.label),
                }),
                date(from),
                date(until),
                plain(value),
                Cell { text: source, look: if assumed { Look::Assumed } else { Look::Plain } },
            ]);
        };
        let show = |value: &Value| crate::value_text(program, &parameter.ty, Some(value), say.0);
        match &parameter.shape {
            ParameterShape::Scalar(values) => {
                for dated in values {
                    add(dated.from.to_string(), until(dated), show(&dated.value), &dated.source);
                }
            }
            ParameterShape::Table { list, values } => {
                let codes = &program.lists[list.index()].codes;
                for dated in values {
                    let entries = codes.iter().filter_map(|code| {
                        let value = dated.value.get(&code.code)?;
                        Some(format!("{}{}{}", say.text(&code.label), say.both("：", ": "), show(value)))
                    });
                    let entries: Vec<String> = entries.collect();
                    add(
                        dated.from.to_string(),
                        until(dated),
                        entries.join(&say.both("；", "; ")),
                        &dated.source,
                    );
                }
            }
            ParameterShape::Brackets { over, values } => {
                let over = Type::Number(over.clone());
                for dated in values {
                    let steps: Vec<String> = dated
                        .value
                        .iter()
                        .map(|step| {
                            let from =
                                crate::value_text(program, &over, Some(&Value::Number(step.from)), say.0);
                            format!("≥ {from}: {}", show(&Value::Number(step.rate)))
                        })
                        .collect();
                    add(dated.from.to_string(), until(dated), steps.join("; "), &dated.source);
                }
            }
        }
    }
    Table {
        title: String::new(),
        head: vec![
            say.both("参数", "parameter"),
            say.both("名称", "label"),
            say.both("自", "from"),
            say.both("至（不含）", "until"),
            say.both("数值", "value"),
            say.both("来源", "source"),
        ],
        rows,
    }
}

fn until<T>(dated: &Dated<T>) -> String {
    dated.until.map(|date| date.to_string()).unwrap_or_default()
}

fn rules(program: &Program, say: Say) -> Table {
    let rows = program
        .rules
        .iter()
        .enumerate()
        .map(|(position, rule)| {
            let cite: Vec<String> = rule.cite.iter().map(ToString::to_string).collect();
            let expressions: Vec<String> = program
                .columns
                .iter()
                .filter(|column| {
                    column.rule.is_some_and(|rule| rule.index() == position) && !column.is_hidden()
                })
                .map(|column| format!("{}: {}", column.name, source_text(program, column.span)))
                .collect();
            vec![
                code(&rule.id),
                plain(say.text(&rule.kind.name())),
                plain(rule.entity.map(|entity| say.text(&program.entity(entity).label)).unwrap_or_default()),
                plain(say.text(&rule.title)),
                plain(cite.join(", ")),
                code(expressions.join("\n")),
            ]
        })
        .collect();
    Table {
        title: String::new(),
        head: vec![
            say.both("规则", "rule"),
            say.both("类别", "kind"),
            say.both("对象", "on"),
            say.both("标题", "title"),
            say.both("条款", "clauses"),
            say.both("结果列", "columns"),
        ],
        rows,
    }
}

/// Where a column is declared: file and line.
fn source_text(program: &Program, span: pack::program::Span) -> String {
    let Some(file) = program.files.get(span.file as usize) else { return String::new() };
    let line = file.text.get(..span.start as usize).unwrap_or("").matches('\n').count() + 1;
    format!("{}:{line}", file.name)
}

/// Kinds of clauses in words; one that has no word of its own is named by its id.
fn clause_kind(kind: &str, say: Say) -> String {
    let (zh, en) = match kind {
        "asset" => ("资产", "asset"),
        "benefit" => ("待遇", "benefit"),
        "duty" => ("责任", "duty"),
        "flow" => ("程序", "flow"),
        "fund" => ("资金", "fund"),
        "measure" => ("指标", "measure"),
        "open" => ("公开", "open"),
        "outside" => ("不实施", "outside"),
        "principle" => ("原则", "principle"),
        "programme" => ("项目", "programme"),
        "register" => ("登记", "register"),
        "standard" => ("标准", "standard"),
        other => (other, other),
    };
    say.both(zh, en)
}

fn clauses(program: &Program, say: Say) -> Table {
    let rows = program
        .clauses
        .iter()
        .map(|clause| {
            vec![
                plain(clause.id.to_string()),
                plain(clause_kind(&clause.kind, say)),
                plain(say.text(&clause.summary)),
                plain(clause.reason.as_ref().map(|reason| say.text(reason)).unwrap_or_default()),
            ]
        })
        .collect();
    Table {
        title: String::new(),
        head: vec![
            say.both("条款", "clause"),
            say.both("类别", "kind"),
            say.both("摘要", "summary"),
            say.both("不执行的理由", "why nothing is executed"),
        ],
        rows,
    }
}

fn workbook(program: &Program) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let head = Format::new().set_bold().set_background_color(Color::RGB(0x00E8_EEF4)).set_text_wrap();
    let bold = Format::new().set_bold();
    for lang in Lang::ALL {
        for section in sections(program, Say(lang)) {
            let sheet = book.add_worksheet();
            sheet.set_name(section.title.chars().take(31).collect::<String>())?;
            let mut row = 0;
            for table in &section.tables {
                if !table.title.is_empty() {
                    sheet.write_with_format(row, 0, table.title.as_str(), &bold)?;
                    row += 1;
                }
                for (column, text) in table.head.iter().enumerate() {
                    sheet.write_with_format(row, column as u16, text.as_str(), &head)?;
                }
                row += 1;
                for cells in &table.rows {
                    for (column, cell) in cells.iter().enumerate() {
                        sheet.write(row, column as u16, cell.text.as_str())?;
                    }
                    row += 1;
                }
                row += 1;
            }
            sheet.set_column_range_width(0, 6, 22)?;
        }
    }
    Ok(book)
}
