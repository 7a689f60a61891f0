//! The pack's own reports: the columns that it names, one row a record.

use std::rc::Rc;

use model::Lang;
use pack::program::{ColumnId, EntityId, Rule, RuleDetail, RuleKind, Value};

use super::sheet::{Cell, Head, TableSheet};
use super::{ReportError, Section, Writer};

/// Which records a report is about.
enum Rows {
    All,
    /// Those for which a column has a value; of those for which it is unknown, that it is.
    Where(ColumnId, bool),
}

impl Writer<'_> {
    pub(super) fn declared(&mut self, rule: &Rule) -> Result<(), ReportError> {
        let (RuleKind::Report, Some(entity)) = (rule.kind, rule.entity) else { return Ok(()) };
        let RuleDetail::Declared { columns, attributes, .. } = &rule.detail else { return Ok(()) };
        let columns: Vec<ColumnId> = columns.iter().map(|(_, id)| *id).collect();
        self.load_recorded(entity)?;
        self.load_above(entity)?;
        let rows = self.rows_of(entity, attributes.get("rows").map(String::as_str));
        let mut heads = self.place_heads()?;
        let frozen = heads.len() as u16 + 1;
        heads.extend(columns.iter().map(|id| self.head_of(*id)));
        if matches!(rows, Rows::Where(..)) {
            heads.push(Head::text(self.say("是否在列", "listed because"), 12.0));
        }
        let title = rule.title.get(self.lang).to_owned();
        let about = self.about(rule, entity, &rows);
        let mut named = self.title(&title, title.clone(), about.clone());
        let style = Rc::clone(&self.style);
        let mut table = TableSheet::new(&named, &heads, frozen, &style, self.lang)?;
        let places = self.places(entity)?;
        for (row, place) in places.iter().enumerate().filter(|(_, place)| place.peopled) {
            let verdict = match rows {
                Rows::All => None,
                Rows::Where(id, wanted) => match self.value(entity, row, id) {
                    Some(Value::Bool(found)) if found == wanted => {
                        Some(Cell::Text(self.say("是", "yes").to_owned()))
                    }
                    Some(_) => continue,
                    None => Some(Cell::Unknown),
                },
            };
            if table.is_full() {
                self.add(Section::Reports, &named, table)?;
                named = self.title(&title, title.clone(), about.clone());
                table = TableSheet::new(&named, &heads, frozen, &style, self.lang)?;
            }
            let mut cells = self.place_cells(&place.names);
            cells.extend(columns.iter().map(|id| self.cell(*id, self.value(entity, row, *id).as_ref())));
            cells.extend(verdict);
            table.push(&cells)?;
        }
        if !self.add(Section::Reports, &named, table)? {
            self.empty.push(title);
        }
        Ok(())
    }

    /// Reads an entity also if the run computes nothing for it: a ledger has recorded columns alone.
    fn load_recorded(&mut self, entity: EntityId) -> Result<(), ReportError> {
        if self.load(entity)? {
            return Ok(());
        }
        let recorded = self.recorded(entity)?;
        let results = recorded.slice(0, 0);
        self.tables.insert(entity, Some(super::Loaded { recorded, results }));
        Ok(())
    }

    /// `rows` names a yes-or-no column, or `NOT` and one.
    fn rows_of(&self, entity: EntityId, rows: Option<&str>) -> Rows {
        let Some(rows) = rows else { return Rows::All };
        let (name, wanted) = rows.strip_prefix("NOT ").map_or((rows, true), |name| (name, false));
        self.program.column_named(entity, name.trim()).map_or(Rows::All, |id| Rows::Where(id, wanted))
    }

    fn about(&self, rule: &Rule, entity: EntityId, rows: &Rows) -> String {
        let label = self.entity_label(entity);
        let clauses =
            rule.cite.iter().map(ToString::to_string).collect::<Vec<_>>().join(self.say("、", ", "));
        match (rows, self.lang) {
            (Rows::All, Lang::Zh) => format!("每行一条“{label}”记录，全部在列；依据 {clauses}"),
            (Rows::All, Lang::En) => format!("one row a {label}, all of them; clauses {clauses}"),
            (Rows::Where(id, wanted), lang) => {
                let column = self.program.column(*id);
                let of =
                    if column.label.get(lang).is_empty() { &column.name } else { column.label.get(lang) };
                match (lang, wanted) {
                    (Lang::Zh, true) => {
                        format!("每行一条“{label}”记录：“{of}”为是，或为未知（末列写明）；依据 {clauses}")
                    }
                    (Lang::Zh, false) => {
                        format!("每行一条“{label}”记录：“{of}”为否，或为未知（末列写明）；依据 {clauses}")
                    }
                    (Lang::En, true) => {
                        format!(
                            "one row a {label} for which “{of}” is yes, or unknown (last column); clauses {clauses}"
                        )
                    }
                    (Lang::En, false) => {
                        format!(
                            "one row a {label} for which “{of}” is no, or unknown (last column); clauses {clauses}"
                        )
                    }
                }
            }
        }
    }
}
