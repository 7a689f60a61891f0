//! Every refusal of the book, in every state that leads to it.

use model::ledger::{LedgerCode, LedgerRefusal, decide};
use model::{Lang, Reason, Refused, Text};

use crate::world::{World, check, county};

/// Other programs rely on the codes: a change of this list is a change of an interface.
#[test]
fn codes_and_words_stay_as_published() {
    let line = |code: &LedgerCode| {
        let (title, hint) = (code.title(), code.hint());
        format!("{code}\n  {} | {}\n  {} | {}", title.zh, hint.zh, title.en, hint.en)
    };
    let lines: Vec<String> = LedgerCode::ALL.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_code_has_a_case() {
    let cases = [include_str!("refusals.rs"), include_str!("stages.rs")].concat();
    for code in LedgerCode::ALL {
        // Tables give codes after an arrow or, for actions on states, in quotes.
        let stated =
            [format!("=> {code}\n"), format!("=> {code} "), format!("=> {code}\""), format!("\"{code}\"")];
        assert!(stated.iter().any(|text| cases.contains(text)), "{code}");
    }
}

/// One table for each state of a transfer: what each action on it comes to.
#[test]
fn each_action_on_each_state_has_one_answer() {
    let states = [
        // state, how it comes about, post, void, reverse
        ("open", "", "ok", "ok", "not-reversible"),
        ("posted", "post x r 100 release => ok", "already-resolved", "void-of-posted", "not-reversible"),
        ("posted in part", "post x r 60 keep => ok", "already-resolved", "void-of-posted", "not-reversible"),
        ("voided", "void x r => ok", "already-resolved", "already-resolved", "not-reversible"),
        ("lapsed", "on 2016-07-01", "reservation-expired", "reservation-expired", "not-reversible"),
        (
            "lapsed and written down",
            "on 2016-07-01\nexpire => ok",
            "reservation-expired",
            "reservation-expired",
            "not-reversible",
        ),
    ];
    for (state, setting, post, void, reverse) in states {
        for (action, expected) in
            [("post z r 100 keep", post), ("void z r", void), ("reverse z r 1", reverse)]
        {
            println!("{action} of one that is {state}");
            let mut world = county();
            world.check("reserve r allotted:513431 owed:h1 100 until=2016-06-01 => ok");
            world.check(setting);
            world.check(&format!("{action} => {expected}"));
        }
    }
}

#[test]
fn what_moved_money_is_reversed_and_nothing_else() {
    let mut world = county();
    world.check(
        "post z down2 1 keep        => not-a-reservation
         void z down2               => void-of-posted
         reverse z nothing 1        => unknown-transfer
         post z nothing 1 keep      => unknown-transfer
         void z nothing             => unknown-transfer
         reserve r allotted:513431 owed:h1 100 => ok
         void v r                   => ok
         reverse z v 1              => not-reversible
         post z v 1 keep            => not-a-reservation
         void z v                   => not-a-reservation
         reverse b1 down2 400       => ok
         reverse z b1 1             => not-reversible
         reverse z down2 601        => beyond-transfer
         reverse b2 down2 600       => ok
         reverse z down2 1          => already-resolved
         see allotted:513431 0 0
         see allotted:5134 1500 0",
    );
}

#[test]
fn a_reversal_needs_the_money_to_be_there_still() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 700 => ok
         reverse b down2 1000                  => beyond-balance
         reverse b down2 300                   => ok
         see allotted:513431 0 700",
    );
}

#[test]
fn amounts_are_refused_beyond_what_is_there() {
    let mut world = county();
    world.check(
        "move z allotted:5134 allotted:513431 501      => beyond-balance
         move z allotted:5134 allotted:513431 0        => amount-not-positive
         move z allotted:5134 allotted:513431 -1       => amount-not-positive
         reserve z allotted:513431 owed:h1 0           => amount-not-positive
         reserve z allotted:513431 owed:h1 1001        => beyond-balance
         move z allotted:5134 allotted:513431 9223372036854775807 => beyond-balance
         reserve r allotted:513431 owed:h1 600         => ok
         reserve z allotted:513431 owed:h2 401         => beyond-balance    # 600 are pending
         post z r 601 keep                             => beyond-reserved
         post z r 0 keep                               => amount-not-positive
         post z r -5 release                           => amount-not-positive
         reverse z down1 0                             => amount-not-positive
         post p r 600 keep                             => ok
         post z ~p 1 keep                              => unknown-transfer  # nothing was left to keep",
    );
}

