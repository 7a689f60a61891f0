//! What happened to a case, in words.

use model::flow::{DayUnit, Event, Flow, Outcome, Overdue, StepIndex, What};
use model::{Lang, Text};

/// The stable name of an event.
pub const fn kind(what: &What) -> &'static str {
    match what {
        What::Opened { .. } => "opened",
        What::Entered { .. } => "entered",
        What::Parted { .. } => "parted",
        What::Attached { .. } => "attached",
        What::Investigated { .. } => "investigated",
        What::Sampled { .. } => "sampled",
        What::Visited { .. } => "visited",
        What::Voted { .. } => "voted",
        What::Posted { .. } => "posted",
        What::ClockStarted { .. } => "clock-started",
        What::ClockStopped { .. } => "clock-stopped",
        What::Objected { .. } => "objected",
        What::Answered { .. } => "answered",
        What::Proposed { .. } => "proposed",
        What::Completed { .. } => "completed",
        What::Writes { .. } => "writes",
        What::Reserved { .. } => "reserved",
        What::Released { .. } => "released",
        What::Refused { .. } => "refused",
        What::Returned { .. } => "returned",
        What::Voided { .. } => "voided",
        What::Withdrawn { .. } => "withdrawn",
        What::Extended { .. } => "extended",
        What::Overdue { .. } => "overdue",
        What::Ended { .. } => "ended",
        What::Delivered { .. } => "delivered",
        What::Appealed { .. } => "appealed",
    }
}

/// The stable name of an outcome.
pub(super) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Refused => "refused",
        Outcome::Withdrawn => "withdrawn",
        Outcome::Lapsed => "lapsed",
    }
}

/// An outcome in words.
pub fn outcome_text(outcome: Outcome) -> Text {
    match outcome {
        Outcome::Done => Text::new("办结", "done"),
        Outcome::Refused => Text::new("不予通过", "refused"),
        Outcome::Withdrawn => Text::new("撤回", "withdrawn"),
        Outcome::Lapsed => Text::new("逾期失效", "lapsed"),
    }
}

/// An event in a sentence.
pub fn event_text(flow: &Flow, event: &Event, lang: Lang) -> String {
    let text = sentence(flow, &event.what);
    text.get(lang).to_owned()
}

