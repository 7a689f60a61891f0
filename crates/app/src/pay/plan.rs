//! Planning a batch from what approvals have committed.

use std::collections::BTreeMap;

use model::ledger::{Action, Command, Draft, Holder, Layer, Posting, Purpose, Remainder, TransferKey};
use model::payment::{
    Batch, BatchCommand, BatchId, BatchPlan, LayoutId, Line, LineId, LineRef, decide, openings, plan_again,
};
use model::{DivisionCode, Text};
use pack::program::Program;
use store::Registry;

use super::batch::{county_acts, find, go_on, read};
use super::payees::payee;
use crate::acting::{Acting, ActingError, Deed, Randomness, Salts};

/// What is to be paid.
pub struct Plan<'a> {
    pub county: DivisionCode,
    pub purpose: &'a Purpose,
    pub layout: &'a str,
}

/// Somebody with an approval who cannot be paid yet.
pub struct LeftOut {
    pub holder: Holder,
    pub reason: Text,
}

/// A batch as planned.
pub struct Planned {
    pub batch: Batch,
    pub left_out: Vec<LeftOut>,
}

/// Verifies what is committed as owed, and plans its payment.
pub fn plan(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    asked: &Plan<'_>,
    random: Randomness<'_>,
) -> Result<Planned, ActingError> {
    let layout = layout(program, asked.layout)?;
    let mut deed = Deed::begin(registry, program, acting, random)?;
    county_acts(&deed)?;
    let now = acting.effective_at();
    let is_due = |posting: &Posting| {
        let transfer = &posting.transfer;
        posting.is_open(now)
            && (transfer.debit.layer, transfer.credit.layer) == (Layer::Allotted, Layer::Encumbered)
            && transfer.debit.holder == Holder::Division(asked.county)
            && transfer.debit.purpose == *asked.purpose
            && transfer.debit.year == acting.on.year()
    };
    let mut due: Vec<Posting> = deed.book()?.postings().filter(|it| is_due(it)).cloned().collect();
    due.sort_by_key(|posting| posting.number);
    let (mut lines, mut salts, mut left_out) = (Vec::new(), BTreeMap::new(), Vec::new());
    for posting in due {
        let transfer = &posting.transfer;
        let holder = transfer.credit.holder.clone();
        let salt = deed.salt();
        let Some(payee) = payee(program, deed.view(), &holder, &salt)? else {
            let reason = Text::new("没有登记户主或一卡通账号", "no name or account is recorded");
            left_out.push(LeftOut { holder, reason });
            continue;
        };
        verify_owed(&mut deed, &posting)?;
        let id = line_id(lines.len() + 1)?;
        salts.insert(id.clone(), Salts::id(&salt));
        lines.push(Line {
            id,
            from: transfer.credit.clone(),
            to: transfer.credit.at(Layer::Settled, holder),
            fen: transfer.fen,
            basis: transfer.draft.basis.clone(),
            commitment: payee.commitment(),
            shown: payee.masked(),
            again: None,
        });
    }
    let id = next_id(&deed, asked.purpose, asked.county)?;
    let plan = BatchPlan { id: id.clone(), layout, lines };
    let events = decide(None, &BatchCommand::Plan(plan.clone()), now)?;
    deed.post(&openings(&plan))?;
    let batch = go_on(&mut deed, None, &id, events, salts)?;
    let batch = batch.ok_or_else(|| ActingError::damaged("payment/", "a plan made no batch"))?;
    deed.commit()?;
    Ok(Planned { batch, left_out })
}

