//! What a case waits for, and for whom: nobody's turn is invisible.

use super::acts::{condition, unmet};
use super::{Context, Flow, Position, State, StepIndex, StrandId};
use crate::{Date, Refusal};

/// Something that someone has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub strand: StrandId,
    pub step: StepIndex,
    /// Any of these roles can do it.
    pub roles: Vec<String>,
    pub due: Option<Date>,
    /// The objection to answer; the step itself if absent.
    pub objection: Option<u32>,
    /// What is still missing before the step can be completed; nothing if it can be now.
    pub waits_for: Option<Refusal>,
}

/// All that the case waits for, open strands first to last; refusals to deliver included.
pub fn pending(flow: &Flow, state: &State, context: &Context<'_>) -> Vec<Pending> {
    let mut list = Vec::new();
    for strand in &state.strands {
        let (at, due, open) = match &strand.position {
            Position::At(step) => (*step, strand.due, true),
            Position::Ended(end) if end.deliver_by.is_some() && end.delivered.is_none() => {
                (end.step, end.deliver_by, false)
            }
            Position::Ended(_) => continue,
        };
        let Some(step) = flow.step(at) else { continue };
        let waiting = |roles: &[String], due, objection, waits_for| Pending {
            strand: strand.id,
            step: at,
            roles: roles.to_vec(),
            due,
            objection,
            waits_for,
        };
        for lodged in strand.objections.iter().filter(|_| open) {
            let declared = flow.step(lodged.step).and_then(|step| step.objection.as_ref());
            let roles = declared.map_or(&[][..], |declared| &declared.answered_by);
            list.push(waiting(roles, lodged.due, Some(lodged.id), None));
        }
        let done = if open {
            unmet(step, strand, context).and_then(|()| condition(step, &strand.items, context))
        } else {
            Ok(())
        };
        list.push(waiting(&step.roles, due, None, done.err()));
    }
    list
}
