//! The totals of a run as people and programs read them: what is known, beside it what is not, and what is missing
//! where too little is known.
//!
//! A total says nothing of the records that it leaves out. So none is shown without their number, and a run whose
//! figures rest on too few known records says so before it shows any.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::{RunManifest, exact_json};
use evaluate::explain::{Asked, GapKind};
use model::{Lang, Text};
use pack::program::{Program, Total, TotalFunction, Type};
use serde_json::{Value as Json, json};

use crate::explain::{ExplainError, StoredRun, explain_row};
use crate::run_records::RunRecords;

/// One total of a run.
#[derive(Clone, Copy, Debug)]
pub struct Figure<'a> {
    pub total: &'a Total,
    /// A count, or a sum scaled as its column.
    pub value: i128,
    /// Records that it leaves out because their condition or value is unknown.
    pub unknown: u64,
    /// Records that it is about, the unknown ones included.
    pub subjects: u64,
}

/// The totals of a run in the pack's order. Those that the manifest lacks are left out.
pub fn figures<'a>(program: &'a Program, manifest: &RunManifest) -> Vec<Figure<'a>> {
    let figure = |total: &'a Total| {
        let of = |numbers: &BTreeMap<String, u64>| numbers.get(&total.id).copied();
        let value = *manifest.totals.get(&total.id)?;
        Some(Figure { total, value, unknown: of(&manifest.unknown)?, subjects: of(&manifest.subjects)? })
    };
    program.totals.iter().filter_map(figure).collect()
}

impl Figure<'_> {
    /// Whether it counts records by a condition or adds up values: what can be unknown at all.
    pub fn rests_on_facts(&self) -> bool {
        !matches!(self.total.function, TotalFunction::Count)
    }

    /// Whether fewer of its records are known than the pack asks for.
    pub fn is_unreliable(&self, program: &Program) -> bool {
        let known = u128::from(self.subjects.saturating_sub(self.unknown));
        known * 100 < u128::from(self.subjects) * u128::from(program.info.known_percent_min)
    }

    /// Whether it is money, in fen.
    pub fn is_money(&self, program: &Program) -> bool {
        is_money(program, self.total)
    }

    /// The number with its unit, money in yuan.
    pub fn value_text(&self, program: &Program, lang: Lang) -> String {
        value_text(program, self.total, self.value, lang)
    }

    /// `另有 12 户未知`, `12 households unknown`.
    pub fn unknown_text(&self, program: &Program, lang: Lang) -> String {
        unknown_text(program, self.total, self.unknown, lang)
    }
}

fn is_money(program: &Program, total: &Total) -> bool {
    matches!(&total.function, TotalFunction::Sum(id)
        if matches!(&program.column(*id).ty, Type::Number(ty) if ty.is_money()))
}

/// A total as people read it, money in yuan.
pub fn value_text(program: &Program, total: &Total, value: i128, lang: Lang) -> String {
    match (is_money(program, total), i64::try_from(value)) {
        (true, Ok(fen)) => {
            let unit = if lang == Lang::Zh { " 元" } else { " yuan" };
            model::Fen::from_fen(fen).format_exact(model::MoneyUnit::Yuan) + unit
        }
        _ => value.to_string(),
    }
}

/// How many records a total leaves out.
pub fn unknown_text(program: &Program, total: &Total, unknown: u64, lang: Lang) -> String {
    let entity = program.entity(total.entity);
    let label = match entity.label.get(lang) {
        "" => entity.name.as_str(),
        label => label,
    };
    match lang {
        Lang::Zh if unknown == 0 => "无未知".to_owned(),
        // Households, persons and villages are counted without a measure word.
        Lang::Zh if label.chars().count() == 1 => format!("另有 {unknown} {label}未知"),
        Lang::Zh => format!("另有 {unknown} 条“{label}”未知"),
        Lang::En => format!("{unknown} unknown"),
    }
}

