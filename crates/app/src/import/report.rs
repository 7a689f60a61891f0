//! What an import did: counts by sheet, dropped columns, faults by cell, rows that wait for another.

use std::path::PathBuf;

use model::{Lang, Text};
use serde_json::{Value, json};

use super::doubt::RegisteredDoubt;
use super::fault::{Fault, Severity};
use super::link::Tables;
use super::notice::Notice;
use super::schema::Schema;
use super::settle::Held;
use super::source::Source;
use super::stage::{State, Table};
use super::write::Written;

/// The outcome of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// One for each sheet, in the order of the files.
    pub sheets: Vec<SheetReport>,
    pub dropped_columns: Vec<DroppedColumn>,
    /// Faults at their causes, in order of file, sheet, row and column.
    pub faults: Vec<Fault>,
    /// Rows without a fault of their own that stay out with the row they belong to.
    pub held: Vec<HeldRow>,
    /// Records registered before that the import belies.
    pub registered: Vec<RegisteredDoubt>,
    /// What is to be said of files, sheets and columns as a whole.
    pub notices: Vec<Notice>,
    /// Nothing was stored.
    pub preview: bool,
    /// The workbook with the faults marked, if one was written.
    pub workbook: Option<PathBuf>,
}

/// Counts of one sheet. `read = accepted + refused + held`, and `accepted = changed + unchanged`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetReport {
    pub file: String,
    pub sheet: String,
    /// Entity by its id in the pack, and in words.
    pub entity: String,
    pub label: Text,
    pub read: u64,
    pub accepted: u64,
    /// New records and records with another value than before.
    pub changed: u64,
    /// Those of them that are new.
    pub inserted: u64,
    pub unchanged: u64,
    pub refused: u64,
    pub held: u64,
    /// Warnings, not rows with warnings.
    pub warnings: u64,
    /// Totals, notes and repeated headers; blank rows are not counted.
    pub ignored_rows: u64,
}

/// A column that the pack doesn't record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedColumn {
    pub file: String,
    pub sheet: String,
    pub column: String,
    pub reason: Text,
}

/// A row that waits for another row to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRow {
    pub file: String,
    pub sheet: String,
    pub row: u32,
    /// The row with the fault.
    pub because: RowPlace,
}

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPlace {
    pub file: String,
    pub sheet: String,
    pub row: u32,
}

impl ImportReport {
    pub(super) fn new(
        schema: &Schema<'_>,
        tables: &Tables,
        sources: &[Source],
        held: &Held,
        written: &[Vec<Written>],
    ) -> Self {
        let mut report = Self::default();
        let mut sheets = Vec::new();
        let mut faults = Vec::new();
        for table in tables.iter().flatten() {
            let writing = &written[table.entity.index()];
            for (part, written) in writing.iter().enumerate() {
                let place = &table.parts[part];
                sheets.push((place.file, report_sheet(schema, table, part, sources, *written)));
                report.dropped_columns.extend(dropped(table, part, sources));
            }
            faults.extend(table.faults.iter().map(|fault| {
                let part = &table.parts[table.part_of(fault.row as usize)];
                let position = part.header.column_of(fault.field);
                let fault = public_fault(schema, table, sources, fault);
                ((part.file, part.sheet.clone(), fault.row, position), fault)
            }));
        }
        sheets.sort_by_key(|(file, _)| *file);
        faults.sort_by(|one, other| one.0.cmp(&other.0));
        report.sheets = sheets.into_iter().map(|(_, sheet)| sheet).collect();
        report.faults = faults.into_iter().map(|(_, fault)| fault).collect();
        report.held = held_rows(tables, sources, held);
        report
    }

    /// Whether a person has something to mend.
    pub fn needs_attention(&self) -> bool {
        !self.faults.is_empty()
            || !self.registered.is_empty()
            || self.notices.iter().any(|notice| notice.attention)
    }

    /// Rows stored, or found stored already.
    pub fn accepted(&self) -> u64 {
        self.sheets.iter().map(|sheet| sheet.accepted).sum()
    }

    /// For machines; the keys are stable.
    pub fn to_json(&self) -> Value {
        let sheets: Vec<Value> = self.sheets.iter().map(SheetReport::to_json).collect();
        let dropped = self.dropped_columns.iter().map(|column| {
            json!({
                "file": column.file, "sheet": column.sheet, "column": column.column,
                "reason": { "zh": column.reason.zh, "en": column.reason.en },
            })
        });
        let held = self.held.iter().map(|held| {
            json!({
                "file": held.file, "sheet": held.sheet, "row": held.row,
                "because": { "file": held.because.file, "sheet": held.because.sheet, "row": held.because.row },
            })
        });
        json!({
            "sheets": sheets,
            "dropped_columns": dropped.collect::<Vec<_>>(),
            "faults": self.faults.iter().map(Fault::to_json).collect::<Vec<_>>(),
            "held": held.collect::<Vec<_>>(),
            "registered": self.registered.iter().map(RegisteredDoubt::to_json).collect::<Vec<_>>(),
            "notices": self.notices.iter().map(Notice::to_json).collect::<Vec<_>>(),
            "preview": self.preview,
        })
    }

