//! Expressions in words: labels for names, the signs of school for operators.

use model::Lang;
use pack::program::{
    Aggregate, AggregateFunction, Column, ColumnId, ColumnKind, Comparison, DatePart, Direction, EntityId,
    Expr, ExprKind, Frame, Program, Value, Window, WindowFunction,
};

use super::citizen::Reading;
use super::format::{is_hidden, label, value_text};

/// An expression as a reader of the page would write it.
pub fn expression_text(program: &Program, expr: &Expr, lang: Lang) -> String {
    Printer { program, lang }.expr(expr)
}

/// Strength of binding, weakest first. What binds weaker than its place is put in brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Case,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Atom,
}

#[derive(Clone, Copy)]
pub(super) struct Printer<'p> {
    pub program: &'p Program,
    pub lang: Lang,
}

impl<'p> Printer<'p> {
    pub fn expr(self, expr: &Expr) -> String {
        self.print(expr).0
    }

    fn say<'s>(self, zh: &'s str, en: &'s str) -> &'s str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// The expression, in brackets if it binds weaker than `least`.
    fn within(self, expr: &Expr, least: Binding) -> String {
        let (text, binding) = self.print(expr);
        if binding >= least { text } else { self.bracketed(&text) }
    }

    fn bracketed(self, text: &str) -> String {
        if self.lang == Lang::Zh { format!("（{text}）") } else { format!("({text})") }
    }

    fn print(self, expr: &Expr) -> (String, Binding) {
        if let Some((reading, number)) = Reading::of(expr) {
            return (reading.text(&self.expr(number), self.lang), Binding::Atom);
        }
        match &expr.kind {
            ExprKind::Column(column) => self.column(*column),
            ExprKind::Literal(value) => {
                (value_text(self.program, &expr.ty, Some(value), self.lang), Binding::Atom)
            }
            ExprKind::AsOf => (self.say("截至日", "the as-of date").to_owned(), Binding::Atom),
            ExprKind::Parameter { .. } => (self.parameter(expr), Binding::Atom),
            ExprKind::Rescale { a, .. } | ExprKind::ToIndex(a) => self.print(a),
            ExprKind::Add(a, b) => {
                (format!("{} + {}", self.within(a, Binding::Sum), self.within(b, Binding::Sum)), Binding::Sum)
            }
            ExprKind::Sub(a, b) => (
                format!("{} − {}", self.within(a, Binding::Sum), self.within(b, Binding::Product)),
                Binding::Sum,
            ),
            ExprKind::Mul { a, b, .. } => (
                format!("{} × {}", self.within(a, Binding::Product), self.within(b, Binding::Product)),
                Binding::Product,
            ),
            ExprKind::Div { a, b, .. } => (
                format!("{} ÷ {}", self.within(a, Binding::Product), self.within(b, Binding::Atom)),
                Binding::Product,
            ),
            ExprKind::Neg(a) => (format!("−{}", self.within(a, Binding::Atom)), Binding::Product),
            ExprKind::Compare { op, a, b } => {
                let (a, b) = (self.within(a, Binding::Sum), self.within(b, Binding::Sum));
                (format!("{a} {} {b}", sign(*op)), Binding::Compare)
            }
            ExprKind::And(parts) => (self.join(parts, self.say(" 且 ", " and "), Binding::Not), Binding::And),
            ExprKind::Or(parts) => (self.join(parts, self.say(" 或 ", " or "), Binding::And), Binding::Or),
            ExprKind::Not(a) => {
                (format!("{}{}", self.say("非", "not "), self.within(a, Binding::Atom)), Binding::Not)
            }
            ExprKind::IsUnknown(a) => (
                format!("{}{}", self.within(a, Binding::Atom), self.say("未知", " is unknown")),
                Binding::Compare,
            ),
            ExprKind::In { a, list } => (self.one_of(a, list), Binding::Compare),
            ExprKind::Case { branches, otherwise: None } if branches.is_empty() => {
                (self.say("未知", "unknown").to_owned(), Binding::Atom)
            }
            ExprKind::Case { branches, otherwise } => {
                (self.case(branches, otherwise.as_deref()), Binding::Case)
            }
            _ => (self.function(expr), Binding::Atom),
        }
    }

