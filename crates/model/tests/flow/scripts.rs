//! Procedures from beginning to end, line by line.

use model::flow::*;

use crate::world::*;

fn world(effect: Effect) -> World {
    World::new(flow(effect, DayUnit::Calendar), &["h1", "h2", "h3"])
}

/// Up to the village's notice, which is still to be posted.
pub const TO_NOTICE: &str = "
    2015-03-02 clerk open h1 h2 h3
    clerk attach form 1
    clerk complete
    2015-03-04 tang investigate
    tian investigate
    tang complete
    2015-03-09 clerk vote 30 24 20
    clerk complete
";

pub const POSTED: &str = "
    2015-03-10 clerk post board
    clerk post hall
";

/// From the end of the notice up to the decision.
pub const TO_DECISION: &str = "
    2015-03-18 clerk complete
    tong complete
    2015-03-19 cai draw
    cai visit h1 h2 h3
    cai complete
";

pub fn at(effect: Effect, parts: &[&str]) -> World {
    let mut world = world(effect);
    for part in parts {
        world.run(part);
    }
    world
}

#[test]
fn a_list_goes_from_application_to_announcement() {
    world(Effect::Separate).check(
        "
        2015-03-02 clerk open h1 h2 h3 => opened, entered 0 application
        clerk complete => refused evidence-missing
        clerk attach photo 1 => refused act-not-declared photo
        clerk attach form 1 => attached
        clerk complete => completed application, entered 0 survey due 2015-03-16
        2015-03-04 tang investigate => investigated
        tang investigate => refused already-done
        tang complete => refused investigators-missing 1
        tian investigate => investigated
        tang complete => completed survey, proposed h1 h2 h3, entered 0 appraisal
        clerk complete => refused vote-missing
        2015-03-09 clerk vote 29 24 20 => refused vote-inconsistent 29
        clerk vote 30 31 20 => refused vote-inconsistent 31
        clerk vote 30 24 25 => refused vote-inconsistent 25 + 0
        clerk vote 30 24 20 h4=20 => refused vote-inconsistent 4
        clerk vote 30 19 19 => refused no-quorum 19
        clerk vote 30 24 20 h2=12 => voted for h1 h3
        clerk vote 30 24 20 => refused already-done
        clerk complete => completed appraisal, parted 0>1 h2, ended 1 Refused, entered 0 notice
        clerk complete => refused notice-not-posted
        2015-03-10 clerk post gate => refused act-not-declared gate
        clerk post board => posted
        clerk post board => refused already-done
        2015-03-11 clerk post hall => posted, clock 0 from 0/7 until 2015-03-18
        2015-03-18 clerk complete => refused notice-running 2015-03-18
        2015-03-19 clerk complete => completed notice, entered 0 review
        tang complete => refused maker-is-checker
        tong complete => completed review, entered 0 sampling
        cai complete => refused sample-not-drawn
        cai draw => sampled h1 and
        cai draw => refused already-done
        cai visit h2 => refused not-found h2
        cai visit h3 => visited
        cai complete => refused sample-not-visited h1
        cai visit h1 => visited
        cai complete => completed sampling, entered 0 decision
        cai complete => refused maker-is-checker
        cui complete => refused kin-recused h3
        2015-03-20 chen complete => completed decision, writes decision of h1, writes decision of h3, reserved h1 120000, reserved h3 120000, entered 0 announcement
        clerk complete => completed announcement, ended 0 Done
        clerk complete => refused case-closed
        ",
    );
}

#[test]
fn a_separated_record_goes_its_own_way_and_the_list_goes_on() {
    at(Effect::Separate, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-13 sun object h9 he has a car => refused not-found h9
        sun object h2 => refused reasons-missing
        sun object h2 he has a car => parted 0>1 h2, objected 1#0 due 2015-03-20, clock 1 stopped at 2
        clerk complete:1 => refused objection-open 0
        2015-03-18 clerk complete => completed notice, entered 0 review
        tang dismiss:1 0 the car is his brother's => refused maker-is-checker
        tie dismiss:1 0 the car is his brother's => refused kin-recused h2
        clerk dismiss:1 0 the car is his brother's => refused not-permitted village
        tong dismiss:1 0 => refused reasons-missing
        tong dismiss:1 0 the car is his brother's => dismissed #0, clock 1 from 2/7 until 2015-03-23
        2015-03-23 clerk complete:1 => refused notice-running 2015-03-23
        2015-03-24 clerk complete:1 => completed notice, entered 1 review
        ",
    );
    at(Effect::Separate, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-13 sun object h2 he has a car => parted 0>1 h2, objected 1#0 due 2015-03-20, clock 1 stopped at 2
        2015-03-16 tong uphold:1 0 he has => upheld #0, entered 1 survey due 2015-03-30
        2015-03-18 clerk complete => completed notice, entered 0 review
        2015-03-20 tang investigate:1 => investigated
        tian investigate:1 => investigated
        tang refuse:1 the car is his => refusal 1, ended 1 Refused
        ",
    );
}

