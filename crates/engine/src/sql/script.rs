//! A statement for every stage, one for every table of results, and their comments.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use model::{Date, Lang};
use pack::program::{ColumnId, Direction, EntityId, Frame, Program, RuleKind};

use super::dialect::{Dialect, identifier};
use super::expression::Printer;
use crate::EngineError;
use crate::desugar::{Call, CallFunction, Env, Flat, Part, PartFunction, Unknowns, desugar, edge_column};
use crate::scalar::Named;
use crate::stages::{AggregatePass, LookupJoin, Stage, Step, needed_before, output_names, stages};

/// The whole program in a dialect, parameters as of a date, for records that have every field the pack
/// requires, as an import leaves them.
///
/// # Errors
/// [`EngineError::Program`], as a run.
pub fn script(program: &Program, as_of: Date, dialect: Dialect) -> Result<String, EngineError> {
    guarded_script(program, as_of, dialect, &Unknowns::default())
}

/// As [`script`], for tables that may lack what the pack requires: where they do, unknown stays unknown.
///
/// # Errors
/// As [`script`], and tables that are not of the program.
#[allow(clippy::implicit_hasher, reason = "as in `run_tables`")]
pub fn script_for(
    program: &Program,
    as_of: Date,
    dialect: Dialect,
    tables: &HashMap<String, RecordBatch>,
) -> Result<String, EngineError> {
    guarded_script(program, as_of, dialect, &crate::memory::unknowns(program, tables)?)
}

fn guarded_script(
    program: &Program,
    as_of: Date,
    dialect: Dialect,
    unknowns: &Unknowns,
) -> Result<String, EngineError> {
    let stored = evaluate::needs::stored(program);
    let flat = desugar(program, Env { as_of }, unknowns, stored.iter().copied())?;
    let mut text = header(program, as_of, dialect);
    let ids = flat.order.iter().map(|id| ((flat.columns[id].entity, flat.columns[id].name.as_str()), *id));
    let mut printer =
        Statements { flat: &flat, printer: Printer { dialect }, places: BTreeMap::new(), ids: ids.collect() };
    let mut made = vec![];
    for stage in stages(&flat, &stored) {
        for (part, columns) in stage.columns.chunks(COLUMNS_MAX).enumerate() {
            let one = stage.columns.len() <= COLUMNS_MAX;
            let piece;
            let stage = if one {
                &stage
            } else {
                piece = crate::stages::stage(&flat, stage.entity, stage.number, columns.to_vec());
                &piece
            };
            let entity = &program.entities[stage.entity.index()].name;
            let part = if part == 0 { String::new() } else { format!("_{}", part + 1) };
            let name = format!("{entity}_{}{part}", stage.number);
            text.push('\n');
            text.push_str(&printer.stage(stage, &name));
            made.push(name);
        }
    }
    for table in result_tables(program) {
        text.push('\n');
        text.push_str(&printer.results(&table));
    }
    if dialect == Dialect::DataFusion {
        // It has no temporary tables.
        text.push('\n');
        text.extend(made.iter().map(|name| format!("DROP TABLE {};\n", identifier(name))));
    }
    Ok(text)
}

/// Columns that one statement makes: PostgreSQL keeps a row in 8,160 bytes.
const COLUMNS_MAX: usize = 300;

/// Results in one table: PostgreSQL has at most 1,600 columns in a table and 1,664 in a query, and the columns
/// on the way to a result count too.
const RESULTS_MAX: usize = 300;

/// A table that the script gives.
pub struct ResultTable {
    pub name: String,
    pub entity: EntityId,
    pub columns: Vec<ColumnId>,
}

/// The tables that the script of a program gives: `run_<entity>`, and where an entity has more results than fit,
/// `run_<entity>_2` and so on with the rest.
pub fn result_tables(program: &Program) -> Vec<ResultTable> {
    let stored = evaluate::needs::stored(program);
    let mut by_entity: BTreeMap<EntityId, Vec<ColumnId>> = BTreeMap::new();
    for id in program.order.iter().filter(|id| stored.contains(id)) {
        by_entity.entry(program.columns[id.index()].entity).or_default().push(*id);
    }
    let mut tables = vec![];
    for (entity, columns) in by_entity {
        let name = &program.entities[entity.index()].name;
        for (number, part) in columns.chunks(RESULTS_MAX).enumerate() {
            let name = if number == 0 { format!("run_{name}") } else { format!("run_{name}_{}", number + 1) };
            tables.push(ResultTable { name, entity, columns: part.to_vec() });
        }
    }
    tables
}

