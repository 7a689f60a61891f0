//! Windows: which siblings made the value, in their order.

use model::{Lang, Text};
use pack::program::{Window, WindowFunction};

use super::format::{both, entity_label};
use super::tree::{Node, NodeKind};
use super::walk::{Walker, colon, prefix};
use crate::interpret::{Here, Windows as _, frame_end};

/// Up to so many siblings are listed; of more, those nearest before the record.
const LISTED_MAX: usize = 12;

impl<'a> Walker<'_, 'a> {
    /// Describes a window column and lists the siblings of its partition, marking its own record
    /// and those in the frame.
    pub(super) fn window(&mut self, here: Here, window: &'a Window, node: &mut Node) {
        node.kind = NodeKind::Window;
        let column = &self.program.columns[here.column.index()];
        let phrase = both(|lang| self.printer(lang).window(column, window));
        self.define(node, here, &phrase);
        let facts = self.facts;
        let Some(parent) = facts.parent(window.edge, here.row) else {
            let label = entity_label(self.program, self.program.edges[window.edge.index()].parent);
            let words =
                Text::new(format!("未登记所属的{}", label.zh), format!("no {} is recorded for it", label.en));
            let below = self.node(NodeKind::NoParent, words);
            node.children.push(below);
            return;
        };
        let rows = facts.children(window.edge, parent);
        match self.evaluator.siblings(here, window, rows) {
            Ok(Some(siblings)) => {
                let partition = siblings
                    .chunk_by(|a, b| a.partition == b.partition)
                    .find(|partition| partition.iter().any(|sibling| sibling.row == here.row))
                    .unwrap_or_default();
                let order: Vec<u32> = partition.iter().map(|sibling| sibling.row).collect();
                self.list_siblings(here, window, &order, node);
            }
            Ok(None) => self.list_places(here, window, rows, node),
            Err(_) => {}
        }
    }

    fn list_siblings(&mut self, here: Here, window: &'a Window, order: &[u32], node: &mut Node) {
        let own = order.iter().position(|row| *row == here.row).unwrap_or_default();
        let end = match window.function {
            WindowFunction::Sum | WindowFunction::Count => frame_end(window.frame, own, order.len()),
            WindowFunction::RowNumber | WindowFunction::Rank => own + 1,
        };
        let last = end.max(own + 1);
        let first = last.saturating_sub(LISTED_MAX);
        if first > 0 {
            let words = Text::new(format!("此前另有 {first} 条"), format!("{first} more before"));
            let note = self.node(NodeKind::Note, words);
            node.children.push(note);
        }
        for (index, &row) in order.iter().enumerate().take(last).skip(first) {
            let mut below = self.sibling(here, window, row);
            let mark = match (row == here.row, index < end) {
                (true, true) => Text::new("（本条，计入）", " (this one; counted)"),
                (true, false) => Text::new("（本条）", " (this one)"),
                (false, true) => Text::new("（计入）", " (counted)"),
                (false, false) => Text::default(),
            };
            below.text = both(|lang| format!("{}{}", below.text.get(lang), mark.get(lang)));
            node.children.push(below);
        }
        if order.len() > last {
            let more = order.len() - last;
            let words = Text::new(format!("此后另有 {more} 条"), format!("{more} more after"));
            let note = self.node(NodeKind::Note, words);
            node.children.push(note);
        }
    }

    /// A sibling with its place and its argument.
    fn sibling(&mut self, here: Here, window: &'a Window, row: u32) -> Node {
        let entity = self.program.columns[here.column.index()].entity;
        let at = Here { row, ..here };
        let place: Vec<Text> = window.order.iter().map(|(expr, _)| self.operand_text(at, expr)).collect();
        let mut node = match &window.argument {
            Some(argument) => self.expr(at, argument),
            None => self.record_name(window.edge, entity, row),
        };
        let label = entity_label(self.program, entity);
        let key = self.viewer.key_along(window.edge, entity, self.facts.key(entity, row));
        let named = window.argument.is_some();
        let words = both(|lang| {
            let place: Vec<&str> = place.iter().map(|text| text.get(lang)).collect();
            let place = place.join(if lang == Lang::Zh { "、" } else { ", " });
            match (named, place.is_empty()) {
                (true, true) => format!("{} {key}{}", label.get(lang), colon(lang)),
                (true, false) if lang == Lang::Zh => format!("{} {key}，{place}：", label.zh),
                (true, false) => format!("{} {key}, {place}: ", label.en),
                (false, _) => place,
            }
        });
        if named {
            prefix(&mut node, &words);
        } else if !words.zh.is_empty() {
            node.text = both(|lang| format!("{}{}{}", node.text.get(lang), colon(lang), words.get(lang)));
        }
        node
    }

    /// Where a place is unknown, the values that decide the places.
    fn list_places(&mut self, here: Here, window: &'a Window, rows: &[u32], node: &mut Node) {
        let entity = self.program.columns[here.column.index()].entity;
        for &row in rows.iter().take(LISTED_MAX) {
            let mut below = self.record_name(window.edge, entity, row);
            let at = Here { row, ..here };
            let places = window.partition.iter().chain(window.order.iter().map(|(expr, _)| expr));
            for expr in places {
                below.children.extend(self.parts(at, expr));
            }
            node.children.push(below);
        }
    }
}
