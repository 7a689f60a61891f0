//! Findings: subjects about which a person must decide, found by a run that went on without them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use pack::program::{ColumnId, EntityId, Program};

use crate::EngineError;
use crate::table::{Table, Tables};

/// The code of a recorded number beyond the range its field declares.
pub const OUT_OF_RANGE: &str = "out-of-range";

/// One subject, one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub entity: EntityId,
    /// `_row` of the subject.
    pub row: i32,
    /// Its key as text.
    pub key: String,
    /// `conflict`, `division-by-zero` or `out-of-range`.
    pub code: String,
    /// Id of the rule concerned.
    pub rule: Option<String>,
    /// The column that found it.
    pub column: String,
}

impl Finding {
    pub(crate) fn out_of_range(program: &Program, table: &Table, id: ColumnId, index: usize) -> Self {
        let column = &program.columns[id.index()];
        Self {
            entity: column.entity,
            row: table.start + index as i32,
            key: key(program, column.entity, table, index),
            code: OUT_OF_RANGE.to_owned(),
            rule: None,
            column: column.name.clone(),
        }
    }
}

fn key(program: &Program, entity: EntityId, table: &Table, index: usize) -> String {
    let name = &program.columns[program.entities[entity.index()].key.index()].name;
    table.columns.get(name).map(|keys| text_at(keys, index)).unwrap_or_default()
}

/// A value as text, empty if it is unknown.
pub(crate) fn text_at(array: &dyn Array, index: usize) -> String {
    let formatter = ArrayFormatter::try_new(array, &FormatOptions::default());
    formatter.map(|formatter| formatter.value(index).to_string()).unwrap_or_default()
}

/// The findings of the entities in `entities`, whose conditions have been computed.
pub(crate) fn collect(
    program: &Program,
    tables: &Tables,
    computed: &dyn Fn(ColumnId) -> bool,
    findings: &mut Vec<Finding>,
) {
    for rule in program.findings.iter().filter(|rule| computed(rule.column)) {
        let column = &program.columns[rule.column.index()];
        let Some(table) = tables.get(column.entity) else { continue };
        let Some(values) = table.columns.get(&column.name) else { continue };
        let values = values.as_boolean();
        for index in (0..values.len()).filter(|index| values.is_valid(*index) && values.value(*index)) {
            findings.push(Finding {
                entity: column.entity,
                row: table.start + index as i32,
                key: key(program, column.entity, table, index),
                code: rule.code.clone(),
                rule: rule.rule.map(|rule| program.rules[rule.index()].id.clone()),
                column: column.name.clone(),
            });
        }
    }
}

/// By entity, then row, then what was found: the order in which they are stored.
pub(crate) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let place = |finding: &Finding| (finding.entity, finding.row);
        place(a)
            .cmp(&place(b))
            .then_with(|| (&a.code, &a.rule, &a.column).cmp(&(&b.code, &b.rule, &b.column)))
    });
}

/// As a table: `entity`, `key`, `code`, `rule`, `column`.
pub(crate) fn batch(program: &Program, findings: &[Finding]) -> Result<RecordBatch, EngineError> {
    let texts = |text: &dyn Fn(&Finding) -> Option<String>| -> ArrayRef {
        Arc::new(findings.iter().map(text).collect::<StringArray>())
    };
    let columns = vec![
        texts(&|finding| Some(program.entities[finding.entity.index()].name.clone())),
        texts(&|finding| Some(finding.key.clone())),
        texts(&|finding| Some(finding.code.clone())),
        texts(&|finding| finding.rule.clone()),
        texts(&|finding| Some(finding.column.clone())),
    ];
    let field = |name: &str| Field::new(name, DataType::Utf8, name == "rule");
    let schema = Schema::new(["entity", "key", "code", "rule", "column"].map(field).to_vec());
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}
