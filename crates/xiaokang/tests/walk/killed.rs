//! A process that is killed while it does what the walk's commands do leaves transactions whole or not at all.

use crate::killing::{Kind, Moment, Prepared, is_child};

/// Moments within a transaction at which each kind is cut off, and others.
const WITHIN: usize = 30;
const OTHERS: usize = 2;

/// So many of them, spread evenly, the last among them.
fn spread(moments: &[&Moment], count: usize) -> Vec<Moment> {
    let total = moments.len();
    if total <= count {
        return moments.iter().map(|moment| (*moment).clone()).collect();
    }
    (0..count).map(|index| moments[(index + 1) * total / count - 1].clone()).collect()
}

fn check(name: &str, kind: Kind) {
    if is_child() {
        return;
    }
    let name = format!("killed::{name}");
    let arguments = [name.as_str(), "--exact", "--nocapture"];
    let folder = tempfile::tempdir().unwrap();
    let prepared = Prepared::new(kind, &arguments, folder.path());
    let (within, others): (Vec<&Moment>, Vec<&Moment>) =
        prepared.moments.iter().partition(|moment| moment.within);
    let mut chosen = spread(&within, WITHIN);
    assert!(chosen.len() >= 30, "{kind:?} has {} moments within a transaction", chosen.len());
    chosen.extend(spread(&others, OTHERS));
    for (place, moment) in chosen.iter().enumerate() {
        let killed = prepared.kill_at(&arguments, moment);
        prepared.judge(&killed, moment.commits, moment.commits, place % 6 == 0);
    }
}

#[test]
fn a_registry_that_is_made_is_whole_or_not_there() {
    check("a_registry_that_is_made_is_whole_or_not_there", Kind::Creation);
}

#[test]
fn an_import_counts_whole_or_not_at_all() {
    check("an_import_counts_whole_or_not_at_all", Kind::Import);
}

#[test]
fn a_run_is_there_whole_or_not_at_all() {
    check("a_run_is_there_whole_or_not_at_all", Kind::Assess);
}

#[test]
fn money_is_granted_and_passed_on_whole_or_not_at_all() {
    check("money_is_granted_and_passed_on_whole_or_not_at_all", Kind::Fund);
}

#[test]
fn an_approval_its_record_and_its_money_stand_together_or_not_at_all() {
    check("an_approval_its_record_and_its_money_stand_together_or_not_at_all", Kind::Case);
}

#[test]
fn a_payment_goes_on_from_where_it_was_cut_off() {
    check("a_payment_goes_on_from_where_it_was_cut_off", Kind::Pay);
}

#[test]
fn a_log_that_was_cut_off_is_published_on_and_can_be_verified() {
    check("a_log_that_was_cut_off_is_published_on_and_can_be_verified", Kind::Log);
}