fn sentence(flow: &Flow, what: &What) -> Text {
    let title = |step: StepIndex| flow.step(step).map(|step| step.title.clone()).unwrap_or_default();
    let both = |zh: String, en: String| Text { zh, en };
    match what {
        What::Opened { items, .. } => both(
            format!("立案，共 {} 户（项）", items.len()),
            format!("opened, about {} records", items.len()),
        ),
        What::Entered { step, due, .. } => {
            let due_zh = due.map_or_else(String::new, |due| format!("，{due} 前办理"));
            let due_en = due.map_or_else(String::new, |due| format!(", due on {due}"));
            let title = title(*step);
            both(format!("进入“{}”{due_zh}", title.zh), format!("comes to `{}`{due_en}", title.en))
        }
        What::Parted { to, items, .. } => {
            let keys = items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            both(format!("{keys} 单列为第 {} 路", to.0), format!("{keys} set apart as part {}", to.0))
        }
        What::Attached { kind, .. } => both(format!("附材料：{kind}"), format!("attaches `{kind}`")),
        What::Investigated { .. } => both("入户调查".to_owned(), "has investigated".to_owned()),
        What::Sampled { drawn, musts, .. } => both(
            format!("抽查 {} 户，必查 {} 户", drawn.len(), musts.len()),
            format!("draws {} for a visit; {} more have to be visited", drawn.len(), musts.len()),
        ),
        What::Visited { items, .. } => {
            both(format!("入户核查 {} 户", items.len()), format!("visits {}", items.len()))
        }
        What::Voted { tally, .. } => {
            let carried = tally.ballots.values().filter(|(_, _, carried)| *carried).count();
            let (present, entitled, all) = (tally.present, tally.entitled, tally.ballots.len());
            both(
                format!("评议：应到 {entitled} 人，实到 {present} 人；{all} 户中通过 {carried} 户"),
                format!("{present} of {entitled} vote; {carried} of {all} are carried"),
            )
        }
        What::Posted { place, .. } => {
            both(format!("张贴公示：{place}"), format!("posts the notice at `{place}`"))
        }
        What::ClockStarted { required, hung, unit, until, .. } => {
            let working = *unit == DayUnit::Working;
            let (zh, en) = if working { ("个工作日", "working days") } else { ("天", "days") };
            let left = required - hung;
            if *hung == 0 {
                both(format!("公示 {left} {zh}，至 {until}"), format!("hangs {left} {en}, until {until}"))
            } else {
                both(
                    format!("公示继续，已 {hung} {zh}，还有 {left} {zh}，至 {until}"),
                    format!("the notice goes on: {hung} {en} have passed, {left} are left, until {until}"),
                )
            }
        }
        What::ClockStopped { hung, .. } => {
            both(format!("公示中止，已过 {hung} 天"), format!("the notice stops after {hung} days"))
        }
        What::Objected { objection, item, grounds, .. } => {
            let item = item.as_ref().map_or_else(String::new, |item| format!(" {item}"));
            both(
                format!("异议第 {objection} 号{item}：{grounds}"),
                format!("objection {objection}{item}: {grounds}"),
            )
        }
        What::Answered { objection, upheld, reasons, .. } => {
            let (zh, en) = if *upheld { ("成立", "upheld") } else { ("不成立", "dismissed") };
            both(
                format!("异议第 {objection} 号{zh}：{reasons}"),
                format!("objection {objection} is {en}: {reasons}"),
            )
        }
        What::Proposed { digests, .. } => {
            both(format!("提出 {} 户的意见", digests.len()), format!("proposes {}", digests.len()))
        }
        What::Completed { step, .. } => {
            let title = title(*step);
            both(format!("完成“{}”", title.zh), format!("completes `{}`", title.en))
        }
        What::Writes { item, write, .. } => {
            both(format!("{item} 记入 {}", write.entity), format!("writes a {} about {item}", write.entity))
        }
        What::Reserved { item, fund, amount, .. } => both(
            format!("{item} 从 {fund} 预留 {amount} 元"),
            format!("{amount} yuan of {fund} reserved for {item}"),
        ),
        What::Released { item, fund, amount, .. } => both(
            format!("{item} 退还预留 {fund} {amount} 元"),
            format!("{amount} yuan of {fund} for {item} given back"),
        ),
        What::Refused { reasons, .. } => both(format!("不予通过：{reasons}"), format!("refuses: {reasons}")),
        What::Returned { to, reasons, .. } => {
            let title = title(*to);
            both(format!("退回“{}”：{reasons}", title.zh), format!("returns it to `{}`: {reasons}", title.en))
        }
        What::Voided { changed, .. } => both(
            format!("{} 户情况有变，原意见作废", changed.len()),
            format!("the proposal about {} is void, as facts changed", changed.len()),
        ),
        What::Withdrawn { .. } => both("撤回申请".to_owned(), "withdraws".to_owned()),
        What::Extended { due, reasons, .. } => {
            both(format!("延期至 {due}：{reasons}"), format!("extends it to {due}: {reasons}"))
        }
        What::Overdue { what, .. } => match what {
            Overdue::Step => both("步骤逾期".to_owned(), "the step is overdue".to_owned()),
            Overdue::Answer(id) => {
                both(format!("异议第 {id} 号答复逾期"), format!("the answer to objection {id} is overdue"))
            }
            Overdue::Letter => both("书面告知逾期".to_owned(), "the written refusal is overdue".to_owned()),
        },
        What::Ended { outcome, deliver_by, .. } => {
            let outcome = outcome_text(*outcome);
            let by_zh = deliver_by.map_or_else(String::new, |day| format!("，{day} 前书面告知"));
            let by_en =
                deliver_by.map_or_else(String::new, |day| format!(", to be delivered in writing by {day}"));
            both(format!("结束：{}{by_zh}", outcome.zh), format!("ends: {}{by_en}", outcome.en))
        }
        What::Delivered { appeal_until, .. } => {
            let zh = appeal_until.map_or_else(String::new, |day| format!("，{day} 前可申诉"));
            let en = appeal_until.map_or_else(String::new, |day| format!(", appeal until {day}"));
            both(format!("书面告知送达{zh}"), format!("delivers the written refusal{en}"))
        }
        What::Appealed { grounds, .. } => both(format!("申诉：{grounds}"), format!("appeals: {grounds}")),
    }
}