#[test]
fn a_suspended_notice_goes_on_where_it_stopped() {
    at(Effect::Suspend, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-12 sun object h2 he has a car => objected 0#0 due 2015-03-19, clock 0 stopped at 1
        2015-03-13 sun object all the list was made in secret => objected 0#1 due 2015-03-20
        2015-03-25 clerk complete => refused objection-open 0
        tong dismiss 0 the car is his brother's => dismissed #0
        2015-03-26 tong dismiss 1 the minutes show the meeting => dismissed #1, clock 0 from 1/7 until 2015-04-01
        2015-04-01 sun object h1 he works in town => objected 0#2 due 2015-04-08, clock 0 stopped at 6
        2015-04-07 tong dismiss 2 he is home since May => dismissed #2, clock 0 from 6/7 until 2015-04-08
        2015-04-09 sun object h1 he works in town => refused notice-over 2015-04-08
        clerk complete => completed notice, entered 0 review
        ",
    );
    at(Effect::Suspend, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-12 sun object h2 he has a car => objected 0#0 due 2015-03-19, clock 0 stopped at 1
        2015-03-13 tong uphold 0 he has => upheld #0, parted 0>1 h2, entered 1 survey due 2015-03-27, clock 0 from 1/7 until 2015-03-19
        ",
    );
}

#[test]
fn a_restarted_notice_counts_anew() {
    at(Effect::Restart, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-15 sun object h2 he has a car => objected 0#0 due 2015-03-20, clock 0 stopped at 4
        2015-03-16 tong dismiss 0 the car is his brother's => dismissed #0, clock 0 from 0/7 until 2015-03-23
        ",
    );
}

#[test]
fn working_days_skip_holidays_and_keep_made_up_saturdays() {
    let mut world = World::new(flow(Effect::Suspend, DayUnit::Working), &["h1"]);
    world.today = date("2015-09-20");
    world.run("clerk open h1\nclerk attach form 1\nclerk complete\ntang investigate\ntian investigate\ntang complete");
    world.check(
        "
        clerk vote 30 24 20 => voted for h1
        clerk complete => completed appraisal, entered 0 notice
        2015-09-28 clerk post board => posted
        clerk post hall => posted, clock 0 from 0/7 until 2015-10-13
        2015-10-09 sun object h1 he has a car => objected 0#0 due 2015-10-15, clock 0 stopped at 3
        2015-10-15 tong dismiss 0 he has none => dismissed #0, clock 0 from 3/7 until 2015-10-21
        ",
    );
}

#[test]
fn the_condition_is_asked_again_and_unknown_is_not_no() {
    at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]).check(
        "
        fact h1 eligible unknown => noted
        chen complete => refused condition-unknown h1
        chen apart h1 => parted 0>1 h1
        fact h2 eligible no => noted
        chen complete => refused condition-false h2
        chen refuse h2 income is above the line => parted 0>2 h2, refusal 2, ended 2 Refused letter by 2015-03-24
        chen complete => completed decision, writes decision of h3, reserved h3 120000, entered 0 announcement
        fact h1 eligible yes => noted
        chen complete:1 => completed decision, writes decision of h1, reserved h1 120000, entered 1 announcement
        ",
    );
}

#[test]
fn a_refusal_says_which_facts_are_missing() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.run("fact h1 eligible unknown");
    let refusal = world.decide("chen", &world.read(&["complete"])).expect_err("the condition is unknown");
    assert_eq!(refusal.expected.as_deref(), Some("household.income"));
}

#[test]
fn a_changed_fact_voids_what_was_shown() {
    at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]).check(
        "
        chen void => refused facts-unchanged
        fact h2 amount 130000 => noted
        chen complete => refused facts-changed h2
        clerk void => refused not-permitted village
        chen void => parted 0>1 h2, voided h2, entered 1 survey due 2015-04-02
        chen complete => completed decision, writes decision of h1, writes decision of h3, reserved h1 120000, reserved h3 120000, entered 0 announcement
        chen void => refused act-not-declared
        ",
    );
    at(Effect::Separate, &[TO_NOTICE]).check(
        "
        fact h2 amount 130000 => noted
        clerk post board => refused facts-changed h2
        ",
    );
    at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]).check(
        "
        fact h2 amount unknown => noted
        chen complete => refused facts-changed h2
        ",
    );
}