    /// A summary to be read, at most `faults_max` faults in full.
    pub fn summary(&self, lang: Lang, faults_max: usize) -> String {
        let mut lines: Vec<String> = Vec::new();
        if self.preview {
            lines.push(match lang {
                Lang::Zh => "预览：以下内容尚未写入登记库".to_owned(),
                Lang::En => "preview: none of this is stored".to_owned(),
            });
        }
        lines.extend(self.sheets.iter().map(|sheet| sheet.line(lang, self.preview)));
        let shown = self.notices.iter().filter(|notice| notice.attention);
        let notes = self.notices.iter().filter(|notice| !notice.attention);
        let count = shown.clone().count();
        lines.extend(shown.take(faults_max).map(|notice| notice.line(lang)));
        lines.extend(self.rest(count, faults_max, lang));
        lines.extend(notes.map(|notice| notice.line(lang)));
        let mut dropped: Vec<&str> =
            self.dropped_columns.iter().map(|column| column.column.as_str()).collect();
        dropped.sort_unstable();
        dropped.dedup();
        if !dropped.is_empty() {
            lines.push(match lang {
                Lang::Zh => format!("未收集的列：{}", dropped.join("、")),
                Lang::En => format!("columns not collected: {}", dropped.join(", ")),
            });
        }
        let refused = self.faults.iter().filter(|fault| fault.severity == Severity::Refused).count();
        let warnings = self.faults.len() - refused;
        lines.push(match lang {
            Lang::Zh => format!(
                "错误 {refused} 处，提示 {warnings} 处，另有 {} 行等待其上级记录改正",
                self.held.len()
            ),
            Lang::En => format!(
                "{refused} faults, {warnings} warnings; {} rows wait for the record they belong to",
                self.held.len()
            ),
        });
        lines.extend(self.faults.iter().take(faults_max).map(|fault| {
            let label = fault.label();
            let place = self.place(&fault.file, &fault.sheet, fault.row).get(lang).to_owned();
            match lang {
                Lang::Zh => format!("  {place} {}（{}）：{}", fault.column, label.0, fault.message.zh),
                Lang::En => format!("  {place} {} ({}): {}", fault.column, label.1, fault.message.en),
            }
        }));
        lines.extend(self.rest(self.faults.len(), faults_max, lang));
        if !self.registered.is_empty() {
            let count = self.registered.len();
            lines.push(match lang {
                Lang::Zh => format!("以前登记的记录有 {count} 处与本次导入不符："),
                Lang::En => {
                    format!("{count} doubts about records registered before, which this import belies:")
                }
            });
            lines.extend(self.registered.iter().take(faults_max).map(|doubt| doubt.line(lang)));
            lines.extend(self.rest(count, faults_max, lang));
        }
        lines.join("\n")
    }

    /// A row as a person finds it; the sheet is named where more than one of the file was read.
    pub(super) fn place(&self, file: &str, sheet: &str, row: u32) -> Text {
        if self.sheets.iter().filter(|own| own.file == file).count() < 2 {
            return Text::new(format!("{file} 第 {row} 行"), format!("{file} row {row}"));
        }
        Text::new(format!("{file}（{sheet}）第 {row} 行"), format!("{file} ({sheet}) row {row}"))
    }

    /// How many were left out of a list, and where to see them.
    fn rest(&self, count: usize, shown_max: usize, lang: Lang) -> Option<String> {
        let rest = count.checked_sub(shown_max).filter(|rest| *rest > 0)?;
        Some(match (lang, self.workbook.is_some()) {
            (Lang::Zh, true) => format!("  ……另有 {rest} 处，见错误清单"),
            (Lang::En, true) => format!("  … and {rest} more, listed in the report"),
            (Lang::Zh, false) => format!("  ……另有 {rest} 处；加 --report 错误.xlsx 可逐格标出"),
            (Lang::En, false) => format!("  … and {rest} more; --report faults.xlsx marks them all"),
        })
    }
}

impl SheetReport {
    fn to_json(&self) -> Value {
        json!({
            "file": self.file, "sheet": self.sheet, "entity": self.entity,
            "read": self.read, "accepted": self.accepted, "changed": self.changed,
            "inserted": self.inserted, "unchanged": self.unchanged, "refused": self.refused, "held": self.held,
            "warnings": self.warnings, "ignored_rows": self.ignored_rows,
        })
    }

