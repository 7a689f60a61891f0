//! The pack's own checks, run on staged rows in batches on all cores.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use evaluate::Viewer;
use evaluate::interpret::Evaluator;
use evaluate::records::Records as _;
use model::{Date, Lang, Text};
use pack::program::{Check, ColumnId, EntityId, Program, Rule, RuleDetail, Type, Value};
use store::View;

use super::ImportError;
use super::closure::Closure;
use super::fault::RowFault;
use super::link::{Links, Tables};
use super::parse::scaled;
use super::schema::{EntityPlan, Reader, Schema};
use super::stage::{State, Table};
use super::staged_records::StagedRecords;

/// Rows evaluated at once: large enough to spread the cost of linking, small enough for the cache.
const BATCH: usize = 512;

/// A check with the columns that its message quotes.
pub struct CheckPlan<'p> {
    rule: &'p Rule,
    check: &'p Check,
    quoted: Vec<ColumnId>,
}

impl<'p> CheckPlan<'p> {
    pub fn all(program: &'p Program, entity: EntityId, at_import_only: bool) -> Vec<Self> {
        let checks = program.rules.iter().filter(|rule| rule.entity == Some(entity)).filter_map(|rule| {
            match &rule.detail {
                RuleDetail::Check(check) if check.at_import || !at_import_only => Some((rule, check)),
                _ => None,
            }
        });
        checks
            .map(|(rule, check)| {
                let quoted = placeholders(&check.message.en)
                    .chain(placeholders(&check.message.zh))
                    .filter_map(|name| column_named(program, entity, name))
                    .collect();
                Self { rule, check, quoted }
            })
            .collect()
    }

    pub fn roots(&self) -> impl Iterator<Item = ColumnId> + '_ {
        self.quoted.iter().copied().chain([self.check.fails])
    }
}

/// An import so far, on some day.
#[derive(Clone, Copy)]
pub struct Staged<'s> {
    pub schema: &'s Schema<'s>,
    pub tables: &'s Tables,
    pub links: &'s Links,
    pub view: &'s View<'s>,
    pub as_of: Date,
}

impl<'s> Staged<'s> {
    fn records(
        self,
        columns: &[ColumnId],
        entity: EntityId,
        rows: &[u32],
    ) -> Result<StagedRecords<'s>, ImportError> {
        let closure = Closure::of(self.schema.program, columns.iter().copied());
        StagedRecords::new(self.schema, self.tables, self.links, &closure, self.view, (entity, rows))
    }
}

/// Runs every import check on every row of the import.
pub fn run(
    schema: &Schema<'_>,
    tables: &mut Tables,
    links: &Links,
    view: &View<'_>,
    as_of: Date,
) -> Result<(), ImportError> {
    let mut found: BTreeMap<usize, Vec<RowFault>> = BTreeMap::new();
    for entity in &schema.entities {
        let checks = CheckPlan::all(schema.program, entity.id, true);
        let Some(table) = tables[entity.id.index()].as_ref().filter(|_| !checks.is_empty()) else { continue };
        let subjects: Vec<u32> =
            (0..table.len() as u32).filter(|row| table.states[*row as usize] != State::Repeated).collect();
        let faults = check_rows(Staged { schema, tables, links, view, as_of }, entity, &checks, &subjects)?;
        found.insert(entity.id.index(), faults);
    }
    for (entity, faults) in found {
        if let Some(table) = &mut tables[entity] {
            for fault in faults {
                table.blame(fault);
            }
        }
    }
    Ok(())
}

/// Runs checks on some rows of a staged table.
pub fn check_rows(
    staged: Staged<'_>,
    entity: &EntityPlan,
    checks: &[CheckPlan<'_>],
    subjects: &[u32],
) -> Result<Vec<RowFault>, ImportError> {
    let Some(table) = &staged.tables[entity.id.index()] else { return Ok(Vec::new()) };
    let mut columns: Vec<ColumnId> = checks.iter().flat_map(CheckPlan::roots).collect();
    columns.sort_unstable();
    columns.dedup();
    let records = staged.records(&columns, entity.id, subjects)?;
    let task = Task { entity, table, records: &records, columns: &columns, checks, as_of: staged.as_of };
    Ok(task.on_all_cores(subjects))
}

/// How many checks each of some rows fails that read a field of the row itself, those that only mark a
/// record as doubtful included. Other checks say nothing about the field.
pub fn doubts(
    staged: Staged<'_>,
    entity: &EntityPlan,
    field: usize,
    rows: &[u32],
) -> Result<Vec<usize>, ImportError> {
    let program = staged.schema.program;
    let column = entity.fields[field].column;
    let mut checks = CheckPlan::all(program, entity.id, false);
    checks.retain(|plan| Closure::reads_own(program, plan.check.fails, column));
    let columns: Vec<ColumnId> = checks.iter().map(|plan| plan.check.fails).collect();
    let records = staged.records(&columns, entity.id, rows)?;
    let mut counts = Vec::with_capacity(rows.len());
    for batch in rows.chunks(BATCH) {
        let (facts, subjects) = records.facts(entity.id, batch, &columns);
        let mut evaluator = Evaluator::new(program, &facts, staged.as_of);
        counts.extend(subjects.iter().map(|row| {
            let fails = |plan: &&CheckPlan<'_>| {
                matches!(evaluator.value(entity.id, *row, plan.check.fails), Ok(Some(Value::Bool(true))))
            };
            checks.iter().filter(fails).count()
        }));
    }
    Ok(counts)
}

