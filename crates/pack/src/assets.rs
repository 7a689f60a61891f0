//! Assets: money shared out to the fen among holders, always the whole of it.
//!
//! What is guaranteed to each holder comes first. Of the rest each gets the whole fens of a part in proportion
//! to a weight, and the fens left over go one each to the largest remainders, ties broken by key. All of it is
//! windows, sums and exact products over integers.

use model::Text;

use crate::compiler::{Compiler, Context, Definition, Pending, and, compare, number};
use crate::diagnostic::Diagnostic;
use crate::program::{
    Asset, Comparison, EdgeId, EntityId, Expr, ExprKind, NumberKind, NumberType, Range, Rounding, RuleDetail,
    Span, Type,
};
use crate::rules::{DraftDetail, Head};
use crate::surface::{Table, Word, list_words};

/// One step of sharing out, by the names of the columns it reads.
#[derive(Clone, Debug)]
pub enum Sharing {
    /// What one holder's part is measured by, or what is guaranteed to it: a number that is never negative.
    Measure {
        text: Word,
        money: bool,
    },
    /// What is left of the amount when all guarantees are met.
    Rest {
        asset: String,
        guaranteed: bool,
    },
    /// The whole fens of a holder's part.
    Floor {
        asset: String,
        edge: EdgeId,
    },
    /// What the whole fens leave of it, times all weights.
    Remainder {
        asset: String,
        edge: EdgeId,
    },
    Share {
        asset: String,
        edge: EdgeId,
        guaranteed: bool,
    },
}

pub struct AssetDraft {
    edge: EdgeId,
    guaranteed: bool,
}

fn money() -> Type {
    Type::Number(NumberType::money())
}

