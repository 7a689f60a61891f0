//! Who is entitled, who fails a standard, who has not met a duty, and what contradicts itself, by name: all rules of an
//! article on one sheet, each row saying which of these it is.

use std::rc::Rc;

use model::ClauseId;
use pack::program::{ColumnId, ColumnKind, DataClass, EntityId, Rule, Type, Value};

use super::sheet::{Cell, Head, TableSheet};
use super::{ReportError, Section, Writer};
use crate::cells::cell;
use crate::value_text;
use crate::verdict::Verdict;
use evaluate::explain::unit_text;

impl Writer<'_> {
    pub(super) fn list(&mut self, article: &ClauseId, rules: &[&Rule]) -> Result<(), ReportError> {
        let mut heads = vec![
            Head::text(self.say("条款", "clause"), 8.0),
            Head::text(self.say("事项", "matter"), 26.0),
            Head::text(self.say("情况", "verdict"), 12.0),
        ];
        heads.extend(self.place_heads()?);
        heads.extend([
            Head::text(self.say("对象", "of what"), 10.0),
            Head::text(self.say("编号", "number"), 22.0),
            Head::text(self.say("名称", "name"), 14.0),
            Head { adds_up: false, ..Head::money(self.say("数额", "amount")) },
            Head::text(self.say("单位", "unit"), 8.0),
        ]);
        let name = self.article_name(article);
        let name = format!("{name}{}", self.say("名单", " list"));
        let title = format!(
            "{name}{}",
            self.say(
                "：谁符合条件、谁未达到标准、谁未履行职责、哪些记录有问题",
                ": who is entitled, who fails a standard, who has not met a duty, what contradicts itself",
            )
        );
        let about = self.say(
            "每行一条记录和一项规定，“情况”写明属哪一种；未知的不在名单内，其数目见本条数据表",
            "one row a record and rule, “verdict” says which it is; the unknown are not listed, the sheet of figures counts them",
        );
        let style = Rc::clone(&self.style);
        let mut named = self.title(&name, title.clone(), about.to_owned());
        let mut table = TableSheet::new(&named, &heads, 3, &style, self.lang)?;
        for rule in rules {
            let Some(verdict) = Verdict::of(self.program, rule) else { continue };
            if !self.load(verdict.entity)? {
                continue;
            }
            let places = self.places(verdict.entity)?;
            for row in self.listed(&verdict, &places) {
                if table.is_full() {
                    self.add(Section::Lists, &named, table)?;
                    named = self.title(&name, title.clone(), about.to_owned());
                    table = TableSheet::new(&named, &heads, 3, &style, self.lang)?;
                }
                table.push(&self.listed_cells(rule, &verdict, &places[row].names, row))?;
            }
        }
        self.add(Section::Lists, &named, table)?;
        Ok(())
    }

    /// Rows of the records that a list names.
    fn listed(&self, verdict: &Verdict, places: &[super::Place]) -> Vec<usize> {
        let Some(Some(loaded)) = self.tables.get(&verdict.entity) else { return vec![] };
        let peopled = places.iter().enumerate().filter(|(_, place)| place.peopled).map(|(row, _)| row);
        peopled.filter(|row| verdict.listed(self.program, &loaded.results, *row)).collect()
    }

    /// What the list says of a record: the state of a duty that is due by some day.
    fn listed_text(&self, verdict: &Verdict, row: usize) -> String {
        let state = verdict.state.zip(self.tables.get(&verdict.entity)).and_then(|(id, loaded)| {
            let value = verdict.duty_state(self.program, &loaded.as_ref()?.results, row)?;
            Some(value_text(self.program, &self.program.column(id).ty, Some(&value), self.lang))
        });
        state.unwrap_or_else(|| verdict.kind.listed_text(self.lang))
    }

    fn listed_cells(&self, rule: &Rule, verdict: &Verdict, names: &super::Names, row: usize) -> Vec<Cell> {
        let clause = rule.cite.first().map(ToString::to_string).unwrap_or_default();
        let mut cells = vec![
            Cell::Text(clause),
            Cell::Text(rule.title.get(self.lang).to_owned()),
            Cell::Text(self.listed_text(verdict, row)),
        ];
        cells.extend(self.place_cells(names));
        let key = self.program.entity(verdict.entity).key;
        let recorded = |id: ColumnId| {
            let loaded = self.tables.get(&verdict.entity)?.as_ref()?;
            cell(loaded.recorded.column_by_name(&self.program.column(id).name)?, row)
        };
        cells.push(Cell::Text(self.entity_label(verdict.entity)));
        cells.push(self.cell(key, recorded(key).as_ref()));
        let named = self.names_of(verdict.entity).into_iter().find_map(|id| Some((id, recorded(id)?)));
        cells.push(named.map_or(Cell::Text(String::new()), |(id, value)| self.cell(id, Some(&value))));
        match verdict.amount {
            Some(amount) => {
                let value = self.value(verdict.entity, row, amount);
                cells.push(self.cell(amount, value.as_ref()));
                let unit = match &self.program.column(amount).ty {
                    Type::Number(ty) => unit_text(self.program, &ty.unit, self.lang),
                    _ => String::new(),
                };
                cells.push(Cell::Text(unit));
            }
            None => cells.extend([Cell::Text(String::new()), Cell::Text(String::new())]),
        }
        cells
    }

    /// Fields that hold the name of a record: of a person, or what is called a name.
    pub(super) fn names_of(&self, entity: EntityId) -> Vec<ColumnId> {
        let fields = &self.program.entity(entity).fields;
        let is_name = |id: &&ColumnId| {
            let column = self.program.column(**id);
            matches!(&column.kind, ColumnKind::Field(field) if field.pii == DataClass::Name || column.name == "name")
        };
        fields.iter().filter(is_name).copied().collect()
    }

    /// The recorded value of a field, or nothing.
    pub(super) fn field(&self, entity: EntityId, row: usize, id: ColumnId) -> Option<Value> {
        self.value(entity, row, id)
    }
}
