//! Dates, periods and dated series.

use model::{Date, DateError, Dated, DatedError, Period};
use proptest::prelude::*;

fn date(text: &str) -> Date {
    text.parse().expect("tests write real dates")
}

fn period(text: &str) -> Period {
    let (from, to) = text.split_once("..").expect("tests write `from..to`");
    Period::new(date(from), (!to.is_empty()).then(|| date(to))).expect("tests write days in order")
}

#[test]
fn dates_are_read_in_every_usual_shape() {
    let check = |text: &str| assert_eq!(text.parse(), Ok(date("2015-06-03")), "{text}");
    for text in [
        "2015-06-03",
        "2015-6-3",
        "2015.06.03",
        "2015/6/3",
        "2015年6月3日",
        "2015年06月03日",
        "2015 年 6 月 3 日",
        "20150603",
        "２０１５－０６－０３",
        "２０１５年６月３日",
        " 2015-06-03\u{3000}",
    ] {
        check(text);
    }
}

#[test]
fn what_is_not_a_date_is_refused() {
    let not_a_date = |text: &str| DateError::NotADate { text: text.into() };
    let check = |text: &str, expected: DateError| assert_eq!(text.parse::<Date>(), Err(expected), "{text}");
    for text in [
        "",
        "2015",
        "2015-06",
        "2015年6月",
        "15-06-03",
        "2015-06/03",
        "2015-006-03",
        "2015-06-03-1",
        "六月三日",
        "2015060",
        "201506030",
        "-2015-06-03",
        "2015-06-03 00:00",
    ] {
        check(text, not_a_date(text));
    }
    check("2015-02-29", DateError::Impossible { year: 2015, month: 2, day: 29 });
    check("2015-13-01", DateError::Impossible { year: 2015, month: 13, day: 1 });
    check("20150631", DateError::Impossible { year: 2015, month: 6, day: 31 });
    check("0000-01-01", DateError::Impossible { year: 0, month: 1, day: 1 });
    assert_eq!("2015-02-29".parse::<Date>().expect_err("refused").to_string(), "no day is `2015-02-29`");
}

#[test]
fn spreadsheet_serials_skip_the_day_that_never_was() {
    let check = |serial, expected: Option<&str>| {
        assert_eq!(Date::from_excel_serial(serial).ok(), expected.map(date), "{serial}");
    };
    check(1.0, Some("1900-01-01"));
    check(59.0, Some("1900-02-28"));
    check(60.0, None);
    check(61.0, Some("1900-03-01"));
    check(42_185.0, Some("2015-06-30"));
    check(42_185.999, Some("2015-06-30"));
    check(2_958_465.5, Some("9999-12-31"));
    check(2_958_466.0, None);
    check(0.5, None);
    check(-1.0, None);
    check(f64::NAN, None);
}

#[test]
fn the_calendar_is_gregorian() {
    let check = |year, leap| assert_eq!(Date::is_leap_year(year), leap, "{year}");
    check(1900, false);
    check(2000, true);
    check(2015, false);
    check(2016, true);
    assert_eq!(date("1970-01-01").days(), 0);
    assert_eq!(date("2000-03-01").days(), 11_017);
    assert_eq!(Date::MIN.to_string(), "0001-01-01");
    assert_eq!(Date::MAX.to_string(), "9999-12-31");
    assert_eq!(Date::from_days(Date::MAX.days() + 1), None);
    assert_eq!(Date::MAX.add_days(1), None);
    assert_eq!(Date::MAX.add_days(i32::MAX), None);
    assert_eq!(Date::days_between(date("2015-06-28"), date("2016-01-01")), 187);
}

#[test]
fn months_end_where_the_month_ends() {
    let check = |from: &str, months, expected: Option<&str>| {
        assert_eq!(date(from).add_months(months), expected.map(date), "{from} {months}");
    };
    check("2015-01-31", 1, Some("2015-02-28"));
    check("2016-01-31", 1, Some("2016-02-29"));
    check("2015-03-31", -1, Some("2015-02-28"));
    check("2015-11-30", 36, Some("2018-11-30"));
    check("2015-12-15", 1, Some("2016-01-15"));
    check("2016-02-29", 12, Some("2017-02-28"));
    check("0001-01-01", -1, None);
    check("9999-12-31", 1, None);
    check("2015-01-01", i32::MAX, None);
    check("2015-01-01", i32::MIN, None);
    assert_eq!(date("2016-02-29").add_years(4), Some(date("2020-02-29")));
    assert_eq!(date("2016-02-29").add_years(i32::MAX), None);
}

