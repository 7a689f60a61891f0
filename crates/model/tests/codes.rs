//! Citizen numbers, disability certificates and division codes. Every number here is invented.

use model::{
    CitizenNumber, CitizenNumberError, DisabilityCertificate, DisabilityCertificateError, DisabilityKind,
    DivisionCode, DivisionLevel, Refusal, RefusalCode, Sex,
};
use proptest::prelude::*;

const WOMAN: &str = "513431197210162405";

/// Seventeen digits with their check character, computed apart from the crate.
fn complete(body: &str) -> String {
    let sum: u32 = body
        .chars()
        .rev()
        .enumerate()
        .map(|(index, char)| char.to_digit(10).expect("the body is digits") * (1 << (index + 1)))
        .map(|term| term % 11)
        .sum();
    let check = (12 - sum % 11) % 11;
    if check == 10 { format!("{body}X") } else { format!("{body}{check}") }
}

#[test]
fn valid_numbers_tell_birth_sex_and_division() {
    let check = |text: &str, birth: &str, sex, division: &str| {
        let number: CitizenNumber = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(number.birth().to_string(), birth);
        assert_eq!(number.sex(), sex);
        assert_eq!(number.division().short(), division);
        assert_eq!(number.division().level(), DivisionLevel::County);
    };
    check(WOMAN, "1972-10-16", Sex::Female, "513431");
    check("513431196205275793", "1962-05-27", Sex::Male, "513431");
    check("５１３４３１１９７２１０１６２４０５", "1972-10-16", Sex::Female, "513431");
    check(&complete("46000319500101001"), "1950-01-01", Sex::Male, "460003");
    check("11010519491231002X", "1949-12-31", Sex::Female, "110105");
    check(" 11010519491231002x\u{3000}", "1949-12-31", Sex::Female, "110105");
}

#[test]
fn each_fault_has_its_own_reason() {
    let check = |text: &str, expected| {
        assert_eq!(text.parse::<CitizenNumber>(), Err(expected), "{text}");
    };
    let short = &WOMAN[..17];
    check("", CitizenNumberError::WrongLength { found: 0 });
    check(short, CitizenNumberError::WrongLength { found: 17 });
    check("5134311972101624051", CitizenNumberError::WrongLength { found: 19 });
    check("51343119721O162405", CitizenNumberError::NotDigits { position: 12 });
    check("51343119721016240户", CitizenNumberError::NotDigits { position: 18 });
    check("X1343119721016240X", CitizenNumberError::NotDigits { position: 1 });
    check("513431197210162404", CitizenNumberError::CheckCharacter { expected: '5' });
    check("110105194912310021", CitizenNumberError::CheckCharacter { expected: 'X' });
    check("513431197202302405", CitizenNumberError::BirthImpossible);
    check(&complete("51343119720230240"), CitizenNumberError::BirthImpossible);
    check(&complete("51343118491231240"), CitizenNumberError::BirthImpossible);
    check(&complete("00343119721016240"), CitizenNumberError::DivisionImpossible);
    check("5.13431197210162E+17", CitizenNumberError::DigitsLost);
    check("513431197210162000", CitizenNumberError::DigitsLost);
}

#[test]
fn numbers_stored_as_floats_have_lost_digits() {
    assert_eq!(CitizenNumber::from_f64(5.134_311_972_101_62e17), Err(CitizenNumberError::DigitsLost));
    let old = CitizenNumber::from_f64(513_431_721_016_240.0).map(|number| number.expose().to_owned());
    assert_eq!(old.as_deref(), Ok(WOMAN));
    assert!(CitizenNumber::from_f64(0.5).is_err());
}

#[test]
fn the_old_form_is_completed() {
    let check = |old: &str, expected: &str| {
        let number: CitizenNumber = old.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(number.expose(), expected, "{old}");
    };
    check("513431721016240", WOMAN);
    check("110105491231002", "11010519491231002X");
    // The orders 996 to 999 belong to people born before 1900.
    check("513431981016996", &complete("51343118981016996"));
}

#[test]
fn numbers_are_masked_unless_asked() {
    let number: CitizenNumber = WOMAN.parse().unwrap();
    assert_eq!(number.to_string(), "*****************5");
    assert_eq!(format!("{number:?}"), "CitizenNumber(*****************5)");
    assert_eq!(number.expose(), WOMAN);
    let certificate: DisabilityCertificate = format!("{WOMAN}43B1").parse().unwrap();
    assert_eq!(certificate.to_string(), "*****************5**");
    assert!(!format!("{certificate:?}").contains("1972"));
}

#[test]
fn a_refusal_tells_neither_the_number_nor_its_check_character() {
    let error = "513431197210162404".parse::<CitizenNumber>().expect_err("the check character is wrong");
    let refusal = Refusal::from(error);
    assert_eq!(refusal.code, RefusalCode::IdChecksum);
    assert_eq!(refusal.to_string(), "the check character of the citizen number does not match");
}

