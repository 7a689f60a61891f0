//! The commands as a user runs them: the whole way on the sample county, and what is said of mistakes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

const FILES: [&str; 5] = ["村.xlsx", "户.xlsx", "人.xlsx", "住院.xlsx", "贷款.xlsx"];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn xiaokang(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xiaokang"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary starts")
}

/// What a command said, with what differs from machine to machine taken out.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = xiaokang(folder, arguments);
    let text = format!(
        "exit {}\n--- out\n{}--- err\n{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let full = folder.canonicalize().expect("the folder is there");
    let text =
        text.replace(&full.display().to_string(), "FOLDER").replace(&folder.display().to_string(), "FOLDER");
    without_days_of_import(&text)
}

/// The day on which the test itself imports is another every day.
fn without_days_of_import(text: &str) -> String {
    let mut parts = text.split(" 录入");
    let mut zh = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        zh.truncate(zh.len() - "2015-12-31".len());
        zh.push_str(&format!("DAY 录入{part}"));
    }
    let mut parts = zh.split("recorded ");
    let mut en = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let day = part.get(..10).is_some_and(|day| day.parse::<model::Date>().is_ok());
        en.push_str(&if day { format!("recorded DAY{}", &part[10..]) } else { format!("recorded {part}") });
    }
    en
}

/// A folder with the pack and its data beside the registries to be made.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(
        project().join("packs").canonicalize().expect("the packs are there"),
        folder.path().join("packs"),
    )
    .expect("the packs are linked");
    folder
}

fn data(county: &str) -> Vec<String> {
    FILES.iter().map(|file| format!("packs/sichuan-2015/data/{county}/{file}")).collect()
}

fn import(folder: &Path, county: &str) -> Output {
    let files = data(county);
    let mut arguments = vec!["import", "--registry", "registry", "--pack", "packs/sichuan-2015", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    xiaokang(folder, &arguments)
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn assess(folder: &Path, more: &[&str]) -> Output {
    let mut arguments = vec![
        "assess",
        "--registry",
        "registry",
        "--pack",
        "packs/sichuan-2015",
        "--as-of",
        "2015-12-31",
        "--json",
    ];
    arguments.extend(more);
    xiaokang(folder, &arguments)
}

fn sum(report: &Json, key: &str) -> u64 {
    report["sheets"].as_array().expect("sheets").iter().map(|sheet| sheet[key].as_u64().unwrap_or(0)).sum()
}

#[test]
fn the_whole_way_on_the_sample_county_agrees_with_an_independent_reference() {
    let folder = workplace();
    let here = folder.path();
    let first = import(here, "xiangcheng");
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let report = json(&first);
    assert_eq!(report["faults"].as_array().map(Vec::len), Some(0));
    assert_eq!(sum(&report, "read"), 38 + 711 + 2565 + 425 + 121);
    let again = json(&import(here, "xiangcheng"));
    assert_eq!(sum(&again, "changed"), 0, "the same files again change nothing");

    let totals = json(&assess(here, &["--out", "run"]));
    let python = std::env::var("XIAOKANG_TEST_DUCKDB")
        .expect("run the tests with `cargo xtask test`, which provides a Python with openpyxl");
    let reference = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py"))
        .arg(here.join("packs/sichuan-2015/data/xiangcheng"))
        .output()
        .expect("the reference runs");
    let reference: Json = serde_json::from_slice(&reference.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&reference.stderr)));
    for name in [
        "households",
        "persons",
        "poor_households",
        "poor_persons",
        "no_able_worker",
        "minimum_living_households",
        "minimum_living_fen",
        "disability_fen",
        "basic_insurance_fen",
        "serious_illness_fen",
        "medical_assistance_fen",
        "interest_subsidy_fen",
        "exit_ready_households",
        "poor_villages",
        "road_gap_villages",
        "no_first_secretary_villages",
        "no_helper_households",
    ] {
        assert!(reference[name].is_i64(), "{name}");
        assert_eq!(totals[name], reference[name], "{name}");
    }

    for (lang, rule) in [("zh", "minimum_living"), ("en", "minimum_living"), ("zh", "household_exit")] {
        let text =
            said(here, &["explain", "--run", "run", "household", "51333610020400025", rule, "--lang", lang]);
        insta::assert_snapshot!(format!("explain_{rule}_{lang}"), text);
    }
    let explained = xiaokang(
        here,
        &["explain", "--run", "run", "household", "51333610020400025", "minimum_living", "--json"],
    );
    let explained = json(&explained);
    assert_eq!(explained["subject"]["key"], "51333610020400025");
    let text = explained.to_string();
    let identity = |word: &str| word.len() == 18 && word[..17].bytes().all(|byte| byte.is_ascii_digit());
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    assert_eq!(words.filter(|word| identity(word)).count(), 0, "no identity number in full");

    let stranger =
        said(here, &["explain", "--run", "run", "household", "1", "minimum_living", "--lang", "en"]);
    assert!(stranger.contains("hint: keys look like `5133361"), "{stranger}");
    assert_eq!(xiaokang(here, &["report", "--run", "run", "--out", "summary.xlsx"]).status.code(), Some(0));
    assert!(here.join("summary.xlsx").metadata().expect("the workbook is there").len() > 20_000);
    same_run_twice(here);
    a_parameter_set_for_one_run_changes_it(here, &totals);
    what_follows_from_changes_is_told(here, &totals);
}