fn header(program: &Program, as_of: Date, dialect: Dialect) -> String {
    let info = &program.info;
    let engine = match dialect {
        Dialect::DataFusion => "DataFusion",
        Dialect::Postgres => "PostgreSQL",
        Dialect::DuckDb => "DuckDB",
    };
    format!(
        "-- {} {} as of {as_of}, for {engine}.\n\
         -- Pack digest: {}\n\
         -- Input: a table for each entity with its recorded fields, its dense row number `_row`, and the row\n\
         -- number of the parent in `_<edge>`. Numbers are integers scaled by their decimals (money is fen).\n\
         -- Fields that the pack requires hold no NULL.\n",
        info.id, info.version, program.digest
    )
}

struct Statements<'a> {
    flat: &'a Flat<'a>,
    printer: Printer,
    /// The table that holds a computed column; what is not there is recorded.
    places: BTreeMap<(EntityId, String), String>,
    ids: HashMap<(EntityId, &'a str), ColumnId>,
}

impl Statements<'_> {
    /// A table with what a stage makes, a CTE for the joins and for each step but the last.
    fn stage(&mut self, stage: &Stage, name: &str) -> String {
        let entity = &self.flat.program.entities[stage.entity.index()].name;
        let mut live = vec![output_names(self.flat, stage)];
        for step in stage.steps.iter().rev() {
            let after = live.last().cloned().unwrap_or_default();
            live.push(needed_before(step, after));
        }
        let joined = live.pop().unwrap_or_default();
        let mut bodies = vec![];
        let mut from = if stage.lookups.is_empty() && stage.aggregates.is_empty() {
            self.relation(stage.entity, &joined, "  ")
        } else {
            bodies.push(("joined".to_owned(), self.joins(stage, &joined)));
            "joined".to_owned()
        };
        for (number, step) in stage.steps.iter().enumerate() {
            let keep = live.pop().unwrap_or_default();
            bodies.push((format!("step_{}", number + 1), self.step(stage.entity, step, &keep, &from)));
            from = format!("step_{}", number + 1);
        }
        for id in &stage.columns {
            self.places.insert((stage.entity, self.flat.columns[id].name.clone()), name.to_owned());
        }
        let (_, last) = bodies.pop().unwrap_or_default();
        let last: Vec<&str> = last.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
        let last = last.join("\n");
        let ctes: Vec<String> =
            bodies.into_iter().map(|(name, body)| format!("{name} AS (\n{body}\n)")).collect();
        let with = if ctes.is_empty() { String::new() } else { format!("WITH\n{}\n", ctes.join(",\n")) };
        let temporary = if self.printer.dialect == Dialect::DataFusion { "" } else { "TEMPORARY " };
        format!(
            "-- Stage {} of {entity}.\nCREATE {temporary}TABLE {} AS\n{with}{last};\n",
            stage.number,
            identifier(name)
        )
    }

    fn results(&self, table: &ResultTable) -> String {
        let declared = &self.flat.program.entities[table.entity.index()];
        let key = &self.flat.program.columns[declared.key.index()].name;
        let columns = table.columns.iter().filter_map(|id| self.flat.columns.get(id));
        let names: Vec<&str> =
            ["_row", key].into_iter().chain(columns.map(|column| column.name.as_str())).collect();
        let from = self.sources(table.entity, names.iter().copied());
        let names: Vec<String> = names.into_iter().map(|name| self.own(table.entity, name)).collect();
        format!(
            "CREATE TABLE {} AS\nSELECT\n  {}\nFROM {from}\nORDER BY {};\n",
            identifier(&table.name),
            names.join(",\n  "),
            names[0],
        )
    }

    /// The tables that hold these columns of an entity, joined by row.
    fn sources<'n>(&self, entity: EntityId, names: impl Iterator<Item = &'n str>) -> String {
        let base = identifier(&self.flat.program.entities[entity.index()].name);
        let tables: BTreeSet<&String> =
            names.filter_map(|name| self.places.get(&(entity, name.to_owned()))).collect();
        let joins = tables.into_iter().map(|table| {
            let table = identifier(table);
            format!(" JOIN {table} ON {table}._row = {base}._row")
        });
        format!("{base}{}", joins.collect::<String>())
    }

    /// A column in a join of [`Self::sources`]: only `_row` is in more than one of them.
    fn own(&self, entity: EntityId, name: &str) -> String {
        let base = identifier(&self.flat.program.entities[entity.index()].name);
        if name == "_row" { format!("{base}._row") } else { identifier(name) }
    }

    /// Something to select these columns of an entity from.
    fn relation(&self, entity: EntityId, names: &BTreeSet<String>, indent: &str) -> String {
        let from = self.sources(entity, names.iter().map(String::as_str));
        if !from.contains(' ') {
            return from;
        }
        let names: Vec<String> = names.iter().map(|name| self.own(entity, name)).collect();
        format!("(\n{indent}  SELECT {}\n{indent}  FROM {from}\n{indent}) AS own", names.join(", "))
    }

    fn joins(&self, stage: &Stage, joined: &BTreeSet<String>) -> String {
        let program = self.flat.program;
        let name = |id: &ColumnId| self.flat.columns[id].name.clone();
        let mut own = joined.clone();
        own.insert("_row".to_owned());
        let made = stage.lookups.iter().flat_map(|lookup| &lookup.columns).map(|(made, _)| name(made));
        let parts = stage.aggregates.iter().flat_map(|pass| &pass.parts).map(|part| part.name.clone());
        for made in made.chain(parts) {
            own.remove(&made);
        }
        let mut columns: Vec<String> = own.iter().map(|name| format!("own.{}", identifier(name))).collect();
        own.extend(stage.lookups.iter().map(|lookup| edge_column(program, lookup.edge)));
        let mut joins = vec![aliased(&self.relation(stage.entity, &own, "  "), "own")];
        for (number, lookup) in stage.lookups.iter().enumerate() {
            self.lookup(lookup, &format!("parent_{}", number + 1), &mut columns, &mut joins);
        }
        for (number, pass) in stage.aggregates.iter().enumerate() {
            self.pass(pass, &format!("children_{}", number + 1), &mut columns, &mut joins);
        }
        format!("  SELECT\n    {}\n  FROM {}", columns.join(",\n    "), joins.join("\n  "))
    }

    fn lookup(&self, lookup: &LookupJoin, alias: &str, columns: &mut Vec<String>, joins: &mut Vec<String>) {
        let program = self.flat.program;
        let mut read: BTreeSet<String> =
            lookup.columns.iter().map(|(_, source)| self.flat.columns[source].name.clone()).collect();
        read.insert("_row".to_owned());
        let parent = self.relation(program.edges[lookup.edge.index()].parent, &read, "  ");
        let edge = identifier(&edge_column(program, lookup.edge));
        for (made, source) in &lookup.columns {
            let (source, made) = (&self.flat.columns[source].name, &self.flat.columns[made].name);
            columns.push(format!("{alias}.{} AS {}", identifier(source), identifier(made)));
        }
        joins.push(format!("LEFT JOIN {} ON {alias}._row = own.{edge}", aliased(&parent, alias)));
    }

    fn pass(&self, pass: &AggregatePass, alias: &str, columns: &mut Vec<String>, joins: &mut Vec<String>) {
        let program = self.flat.program;
        let edge = edge_column(program, pass.edge);
        let child = program.edges[pass.edge.index()].child;
        let mut read = BTreeSet::from([edge.clone()]);
        for value in pass.parts.iter().flat_map(|part| part.argument.iter().chain(&part.filter)) {
            value.columns(&mut |name| {
                read.insert(name.to_owned());
            });
        }
        let mut live = vec![read];
        for step in pass.steps.iter().rev() {
            let after = live.last().cloned().unwrap_or_default();
            live.push(needed_before(&Step::Project(step.clone()), after));
        }
        let mut source = self.relation(child, &live.pop().unwrap_or_default(), "    ");
        for (number, step) in pass.steps.iter().enumerate() {
            let keep = live.pop().unwrap_or_default();
            let made: BTreeSet<&String> = step.iter().map(|named| &named.name).collect();
            let kept = keep.iter().filter(|name| !made.contains(name)).map(|name| identifier(name));
            let values = step.iter().filter(|named| keep.contains(&named.name));
            let values: Vec<String> = kept.chain(values.map(|named| self.named(named, 8))).collect();
            let values = values.join(",\n        ");
            source =
                format!("(\n      SELECT\n        {values}\n      FROM {source}) AS step_{}", number + 1);
        }
        let edge = identifier(&edge);
        let parts: Vec<String> = pass.parts.iter().map(|part| self.part(part)).collect();
        columns.extend(pass.parts.iter().map(|part| format!("{alias}.{}", identifier(&part.name))));
        joins.push(format!(
            "LEFT JOIN (\n    SELECT {edge} AS parent_row,\n      {}\n    FROM {source}\n    GROUP BY {edge}\n  ) \
             AS {alias} ON {alias}.parent_row = own._row",
            parts.join(",\n      ")
        ));
    }

    fn part(&self, part: &Part) -> String {
        let argument = match (&part.argument, part.function) {
            (Some(argument), PartFunction::Min | PartFunction::Max) => self.printer.ordered(argument),
            (Some(argument), _) => self.printer.typed(argument),
            (None, _) => "*".to_owned(),
        };
        let function = match part.function {
            PartFunction::CountRows => "count",
            PartFunction::Sum => "sum",
            PartFunction::Min => "min",
            PartFunction::Max => "max",
            PartFunction::Or => "bool_or",
        };
        let filter =
            part.filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", self.printer.line(filter)));
        let call = format!("{function}({argument}){}", filter.unwrap_or_default());
        let call =
            if part.function == PartFunction::Sum { self.printer.cast(&call, part.kind) } else { call };
        format!("{call} AS {}", identifier(&part.name))
    }

    fn step(&self, entity: EntityId, step: &Step, keep: &BTreeSet<String>, from: &str) -> String {
        let (made, values): (BTreeSet<&String>, Vec<String>) = match step {
            Step::Project(columns) => columns
                .iter()
                .filter(|named| keep.contains(&named.name))
                .map(|named| {
                    let value = self.named(named, 4);
                    (&named.name, format!("{}{value}", self.comment(entity, &named.name)))
                })
                .unzip(),
            Step::Window(calls) => calls
                .iter()
                .filter(|call| keep.contains(&call.name))
                .map(|call| (&call.name, self.call(call)))
                .unzip(),
        };
        let kept = keep.iter().filter(|name| !made.contains(name)).map(|name| identifier(name));
        let columns: Vec<String> = kept.chain(values).collect();
        format!("  SELECT\n    {}\n  FROM {from}", columns.join(",\n    "))
    }

    fn named(&self, named: &Named, indent: usize) -> String {
        format!("{} AS {}", self.printer.column_value(&named.value, indent), identifier(&named.name))
    }

    fn call(&self, call: &Call) -> String {
        let function = match call.function {
            CallFunction::CountRows => "count(*)".to_owned(),
            CallFunction::RowNumber => "row_number()".to_owned(),
            CallFunction::Rank => "rank()".to_owned(),
            CallFunction::Sum => {
                let argument = call.argument.as_ref().map(|argument| self.printer.typed(argument));
                format!("sum({})", argument.unwrap_or_default())
            }
        };
        let partition: Vec<_> = call.partition.iter().map(|value| self.printer.line(value)).collect();
        let mut over = format!("PARTITION BY {}", partition.join(", "));
        if !call.order.is_empty() {
            let order = call.order.iter().map(|(value, direction)| {
                let down = if *direction == Direction::Descending { " DESC" } else { "" };
                format!("{}{down}", self.printer.ordered(value))
            });
            over.extend([" ORDER BY ", &order.collect::<Vec<_>>().join(", ")]);
        }
        if !matches!(call.function, CallFunction::RowNumber | CallFunction::Rank) {
            over.push_str(match call.frame {
                Frame::Before => " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
                Frame::UpToCurrent => " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                Frame::All => "",
            });
        }
        let call_text = format!("{function} OVER ({over})");
        format!("{} AS {}", self.printer.cast(&call_text, call.kind), identifier(&call.name))
    }

    /// The rule and clauses that a result comes from.
    fn comment(&self, entity: EntityId, name: &str) -> String {
        let program = self.flat.program;
        let column = self.ids.get(&(entity, name)).map(|id| &program.columns[id.index()]);
        let Some(rule) = column.and_then(|column| column.rule) else { return String::new() };
        let rule = &program.rules[rule.index()];
        let clauses: Vec<String> = rule.cite.iter().map(ToString::to_string).collect();
        let clauses = if clauses.is_empty() { String::new() } else { format!(" [{}]", clauses.join(", ")) };
        let title = rule.title.get(Lang::En).replace('\n', " ");
        format!("-- {} {}{clauses}: {title}\n    ", kind_name(rule.kind), rule.id)
    }
}

/// A relation under another name.
fn aliased(relation: &str, alias: &str) -> String {
    format!("{} AS {alias}", relation.strip_suffix(" AS own").unwrap_or(relation))
}

fn kind_name(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Variable => "variable",
        RuleKind::Benefit => "benefit",
        RuleKind::Standard => "standard",
        RuleKind::Measure => "measure",
        RuleKind::Check => "check",
        RuleKind::Audit => "audit",
        RuleKind::Programme => "programme",
        RuleKind::Duty => "duty",
        RuleKind::Flow => "flow",
        RuleKind::Asset => "asset",
        RuleKind::Scorecard => "scorecard",
        RuleKind::Report => "report",
    }
}
