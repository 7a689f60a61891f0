//! Statements, CTEs and their comments.

use std::collections::{BTreeMap, BTreeSet};

use model::{Date, Lang};
use pack::program::{ColumnId, Direction, EntityId, Frame, Program, RuleKind};

use super::dialect::{Dialect, identifier};
use super::expression::Printer;
use crate::desugar::{Call, CallFunction, Env, Flat, Part, PartFunction, Unknowns, desugar, edge_column};
use crate::scalar::Named;
use crate::stages::{AggregatePass, LookupJoin, Stage, Step, stages};
use crate::{EngineError, needs};

/// The whole program in a dialect, parameters as of a date.
///
/// # Errors
/// [`EngineError::ParameterNotInForce`], as a run.
pub fn script(program: &Program, as_of: Date, dialect: Dialect) -> Result<String, EngineError> {
    let stored = needs::stored(program);
    let flat = desugar(program, Env { as_of }, &Unknowns::default(), stored.iter().copied())?;
    let mut text = header(program, as_of, dialect);
    for table in result_tables(program) {
        let columns = table.columns.iter().copied().filter(|id| flat.columns.contains_key(id)).collect();
        let statement = Statement { flat: &flat, printer: Printer { dialect }, current: BTreeMap::new() };
        text.push('\n');
        text.push_str(&statement.print(&table, &columns));
    }
    Ok(text)
}

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
    let stored = needs::stored(program);
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
         -- number of the parent in `_<edge>`. Numbers are integers scaled by their decimals (money is fen).\n",
        info.id, info.version, program.digest
    )
}

struct Statement<'a> {
    flat: &'a Flat<'a>,
    printer: Printer,
    /// The relation that holds an entity as far as it is computed.
    current: BTreeMap<EntityId, String>,
}

impl Statement<'_> {
    fn print(mut self, table: &ResultTable, columns: &BTreeSet<ColumnId>) -> String {
        let entity = table.entity;
        let stages = stages(self.flat, columns);
        let program = self.flat.program;
        let mut ctes = vec![];
        for stage in &stages {
            self.stage(stage, &mut ctes);
        }
        let declared = &program.entities[entity.index()];
        let key = &program.columns[declared.key.index()].name;
        let order = self.flat.order.iter().filter(|id| columns.contains(id));
        let results = order.map(|id| identifier(&self.flat.columns[id].name));
        let names: Vec<String> = ["_row".to_owned(), identifier(key)].into_iter().chain(results).collect();
        format!(
            "CREATE TABLE {} AS\nWITH{}\nSELECT\n  {}\nFROM {}\nORDER BY _row;\n",
            identifier(&table.name),
            ctes.join(",\n"),
            names.join(",\n  "),
            self.relation(entity)
        )
    }

    fn relation(&self, entity: EntityId) -> String {
        let base = || identifier(&self.flat.program.entities[entity.index()].name);
        self.current.get(&entity).cloned().unwrap_or_else(base)
    }

    /// One CTE for the joins, if there are any, and one for each step; the last has the stage's name.
    fn stage(&mut self, stage: &Stage, ctes: &mut Vec<String>) {
        let entity = &self.flat.program.entities[stage.entity.index()].name;
        let joins = !(stage.lookups.is_empty() && stage.aggregates.is_empty());
        let count = stage.steps.len() + usize::from(joins);
        let mut made = 0;
        let mut add = |current: &mut BTreeMap<EntityId, String>, comment: &str, body: &str| {
            made += 1;
            let suffix = if made == count { String::new() } else { format!("_{made}") };
            let name = identifier(&format!("{entity}_{}{suffix}", stage.number));
            ctes.push(format!("\n{comment}{name} AS (\n{body}\n)"));
            current.insert(stage.entity, name);
        };
        let title = format!("-- Stage {} of {entity}.\n", stage.number);
        if joins {
            let body = self.joins(stage);
            add(&mut self.current, &title, &body);
        }
        for (index, step) in stage.steps.iter().enumerate() {
            let body = self.step(stage.entity, step);
            let comment = if index == 0 && !joins { title.as_str() } else { "" };
            add(&mut self.current, comment, &body);
        }
    }

    fn joins(&self, stage: &Stage) -> String {
        let mut columns = vec!["own.*".to_owned()];
        let mut joins = vec![format!("{} AS own", self.relation(stage.entity))];
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
        let parent = self.relation(program.edges[lookup.edge.index()].parent);
        let edge = identifier(&edge_column(program, lookup.edge));
        for (made, source) in &lookup.columns {
            let (source, made) = (&self.flat.columns[source].name, &self.flat.columns[made].name);
            columns.push(format!("{alias}.{} AS {}", identifier(source), identifier(made)));
        }
        joins.push(format!("LEFT JOIN {parent} AS {alias} ON {alias}._row = own.{edge}"));
    }

    fn pass(&self, pass: &AggregatePass, alias: &str, columns: &mut Vec<String>, joins: &mut Vec<String>) {
        let program = self.flat.program;
        let edge = identifier(&edge_column(program, pass.edge));
        let child = program.edges[pass.edge.index()].child;
        let mut source = self.relation(child);
        for (number, step) in pass.steps.iter().enumerate() {
            let values: Vec<String> = step.iter().map(|named| self.named(named, 8)).collect();
            let values = values.join(",\n        ");
            source =
                format!("(\n      SELECT *,\n        {values}\n      FROM {source}) AS step_{}", number + 1);
        }
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

    fn step(&self, entity: EntityId, step: &Step) -> String {
        let from = self.relation(entity);
        let values: Vec<String> = match step {
            Step::Project(columns) => columns
                .iter()
                .map(|named| format!("{}{}", self.comment(entity, &named.name), self.named(named, 4)))
                .collect(),
            Step::Window(calls) => calls.iter().map(|call| self.call(call)).collect(),
        };
        format!("  SELECT *,\n    {}\n  FROM {from}", values.join(",\n    "))
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
        let own = |id: &&ColumnId| {
            let column = &self.flat.columns[*id];
            column.entity == entity && column.name == name
        };
        let column = self.flat.order.iter().find(own).map(|id| &program.columns[id.index()]);
        let Some(rule) = column.and_then(|column| column.rule) else { return String::new() };
        let rule = &program.rules[rule.index()];
        let clauses: Vec<String> = rule.cite.iter().map(ToString::to_string).collect();
        let clauses = if clauses.is_empty() { String::new() } else { format!(" [{}]", clauses.join(", ")) };
        let title = rule.title.get(Lang::En).replace('\n', " ");
        format!("-- {} {}{clauses}: {title}\n    ", kind_name(rule.kind), rule.id)
    }
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