impl Compiler<'_> {
    pub fn asset(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let holders = table.require("holders", table.word("holders"));
        let amount = table.require("amount", table.word("amount"));
        let weight = table.require("weight", table.word("weight"));
        let guaranteed = table.word("guaranteed");
        let on = head.entity()?;
        let edge = self.holders_edge(on, &holders?)?;
        let (amount, weight) = (amount?, weight?);
        let holder = self.program.edge(edge).child;
        let (id, children) = (head.name().to_owned(), self.program.entity(holder).name.clone());
        let edge_name = self.program.edge(edge).name.clone();
        let has_guarantee = guaranteed.is_some();
        let text = |text: String, ty: Option<Type>| Definition::Expression {
            text: Word { text, span: head.place() },
            ty,
        };
        let mut announce =
            |entity: EntityId, name: String, label: (&str, &str), span: Span, definition: Definition| {
                let title = head.title();
                let label = Text {
                    zh: format!("{}（{}）", title.zh, label.0),
                    en: format!("{} ({})", title.en, label.1),
                };
                self.announce_for(head, entity, name, label, span, definition);
            };
        let place = head.place();
        let amount_text = Definition::Expression { text: amount.clone(), ty: Some(money()) };
        announce(on, format!("{id}_amount"), ("可分配金额", "to be shared out"), amount.span, amount_text);
        let span = weight.span;
        let measure = Definition::Sharing(Sharing::Measure { text: weight, money: false });
        announce(holder, format!("_{id}_weight"), ("权重", "weight"), span, measure);
        let sum = |column: &str| format!("sum({children}._{id}_{column})");
        announce(on, format!("_{id}_weights"), ("权重合计", "all weights"), place, text(sum("weight"), None));
        if let Some(guaranteed) = guaranteed {
            let span = guaranteed.span;
            let measure = Definition::Sharing(Sharing::Measure { text: guaranteed, money: true });
            announce(holder, format!("{id}_guaranteed"), ("保底", "guaranteed"), span, measure);
            let all = format!("sum({children}.{id}_guaranteed)");
            announce(
                on,
                format!("{id}_guaranteed"),
                ("保底合计", "guaranteed in all"),
                place,
                text(all, Some(money())),
            );
        }
        let rest = Sharing::Rest { asset: id.clone(), guaranteed: has_guarantee };
        announce(
            on,
            format!("_{id}_rest"),
            ("按权重分配部分", "shared by weight"),
            place,
            Definition::Sharing(rest),
        );
        let floor = Sharing::Floor { asset: id.clone(), edge };
        announce(
            holder,
            format!("_{id}_floor"),
            ("整分部分", "whole fens"),
            place,
            Definition::Sharing(floor),
        );
        let remainder = Sharing::Remainder { asset: id.clone(), edge };
        announce(
            holder,
            format!("_{id}_remainder"),
            ("余数", "remainder"),
            place,
            Definition::Sharing(remainder),
        );
        let order = format!("row_number() OVER (PARTITION BY {edge_name} ORDER BY _{id}_remainder DESC)");
        let count = Some(Type::Number(NumberType::count()));
        announce(
            holder,
            format!("_{id}_place"),
            ("余数次序", "place by remainder"),
            place,
            text(order, count),
        );
        let left = format!("_{id}_rest - {}", sum("floor"));
        announce(on, format!("_{id}_left"), ("余分", "fens left over"), place, text(left, Some(money())));
        let share = Sharing::Share { asset: id.clone(), edge, guaranteed: has_guarantee };
        announce(holder, format!("{id}_share"), ("应得", "share"), place, Definition::Sharing(share));
        let total = format!("sum({children}.{id}_share)");
        announce(on, format!("{id}_total"), ("分配合计", "shared out"), place, text(total, Some(money())));
        let complete = format!("{id}_total = {id}_amount");
        let complete = text(complete, Some(Type::Bool));
        announce(on, format!("{id}_complete"), ("分配无差额", "shared out to the fen"), place, complete);
        Some(DraftDetail::Asset(AssetDraft { edge, guaranteed: has_guarantee }))
    }

    /// The edge from the holders to what they hold.
    fn holders_edge(&mut self, on: EntityId, word: &Word) -> Option<EdgeId> {
        let child = self.entity_word(word)?;
        let found = self.program.edges.iter().position(|edge| edge.child == child && edge.parent == on);
        if found.is_none() {
            let children: Vec<&str> = self
                .program
                .edges
                .iter()
                .filter(|edge| edge.parent == on)
                .map(|edge| self.program.entity(edge.child).name.as_str())
                .collect();
            let on = &self.program.entity(on).name;
            let message = format!("no reference leads from `{}` to `{on}`", word.text);
            let hint = format!("holders are children of `{on}`: {}", list_words(&children));
            self.report(Diagnostic::new("unknown-edge", word.span, message).hint(hint));
        }
        found.map(|position| EdgeId(position as u32))
    }

    pub fn sharing(&mut self, pending: &Pending, step: &Sharing, context: &mut Context) -> Option<Expr> {
        match step {
            Sharing::Measure { text, money } => self.measure_of_share(text, *money, context),
            Sharing::Rest { asset, guaranteed } => self.rest(pending, asset, *guaranteed, context),
            Sharing::Floor { asset, edge } => {
                let (product, _, weights, rest) = self.part(pending, asset, *edge)?;
                let span = pending.span;
                let nothing = compare(Comparison::Equal, rest.clone(), number(0, money(), span), span);
                let quotient = Expr {
                    nullable: true,
                    range: rest.range,
                    ty: money(),
                    span,
                    kind: ExprKind::Div {
                        a: Box::new(product),
                        b: Box::new(weights),
                        up: 0,
                        round: Rounding::Down,
                    },
                };
                Some(crate::define::case(vec![(nothing, number(0, money(), span))], Some(quotient), span))
            }
            Sharing::Remainder { asset, edge } => {
                let (product, ty, weights, _) = self.part(pending, asset, *edge)?;
                let floor = self.own(pending, &format!("_{asset}_floor"))?;
                let range = product.range;
                let whole = times(floor, weights, ty.clone(), range, pending.span);
                Some(Expr {
                    nullable: product.nullable || whole.nullable,
                    range,
                    ty,
                    span: pending.span,
                    kind: ExprKind::Sub(Box::new(product), Box::new(whole)),
                })
            }
            Sharing::Share { asset, edge, guaranteed } => self.share_of(pending, asset, *edge, *guaranteed),
        }
    }

    fn measure_of_share(&mut self, text: &Word, is_money: bool, context: &mut Context) -> Option<Expr> {
        let wanted = money();
        let expr = self.expression(text, context, is_money.then_some(&wanted))?;
        let (Type::Number(_), Some(range)) = (&expr.ty, expr.range) else {
            let found = self.type_name(&expr.ty);
            self.report(
                Diagnostic::new("type-mismatch", text.span, format!("a weight is a number, not {found}"))
                    .hint("weigh by units held, by money put in, by land"),
            );
            return None;
        };
        if range.min < 0 {
            self.report(
                Diagnostic::new(
                    "bad-range",
                    text.span,
                    "this could be negative, and nobody holds less than nothing",
                )
                .hint("narrow the range of the fields it reads, or bound it: `greatest(0, …)`"),
            );
            return None;
        }
        Some(expr)
    }

    fn rest(&mut self, pending: &Pending, asset: &str, guaranteed: bool, context: &Context) -> Option<Expr> {
        let span = pending.span;
        let amount = self.own(pending, &format!("{asset}_amount"))?;
        let weights = self.own(pending, &format!("_{asset}_weights"))?;
        let rest = if guaranteed {
            let all = self.own(pending, &format!("{asset}_guaranteed"))?;
            Expr {
                nullable: amount.nullable || all.nullable,
                range: Some(amount.range?.plus(all.range?.negate())),
                ty: money(),
                span,
                kind: ExprKind::Sub(Box::new(amount), Box::new(all)),
            }
        } else {
            amount
        };
        let zero = || number(0, money(), span);
        let short = compare(Comparison::Less, rest.clone(), zero(), span);
        self.add_finding(
            context,
            short.clone(),
            "amount-short",
            Text {
                zh: "可分配金额不足以支付保底或为负，分配结果未知".to_owned(),
                en: "the amount does not cover what is guaranteed, or is negative: the shares are unknown"
                    .to_owned(),
            },
        );
        let none = number(0, weights.ty.clone(), span);
        let unheld = and(
            vec![
                compare(Comparison::Greater, rest.clone(), zero(), span),
                compare(Comparison::Equal, weights, none, span),
            ],
            span,
        );
        self.add_finding(
            context,
            unheld,
            "nobody-to-share",
            Text {
                zh: "有可分配金额但没有持有人有权重，分配结果未知".to_owned(),
                en: "there is money to share out and nobody with a weight: the shares are unknown".to_owned(),
            },
        );
        let unknown = Expr {
            kind: ExprKind::Case { branches: Vec::new(), otherwise: None },
            ty: money(),
            nullable: true,
            range: None,
            span,
        };
        let most = rest.range?.max.max(0);
        let mut made = crate::define::case(vec![(short, unknown)], Some(rest), span);
        made.range = Some(Range::new(0, most));
        Some(made)
    }

    /// The rest times a holder's weight, with the type of that product, all weights, and the rest.
    fn part(&mut self, pending: &Pending, asset: &str, edge: EdgeId) -> Option<(Expr, Type, Expr, Expr)> {
        let span = pending.span;
        let rest = self.held(pending, &format!("_{asset}_rest"), edge)?;
        let weights = self.held(pending, &format!("_{asset}_weights"), edge)?;
        let weight = self.own(pending, &format!("_{asset}_weight"))?;
        let Type::Number(of_weight) = &weight.ty else { return None };
        let ty = Type::Number(NumberType {
            kind: NumberKind::Quantity,
            unit: NumberType::money().unit.combine(&of_weight.unit, 1),
            decimals: 2 + of_weight.decimals,
        });
        let range = rest.range?.multiply(weight.range?);
        self.check_range(range, span)?;
        Some((times(rest.clone(), weight, ty.clone(), Some(range), span), ty, weights, rest))
    }

    fn share_of(&mut self, pending: &Pending, asset: &str, edge: EdgeId, guaranteed: bool) -> Option<Expr> {
        let span = pending.span;
        let floor = self.own(pending, &format!("_{asset}_floor"))?;
        let place = self.own(pending, &format!("_{asset}_place"))?;
        let left = self.held(pending, &format!("_{asset}_left"), edge)?;
        let fen = || number(1, money(), span);
        let in_fens = place.range.map(|range| range.multiply(Range::new(1, 1)));
        let place = times(place, fen(), money(), in_fens, span);
        let among = compare(Comparison::LessOrEqual, place, left, span);
        let extra = crate::define::case(vec![(among, fen())], Some(number(0, money(), span)), span);
        let mut parts = vec![floor, extra];
        if guaranteed {
            parts.push(self.own(pending, &format!("{asset}_guaranteed"))?);
        }
        parts.into_iter().reduce(|sum, part| Expr {
            nullable: sum.nullable || part.nullable,
            range: sum.range.zip(part.range).map(|(a, b)| a.plus(b)),
            ty: money(),
            span,
            kind: ExprKind::Add(Box::new(sum), Box::new(part)),
        })
    }

    fn own(&mut self, pending: &Pending, name: &str) -> Option<Expr> {
        let id = self.resolve(pending.entity, name, pending.span)?;
        Some(self.column_expr(id, pending.span))
    }

    /// A column of what the holder holds.
    fn held(&mut self, pending: &Pending, name: &str, edge: EdgeId) -> Option<Expr> {
        let id = self.resolve(self.program.edge(edge).parent, name, pending.span)?;
        let column = self.lookup(edge, id, pending.span);
        Some(self.column_expr(column, pending.span))
    }

    pub fn asset_detail(&self, on: EntityId, id: &str, draft: &AssetDraft) -> Option<RuleDetail> {
        let holders = self.program.edge(draft.edge).child;
        let named = |entity, name: String| self.known(entity, &name);
        Some(RuleDetail::Asset(Asset {
            holders,
            edge: draft.edge,
            amount: named(on, format!("{id}_amount"))?,
            total: named(on, format!("{id}_total"))?,
            complete: named(on, format!("{id}_complete"))?,
            weight: named(holders, format!("_{id}_weight"))?,
            guaranteed: named(holders, format!("{id}_guaranteed")).filter(|_| draft.guaranteed),
            share: named(holders, format!("{id}_share"))?,
        }))
    }
}

/// An exact product.
fn times(a: Expr, b: Expr, ty: Type, range: Option<Range>, span: Span) -> Expr {
    let nullable = a.nullable || b.nullable;
    let kind = ExprKind::Mul { a: Box::new(a), b: Box::new(b), drop: 0, round: Rounding::Down };
    Expr { kind, ty, nullable, range, span }
}