struct Task<'t, 'f> {
    entity: &'t EntityPlan,
    table: &'t Table,
    records: &'t StagedRecords<'f>,
    columns: &'t [ColumnId],
    checks: &'t [CheckPlan<'t>],
    as_of: Date,
}

impl Task<'_, '_> {
    fn on_all_cores(&self, subjects: &[u32]) -> Vec<RowFault> {
        let batches: Vec<&[u32]> = subjects.chunks(BATCH).collect();
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<RowFault>> = Mutex::default();
        let work = || {
            let mut own = Vec::new();
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.batch(batch, &mut own);
            }
            found.lock().expect("no worker panics while it holds the lock").append(&mut own);
        };
        let workers = thread::available_parallelism().map_or(1, usize::from).min(batches.len());
        thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(work);
            }
            work();
        });
        let mut found = found.into_inner().expect("no worker panicked");
        found.sort_by(|one, other| {
            (one.row, one.field, &one.code).cmp(&(other.row, other.field, &other.code))
        });
        found
    }

    fn batch(&self, rows: &[u32], found: &mut Vec<RowFault>) {
        let (facts, subjects) = self.records.facts(self.entity.id, rows, self.columns);
        let mut evaluator = Evaluator::new(self.records.program(), &facts, self.as_of);
        for (row, subject) in rows.iter().zip(subjects) {
            for plan in self.checks {
                // An error about the subject (no parameter in force) is for the run to report.
                let outcome = evaluator.value(self.entity.id, subject, plan.check.fails);
                if matches!(outcome, Ok(Some(Value::Bool(true)))) {
                    found.push(self.fault(*row, subject, plan, &mut evaluator));
                }
            }
        }
    }

    fn fault(&self, row: u32, subject: u32, plan: &CheckPlan<'_>, evaluator: &mut Evaluator<'_>) -> RowFault {
        let program = self.records.program();
        let mut message = plan.check.message.clone();
        for column in &plan.quoted {
            let value = evaluator.value(self.entity.id, subject, *column).ok().flatten();
            let shown = self.shown(program, *column, value);
            let place = format!("{{{}}}", program.columns[column.index()].name);
            message = Text::new(message.zh.replace(&place, &shown.zh), message.en.replace(&place, &shown.en));
        }
        let mend =
            plan.check.mend.and_then(|mend| self.entity.fields.iter().position(|field| field.column == mend));
        let field = mend.unwrap_or(self.entity.key);
        let value = self.table.columns[field]
            .as_ref()
            .and_then(|column| column.value(&self.entity.fields[field].reader, row as usize))
            .map(|value| self.shown(program, self.entity.fields[field].column, Some(value)).zh);
        RowFault {
            row,
            field,
            code: plan.rule.id.replace('_', "-"),
            severity: plan.check.action.into(),
            message,
            value,
            raw: String::new(),
            taken: true,
        }
    }

    /// A value in words, masked where it is personal.
    fn shown(&self, program: &Program, column: ColumnId, value: Option<Value>) -> Text {
        let viewer = Viewer::masked(program);
        if !viewer.sees_column(column) {
            let shown = |lang| viewer.text(column, value.as_ref(), lang);
            return Text::new(shown(Lang::Zh), shown(Lang::En));
        }
        let Some(value) = value else { return Text::new("（未知）", "(unknown)") };
        let field = self.entity.fields.iter().find(|field| field.column == column);
        match (&value, &program.columns[column.index()].ty) {
            (Value::Bool(flag), _) => {
                if *flag {
                    Text::new("是", "yes")
                } else {
                    Text::new("否", "no")
                }
            }
            (Value::Number(number), Type::Number(ty)) => {
                let shift = match field.map(|field| &field.reader) {
                    Some(Reader::Number { shift, .. }) => i32::from(*shift),
                    _ => 0,
                };
                let number = i64::try_from(*number).unwrap_or(i64::MAX);
                Text::same(scaled(number, i32::from(ty.decimals) + shift))
            }
            (Value::Number(number), _) => Text::same(number.to_string()),
            (Value::Date(date), _) => Text::same(date.to_string()),
            (Value::Text(code), Type::Code(list)) => program.lists[list.index()]
                .codes
                .iter()
                .find(|known| known.code == *code)
                .map_or_else(|| Text::same(code), |known| known.label.clone()),
            (Value::Text(text), _) => Text::same(text.clone()),
            (Value::Index(number), _) => Text::same(number.to_string()),
        }
    }
}

/// The names in braces.
fn placeholders(message: &str) -> impl Iterator<Item = &str> {
    message.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn column_named(program: &Program, entity: EntityId, name: &str) -> Option<ColumnId> {
    let position =
        program.columns.iter().position(|column| column.entity == entity && column.name == name)?;
    Some(ColumnId(position as u32))
}