    fn join(self, parts: &[Expr], between: &str, least: Binding) -> String {
        parts.iter().map(|part| self.within(part, least)).collect::<Vec<_>>().join(between)
    }

    fn list(self, operands: &[Expr]) -> String {
        self.join(operands, self.say("、", ", "), Binding::Case)
    }

    /// Operations written as words.
    fn function(self, expr: &Expr) -> String {
        let p = |expr: &Expr| self.expr(expr);
        let atom = |expr: &Expr| self.within(expr, Binding::Atom);
        let zh = self.lang == Lang::Zh;
        match &expr.kind {
            ExprKind::Abs(a) => format!("|{}|", p(a)),
            ExprKind::Round { a, drop, .. } => {
                let decimals = super::format::decimals(&a.ty).saturating_sub(*drop);
                if zh {
                    format!("{}取 {decimals} 位小数", atom(a))
                } else {
                    format!("{} rounded to {decimals} decimals", atom(a))
                }
            }
            ExprKind::Coalesce(operands) => match operands.split_first() {
                Some((first, rest)) if zh => format!("{}（未知时取{}）", atom(first), self.list(rest)),
                Some((first, rest)) => format!("{} (if unknown, {})", atom(first), self.list(rest)),
                None => String::new(),
            },
            ExprKind::Least(operands) => {
                format!("{}{}", self.say("较小者", "the least of "), self.bracketed(&self.list(operands)))
            }
            ExprKind::Greatest(operands) => {
                format!("{}{}", self.say("较大者", "the greatest of "), self.bracketed(&self.list(operands)))
            }
            ExprKind::DatePart { part, a } => {
                let (zh_part, en_part) = match part {
                    DatePart::Year => ("年份", "year"),
                    DatePart::Month => ("月份", "month"),
                    DatePart::Day => ("日", "day"),
                };
                if zh { format!("{}的{zh_part}", atom(a)) } else { format!("the {en_part} of {}", atom(a)) }
            }
            ExprKind::DaysBetween { from, to } if zh => format!("{}至{}的天数", atom(from), atom(to)),
            ExprKind::DaysBetween { from, to } => format!("days from {} to {}", atom(from), atom(to)),
            ExprKind::AddMonths { a, months } if zh => format!("{}后 {} 个月", atom(a), atom(months)),
            ExprKind::AddMonths { a, months } => format!("{} months after {}", atom(months), atom(a)),
            ExprKind::AddDays { a, days } if zh => format!("{}后 {} 天", atom(a), atom(days)),
            ExprKind::AddDays { a, days } => format!("{} days after {}", atom(days), atom(a)),
            ExprKind::MakeDate { year, month, day } if zh => {
                format!("{} 年 {} 月 {} 日", atom(year), atom(month), atom(day))
            }
            ExprKind::MakeDate { year, month, day } => {
                format!("the date {}-{}-{}", atom(year), atom(month), atom(day))
            }
            ExprKind::Age { birth, at } if zh => format!("{}至{}的周岁", atom(birth), atom(at)),
            ExprKind::Age { birth, at } => format!("full years from {} to {}", atom(birth), atom(at)),
            ExprKind::Bracket { parameter, at, x, .. } => {
                let parameter = &self.program.parameters[parameter.index()];
                let mut scale = label(&parameter.label, &parameter.id, self.lang).to_owned();
                if let Some(at) = at {
                    scale.push_str(&self.as_at(at));
                }
                if zh {
                    format!("{}按“{scale}”分段计算", atom(x))
                } else {
                    format!("{} by the scale “{scale}”", atom(x))
                }
            }
            ExprKind::Substring { a, from, length } => {
                let last = from.saturating_add(*length).saturating_sub(1);
                if zh {
                    format!("{}第 {from} 至 {last} 位", atom(a))
                } else {
                    format!("characters {from} to {last} of {}", atom(a))
                }
            }
            ExprKind::DigitsToCount(a) => p(a),
            _ => String::new(),
        }
    }

