//! What is said beside a run's figures: which findings wait for a person, and whether its records are of another time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use engine::RunManifest;
use model::access::mask;
use model::{Date, Lang};
use pack::program::{Dated, ExprKind, Parameter, ParameterId, ParameterShape, Program, Type, Value};

use crate::cells::cell;
use crate::explain::{ExplainError, StoredRun};
use crate::tables::{StoredTable, TableError};

/// Findings of one code that are named.
const NAMED: usize = 3;

/// A line for each code of findings: how many, the first records, and the command that lists all of them.
///
/// # Errors
/// A run whose findings cannot be read.
pub fn findings_text(
    program: &Program,
    manifest: &RunManifest,
    run: Option<&Path>,
    lang: Lang,
) -> Result<String, TableError> {
    let first = match run {
        Some(run) => first_of_each(program, run, lang)?,
        None => BTreeMap::new(),
    };
    let mut text = String::new();
    text.push_str(if lang == Lang::Zh { "需人工处理：\n" } else { "findings for a person:\n" });
    for (code, count) in &manifest.findings {
        let named = first.get(code).map(Vec::as_slice).unwrap_or_default();
        let more = if (*count as usize) > named.len() {
            if lang == Lang::Zh { "，…" } else { ", …" }
        } else {
            ""
        };
        let _ = match (named.is_empty(), lang) {
            (true, _) => writeln!(text, "  {code} {count}"),
            (false, Lang::Zh) => writeln!(text, "  {code} {count}：{}{more}", named.join("，")),
            (false, Lang::En) => writeln!(text, "  {code} {count}: {}{more}", named.join(", ")),
        };
    }
    if let Some(run) = run {
        let all =
            format!("xiaokang sql --run {} \"select entity, key, code, rule from findings\"", run.display());
        let _ = match lang {
            Lang::Zh => writeln!(text, "全部列出：{all}"),
            Lang::En => writeln!(text, "all of them: {all}"),
        };
    }
    Ok(text)
}

/// The first records of each code, as `户 51333610020400019`.
fn first_of_each(
    program: &Program,
    run: &Path,
    lang: Lang,
) -> Result<BTreeMap<String, Vec<String>>, TableError> {
    let table = StoredTable::open(&run.join("findings.parquet"))?;
    let Some(batch) = table.columns(&["entity", "key", "code"])? else { return Ok(BTreeMap::new()) };
    let mut first: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let text = |column: usize| match cell(batch.column(column), row) {
            Some(Value::Text(text)) => text,
            _ => String::new(),
        };
        let named = first.entry(text(2)).or_default();
        if named.len() >= NAMED {
            continue;
        }
        let Some(entity) = program.entity_named(&text(0)).map(|id| program.entity(id)) else { continue };
        let label = if entity.label.get(lang).is_empty() { &entity.name } else { entity.label.get(lang) };
        let record = format!("{label} {}", mask(&text(1), program.class(entity.key)));
        if !named.contains(&record) {
            named.push(record);
        }
    }
    Ok(first)
}

/// A line that names the parameters that results read on the day of a run and that have no value in force then; nothing
/// where all have one.
pub fn not_in_force(program: &Program, as_of: Date, lang: Lang) -> Option<String> {
    let mut read: BTreeSet<ParameterId> = BTreeSet::new();
    for id in &program.order {
        for expr in program.column(*id).expressions() {
            expr.each(&mut |part| match &part.kind {
                ExprKind::Parameter { id, at: None, .. }
                | ExprKind::Bracket { parameter: id, at: None, .. } => {
                    read.insert(*id);
                }
                _ => {}
            });
        }
    }
    let lacking = read.into_iter().map(|id| &program.parameters[id.index()]);
    let lacking: Vec<&str> =
        lacking.filter(|known| !in_force(known, as_of)).map(|known| known.id.as_str()).collect();
    let (named, rest) = lacking.split_at(lacking.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" (+{})", rest.len()) };
    (!named.is_empty()).then(|| match lang {
        Lang::Zh => {
            format!("注意：参数 {}{more} 在 {as_of} 没有有效值，用到它们的结果未知\n", named.join("、"))
        }
        Lang::En => format!(
            "warning: no value of {}{more} is in force on {as_of}: results that read them are unknown\n",
            named.join(", ")
        ),
    })
}

fn in_force(parameter: &Parameter, as_of: Date) -> bool {
    fn any<T>(values: &[Dated<T>], as_of: Date) -> bool {
        values.iter().any(|dated| dated.from <= as_of && dated.until.is_none_or(|until| as_of < until))
    }
    match &parameter.shape {
        ParameterShape::Scalar(values) => any(values, as_of),
        ParameterShape::Table { values, .. } => any(values, as_of),
        ParameterShape::Brackets { values, .. } => any(values, as_of),
    }
}

/// Records that end long before the day on which the pack is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    pub as_of: Date,
    /// The latest date that any record holds.
    pub latest: Date,
}

/// Days after the latest record from which on it is said.
const STALE_DAYS: i32 = 366;

/// Whether no record of a run holds a date within a year before its day: then it was applied to another time than its
/// records are of.
///
/// # Errors
/// A snapshot that cannot be read.
pub fn stale_records(program: &Program, run: &StoredRun) -> Result<Option<Stale>, ExplainError> {
    let mut latest: Option<Date> = None;
    for entity in &program.entities {
        let dates =
            entity.fields.iter().map(|id| program.column(*id)).filter(|column| column.ty == Type::Date);
        let dates: Vec<&str> = dates.map(|column| column.name.as_str()).collect();
        if dates.is_empty() {
            continue;
        }
        let table = StoredTable::open(&run.snapshot.join(format!("{}.parquet", entity.name)))?;
        for name in dates {
            latest = latest.max(table.latest(name)?);
        }
    }
    let as_of = run.as_of;
    let stale = latest.filter(|latest| Date::days_between(*latest, as_of) > STALE_DAYS);
    Ok(stale.map(|latest| Stale { as_of, latest }))
}

impl Stale {
    /// One line.
    pub fn to_text(self, lang: Lang) -> String {
        let Self { as_of, latest } = self;
        match lang {
            Lang::Zh => format!(
                "注意：截至日是 {as_of}，而登记的记录中最晚的日期是 {latest}，相隔一年以上：请核对 `--as-of`\n"
            ),
            Lang::En => format!(
                "warning: the pack is applied as of {as_of}, and no record holds a date after {latest}, over a year \
                 before: check `--as-of`\n"
            ),
        }
    }
}
