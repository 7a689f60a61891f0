//! What each kind of expression says, and the steps below it.

use model::{Lang, Text};
use pack::program::{Expr, ExprKind, Type, Value};

use super::citizen::Reading;
use super::format::{both, decimals, label_text, value_text};
use super::print::sign;
use super::tree::{Node, NodeKind, Verdict};
use super::walk::{Walker, cite_source, prefix, strip};
use crate::interpret::{Expressions as _, Here, InForce, bracket_drop, bracket_products, in_force};

/// An expression in words, without its value, and what it rests on.
pub(super) struct Step {
    pub kind: NodeKind,
    /// A statement for conditions, a formula for values.
    pub text: Text,
    pub children: Vec<Node>,
}

impl<'a> Walker<'_, 'a> {
    pub(super) fn step(&mut self, here: Here, expr: &'a Expr) -> Step {
        if let Some((_, number)) = Reading::of(expr) {
            let (text, children) = (self.printed(expr), self.parts(here, number));
            return Step { kind: NodeKind::Operation, text, children };
        }
        match &expr.kind {
            ExprKind::And(parts) => self.junction(here, parts, true),
            ExprKind::Or(parts) => self.junction(here, parts, false),
            ExprKind::Not(a) => self.negation(here, expr, a),
            ExprKind::Compare { op, a, b } => {
                let (left, right) = (self.operand_text(here, a), self.operand_text(here, b));
                let text = both(|lang| format!("{} {} {}", left.get(lang), sign(*op), right.get(lang)));
                let mut children = self.parts(here, a);
                children.extend(self.parts(here, b));
                Step { kind: NodeKind::Compare, text, children }
            }
            ExprKind::In { a, list } => {
                let operand = self.operand_text(here, a);
                let text = both(|lang| {
                    let values: Vec<String> =
                        list.iter().map(|value| value_text(self.program, &a.ty, Some(value), lang)).collect();
                    self.printer(lang).membership(operand.get(lang), &values)
                });
                Step { kind: NodeKind::Compare, text, children: self.parts(here, a) }
            }
            // What the compiler writes where exceptions conflict.
            ExprKind::Case { branches, otherwise: None } if branches.is_empty() => {
                Step { kind: NodeKind::Literal, text: self.printed(expr), children: Vec::new() }
            }
            ExprKind::Case { branches, otherwise } => self.case(here, branches, otherwise.as_deref()),
            ExprKind::Coalesce(operands) => {
                let mut children = Vec::new();
                for operand in operands {
                    children.extend(self.parts(here, operand));
                    if !matches!(self.evaluator.expression(here, operand), Ok(None)) {
                        break;
                    }
                }
                Step { kind: NodeKind::Operation, text: self.printed(expr), children }
            }
            ExprKind::Bracket { .. } => self.bracket(here, expr),
            _ => self.operation(here, expr),
        }
    }

    fn printed(&self, expr: &Expr) -> Text {
        both(|lang| self.printer(lang).expr(expr))
    }

    fn operation(&mut self, here: Here, expr: &'a Expr) -> Step {
        let mut terms = Vec::new();
        flatten(expr, &mut terms);
        let children = terms.into_iter().flat_map(|term| self.parts(here, term)).collect();
        let kind = match &expr.kind {
            ExprKind::Literal(_) | ExprKind::AsOf => NodeKind::Literal,
            _ => NodeKind::Operation,
        };
        Step { kind, text: self.printed(expr), children }
    }

    /// What decides comes first: failed parts of an `And`, then unknown ones.
    fn junction(&mut self, here: Here, parts: &'a [Expr], and: bool) -> Step {
        let mut flat = Vec::new();
        collect(parts, and, &mut flat);
        // Put in order before they are described: a step is expanded where it is read first.
        flat.sort_by_cached_key(|part| match self.evaluator.condition(here, part) {
            Ok(Some(value)) if value != and => 0,
            Err(_) => 1,
            Ok(None) => 2,
            Ok(Some(_)) => 3,
        });
        let children = flat.into_iter().map(|part| self.expr(here, part)).collect();
        let (kind, text) = if and {
            (NodeKind::And, Text::new("以下全部成立", "all of these hold"))
        } else {
            (NodeKind::Or, Text::new("以下至少一项成立", "at least one of these holds"))
        };
        Step { kind, text, children }
    }

    fn negation(&mut self, here: Here, expr: &'a Expr, a: &'a Expr) -> Step {
        let simple = !matches!(
            strip(a).kind,
            ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Case { .. } | ExprKind::Not(_)
        );
        let text =
            if simple { self.printed(expr) } else { Text::new("以下不成立", "this does not hold") };
        let child = self.expr(here, a);
        Step { kind: NodeKind::Not, text, children: vec![child] }
    }

    /// The conditions tried, and the value of the one that holds.
    fn case(&mut self, here: Here, branches: &'a [(Expr, Expr)], otherwise: Option<&'a Expr>) -> Step {
        let mut children = Vec::new();
        let mut chosen = otherwise.map(|value| (value, Text::new("否则取：", "otherwise: ")));
        for (condition, value) in branches {
            let mut tried = self.expr(here, condition);
            prefix(&mut tried, &Text::new("若 ", "if "));
            let verdict = tried.verdict;
            children.push(tried);
            if verdict == Some(Verdict::False) {
                continue;
            }
            let holds = verdict == Some(Verdict::True);
            chosen = holds.then_some((value, Text::new("则取：", "then: ")));
            break;
        }
        if let Some((value, words)) = chosen {
            let mut node = self.expr(here, value);
            prefix(&mut node, &words);
            children.push(node);
        }
        Step { kind: NodeKind::Case, text: Text::new("按情形取值", "by case"), children }
    }

    /// Every bracket with its part, rate and product.
    fn bracket(&mut self, here: Here, expr: &'a Expr) -> Step {
        let ExprKind::Bracket { parameter: id, at, x, round } = &expr.kind else {
            unreachable!("called for brackets only");
        };
        let mut children = self.parts(here, x);
        let parameter = &self.program.parameters[id.index()];
        let day = match at.as_ref().map(|at| self.evaluator.expression(here, at)) {
            None => Some(self.evaluator.as_of()),
            Some(Ok(Some(Value::Date(day)))) => Some(day),
            Some(_) => None,
        };
        let found = day.and_then(|day| in_force(self.program, *id, day, None));
        let label = label_text(&parameter.label, &parameter.id);
        let mut scale = self.node(NodeKind::Parameter, label);
        if let Some(found) = found {
            cite_source(&mut scale, found);
        }
        let amount = self.evaluator.expression(here, x);
        if let (Some(InForce::Brackets(dated)), Ok(Some(Value::Number(amount)))) = (found, amount) {
            let drop = bracket_drop(self.program, *id, decimals(&expr.ty));
            let products = bracket_products(&dated.value, amount, drop.unwrap_or_default(), *round);
            let class = self.program.class_of(x);
            for (step, part, product) in products {
                let text = both(|lang| {
                    let from = value_text(self.program, &x.ty, Some(&Value::Number(step.from)), lang);
                    let part = self.viewer.text_as(class, &x.ty, Some(&Value::Number(part)));
                    let rate = value_text(self.program, &parameter.ty, Some(&Value::Number(step.rate)), lang);
                    let product = self.viewer.text_as(class, &expr.ty, product.map(Value::Number).as_ref());
                    let (part, product) = (part.get(lang), product.get(lang));
                    if lang == Lang::Zh {
                        format!("{from} 以上部分：{part} × {rate} = {product}")
                    } else {
                        format!("above {from}: {part} × {rate} = {product}")
                    }
                });
                let mut node = self.node(NodeKind::Bracket, text);
                self.settle(&mut node, class, &expr.ty, &Ok(product.map(Value::Number)));
                scale.children.push(node);
            }
        }
        children.push(scale);
        Step { kind: NodeKind::Operation, text: self.printed(expr), children }
    }

    /// An operand with its value: `人均纯收入 2,345.67 元`.
    pub(super) fn operand_text(&mut self, here: Here, expr: &'a Expr) -> Text {
        let outcome = self.evaluator.expression(here, expr);
        let shown = self.shown(self.program.class_of(expr), &expr.ty, &outcome);
        let bare = strip(expr);
        let printed = self.printed(bare);
        match &bare.kind {
            ExprKind::Literal(_) => shown,
            ExprKind::Column(_) | ExprKind::Parameter { .. } | ExprKind::AsOf => {
                both(|lang| format!("{} {}", printed.get(lang), shown.get(lang)))
            }
            _ => both(|lang| match lang {
                Lang::Zh => format!("{}（{}）", printed.zh, shown.zh),
                Lang::En => format!("{} ({})", printed.en, shown.en),
            }),
        }
    }

    /// The steps below an operand: none for what is written in the rule itself.
    pub(super) fn parts(&mut self, here: Here, expr: &'a Expr) -> Vec<Node> {
        let expr = strip(expr);
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::AsOf => Vec::new(),
            ExprKind::DigitsToCount(a) | ExprKind::Neg(a) if expr.ty != Type::Bool => self.parts(here, a),
            _ => vec![self.expr(here, expr)],
        }
    }
}

/// Terms of a sum, and the operands of anything else.
fn flatten<'a>(expr: &'a Expr, terms: &mut Vec<&'a Expr>) {
    match &expr.kind {
        ExprKind::Add(a, b) | ExprKind::Sub(a, b) => {
            for term in [a, b] {
                let term = strip(term);
                match term.kind {
                    ExprKind::Add(..) | ExprKind::Sub(..) => flatten(term, terms),
                    _ => terms.push(term),
                }
            }
        }
        // A name is its own step.
        ExprKind::Column(_) | ExprKind::Parameter { .. } => terms.push(expr),
        _ => terms.extend(expr.operands()),
    }
}

/// Nested `And`s (or `Or`s) are one.
fn collect<'a>(parts: &'a [Expr], and: bool, flat: &mut Vec<&'a Expr>) {
    for part in parts {
        match &part.kind {
            ExprKind::And(inner) if and => collect(inner, and, flat),
            ExprKind::Or(inner) if !and => collect(inner, and, flat),
            _ => flat.push(part),
        }
    }
}