#[test]
fn a_refusal_is_delivered_in_writing_and_appealed_once() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.check(
        "
        chen refuse h1 => refused reasons-missing
        chen refuse h1 income is above the line => parted 0>1 h1, refusal 1, ended 1 Refused letter by 2015-03-24
        2015-03-25 clock tick => overdue Letter
        clock tick => 
        sun deliver:1 => refused not-permitted villager
        chen deliver:1 => delivered appeal until 2015-05-24
        chen deliver:1 => refused already-done
        sun appeal:1 it is not => refused not-permitted villager
        2015-05-24 wang appeal:1 => refused reasons-missing
        wang appeal:1 it is not => appealed, entered 1 survey due 2015-06-05
        tong investigate:1 => investigated
        tian investigate:1 => investigated
        tian refuse:1 it still is => refusal 1, ended 1 Refused
        wang appeal:1 it is not => refused act-not-declared
        ",
    );
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.check(
        "
        chen refuse h1 income is above the line => parted 0>1 h1, refusal 1, ended 1 Refused letter by 2015-03-24
        chen deliver:1 => delivered appeal until 2015-05-18
        2015-05-19 wang appeal:1 it is not => refused deadline-passed 2015-05-18
        ",
    );
}

#[test]
fn an_applicant_withdraws_his_own_and_nobody_elses() {
    at(Effect::Separate, &[TO_NOTICE, POSTED]).check(
        "
        wang withdraw => refused not-permitted household
        wang withdraw h2 => refused not-permitted household
        wang withdraw h1 => parted 0>1 h1, withdrawn 1, ended 1 Withdrawn
        ",
    );
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED, TO_DECISION]);
    world.run("chen complete");
    world.check("wang withdraw h1 => parted 0>1 h1, withdrawn 1, released h1 120000, ended 1 Withdrawn");
}

#[test]
fn deadlines_are_marked_once_extended_once_and_lapse_where_declared() {
    let mut world = World::new(flow(Effect::Separate, DayUnit::Calendar), &["h1"]);
    world.run("2015-03-02 clerk open h1\nclerk attach form 1\nclerk complete");
    world.check(
        "
        2015-03-16 clock tick => 
        2015-03-17 clock tick => overdue Step
        clock tick => 
        tang extend => refused reasons-missing
        tang extend the road is cut => extended 2015-03-30
        tang extend the road is cut => refused already-done
        2015-03-31 clock tick => overdue Step
        tang investigate => investigated
        ",
    );
    let mut flow = flow(Effect::Separate, DayUnit::Calendar);
    flow.steps[1].deadline.as_mut().unwrap().lapses = true;
    let mut world = World::new(flow, &["h1"]);
    world.run("2015-03-02 clerk open h1\nclerk attach form 1\nclerk complete");
    world.check(
        "
        2015-03-17 tang investigate => refused deadline-passed 2015-03-16
        clock tick => ended 0 Lapsed
        tang investigate => refused case-closed
        ",
    );
}

#[test]
fn an_unanswered_objection_is_marked_as_overdue_and_still_holds() {
    at(Effect::Suspend, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-12 sun object h2 he has a car => objected 0#0 due 2015-03-19, clock 0 stopped at 1
        2015-03-20 clock tick => overdue Answer(0)
        clock tick => 
        2015-06-01 clerk complete => refused objection-open 0
        ",
    );
}

#[test]
fn a_step_returns_where_it_is_declared_to() {
    at(Effect::Separate, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-18 clerk complete => completed notice, entered 0 review
        tong return application the forms are old => refused act-not-declared
        tong return survey => refused reasons-missing
        tong return survey one income is missing => returned survey, entered 0 survey due 2015-04-01
        tang complete => refused investigators-missing 0
        ",
    );
}

#[test]
fn an_objection_left_open_by_a_return_still_has_to_be_answered() {
    let mut flow = flow(Effect::Suspend, DayUnit::Calendar);
    flow.steps[3].returns = vec![StepIndex(0)];
    let mut world = World::new(flow, &["h1"]);
    world.run(&TO_NOTICE.replace("h1 h2 h3", "h1"));
    world.run(POSTED);
    world.check(
        "
        2015-03-12 sun object h1 he has a car => objected 0#0 due 2015-03-19, clock 0 stopped at 1
        clerk return application the forms are old => returned application, entered 0 application
        clerk attach form 2 => attached
        clerk complete => refused objection-open 0
        tong uphold 0 he has => upheld #0
        clerk complete => completed application, entered 0 survey due 2015-03-26
        ",
    );
}