    fn one_of(self, a: &Expr, list: &[Value]) -> String {
        let values: Vec<String> =
            list.iter().map(|value| value_text(self.program, &a.ty, Some(value), self.lang)).collect();
        let a = self.within(a, Binding::Sum);
        self.membership(&a, &values)
    }

    /// `a 属于（x、y）`.
    pub fn membership(self, a: &str, values: &[String]) -> String {
        match (values, self.lang) {
            ([one], _) => format!("{a} = {one}"),
            (_, Lang::Zh) => format!("{a} 属于（{}）", values.join("、")),
            (_, Lang::En) => format!("{a} is one of ({})", values.join(", ")),
        }
    }

    fn case(self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> String {
        let mut parts: Vec<String> = branches
            .iter()
            .map(|(condition, value)| {
                let (condition, value) = (self.expr(condition), self.expr(value));
                if self.lang == Lang::Zh {
                    format!("{condition} 时为 {value}")
                } else {
                    format!("{value} if {condition}")
                }
            })
            .collect();
        parts.extend(
            otherwise
                .map(|otherwise| format!("{} {}", self.say("否则为", "otherwise"), self.expr(otherwise))),
        );
        parts.join(self.say("；", "; "))
    }

    fn parameter(self, expr: &Expr) -> String {
        let ExprKind::Parameter { id, at, key } = &expr.kind else { return String::new() };
        let parameter = &self.program.parameters[id.index()];
        let mut text = label(&parameter.label, &parameter.id, self.lang).to_owned();
        if let Some(key) = key {
            text.push_str(&self.bracketed(&self.expr(key)));
        }
        if let Some(at) = at {
            text.push_str(&self.as_at(at));
        }
        text
    }

    /// The day on which a parameter is asked for.
    fn as_at(self, at: &Expr) -> String {
        let at = self.expr(at);
        if self.lang == Lang::Zh { self.bracketed(&format!("{at}时")) } else { format!(" as of {at}") }
    }

    /// A column by its label; a compiler-made one by what it stands for.
    pub fn column_text(self, id: ColumnId) -> String {
        self.column(id).0
    }

    /// A column by its label; compiler-made ones by what they stand for.
    fn column(self, id: ColumnId) -> (String, Binding) {
        let column = &self.program.columns[id.index()];
        if !is_hidden(column) {
            return (label(&column.label, &column.name, self.lang).to_owned(), Binding::Atom);
        }
        match &column.kind {
            ColumnKind::Scalar(expr) => self.print(expr),
            ColumnKind::Lookup { edge, column: target } => {
                let (target_text, _) = self.column(*target);
                let target = &self.program.columns[target.index()];
                // Of a chain of look-ups only the last parent is named.
                if is_hidden(target) && matches!(target.kind, ColumnKind::Lookup { .. }) {
                    return (target_text, Binding::Atom);
                }
                let parent = self.entity(self.program.edges[edge.index()].parent);
                (format!("{parent}{}{target_text}", self.say("的", "'s ")), Binding::Atom)
            }
            ColumnKind::Aggregate(aggregate) => {
                // `some person has: …` runs on to the end: inside anything else it is bracketed.
                let open = matches!(aggregate.function, AggregateFunction::Any | AggregateFunction::All);
                (self.aggregate(aggregate), if open { Binding::Case } else { Binding::Atom })
            }
            ColumnKind::Window(window) => (self.window(column, window), Binding::Atom),
            ColumnKind::Field(_) => (column.name.clone(), Binding::Atom),
        }
    }

    pub fn entity(self, entity: EntityId) -> &'p str {
        let entity = &self.program.entities[entity.index()];
        label(&entity.label, &entity.name, self.lang)
    }

