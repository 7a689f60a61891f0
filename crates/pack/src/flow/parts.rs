//! Reads what a step declares: days, samples, votes, notices, objections, refusals.

use model::Text;
use model::flow::{
    Appeal, DayUnit, Days, Effect, Evidence, Fraction, Majority, Must, Notice, Objection, Objectors, Outcome,
    ParameterId, Place, Quantity, Refusing, Sample, Target, Vote,
};

use super::read::Reading;
use crate::compiler::Compiler;
use crate::diagnostic::Diagnostic;
use crate::program::{NumberKind, NumberType, ParameterShape, Span, Type, Value};
use crate::surface::{Decimal, Scalar, Table, Word};

/// `{ id, zh, en }`: something with a name for the machine and one for people.
pub(super) fn named(table: &Table<'_>) -> Option<(String, Text)> {
    let id = table.require("id", table.word("id"));
    let zh = table.require("zh", table.word("zh"));
    let en = table.require("en", table.word("en"));
    table.finish();
    Some((id?.text, Text { zh: zh?.text, en: en?.text }))
}

impl Compiler<'_> {
    /// `7 days`, `5 working days`, `param.notice_days days`.
    pub(super) fn days(&mut self, word: &Word) -> Option<Days> {
        let text = word.text.trim();
        let (number, unit) = match text
            .strip_suffix(" working days")
            .or_else(|| text.strip_suffix(" working day"))
        {
            Some(number) => (number, DayUnit::Working),
            None => (text.strip_suffix(" days").or_else(|| text.strip_suffix(" day"))?, DayUnit::Calendar),
        };
        let count = self.quantity(number.trim(), word.span)?;
        if let Quantity::Fixed(count) = count
            && count.as_whole().is_none_or(|count| count == 0)
        {
            self.bad_days(word);
            return None;
        }
        if let Quantity::Parameter(id) = count {
            self.check_days_parameter(id, word.span);
        }
        Some(Days { count, unit })
    }

    /// A parameter of days is a whole number, and never 0.
    fn check_days_parameter(&mut self, id: ParameterId, span: Span) {
        let parameter = &self.program.parameters[id.0 as usize];
        let counts = matches!(&parameter.ty, Type::Number(number) if number.kind == NumberKind::Count);
        let positive = match &parameter.shape {
            ParameterShape::Scalar(values) => {
                values.iter().all(|dated| matches!(dated.value, Value::Number(number) if number > 0))
            }
            _ => false,
        };
        if !counts || !positive {
            let message = format!("`param.{}` is not a number of days, at least 1", parameter.id);
            self.report(
                Diagnostic::new("bad-days", span, message).hint("a parameter of days has the type `count`"),
            );
        }
    }

    fn bad_days(&mut self, word: &Word) {
        self.report(
            Diagnostic::new("bad-days", word.span, format!("`{}` is no number of days", word.text))
                .hint("write `7 days`, `5 working days` or `param.notice_days days`; at least 1"),
        );
    }

    /// Days that have to be given; a text that is none is reported.
    pub(super) fn days_or_report(&mut self, word: &Word) -> Option<Days> {
        let before = self.sink.borrow().len();
        let days = self.days(word);
        if days.is_none() && self.sink.borrow().len() == before {
            self.bad_days(word);
        }
        days
    }

    /// `7`, `0.3`, `2/3`, `param.share`.
    fn quantity(&mut self, text: &str, span: Span) -> Option<Quantity> {
        if let Some(name) = text.strip_prefix("param.") {
            let id = self.parameter(name, span)?;
            return Some(Quantity::Parameter(ParameterId(id.0)));
        }
        if let Some((numerator, denominator)) = text.split_once('/') {
            let fraction = Fraction::new(numerator.trim().parse().ok()?, denominator.trim().parse().ok()?)?;
            return Some(Quantity::Fixed(fraction));
        }
        fraction(Decimal::parse(text)?).map(Quantity::Fixed)
    }

    /// A share from 0 to 1, as a number, a fraction in a text or a parameter.
    fn proportion(&mut self, table: &Table<'_>, key: &str) -> Option<Quantity> {
        let (scalar, span) = table.scalar(key)?;
        let before = self.sink.borrow().len();
        let quantity = match scalar {
            Scalar::Number(number) => fraction(number).map(Quantity::Fixed),
            Scalar::Text(text) => self.quantity(text.trim(), span),
            _ => None,
        };
        let beyond = match quantity {
            Some(Quantity::Fixed(share)) => share.compare(1, 1).is_lt() || share == Fraction::ZERO,
            Some(_) => false,
            None => true,
        };
        if beyond {
            if self.sink.borrow().len() == before {
                self.report(
                    Diagnostic::new("bad-share", span, format!("`{key}` is more than 0 and at most 1"))
                        .hint("write `\"2/3\"`, `0.3` or `\"param.share\"`"),
                );
            }
            return None;
        }
        quantity
    }

    pub(super) fn evidence(&mut self, table: &Table<'_>) -> Vec<Evidence> {
        let list = table.tables("evidence", "piece of evidence");
        list.iter().filter_map(named).map(|(id, title)| Evidence { id, title }).collect()
    }

    pub(super) fn sample(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Sample> {
        let sample = table.table("sample", "sample")?;
        let share = sample.require("share", self.proportion(&sample, "share"));
        let mut musts = Vec::new();
        for (number, must) in sample.tables("musts", "must").iter().enumerate() {
            let title = must.require("title", must.bilingual("title"));
            let when = must.require("when", must.word("when"));
            must.finish();
            let (Some(title), Some(when)) = (title, when) else { continue };
            let when = self.expression_of(reading, &format!("must_{number}"), &when, Some(Type::Bool));
            musts.push(Must { title, when });
        }
        sample.finish();
        Some(Sample { share: share?, musts })
    }

    pub(super) fn vote(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Vote> {
        let vote = table.table("vote", "vote")?;
        let electorate = vote.word("electorate");
        let quorum = vote.require("quorum", self.proportion(&vote, "quorum"));
        let more_than = vote.has("more_than");
        let key = if more_than { "more_than" } else { "at_least" };
        vote.know("more_than");
        vote.know("at_least");
        let share = vote.require(key, self.proportion(&vote, key));
        let of_entitled = self.choice(&vote, "of", &[("present", false), ("entitled", true)]);
        let of_entitled = vote.require("of", of_entitled);
        let secret = vote.bool("secret").unwrap_or(false);
        let lost = vote.word("lost");
        vote.finish();
        let electorate = electorate.and_then(|word| match word.text.strip_prefix("param.") {
            Some(name) => self.parameter(name, word.span).map(|id| Quantity::Parameter(ParameterId(id.0))),
            None => {
                let count = Some(Type::Number(NumberType::count()));
                Some(Quantity::Expression(self.expression_on(
                    reading,
                    reading.sheet,
                    "electorate",
                    &word,
                    count,
                )))
            }
        });
        if more_than && share == Some(Quantity::Fixed(Fraction::ONE)) {
            self.report(
                Diagnostic::new("bad-share", vote.span_of(key), "nothing is more than all")
                    .hint("for all of them write `at_least = 1`"),
            );
        }
        let lost = match lost {
            Some(word) => self.flow_target(reading, &word)?,
            None => Target::End(Outcome::Refused),
        };
        let majority = Majority { share: share?, more_than, of_entitled: of_entitled? };
        Some(Vote { electorate, quorum: quorum?, majority, secret, lost })
    }

    pub(super) fn notice(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Notice> {
        let notice = table.table("notice", "notice")?;
        let days = notice.require("days", notice.word("days"));
        let places: Vec<Place> = notice
            .tables("places", "place")
            .iter()
            .filter_map(named)
            .map(|(id, title)| Place { id, title })
            .collect();
        let shows = notice.words("shows");
        notice.finish();
        if places.is_empty() {
            let _: Option<()> = notice.require("places", None);
        }
        let shows = self.shown(reading, "notice_shows", &shows);
        let days = self.days_or_report(&days?)?;
        Some(Notice { days, places, shows })
    }

    pub(super) fn objection(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Objection> {
        let objection = table.table("objection", "objection")?;
        let by = objection.words("by");
        let answered_by = objection.words("answered_by");
        let _: Option<()> = objection.require("answered_by", (!answered_by.is_empty()).then_some(()));
        let not_by = self.steps_named(reading, &objection.words("not_by"));
        let within = objection.word("within");
        let effects =
            [("restart", Effect::Restart), ("suspend", Effect::Suspend), ("separate", Effect::Separate)];
        let effect = objection.require("effect", self.choice(&objection, "effect", &effects));
        let upheld = objection.require("upheld", objection.word("upheld"));
        objection.finish();
        let by = match by.as_slice() {
            [] => Objectors::Anyone,
            [only] if only.text == "anyone" => Objectors::Anyone,
            words => Objectors::Roles(words.iter().filter_map(|word| self.role(word)).collect()),
        };
        let answered_by = answered_by.iter().filter_map(|word| self.role(word)).collect();
        let within = within.and_then(|word| self.days_or_report(&word));
        let upheld = upheld.and_then(|word| self.step_named(reading, &word));
        Some(Objection { by, answered_by, not_by, within, effect: effect?, upheld: upheld? })
    }

    /// `refuses = true`, or with the time for the letter and an appeal.
    pub(super) fn refusing(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Refusing> {
        if let Some((Scalar::Bool(refuses), _)) = table.scalar("refuses") {
            return refuses.then_some(Refusing { within: None, appeal: None });
        }
        let refusing = table.table("refuses", "refusal")?;
        let within = refusing.word("within");
        let appeal = refusing.table("appeal", "appeal");
        refusing.finish();
        let within = within.and_then(|word| self.days_or_report(&word));
        let appeal = appeal.and_then(|appeal| {
            let within = appeal.require("within", appeal.word("within"));
            let to = appeal.require("to", appeal.word("to"));
            appeal.finish();
            let (within, to) = (within?, to?);
            Some(Appeal { within: self.days_or_report(&within)?, to: self.step_named(reading, &to)? })
        });
        Some(Refusing { within, appeal })
    }
}

fn fraction(number: Decimal) -> Option<Fraction> {
    let denominator = 10_u64.checked_pow(u32::from(number.decimals))?;
    Fraction::new(u64::try_from(number.digits).ok()?, denominator)
}