/// Plans a batch of what was returned and corrected in an earlier one.
pub fn again(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    earlier: &BatchId,
    random: Randomness<'_>,
) -> Result<Planned, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    county_acts(&deed)?;
    let view = read(deed.view(), earlier)?;
    let salts_file = Salts::of(&deed.folder());
    let now = acting.effective_at();
    let (mut lines, mut salts, mut left_out) = (Vec::new(), BTreeMap::new(), Vec::new());
    for state in view.batch.lines.iter().filter(|state| !state.return_open_fen().is_zero()) {
        let holder = state.line.to.holder.clone();
        let salt_id = view.salts.get(&state.line.id).cloned().unwrap_or_default();
        let salt = salts_file.find(&salt_id)?.unwrap_or_default();
        let corrected = state.correction.is_some();
        let payee = payee(program, deed.view(), &holder, &salt)?.filter(|_| corrected);
        let Some(payee) = payee else {
            let reason = Text::new("收款账户尚未更正", "the payee is not corrected");
            left_out.push(LeftOut { holder, reason });
            continue;
        };
        let id = line_id(lines.len() + 1)?;
        salts.insert(id.clone(), salt_id);
        lines.push(Line {
            id,
            fen: state.return_open_fen(),
            commitment: payee.commitment(),
            shown: payee.masked(),
            again: Some(LineRef { batch: earlier.clone(), line: state.line.id.clone() }),
            ..state.line.clone()
        });
    }
    let first = view.batch.lines.first().ok_or_else(|| ActingError::damaged("payment/", "no lines"))?;
    let purpose = first.line.from.purpose.clone();
    let county = county_in(earlier).ok_or_else(|| ActingError::damaged("payment/", "no county in its id"))?;
    let id = next_id(&deed, &purpose, county)?;
    let plan = BatchPlan { id: id.clone(), layout: view.batch.layout().clone(), lines };
    let (of_earlier, of_next) = plan_again(&view.batch, None, &plan, now)?;
    deed.post(&openings(&plan))?;
    go_on(&mut deed, Some(&view), earlier, of_earlier, BTreeMap::new())?;
    let batch = go_on(&mut deed, None, &id, of_next, salts)?;
    let batch = batch.ok_or_else(|| ActingError::damaged("payment/", "a plan made no batch"))?;
    deed.commit()?;
    Ok(Planned { batch, left_out })
}

/// What was committed is owed from now on: the decision stands, and who is paid is known.
fn verify_owed(deed: &mut Deed<'_>, posting: &Posting) -> Result<(), ActingError> {
    let transfer = &posting.transfer;
    let key = TransferKey::new(format!("{}/owed", transfer.draft.key));
    let key = key.map_err(|error| ActingError::damaged("ledger", error))?;
    let action = Action::Post { resolves: transfer.id, fen: transfer.fen, remainder: Remainder::Release };
    let effective_on = deed.acting.on;
    deed.post(&Command::Transfer(Draft { key, action, basis: transfer.draft.basis.clone(), effective_on }))
}

fn layout(program: &Program, id: &str) -> Result<LayoutId, ActingError> {
    let known: Vec<&str> = program.bank_layouts.iter().map(|layout| layout.id.as_str()).collect();
    let found = program.bank_layouts.iter().find(|layout| layout.id.as_str() == id);
    found.map(|layout| layout.id.clone()).ok_or_else(|| {
        let known = known.join("、");
        let hint = Text { zh: format!("规则包有：{known}"), en: format!("the pack has {known}") };
        ActingError::unknown(format!("没有银行布局“{id}”"), format!("there is no bank layout `{id}`"), hint)
    })
}

/// The next free id: `minimum-living-513336-2016-001`.
fn next_id(deed: &Deed<'_>, purpose: &Purpose, county: DivisionCode) -> Result<BatchId, ActingError> {
    let year = deed.acting.on.year();
    for number in 1_u32..=u32::MAX {
        let id = BatchId::new(format!("{purpose}-{}-{year}-{number:03}", county.short()))
            .map_err(|error| ActingError::damaged("payment/", error))?;
        if find(deed.view(), &id)?.is_none() {
            return Ok(id);
        }
    }
    Err(ActingError::damaged("payment/", "no id is left"))
}

fn county_in(id: &BatchId) -> Option<DivisionCode> {
    id.as_str().rsplit('-').nth(2)?.parse().ok()
}

fn line_id(number: usize) -> Result<LineId, ActingError> {
    LineId::new(format!("{number:04}")).map_err(|error| ActingError::damaged("payment/", error))
}
