//! Gives a flow's expressions their columns once these are compiled.

use model::flow::{BranchOn, ExpressionId, Flow as Machine, Quantity};

use super::FlowDraft;
use crate::compiler::Compiler;
use crate::diagnostic::Diagnostic;
use crate::program::{ColumnId, Flow, Rule, RuleDetail};

impl Compiler<'_> {
    pub fn flow_detail(&mut self, rule: &Rule, draft: FlowDraft) -> Option<RuleDetail> {
        let FlowDraft { sheet, mut machine, expressions, places } = draft;
        let mut columns: Vec<Option<ColumnId>> = Vec::new();
        for wanted in &expressions {
            let found = self.resolve(wanted.entity, &wanted.column.text, wanted.column.span);
            if let (Some(id), Some(ty)) = (found, &wanted.ty) {
                let have = self.program.column(id).ty.clone();
                if have != *ty {
                    let message = format!(
                        "`{}` is {}, not {}",
                        wanted.column.text,
                        self.type_name(&have),
                        self.type_name(ty)
                    );
                    self.report(Diagnostic::new("wrong-type", wanted.column.span, message));
                }
            }
            columns.push(found);
        }
        let columns = columns.into_iter().collect::<Option<Vec<ColumnId>>>()?;
        for id in expressions_mut(&mut machine) {
            *id = ExpressionId(columns[id.0 as usize].0);
        }
        self.check_graph(rule, &machine, &places);
        self.check_makers(&machine, &places);
        self.check_order(&machine, &places);
        let mut columns = columns;
        columns.sort_unstable();
        columns.dedup();
        Some(RuleDetail::Flow(Box::new(Flow { sheet, machine, columns })))
    }
}

/// Every place of an expression in a flow.
fn expressions_mut(machine: &mut Machine) -> Vec<&mut ExpressionId> {
    let mut found: Vec<&mut ExpressionId> = machine.shows.iter_mut().collect();
    for step in &mut machine.steps {
        found.extend(&mut step.when);
        found.extend(step.sample.iter_mut().flat_map(|sample| &mut sample.musts).map(|must| &mut must.when));
        if let Some(Some(Quantity::Expression(id))) = step.vote.as_mut().map(|vote| &mut vote.electorate) {
            found.push(id);
        }
        found.extend(step.notice.iter_mut().flat_map(|notice| &mut notice.shows));
        found.extend(step.records.iter_mut().flat_map(|write| &mut write.fields).map(|(_, id)| id));
        found.extend(step.reserves.iter_mut().map(|reserve| &mut reserve.amount));
        found.extend(step.next.iter_mut().filter_map(|branch| match &mut branch.on {
            BranchOn::When(id) => Some(id),
            _ => None,
        }));
    }
    found
}