#[test]
fn age_is_in_completed_years() {
    let check = |birth: &str, on: &str, expected| {
        assert_eq!(date(birth).age_at(date(on)), expected, "{birth} {on}");
    };
    check("1999-12-31", "2015-12-30", Some(15));
    check("1999-12-31", "2015-12-31", Some(16));
    check("2000-02-29", "2015-02-28", Some(14));
    check("2000-02-29", "2015-03-01", Some(15));
    check("2015-06-30", "2015-06-30", Some(0));
    check("2015-06-30", "2015-06-29", None);
    check("2015-06-30", "2014-07-30", None);
}

#[test]
fn periods_count_their_first_day_and_not_their_end() {
    let year = period("2015-01-01..2016-01-01");
    assert_eq!(Period::year(2015), Some(year));
    assert_eq!(Period::year(9999), None);
    assert_eq!(year.days(), Some(365));
    assert!(year.contains(date("2015-01-01")) && year.contains(date("2015-12-31")));
    assert!(!year.contains(date("2016-01-01")) && !year.contains(date("2014-12-31")));
    assert_eq!(period("2015-01-01..").days(), None);
    assert_eq!(period("2015-01-01..").to_string(), "2015-01-01..");
    assert!(Period::new(date("2015-01-01"), Some(date("2015-01-01"))).is_err());
}

#[test]
fn periods_meet_or_do_not() {
    let check = |left: &str, right: &str, common: Option<&str>, merged: Option<&str>| {
        for (a, b) in [(period(left), period(right)), (period(right), period(left))] {
            assert_eq!(a.intersect(b), common.map(period), "{a} {b}");
            assert_eq!(a.overlaps(b), common.is_some(), "{a} {b}");
            assert_eq!(a.merge(b), merged.map(period), "{a} {b}");
        }
    };
    let (early, late) = ("2015-01-01..2015-06-01", "2015-05-01..2016-01-01");
    check(early, late, Some("2015-05-01..2015-06-01"), Some("2015-01-01..2016-01-01"));
    check(early, "2015-06-01..", None, Some("2015-01-01.."));
    check(early, "2015-06-02..", None, None);
    check(early, "2014-01-01..", Some(early), Some("2014-01-01.."));
    check("2015-01-01..", "2016-01-01..", Some("2016-01-01.."), Some("2015-01-01.."));
}

fn rates() -> Dated<u32> {
    Dated::new(vec![
        (period("2015-06-28..2015-08-26"), 485),
        (period("2015-03-01..2015-05-11"), 535),
        (period("2015-05-11..2015-06-28"), 510),
        (period("2015-10-24.."), 435),
    ])
    .expect("the periods don't overlap")
}

#[test]
fn the_value_in_force_is_found_or_its_gap_named() {
    let check = |on: &str, expected: Result<u32, DatedError>| {
        assert_eq!(rates().at(date(on)).copied(), expected, "{on}");
    };
    let gap = |from: &str, to: &str| Err(DatedError::Gap { from: date(from), to: Some(date(to)) });
    check("2015-03-01", Ok(535));
    check("2015-05-11", Ok(510));
    check("2015-08-25", Ok(485));
    check("2099-01-01", Ok(435));
    check("2015-02-28", gap("2015-02-28", "2015-03-01"));
    check("2015-09-01", gap("2015-09-01", "2015-10-24"));
    assert_eq!(
        rates().require_no_gaps(),
        Err(DatedError::Gap { from: date("2015-08-26"), to: Some(date("2015-10-24")) })
    );
    assert_eq!(
        rates().at(date("2015-09-01")).expect_err("a gap").to_string(),
        "no value is in force from `2015-09-01` until `2015-10-24`"
    );
}

#[test]
fn a_period_is_split_where_the_value_changes() {
    let series = rates();
    let pieces = series.within(period("2015-05-01..2015-07-01"));
    let expected = [
        (period("2015-05-01..2015-05-11"), &535),
        (period("2015-05-11..2015-06-28"), &510),
        (period("2015-06-28..2015-07-01"), &485),
    ];
    assert_eq!(pieces.as_deref(), Ok(expected.as_slice()));
    let open = series.within(period("2015-11-01.."));
    assert_eq!(open.as_deref(), Ok([(period("2015-11-01.."), &435)].as_slice()));
    let until_the_end = series.within(period("2015-07-01..2015-08-26"));
    assert_eq!(until_the_end.as_deref(), Ok([(period("2015-07-01..2015-08-26"), &485)].as_slice()));
    let across_a_gap = series.within(period("2015-07-01..2016-01-01"));
    assert_eq!(across_a_gap, Err(DatedError::Gap { from: date("2015-08-26"), to: Some(date("2015-10-24")) }));
}

