//! Leaves, their canonical text, and keys.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::os::unix::fs::PermissionsExt;

use proof::{Fault, Frontier, Kind, Leaf, Log, Opening, Receipt, Salt, SigningKey, VerifierKey, canonical};
use proof::{read_signing_key, read_verifier_key, verify_receipt, write_signing_key};
use serde_json::{Value, json};
use support::{ORIGIN, key, leaf, object, opening};

#[test]
fn canonical_text_is_that_of_rfc_8785() {
    let check = |value: Value, expected: &str| assert_eq!(canonical(&object(value)).unwrap(), expected);
    check(json!({}), "{}");
    check(json!({"b": 1, "a": [true, false, null, -7]}), r#"{"a":[true,false,null,-7],"b":1}"#);
    check(json!({"a": {"d": "", "c": {}}}), r#"{"a":{"c":{},"d":""}}"#);
    check(json!({"钱": 9_007_199_254_740_991_i64}), r#"{"钱":9007199254740991}"#);
    // The order of names is by UTF-16: a character beyond the first plane comes before U+FB33.
    check(
        json!({"\u{fb33}": 1, "\u{1f600}": 2, "\r": 3, "1": 4}),
        "{\"\\r\":3,\"1\":4,\"\u{1f600}\":2,\"\u{fb33}\":1}",
    );
    check(
        json!({"a": "\u{8}\t\n\u{c}\r\u{f}\"\\/\u{7f}€"}),
        "{\"a\":\"\\b\\t\\n\\f\\r\\u000f\\\"\\\\/\u{7f}€\"}",
    );
}

#[test]
fn numbers_that_a_reader_could_read_otherwise_are_refused() {
    for number in
        [json!(0.5), json!(1e300), json!(9_007_199_254_740_992_u64), json!(i64::MIN), json!(u64::MAX)]
    {
        let fault = Leaf::new(Kind::Figure, object(json!({"a": [number]})), None).unwrap_err();
        assert_eq!(fault.code(), "leaf-form");
        assert!(fault.text().zh.contains("整数") && fault.text().en.contains("fen"), "{fault}");
    }
}

#[test]
fn a_leaf_is_nested_only_so_deep_that_its_receipt_can_be_read() {
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
    let memory = support::Memory::default();
    let opening = Opening { salt: Salt::new([1; 32]), content: object(nested(32)) };
    let leaf = Leaf::new(Kind::Decision, object(nested(32)), Some(&opening)).unwrap();
    Log::open(&memory, key(), None).unwrap().publish(0, &[leaf]).unwrap();
    let receipt = Receipt::issue(&&memory, key().verifier(), 0, Some(opening.clone())).unwrap();
    verify_receipt(&receipt.to_text().unwrap(), key().verifier()).unwrap();

    let fault = Leaf::new(Kind::Decision, object(nested(33)), Some(&opening)).unwrap_err();
    assert!(fault.code() == "leaf-form" && fault.text().en.contains("32"), "{fault}");
    let deep = Opening { content: object(nested(33)), ..opening };
    assert!(Leaf::new(Kind::Decision, object(json!({})), Some(&deep)).is_err());
}

#[test]
fn leaves_are_read_from_their_own_bytes_and_no_others() {
    for number in 0..10 {
        let leaf = leaf(number);
        assert_eq!(Leaf::from_bytes(&leaf.to_bytes()), Ok(leaf));
    }
    let figure = Leaf::new(Kind::Figure, object(json!({"households": 12})), None).unwrap();
    let text = r#"{"kind":"figure","public":{"households":12},"version":1}"#;
    assert_eq!(String::from_utf8(figure.to_bytes()).unwrap(), text);
    let check =
        |text: &str| assert_eq!(Leaf::from_bytes(text.as_bytes()).unwrap_err().code(), "leaf-form", "{text}");
    check("");
    check("[]");
    check(&text.replace(':', ": "));
    check(&text.replace("12", "12.0"));
    check(&text.replace("figure", "wish"));
    check(&text.replace("version\":1", "version\":2"));
    check(&text.replace(",\"version\":1", ""));
    check(&text.replace("\"kind\":\"figure\",", "\"kind\":\"figure\",\"note\":\"x\","));
    check(&text.replace("\"kind\"", "\"commitment\":\"AAAA\",\"kind\""));
    check(&text.replace("{\"households\":12}", "12"));
    check(&text.replace("{\"households\":12}", "{\"households\":12,\"households\":12}"));
}

#[test]
fn a_citizen_number_does_not_come_into_the_public_part() {
    let check = |value: Value, refused: bool| {
        let outcome = Leaf::new(Kind::Notice, object(value), None);
        assert_eq!(outcome.is_err(), refused, "{outcome:?}");
        if let Err(fault) = outcome {
            assert_eq!(fault.code(), "personal-in-public");
            assert!(!fault.text().en.contains("510681198001010014"), "the message shows it masked: {fault}");
        }
    };
    check(json!({"who": "510681198001010014"}), true);
    check(json!({"list": [{"note": "户主（510681198001010014），三人"}]}), true);
    check(json!({"510681198001010014": 1}), true);
    check(json!({"certificate": "51068119800101001443"}), true);
    check(json!({"case": "510681198001010010", "division": "510681"}), false);
    let opening = opening(1);
    assert!(Leaf::new(Kind::Notice, object(json!({})), Some(&opening)).is_ok(), "personal parts may hold it");
}

#[test]
fn a_leaf_too_long_for_a_bundle_is_refused() {
    let with = |length: usize| Leaf::new(Kind::Notice, object(json!({"text": "x".repeat(length)})), None);
    let rest = with(0).unwrap().to_bytes().len();
    assert_eq!(with(Frontier::ENTRY_BYTES_MAX - rest).unwrap().to_bytes().len(), 65_535);
    assert_eq!(with(Frontier::ENTRY_BYTES_MAX - rest + 1), Err(Fault::EntryTooLong { bytes: 65_536 }));
}

#[test]
fn equal_decisions_with_different_salts_have_different_commitments() {
    let opening = opening(1);
    let other = Opening { salt: Salt::new([9; 32]), content: opening.content.clone() };
    assert_ne!(opening.commitment(), other.commitment());
    assert_eq!(opening.commitment(), opening.clone().commitment());
}

#[test]
fn keys_have_the_text_of_signed_notes() {
    let key = key();
    let text = key.verifier().to_string();
    assert_eq!(text.parse::<VerifierKey>().unwrap(), *key.verifier());
    // The example of the format's description.
    let example = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(example.parse::<VerifierKey>().unwrap().to_string(), example);
    let check =
        |text: &str| assert_eq!(text.parse::<VerifierKey>().unwrap_err().code(), "key-form", "{text}");
    check("");
    check("example.com/foo");
    check(&example.replace("foo", "fop"));
    check(&example.replace("530d903a", "530D903A"));
    check(&example.replace("+Aeky", "+Beky"));
    check(&format!("example.com/foo+530d903a+{}", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb"] {
        assert_eq!(SigningKey::from_seed(name, &[1; 32]).unwrap_err().code(), "key-form", "{name:?}");
    }
}

#[test]
fn a_private_key_is_kept_for_its_owner_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.key");
    write_signing_key(&path, &key()).unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("PRIVATE+KEY+{ORIGIN}+")) && text.ends_with('\n'));
    let read = read_signing_key(&path).unwrap();
    assert_eq!(read.verifier(), key().verifier());

    let secret = text.trim_end().rsplit_once('+').unwrap().1;
    assert!(!format!("{read:?}").contains(secret));
    assert_eq!(write_signing_key(&path, &key()).unwrap_err().code(), "file", "a key is not overwritten");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    for exposed in [0o640, 0o604, 0o620, 0o644] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(exposed)).unwrap();
        let fault = read_signing_key(&path).unwrap_err();
        assert_eq!(fault, Fault::KeyExposed { path: path.clone(), mode: exposed });
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, text.replace("PRIVATE+KEY+poverty", "PRIVATE+KEY+property")).unwrap();
    let fault = read_signing_key(&path).unwrap_err();
    assert!(fault.code() == "key-form" && !fault.to_string().contains(secret), "{fault}");

    let public = folder.path().join("log.pub");
    std::fs::write(&public, format!("{}\n", key().verifier())).unwrap();
    assert_eq!(read_verifier_key(&public).unwrap(), *key().verifier());
    assert_eq!(read_verifier_key(&folder.path().join("none")).unwrap_err().code(), "file");
}
