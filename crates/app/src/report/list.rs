//! Lists of who gets what, who lacks what and what contradicts itself.

use arrow::array::ArrayRef;
use evaluate::explain::{mask, value_text};
use pack::program::{ColumnId, ColumnKind, EntityId, Pii, Program, Rule, RuleDetail, Value};

use super::{ReportError, Writer, scaled, verdict};
use crate::cases::cell;

/// Rows of one sheet, header rows included, that a spreadsheet can hold.
const ROWS_MAX: u32 = 1_048_576;

impl Writer<'_> {
    /// The records that a rule singles out: who is entitled, who lacks a standard, what contradicts itself.
    pub(super) fn list(&mut self, rule: &Rule) -> Result<(), ReportError> {
        let Some((verdict, amount, wanted)) = verdict(rule) else { return Ok(()) };
        let entity = self.program.column(verdict).entity;
        self.load(entity)?;
        if self.tables.get(&entity).is_none_or(Option::is_none) {
            return Ok(());
        }
        let places = self.places(entity)?;
        let clause = rule.cite.first().map(ToString::to_string).unwrap_or_default();
        let title = format!("{clause} {}", rule.title.get(self.lang));
        let mut sheet = self.titled(title.trim(), &format!("{clause} {}", rule.id))?;
        let Some(Some(loaded)) = self.tables.get(&entity) else { return Ok(()) };
        let shown = shown_fields(self.program, entity);
        let head = self.head();
        let mut headers = vec![self.say("乡镇", "township").to_owned(), self.say("村", "village").to_owned()];
        headers.extend(shown.iter().map(|id| self.program.column(*id).label.get(self.lang).to_owned()));
        if let Some(amount) = amount {
            headers.push(format!("{}\n{}", rule.title.get(self.lang), self.amount_head(amount)));
        }
        for (column, text) in headers.iter().enumerate() {
            sheet.write_with_format(3, column as u16, text.as_str(), &head)?;
        }
        let applies = match &rule.detail {
            RuleDetail::Standard(standard) => standard.applies,
            RuleDetail::Duty(duty) => Some(duty.owed),
            _ => None,
        };
        let column = |id: ColumnId| loaded.results.column_by_name(&self.program.column(id).name);
        let (verdicts, amounts) = (column(verdict), amount.and_then(column));
        let applying = applies.and_then(column);
        let value = |array: Option<&ArrayRef>, row: usize| array.and_then(|array| cell(array, row));
        let mut at = 4u32;
        for (row, place) in places.iter().enumerate().filter(|(_, place)| place.peopled) {
            let outside = applying.is_some() && value(applying, row) != Some(Value::Bool(true));
            if value(verdicts, row) != Some(Value::Bool(wanted)) || outside || at >= ROWS_MAX {
                continue;
            }
            sheet.write(at, 0, &*place.township)?;
            sheet.write(at, 1, &*place.village)?;
            for (position, id) in shown.iter().enumerate() {
                let value = loaded
                    .recorded
                    .column_by_name(&self.program.column(*id).name)
                    .and_then(|array| cell(array, row));
                let text = self.recorded_text(*id, value.as_ref());
                sheet.write(at, position as u16 + 2, text)?;
            }
            if let Some(amount) = amount {
                let column = shown.len() as u16 + 2;
                match value(amounts, row) {
                    Some(Value::Number(number)) => {
                        sheet.write(at, column, scaled(self.program, amount, number))?;
                    }
                    _ => {
                        sheet.write(at, column, self.say("未知", "unknown"))?;
                    }
                }
            }
            at += 1;
        }
        sheet.set_freeze_panes(4, 0)?;
        sheet.set_column_range_width(0, headers.len() as u16, 18)?;
        let rows = u64::from(at) - 4;
        if rows > 0 {
            self.add(sheet, rows);
        }
        Ok(())
    }

    /// A recorded value as an office would write it; personal data masked.
    fn recorded_text(&self, id: ColumnId, value: Option<&Value>) -> String {
        let column = self.program.column(id);
        let text = match value {
            None => return String::new(),
            Some(value) => value_text(self.program, &column.ty, Some(value), self.lang),
        };
        match &column.kind {
            ColumnKind::Field(field) => mask(&text, field.pii),
            _ => text,
        }
    }
}

/// The key and the names of a record, as far as they tell it from others.
fn shown_fields(program: &Program, entity: EntityId) -> Vec<ColumnId> {
    let table = program.entity(entity);
    let mut shown = vec![table.key];
    shown.extend(table.fields.iter().filter(|id| {
        **id != table.key
            && matches!(&program.column(**id).kind, ColumnKind::Field(field) if field.pii == Pii::Name)
    }));
    shown
}
