//! What is to be paid to whom: every benefit in money, with the name and account of who receives it.

use std::rc::Rc;

use pack::program::{ColumnId, ColumnKind, DataClass, EntityId, Period, Program, RuleDetail, Type, Value};

use super::sheet::{Cell, Head, TableSheet};
use super::{ReportError, Section, Writer};

impl Writer<'_> {
    /// One row a benefit and receiver. Those for whom the amount is unknown stand there with it; those for whom it is
    /// unknown whether they are entitled are counted above.
    pub(super) fn payments(&mut self) -> Result<(), ReportError> {
        let mut heads = vec![
            Head::text(self.say("条款", "clause"), 8.0),
            Head::text(self.say("发放事项", "benefit"), 26.0),
            Head::text(self.say("周期", "every"), 8.0),
        ];
        heads.extend(self.place_heads()?);
        heads.extend([
            Head::text(self.say("编号", "number"), 22.0),
            Head::text(self.say("姓名", "name"), 12.0),
            Head::text(self.say("证件号码", "identity number"), 22.0),
            Head::text(self.say("账号", "account"), 24.0),
            Head::money(self.say("金额（元）", "amount (yuan)")),
            Head::text(self.say("领取人签字", "received by"), 14.0),
        ]);
        let due = self.due()?;
        let title = self.say("发放清单：谁应领取多少", "payments: what is due to whom").to_owned();
        let masked = if self.unmasked {
            self.say(
                "姓名、证件号码和账号未遮盖，请勿外传",
                "names, numbers and accounts are in full: do not pass them on",
            )
        } else {
            self.say(
                "姓名、证件号码和账号已遮盖；有权者用 --unmasked",
                "names, numbers and accounts are masked; `--unmasked` for who may see them",
            )
        };
        let about = if self.lang == model::Lang::Zh {
            format!("每行一项待遇和一个领取对象；另有 {} 条是否符合条件未知，未列入；{masked}", due.unknown)
        } else {
            format!(
                "one row a benefit and receiver; of {} more it is unknown whether they are entitled; {masked}",
                due.unknown
            )
        };
        let name = self.say("发放清单", "payments");
        let style = Rc::clone(&self.style);
        let mut named = self.title(name, title.clone(), about.clone());
        let mut table = TableSheet::new(&named, &heads, 3, &style, self.lang)?;
        for payment in &due.payments {
            if table.is_full() {
                self.add(Section::Payments, &named, table)?;
                named = self.title(name, title.clone(), about.clone());
                table = TableSheet::new(&named, &heads, 3, &style, self.lang)?;
            }
            table.push(&self.payment_cells(payment)?)?;
        }
        let listed = self.add(Section::Payments, &named, table)?;
        if let Some(entry) = self.entries.last_mut().filter(|_| listed) {
            entry.unknown += due.unknown;
        }
        Ok(())
    }

    fn due(&mut self) -> Result<Due, ReportError> {
        let program = self.program;
        let mut due = Due::default();
        for (index, rule) in program.rules.iter().enumerate() {
            let RuleDetail::Benefit(benefit) = &rule.detail else { continue };
            let Some(amount) = benefit.amount.filter(|id| is_money(program, *id)) else { continue };
            let entity = program.column(benefit.who).entity;
            if !self.load(entity)? {
                continue;
            }
            self.load_above(entity)?;
            self.places(entity)?;
            let places = Rc::clone(&self.places[&entity]);
            for (row, _) in places.iter().enumerate().filter(|(_, place)| place.peopled) {
                match self.value(entity, row, benefit.who) {
                    Some(Value::Bool(true)) => {}
                    Some(_) => continue,
                    None => {
                        due.unknown += 1;
                        continue;
                    }
                }
                // Entitled to nothing, as a household just at the line, is no payment.
                if self.value(entity, row, amount) != Some(Value::Number(0)) {
                    due.payments.push(Payment { rule: index, entity, row, amount });
                }
            }
        }
        Ok(due)
    }

    fn payment_cells(&mut self, payment: &Payment) -> Result<Vec<Cell>, ReportError> {
        let Payment { rule, entity, row, amount } = *payment;
        let rule = &self.program.rules[rule];
        let every = match &rule.detail {
            RuleDetail::Benefit(benefit) => self.every(benefit.every),
            _ => String::new(),
        };
        let clause = rule.cite.first().map(ToString::to_string).unwrap_or_default();
        let mut cells =
            vec![Cell::Text(clause), Cell::Text(rule.title.get(self.lang).to_owned()), Cell::Text(every)];
        let places = self.places(entity)?;
        cells.extend(self.place_cells(&places[row].names));
        let key = self.program.entity(entity).key;
        cells.push(self.cell(key, self.field(entity, row, key).as_ref()));
        for pii in [DataClass::Name, DataClass::Identity, DataClass::Account] {
            let found = self.nearest(entity, row, pii);
            let not_recorded = Cell::Aside(self.say("未填", "not recorded"));
            cells.push(found.map_or(not_recorded, |(id, value)| self.cell(id, Some(&value))));
        }
        cells.push(self.cell(amount, self.value(entity, row, amount).as_ref()));
        cells.push(Cell::Text(String::new()));
        Ok(cells)
    }

    /// The first recorded field of a class, of the record itself or of the one that it belongs to: a person is paid to
    /// the household's account.
    fn nearest(&self, entity: EntityId, row: usize, pii: DataClass) -> Option<(ColumnId, Value)> {
        let program = self.program;
        let (mut at, mut at_row) = (entity, row);
        loop {
            let of_class = |id: &&ColumnId| matches!(&program.column(**id).kind, ColumnKind::Field(field) if field.pii == pii);
            let fields = program.entity(at).fields.iter().filter(of_class);
            let found = fields.copied().find_map(|id| Some((id, self.field(at, at_row, id)?)));
            if found.is_some() {
                return found;
            }
            let edge = program.entity(at).parent?;
            at_row = self.parent(edge, at_row)?;
            at = program.edge(edge).parent;
        }
    }

    fn every(&self, every: Period) -> String {
        let words = match every {
            Period::Year => self.say("年", "year"),
            Period::Term => self.say("学期", "term"),
            Period::Quarter => self.say("季", "quarter"),
            Period::Month => self.say("月", "month"),
            Period::Once => self.say("一次", "once"),
        };
        words.to_owned()
    }
}

/// What is due, in order of rules and rows.
#[derive(Default)]
struct Due {
    payments: Vec<Payment>,
    /// Records of which it is unknown whether they are entitled, over all benefits.
    unknown: u64,
}

struct Payment {
    /// Position of the rule.
    rule: usize,
    entity: EntityId,
    row: usize,
    amount: ColumnId,
}

fn is_money(program: &Program, id: ColumnId) -> bool {
    matches!(&program.column(id).ty, Type::Number(ty) if ty.is_money())
}
