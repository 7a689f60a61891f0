//! Scorecards: points for items, their weighted total, vetoes, the rank among siblings, and how the rank
//! would change if a weight did.
//!
//! Weights are whole numbers of ten-thousandths and points have two decimals, so that a total is one exact
//! quotient, rounded once. An item that is not counted leaves its weight to the others in proportion:
//! both sums of the quotient leave it out.

use model::{ClauseId, Text};

use crate::compiler::{Compiler, Context, Definition, Pending};
use crate::diagnostic::Diagnostic;
use crate::program::{
    EntityId, Expr, ExprKind, NumberKind, NumberType, Range, RuleDetail, Scorecard, ScorecardItem, Span,
    Type, Veto,
};
use crate::rules::{DraftDetail, Head};
use crate::surface::{Decimal, Table, Word};

/// Weights add up to this.
const WHOLE: i64 = 10_000;
/// By how much a weight is raised to see whether the rank depends on it.
const STEP: i64 = 500;
/// Greatest number of points of an item, with two decimals.
const POINTS_MAX: i128 = 10_000;

pub struct ItemDraft {
    id: String,
    title: Text,
    weight: i64,
    exempt: bool,
    cite: Vec<ClauseId>,
}

pub struct ScorecardDraft {
    items: Vec<ItemDraft>,
    vetoes: Vec<(Text, Vec<ClauseId>)>,
    rank: bool,
}

/// An item as far as totals need it.
struct Part {
    points: String,
    exempt: Option<String>,
}

fn points() -> Type {
    Type::Number(NumberType::rate(2))
}

fn count() -> Option<Type> {
    Some(Type::Number(NumberType::count()))
}

