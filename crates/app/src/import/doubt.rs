//! What an import says of records that it does not hold.

use model::{Lang, Text};
use serde_json::{Value, json};

use super::fault::Severity;
use super::recheck::RegisteredFault;
use super::schema::Schema;

/// A record that the import does not hold and that fails a check with what it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredDoubt {
    /// Entity by its id in the pack, and in words.
    pub entity: String,
    pub label: Text,
    /// Masked where the key is personal.
    pub key: String,
    /// Where the record was read from; empty if that is not recorded.
    pub file: String,
    pub sheet: String,
    pub row: Option<u32>,
    /// Label of the field to look at.
    pub column: String,
    pub code: String,
    pub severity: Severity,
    pub message: Text,
    pub value: Option<String>,
}

impl RegisteredDoubt {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "entity": self.entity, "key": self.key,
            "file": self.file, "sheet": self.sheet, "row": self.row, "column": self.column,
            "code": self.code, "severity": self.severity.as_str(),
            "message": { "zh": self.message.zh, "en": self.message.en },
            "value": self.value,
        })
    }

    pub(super) fn line(&self, lang: Lang) -> String {
        let Self { label, key, file, column, message, .. } = self;
        let row = self.row.filter(|_| !file.is_empty());
        // A sheet that is called like its file need not be named.
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let sheet = Some(&self.sheet).filter(|sheet| !sheet.is_empty() && *sheet != stem);
        let (zh, en) =
            sheet.map_or_else(Default::default, |sheet| (format!("（{sheet}）"), format!(" ({sheet})")));
        match lang {
            Lang::Zh => {
                let place = row.map_or_else(String::new, |row| format!("（{file}{zh} 第 {row} 行）"));
                format!("  {} {key}{place} {column}：{}", label.zh, message.zh)
            }
            Lang::En => {
                let place = row.map_or_else(String::new, |row| format!(" ({file}{en} row {row})"));
                format!("  {} {key}{place} {column}: {}", label.en, message.en)
            }
        }
    }
}

/// Doubts with the places where their records were read, in order of those.
pub(super) fn registered_doubts(
    schema: &Schema<'_>,
    recorded: &[store::Source],
    faults: Vec<RegisteredFault>,
) -> Vec<RegisteredDoubt> {
    let mut doubts: Vec<RegisteredDoubt> = faults
        .into_iter()
        .map(|fault| {
            let entity = schema.entity(fault.entity);
            let source = fault.source.and_then(|id| recorded.iter().find(|source| source.id == id));
            RegisteredDoubt {
                entity: entity.name.clone(),
                label: entity.label.clone(),
                key: fault.key,
                file: source.map_or_else(String::new, |source| source.file.clone()),
                sheet: source.map_or_else(String::new, |source| source.sheet.clone()),
                row: fault.source_row,
                column: entity.fields[fault.field].label.zh.clone(),
                code: fault.code,
                severity: fault.severity,
                message: fault.message,
                value: fault.value,
            }
        })
        .collect();
    doubts.sort_by(|one, other| {
        let place =
            |doubt: &RegisteredDoubt| (doubt.file.clone(), doubt.row, doubt.key.clone(), doubt.code.clone());
        place(one).cmp(&place(other))
    });
    doubts
}