    /// `人的个数（年龄 ≥ 60）`.
    pub fn aggregate(self, aggregate: &Aggregate) -> String {
        let child = self.entity(self.program.edges[aggregate.edge.index()].child);
        let least = match aggregate.function {
            AggregateFunction::Any | AggregateFunction::All => Binding::Case,
            _ => Binding::Sum,
        };
        let argument = aggregate.argument.as_ref().map(|argument| self.within(argument, least));
        let argument = argument.unwrap_or_default();
        let filter = aggregate.filter.as_ref().map(|filter| self.expr(filter));
        let (zh, filter) = (self.lang == Lang::Zh, filter.unwrap_or_default());
        let of = match (filter.is_empty(), zh) {
            (true, _) => child.to_owned(),
            (false, true) => format!("{child}（{filter}）"),
            (false, false) => format!("{child} (where {filter})"),
        };
        match (aggregate.function, zh) {
            (AggregateFunction::Count, true) => format!("{of}的个数"),
            (AggregateFunction::Count, false) => format!("number of {of}"),
            (AggregateFunction::Sum, true) => format!("各{of}的{argument}之和"),
            (AggregateFunction::Sum, false) => format!("sum of {argument} over each {of}"),
            (AggregateFunction::Any, true) => format!("有{of}满足：{argument}"),
            (AggregateFunction::Any, false) => format!("some {of} has: {argument}"),
            (AggregateFunction::All, true) => format!("每{of}均满足：{argument}"),
            (AggregateFunction::All, false) => format!("every {of} has: {argument}"),
            (AggregateFunction::Min, true) => format!("各{of}的{argument}的最小值"),
            (AggregateFunction::Min, false) => format!("least {argument} of each {of}"),
            (AggregateFunction::Max, true) => format!("各{of}的{argument}的最大值"),
            (AggregateFunction::Max, false) => format!("greatest {argument} of each {of}"),
        }
    }

    /// `同一人的住院按出院日期排列，此前各条的费用之和`.
    pub fn window(self, column: &Column, window: &Window) -> String {
        let zh = self.lang == Lang::Zh;
        let parent = self.entity(self.program.edges[window.edge.index()].parent);
        let child = self.entity(column.entity);
        let order: Vec<String> = window
            .order
            .iter()
            .map(|(expr, direction)| {
                let down = if *direction == Direction::Descending {
                    self.say("（降序）", " descending")
                } else {
                    ""
                };
                format!("{}{down}", self.within(expr, Binding::Atom))
            })
            .collect();
        let order = order.join(self.say("、", ", "));
        let argument = window.argument.as_ref().map(|argument| self.within(argument, Binding::Sum));
        let argument = argument.unwrap_or_default();
        let (frame_zh, frame_en) = match window.frame {
            Frame::Before => ("此前各条", "those before"),
            Frame::UpToCurrent => ("至本条为止", "those up to this one"),
            Frame::All => ("全部", "all of them"),
        };
        let what = match (window.function, zh) {
            (WindowFunction::Sum, true) => format!("{frame_zh}的{argument}之和"),
            (WindowFunction::Sum, false) => format!("sum of {argument} over {frame_en}"),
            (WindowFunction::Count, true) => format!("{frame_zh}的条数"),
            (WindowFunction::Count, false) => format!("number of {frame_en}"),
            (WindowFunction::RowNumber, true) => "序号".to_owned(),
            (WindowFunction::RowNumber, false) => "number in order".to_owned(),
            (WindowFunction::Rank, true) => "名次".to_owned(),
            (WindowFunction::Rank, false) => "rank".to_owned(),
        };
        let same = if window.partition.is_empty() {
            String::new()
        } else {
            let partition = self.list(&window.partition);
            if zh { format!("（{partition}相同）") } else { format!(" (with the same {partition})") }
        };
        match (zh, order.is_empty()) {
            (true, true) => format!("同一{parent}的{child}{same}，{what}"),
            (true, false) => format!("同一{parent}的{child}{same}按{order}排列，{what}"),
            (false, true) => format!("{what}, among {child} of one {parent}{same}"),
            (false, false) => format!("{what}, among {child} of one {parent}{same} by {order}"),
        }
    }
}

/// The sign of a comparison.
pub(super) const fn sign(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "≠",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "≤",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => "≥",
    }
}
