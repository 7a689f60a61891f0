//! What other systems got wrong, each as a test: values edited after approval, one's own request applied,
//! a label that the requester writes, records of others reached through a case, an order that is bypassed.

use model::RefusalCode;
use model::flow::*;

use crate::scripts::{POSTED, TO_DECISION, TO_NOTICE, at};
use crate::world::*;

#[test]
fn a_value_edited_after_approval_does_not_change_what_was_reserved() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.run("chen complete\nfact h1 amount 900000\nclerk complete");
    let reserved: Vec<i64> = world.state.strands[0].reserved.iter().map(|kept| kept.amount.fen()).collect();
    assert_eq!(reserved, [120_000; 3]);
}

#[test]
fn ones_own_request_cannot_be_approved_in_another_role() {
    let world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    let mut context = world.context("chen");
    context.actor.own = keys(["h1"]);
    let refused = decide(&world.flow, &world.state, &world.read(&["complete"]), &context);
    assert_eq!(refused.expect_err("it is his own").code, RefusalCode::KinRecused);
}

#[test]
fn whoever_acted_under_one_role_is_not_another_person_under_the_next() {
    let world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    let mut context = world.context("tang");
    context.actor.role = "county".into();
    let refused = decide(&world.flow, &world.state, &world.read(&["complete"]), &context);
    assert_eq!(refused.expect_err("he surveyed").code, RefusalCode::MakerIsChecker);
}

#[test]
fn no_command_says_who_is_kin_or_what_is_so() {
    // The relation and the facts come with the context: a sentence in the grounds or a choice changes neither.
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.run("fact h2 eligible no");
    world.check(
        "
        chen complete eligible => refused condition-false h2
        cui complete not-kin => refused kin-recused h3
        ",
    );
}

#[test]
fn records_of_another_case_are_not_reached() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED]);
    world.truths.insert(key("h9"), world.truths[&key("h1")].clone());
    world.check(
        "
        sun object h9 he has a car => refused not-found h9
        clerk apart h9 => refused not-found h9
        clerk withdraw h9 => refused not-found h9
        clerk apart => refused not-found 
        ",
    );
}

#[test]
fn a_later_tier_does_not_act_before_an_earlier_one() {
    let mut world = at(Effect::Separate, &[TO_NOTICE]);
    world.check(
        "
        chen refuse income is above the line => refused not-permitted county
        chen complete => refused not-permitted county
        ",
    );
    for position in [REVIEW, SAMPLING, DECISION] {
        let command =
            Command::Act { strand: StrandId(0), step: position, act: Act::Complete { choice: None } };
        let refused = world.command("chen", &command).expect_err("it stands at the notice");
        assert_eq!(refused.code, RefusalCode::StepNotCurrent);
    }
}

#[test]
fn a_stale_page_does_not_complete_the_next_step() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED]);
    world.today = date("2015-03-18");
    let complete = world.read(&["complete"]);
    world.command("clerk", &complete).expect("the notice has hung");
    let again = world.command("clerk", &complete).expect_err("the button was pressed twice");
    assert_eq!(again.code, RefusalCode::StepNotCurrent);
}

#[test]
fn a_case_goes_on_under_the_flow_that_it_began_with() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.run("chen complete\nclerk complete");
    let closed = world.state.clone();
    world.flow.version = "2".into();
    world.flow.steps.remove(6);
    for act in ["complete", "void", "withdraw", "deliver", "tick"] {
        let refused = world.decide("clerk", &world.read(&[act])).expect_err("the version is another");
        assert_eq!(refused.code, RefusalCode::FlowVersion, "{act}");
    }
    assert_eq!(world.state, closed);
}

#[test]
fn approving_needs_no_right_to_do_the_earlier_steps() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.check(
        "
        clerk complete => refused not-permitted village
        chen complete => completed decision, writes decision of h1, writes decision of h2, writes decision of h3, reserved h1 120000, reserved h2 120000, reserved h3 120000, entered 0 announcement
        ",
    );
}

#[test]
fn a_sample_is_not_drawn_until_it_pleases() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED]);
    world.run("2015-03-18 clerk complete\ntong complete\ncai draw");
    world.check("chen draw => refused already-done");
}

#[test]
fn an_approval_without_a_proposal_approves_nothing() {
    let mut flow = flow(Effect::Separate, DayUnit::Calendar);
    flow.steps[1].proposes = false;
    let mut world = World::new(flow, &["h1", "h2", "h3"]);
    for part in [TO_NOTICE, POSTED, TO_DECISION] {
        world.run(part);
    }
    world.check(
        "
        chen complete => refused facts-changed h1, h2, h3
        fact h1 amount unknown => noted
        chen complete => refused facts-changed h1, h2, h3
        ",
    );
}

#[test]
fn the_place_last_posted_begins_the_period() {
    let mut world = at(Effect::Separate, &[TO_NOTICE]);
    world.check(
        "
        2015-03-10 clerk post board => posted
        2015-03-30 clerk complete => refused notice-not-posted
        sun object h1 he has a car => refused notice-not-posted
        clerk post hall => posted, clock 0 from 0/7 until 2015-04-06
        ",
    );
}

#[test]
fn nobody_answers_his_own_objection() {
    let mut world = at(Effect::Suspend, &[TO_NOTICE, POSTED]);
    world.check(
        "
        tong object h1 he has a car => objected 0#0 due 2015-03-17, clock 0 stopped at 0
        tong dismiss 0 he has none => refused maker-is-checker 0
        ",
    );
}
