//! The mutation check finds what worked cases do not look at, and says where.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use app::mutate::{Mutant, Selection, mutate};

const PACK: &str = r#"
[pack]
id = "p"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31

[[clause]]
id = "1.1"
kind = "benefit"
summary = { zh = "一", en = "one" }

[[entity]]
id = "household"
label = { zh = "户", en = "household" }
key = "number"
rows_max = 1000
[[entity.field]]
id = "number"
label = { zh = "号", en = "number" }
type = "text"
required = true
[[entity.field]]
id = "income"
label = { zh = "收入", en = "income" }
type = "money"
range = [0, 100000]
[[entity.field]]
id = "old"
label = { zh = "老", en = "old" }
type = "bool"

[[parameter]]
id = "line"
label = { zh = "线", en = "line" }
type = "money"
values = [
  { from = 2015-01-01, value = 2855, source = "assumed" },
  { from = 2016-01-01, value = 2952, source = "assumed" },
]

[[benefit]]
id = "relief"
on = "household"
title = { zh = "救助", en = "relief" }
cite = ["1.1"]
who = "income < param.line AND NOT old"
amount = "(param.line - income) * 0.60"
every = "year"

"#;

const CASES: &str = r#"
[[case]]
name = "a household well below the line"
given.household.h = { income = 1855, old = false }
expect.household.h = { relief = true, relief_amount = 600 }
"#;

const BOUNDARY: &str = r#"
[[case]]
name = "a household on the line, an old one, and one above it"
given.household.h = { income = 2855, old = false }
given.household.g = { income = 1000, old = true }
given.household.f = { income = 3000, old = true }
expect.household.h = { relief = false }
expect.household.g = { relief = false }
expect.household.f = { relief = false }
"#;

/// Changes that can be made to the pack.
const ALL: usize = 13;

fn missed(cases: &str, selection: &Selection) -> (usize, Vec<Mutant>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pack.toml"), format!("{PACK}{cases}")).unwrap();
    let program = app::packs::load(folder.path(), &[], &[]).unwrap().apart().unwrap();
    let found = mutate(&program, selection, &|_, _| {});
    assert!(found.failing.is_empty());
    (found.mutants.len(), found.mutants.into_iter().filter(|mutant| !mutant.caught).collect())
}

#[test]
fn a_boundary_that_no_case_stands_on_is_missed_and_named() {
    let (all, found) = missed(CASES, &Selection::default());
    // `<`, AND and its two parts, NOT, `-`, `*` and its rounding, 0.60, the two values of the line, and the day of the
    // second, a day earlier or later.
    assert_eq!(all, ALL);
    let told: Vec<(u32, &str)> = found.iter().map(|mutant| (mutant.line, mutant.change.as_str())).collect();
    assert_eq!(
        told,
        [
            (33, "the value from 2016-01-01 in force a day later"),
            (33, "the value from 2016-01-01 one more in its last place"),
            (47, "`<=` instead of `<`"),
            (47, "`OR` instead of `AND`"),
            (47, "without part 1 of the AND"),
            (47, "without part 2 of the AND"),
            (48, "money rounded in another way"),
        ]
    );
}

#[test]
fn cases_on_both_sides_of_a_boundary_catch_its_change() {
    let (all, found) = missed(&format!("{CASES}{BOUNDARY}"), &Selection::default());
    let told: Vec<&str> = found.iter().map(|mutant| mutant.change.as_str()).collect();
    let missed = [
        "the value from 2016-01-01 in force a day later",
        "the value from 2016-01-01 one more in its last place",
        "money rounded in another way",
    ];
    assert_eq!((all, told), (ALL, missed.to_vec()));
}

#[test]
fn a_sample_is_a_part_chosen_by_its_seed() {
    let pick = |seed| {
        let (all, found) = missed("", &Selection { sample: Some(3), seed, ..Selection::default() });
        assert_eq!(all, 3);
        found.iter().map(|mutant| mutant.change.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pick(7), pick(7));
    assert!((0..20).any(|seed| pick(seed) != pick(7)));
}

#[test]
fn only_the_files_asked_for_are_changed() {
    let none = Selection { files: vec!["article".to_owned()], ..Selection::default() };
    assert_eq!(missed(CASES, &none).0, 0);
    let all = Selection { files: vec!["pack".to_owned()], ..Selection::default() };
    assert_eq!(missed(CASES, &all).0, ALL);
}

/// Of all changes that can be made to the shipped pack, by kind: how many in a hundred its cases notice at least.
const NOTICED: [(&str, usize); 18] = [
    ("aggregate", 91),
    ("arithmetic", 98),
    ("at", 75),
    ("coalesce", 80),
    ("code-added", 91),
    ("code-removed", 96),
    ("comparison", 95),
    ("conjunct", 90),
    ("field", 93),
    ("filter", 94),
    ("is-null", 98),
    ("join", 100),
    ("logic", 97),
    ("number", 92),
    ("parameter", 91),
    ("parameter-date", 61),
    ("rounding", 27),
    ("share", 98),
];

/// Changes of the text that every version of this check made.
const OPERATORS: [&str; 6] = ["arithmetic", "comparison", "filter", "logic", "number", "parameter"];

#[test]
fn the_cases_of_the_shipped_pack_notice_what_is_changed_in_it() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015");
    let program = app::packs::load(&folder, &[], &[]).unwrap().apart().unwrap();
    let found = mutate(&program, &Selection::default(), &|_, _| {});
    assert!(found.failing.is_empty(), "{:?}", found.failing);
    let kinds = found.kinds();
    let names: Vec<&str> = kinds.keys().copied().collect();
    assert_eq!(names, NOTICED.map(|(kind, _)| kind), "kinds of changes");
    let mut told = String::new();
    let mut too_few = Vec::new();
    for (kind, percent) in NOTICED {
        let (caught, all) = kinds[kind];
        told.push_str(&format!("{kind}: {caught} of {all}, at least {percent} %\n"));
        if caught * 100 < all * percent {
            too_few.push(kind);
        }
    }
    print!("{told}");
    assert!(too_few.is_empty(), "cases are missing: {too_few:?}\n{told}");
    let operators = OPERATORS.map(|kind| kinds[kind]);
    let (caught, all) = operators.iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
    assert!(all > 4_000 && caught * 100 >= all * 95, "operators: {caught} of {all}");
}
