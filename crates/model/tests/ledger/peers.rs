//! What went wrong in other ledgers.

use model::ledger::{Action, Command, TransferId, decide};

use crate::world::{county, id, key};

#[test]
fn limits_count_what_is_pending() {
    county().check(
        "reserve r1 allotted:513431 owed:h1 800 => ok
         reserve r2 allotted:513431 owed:h2 800 => beyond-balance
         recover b allotted:513431 allotted:5134 800 => beyond-balance",
    );
}

#[test]
fn a_rejected_hold_cannot_be_committed() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 2000 => beyond-balance
         post p r 2000 keep                     => unknown-transfer
         reserve s allotted:513431 owed:h1 200  => ok
         void v s                               => ok
         post p s 200 keep                      => already-resolved
         see owed:h1 0 0",
    );
}

#[test]
fn void_and_reverse_happen_once() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 200 => ok
         void v1 r                             => ok
         void v2 r                             => already-resolved
         void v1 r                             => again
         see allotted:513431 1000 0
         reverse b1 down2 1000                 => ok
         reverse b2 down2 1000                 => already-resolved
         reverse b1 down2 1000                 => again
         see allotted:513431 0 0
         see allotted:5134 1500 0",
    );
}

#[test]
fn an_id_derives_from_the_key_and_a_key_has_one_body() {
    let mut world = county();
    world.check(
        "move k allotted:5134 allotted:513431 100               => ok
         move k allotted:5134 allotted:513431 100               => again
         move k allotted:5134 allotted:513431 101               => key-reused
         move k allotted:5134 allotted:513431 100 case=c2       => key-reused
         reserve k allotted:513431 owed:h1 100                  => key-reused
         on 2016-03-02
         move k allotted:5134 allotted:513431 100 eff=2016-03-01 => again
         move k allotted:5134 allotted:513431 100               => key-reused",
    );
    assert!(world.book.posting(TransferId::of(&key("k"))).is_some());
}

#[test]
fn expiry_and_posting_in_one_command_agree() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 900 until=2016-06-01 => ok
         on 2016-06-01
         group G { reserve s allotted:513431 owed:h2 900 ; post p r 900 keep } => reservation-expired
         group G { post p r 900 keep ; reserve s allotted:513431 owed:h2 900 } => reservation-expired
         group G { reserve s allotted:513431 owed:h2 900 ; post p s 900 keep } => ok
         see owed:h2 900 0
         see allotted:513431 100 0",
    );
}

#[test]
fn a_reservation_of_another_account_lapses_with_the_command_that_meets_it() {
    let mut world = county();
    world.check("reserve r allotted:513431 owed:h1 900 until=2016-06-01 => ok\non 2016-06-01");
    // The command names only the account that was to receive.
    let close = Command::Close { account: crate::world::account("owed:h1") };
    let events = world.run(&close).expect("nothing is pending any more");
    assert_eq!(events.len(), 2, "the reservation lapses, and then the account closes");
    world.check_book();
}

#[test]
fn accounts_are_read_in_the_order_of_locks() {
    let world = county();
    let one = world.command("reserve z owed:h1 paid:h1 1").reads();
    let mut ids: Vec<_> = one.accounts.iter().cloned().collect();
    ids.sort();
    assert_eq!(ids, one.accounts.into_iter().collect::<Vec<_>>());
    assert!(one.transfers.contains(&id("z")));
}

#[test]
fn a_retry_gets_the_same_reply() {
    let mut world = county();
    world.check("reserve r allotted:513431 owed:h1 200 => ok");
    let post = world.command("post p r 150 keep");
    world.run(&post).unwrap();
    let first: Vec<_> = world.book.reply(&post).unwrap().into_iter().cloned().collect();
    world.check("post q ~p 50 keep => ok\non 2016-05-05");
    assert_eq!(decide(&world.book, &post, world.now), Ok(Vec::new()));
    let again: Vec<_> = world.book.reply(&post).unwrap().into_iter().cloned().collect();
    assert_eq!(first, again);
    assert!(matches!(first[0].draft.action, Action::Post { .. }));
}
