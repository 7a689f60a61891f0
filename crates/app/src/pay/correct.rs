//! Putting the payee of a returned line right.

use std::collections::BTreeMap;

use model::ledger::Holder;
use model::payment::{
    BatchCommand, BatchId, Correction, LineId, MaskedPayee, PaymentCode, PaymentRefusal, decide,
};
use model::{RecordKey, Refusal, RefusalCode};
use pack::program::{Program, Value};
use store::Registry;

use super::batch::{go_on, not_the_planner, read};
use super::payees::payee;
use super::record::stream;
use crate::acting::{Acting, ActingError, Deed, Randomness, Salts};

/// A correction as it is asked for.
pub struct Correct<'a> {
    pub batch: &'a BatchId,
    pub line: &'a LineId,
    /// The account that was verified with the household.
    pub account: &'a str,
    pub reasons: &'a str,
}

/// Records the verified account and the correction, by who did not plan the payment.
pub fn correct(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    asked: &Correct<'_>,
    random: Randomness<'_>,
) -> Result<MaskedPayee, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    if !["township", "county"].contains(&acting.role.as_str()) {
        let refusal = Refusal::new(RefusalCode::NotPermitted).value(&acting.role);
        return Err(refusal.expected("township, county").into());
    }
    if asked.reasons.trim().is_empty() {
        return Err(Refusal::from(RefusalCode::ReasonsMissing).into());
    }
    let view = read(deed.view(), asked.batch)?;
    not_the_planner(&deed, &view)?;
    let state = view.batch.line(asked.line);
    let state = state.ok_or_else(|| PaymentRefusal::new(PaymentCode::LineUnknown).value(asked.line))?;
    let holder = state.line.to.holder.clone();
    record_account(&mut deed, &holder, asked)?;
    let salt = deed.salt();
    let payee = payee(program, deed.view(), &holder, &salt)?;
    let payee = payee.ok_or_else(|| PaymentRefusal::new(PaymentCode::PayeeMissing).value(asked.line))?;
    let decision = RecordKey::new(format!("{}-{}-correction", asked.batch, asked.line));
    let decision = decision.map_err(Refusal::from)?;
    let correction = Correction { decision, commitment: payee.commitment(), shown: payee.masked() };
    let command = BatchCommand::Correct { line: asked.line.clone(), correction };
    let events = decide(Some(&view.batch), &command, acting.effective_at())?;
    let salts = BTreeMap::from([(asked.line.clone(), Salts::id(&salt))]);
    go_on(&mut deed, Some(&view), asked.batch, events, salts)?;
    deed.commit()?;
    Ok(payee.masked())
}

/// Writes the verified account into the holder's record: the register is where everybody reads it.
fn record_account(deed: &mut Deed<'_>, holder: &Holder, asked: &Correct<'_>) -> Result<(), ActingError> {
    let program = deed.program;
    let (name, key) = match holder {
        Holder::Household(key) => ("household", key),
        Holder::Person(key) => ("person", key),
        _ => return Ok(()),
    };
    let Some(entity) = program.entity_named(name) else { return Ok(()) };
    let Some(column) = program.column_named(entity, "account") else { return Ok(()) };
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let fields = [(program.entity(entity).key, text(key.as_str())), (column, text(asked.account))];
    let source = deed.source(&stream(asked.batch), asked.line.as_str())?;
    deed.record(entity, &fields, source)
}
