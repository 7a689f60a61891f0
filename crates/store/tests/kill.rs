//! A writer that is killed leaves what was committed, whole, and nothing of what was not.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;
mod killing;

use std::time::{Duration, Instant};

use killing::{Moment, Scenario, copy, is_child, kill_after, moments, start};

/// Moments within a transaction at which each scenario is cut off, and others.
const WITHIN: usize = 32;
const OTHERS: usize = 8;
/// Kills from outside, at no moment in particular.
const KILLS: u32 = 12;

/// So many of them, spread evenly, the last among them.
fn spread(moments: Vec<&Moment>, count: usize) -> Vec<Moment> {
    let total = moments.len();
    let chosen = |index: usize| moments[(index + 1) * total / count - 1].clone();
    if total <= count { moments.into_iter().cloned().collect() } else { (0..count).map(chosen).collect() }
}

/// Cuts the scenario off at statement after statement; `name` is the test that calls this.
fn cut_off_at_statements(name: &str, scenario: Scenario) {
    if is_child() {
        return;
    }
    let arguments = [name, "--exact", "--nocapture"];
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before");
    scenario.prepare(&before);
    assert_eq!(scenario.stage(&before), 0);

    let whole = folder.path().join("whole");
    copy(&before, &whole);
    let (all, finished) = moments(start(&arguments, scenario, 0, &whole));
    assert!(finished, "without a kill everything is done");
    assert_eq!(scenario.stage(&whole), scenario.last_stage());
    let mut chosen = spread(all.iter().filter(|moment| moment.within).collect(), WITHIN);
    assert!(chosen.len() >= 30, "{scenario:?} has {} moments within a transaction", chosen.len());
    chosen.extend(spread(all.iter().filter(|moment| !moment.within).collect(), OTHERS));
    // Right before and right after each commit.
    chosen.extend(all.iter().filter(|moment| moment.statement.contains("COMMIT")).cloned());
    chosen.sort_by_key(|moment| moment.number);
    chosen.dedup_by_key(|moment| moment.number);

    for moment in chosen {
        let killed = folder.path().join(format!("killed {}", moment.number));
        copy(&before, &killed);
        let (told, finished) = moments(start(&arguments, scenario, moment.number, &killed));
        let last = told.last().unwrap();
        assert!(!finished && last.number == moment.number, "{moment:?}: it has outlived its last moment");
        assert_eq!((last.within, last.commits), (moment.within, moment.commits), "{moment:?}");
        assert_eq!(scenario.stage(&killed), moment.commits, "{scenario:?} at {moment:?}");
        // It goes on from there.
        scenario.act(&killed);
        assert_eq!(scenario.stage(&killed), scenario.last_stage(), "{scenario:?} at {moment:?}");
    }
}

#[test]
fn records_are_written_whole_or_not_at_all() {
    cut_off_at_statements("records_are_written_whole_or_not_at_all", Scenario::Records);
}

#[test]
fn a_registry_is_made_whole_or_not_at_all() {
    cut_off_at_statements("a_registry_is_made_whole_or_not_at_all", Scenario::Creation);
}

#[test]
fn events_are_appended_whole_or_not_at_all() {
    cut_off_at_statements("events_are_appended_whole_or_not_at_all", Scenario::Streams);
}

#[test]
fn a_registry_is_migrated_whole_or_not_at_all() {
    cut_off_at_statements("a_registry_is_migrated_whole_or_not_at_all", Scenario::Migration);
}

#[test]
fn a_kill_from_outside_leaves_before_or_after() {
    if is_child() {
        return;
    }
    let arguments = ["a_kill_from_outside_leaves_before_or_after", "--exact", "--nocapture"];
    let folder = tempfile::tempdir().unwrap();
    for scenario in Scenario::ALL {
        let before = folder.path().join(format!("{scenario:?}"));
        scenario.prepare(&before);
        let whole = folder.path().join(format!("{scenario:?} whole"));
        copy(&before, &whole);
        let begun = Instant::now();
        assert!(moments(start(&arguments, scenario, 0, &whole)).1);
        let duration = begun.elapsed();
        for kill in 0..KILLS {
            let killed = folder.path().join(format!("{scenario:?} {kill}"));
            copy(&before, &killed);
            let wait = Duration::min(duration * kill / KILLS, Duration::from_secs(10));
            let commits = kill_after(start(&arguments, scenario, 0, &killed), wait);
            let stage = scenario.stage(&killed);
            assert!(
                (commits..=commits + 1).contains(&stage),
                "{scenario:?}: {commits} commits and stage {stage}"
            );
            scenario.act(&killed);
            assert_eq!(scenario.stage(&killed), scenario.last_stage());
        }
    }
}