/// The totals by their stable names with what they were made from; beside them, under the same names, how many records
/// of each are unknown, and which of them rest on too few known records.
pub fn to_json(program: &Program, manifest: &RunManifest) -> Json {
    let totals = manifest.totals.iter().map(|(id, value)| (id.clone(), exact_json(*value)));
    let mut all: serde_json::Map<String, Json> = totals.collect();
    let figures = figures(program, manifest);
    let unreliable = figures.iter().filter(|figure| figure.is_unreliable(program));
    let unreliable: Vec<&str> = unreliable.map(|figure| figure.total.id.as_str()).collect();
    all.insert("unknown".to_owned(), json!(manifest.unknown));
    all.insert("unreliable".to_owned(), json!(unreliable));
    all.insert("as_of".to_owned(), json!(manifest.as_of.to_string()));
    all.insert("pack_digest".to_owned(), json!(manifest.pack.digest));
    all.insert("snapshot_digest".to_owned(), json!(manifest.snapshot.digest));
    all.insert("findings".to_owned(), json!(manifest.findings));
    Json::Object(all)
}

/// A line for each total: its title, its value, and how many records are unknown for it.
pub fn to_text(program: &Program, manifest: &RunManifest, lang: Lang) -> String {
    let figures = figures(program, manifest);
    let rows = figures.iter().map(|figure| {
        let unknown =
            if figure.rests_on_facts() { figure.unknown_text(program, lang) } else { String::new() };
        (figure.total.title.get(lang), figure.value_text(program, lang), unknown)
    });
    let rows: Vec<_> = rows.collect();
    let widest = |of: &dyn Fn(&(&str, String, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (titles, values) = (widest(&|row| columns(row.0)), widest(&|row| columns(&row.1)));
    let mut text = String::new();
    for (title, value, unknown) in &rows {
        let (after_title, before_value) =
            (" ".repeat(titles - columns(title)), " ".repeat(values - columns(value)));
        let unknown = match (unknown.is_empty(), lang) {
            (true, _) => String::new(),
            (false, Lang::Zh) => format!("（{unknown}）"),
            (false, Lang::En) => format!("  ({unknown})"),
        };
        let _ = writeln!(text, "{title}{after_title}  {before_value}{value}{unknown}");
    }
    text
}

/// Columns that a text takes on a terminal: a Chinese character takes two.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum()
}

/// Figures that rest on too few known records, and what is missing most often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub percent_min: u8,
    /// Title, known records and all of them; the worst first.
    pub figures: Vec<(Text, u64, u64)>,
    /// What the unknown records lack, if the run was kept.
    pub cause: Option<Cause>,
}

/// What is missing most often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub entity: Text,
    pub column: Text,
    /// Unknown records that lack it, of so many looked at.
    pub lacking: usize,
    pub looked_at: usize,
    /// File and sheet that these records came from, if they came from one.
    pub place: Option<(String, Option<String>)>,
    /// One of the records: entity and key, as `explain` takes them, and the rule or column to ask about.
    pub example: Option<(String, String, String)>,
}

/// What to say before any figure, if some rest on too few known records.
///
/// # Errors
/// A run whose files cannot be read.
pub fn warning(
    program: &Program,
    manifest: &RunManifest,
    run: Option<&StoredRun>,
) -> Result<Option<Warning>, ExplainError> {
    let figures = figures(program, manifest);
    let mut unreliable: Vec<&Figure<'_>> =
        figures.iter().filter(|figure| figure.is_unreliable(program)).collect();
    if unreliable.is_empty() {
        return Ok(None);
    }
    let share =
        |figure: &Figure<'_>| u128::from(figure.unknown) * 1_000_000 / u128::from(figure.subjects.max(1));
    unreliable.sort_by_key(|figure| std::cmp::Reverse(share(figure)));
    let cause = match run {
        Some(run) => cause(program, run, &unreliable)?,
        None => None,
    };
    let told = unreliable
        .iter()
        .map(|figure| (figure.total.title.clone(), figure.subjects - figure.unknown, figure.subjects));
    Ok(Some(Warning { percent_min: program.info.known_percent_min, figures: told.collect(), cause }))
}

/// Records of one figure that are asked why they are unknown.
const ASKED: usize = 8;

