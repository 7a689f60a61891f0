//! What is owed of a benefit in its period and what the record of payments says was paid of it.
//!
//! Payments are rows of whatever entity the pack keeps them in, each with an amount and the day on which it was paid; a row
//! without that day is not paid yet. Decided amounts come in through `owed`, an expression of the pack's own.

use crate::compiler::{Compiler, Definition};
use crate::diagnostic::Diagnostic;
use crate::program::{EntityId, Payments, Period, Type};
use crate::rules::Head;
use crate::surface::{Table, Word};

/// Columns are announced: `<id>_owed`, `<id>_paid` and `<id>_outstanding`.
pub struct PaidDraft;

impl Compiler<'_> {
    /// Announces the columns of a benefit that says how payments are recorded.
    pub fn payments(
        &mut self,
        head: &Head,
        table: &Table<'_>,
        every: Period,
        has_amount: bool,
        ty: &Type,
    ) -> Option<PaidDraft> {
        let owed = table.word("owed");
        let Some(paid) = table.table("paid", "record of payments") else {
            if let Some(owed) = owed {
                self.report(
                    Diagnostic::new("missing-key", owed.span, "`owed` is held against payments, and nothing says what they are")
                        .hint("add `paid = { amount = \"transfer.amount\", on = \"transfer.paid_on\", when = \"…\" }`"),
                );
            }
            return None;
        };
        let amount = paid.require("amount", paid.word("amount"));
        let on = paid.require("on", paid.word("on"));
        let when = paid.word("when");
        paid.finish();
        if !has_amount {
            self.report(Diagnostic::new(
                "missing-key",
                paid.span,
                "payments are held against the amount of a benefit, and this one has none",
            ));
            return None;
        }
        let (amount, on, entity, id) = (amount?, on?, head.entity()?, head.name());
        let span = amount.span;
        let text = sum_paid(&amount.text, &on.text, when.as_ref().map(|when| when.text.as_str()), every);
        let owed = owed.unwrap_or_else(|| Word { text: format!("{id}_amount"), span });
        let outstanding = format!("greatest({id}_owed - {id}_paid, 0)");
        let columns = [
            ("owed", owed, head.titled("本期应发", "owed in the period")),
            ("paid", Word { text, span }, head.titled("本期已发", "paid in the period")),
            ("outstanding", Word { text: outstanding, span }, head.titled("本期未发", "outstanding")),
        ];
        for (figure, text, label) in columns {
            let place = text.span;
            let definition = Definition::Expression { text, ty: Some(ty.clone()) };
            self.announce_for(head, entity, format!("{id}_{figure}"), label, place, definition);
        }
        Some(PaidDraft)
    }

    pub fn paid_detail(&self, entity: EntityId, id: &str, _: &PaidDraft) -> Option<Payments> {
        let named = |figure: &str| self.known(entity, &format!("{id}_{figure}"));
        Some(Payments { owed: named("owed")?, paid: named("paid")?, outstanding: named("outstanding")? })
    }
}

/// What was paid in the period that holds the as-of date, up to that date.
fn sum_paid(amount: &str, on: &str, when: Option<&str>, every: Period) -> String {
    let mut conditions = vec![format!("({on}) IS NOT NULL"), format!("({on}) <= as_of")];
    conditions.extend(first_day(every).map(|first| format!("({on}) >= {first}")));
    conditions.extend(when.map(|when| format!("({when})")));
    format!("sum({amount}) FILTER (WHERE {})", conditions.join(" AND "))
}

/// The first day of the period that holds the as-of date; none for what is owed once. Terms begin on 1 March and on
/// 1 September, as school years do in China.
fn first_day(every: Period) -> Option<&'static str> {
    match every {
        Period::Once => None,
        Period::Year => Some("date(year(as_of), 1, 1)"),
        Period::Month => Some("add_days(as_of, 1 - day(as_of))"),
        Period::Quarter => Some(
            "CASE WHEN month(as_of) < 4 THEN date(year(as_of), 1, 1) \
             WHEN month(as_of) < 7 THEN date(year(as_of), 4, 1) \
             WHEN month(as_of) < 10 THEN date(year(as_of), 7, 1) ELSE date(year(as_of), 10, 1) END",
        ),
        Period::Term => Some(
            "CASE WHEN month(as_of) < 3 THEN date(year(as_of) - 1, 9, 1) \
             WHEN month(as_of) < 9 THEN date(year(as_of), 3, 1) ELSE date(year(as_of), 9, 1) END",
        ),
    }
}
