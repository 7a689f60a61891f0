//! From the province's document to the person and back.

use model::Fen;
use model::ledger::{Holder, trace_document, trace_holder, trace_transfer};

use crate::world::{World, account, county, id};

fn paid() -> World {
    let mut world = county();
    world.check(
        "reserve r1 allotted:513431 owed:h1 400          => ok
         reserve r2 allotted:513431 owed:h1 100 case=c2  => ok
         post p1 r1 300 keep                             => ok
         post p2 r2 100 keep case=c2                     => ok
         reserve o1 owed:h1 paid:h1 300                  => ok
         void n1 o1                                      => ok
         reserve o2 owed:h1 paid:h1 300                  => ok
         post d2 o2 200 keep                             => ok
         move late granted allotted:5134 100             => ok",
    );
    world
}

fn keys(links: &[model::ledger::Link]) -> Vec<String> {
    links.iter().map(|link| link.posting.transfer.draft.key.to_string()).collect()
}

#[test]
fn a_delivery_is_traced_to_the_document_of_the_province() {
    let world = paid();
    let chain = trace_transfer(&world.book, id("d2")).unwrap();
    assert_eq!(chain.document.number.as_str(), "D1");
    // The commitment of the other case and the allotment that came later did not pay it.
    assert_eq!(keys(&chain.links), ["A#living", "down1", "down2", "r1", "p1", "o2", "d2"]);
    assert_eq!(keys(&chain.outcomes), ["d2#rest"]);
    let basis = &chain.links[6].posting.transfer.draft.basis;
    assert_eq!(basis.clause.to_string(), "7.1");
    assert_eq!(basis.case.as_ref().map(ToString::to_string).as_deref(), Some("c1"));
}

#[test]
fn what_became_of_a_reservation_is_told() {
    let check = |transfer: &str, expected: &[&str]| {
        let world = paid();
        let chain = trace_transfer(&world.book, id(transfer)).unwrap();
        assert_eq!(keys(&chain.outcomes), expected, "{transfer}");
    };
    check("r1", &["p1", "p1#rest"]);
    check("o1", &["n1"]);
    check("o2", &["d2", "d2#rest"]);
    check("down2", &[]);
    assert!(trace_transfer(&paid().book, id("nothing")).is_none());
}

#[test]
fn a_reversal_is_traced_with_what_it_takes_back() {
    let mut world = paid();
    world.check("reverse back d2 200 => ok");
    let chain = trace_transfer(&world.book, id("back")).unwrap();
    assert_eq!(keys(&chain.links), ["A#living", "down1", "down2", "r1", "p1", "o2", "d2", "back"]);
    assert_eq!(keys(&trace_transfer(&world.book, id("d2")).unwrap().outcomes), ["d2#rest", "back"]);
}

#[test]
fn everything_of_a_document_is_somewhere() {
    let world = paid();
    let descent = trace_document(&world.book, &"D1".parse().unwrap()).unwrap();
    let figures = [
        descent.granted,
        descent.uncommitted,
        descent.committed,
        descent.owed,
        descent.with_bank,
        descent.delivered,
    ];
    assert_eq!(figures.map(Fen::fen), [2500, 2000, 100, 100, 100, 200]);
    let h1 = Holder::Household("h1".parse().unwrap());
    let [received] = &descent.paid[..] else { panic!("one household was paid") };
    assert_eq!((received.holder, received.fen.fen()), (&h1, 200));
    assert_eq!(received.transfers, [id("d2")]);
    let county = descent.accounts.iter().find(|one| *one.id == account("allotted:513431")).unwrap();
    assert_eq!(county.from, [(&account("allotted:5134"), Fen::from_fen(1000))]);
    assert!(trace_document(&world.book, &"D9".parse().unwrap()).is_none());
}

#[test]
fn whatever_reached_a_person_is_traced_at_once() {
    let mut world = paid();
    let h1 = Holder::Household("h1".parse().unwrap());
    world.check("post d3 ~d2 100 keep => ok");
    let last = |world: &World| -> Vec<String> {
        trace_holder(&world.book, &h1).iter().map(|chain| keys(&chain.links).pop().unwrap()).collect()
    };
    assert_eq!(last(&world), ["d2", "d3"]);
    world.check("reverse back d2 200 => ok");
    assert_eq!(last(&world), ["d3"]);
}

#[test]
fn carried_money_is_traced_through_both_years() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 400 => ok
         post p r 400 keep                     => ok
         on 2017-01-04
         carry c owed:h1 400                   => ok
         open paid:h1'2017                     => ok
         reserve o owed:h1'2017 paid:h1'2017 400 => ok
         post d o 400 keep                     => ok",
    );
    let chain = trace_transfer(&world.book, id("d")).unwrap();
    assert_eq!(keys(&chain.links), ["A#living", "down1", "down2", "r", "p", "c", "o", "d"]);
}