/// Asks some of the unknown records of each figure what they lack.
fn cause(program: &Program, run: &StoredRun, figures: &[&Figure<'_>]) -> Result<Option<Cause>, ExplainError> {
    let mut lacking: BTreeMap<(String, String), Vec<Lack>> = BTreeMap::new();
    let mut looked_at = 0;
    let records = RunRecords::new(program, run);
    for figure in figures {
        let (TotalFunction::CountTrue(column) | TotalFunction::Sum(column)) = figure.total.function else {
            continue;
        };
        let Some(sample) = run.manifest.unknown_sample.get(&figure.total.id) else { continue };
        // Spread over the sample, which is in order of rows.
        for row in sample.iter().step_by(sample.len().div_ceil(ASKED)) {
            let explained = explain_row(records, figure.total.entity, *row, Asked::Column(column))?;
            let Some(explained) = explained else { continue };
            looked_at += 1;
            let mut seen = Vec::new();
            for gap in &explained.missing {
                let at = (gap.column.entity.clone(), gap.column.name.clone());
                if seen.contains(&at) || matches!(gap.kind, GapKind::DivisionByZero) {
                    continue;
                }
                seen.push(at.clone());
                lacking
                    .entry(at)
                    .or_default()
                    .push(Lack { label: gap.column.label.clone(), missing_of: gap.column.key.clone() });
            }
        }
    }
    let most = lacking.into_iter().max_by_key(|(_, lacks)| lacks.len());
    let Some(((entity, column), lacks)) = most else { return Ok(None) };
    let keys: Vec<&str> = lacks.iter().map(|lack| lack.missing_of.as_str()).collect();
    let id = program.entity_named(&entity);
    let place = id.map(|id| records.place_of(id, &keys)).transpose()?.flatten();
    let declared = id.map(|id| program.entity(id));
    // A key that names a person is not for every terminal.
    let personal = declared.is_some_and(|declared| program.class(declared.key).is_personal());
    Ok(Some(Cause {
        entity: declared.map(|declared| declared.label.clone()).unwrap_or_default(),
        column: lacks[0].label.clone(),
        lacking: lacks.len(),
        looked_at,
        place,
        example: Some((entity, lacks[0].missing_of.clone(), column)).filter(|_| !personal),
    }))
}

struct Lack {
    label: Text,
    missing_of: String,
}

impl Warning {
    /// What is said before any figure.
    pub fn to_text(&self, lang: Lang) -> String {
        let mut text = match lang {
            Lang::Zh => format!(
                "注意：以下 {} 项合计所依据的记录，已知的不到 {}%，不能作为结论：\n",
                self.figures.len(),
                self.percent_min
            ),
            Lang::En => format!(
                "warning: of the records behind these {} totals less than {}% are known; do not rely on them:\n",
                self.figures.len(),
                self.percent_min
            ),
        };
        for (title, known, subjects) in &self.figures {
            let _ = match lang {
                Lang::Zh => writeln!(text, "  {}：{subjects} 条中已知 {known} 条", title.get(lang)),
                Lang::En => writeln!(text, "  {}: {known} of {subjects} known", title.get(lang)),
            };
        }
        if let Some(cause) = &self.cause {
            text.push_str(&cause.to_text(lang));
        }
        text
    }
}

impl Cause {
    fn to_text(&self, lang: Lang) -> String {
        let (entity, column) = (self.entity.get(lang), self.column.get(lang));
        let place = self.place.as_ref().map(|(file, sheet)| match (sheet, lang) {
            (Some(sheet), Lang::Zh) => format!("，见 {file} 的“{sheet}”表"),
            (None, Lang::Zh) => format!("，见 {file}"),
            (Some(sheet), Lang::En) => format!("; look at sheet “{sheet}” of {file}"),
            (None, Lang::En) => format!("; look at {file}"),
        });
        let place = place.unwrap_or_default();
        let (lacking, looked_at) = (self.lacking, self.looked_at);
        let mut text = match lang {
            Lang::Zh => {
                format!("最常缺少：{entity}的“{column}”（抽查 {looked_at} 条，{lacking} 条缺少）{place}\n")
            }
            Lang::En => {
                format!(
                    "missing most often: “{column}” of {entity} ({lacking} of {looked_at} looked at lack it){place}\n"
                )
            }
        };
        if let Some((entity, key, column)) = &self.example {
            let _ = match lang {
                Lang::Zh => writeln!(text, "例如：xiaokang explain --run RUN {entity} {key} {column}"),
                Lang::En => writeln!(text, "for example: xiaokang explain --run RUN {entity} {key} {column}"),
            };
        }
        text
    }
}