#[test]
fn branches_part_the_list_and_choices_have_to_be_made() {
    let mut flow = flow(Effect::Separate, DayUnit::Calendar);
    let when = |expression, to| Branch { on: BranchOn::When(expression), to };
    let always = |to| Branch { on: BranchOn::Always, to };
    flow.steps[0].next = vec![when(OFFICIAL_KIN, Target::Step(SAMPLING)), always(Target::Step(SURVEY))];
    let choice = |id: &str, to| Branch { on: BranchOn::Choice { id: id.into(), title: text(id) }, to };
    flow.steps[4].next =
        vec![choice("clear", Target::Step(DECISION)), choice("doubtful", Target::Step(SAMPLING))];
    let mut world = World::new(flow, &["h1", "h2"]);
    world.check(
        "
        2015-03-02 clerk open h1 h2 => opened, entered 0 application
        clerk attach form 1 => attached
        fact h2 kin unknown => noted
        clerk complete => refused condition-unknown h2
        fact h2 kin yes => noted
        clerk complete swift => refused act-not-declared
        clerk complete => completed application, parted 0>1 h1, entered 1 survey due 2015-03-16, entered 0 sampling
        tang investigate:1 => investigated
        tian investigate:1 => investigated
        tian complete:1 => completed survey, proposed h1, entered 1 appraisal
        clerk vote:1 30 24 20 => voted for h1
        clerk complete:1 => completed appraisal, entered 1 notice
        clerk post:1 board => posted
        clerk post:1 hall => posted, clock 1 from 0/7 until 2015-03-09
        2015-03-10 clerk complete:1 => completed notice, entered 1 review
        tong complete:1 => refused choice-missing
        tong complete:1 swift => refused choice-missing
        tong complete:1 clear => completed review, entered 1 decision
        ",
    );
}

#[test]
fn a_list_with_one_doubtful_record_need_not_wait_for_it() {
    at(Effect::Suspend, &[TO_NOTICE, POSTED]).check(
        "
        2015-03-12 sun object h2 he has a car => objected 0#0 due 2015-03-19, clock 0 stopped at 1
        clerk apart h2 => parted 0>1 h2, clock 0 from 1/7 until 2015-03-18
        clerk apart:1 h2 => refused already-done
        2015-03-19 clerk complete => completed notice, entered 0 review
        clerk complete:1 => refused objection-open 0
        ",
    );
}

#[test]
fn what_must_be_visited_is_visited_whether_drawn_or_not() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED]);
    world.run("2015-03-18 clerk complete\ntong complete");
    world.check(
        "
        fact h2 kin unknown => noted
        cai draw => sampled h1 and h2
        cai visit h1 => visited
        cai complete => refused sample-not-visited h2
        cai visit h2 => visited
        fact h3 kin yes => noted
        cai complete => refused sample-not-visited h3
        cai visit h3 => visited
        cai complete => completed sampling, entered 0 decision
        ",
    );
}

#[test]
fn a_period_beyond_the_calendar_is_refused_and_changes_nothing() {
    let mut world = world(Effect::Separate);
    world.calendar.last = date("2015-03-10");
    world.run("2015-03-02 clerk open h1 h2 h3\nclerk attach form 1");
    let before = world.state.clone();
    world.check("clerk complete => refused calendar-ends 2015-03-11");
    assert_eq!(world.state, before);
}

#[test]
fn time_does_not_run_backwards() {
    at(Effect::Separate, &[TO_NOTICE]).check("2015-03-08 clerk post board => refused date-order 2015-03-08");
}

#[test]
fn everyone_can_see_whose_turn_it_is() {
    let mut world = at(Effect::Separate, &[TO_NOTICE, POSTED]);
    world.run("2015-03-13 sun object h2 he has a car");
    let context = world.context("clock");
    let shown: Vec<String> = pending(&world.flow, &world.state, &context)
        .iter()
        .map(|pending| {
            let waits = pending.waits_for.as_ref().map_or("ready", |refusal| refusal.code.as_str());
            let due = pending.due.map_or_else(|| "-".into(), |due| due.to_string());
            format!(
                "{} {:?} {} due {due} {waits}",
                pending.strand.0,
                pending.objection,
                pending.roles.join("/")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "0 None village due - notice-running",
            "1 Some(0) township due 2015-03-20 ready",
            "1 None village due - objection-open",
        ]
    );
}