fn what_follows_from_changes_is_told(here: &Path, totals: &Json) {
    let changes =
        |name: &str, lines: &str| std::fs::write(here.join(name), lines).expect("a file is written");
    changes(
        "changes.jsonl",
        "{\"household\": {\"51333610020400025\": {\"wages\": 90000}}}\n\n\
         {\"household\": {\"51333610020400025\": {\"wages\": null}}, \"person\": {\"new\": {\"household\": \
         \"51333610020400025\", \"name\": \"次仁卓玛\"}}}\n",
    );
    let arguments = ["reassess", "--run", "run", "--changes", "changes.jsonl"];
    for lang in ["zh", "en"] {
        let text = said(here, &[&arguments[..], &["--lang", lang]].concat());
        insta::assert_snapshot!(format!("reassess_{lang}"), text);
    }
    // The same, when the registry has it, and what a run then says.
    changes("户.csv", "村编码,户编号,工资性收入\n513336100204,51333610020400025,90000\n");
    let imported = ["import", "--registry", "registry", "--pack", "packs/sichuan-2015", "户.csv"];
    assert!(xiaokang(here, &imported).status.success());
    let since = json(&xiaokang(here, &["reassess", "--run", "run", "--registry", "registry", "--json"]));
    let after = json(&assess(here, &["--out", "after"]));
    let mut moved = 0;
    let numbers = totals.as_object().expect("totals by name").iter().filter(|(_, total)| total.is_i64());
    for (name, before) in numbers {
        let expected = &since["totals"][name];
        let now = if expected.is_null() { before } else { &expected[1] };
        assert_eq!(now, &after[name], "{name}");
        moved += usize::from(!expected.is_null());
    }
    assert!(moved >= 2, "{since}");

    for (lines, expected) in [
        (
            "{\"household\": {\"51333610020400025\": {\"wages\": -1}}}",
            "line 1: `household.wages`: `-1` is beyond",
        ),
        (
            "\n{\"household\": {\"51333610020400025\": {\"wage\": 1}}}",
            "line 2: `household` has no field `wage`",
        ),
        ("{\"houses\": {}}", "line 1: no entity is called `houses`"),
        ("{\"person\": {\"nobody\": null}}", "line 1: person `nobody` is not there, and cannot be removed"),
        ("wages 90000", "line 1: "),
    ] {
        changes("wrong.jsonl", lines);
        let text = said(here, &["reassess", "--run", "run", "--changes", "wrong.jsonl", "--lang", "en"]);
        assert!(text.starts_with("exit 2\n") && text.contains(expected), "{text}");
    }
}

fn same_run_twice(here: &Path) {
    assert_eq!(
        assess(here, &["--out", "run2"]).status.code(),
        assess(here, &["--out", "run3"]).status.code()
    );
    for entry in std::fs::read_dir(here.join("run2")).expect("the run is there").flatten() {
        let first = std::fs::read(entry.path()).expect("readable");
        let second = std::fs::read(here.join("run3").join(entry.file_name())).expect("readable");
        assert!(first == second, "{} differs", entry.path().display());
    }
}