    fn line(&self, lang: Lang, preview: bool) -> String {
        let Self { file, sheet, label, read, accepted, changed, unchanged, refused, held, warnings, .. } =
            self;
        let (inserted, updated) = (self.inserted, changed - self.inserted);
        match (lang, preview) {
            (Lang::Zh, true) => format!(
                "{file}（{sheet}，{}）：读取 {read} 行，将新增 {inserted}、将更新 {updated}、不变 {unchanged}，\
                 将拒绝 {refused}，等待 {held}，提示 {warnings}",
                label.zh
            ),
            (Lang::En, true) => format!(
                "{file} ({sheet}, {}): {read} rows read, {inserted} would be added, {updated} updated, {unchanged} \
                 left unchanged, {refused} refused, {held} held, {warnings} warnings",
                label.en
            ),
            (Lang::Zh, false) => format!(
                "{file}（{sheet}，{}）：读取 {read} 行，导入 {accepted}（变动 {changed}、未变 {unchanged}），\
                 拒绝 {refused}，等待 {held}，提示 {warnings}",
                label.zh
            ),
            (Lang::En, false) => format!(
                "{file} ({sheet}, {}): {read} rows read, {accepted} accepted ({changed} changed, {unchanged} \
                 unchanged), {refused} refused, {held} held, {warnings} warnings",
                label.en
            ),
        }
    }
}

fn report_sheet(
    schema: &Schema<'_>,
    table: &Table,
    part: usize,
    sources: &[Source],
    written: Written,
) -> SheetReport {
    let place = &table.parts[part];
    let rows = place.base..place.base + place.read;
    let count = |wanted: &[State]| {
        table.states[rows.clone()].iter().filter(|state| wanted.contains(state)).count() as u64
    };
    let warnings = table
        .faults
        .iter()
        .filter(|fault| fault.severity == Severity::Warning && rows.contains(&(fault.row as usize)))
        .count() as u64;
    let entity = schema.entity(table.entity);
    SheetReport {
        file: sources[place.file].name.clone(),
        sheet: place.sheet.clone(),
        entity: entity.name.clone(),
        label: entity.label.clone(),
        read: place.read as u64,
        accepted: count(&[State::Sound]),
        changed: written.inserted + written.updated,
        inserted: written.inserted,
        unchanged: written.unchanged,
        refused: count(&[State::Refused, State::Repeated]),
        held: count(&[State::Held]),
        warnings,
        ignored_rows: place.ignored as u64,
    }
}

fn dropped<'d>(
    table: &'d Table,
    part: usize,
    sources: &'d [Source],
) -> impl Iterator<Item = DroppedColumn> + 'd {
    let place = &table.parts[part];
    let reason =
        Text::new("政策包未声明该项，不予收集", "the pack does not declare it, so it is not collected");
    place.header.dropped().map(move |column| DroppedColumn {
        file: sources[place.file].name.clone(),
        sheet: place.sheet.clone(),
        column: column.to_owned(),
        reason: reason.clone(),
    })
}

fn public_fault(
    schema: &Schema<'_>,
    table: &Table,
    sources: &[Source],
    fault: &super::fault::RowFault,
) -> Fault {
    let part = &table.parts[table.part_of(fault.row as usize)];
    let position = part.header.column_of(fault.field);
    let label = || schema.entity(table.entity).fields[fault.field].label.zh.clone();
    Fault {
        file: sources[part.file].name.clone(),
        sheet: part.sheet.clone(),
        row: table.numbers[fault.row as usize],
        column: position.map_or_else(label, |position| part.header.titles[position].clone()),
        code: fault.code.clone(),
        severity: fault.severity,
        message: fault.message.clone(),
        value: fault.value.clone(),
        position: position.and_then(|position| u16::try_from(position).ok()),
        taken: fault.taken,
    }
}

fn held_rows(tables: &Tables, sources: &[Source], held: &Held) -> Vec<HeldRow> {
    let place = |(entity, row): super::stage::Place| {
        let table = tables[entity.index()].as_ref()?;
        let part = &table.parts[table.part_of(row as usize)];
        let named = RowPlace {
            file: sources[part.file].name.clone(),
            sheet: part.sheet.clone(),
            row: table.numbers[row as usize],
        };
        Some((part.file, named))
    };
    let mut rows: Vec<(usize, HeldRow)> = held
        .iter()
        .filter_map(|(row, cause)| {
            let ((file, row), (_, because)) = (place(row)?, place(cause)?);
            Some((file, HeldRow { file: row.file, sheet: row.sheet, row: row.row, because }))
        })
        .collect();
    rows.sort_by(|one, other| (one.0, &one.1.sheet, one.1.row).cmp(&(other.0, &other.1.sheet, other.1.row)));
    rows.into_iter().map(|(_, row)| row).collect()
}