#[test]
fn certificates_tell_kind_grade_and_reissue() {
    let check = |suffix: &str, kind, grade, reissues| {
        let text = format!("{WOMAN}{suffix}");
        let read: DisabilityCertificate = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((read.kind, read.grade.get(), read.reissues), (kind, grade, reissues), "{suffix}");
        assert_eq!(read.holder.expose(), WOMAN);
        assert_eq!(read.expose(), text);
    };
    check("11", DisabilityKind::Visual, 1, 0);
    check("43", DisabilityKind::Physical, 3, 0);
    check("74B1", DisabilityKind::Multiple, 4, 1);
    check("62B12", DisabilityKind::Mental, 2, 12);
}

#[test]
fn malformed_certificates_are_refused() {
    let check = |text: &str, expected| {
        assert_eq!(text.parse::<DisabilityCertificate>(), Err(expected), "{text}");
    };
    check("", DisabilityCertificateError::WrongLength { found: 0 });
    check(WOMAN, DisabilityCertificateError::WrongLength { found: 18 });
    check(&format!("{WOMAN}431"), DisabilityCertificateError::WrongLength { found: 21 });
    check(&format!("{WOMAN}81"), DisabilityCertificateError::Kind { found: '8' });
    check(&format!("{WOMAN}01"), DisabilityCertificateError::Kind { found: '0' });
    check(&format!("{WOMAN}15"), DisabilityCertificateError::Grade { found: '5' });
    for reissue in ["B", "B0", "B123", "Bx", "B+1", "B1B1"] {
        check(&format!("{WOMAN}11{reissue}"), DisabilityCertificateError::Reissues);
    }
    let holder = CitizenNumberError::CheckCharacter { expected: '5' };
    check("51343119721016240611", DisabilityCertificateError::Holder(holder));
    assert_eq!(DisabilityCertificateError::Holder(holder).code(), RefusalCode::IdChecksum);
}

prop_compose! {
    fn number()(
        division in 110_000..820_000_u32,
        days in -43_829..20_000_i32,
        order in 0..1_000_u32,
    ) -> String {
        let birth = model::Date::from_days(days).expect("the days are in range");
        let birth = birth.to_string().replace('-', "");
        complete(&format!("{division}{birth}{order:03}"))
    }
}

proptest! {
    #[test]
    fn generated_numbers_are_read(text in number()) {
        let read: CitizenNumber = text.parse().expect("the number is valid");
        prop_assert_eq!(read.expose(), &text);
        prop_assert_eq!(read.division().to_string(), format!("{}000000", &text[..6]));
        prop_assert_eq!(read.birth().to_string().replace('-', ""), &text[6..14]);
    }

    #[test]
    fn any_changed_character_is_caught(text in number(), position in 0..18_usize, other in 0..10_u8) {
        let mut bytes = text.clone().into_bytes();
        bytes[position] = b'0' + other;
        let changed = String::from_utf8(bytes).expect("digits are text");
        prop_assert!(changed == text || changed.parse::<CitizenNumber>().is_err());
    }

    #[test]
    fn any_transposition_is_caught(text in number(), position in 0..17_usize) {
        let mut bytes = text.clone().into_bytes();
        bytes.swap(position, position + 1);
        let changed = String::from_utf8(bytes).expect("digits are text");
        prop_assert!(changed == text || changed.parse::<CitizenNumber>().is_err());
    }

    #[test]
    fn certificates_read_back(text in number(), kind in 1..=7_u8, grade in 1..=4_u8, reissues in 0..=99_u8) {
        let suffix = if reissues == 0 { String::new() } else { format!("B{reissues}") };
        let full = format!("{text}{kind}{grade}{suffix}");
        let read: DisabilityCertificate = full.parse().expect("the certificate is valid");
        prop_assert_eq!(read.expose(), full);
    }

    #[test]
    fn division_codes_read_back(number in 100_000_000_000_u64..1_000_000_000_000) {
        let code = DivisionCode::from_number(number).expect("the first digit is not zero");
        prop_assert_eq!(code.number(), number);
        prop_assert_eq!(code.to_string().parse(), Ok(code));
        prop_assert_eq!(code.short().parse(), Ok(code));
    }

    #[test]
    fn a_division_lies_in_each_of_its_ancestors(number in 100_000_000_000_u64..1_000_000_000_000) {
        let code = DivisionCode::from_number(number).expect("the first digit is not zero");
        let mut below = code;
        for ancestor in code.ancestors() {
            prop_assert!(ancestor.level() < below.level());
            prop_assert!(code.is_within(ancestor) && !ancestor.is_within(code));
            prop_assert_eq!(below.parent(), Some(ancestor));
            prop_assert_eq!(code.at(ancestor.level()), Some(ancestor));
            below = ancestor;
        }
        prop_assert_eq!(below.level(), DivisionLevel::Province);
        prop_assert_eq!(code.at(code.level()), Some(code));
    }

    #[test]
    fn no_text_panics(text in "[0-9XxBb]{0,24}|\\PC*") {
        let _ = text.parse::<CitizenNumber>();
        let _ = text.parse::<DisabilityCertificate>();
        let _ = text.parse::<DivisionCode>();
    }
}
