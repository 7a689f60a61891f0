//! What a run has found that needs a person: contradictions of exceptions, divisions by zero.

use std::collections::BTreeMap;
use std::path::Path;

use model::Text;
use pack::program::{EntityId, Program, RuleId, Value};

use super::{Place, Reading};
use crate::cells::cell;
use crate::tables::{StoredTable, TableError};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub entity: EntityId,
    pub key: String,
    pub code: String,
    pub rule: Option<RuleId>,
    pub message: Text,
}

/// How many findings of one code there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingCount {
    pub code: String,
    pub count: u64,
}

/// All findings of a run, in its order.
pub(super) fn read(program: &Program, folder: &Path) -> Result<Vec<Finding>, TableError> {
    let path = folder.join("findings.parquet");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let table = StoredTable::open(&path)?;
    let Some(batch) = table.columns(&["entity", "key", "code", "rule"])? else { return Ok(Vec::new()) };
    let text = |name: &str, row: usize| match batch.column_by_name(name).and_then(|array| cell(array, row)) {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    };
    let finding = |row: usize| {
        let (code, name) = (text("code", row), text("rule", row));
        let entity = program.entity_named(&text("entity", row))?;
        let rule = program.rules.iter().position(|rule| rule.id == name).map(|at| RuleId(at as u32));
        let declared = program
            .findings
            .iter()
            .find(|it| it.code == code && it.rule == rule && program.column(it.column).entity == entity);
        let message = declared.map(|declared| declared.message.clone()).unwrap_or_default();
        Some(Finding { entity, key: text("key", row), code, rule, message })
    };
    Ok((0..batch.num_rows()).filter_map(finding).collect())
}

impl Reading {
    /// Findings about records within a division.
    pub fn findings(&self, place: Place) -> Result<Vec<&Finding>, TableError> {
        let mut found = Vec::new();
        for finding in &self.findings {
            if let Some(row) = self.find(finding.entity, &finding.key)?
                && self.is_within(finding.entity, row, place)?
            {
                found.push(finding);
            }
        }
        Ok(found)
    }

    /// How many findings of each code there are within a division.
    pub fn finding_counts(&self, place: Place) -> Result<Vec<FindingCount>, TableError> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in self.findings(place)? {
            *counts.entry(finding.code.as_str()).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(code, count)| FindingCount { code: code.to_owned(), count }).collect())
    }
}
