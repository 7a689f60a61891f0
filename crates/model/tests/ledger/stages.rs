//! The ways of money, from the grant to the person and back.

use model::Fen;
use model::ledger::Stage;

use crate::world::{account, check, county, id, noon};

#[test]
fn money_goes_down_the_levels_and_stops_at_what_was_granted() {
    check(
        "appropriate A D1 living=1000 => ok
         see source 0 0
         see granted 1000 0
         open allotted:51      => ok
         open allotted:5134    => ok
         open allotted:513431  => ok
         open allotted:5133    => ok
         move m1 granted allotted:5134 600         => ok
         move m2 granted allotted:51 300           => ok   # the province spends some itself
         move m3 allotted:5134 allotted:513431 600 => ok
         move m4 granted allotted:5133 101         => beyond-balance
         move m4 granted allotted:5133 100         => ok
         see granted 0 0
         see allotted:513431 600 0",
    );
}

#[test]
fn an_approval_commits_and_verification_makes_it_owed() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 400 => ok
         see allotted:513431 600 400
         see owed:h1 0 0
         post p1 r 100 keep        => ok    # the first quarter is verified
         see allotted:513431 600 300
         see owed:h1 100 0
         post p2 ~p1 100 release   => ok    # the household leaves; the rest is free again
         see allotted:513431 800 0
         see owed:h1 200 0",
    );
}

#[test]
fn a_payment_is_ordered_and_delivered_or_returned() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 400 => ok
         post p r 400 release           => ok
         reserve o1 owed:h1 paid:h1 400 => ok
         see owed:h1 0 400
         void n1 o1                     => ok    # returned by the bank
         see owed:h1 400 0
         reserve o2 owed:h1 paid:h1 400 => ok    # ordered again
         post d2 o2 150 keep            => ok    # delivered in part
         see owed:h1 0 250
         post d3 ~d2 250 keep           => ok    # and the rest
         see owed:h1 0 0
         see paid:h1 400 0
         reverse back d3 250            => ok    # returned late
         see owed:h1 250 0
         see paid:h1 150 0",
    );
}

#[test]
fn what_is_left_is_carried_over_or_recovered() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 400 => ok
         post p r 400 release                  => ok
         on 2016-12-31
         carry c1 allotted:513431 200          => ok
         see allotted:513431 400 0
         see allotted:513431'2017 200 0
         on 2017-01-05
         carry c2 owed:h1 400                  => ok
         reserve o owed:h1 paid:h1 1           => wrong-year
         open paid:h1'2017                     => ok
         reserve o owed:h1'2017 paid:h1'2017 400 => ok
         recover b1 allotted:513431 allotted:5134 150 idle=2016-12-30 => not-idle
         recover b1 allotted:513431 allotted:5134 150 idle=2017-01-01 => ok
         recover b2 allotted:5134 granted 650    => ok
         move cut granted source 1150            => ok
         see granted 0 0
         see source 1150 0
         close allotted:513431                   => account-not-empty
         recover b3 allotted:513431 granted 250  => ok
         close allotted:513431                   => ok
         close allotted:513431                   => again",
    );
}

#[test]
fn every_stage_is_named() {
    let check = |from: &str, to: &str, expected| {
        assert_eq!(Stage::of(&account(from), &account(to)), expected, "{from} to {to}");
    };
    check("source", "granted", Some(Stage::Appropriation));
    check("granted", "source", Some(Stage::Withdrawal));
    check("granted", "allotted:51", Some(Stage::Allotment));
    check("granted", "allotted:513431", Some(Stage::Allotment));
    check("allotted:5134", "allotted:513431", Some(Stage::Allotment));
    check("allotted:513431", "allotted:5134", Some(Stage::Recovery));
    check("allotted:513431", "granted", Some(Stage::Recovery));
    check("allotted:513431", "allotted:513432", None);
    check("allotted:5133", "allotted:513431", None);
    check("allotted:513431", "owed:h1", Some(Stage::Commitment));
    check("owed:h1", "paid:h2", Some(Stage::Payment));
    check("allotted:513431", "paid:h1", None);
    check("owed:h1", "allotted:513431", None);
    check("paid:h1", "owed:h1", None);
    check("owed:h1", "owed:h1'2017", Some(Stage::CarryOver));
    check("paid:h1", "paid:h1'2017", None);
    check("source", "source'2017", None);
}

#[test]
fn a_lapsed_reservation_holds_nothing_whether_written_down_or_not() {
    let mut world = county();
    world.check(
        "reserve r1 allotted:513431 owed:h1 700 until=2016-06-01 => ok
         see allotted:513431 300 700
         on 2016-05-31
         reserve r2 allotted:513431 owed:h2 400 => beyond-balance
         on 2016-06-01
         see allotted:513431 1000 700
         reserve r2 allotted:513431 owed:h2 1000 => ok
         see allotted:513431 0 1000
         expire => again",
    );
    assert_eq!(world.book.lapsed(world.now).count(), 0);
    let is_open = |key: &str, day: &str| world.book.posting(id(key)).unwrap().is_open(noon(day));
    assert!(!is_open("r1", "2016-05-31"), "it was written down as lapsed");
    assert!(is_open("r2", "2016-06-01") && !is_open("down1", "2016-06-01"));
}

#[test]
fn a_reservation_is_open_until_its_end() {
    let mut world = county();
    world.check("reserve r allotted:513431 owed:h1 700 until=2016-06-01 => ok");
    let is_open = |day: &str| world.book.posting(id("r")).unwrap().is_open(noon(day));
    assert!(is_open("2016-05-31") && !is_open("2016-06-01"));
}

#[test]
fn a_sweep_writes_down_what_lapsed() {
    let mut world = county();
    world.check(
        "reserve r1 allotted:513431 owed:h1 700 until=2016-06-01 => ok
         expire => again
         on 2016-06-02
         expire => ok
         expire => again
         see allotted:513431 1000 0
         post p r1 1 keep => reservation-expired",
    );
}

#[test]
fn a_group_sees_its_own_earlier_transfers() {
    let mut world = county();
    world.check(
        "group G { reserve r allotted:513431 owed:h1 400 ; post p r 400 release ; reserve o owed:h1 paid:h1 400 } => ok
         see owed:h1 0 400
         see allotted:513431 600 0",
    );
    let transfer = &world.book.posting(id("p")).unwrap().transfer;
    assert_eq!(
        transfer.linked.as_ref().map(|linked| (linked.group.as_str(), linked.place, linked.size)),
        Some(("G", 2, 3))
    );
    assert_eq!(transfer.fen, Fen::from_fen(400));
}

#[test]
fn a_ceiling_counts_what_is_about_to_arrive() {
    let mut world = county();
    world.check(
        "open owed:h3 max=500                     => ok
         reserve r1 allotted:513431 owed:h3 300   => ok
         reserve r2 allotted:513431 owed:h3 201   => beyond-ceiling
         reserve r2 allotted:513431 owed:h3 200   => ok
         void v r1                                => ok
         reserve r3 allotted:513431 owed:h3 300   => ok",
    );
}
