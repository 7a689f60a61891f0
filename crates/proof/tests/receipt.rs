//! Receipts: what a stranger can be sure of, and that a change anywhere is refused by the check it fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proof::{CHECKPOINT_PATH, Fault, Hash, Kind, Leaf, Log, Opening, Receipt, Salt, SigningKey, canonical};
use proof::{verify_log, verify_receipt, verify_receipt_at_checkpoint, verify_receipt_in_log};
use serde_json::json;
use support::{Memory, ORIGIN, key, leaf, leaves, opening};

fn published(size: u64) -> Memory {
    let memory = Memory::default();
    Log::open(&memory, key(), None).unwrap().publish(0, &leaves(0..size)).unwrap();
    memory
}

fn receipt(memory: &Memory, index: u64) -> Receipt {
    Receipt::issue(&memory, key().verifier(), index, Some(opening(index))).unwrap()
}

#[test]
fn a_stranger_sees_that_this_decision_and_amount_are_in_the_log() {
    let memory = published(300);
    let text = receipt(&memory, 270).to_text().unwrap();
    let facts = verify_receipt(&text, key().verifier()).unwrap();
    assert_eq!((facts.index, facts.checkpoint.size, facts.kind), (270, 300, Kind::Decision));
    assert_eq!(facts.public["division"], "510681");
    let personal = facts.personal.clone().unwrap();
    assert_eq!((&personal["amount_fen"], &personal["name"]), (&json!(318_270), &json!("李秀英")));
    assert_eq!(verify_receipt_in_log(&text, key().verifier(), &&memory), Ok(facts));
    assert_eq!(Receipt::parse(&text).unwrap(), receipt(&memory, 270));
}

#[test]
fn every_leaf_of_the_log_has_a_receipt() {
    for size in [1, 2, 3, 255, 256, 257] {
        let memory = published(size);
        for index in (0..size).filter(|index| leaf(*index).commitment().is_some()) {
            let text = receipt(&memory, index).to_text().unwrap();
            assert_eq!(verify_receipt(&text, key().verifier()).unwrap().index, index);
        }
        let beyond = Receipt::issue(&&memory, key().verifier(), size, None);
        assert_eq!(beyond, Err(Fault::Inclusion { index: size, size }));
    }
}