#[test]
fn overlapping_values_are_refused() {
    let (first, second) = (period("2015-01-01.."), period("2015-06-01..2015-07-01"));
    assert_eq!(Dated::new(vec![(second, 2), (first, 1)]), Err(DatedError::Overlap { first, second }));
    let day = date("2015-01-01");
    assert!(Dated::from_starts(vec![(day, 1), (day, 2)]).is_err());
}

#[test]
fn starts_hold_until_the_next() {
    let line = Dated::from_starts(vec![(date("2015-01-01"), 2_855), (date("2014-01-01"), 2_800)]).unwrap();
    assert_eq!(line.at(date("2014-12-31")), Ok(&2_800));
    assert_eq!(line.at(date("2020-01-01")), Ok(&2_855));
    assert_eq!(line.require_no_gaps(), Ok(()));
    assert_eq!(line.entries().len(), 2);
    let empty = Dated::<u32>::from_starts(vec![]).unwrap();
    assert_eq!(empty.at(date("2015-01-01")), Err(DatedError::Gap { from: date("2015-01-01"), to: None }));
}

prop_compose! {
    fn any_date()(days in Date::MIN.days()..=Date::MAX.days()) -> Date {
        Date::from_days(days).expect("the days are in range")
    }
}

prop_compose! {
    fn any_period()(from in 0..500_i32, length in prop::option::of(1..200_i32)) -> Period {
        let day = |days| Date::from_days(days).expect("the days are in range");
        Period::new(day(from), length.map(|length| day(from + length))).expect("the length is positive")
    }
}

proptest! {
    #[test]
    fn days_and_calendar_agree(date in any_date()) {
        let (year, month, day) = date.ymd();
        prop_assert_eq!(Date::from_ymd(year, month, day), Ok(date));
        prop_assert_eq!(date.to_string().parse(), Ok(date));
        if let Some(next) = date.add_days(1) {
            let (next_year, next_month, next_day) = next.ymd();
            let stepped = (next_year, next_month, next_day) == (year, month, day + 1)
                || (next_year, next_month, next_day) == (year, month + 1, 1)
                || (next_year, next_month, next_day) == (year + 1, 1, 1);
            prop_assert!(stepped);
        }
    }

    #[test]
    fn serials_and_days_agree_after_the_leap_bug(serial in 61..=2_958_465_i32, time in 0.0..0.999_f64) {
        let date = Date::from_excel_serial(f64::from(serial) + time).expect("the serial is in range");
        prop_assert_eq!(date.days(), serial - 25_569);
    }

    #[test]
    fn months_move_by_months_and_never_past_the_day(date in any_date(), months in -2_400..2_400_i32) {
        if let Some(moved) = date.add_months(months) {
            let count = |date: Date| date.year() * 12 + date.month() as i32;
            prop_assert_eq!(count(moved) - count(date), months);
            prop_assert!(moved.day() <= date.day());
            let clamped = moved.day() < date.day();
            prop_assert!(!clamped || moved.add_days(1).is_none_or(|next| next.day() == 1));
        }
    }

    #[test]
    fn age_grows_on_the_birthday(birth in any_date(), years in 0..150_u32) {
        if let Some(birthday) = birth.add_years(years as i32) {
            let leap_day_clamped = birthday.day() != birth.day();
            let expected = if leap_day_clamped { years - 1 } else { years };
            prop_assert_eq!(birth.age_at(birthday), Some(expected));
        }
    }

    #[test]
    fn common_days_are_in_both(left in any_period(), right in any_period(), days in 0..800_i32) {
        let day = Date::from_days(days).expect("the days are in range");
        let common = left.intersect(right).is_some_and(|common| common.contains(day));
        prop_assert_eq!(common, left.contains(day) && right.contains(day));
        if let Some(merged) = left.merge(right) {
            prop_assert_eq!(merged.contains(day), left.contains(day) || right.contains(day));
        } else {
            prop_assert!(!left.overlaps(right));
        }
    }

    #[test]
    fn pieces_cover_the_period(starts in prop::collection::btree_set(1..400_i32, 0..8), length in 1..500_i32) {
        let day = |days| Date::from_days(days).expect("the days are in range");
        let entries = std::iter::once(0).chain(starts).map(|from| (day(from), from)).collect();
        let series = Dated::from_starts(entries).expect("the starts differ");
        let whole = Period::new(day(0), Some(day(length))).expect("the length is positive");
        let pieces = series.within(whole).expect("the series begins on day 0 and has no end");
        let total: i32 = pieces.iter().filter_map(|(piece, _)| piece.days()).sum();
        prop_assert_eq!(total, length);
        for (piece, value) in pieces {
            prop_assert_eq!(series.at(piece.from()), Ok(value));
        }
    }

    #[test]
    fn no_text_panics(text in "[0-9年月日./-]{0,12}|\\PC*") {
        let _ = text.parse::<Date>();
    }
}