#[test]
fn sums_from_the_beginning_stay_within_sixty_four_bits() {
    check(
        "appropriate A D1 living=9223372036854775807 => ok
         move cut granted source 9223372036854775807 => ok
         move again source granted 1                 => amount-too-large",
    );
}

#[test]
fn money_keeps_its_purpose_document_and_year() {
    let mut world = county();
    world.check(
        "appropriate B D2 living=100 => ok
         open allotted:513431%D2     => ok
         open owed:h1@housing        => ok
         open owed:h1'2017           => ok
         open allotted:513431'2017   => ok
         reserve z allotted:513431@housing owed:h1 1       => outside-purpose
         reserve z allotted:513431 owed:h1@housing 1       => outside-purpose
         move z granted%D2 allotted:513431 1               => other-document
         reserve z allotted:513431 owed:h1'2017 1          => wrong-year
         reserve z allotted:513431 owed:h1 1 eff=2015-12-31 => wrong-year
         move z granted allotted:5134 1 eff=2015-12-31     => wrong-year
         carry z allotted:513431 1 eff=2015-12-31          => wrong-year
         move z allotted:513431 allotted:513431 1          => wrong-year
         recover z allotted:513431 allotted:5134 1 eff=2015-12-31 => wrong-year
         on 2017-02-01
         reserve z allotted:513431 owed:h1 1               => wrong-year   # it has to be carried over first
         carry c allotted:513431 1                         => ok
         reserve r allotted:513431'2017 owed:h1'2017 1     => ok
         on 2018-02-01
         carry z allotted:513431 1                         => wrong-year",
    );
}

#[test]
fn money_moves_by_its_stages_only() {
    let mut world = county();
    world.check(
        "move z allotted:513431 owed:h1 1       => no-route   # commitments are reserved first
         move z owed:h1 paid:h1 1               => no-route   # so are payments
         reserve z granted allotted:5134 1      => no-route   # allotments are not
         move z allotted:513431 paid:h1 1       => no-route
         reserve z allotted:513431 paid:h1 1    => no-route
         move z allotted:513431 allotted:5133 1 => unknown-account
         open allotted:5133                     => ok
         move z allotted:513431 allotted:5133 1 => no-route
         recover z allotted:513431 owed:h1 1    => no-route
         carry z paid:h1 1                      => no-route
         move z source granted 1                => beyond-balance",
    );
}

#[test]
fn documents_and_accounts_are_known_before_money_moves() {
    let mut world = county();
    world.check(
        "move z granted allotted:5199 1    => unknown-account
         move z granted%D9 allotted:51%D9 1 => unknown-account
         carry z allotted:5199 1           => unknown-account
         close allotted:5199               => unknown-account
         open allotted:51%D9               => unknown-document
         open allotted:51@roads            => outside-purpose
         open allotted:51'2015             => wrong-year
         open source                       => account-differs
         open source'2017                  => account-invalid
         open granted:5134                 => account-invalid
         open allotted:h1                  => account-invalid
         open owed:h9 below=5              => account-invalid
         open owed:h9 max=-5               => account-invalid
         open owed:h1                      => again
         open owed:h1 max=5                => account-differs
         appropriate B D1 living=1         => key-reused
         appropriate B D3 roads=1          => outside-purpose
         appropriate B D3 living=0         => amount-not-positive
         appropriate B D3 living=1,living=1 => document-invalid
         appropriate B D3 none             => document-invalid",
    );
}

#[test]
fn closed_accounts_take_and_give_nothing() {
    let mut world = county();
    world.check(
        "close allotted:5134  => account-not-empty
         open owed:h3         => ok
         reserve r allotted:513431 owed:h3 1 => ok
         close owed:h3        => account-not-empty    # something is about to arrive
         void v r             => ok
         close owed:h3        => ok
         reserve z allotted:513431 owed:h3 1 => account-closed
         open owed:h3         => again
         recover up allotted:5134 granted 500 => ok
         close allotted:5134  => ok
         reverse z down2 1    => account-closed",
    );
}

#[test]
fn every_transfer_to_a_beneficiary_names_clause_decision_and_case() {
    let mut world = county();
    world.check(
        "move m allotted:5134 allotted:513431 1 nobasis      => ok
         reserve z allotted:513431 owed:h1 100 nobasis       => basis-missing
         reserve r allotted:513431 owed:h1 100               => ok
         post z r 100 keep nobasis                           => basis-missing
         void z r nobasis                                    => basis-missing
         post z r 100 keep case=c2                           => other-case
         post p r 100 keep                                   => ok
         reverse z p 100 nobasis                             => basis-missing",
    );
}