#[test]
fn a_byte_changed_anywhere_is_refused_and_the_message_names_the_check() {
    let text = receipt(&published(40), 37).to_text().unwrap();
    let mut codes = BTreeSet::new();
    for place in 0..text.len() {
        for change in [1, 2, 4, 8, 16, 32, 64, 128, 0xff] {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= change;
            // What is no text does not come to the check at all.
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let fault = verify_receipt(&changed, key().verifier())
                .expect_err(&format!("byte {place} was changed by {change} and nothing noticed"));
            codes.insert(fault.code());
            let message = fault.text();
            assert!(message.zh.chars().count() > 8 && message.en.len() > 20, "{message:?}");
        }
    }
    for place in 0..text.len() {
        let truncated = text.get(..place).is_some_and(|text| verify_receipt(text, key().verifier()).is_ok());
        assert!(!truncated, "cut off at {place} and nothing noticed");
    }
    let expected =
        ["commitment", "inclusion", "leaf-form", "note-form", "receipt-form", "signature", "unsigned"];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_changed_with_care_fails_at_the_check_that_guards_it() {
    let memory = published(40);
    let check = |change: fn(&mut Receipt), expected: &str| {
        let mut receipt = receipt(&memory, 37);
        change(&mut receipt);
        let fault = verify_receipt(&receipt.to_text().unwrap(), key().verifier()).unwrap_err();
        assert_eq!(fault.code(), expected, "{fault}");
    };
    let amount = |receipt: &mut Receipt| {
        receipt.opening.as_mut().unwrap().content["amount_fen"] = json!(999_999_999);
    };
    check(amount, "commitment");
    check(|receipt| receipt.opening.as_mut().unwrap().salt = Salt::new([0; 32]), "commitment");
    check(|receipt| receipt.opening = Some(opening(36)), "commitment");
    // A commitment made to fit a changed amount is not in the tree.
    let forge = |receipt: &mut Receipt| {
        let opening = receipt.opening.as_mut().unwrap();
        opening.content["amount_fen"] = json!(999_999_999);
        receipt.leaf = Leaf::new(receipt.leaf.kind(), receipt.leaf.public().clone(), Some(opening)).unwrap();
    };
    check(forge, "inclusion");
    check(
        |receipt| {
            receipt.leaf =
                Leaf::new(Kind::Notice, receipt.leaf.public().clone(), Some(&opening(37))).unwrap();
        },
        "inclusion",
    );
    check(|receipt| receipt.index = 36, "inclusion");
    check(|receipt| receipt.proof.swap(0, 1), "inclusion");
    check(|receipt| receipt.proof.push(Hash::leaf(b"more")), "inclusion");
    check(|receipt| receipt.note = receipt.note.replace("\n40\n", "\n41\n"), "signature");
    check(|receipt| receipt.note = receipt.note.replace(ORIGIN, "other.example"), "unsigned");
    check(|receipt| receipt.note.truncate(receipt.note.len() - 1), "note-form");
    // A leaf without a personal part cannot be opened.
    let figure = |receipt: &mut Receipt| {
        receipt.leaf = leaf(4);
    };
    check(figure, "commitment");
}

#[test]
fn a_receipt_of_another_log_or_key_is_refused() {
    let memory = published(3);
    let text = receipt(&memory, 0).to_text().unwrap();
    let check = |name: &str, seed: u8, expected: &str| {
        let key = SigningKey::from_seed(name, &[seed; 32]).unwrap();
        assert_eq!(verify_receipt(&text, key.verifier()).unwrap_err().code(), expected);
    };
    check(ORIGIN, 8, "unsigned");
    check("other.example", 7, "unsigned");
}

#[test]
fn signatures_of_witnesses_are_let_through() {
    let memory = published(3);
    let mut receipt = receipt(&memory, 0);
    let line = format!("— witness.example {}\n", BASE64_STANDARD.encode([1; 76]));
    receipt.note.push_str(&line);
    verify_receipt(&receipt.to_text().unwrap(), key().verifier()).unwrap();
    // A second signature under the log's own name and hash has to verify too.
    let own = receipt.note.lines().nth(4).unwrap().to_owned();
    let (own, signature) = own.rsplit_once(' ').unwrap();
    let mut bytes = BASE64_STANDARD.decode(signature).unwrap();
    bytes[20] ^= 1;
    receipt.note.push_str(&format!("{own} {}\n", BASE64_STANDARD.encode(bytes)));
    let fault = verify_receipt(&receipt.to_text().unwrap(), key().verifier()).unwrap_err();
    assert_eq!(fault, Fault::Signature { key: ORIGIN.to_owned() });
}

#[test]
fn once_the_salt_is_destroyed_the_personal_part_cannot_be_shown_and_the_rest_still_verifies() {
    let memory = published(300);
    let with_salt = receipt(&memory, 37).to_text().unwrap();
    assert!(verify_receipt(&with_salt, key().verifier()).unwrap().personal.is_some());

    // The office destroys salt and content. The right content with any other salt shows nothing.
    let content = opening(37).content;
    for guess in 0..=u8::MAX {
        let guess = Opening { salt: Salt::new([guess; 32]), content: content.clone() };
        let outcome = Receipt::issue(&&memory, key().verifier(), 37, Some(guess));
        assert_eq!(outcome, Err(Fault::Commitment));
    }
    let bare = Hash::of(&[canonical(&content).unwrap().as_bytes()]);
    assert_ne!(leaf(37).commitment(), Some(bare), "the content alone does not give the commitment away");

    let without = Receipt::issue(&&memory, key().verifier(), 37, None).unwrap().to_text().unwrap();
    let facts = verify_receipt(&without, key().verifier()).unwrap();
    assert_eq!((facts.personal, &facts.public["number"]), (None, &json!(37)));
    verify_log(&&memory, key().verifier(), None).unwrap();
}

#[test]
fn a_receipt_stays_good_while_the_log_grows_and_not_when_it_is_rewritten() {
    let memory = published(40);
    let text = receipt(&memory, 37).to_text().unwrap();
    Log::open(&memory, key(), None).unwrap().publish(40, &leaves(40..600)).unwrap();
    verify_receipt_in_log(&text, key().verifier(), &&memory).unwrap();

    let rewritten = Memory::default();
    let mut changed = leaves(0..600);
    changed[37] = leaf(36);
    let mut log = Log::open(&rewritten, key(), None).unwrap();
    log.publish(0, &changed[..40]).unwrap();
    let check = |memory: &Memory, expected: Fault| {
        assert_eq!(verify_receipt_in_log(&text, key().verifier(), &memory), Err(expected));
    };
    check(&rewritten, Fault::Split { size: 40 });
    log.publish(40, &changed[40..]).unwrap();
    check(&rewritten, Fault::Consistency { old: 40, new: 600 });
    check(&published(39), Fault::Shrunk { known: 40, found: 39 });
    // An entry that was changed after its hash was published.
    let path = "tile/entries/000";
    let mut bundle = memory.files.borrow()[path].clone();
    let place = bundle.windows(12).position(|window| window == b"\"number\":37,").unwrap();
    bundle[place + 10] = b'8';
    memory.files.borrow_mut().insert(path.to_owned(), bundle);
    check(&memory, Fault::OtherEntry { index: 37 });
}

#[test]
fn a_receipt_is_compared_with_a_checkpoint_from_elsewhere() {
    let memory = published(40);
    let text = receipt(&memory, 37).to_text().unwrap();
    let note = |memory: &Memory| String::from_utf8(memory.files.borrow()[CHECKPOINT_PATH].clone()).unwrap();
    let check = |memory: &Memory, expected: Option<Fault>| {
        let outcome = verify_receipt_at_checkpoint(&text, key().verifier(), &note(memory));
        assert_eq!(outcome.err(), expected);
    };
    check(&memory, None);
    check(&published(41), Some(Fault::NotComparable { receipt: 40, checkpoint: 41 }));
    let other = Memory::default();
    Log::open(&other, key(), None).unwrap().publish(0, &leaves(1..41)).unwrap();
    check(&other, Some(Fault::Split { size: 40 }));
}

#[test]
fn a_receipt_from_a_log_of_100_million_fits_one_qr_code() {
    let mut receipt = receipt(&published(40), 37);
    receipt.proof = vec![Hash::empty_tree(); 27];
    receipt.index = 99_999_999;
    let bytes = receipt.to_text().unwrap().len();
    // Version 40 with the lowest correction holds 2,953 bytes.
    assert!(bytes <= 2_953, "{bytes} bytes");
}
