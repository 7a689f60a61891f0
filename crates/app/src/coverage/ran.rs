//! What became of a pack's rules in a run: which of them it has results of, and for how many subjects.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use model::Lang;
use pack::program::{ColumnId, EntityId, Program, Rule, RuleDetail};

use crate::tables::{StoredTable, TableError};

/// Results of one rule in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ran {
    /// Subjects whose result is known.
    pub known: u64,
    /// All of them.
    pub subjects: u64,
}

impl Ran {
    /// Subjects whose result is not known.
    pub fn unknown(&self) -> u64 {
        self.subjects - self.known
    }
}

/// By rule id; rules that the run has no results of are not there.
pub type RanRules = BTreeMap<String, Ran>;

/// The column that stands for a rule, at each level that it is computed at.
fn columns(rule: &Rule) -> Vec<ColumnId> {
    match &rule.detail {
        RuleDetail::Variable { column } => vec![*column],
        RuleDetail::Benefit(benefit) => vec![benefit.who],
        RuleDetail::Standard(standard) => vec![standard.holds],
        RuleDetail::Measure(measure) => measure.columns.iter().map(|(_, column)| *column).collect(),
        RuleDetail::Check(check) => vec![check.fails],
        RuleDetail::Duty(duty) => vec![duty.owed],
        RuleDetail::Scorecard(card) => vec![card.total],
        RuleDetail::Asset(asset) => vec![asset.share],
        RuleDetail::Declared { columns, .. } => columns.iter().map(|(_, column)| *column).take(1).collect(),
        RuleDetail::Programme(_) | RuleDetail::Flow(_) => Vec::new(),
    }
}

/// Looks up every rule of a pack in the results of a run.
pub fn in_run(program: &Program, run: &Path) -> Result<RanRules, TableError> {
    let mut tables: HashMap<EntityId, Option<StoredTable>> = HashMap::new();
    let mut found = RanRules::new();
    for rule in &program.rules {
        let mut ran: Option<Ran> = None;
        for id in columns(rule) {
            let column = program.column(id);
            if let std::collections::hash_map::Entry::Vacant(place) = tables.entry(column.entity) {
                let path = run.join(format!("{}.parquet", program.entity(column.entity).name));
                place.insert(if path.exists() { Some(StoredTable::open(&path)?) } else { None });
            }
            let Some(Some(table)) = tables.get(&column.entity) else { continue };
            if let Some(known) = table.known(&column.name)? {
                let sum = ran.get_or_insert_default();
                sum.known += known;
                sum.subjects += table.rows() as u64;
            }
        }
        found.extend(ran.map(|ran| (rule.id.clone(), ran)));
    }
    Ok(found)
}

/// `1,300 subjects: 1,204 known, 96 unknown`, or that the run has none.
pub fn ran_text(ran: &RanRules, rule: &str, lang: Lang) -> String {
    match (ran.get(rule), lang) {
        (Some(ran), Lang::Zh) => {
            format!("{} 个对象：{} 个有结果，{} 个未知", ran.subjects, ran.known, ran.unknown())
        }
        (Some(ran), Lang::En) => {
            format!("{} subjects: {} known, {} unknown", ran.subjects, ran.known, ran.unknown())
        }
        (None, Lang::Zh) => "本次运行无结果".to_owned(),
        (None, Lang::En) => "not in the run".to_owned(),
    }
}