#[test]
fn days_are_in_order_and_not_to_come() {
    let mut world = county();
    world.check(
        "move z allotted:5134 allotted:513431 1 eff=2016-03-02 => effective-future
         reserve z allotted:513431 owed:h1 1 until=2016-03-01  => expiry-past
         reserve r allotted:513431 owed:h1 9                   => ok
         on 2016-04-01
         post z r 9 keep eff=2016-02-29                        => effective-order
         void z r eff=2016-02-29                               => effective-order
         post p r 4 keep eff=2016-03-20                        => ok
         post q ~p 5 keep eff=2016-03-10                       => ok   # parts are reported in any order
         reverse z p 4 eff=2016-03-19                          => effective-order",
    );
}

#[test]
fn groups_are_whole_or_nothing() {
    let mut world = county();
    world.check(
        "group G { }                                             => group-broken
         group G { move a allotted:5134 allotted:513431 100 ; move a allotted:5134 allotted:513431 100 } => group-broken
         group G { move a allotted:5134 allotted:513431 100 ; move b allotted:5134 allotted:513431 401 } => beyond-balance
         see allotted:5134 500 0
         group G { move a allotted:5134 allotted:513431 100 ; move b allotted:5134 allotted:513431 400 } => ok
         group G { move a allotted:5134 allotted:513431 100 ; move b allotted:5134 allotted:513431 400 } => again
         group G { move a allotted:5134 allotted:513431 100 }    => group-broken
         group G { move b allotted:5134 allotted:513431 400 ; move a allotted:5134 allotted:513431 100 } => group-broken
         group G { move a allotted:5134 allotted:513431 100 ; move c allotted:5134 allotted:513431 1 } => group-broken
         group H { move a allotted:5134 allotted:513431 100 }    => key-reused
         move a allotted:5134 allotted:513431 100                => key-reused",
    );
}

#[test]
fn keys_of_the_book_are_not_for_commands() {
    let mut world = county();
    world.check(
        "reserve r allotted:513431 owed:h1 9 => ok
         post p r 4 keep                     => ok
         move p'rest allotted:5134 allotted:513431 1 => ok",
    );
    let command = world.command("move x allotted:5134 allotted:513431 1");
    let model::ledger::Command::Transfer(draft) = command else { panic!("a transfer") };
    let stolen = model::ledger::Draft { key: "p#rest".parse().unwrap(), ..draft };
    let refusal = decide(&world.book, &model::ledger::Command::Transfer(stolen), world.now);
    assert_eq!(refusal.map_err(|refusal| refusal.code), Err(LedgerCode::KeyReused));
}

#[test]
fn messages_name_part_value_and_bound_in_both_languages() {
    let check =
        |refusal: &LedgerRefusal, zh: &str, en: &str| assert_eq!(refusal.message(), Text::new(zh, en));
    let world = county();
    let group =
        "group G { move a allotted:5134 allotted:513431 100 ; reserve b allotted:513431 owed:h1 110100 }";
    let refusal = decide(&world.book, &world.command(group), world.now).expect_err("too much");
    check(
        &refusal,
        "第 2 项：超出可用余额：`1101.00`；应为 `≤ 11.00`",
        "2: more than is available: `1101.00`; expected `≤ 11.00`",
    );
    check(&Refused::new(LedgerCode::GroupBroken), "成组交易不完整", "the group is not whole");
    assert_eq!(refusal.message_in(Lang::En), refusal.to_string());
}

#[test]
fn a_damaged_stream_is_a_failure_and_no_panic() {
    let world = county();
    for (place, event) in world.events.iter().enumerate() {
        let mut twice = world.events.clone();
        twice.insert(place, event.clone());
        assert!(model::ledger::Book::replay(&twice).is_err(), "twice: {event:?}");
        let mut without = world.events.clone();
        without.remove(place);
        let expected_fine = matches!(event, model::ledger::Event::Transferred(transfer)
            if transfer.draft.key.as_str() == "down3" || transfer.draft.key.as_str() == "down2")
            || matches!(event, model::ledger::Event::AccountOpened { account, .. }
                if account.id.to_string().contains("household"))
            || matches!(event, model::ledger::Event::DocumentRegistered { .. });
        assert_eq!(model::ledger::Book::replay(&without).is_ok(), expected_fine, "without: {event:?}");
    }
    assert_eq!(World::new().book, model::ledger::Book::default());
}