impl Compiler<'_> {
    pub fn scorecard(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let items = table.tables("items", "scorecard item");
        let vetoes = table.tables("veto", "veto");
        let within = table.word("rank_within");
        if items.is_empty() {
            let place = table.span_of("items");
            self.report(
                Diagnostic::new("missing-key", place, "a scorecard has at least one item")
                    .hint("write `items = [{ id, title, weight = 1.0, score = \"…\" }]`"),
            );
            return None;
        }
        let wanted = items.len();
        let items: Vec<ItemDraft> = items.iter().filter_map(|item| self.scorecard_item(head, item)).collect();
        if items.len() < wanted {
            // The total would complain of what is told already.
            return None;
        }
        self.check_weights(&items, table.span_of("items"));
        let vetoes: Vec<(Text, Vec<ClauseId>)> =
            vetoes.iter().enumerate().filter_map(|(place, veto)| self.veto(head, veto, place)).collect();
        let cited: Vec<ClauseId> = items
            .iter()
            .flat_map(|item| &item.cite)
            .chain(vetoes.iter().flat_map(|(_, cite)| cite))
            .cloned()
            .collect();
        self.also_cite(head, cited);
        self.announce_total(head, &items);
        if !vetoes.is_empty() {
            let any: Vec<String> =
                (1..=vetoes.len()).map(|place| format!("_{}_veto_{place}", head.name())).collect();
            self.scorecard_column(head, "_vetoed", ("被否决", "vetoed"), any.join(" OR "), Some(Type::Bool));
        }
        let rank = within.is_some();
        if let Some(within) = within {
            let edge = self.rank_edge(head.entity()?, &within)?;
            self.announce_ranks(head, &items, !vetoes.is_empty(), &edge);
        }
        Some(DraftDetail::Scorecard(ScorecardDraft { items, vetoes, rank }))
    }

    fn scorecard_item(&mut self, head: &Head, table: &Table<'_>) -> Option<ItemDraft> {
        let id = self.identifier(table);
        let title = table.require("title", table.bilingual("title"));
        let weight = table.require("weight", table.decimal("weight"));
        let score = table.require("score", table.word("score"));
        let exempt = table.word("except_when");
        let cite = self.citations(table);
        table.finish();
        let (id, title, (weight, place), score) = (id?, title?, weight?, score?);
        let weight = self.weight(weight, place)?;
        let entity = head.entity()?;
        let name = format!("{}_{}", head.name(), id.text);
        let definition = Definition::Points { text: score.clone() };
        self.announce_for(head, entity, name.clone(), title.clone(), score.span, definition);
        let has_exempt = exempt.is_some();
        if let Some(text) = exempt {
            let label = Text {
                zh: format!("{}（不计入）", title.zh),
                en: format!("{} (not counted)", title.en),
            };
            self.condition_column(head, format!("{name}_exempt"), label, text);
        }
        Some(ItemDraft { id: id.text, title, weight, exempt: has_exempt, cite })
    }

    fn weight(&mut self, weight: Decimal, place: Span) -> Option<i64> {
        let scaled = weight.scaled(4).and_then(|weight| i64::try_from(weight).ok());
        let fine = scaled.filter(|weight| (1..=WHOLE).contains(weight));
        if fine.is_none() {
            self.report(
                Diagnostic::new(
                    "bad-weight",
                    place,
                    "a weight is above 0 and at most 1, with at most 4 decimals",
                )
                .hint("write `weight = 0.25` for a quarter"),
            );
        }
        fine
    }

    fn check_weights(&mut self, items: &[ItemDraft], place: Span) {
        let sum: i64 = items.iter().map(|item| item.weight).sum();
        if sum == WHOLE {
            return;
        }
        let shown = crate::surface::print_decimal(Decimal { digits: sum.into(), decimals: 4 });
        let shown = shown.trim_end_matches('0').trim_end_matches('.').to_owned();
        let last = &items[items.len() - 1];
        let rest = last.weight + WHOLE - sum;
        let hint = if rest > 0 {
            let rest = crate::surface::print_decimal(Decimal { digits: rest.into(), decimals: 4 });
            format!("with `weight = {}` for `{}` they would", rest.trim_end_matches('0'), last.id)
        } else {
            "lower some of them".to_owned()
        };
        self.report(
            Diagnostic::new("bad-weight", place, format!("the weights add up to {shown}, not to 1"))
                .hint(hint),
        );
    }

    fn veto(&mut self, head: &Head, table: &Table<'_>, place: usize) -> Option<(Text, Vec<ClauseId>)> {
        let when = table.require("when", table.word("when"));
        let title = table.require("title", table.bilingual("title"));
        let cite = self.citations(table);
        table.finish();
        let (when, title) = (when?, title?);
        self.condition_column(head, format!("_{}_veto_{}", head.name(), place + 1), title.clone(), when);
        Some((title, cite))
    }

    /// The edge along which siblings are ranked.
    fn rank_edge(&mut self, entity: EntityId, within: &Word) -> Option<String> {
        if let Some(edge) = self.ancestor_edge(entity, &within.text) {
            return Some(edge);
        }
        let mut names: Vec<&str> = self
            .program
            .edges
            .iter()
            .filter(|edge| edge.child == entity && !edge.name.starts_with('_'))
            .map(|edge| edge.name.as_str())
            .collect();
        let mut at = entity;
        while let Some(edge) = self.program.entity(at).parent {
            at = self.program.edge(edge).parent;
            names.push(&self.program.entity(at).name);
        }
        names.dedup();
        let hint = format!("one of {}", crate::surface::list_words(&names));
        let on = &self.program.entity(entity).name;
        self.report(
            Diagnostic::new(
                "unknown-edge",
                within.span,
                format!("`{on}` has no parent `{}` to be ranked within", within.text),
            )
            .hint(hint),
        );
        None
    }

    fn scorecard_column(
        &mut self,
        head: &Head,
        end: &str,
        label: (&str, &str),
        text: String,
        ty: Option<Type>,
    ) {
        let Some(entity) = head.entity() else { return };
        let hidden = end.starts_with("__");
        let end = if hidden { &end[1..] } else { end };
        let name = format!("{}{}{end}", if hidden { "_" } else { "" }, head.name());
        let title = head.title();
        let label =
            Text { zh: format!("{}（{}）", title.zh, label.0), en: format!("{} ({})", title.en, label.1) };
        let definition = Definition::Expression { text: Word { text, span: head.place() }, ty };
        self.announce_for(head, entity, name, label, head.place(), definition);
    }

    /// The weighted total, and the two sums whose quotient it is.
    fn announce_total(&mut self, head: &Head, items: &[ItemDraft]) {
        let Some(entity) = head.entity() else { return };
        let weights: Vec<i64> = items.iter().map(|item| item.weight).collect();
        let (sum, counted) = self.announce_sums(head, items, &weights, "_");
        let text = Word { text: format!("{sum} / {counted}"), span: head.place() };
        let definition = Definition::Expression { text, ty: Some(points()) };
        self.announce_for(
            head,
            entity,
            head.name().to_owned(),
            head.title().clone(),
            head.place(),
            definition,
        );
    }

    /// Hidden columns: the sum of weighted points, and the weights that count.
    fn announce_sums(
        &mut self,
        head: &Head,
        items: &[ItemDraft],
        weights: &[i64],
        end: &str,
    ) -> (String, String) {
        let id = head.name();
        let parts: Vec<Part> = items
            .iter()
            .map(|item| Part {
                points: format!("{id}_{}", item.id),
                exempt: item.exempt.then(|| format!("{id}_{}_exempt", item.id)),
            })
            .collect();
        let sum = |term: &dyn Fn(&Part, i64) -> String| {
            let terms: Vec<String> = parts
                .iter()
                .zip(weights)
                .filter(|(_, weight)| **weight > 0)
                .map(|(part, weight)| match &part.exempt {
                    Some(exempt) => format!("CASE WHEN {exempt} THEN 0 ELSE {} END", term(part, *weight)),
                    None => term(part, *weight),
                })
                .collect();
            terms.join(" + ")
        };
        let weighted = sum(&|part, weight| format!("{weight} * {}", part.points));
        let counted = sum(&|_, weight| weight.to_string());
        self.scorecard_column(
            head,
            &format!("_{end}sum"),
            ("加权合计", "weighted sum"),
            weighted,
            Some(points()),
        );
        self.scorecard_column(
            head,
            &format!("_{end}counted"),
            ("计入权重", "weights counted"),
            counted,
            count(),
        );
        (format!("_{id}{end}sum"), format!("_{id}{end}counted"))
    }

    /// Ranks: vetoed siblings behind all others, and those without a known result not at all.
    fn announce_ranks(&mut self, head: &Head, items: &[ItemDraft], vetoes: bool, edge: &str) {
        let id = head.name().to_owned();
        let label = ("名次", "rank");
        self.announce_rank(head, &id, "_", "_rank", vetoes, edge, label);
        let known = format!("sum(CASE WHEN _{id}_place = -2 THEN 0 ELSE 1 END) OVER (PARTITION BY {edge})");
        self.scorecard_column(head, "_ranked", ("参加排名数", "number ranked"), known, count());
        for (place, item) in items.iter().enumerate() {
            let own = item.weight;
            let raise = STEP.min(WHOLE - own);
            if raise == 0 {
                continue;
            }
            let weights: Vec<i64> = items
                .iter()
                .enumerate()
                .map(|(other, item)| {
                    if other == place {
                        (own + raise) * (WHOLE - own)
                    } else {
                        item.weight * (WHOLE - own - raise)
                    }
                })
                .collect();
            let end = format!("_if_{}_", item.id);
            let (sum, counted) = self.announce_sums(head, items, &weights, &end);
            let total = format!("{end}total");
            let label = ("调整权重后的总分", "total with another weight");
            self.scorecard_column(
                head,
                &format!("_{total}"),
                label,
                format!("{sum} / {counted}"),
                Some(points()),
            );
            let zh = format!("“{}”权重提高 0.05 后的名次", item.title.zh);
            let en = format!("rank if `{}` weighed 0.05 more", item.title.en);
            let end = (format!("_if_{}_", item.id), format!("_rank_if_{}", item.id));
            self.announce_rank(head, &format!("_{id}{total}"), &end.0, &end.1, vetoes, edge, (&zh, &en));
        }
    }

    /// The rank by one total. `-1` stands for vetoed and `-2` for unknown, both behind every number of points.
    #[expect(clippy::too_many_arguments, reason = "a rank's parts with their names")]
    fn announce_rank(
        &mut self,
        head: &Head,
        total: &str,
        hidden: &str,
        end: &str,
        vetoes: bool,
        edge: &str,
        label: (&str, &str),
    ) {
        let id = head.name().to_owned();
        let result =
            if vetoes { format!("CASE WHEN {id}_vetoed THEN -1 ELSE {total} END") } else { total.to_owned() };
        let place = format!("_{id}{hidden}place");
        let order = format!("_{hidden}place");
        self.scorecard_column(
            head,
            &order,
            ("排序依据", "order"),
            format!("coalesce({result}, -2)"),
            Some(points()),
        );
        let rank = format!(
            "CASE WHEN {place} = -2 THEN NULL ELSE rank() OVER (PARTITION BY {edge} ORDER BY {place} DESC) END"
        );
        self.scorecard_column(head, end, label, rank, count());
    }

    /// Points: a number from 0 to 100 with two decimals; where it could leave these bounds, that is a finding
    /// and the points are unknown.
    pub fn points(&mut self, pending: &Pending, text: &Word, context: &mut Context) -> Option<Expr> {
        let ty = points();
        let expr = self.read(text, context, Some(&ty))?;
        let expr = match &expr.ty {
            Type::Number(number) if number.kind == NumberKind::Count => {
                // A count is a pure number; so are points.
                let expr = self.rescaled(expr, 2);
                Expr { ty: ty.clone(), ..expr }
            }
            _ => self.fit(expr, &ty, text.span, context)?,
        };
        let bounds = Range::new(0, POINTS_MAX);
        let range = expr.range?;
        if bounds.contains(range.min) && bounds.contains(range.max) {
            return Some(expr);
        }
        if range.max < 0 || range.min > POINTS_MAX {
            self.report(
                Diagnostic::new("bad-range", text.span, "points lie between 0 and 100")
                    .hint("bound them: `least(100, greatest(0, …))`"),
            );
            return None;
        }
        Some(self.within_points(pending, expr, context))
    }

    fn within_points(&mut self, pending: &Pending, expr: Expr, context: &mut Context) -> Expr {
        use crate::compiler::{compare, number};
        use crate::program::Comparison;
        let (span, ty) = (pending.span, expr.ty.clone());
        let limit = |value| number(value, ty.clone(), span);
        let below = compare(Comparison::Less, expr.clone(), limit(0), span);
        let above = compare(Comparison::Greater, expr.clone(), limit(POINTS_MAX), span);
        let outside = Expr {
            nullable: expr.nullable,
            kind: ExprKind::Or(vec![below, above]),
            ty: Type::Bool,
            range: None,
            span,
        };
        let message = Text {
            zh: "得分不在 0 至 100 之间，结果未知".to_owned(),
            en: "points outside 0 to 100: the result is unknown".to_owned(),
        };
        self.add_finding(context, outside.clone(), "points-out-of-range", message);
        let unknown = Expr {
            kind: ExprKind::Case { branches: Vec::new(), otherwise: None },
            ty: ty.clone(),
            nullable: true,
            range: None,
            span,
        };
        let mut made = crate::define::case(vec![(outside, unknown)], Some(expr), span);
        made.range = Some(Range::new(0, POINTS_MAX));
        made
    }

    /// The scorecard, once its columns are compiled.
    pub fn scorecard_detail(&self, entity: EntityId, id: &str, draft: ScorecardDraft) -> Option<RuleDetail> {
        let named = |name: String| self.known(entity, &name);
        let items = draft
            .items
            .into_iter()
            .filter_map(|item| {
                Some(ScorecardItem {
                    points: named(format!("{id}_{}", item.id))?,
                    exempt: named(format!("{id}_{}_exempt", item.id)).filter(|_| item.exempt),
                    rank_if_raised: named(format!("{id}_rank_if_{}", item.id)).filter(|_| draft.rank),
                    id: item.id,
                    title: item.title,
                    weight: item.weight,
                    cite: item.cite,
                })
            })
            .collect();
        let vetoes = draft
            .vetoes
            .into_iter()
            .enumerate()
            .filter_map(|(place, (title, cite))| {
                Some(Veto { title, when: named(format!("_{id}_veto_{}", place + 1))?, cite })
            })
            .collect();
        Some(RuleDetail::Scorecard(Scorecard {
            total: named(id.to_owned())?,
            items,
            vetoed: named(format!("{id}_vetoed")),
            vetoes,
            rank: named(format!("{id}_rank")).filter(|_| draft.rank),
            ranked: named(format!("{id}_ranked")).filter(|_| draft.rank),
        }))
    }
}