fn a_parameter_set_for_one_run_changes_it(here: &Path, before: &Json) {
    let output = assess(here, &["--out", "run4", "--set", "poverty_line=4000"]);
    let after = json(&output);
    let poor = |totals: &Json| totals["poor_households"].as_u64().expect("a count");
    assert!(poor(&after) > poor(before));
    let explained = xiaokang(
        here,
        &["explain", "--run", "run4", "household", "51333610020400025", "poor", "--lang", "en"],
    );
    assert!(String::from_utf8_lossy(&explained.stdout).contains("4,000.00"), "the run keeps what was set");
}

#[test]
fn mistakes_are_told_with_what_where_and_how() {
    let folder = workplace();
    let here = folder.path();
    std::fs::write(here.join("broken.xlsx"), b"not a workbook").expect("written");
    std::fs::create_dir(here.join("empty")).expect("made");
    std::fs::create_dir(here.join("mine")).expect("made");
    std::fs::write(here.join("mine/notes.txt"), "mine").expect("written");
    std::fs::create_dir(here.join("typo")).expect("made");
    std::fs::write(
        here.join("typo/pack.toml"),
        "[pack]\nid = \"typo\"\nversion = \"1\"\ntitle = { zh = \"错\", en = \"typo\" }\n[[variable]]\nid = \"x\"\n",
    )
    .expect("written");
    let pack = "packs/sichuan-2015";
    std::fs::write(
        here.join("户.csv"),
        "村编码,户编号,户主姓名,家庭人口数\n513336100201,51333610020100001,扎西,2\n",
    )
    .expect("written");
    let small = xiaokang(here, &["import", "--registry", "small", "--pack", pack, "户.csv"]);
    assert_eq!(small.status.code(), Some(0), "{}", String::from_utf8_lossy(&small.stderr));
    let mut told = String::new();
    for arguments in [
        &["import", "--registry", "r", "--pack", "nowhere", "a.xlsx"][..],
        &["import", "--registry", "r", "--pack", "empty", "a.xlsx"],
        &["import", "--registry", "r", "--pack", "typo", "a.xlsx"],
        &["import", "--registry", "r", "--pack", pack, "missing.xlsx"],
        &["import", "--registry", "r", "--pack", pack, "broken.xlsx"],
        &["import", "--registry", "r", "--pack", pack, "mine"],
        &["assess", "--registry", "none", "--pack", pack, "--as-of", "2015-12-31"],
        &["assess", "--registry", "none", "--pack", pack, "--as-of", "2015-13-31"],
        &["assess", "--registry", "none", "--pack", pack, "--as-of", "2015-12-31", "--set", "poverty_lin=1"],
        &["assess", "--registry", "small", "--pack", pack, "--as-of", "2015-12-31", "--out", "mine"],
        &["assess", "--registry", "small", "--pack", pack, "--as-of", "2015-12-31", "--out", "broken.xlsx"],
        &["explain", "--run", "none", "household", "1"],
        &["report", "--run", "none", "--out", "x.xlsx"],
        &["pack", "check", "typo"],
    ] {
        told.push_str(&format!("$ xiaokang {}\n{}\n", arguments.join(" "), said(here, arguments)));
    }
    insta::assert_snapshot!("mistakes", told);
    let early = said(here, &["assess", "--registry", "small", "--pack", pack, "--as-of", "1999-12-31"]);
    assert!(early.starts_with("exit 1\n"), "{early}");
    assert!(early.contains("在 1999-12-31 没有有效值，用到它们的结果未知"), "{early}");
    assert_eq!(std::fs::read_to_string(here.join("mine/notes.txt")).expect("still there"), "mine");
    assert_eq!(std::fs::read(here.join("broken.xlsx")).expect("still there"), b"not a workbook");
}

#[test]
fn a_dirty_county_is_imported_with_its_faults_and_assessed_without_them() {
    let folder = workplace();
    let here = folder.path();
    let output = import(here, "zhaojue-dirty");
    assert_eq!(output.status.code(), Some(1), "faults are findings");
    let report = json(&output);
    assert_eq!(report["faults"].as_array().map(Vec::len), Some(91));
    let totals = json(&assess(here, &[]));
    let stored = sum(&report, "accepted");
    assert!(stored > 12_000 && totals["households"].as_u64() < Some(2_400), "{totals}");
    assert!(totals["households"].as_u64() > Some(2_300), "{totals}");
}

