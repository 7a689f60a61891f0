//! Aggregates: which children made the value.

use model::{Lang, Text};
use pack::program::{Aggregate, AggregateFunction, EdgeId, EntityId, Value};

use super::format::{both, entity_label};
use super::tree::{Node, NodeKind};
use super::walk::{Walker, colon, prefix};
use crate::interpret::{Aggregates as _, Here, Outcome};

/// Up to so many children are all listed.
const LISTED_MAX: usize = 12;

/// A child as the aggregate sees it.
struct Member {
    row: u32,
    /// Whether it counts; `Err` and unknown included.
    passes: Outcome,
    /// `None` where the aggregate has no argument or the child does not count.
    argument: Option<Outcome>,
}

impl<'a> Walker<'_, 'a> {
    /// Describes an aggregate column and lists its children.
    pub(super) fn aggregate(&mut self, here: Here, aggregate: &'a Aggregate, node: &mut Node) {
        node.kind = NodeKind::Aggregate;
        let phrase = both(|lang| self.printer(lang).aggregate(aggregate));
        self.define(node, here, &phrase);
        let facts = self.facts;
        let rows = facts.children(aggregate.edge, here.row);
        let child = self.program.edges[aggregate.edge.index()].child;
        if rows.is_empty() {
            let label = entity_label(self.program, child);
            let words = Text::new(format!("没有{}", label.zh), format!("there is no {}", label.en));
            let note = self.node(NodeKind::Note, words);
            node.children.push(note);
            return;
        }
        let mut members: Vec<Member> = rows.iter().map(|&row| self.member(here, aggregate, row)).collect();
        let result = node.value.clone();
        let all = members.len() <= LISTED_MAX;
        if !all {
            members.sort_by_key(|member| importance(aggregate.function, member, result.as_ref()));
        }
        let listed = members.len().min(LISTED_MAX);
        for member in &members[..listed] {
            let child = self.record(here, aggregate, member);
            node.children.push(child);
        }
        if !all {
            let note = self.left_out(&members[listed..]);
            node.children.push(note);
        }
    }

    fn member(&mut self, here: Here, aggregate: &'a Aggregate, row: u32) -> Member {
        let passes = self.evaluator.passes(here, aggregate, row).map(|passes| passes.map(Value::Bool));
        let wanted = aggregate.argument.is_some() && passes != Ok(Some(Value::Bool(false)));
        let argument = wanted.then(|| self.evaluator.argument(here, aggregate, row));
        Member { row, passes, argument }
    }

    /// The step of one child: why it does not count, or what it adds.
    fn record(&mut self, here: Here, aggregate: &'a Aggregate, member: &Member) -> Node {
        let at = Here { row: member.row, ..here };
        let entity = self.program.edges[aggregate.edge.index()].child;
        let counts = member.passes == Ok(Some(Value::Bool(true)));
        let mut node = match (&aggregate.filter, &aggregate.argument) {
            (Some(filter), Some(argument)) if counts => {
                let mut condition = self.expr(at, filter);
                let mut node = self.expr(at, argument);
                prefix(&mut condition, &Text::new("计入条件：", "counts because: "));
                node.children.insert(0, condition);
                node
            }
            (Some(filter), Some(argument)) if member.argument.is_some() => {
                let mut node = self.expr(at, filter);
                let below = self.expr(at, argument);
                node.children.push(below);
                node
            }
            (Some(filter), _) => self.expr(at, filter),
            (None, Some(argument)) => self.expr(at, argument),
            (None, None) => return self.record_name(aggregate.edge, entity, member.row),
        };
        let label = entity_label(self.program, entity);
        let key = self.viewer.key_along(aggregate.edge, entity, self.facts.key(entity, member.row));
        prefix(&mut node, &both(|lang| format!("{} {key}{}", label.get(lang), colon(lang))));
        node
    }

    /// A record by its key alone.
    pub(super) fn record_name(&mut self, edge: EdgeId, entity: EntityId, row: u32) -> Node {
        let label = entity_label(self.program, entity);
        let key = self.viewer.key_along(edge, entity, self.facts.key(entity, row));
        let mut node = self.node(NodeKind::Record, both(|lang| format!("{} {key}", label.get(lang))));
        node.provenance = self.facts.provenance(entity, row).cloned();
        node
    }

    fn left_out(&mut self, members: &[Member]) -> Node {
        let count = |wanted: &dyn Fn(&Member) -> bool| members.iter().filter(|member| wanted(member)).count();
        let passing = count(&|member| member.passes == Ok(Some(Value::Bool(true))));
        let failing = count(&|member| member.passes == Ok(Some(Value::Bool(false))));
        let (all, unknown) = (members.len(), members.len() - passing - failing);
        let text = both(|lang| match lang {
            Lang::Zh => {
                format!("另有 {all} 条未列出：计入 {passing} 条，不计入 {failing} 条，未知 {unknown} 条")
            }
            Lang::En => {
                format!("{all} more not listed: {passing} count, {failing} do not, {unknown} are unknown")
            }
        });
        self.node(NodeKind::Note, text)
    }
}

/// Errors and unknowns first, then what made the value, then the rest; larger amounts before smaller.
fn importance(function: AggregateFunction, member: &Member, result: Option<&Value>) -> (u8, i128) {
    let passes = match &member.passes {
        Err(_) => return (0, 0),
        Ok(passes) => passes.as_ref(),
    };
    let size = match &member.argument {
        Some(Ok(Some(Value::Number(number)))) => -i128::try_from(number.unsigned_abs()).unwrap_or(i128::MAX),
        _ => 0,
    };
    let unknown = passes.is_none() || matches!(member.argument, Some(Ok(None)));
    let counts = passes == Some(&Value::Bool(true));
    let made = match (function, &member.argument) {
        (AggregateFunction::Count | AggregateFunction::Sum, _) => counts,
        (AggregateFunction::Any, Some(Ok(value))) => counts && *value == Some(Value::Bool(true)),
        (AggregateFunction::All, Some(Ok(value))) => counts && *value == Some(Value::Bool(false)),
        (AggregateFunction::Min | AggregateFunction::Max, Some(Ok(value))) => {
            counts && value.as_ref() == result
        }
        _ => false,
    };
    match (member.argument.as_ref().is_some_and(Result::is_err), made, unknown, counts) {
        (true, ..) => (0, size),
        (_, true, ..) if result.is_some() => (1, size),
        (_, _, true, _) => (2, size),
        (_, true, ..) => (3, size),
        (.., true) => (4, size),
        _ => (5, size),
    }
}