#[test]
fn an_import_that_comes_to_nothing_leaves_no_registry() {
    let folder = workplace();
    let here = folder.path();
    let header = "村编码,户编号,户主姓名,家庭人口数\n";
    std::fs::write(here.join("户.csv"), format!("{header}513336100201,51333610020100001,扎西,many\n"))
        .expect("written");
    std::fs::write(here.join("good.csv"), format!("{header}513336100201,51333610020100001,扎西,2\n"))
        .expect("written");
    let import = |more: &[&str]| {
        let mut arguments =
            vec!["import", "--registry", "made/for/it", "--pack", "packs/sichuan-2015", "--lang", "en"];
        arguments.extend(more);
        xiaokang(here, &arguments)
    };
    let there = || here.join("made").exists();
    assert_eq!((import(&["missing.xlsx"]).status.code(), there()), (Some(2), false));
    let refused = import(&["户.csv"]);
    assert_eq!((refused.status.code(), there()), (Some(1), false), "every row is refused");
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(text.contains("nothing was stored, and no registry was made"), "{text}");
    assert_eq!((import(&["--preview", "good.csv"]).status.code(), there()), (Some(0), false));
    assert_eq!((import(&["good.csv"]).status.code(), there()), (Some(0), true));
}

#[test]
fn a_file_that_cannot_be_used_ends_with_exit_2_in_either_language_and_leaves_nothing() {
    let folder = workplace();
    let here = folder.path();
    std::fs::write(here.join("空.xlsx"), b"").expect("written");
    std::fs::write(here.join("户.csv"), "村编码,户编号,户主姓名,家庭人口数\n\"1,2,3,4\n1,2,3,4\n")
        .expect("written");
    for (file, lang, said) in [
        ("空.xlsx", "zh", "是空文件"),
        ("空.xlsx", "en", "is empty"),
        ("户.csv", "zh", "引号没有成对"),
        ("户.csv", "en", "a quotation mark is not closed"),
    ] {
        let arguments = ["import", "--registry", "r", "--pack", "packs/sichuan-2015", "--lang", lang, file];
        let output = xiaokang(here, &arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said) && text.contains(file), "{text}");
        assert!(!here.join("r").exists(), "{text}");
    }
}

#[test]
fn a_reader_who_has_seen_enough_ends_a_command_quietly() {
    let folder = workplace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiaokang"));
    command.args(["pack", "coverage", "packs/sichuan-2015"]).current_dir(folder.path());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.stdout(writer).output().expect("the binary starts");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_program_that_is_not_built_is_named_with_the_command_that_builds_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alone = folder.path().join("xiaokang");
    std::fs::copy(env!("CARGO_BIN_EXE_xiaokang"), &alone).expect("the program is copied");
    for (arguments, build) in [
        (&["sql", "--run", "run", "select 1"][..], "cargo build --release -p query"),
        (&["cluster", "scheduler", "--listen", "127.0.0.1:0"], "cargo build --release -p cluster"),
        (
            &[
                "assess",
                "--snapshot",
                "s3://bucket/snapshot",
                "--pack",
                "p",
                "--as-of",
                "2015-12-31",
                "--totals-only",
            ],
            "cargo build --release -p cluster",
        ),
    ] {
        for (lang, said) in [("zh", "没有找到程序"), ("en", "is not there")] {
            let mut command = Command::new(&alone);
            let output = command
                .args(["--lang", lang])
                .args(arguments)
                .env("PATH", "")
                .output()
                .expect("the program starts");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(text.contains(said) && text.contains(build), "{text}");
        }
    }
}

#[test]
fn a_registry_of_an_earlier_format_is_migrated_by_a_command() {
    let folder = workplace();
    let here = folder.path();
    let migrate = |lang: &str| said(here, &["--lang", lang, "migrate", "--registry", "registry"]);
    assert!(migrate("en").starts_with("exit 2\n"), "there is none");
    std::fs::create_dir(here.join("registry")).expect("the folder is new");
    rusqlite::Connection::open(here.join("registry/registry.sqlite"))
        .and_then(|database| database.execute_batch(include_str!("../../store/tests/fixtures/format-1.sql")))
        .expect("the registry of format 1 is whole");
    let refused = import(here, "xiangcheng");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(told.contains("第 1 版格式") && told.contains("`xiaokang migrate`"), "{told}");
    assert_eq!(migrate("en"), "exit 0\n--- out\nthe registry was brought from format 1 to 2\n--- err\n");
    assert_eq!(migrate("zh"), "exit 0\n--- out\n登记库格式已是 2，未作改动\n--- err\n");
}
